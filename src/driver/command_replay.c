/* `vtcp replay`: what a capture's TCP connections did, and where they leave RFC 9293. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "picture.h"
#include "script_run.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: vtcp replay [--json] [--all] [--explain | --no-explain] [--ascii] [PICTURES] FILE...\n"
    "       vtcp replay [--summary] [--ladder] [-DNAME[=VALUE]] [--SETTING=VALUE] [PICTURES] SCRIPT.pkt|DIRECTORY...\n"
    "\n"
    "Reads pcap and pcapng files (`-`: standard input), follows every TCP connection, and drives a pair of vtcp state\n"
    "machines with what the capture shows. Prints each connection as a ladder, with both endpoints' states after each\n"
    "segment, and what departs from RFC 9293: which requirement, at which packet; or that it conforms.\n"
    "\n"
    "  --json         the same as one JSON object\n"
    "  --all          every connection and segment (otherwise 400 segments of up to 20 connections; of more "
    "connections\n"
    "                 only those that depart, and a summary)\n"
    "  --explain      explain the handshake and the close where they first happen (default: if there is one "
    "connection)\n"
    "  --no-explain   do not\n"
    "  --ascii        no line drawing (default: by locale)\n"
    "\n"
    "PICTURES, of captures and of scripts:\n"
    "\n"
    "  --svg FILE     the ladders, and a time-sequence graph of each direction that sends much, as a picture\n"
    "  --html FILE    the same as a page that needs no other file: what is long is folded, and may be seen to scale\n"
    "  --to-scale     the ladder with its time to scale (in the page: unfolded)\n"
    "  --packets FROM-TO  only these packets (of scripts: lines)\n"
    "\n"
    "A picture holds 200 segments of a connection and 400 of all, a page 2000 and 6000; with --all 2000 and 20000. "
    "What is\n"
    "left out is said there.\n"
    "\n"
    "Links: Ethernet, Linux cooked v1 and v2, raw IP, null/loopback; VLAN tags, MPLS, PPPoE; IPv4, IPv6 with "
    "extension\n"
    "headers; IP in IP, GRE. Fragments and other tunnels are not followed, and counted as such. Sequence numbers are\n"
    "relative: each side's SYN is 0. Windows are scaled. States are those after the segment, on both sides; `?` where "
    "nothing is known.\n"
    "\n"
    "A finding `departs` from a MUST or from the protocol's rules; `advice` names a SHOULD, or what may be the path's "
    "work.\n"
    "\n"
    "JSON: {vtcp, command, exit, files: [{file, link, packets, tcp, not_tcp, fragments, tunnels, encrypted, "
    "malformed,\n"
    "headless, unusable, snapped, complete, error, connections: [{id, incarnation, left: {address, port}, right,\n"
    "start_us, timestamps, sack, window_scale, segments: [{packet, time_us, from, flags, seq, ack, raw_seq, raw_ack, "
    "len,\n"
    "window, received, left_state, right_state, remarks}], left_final, right_final, segments_forgotten, duplicates,\n"
    "aside, judged, verdict: conforms|departs|not judged, findings: [{id, section, severity: violation|advice, "
    "packet,\n"
    "found, expected}], notes}]}]}\n"
    "\n"
    "Exit status: 0 every connection conforms, 1 a finding departs, 2 a file cannot be used, or usage.\n"
    "\n"
    "Scripts in packetdrill's language (script.pkt, and all in a directory) are run against this endpoint, in virtual\n"
    "time. One that fails shows what was expected beside what came, and the ladder up to there. What is not "
    "understood,\n"
    "or not to be had here, is unsupported.\n"
    "\n"
    "  --summary      one line for each script, and how many passed, failed, or are unsupported, by reason\n"
    "  --ladder       the ladder of scripts that pass, too\n"
    "  -DNAME=VALUE   a definition, as --define in the script\n"
    "  --SETTING=VALUE  one of those below: it holds whatever the script says. Scripts set them by --setting=value,\n"
    "                 sysctl and socket options; one that sets a stack's sysctls begins with that stack's defaults.\n"
    "\n"
    "Exit status: 0 every script passed, 1 one failed, 2 one is unsupported or cannot be read, or usage.\n"
    "\n";

static void print_count(unsigned long long count, const char *what)
{
  if (count > 0)
    printf("  note: %llu %s\n", count, what);
}

static void print_file_notes(const struct report *report, const struct flows *flows)
{
  print_count(report->not_tcp, "packets are not TCP, or lie in an encapsulation that is not supported: not looked at");
  print_count(report->fragments, "IP fragments: unsupported, not looked at");
  print_count(report->tunnels,
              "packets of tunnels that are not followed (VXLAN, Geneve, GTP, Teredo, L2TP, GRE of other than IP): not "
              "looked at");
  print_count(report->encrypted, "encrypted packets (ESP): not looked at");
  print_count(report->malformed, "packets with a malformed or cut off IP header: not looked at");
  print_count(report->headless, "packets whose TCP header was not captured: not looked at");
  print_count(report->unusable, "segments with an impossible TCP header: not looked at");
  if (flows->full)
    printf("  note: not all segments were kept to be shown: there are too many; all were judged\n");
}

static void print_kinds(const struct totals *totals)
{
  for (int severity = VIOLATION; severity >= ADVICE; severity--)
    for (uint32_t i = 0; i < totals->kind_count; i++) {
      const struct kind *kind = &totals->kinds[i];
      if ((int)kind->severity != severity)
        continue;
      printf("  %s [%s, section %s]: %llu in %llu connection%s, first #%llu: %s\n",
             severity == VIOLATION ? "departs" : "advice ", kind->id, kind->section, (unsigned long long)kind->findings,
             (unsigned long long)kind->connections, kind->connections == 1 ? "" : "s", (unsigned long long)kind->first,
             kind->found);
    }
}

/* What was judged; what could not be, and why. */
static void print_summary(const struct totals *totals)
{
  print_kinds(totals);
  printf("  %llu segments judged\n", (unsigned long long)totals->judged);
  print_count(totals->duplicates, "segments are in the capture twice: the second is not judged");
  print_count(totals->aside, "segments whose numbers or checksums are not the connection's: judged by their form only");
  print_count(totals->begun_before, "connections whose opening was not captured");
  print_count(totals->one_sided, "connections of which one direction was not captured, or silent");
  print_count(totals->gaps, "connections of which segments were not captured: what these may have said is granted");
  print_count(totals->unscaled, "connections whose window scale was not captured: windows are not judged");
  print_count(totals->cut, "connections whose segments were cut off by snaplen: the rest is not judged");
  print_count(totals->aged, "connections silent for so long that they were taken to be over");
  printf("  %llu connections: %llu conform, %llu depart", (unsigned long long)totals->connections,
         (unsigned long long)totals->conform, (unsigned long long)totals->depart);
  if (totals->unjudged > 0)
    printf(", %llu not judged", (unsigned long long)totals->unjudged);
  putchar('\n');
}

static void print_text(const struct report *report, const struct flows *flows, const struct options *options,
                       uint32_t *said)
{
  struct options chosen = *options;
  unsigned long long count = (unsigned long long)flows->totals.connections;
  if (!options->explain_set)
    chosen.explain = count == 1;
  printf("%s: %s, %llu packet%s, %llu TCP connection%s\n\n", report->path, report->link,
         (unsigned long long)report->packets, report->packets == 1 ? "" : "s", count, count == 1 ? "" : "s");
  for (uint32_t i = 0; i < flows->count; i++)
    ladder(flows->all[i], flows->all[i]->id, &chosen, said);
  if (flows->count < count)
    printf("... %llu connections not shown (--all shows them)\n\n", count - flows->count);
  print_file_notes(report, flows);
  if (count > 1)
    print_summary(&flows->totals);
}

static void draw_file(const struct report *report, const struct flows *flows, const struct options *options)
{
  char line[200];
  unsigned long long count = (unsigned long long)flows->totals.connections;
  bool explain = options->explain_set ? options->explain : count == 1;
  snprintf(line, sizeof line, "%s, %llu packet%s, %llu TCP connection%s", report->link,
           (unsigned long long)report->packets, report->packets == 1 ? "" : "s", count, count == 1 ? "" : "s");
  pictures_title(options->pictures, report->path, line);
  if (report->error[0] != '\0')
    pictures_line(options->pictures, "x", report->error);
  if (flows->full)
    pictures_line(options->pictures, "w",
                  "not all segments were kept to be shown: there are too many; all were judged");
  for (uint32_t i = 0; i < flows->count; i++)
    pictures_connection(options->pictures, flows->all[i], flows->all[i]->id, explain, true);
  pictures_end(options->pictures);
}

struct collector {
  struct flows *flows;
  struct report *report;
};

static void collect(void *context, const struct frame *frame)
{
  struct collector *collector = context;
  flows_add(collector->flows, frame, collector->report);
}

/* One line, whatever the file is called. */
bool complain(const char *path, const char *error)
{
  fputs("vtcp: ", stderr);
  for (const char *c = path; *c != '\0'; c++)
    fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, stderr);
  fprintf(stderr, ": %s\n", error);
  return false;
}

bool read_capture(struct flows *flows, struct report *report, bool whole)
{
  struct collector collector = {flows, report};
  flows_init(flows, whole);
  bool usable = capture_read(report, collect, &collector, isatty(STDERR_FILENO) != 0);
  flows_end(flows);
  if (!usable || flows->totals.connections > 0)
    return usable;
  snprintf(report->error, sizeof report->error, "no usable TCP segment in %llu packets",
           (unsigned long long)report->packets);
  return false;
}

static int judge_file(const char *path, const struct options *options, bool first, uint32_t *said)
{
  struct flows flows;
  struct report report = {.path = path};
  int status = EXIT_FINE;
  bool usable =
      read_capture(&flows, &report,
                   options->all || options->json || options->pictures->svg != NULL || options->pictures->html != NULL);
  if (flows.totals.depart > 0)
    status = EXIT_FINDING;
  if (!usable)
    status = EXIT_UNUSABLE;
  if (options->json)
    json_file(&report, &flows, first);
  else if (flows.totals.connections > 0)
    print_text(&report, &flows, options, said);
  draw_file(&report, &flows, options);
  fflush(stdout);
  if (!usable)
    complain(path, report.error);
  flows_free(&flows);
  return status;
}

static bool is_option(const char *argument)
{
  return argument[0] == '-' && argument[1] != '\0';
}

/* Options of scripts: --summary, --ladder, -DNAME[=VALUE], and --setting=value. */
static bool read_script_option(const char *option, struct script_options *options)
{
  char name[64];
  const char *equals = strchr(option, '=');
  if (strcmp(option, "--summary") == 0)
    return options->summary = true;
  if (strcmp(option, "--ladder") == 0)
    return options->ladder = true;
  if (strncmp(option, "-D", 2) == 0 && option[2] != '\0' && options->define_count < DEFINES) {
    options->defines[options->define_count++] = option + 2;
    return true;
  }
  if (strncmp(option, "--", 2) != 0 || equals == NULL || (size_t)(equals - option) >= sizeof name)
    return false;
  snprintf(name, sizeof name, "%.*s", (int)(equals - option - 2), option + 2);
  for (char *c = name; *c != '\0'; c++)
    *c = *c == '-' ? '_' : *c;
  return settings_set(&options->settings, name, equals + 1, true) == SET_DONE;
}

/* --packets=FROM-TO */
static bool read_range(const char *value, struct pictures *pictures)
{
  char *end;
  if (*value < '0' || *value > '9')
    return false;
  pictures->from = pictures->to = strtoull(value, &end, 10);
  if (*end == '-' && end[1] >= '0' && end[1] <= '9')
    pictures->to = strtoull(end + 1, &end, 10);
  else if (*end == '-' && end[1] == '\0')
    pictures->to = UINT64_MAX, end++;
  return *end == '\0' && pictures->from <= pictures->to;
}

/* The value of `--name VALUE` or `--name=VALUE`, or NULL; takes the next argument if that is it. */
static const char *value_of(const char *name, int count, char **arguments, int *at)
{
  size_t length = strlen(name);
  const char *option = arguments[*at];
  if (strncmp(option, name, length) != 0)
    return NULL;
  if (option[length] == '=')
    return option + length + 1;
  return option[length] == '\0' && *at + 1 < count ? arguments[++*at] : NULL;
}

static bool read_picture_option(int count, char **arguments, int *at, struct pictures *pictures)
{
  const char *value;
  if (strcmp(arguments[*at], "--to-scale") == 0)
    return pictures->to_scale = true;
  if ((value = value_of("--svg", count, arguments, at)) != NULL)
    return (pictures->svg = value)[0] != '\0';
  if ((value = value_of("--html", count, arguments, at)) != NULL)
    return (pictures->html = value)[0] != '\0';
  if ((value = value_of("--packets", count, arguments, at)) != NULL)
    return read_range(value, pictures);
  return false;
}

static bool read_option(const char *option, struct options *options)
{
  if (strcmp(option, "--json") == 0)
    options->json = true;
  else if (strcmp(option, "--all") == 0)
    options->all = true;
  else if (strcmp(option, "--ascii") == 0)
    options->ascii = true;
  else if (strcmp(option, "--explain") == 0)
    options->explain = options->explain_set = true;
  else if (strcmp(option, "--no-explain") == 0)
    options->explain = false, options->explain_set = true;
  else
    return false;
  return true;
}

/* Options may stand anywhere before `--`; what remains are the files, moved to the front. Their number, or -1. */
static int read_options(int count, char **arguments, struct options *options, struct script_options *of_scripts)
{
  int files = 0;
  bool ended = false;
  for (int i = 0; i < count; i++) {
    if (!ended && strcmp(arguments[i], "--") == 0) {
      ended = true;
    } else if (ended || !is_option(arguments[i])) {
      arguments[files++] = arguments[i];
    } else if (!read_option(arguments[i], options) && !read_picture_option(count, arguments, &i, options->pictures)
               && !read_script_option(arguments[i], of_scripts)) {
      fprintf(stderr, "vtcp replay: unknown option %s (see `vtcp replay --help`)\n", arguments[i]);
      return -1;
    }
  }
  return files;
}

static int judge_files(int files, char **paths, const struct options *options)
{
  uint32_t said = 0;
  int status = EXIT_FINE;
  if (options->json)
    json_open();
  for (int i = 0; i < files; i++) {
    int of_file = judge_file(paths[i], options, i == 0, &said);
    if (of_file > status)
      status = of_file;
  }
  if (options->json)
    json_close(status);
  return status;
}

static int unusable(const char *why)
{
  fprintf(stderr, "vtcp replay: %s\n", why);
  return EXIT_UNUSABLE;
}

/* Nobody means to write a picture over what it is made of. */
bool is_input(const char *picture, int files, char **paths)
{
  struct stat one, other;
  if (picture == NULL)
    return false;
  if (is_script(picture) || strstr(picture, ".pcap") != NULL)
    return true;
  for (int i = 0; i < files; i++)
    if (stat(picture, &one) == 0 && stat(paths[i], &other) == 0 && S_ISREG(one.st_mode) && one.st_ino == other.st_ino
        && one.st_dev == other.st_dev)
      return true;
  return false;
}

static int replay_all(int files, char **paths, struct options *options, struct script_options *of_scripts)
{
  struct pictures *pictures = options->pictures;
  int scripts = 0;
  for (int i = 0; i < files; i++)
    scripts += is_script(paths[i]);
  if (scripts > 0 && options->json)
    return unusable("--json is for captures only");
  if (scripts > 0 && scripts < files)
    return unusable("captures and scripts not both at once");
  if (is_input(pictures->svg, files, paths) || is_input(pictures->html, files, paths))
    return unusable("--svg and --html name the file that is written: not a capture, a script or a directory");
  if (pictures->svg != NULL && pictures->html != NULL && strcmp(pictures->svg, pictures->html) == 0)
    return unusable("--svg and --html name the same file");
  pictures->all = options->all;
  bool open = pictures_open(pictures);
  int status = !open          ? EXIT_UNUSABLE
               : scripts == 0 ? judge_files(files, paths, options)
                              : replay_scripts(files, paths, of_scripts);
  return pictures_close(pictures) ? status : EXIT_UNUSABLE;
}

int command_replay(int count, char **arguments)
{
  struct pictures pictures = {.to = UINT64_MAX};
  struct options options = {.pictures = &pictures};
  for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
    if (strcmp(arguments[i], "--help") != 0 && strcmp(arguments[i], "-h") != 0)
      continue;
    fputs(help, stdout);
    settings_help(stdout);
    return EXIT_FINE;
  }
  setlocale(LC_CTYPE, "");
  options.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
  struct script_options of_scripts = {.pictures = &pictures};
  settings_default(&of_scripts.settings);
  int files = read_options(count, arguments, &options, &of_scripts);
  of_scripts.ascii = options.ascii;
  if (files < 0)
    return EXIT_UNUSABLE;
  if (files == 0)
    return unusable("no file (see `vtcp replay --help`)");
  return replay_all(files, arguments, &options, &of_scripts);
}
