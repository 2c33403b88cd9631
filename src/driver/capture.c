/* Reading pcap and pcapng through libpcap. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One line whatever libpcap or the file's name has in it. */
static void set_error(struct report *report, long at, const char *what)
{
  if (at >= 0)
    snprintf(report->error, sizeof report->error, "byte %ld: %.180s", at, what);
  else
    snprintf(report->error, sizeof report->error, "%.220s", what);
  for (char *c = report->error; *c != '\0'; c++)
    if ((unsigned char)*c < ' ')
      *c = ' ';
}

static FILE *open_file(struct report *report)
{
  struct stat about;
  if (strcmp(report->path, "-") == 0)
    return stdin;
  FILE *file = fopen(report->path, "rb");
  if (file == NULL) {
    set_error(report, -1, strerror(errno));
    return NULL;
  }
  if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
    set_error(report, -1, "is a directory");
    fclose(file);
    return NULL;
  }
  return file;
}

static pcap_t *open_capture(struct report *report, FILE *file)
{
  char why[PCAP_ERRBUF_SIZE] = "";
  pcap_t *capture = pcap_fopen_offline(file, why);
  if (capture == NULL) {
    char line[PCAP_ERRBUF_SIZE + 32];
    snprintf(line, sizeof line, "not a capture: %s", why);
    set_error(report, 0, line);
    if (file != stdin)
      fclose(file);
    return NULL;
  }
  int link = pcap_datalink(capture);
  const char *name = pcap_datalink_val_to_name(link);
  snprintf(report->link, sizeof report->link, "%s", name != NULL ? name : "?");
  if (!link_supported(link)) {
    char line[128];
    snprintf(line, sizeof line, "unknown link type %d%s%s", link, name != NULL ? ", " : "", name != NULL ? name : "");
    set_error(report, 0, line);
    pcap_close(capture);
    return NULL;
  }
  return capture;
}

/* `size`: of the file, 0 if it is not known. */
static void show_progress(const struct report *report, long at, uint64_t size)
{
  if (report->packets % 65536 != 0)
    return;
  fprintf(stderr, "\r%s: %llu packets", report->path, (unsigned long long)report->packets);
  if (size > 0 && at > 0)
    fprintf(stderr, ", %llu %%", (unsigned long long)at * 100 / (unsigned long long)size);
  fflush(stderr);
}

static uint64_t size_of(FILE *file)
{
  struct stat about;
  return fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
}

static void take_packet(struct report *report, pcap_t *capture, const struct pcap_pkthdr *header, const uint8_t *octets,
                        capture_sink *sink, void *context)
{
  struct frame frame = {0};
  frame.number = report->packets;
  frame.us = (uint64_t)header->ts.tv_sec * 1000000u + (uint64_t)header->ts.tv_usec;
  if (header->caplen < header->len)
    report->snapped++;
  if (!link_decode(pcap_datalink(capture), octets, header->caplen, header->len, &frame, report))
    return;
  report->tcp++;
  sink(context, &frame);
}

bool capture_read(struct report *report, capture_sink *sink, void *context, bool progress)
{
  FILE *file = open_file(report);
  if (file == NULL)
    return false;
  pcap_t *capture = open_capture(report, file);
  if (capture == NULL)
    return false;
  struct pcap_pkthdr *header;
  const uint8_t *octets;
  int got;
  long at = ftell(file);
  uint64_t size = size_of(file);
  while ((got = pcap_next_ex(capture, &header, &octets)) == 1) {
    report->packets++;
    take_packet(report, capture, header, octets, sink, context);
    at = ftell(file);
    if (progress)
      show_progress(report, at, size);
  }
  if (progress && report->packets >= 65536)
    fputs("\r\033[K", stderr);
  if (got == PCAP_ERROR) {
    char line[PCAP_ERRBUF_SIZE + 64];
    snprintf(line, sizeof line, "after packet %llu: %s", (unsigned long long)report->packets, pcap_geterr(capture));
    set_error(report, at, line);
    report->truncated = report->tcp > 0;
  } else if (report->tcp == 0) {
    char line[128];
    snprintf(line, sizeof line, "no TCP segment in %llu packet%s", (unsigned long long)report->packets,
             report->packets == 1 ? "" : "s");
    set_error(report, at, line);
  }
  pcap_close(capture);
  return got != PCAP_ERROR && report->tcp > 0;
}
