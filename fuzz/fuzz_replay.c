/* Captures, as `vtcp replay` reads and judges them, from arbitrary octets: the input is the file. (Scripts: fuzz_script.c)
 *
 * Invariants:
 *   1. Nothing outside the file and the tables is read or written (ASan), and reading and judging come to an end.
 *   2. count     every packet is counted once: as a segment of one of the connections, or as what kept it from being one.
 *   3. finding   each names a requirement, a section, what was found, and a packet of the file; states are states.
 *   4. error     a file that cannot be used says why, in one line.
 *   5. again     the same file again is judged the same, and so it is when only some of its connections are to be shown.
 *   6. json      what --json prints is JSON: brackets and strings are closed, and no control character is in it; the ladders
 *                have lines of text, whatever the capture has.
 *
 * The mutator gives what it makes right lengths and checksums, so that it is judged and not only set aside. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../src/driver/picture.h"
#include "holds.h"

enum { LONGEST = 1 << 16 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room) __attribute__((weak)); /* libFuzzer's */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

/* --- What was judged --- */

static void check_finding(const struct finding *f, const struct report *report)
{
  HOLDS("finding", f->id != NULL && f->id[0] != '\0' && f->section != NULL && f->section[0] != '\0');
  HOLDS("finding", f->number >= 1 && f->number <= report->packets);
  HOLDS("finding", f->found[0] != '\0' && (f->severity == ADVICE || f->severity == VIOLATION));
}

static void check_connection(const struct connection *conn, const struct report *report)
{
  for (uint32_t i = 0; i < conn->finding_count; i++)
    check_finding(&conn->findings[i], report);
  for (uint32_t i = 0; i < conn->count; i++)
    for (int side = 0; side < 2; side++)
      HOLDS("finding", conn->packets[i].state[side] < STATES || conn->packets[i].state[side] == NO_STATE);
  HOLDS("count", conn->judged <= conn->segments && conn->count + conn->forgotten <= conn->segments);
}

static void check_counts(const struct report *r, const struct totals *t)
{
  uint64_t others = r->not_tcp + r->fragments + r->tunnels + r->encrypted + r->malformed;

  HOLDS("count", r->packets == t->segments + r->headless + r->unusable + others && r->tcp <= r->packets);
  HOLDS("count", t->conform + t->depart <= t->connections && t->judged <= t->segments);
}

static void check_error(const struct report *report, bool usable)
{
  HOLDS("error", usable == (report->error[0] == '\0'));
  for (const char *c = report->error; *c != '\0'; c++)
    HOLDS("error", !iscntrl((unsigned char)*c));
}

/* --- What is printed --- */

static void check_json(const char *text)
{
  int depth = 0;
  bool quoted = false;

  for (const char *c = text; *c != '\0'; c++) {
    HOLDS("json", !iscntrl((unsigned char)*c) || (*c == '\n' && !quoted));
    if (quoted && *c == '\\')
      HOLDS("json", *++c != '\0');
    else if (*c == '"')
      quoted = !quoted;
    else if (!quoted)
      depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
    HOLDS("json", depth >= 0);
  }
  HOLDS("json", depth == 0 && !quoted);
}

static void check_lines(const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    HOLDS("lines", !iscntrl((unsigned char)*c) || *c == '\n');
}

static void print_ladders(const struct report *report, const struct flows *flows)
{
  struct options options = {.all = true, .explain = true, .ascii = report->packets % 2 == 0};
  uint32_t said = 0;

  for (uint32_t i = 0; i < flows->count; i++)
    ladder(flows->all[i], flows->all[i]->id, &options, &said);
}

static void print_json(const struct report *report, const struct flows *flows)
{
  json_open();
  json_file(report, flows, true);
  json_close(0);
}

/* What is printed meanwhile, to be freed. */
static char *printed(void print(const struct report *, const struct flows *), const struct report *report,
                     const struct flows *flows)
{
  FILE *own = stdout;
  char *text = NULL;
  size_t length;

  stdout = open_memstream(&text, &length);
  HOLDS("memory", stdout != NULL);
  print(report, flows);
  HOLDS("memory", fclose(stdout) == 0);
  stdout = own;
  HOLDS("lines", strlen(text) == length);
  return text;
}

/* --- A file --- */

struct collector {
  struct flows *flows;
  struct report *report;
};

/* A packet in a block of its own size: libpcap's is larger. */
static void collect(void *context, const struct frame *frame)
{
  struct collector *collector = context;
  struct frame copy = *frame;
  uint8_t *own = malloc(frame->have > 0 ? frame->have : 1);

  HOLDS("memory", own != NULL);
  memcpy(own, frame->octets, frame->have);
  copy.octets = own;
  flows_add(collector->flows, &copy, collector->report);
  free(own);
}

static char *judged(const char *path, bool whole, struct totals *totals)
{
  struct flows flows;
  struct report report = {.path = path};
  struct collector collector = {&flows, &report};

  flows_init(&flows, whole);
  bool usable = capture_read(&report, collect, &collector, false);
  flows_end(&flows);
  check_error(&report, usable);
  check_counts(&report, &flows.totals);
  for (uint32_t i = 0; i < flows.count; i++)
    check_connection(flows.all[i], &report);
  char *json = printed(print_json, &report, &flows), *ladders = printed(print_ladders, &report, &flows);
  check_json(json);
  check_lines(ladders);
  free(ladders);
  *totals = flows.totals;
  flows_free(&flows);
  return json;
}

static void check_again(const char *path)
{
  static struct totals first, second, some;
  char *one = judged(path, true, &first), *other = judged(path, true, &second);

  HOLDS("again", strcmp(one, other) == 0);
  free(other);
  free(judged(path, false, &some));
  HOLDS("again", first.connections == some.connections && first.conform == some.conform && first.depart == some.depart);
  HOLDS("again", first.judged == some.judged && first.kind_count == some.kind_count && first.aside == some.aside);
  free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char path[64];

  if (size > LONGEST)
    return 0;
  int file = memfd_create("capture", 0);
  HOLDS("memory", file >= 0 && write(file, data, size) == (ssize_t)size);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  check_again(path);
  close(file);
  return 0;
}

/* --- The mutator: lengths and checksums --- */

static uint32_t number_at(const uint8_t *octets)
{
  return octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16 | (uint32_t)octets[3] << 24;
}

/* TCP in IPv4 in Ethernet: the checksum of its TCP header. */
static void set_checksum(uint8_t *frame, uint32_t size)
{
  uint32_t header = size < 34 ? 0 : (frame[14] & 15u) * 4, length = size < 34 ? 0 : frame[16] * 256u + frame[17];

  if (header < 20 || frame[12] != 8 || frame[13] != 0 || frame[23] != 6 || length < header + 20 || length > size - 14)
    return;
  uint8_t *tcp = frame + 14 + header;
  uint32_t pseudo = 6 + length - header;
  for (int i = 26; i < 34; i += 2)
    pseudo += frame[i] * 256u + frame[i + 1];
  tcp[16] = tcp[17] = 0;
  uint16_t sum = vtcp_checksum(pseudo, tcp, length - header);
  tcp[16] = (uint8_t)(sum >> 8);
  tcp[17] = (uint8_t)(sum & 255);
}

/* Of a classic pcap file in the order of octets that most machines have. */
static void put_right(uint8_t *data, size_t size)
{
  static const uint8_t magic[] = {0xd4, 0xc3, 0xb2, 0xa1};

  if (size < 24 || memcmp(data, magic, sizeof magic) != 0)
    return;
  for (size_t at = 24; at + 16 < size;) {
    uint32_t have = number_at(data + at + 8);
    if (have > size - at - 16 || have == 0) { /* the last one gets what is left */
      have = (uint32_t)(size - at - 16);
      for (int i = 0; i < 4; i++)
        data[at + 8 + (size_t)i] = data[at + 12 + (size_t)i] = (uint8_t)(have >> 8 * i);
    }
    set_checksum(data + at + 16, have);
    at += 16 + have;
  }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
  size = LLVMFuzzerMutate != NULL ? LLVMFuzzerMutate(data, size, room) : size;
  if (seed % 4 != 0)
    put_right(data, size);
  return size;
}
