/* The connection table: one entry for each incarnation of a pair of sockets. A connection that has ended, or that has been
 * silent for long while memory is short, is judged and leaves the table; what is kept of one is bounded (follow.c).
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <stdlib.h>
#include <string.h>

enum {
  SHOWN = 20,               /* connections that are shown unasked */
  SHOWN_SEGMENTS = 1 << 16, /* of each of them, and */
  MOST_SHOWN = 1 << 22,     /* of all, if all are asked for */
  MOST_PACKETS = 1 << 19,   /* that wait to be judged, before silent connections are judged without more ado */
  MOST_LIVE = 1 << 21,      /* connections */
  FARTHEST_BACK = 1 << 20   /* of segments that the network kept for a while */
};
static const uint64_t MOST_TEXT = 128u << 20, LINGER_US = 60 * 1000000u, HURRY_US = 1000000u,
                      SILENCE_US = 600 * 1000000u;

_Noreturn void out_of_memory(void)
{
  fputs("vtcp: out of memory\n", stderr);
  exit(EXIT_UNUSABLE);
}

void *enlarged(void *array, uint32_t *room, size_t size)
{
  *room = *room == 0 ? 4 : *room * 2;
  void *bigger = realloc(array, *room * size);
  if (bigger == NULL)
    out_of_memory();
  return bigger;
}

static struct connection **new_buckets(uint32_t count)
{
  struct connection **buckets = calloc(count, sizeof *buckets);
  if (buckets == NULL)
    out_of_memory();
  return buckets;
}

bool flows_init(struct flows *flows, bool whole)
{
  memset(flows, 0, sizeof *flows);
  flows->whole = whole;
  flows->bucket_count = 1 << 12;
  flows->buckets = new_buckets(flows->bucket_count);
  return true;
}

static void free_connection(struct flows *flows, struct connection *conn)
{
  follow_free(conn, &flows->text_kept);
  for (uint32_t i = 0; i < conn->note_count; i++)
    free(conn->notes[i]);
  free(conn->packets);
  free(conn->findings);
  free(conn);
}

void flows_free(struct flows *flows)
{
  for (uint32_t i = 0; i < flows->count; i++)
    if (flows->all[i] != NULL)
      free_connection(flows, flows->all[i]);
  free(flows->all);
  free(flows->buckets);
}

/* --- The table --- */

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
  return a->version == b->version && a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static uint64_t hash_endpoint(const struct endpoint *endpoint)
{
  uint64_t word[2];
  memcpy(word, endpoint->address, sizeof word);
  uint64_t hash = (word[0] ^ endpoint->port) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ hash >> 29 ^ word[1]) * 0xbf58476d1ce4e5b9u;
  return hash ^ hash >> 32;
}

static uint32_t bucket_of(const struct flows *flows, const struct endpoint *a, const struct endpoint *b)
{
  uint64_t hash = (hash_endpoint(a) + hash_endpoint(b)) * 0x94d049bb133111ebu;
  return (uint32_t)(hash >> 40) & (flows->bucket_count - 1);
}

static struct connection **slot_of(const struct flows *flows, const struct connection *conn)
{
  return &flows->buckets[bucket_of(flows, &conn->side[0].endpoint, &conn->side[1].endpoint)];
}

static void enter_bucket(struct flows *flows, struct connection *conn)
{
  struct connection **slot = slot_of(flows, conn);
  conn->next_in_bucket = *slot;
  *slot = conn;
}

static void leave_bucket(struct flows *flows, struct connection *conn)
{
  struct connection **slot = slot_of(flows, conn);
  while (*slot != NULL && *slot != conn)
    slot = &(*slot)->next_in_bucket;
  if (*slot == conn)
    *slot = conn->next_in_bucket;
}

/* Twice as many buckets; the younger of two incarnations stays before the older. */
static void more_buckets(struct flows *flows)
{
  free(flows->buckets);
  flows->bucket_count *= 2;
  flows->buckets = new_buckets(flows->bucket_count);
  for (struct connection *conn = flows->oldest; conn != NULL; conn = conn->younger)
    enter_bucket(flows, conn);
}

static void leave_ages(struct flows *flows, struct connection *conn)
{
  *(conn->older != NULL ? &conn->older->younger : &flows->oldest) = conn->younger;
  *(conn->younger != NULL ? &conn->younger->older : &flows->youngest) = conn->older;
  conn->older = conn->younger = NULL;
}

static void become_youngest(struct flows *flows, struct connection *conn)
{
  conn->older = flows->youngest;
  *(flows->youngest != NULL ? &flows->youngest->younger : &flows->oldest) = conn;
  flows->youngest = conn;
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

static struct connection *new_connection(struct flows *flows, const struct endpoint *source,
                                         const struct endpoint *destination, uint32_t incarnation)
{
  struct connection *conn = calloc(1, sizeof *conn);
  if (conn == NULL)
    out_of_memory();
  conn->incarnation = incarnation;
  conn->only_syns = true;
  conn->second_syn = NOWHERE;
  conn->side[0].endpoint = *source;
  conn->side[1].endpoint = *destination;
  if (flows->count == flows->room)
    flows->all = enlarged(flows->all, &flows->room, sizeof(struct connection *));
  flows->all[flows->count++] = conn;
  conn->id = flows->count;
  conn->kept_whole = flows->whole || conn->id <= SHOWN;
  if (++flows->live > flows->bucket_count)
    more_buckets(flows);
  enter_bucket(flows, conn);
  become_youngest(flows, conn);
  return conn;
}

/* --- What leaves the table --- */

static void count_connection(struct totals *totals, const struct connection *conn)
{
  bool departs = violations(conn) > 0;
  totals->connections++;
  totals->depart += departs;
  totals->unjudged += conn->judged == 0;
  totals->conform += !departs && conn->judged > 0;
  totals->segments += conn->segments;
  totals->judged += conn->judged;
  totals->duplicates += conn->duplicates;
  totals->aside += conn->aside;
  totals->begun_before += !conn->syn_first;
  totals->one_sided += !conn->side[0].present || !conn->side[1].present;
  totals->gaps += conn->gap_seen || (conn->marks & MARK_UNSEEN) != 0;
  totals->unscaled += conn->unscaled_middle && conn->side[0].present && conn->side[1].present && conn->has_text;
  totals->cut += conn->any_cut || conn->text_cut;
  count_findings(totals, conn);
}

static int by_packet(const void *a, const void *b)
{
  const struct finding *left = a, *right = b;
  return (left->number > right->number) - (left->number < right->number);
}

static void keep(struct flows *flows, struct connection *conn, bool whole)
{
  if (conn->kept_whole == whole)
    return;
  conn->kept_whole = whole;
  flows->packets = whole ? flows->packets - conn->count : flows->packets + conn->count;
  flows->packets_shown = whole ? flows->packets_shown + conn->count : flows->packets_shown - conn->count;
}

/* One that departs is shown, if there are not too many of them. */
static void show_if_departs(struct flows *flows, struct connection *conn)
{
  if (conn->departs || violations(conn) == 0)
    return;
  conn->departs = true;
  if (flows->whole || flows->shown == SHOWN)
    return;
  flows->shown++;
  keep(flows, conn, true);
}

static void drop(struct flows *flows, struct connection *conn)
{
  *(conn->kept_whole ? &flows->packets_shown : &flows->packets) -= conn->count;
  flows->all[conn->id - 1] = NULL;
  free_connection(flows, conn);
}

/* Judges what is left of a connection, which leaves the table; it stays in memory if it is to be shown. */
static void finish(struct flows *flows, struct connection *conn)
{
  leave_bucket(flows, conn);
  leave_ages(flows, conn);
  flows->live--;
  follow_to_the_end(conn, false);
  notes(conn);
  if (conn->finding_count > 1)
    qsort(conn->findings, conn->finding_count, sizeof *conn->findings, by_packet);
  count_connection(&flows->totals, conn);
  follow_free(conn, &flows->text_kept);
  conn->finished = true;
  show_if_departs(flows, conn);
  if (!conn->kept_whole)
    drop(flows, conn);
}

/* Too many connections to show them all: only those that depart from now on. */
static void show_fewer(struct flows *flows)
{
  for (uint32_t i = 0; i < flows->count; i++) {
    struct connection *conn = flows->all[i];
    if (conn == NULL || conn->departs)
      continue;
    keep(flows, conn, false);
    if (conn->finished)
      drop(flows, conn);
  }
}

/* Judges what is there, and keeps nothing but what is needed to go on. */
static void squeeze(struct flows *flows, struct connection *conn)
{
  bool opening = conn->work == NULL && (conn->only_syns || conn->count < 4); /* the handshake is looked at as a whole */
  if (!opening) {
    follow_to_the_end(conn, true);
    show_if_departs(flows, conn);
    keep(flows, conn, flows->whole && conn->kept_whole);
    flows->packets -= follow_forget(conn, 0, &flows->text_kept);
  }
  leave_ages(flows, conn);
  become_youngest(flows, conn);
}

/* Those that ended a while ago leave; when memory is short, so do those that have been silent for long. */
static void let_go(struct flows *flows)
{
  for (int i = 0; i < 2 && flows->oldest != NULL; i++) {
    struct connection *conn = flows->oldest;
    uint64_t silent = flows->now > conn->ended ? flows->now - conn->ended : 0;
    bool closed = conn->over || (conn->seen_fin[0] && conn->seen_fin[1]), full = flows->packets > MOST_PACKETS;
    if ((closed && silent > (full ? HURRY_US : LINGER_US)) || flows->live > MOST_LIVE
        || (full && silent > SILENCE_US)) {
      flows->totals.aged += !closed;
      finish(flows, conn);
    } else if (full) {
      squeeze(flows, conn);
    } else if (silent > LINGER_US) {
      leave_ages(flows, conn); /* its turn comes again */
      become_youngest(flows, conn);
    }
  }
}

void flows_end(struct flows *flows)
{
  uint32_t left = 0;
  while (flows->oldest != NULL)
    finish(flows, flows->oldest);
  for (uint32_t i = 0; i < flows->count; i++)
    if (flows->all[i] != NULL)
      flows->all[left++] = flows->all[i];
  flows->count = left;
}

/* --- A packet --- */

/* An opening SYN begins a new incarnation when the last one is over, or when it never got beyond SYNs of this side. A SYN
 * in the midst of a connection stays in it: the other endpoint has to answer it there (RFC 9293, 3.5.1). */
static bool begins_anew(const struct connection *conn, const struct vtcp_segment *seg, int from)
{
  if (!seg->syn || seg->has_ack || seg->rst)
    return false;
  if (conn->over || (conn->seen_fin[0] && conn->seen_fin[1]))
    return true;
  return conn->only_syns && from == 0 && seg->seq != conn->last_syn;
}

/* Numbers beyond the end of a connection that is over are another's, whose SYN was not captured; so is the SYN,ACK of a side
 * that was past it. */
static bool is_anothers(const struct connection *conn, const struct vtcp_segment *seg, int from)
{
  uint32_t ahead = seg->seq - conn->next[from];
  bool closed = conn->over || (conn->seen_fin[0] && conn->seen_fin[1]);
  if (seg->syn && seg->has_ack && !seg->rst && conn->talked[from])
    return ahead < (uint32_t)-FARTHEST_BACK;
  if (!closed || seg->rst || seg->syn || !conn->spoke[from] || !conn->spoke[!from])
    return false;
  return ahead != 0 && ahead < (uint32_t)-FARTHEST_BACK && seg->len > 0;
}

static struct connection *connection_of(struct flows *flows, const struct frame *frame, const struct vtcp_segment *seg)
{
  struct connection *conn = flows->buckets[bucket_of(flows, &frame->source, &frame->destination)];
  int from = -1;
  for (; conn != NULL; conn = conn->next_in_bucket)
    if ((from = direction(conn, frame)) >= 0)
      break; /* the youngest incarnation comes first */
  if (conn != NULL && !begins_anew(conn, seg, from) && !is_anothers(conn, seg, from))
    return conn;
  if (flows->count == SHOWN && !flows->whole)
    show_fewer(flows);
  return new_connection(flows, &frame->source, &frame->destination, conn == NULL ? 1 : conn->incarnation + 1);
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

/* The window scale as it was sent: the codec makes 14 of what is larger (RFC 7323, section 2.3). */
static uint8_t scale_sent(const struct frame *frame, uint32_t header)
{
  for (uint32_t i = 20; i + 2 < header && i + 2 < frame->have && frame->octets[i] != 0;) {
    if (frame->octets[i] == 3)
      return frame->octets[i + 2];
    uint32_t length = frame->octets[i] == 1 ? 1 : frame->octets[i + 1];
    if (length == 0)
      return 0;
    i += length;
  }
  return 0;
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
  if (have > packet->seg.len)
    have = packet->seg.len;
  if (have == 0 || flows->text_kept > MOST_TEXT)
    return;
  packet->text = text_keep(packet->seg.seq + packet->seg.syn, octets, have);
  if (packet->text == NULL)
    return;
  flows->text_kept += text_size(packet->text);
  packet->have = have;
}

static void add_packet(struct flows *flows, struct connection *conn, const struct packet *packet)
{
  if (conn->count == conn->room)
    conn->packets = enlarged(conn->packets, &conn->room, sizeof *conn->packets);
  conn->packets[conn->count++] = *packet;
  ++*(conn->kept_whole ? &flows->packets_shown : &flows->packets);
}

/* What the table must know of a connection at once. */
static void watch(struct connection *conn, const struct packet *packet)
{
  const struct vtcp_segment *seg = &packet->seg;
  bool opens = seg->syn && !seg->has_ack && !seg->rst;
  if (conn->segments++ == 0)
    conn->began = packet->us;
  conn->ended = packet->us;
  if (opens && conn->spoke[packet->from])
    conn->second_syn = conn->count - 1;
  if (opens && packet->from == 0)
    conn->last_syn = seg->seq;
  uint32_t next = seg->seq + seg->len + seg->syn + seg->fin;
  if (!seg->rst && (!conn->spoke[packet->from] || next - conn->next[packet->from] < 0x80000000u))
    conn->next[packet->from] = next;
  conn->only_syns = conn->only_syns && opens && packet->from == 0;
  conn->spoke[packet->from] = conn->spoke[packet->from] || !opens;
  conn->talked[packet->from] = conn->talked[packet->from] || (!seg->syn && !seg->rst);
  if (seg->rst)
    conn->over = true;
  if (seg->fin)
    conn->seen_fin[packet->from] = true;
}

/* A SYN in the midst of a connection is answered by a SYN,ACK after all: the end of the old connection was not captured. */
static bool begins_late(const struct connection *conn)
{
  const struct packet *last = &conn->packets[conn->count - 1];
  if (conn->second_syn == NOWHERE || !last->seg.syn || !last->seg.has_ack || last->seg.rst)
    return false;
  const struct packet *syn = &conn->packets[conn->second_syn];
  return syn->from != last->from && last->seg.ack == syn->seg.seq + 1 && follow_may_part(conn, conn->second_syn);
}

static void part(struct flows *flows, struct connection *old)
{
  uint32_t at = old->second_syn;
  uint8_t left = old->packets[at].from;
  if (flows->count == SHOWN && !flows->whole)
    show_fewer(flows);
  struct connection *conn =
      new_connection(flows, &old->side[left].endpoint, &old->side[!left].endpoint, old->incarnation + 1);
  for (uint32_t i = at; i < old->count; i++) {
    struct packet packet = old->packets[i];
    packet.from ^= left;
    add_packet(flows, conn, &packet);
    watch(conn, &packet);
  }
  *(old->kept_whole ? &flows->packets_shown : &flows->packets) -= old->count - at;
  old->segments -= old->count - at;
  old->count = at;
  old->second_syn = NOWHERE;
  old->over = true;
}

/* What is to be shown is kept, within bounds. */
static void bound(struct flows *flows, struct connection *conn)
{
  if (!conn->kept_whole || conn->count < SHOWN_SEGMENTS || (flows->whole && flows->packets_shown < MOST_SHOWN))
    return;
  flows->full = true;
  keep(flows, conn, false);
}

void flows_add(struct flows *flows, const struct frame *frame, struct report *report)
{
  struct packet packet = {.number = frame->number, .us = frame->us, .ip_id = frame->ip_id, .ttl = frame->ttl};
  uint32_t text = 0;
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
  if (packet.seg.has_wscale)
    packet.scale_sent = scale_sent(frame, text);
  packet.arrives = packet.resent = packet.cause = NOWHERE;
  packet.first_arrival = packet.last_arrival = packet.next_arrival = NOWHERE;
  packet.state[0] = packet.state[1] = NO_STATE;
  if (frame->have > text)
    keep_text(flows, &packet, frame->octets + text, frame->have - text);
  struct connection *conn = connection_of(flows, frame, &packet.seg);
  packet.from = (uint8_t)(direction(conn, frame) == 1);
  add_packet(flows, conn, &packet);
  watch(conn, &packet);
  if (frame->us > flows->now)
    flows->now = frame->us;
  leave_ages(flows, conn);
  become_youngest(flows, conn);
  if (begins_late(conn))
    part(flows, conn);
  if (follow_is_due(conn)) {
    follow_on(conn);
    show_if_departs(flows, conn);
    bound(flows, conn);
    flows->packets -= follow_forget(conn, LOOK, &flows->text_kept);
  }
  let_go(flows);
}
