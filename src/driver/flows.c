/* The connection table: one entry for each incarnation of a pair of sockets. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What is kept in memory: so many segments and so much text; beyond it the file is judged in part, and said so. */
enum { MOST_OF_A_KIND = 100, BUCKETS = 65536, MOST_SEGMENTS = 4000000 };
static const uint64_t MOST_TEXT = 256u << 20;

static _Noreturn void out_of_memory(void)
{
  fputs("vtcp: out of memory\n", stderr);
  exit(EXIT_UNUSABLE);
}

static void *grown(void *array, uint32_t *room, size_t size)
{
  *room = *room == 0 ? 16 : *room * 2;
  void *bigger = realloc(array, *room * size);
  if (bigger == NULL)
    out_of_memory();
  return bigger;
}

bool flows_init(struct flows *flows)
{
  memset(flows, 0, sizeof *flows);
  flows->buckets = calloc(BUCKETS, sizeof *flows->buckets);
  if (flows->buckets == NULL)
    out_of_memory();
  return true;
}

static void free_connection(struct connection *conn)
{
  for (uint32_t i = 0; i < conn->count; i++)
    free((void *)(uintptr_t)conn->packets[i].text);
  for (uint32_t i = 0; i < conn->note_count; i++)
    free(conn->notes[i]);
  free(conn->packets);
  free(conn->findings);
  free(conn);
}

void flows_free(struct flows *flows)
{
  for (uint32_t i = 0; i < flows->count; i++)
    free_connection(flows->all[i]);
  free(flows->all);
  free(flows->buckets);
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
  return a->version == b->version && a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static uint32_t hash_endpoint(const struct endpoint *endpoint)
{
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < sizeof endpoint->address; i++)
    hash = (hash ^ endpoint->address[i]) * 16777619u;
  return (hash ^ endpoint->port) * 16777619u;
}

static struct connection **bucket_of(const struct flows *flows, const struct frame *frame)
{
  uint32_t hash = hash_endpoint(&frame->source) + hash_endpoint(&frame->destination);
  return &flows->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* The direction of the frame in this connection, or -1. */
static int direction(const struct connection *conn, const struct frame *frame)
{
  const struct endpoint *left = &conn->side[0].endpoint, *right = &conn->side[1].endpoint;
  if (same_endpoint(left, &frame->source) && same_endpoint(right, &frame->destination))
    return 0;
  if (same_endpoint(right, &frame->source) && same_endpoint(left, &frame->destination))
    return 1;
  return -1;
}

static struct connection *new_connection(struct flows *flows, const struct frame *frame, uint32_t incarnation)
{
  struct connection *conn = calloc(1, sizeof *conn);
  if (conn == NULL)
    out_of_memory();
  conn->incarnation = incarnation;
  conn->side[0].endpoint = frame->source;
  conn->side[1].endpoint = frame->destination;
  if (flows->count == flows->room)
    flows->all = grown(flows->all, &flows->room, sizeof *flows->all);
  flows->all[flows->count++] = conn;
  struct connection **bucket = bucket_of(flows, frame);
  conn->next_in_bucket = *bucket;
  *bucket = conn;
  return conn;
}

/* An opening SYN begins a new incarnation when the last one is over, or when it never got beyond SYNs of this side. A SYN
 * in the midst of a connection stays in it: the other endpoint has to answer it there (RFC 9293, 3.5.1). */
static bool begins_anew(const struct connection *conn, const struct vtcp_segment *seg, int from)
{
  if (!seg->syn || seg->has_ack || seg->rst)
    return false;
  if (conn->over || (conn->seen_fin[0] && conn->seen_fin[1]))
    return true;
  for (uint32_t i = 0; i < conn->count; i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from != from || !p->seg.syn || p->seg.has_ack)
      return false;
    if (p->seg.seq == seg->seq)
      return false;
    if (i > 64)
      return false;
  }
  return true;
}

static struct connection *connection_of(struct flows *flows, const struct frame *frame, const struct vtcp_segment *seg)
{
  struct connection *conn = *bucket_of(flows, frame);
  int from = -1;
  for (; conn != NULL; conn = conn->next_in_bucket)
    if ((from = direction(conn, frame)) >= 0)
      break; /* the youngest incarnation comes first */
  if (conn == NULL)
    return new_connection(flows, frame, 1);
  if (begins_anew(conn, seg, from))
    return new_connection(flows, frame, conn->incarnation + 1);
  return conn;
}

/* Reads the header even when the capture cut it off within the options. */
static enum vtcp_wire parse(const struct frame *frame, struct vtcp_segment *seg, uint32_t *text, bool *cut)
{
  enum vtcp_wire wire = vtcp_parse(frame->octets, frame->have, seg, text);
  *cut = false;
  if (wire != VTCP_WIRE_BAD_OFFSET || frame->have >= frame->length)
    return wire;
  uint8_t header[20];
  memcpy(header, frame->octets, sizeof header);
  uint32_t octets = (uint32_t)(header[12] >> 4) * 4;
  if (octets < sizeof header || octets > frame->length)
    return wire;
  header[12] = (uint8_t)(0x50 | (header[12] & 15));
  wire = vtcp_parse(header, sizeof header, seg, text);
  *text = octets;
  *cut = true;
  return wire;
}

static uint32_t folded(uint32_t sum)
{
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* An interface that computes checksums gets segments with only the pseudo-header's sum in place, with the length or, where
 * it also cuts them up, without it: so they look when captured on their way to it. */
static enum checksum check_sum(const struct frame *frame)
{
  if (frame->have < frame->length)
    return SUM_UNKNOWN;
  if (vtcp_checksum(frame->pseudo, frame->octets, frame->length) == 0)
    return SUM_RIGHT;
  uint32_t stored = (uint32_t)(frame->octets[16] << 8 | frame->octets[17]);
  bool partial = stored == 0 || stored == folded(frame->pseudo) || stored == folded(frame->pseudo - frame->length);
  return partial ? SUM_PARTIAL : SUM_WRONG;
}

static void keep_text(struct flows *flows, struct packet *packet, const uint8_t *octets, uint32_t have)
{
  if (have == 0 || flows->text_kept + have > MOST_TEXT)
    return;
  uint8_t *copy = malloc(have);
  if (copy == NULL)
    return;
  memcpy(copy, octets, have);
  flows->text_kept += have;
  packet->text = copy;
  packet->have = have;
}

static void watch_for_end(struct connection *conn, const struct packet *packet)
{
  if (packet->seg.rst)
    conn->over = true;
  if (packet->seg.fin)
    conn->seen_fin[packet->from] = true;
}

void flows_add(struct flows *flows, const struct frame *frame, struct report *report)
{
  struct packet packet = {.number = frame->number, .us = frame->us, .ip_id = frame->ip_id};
  uint32_t text = 0;
  if (flows->segments >= MOST_SEGMENTS) {
    flows->full = true;
    return;
  }
  if (frame->have < 20 && frame->length >= 20) {
    report->headless++;
    return;
  }
  packet.wire = (uint8_t)parse(frame, &packet.seg, &text, &packet.cut);
  if ((packet.wire != VTCP_WIRE_OK && packet.wire != VTCP_WIRE_BAD_OPTION) || frame->length - text > UINT16_MAX) {
    report->unusable++;
    return;
  }
  packet.seg.len = (uint16_t)(frame->length - text);
  packet.header = (uint16_t)text;
  packet.sum = (uint8_t)check_sum(frame);
  packet.arrives = packet.resent = packet.cause = NOWHERE;
  packet.state[0] = packet.state[1] = NO_STATE;
  if (frame->have > text)
    keep_text(flows, &packet, frame->octets + text, frame->have - text);
  struct connection *conn = connection_of(flows, frame, &packet.seg);
  packet.from = (uint8_t)(direction(conn, frame) == 1);
  if (conn->count == conn->room)
    conn->packets = grown(conn->packets, &conn->room, sizeof *conn->packets);
  conn->packets[conn->count++] = packet;
  flows->segments++;
  watch_for_end(conn, &packet);
}

void note(struct connection *conn, const char *format, ...)
{
  char line[240];
  va_list arguments;
  if (conn->note_count == NOTES)
    return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  char *copy = malloc(strlen(line) + 1);
  if (copy == NULL)
    out_of_memory();
  conn->notes[conn->note_count++] = strcpy(copy, line);
}

/* One finding of a kind for a segment, and not more than so many of a kind for a connection. */
static bool said_before(struct connection *conn, uint32_t packet, const char *id)
{
  uint32_t same = 0;
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    if (strcmp(conn->findings[i].id, id) != 0)
      continue;
    if (conn->findings[i].packet == packet)
      return true;
    if (++same >= MOST_OF_A_KIND)
      return conn->findings_dropped++, true;
  }
  return false;
}

void finding(struct connection *conn, uint32_t packet, enum severity severity, const char *id, const char *section,
             const char *expected, const char *format, ...)
{
  va_list arguments;
  if (said_before(conn, packet, id))
    return;
  if (conn->finding_count == conn->finding_room)
    conn->findings = grown(conn->findings, &conn->finding_room, sizeof *conn->findings);
  struct finding *made = &conn->findings[conn->finding_count++];
  *made = (struct finding){.id = id, .section = section, .packet = packet, .severity = severity};
  va_start(arguments, format);
  vsnprintf(made->found, sizeof made->found, format, arguments);
  va_end(arguments);
  snprintf(made->expected, sizeof made->expected, "%s", expected);
}

uint32_t violations(const struct connection *conn)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < conn->finding_count; i++)
    count += conn->findings[i].severity == VIOLATION;
  return count;
}
