/* Where each segment lies in its stream (its SYN is 0, its first octet of text 1), as numbers that do not wrap, and what
 * kind of segment that makes it. SPDX-License-Identifier: MIT */
#include "work.h"

#include <string.h>

/* A segment further ahead than this belongs to no place of the stream; a capture may lack up to that much. */
static const int64_t FARTHEST = 1 << 26;

enum { LOOK_BACK = 512 };

static bool opens(const struct vtcp_segment *seg)
{
  return seg->syn && !seg->has_ack && !seg->rst;
}

/* The opener stands on the left; when the opening was not captured, the first to speak, unless it answers a SYN. */
static void orient(struct connection *conn)
{
  uint8_t left = conn->packets[0].from;
  const struct vtcp_segment *first = &conn->packets[0].seg;
  if (first->syn && first->has_ack)
    left = !left;
  conn->syn_first = opens(first);
  conn->begins = first->rst                     ? BEGINS_WITH_RESET
                 : first->syn && first->has_ack ? BEGINS_WITH_SYN_ACK
                 : first->syn                   ? BEGINS_WITH_SYN
                                                : BEGINS_IN_THE_MIDDLE;
  if (left == 0)
    return;
  struct stream swapped = conn->side[0];
  conn->side[0] = conn->side[1];
  conn->side[1] = swapped;
  bool fin = conn->seen_fin[0], spoke = conn->spoke[0], talked = conn->talked[0];
  conn->talked[0] = conn->talked[1], conn->talked[1] = talked;
  uint32_t next = conn->next[0];
  conn->next[0] = conn->next[1], conn->next[1] = next;
  conn->seen_fin[0] = conn->seen_fin[1], conn->spoke[0] = conn->spoke[1];
  conn->seen_fin[1] = fin, conn->spoke[1] = spoke;
  for (uint32_t i = 0; i < conn->count; i++)
    conn->packets[i].from ^= 1;
}

/* The peer may have answered more than one SYN,ACK; the number that it went on with counts. */
static uint32_t chosen_isn(const struct connection *conn, uint8_t from, uint32_t first_isn)
{
  for (uint32_t i = 0; i < conn->count && i < LOOK_BACK; i++) {
    const struct packet *ack = &conn->packets[i];
    if (ack->from == from || !ack->seg.has_ack || ack->seg.rst)
      continue;
    for (uint32_t k = 0; k < i; k++) {
      const struct packet *syn = &conn->packets[k];
      if (syn->from == from && syn->seg.syn && syn->seg.seq + 1 == ack->seg.ack)
        return syn->seg.seq;
    }
  }
  return first_isn;
}

static bool earlier(uint32_t a, uint32_t b)
{
  return b - a != 0 && b - a < 0x80000000u;
}

/* Without its SYN a stream is taken to begin where its sender first spoke or its peer first acknowledged, whichever is
 * earlier. A reset that stands alone keeps its number: RFC 9293, 3.10.7.1 makes it zero. */
static void guess_isn(struct connection *conn, uint8_t from)
{
  const struct packet *own = NULL, *peer = NULL;
  for (uint32_t i = 0; i < conn->count && (own == NULL || peer == NULL); i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from == from && own == NULL)
      own = p;
    if (p->from != from && peer == NULL && p->seg.has_ack && !p->seg.rst)
      peer = p;
  }
  struct stream *side = &conn->side[from];
  if (own == NULL)
    side->isn = peer != NULL ? peer->seg.ack - 1 : 0;
  else if (own->seg.rst && peer == NULL)
    side->isn = own->seg.seq;
  else
    side->isn = own->seg.seq - 1;
  if (own == NULL || peer == NULL)
    return;
  if (earlier(peer->seg.ack, own->seg.seq) && own->seg.seq - peer->seg.ack < 1u << 26)
    side->isn = peer->seg.ack - 1;
}

static void find_isn(struct connection *conn, uint8_t from)
{
  struct stream *side = &conn->side[from];
  bool shaken = conn->packets[0].seg.syn && !conn->packets[0].seg.rst;
  for (uint32_t i = 0; i < conn->count; i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from != from)
      continue;
    side->present = true;
    if (!shaken || !p->seg.syn || p->seg.rst)
      continue;
    side->isn_known = true;
    side->isn = chosen_isn(conn, from, p->seg.seq);
    return;
  }
  guess_isn(conn, from);
}

static const struct packet *syn_of(const struct connection *conn, uint8_t from)
{
  const struct stream *side = &conn->side[from];
  for (uint32_t i = 0; side->isn_known && i < conn->count; i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from == from && p->seg.syn && p->seg.seq == side->isn)
      return p;
  }
  return NULL;
}

/* Options count when both SYNs carry them (RFC 7323, sections 2.2 and 3.2; RFC 2018, section 2). */
static void find_options(struct connection *conn)
{
  const struct packet *a = syn_of(conn, 0), *b = syn_of(conn, 1);
  bool whole = a != NULL && b != NULL && !a->cut && !b->cut;
  bool none = (a != NULL && !a->cut && !a->seg.has_wscale) || (b != NULL && !b->cut && !b->seg.has_wscale);
  conn->handshake_whole = whole;
  conn->unscaled_middle = !whole && !none;
  conn->ts_negotiated = whole && a->seg.has_ts && b->seg.has_ts;
  conn->sack_negotiated = whole && a->seg.sack_permitted && b->seg.sack_permitted;
  for (uint8_t side = 0; side < 2; side++) {
    const struct packet *syn = side == 0 ? a : b;
    conn->side[side].scale_known = whole || none;
    if (!whole || none)
      continue;
    conn->side[side].scale = syn->seg.wscale > 14 ? 14 : syn->seg.wscale;
  }
}

/* The place nearest to `near` that has this sequence number. */
static int64_t place(uint32_t seq, uint32_t isn, int64_t near)
{
  uint32_t ahead = seq - isn - (uint32_t)near;
  return near + (ahead < 0x80000000u ? (int64_t)ahead : (int64_t)ahead - ((int64_t)1 << 32));
}

/* The peer acknowledges near there: the segment is the connection's, and the capture has a gap as large as that. */
static bool is_supported(const struct connection *conn, const struct packet *p)
{
  uint32_t index = (uint32_t)(p - conn->packets), near = (uint32_t)FARTHEST;
  for (uint32_t i = index > 32 ? index - 32 : 0; i < conn->count && i < index + 32; i++) {
    const struct packet *q = &conn->packets[i];
    if (q->from == p->from || !q->seg.has_ack || q->seg.rst)
      continue;
    if (q->seg.ack - p->seg.seq < near || p->seg.seq - q->seg.ack < near)
      return true;
  }
  return false;
}

static void put_in_place(struct connection *conn, struct packet *p, const struct progress *mine,
                         const struct progress *other)
{
  const struct stream *own = &conn->side[p->from], *peer = &conn->side[!p->from];
  p->start = place(p->seg.seq, own->isn, mine->sent);
  p->end = p->seg.rst ? p->start : p->start + p->seg.syn + p->seg.len + p->seg.fin;
  p->ack = p->seg.has_ack ? place(p->seg.ack, peer->isn, mine->acked > other->sent ? mine->acked : other->sent) : -1;
  p->window = (uint32_t)p->seg.wnd << (p->seg.syn ? 0 : own->scale);
  bool strange_syn = p->seg.syn && !p->seg.rst && p->start != 0;
  bool far = p->start > mine->sent + FARTHEST || p->start < mine->sent - ((int64_t)1 << 30);
  bool strange_reset = p->seg.rst && own->isn_known && p->start < 0;
  if (strange_syn || strange_reset || (far && (p->seg.syn || p->seg.rst || !is_supported(conn, p))))
    p->marks |= MARK_FOREIGN;
}

/* True when [start, end) lies in octets that the capture had not shown before. */
static bool fills_hole(struct progress *mine, const struct packet *p)
{
  for (uint32_t i = 0; i < mine->hole_count; i++) {
    struct hole *hole = &mine->holes[i];
    if (p->start >= hole->to || p->end <= hole->from)
      continue;
    if (p->start <= hole->from)
      hole->from = p->end;
    else
      hole->to = p->start;
    if (hole->from >= hole->to)
      *hole = mine->holes[--mine->hole_count];
    return true;
  }
  return false;
}

static void add_hole(struct connection *conn, struct progress *mine, int64_t to)
{
  if (mine->hole_count == HOLES) {
    memmove(mine->holes, mine->holes + 1, --mine->hole_count * sizeof *mine->holes);
    conn->gap_seen = conn->gap_proven = true;
  }
  mine->holes[mine->hole_count++] = (struct hole){mine->sent, to};
}

static bool same_packet(const struct packet *a, const struct packet *b)
{
  return a->ip_id == b->ip_id && a->seg.seq == b->seg.seq && a->seg.ack == b->seg.ack && a->seg.wnd == b->seg.wnd
         && a->seg.len == b->seg.len && a->seg.fin == b->seg.fin && a->seg.syn == b->seg.syn && a->seg.rst == b->seg.rst
         && a->seg.has_ack == b->seg.has_ack && a->seg.tsval == b->seg.tsval;
}

/* A packet that passes two captured interfaces is in the capture twice; a retransmission takes longer. Without an IP
 * identification (IPv6) only what is never sent twice at once counts. */
static bool is_duplicate(struct connection *conn, uint32_t index)
{
  struct packet *p = &conn->packets[index];
  if (p->ip_id == 0 && p->end == p->start)
    return false;
  for (uint32_t i = index; i-- > 0 && index - i < 64;) {
    const struct packet *before = &conn->packets[i];
    if (p->us > before->us + (p->ip_id != 0 ? 5000 : 1000))
      return false;
    if (before->from != p->from || !same_packet(before, p))
      continue;
    p->cause = i;
    p->marks |= MARK_DUPLICATE;
    return true;
  }
  return false;
}

/* Tells the earlier segments that this one sends them again. */
static void mark_resent(struct connection *conn, uint32_t index)
{
  struct packet *p = &conn->packets[index];
  for (uint32_t i = index; i-- > 0 && index - i < LOOK_BACK;) {
    struct packet *before = &conn->packets[i];
    if (before->from != p->from || before->end == before->start || (before->marks & MARK_FOREIGN) != 0)
      continue;
    if (before->seg.syn && !p->seg.syn)
      continue;
    if (before->start >= p->start && before->start < p->end && before->resent == NOWHERE)
      before->resent = index;
    if (p->start >= before->start && p->start < before->end && p->cause == NOWHERE)
      p->cause = i;
  }
}

static bool is_bare(const struct packet *p)
{
  return !p->seg.syn && !p->seg.fin && !p->seg.rst;
}

/* Keep-alives and window probes look alike: one octet, or none, where the next octet is not due (3.8.4, 3.8.6.1). */
static bool is_probe(struct packet *p, const struct progress *mine, const struct progress *other)
{
  if (!is_bare(p) || p->seg.len > 1 || !p->seg.has_ack || !other->windowed)
    return false;
  bool old = p->start == mine->sent - 1 && mine->sent > 0 && other->acked >= mine->sent;
  bool beyond = other->window == 0 && p->seg.len == 1 && p->start >= other->acked + other->window;
  bool before = other->window == 0 && p->start == other->acked - 1;
  if (!old && !beyond && !before)
    return false;
  p->marks |= other->window == 0 ? MARK_PROBE : MARK_KEEP_ALIVE;
  return true;
}

static void name_text(struct connection *conn, uint32_t index, struct progress *mine, const struct progress *other)
{
  struct packet *p = &conn->packets[index];
  bool probe = is_probe(p, mine, other);
  if (other->windowed && other->window == 0 && p->seg.len > 0 && p->start == other->acked)
    p->marks |= MARK_PROBE;
  if (p->start > mine->sent) {
    p->marks |= MARK_GAP;
    add_hole(conn, mine, p->start);
  } else if (p->end == p->start) {
    p->marks |= p->start < mine->sent && !probe ? MARK_OLD : 0;
  } else if (p->start < mine->sent) {
    if (fills_hole(mine, p))
      p->marks |= MARK_OUT_OF_ORDER;
    else if (!probe)
      p->marks |= MARK_AGAIN;
    mark_resent(conn, index);
  }
}

static void name_ack(struct packet *p, const struct progress *mine, const struct progress *other)
{
  if (!p->seg.has_ack || p->seg.rst || p->seg.syn)
    return;
  if (p->window == 0)
    p->marks |= MARK_ZERO_WINDOW;
  if (p->ack > other->sent && other->begun)
    p->marks |= MARK_UNSEEN;
  if (p->end != p->start || !is_bare(p) || p->ack != mine->acked || !mine->windowed)
    return;
  if ((p->marks & (MARK_KEEP_ALIVE | MARK_PROBE)) != 0)
    return;
  if (p->seg.sack_count > 0 && other->sent > p->ack)
    p->marks |= MARK_DUPLICATE_ACK;
  else if (p->window > mine->window)
    p->marks |= MARK_WINDOW_UPDATE;
  else if (p->window == mine->window && other->sent > p->ack)
    p->marks |= MARK_DUPLICATE_ACK;
}

/* Octets that the receiver has acknowledged, and that the capture never showed. */
static void find_gap(struct connection *conn, const struct packet *p, struct progress *other)
{
  if (!p->seg.has_ack || p->seg.rst || other->hole_count == 0)
    return;
  for (uint32_t i = 0; i < other->hole_count;) {
    if (other->holes[i].from >= p->ack) {
      i++;
      continue;
    }
    conn->gap_seen = conn->gap_proven = true;
    other->holes[i] = other->holes[--other->hole_count];
  }
}

static void advance(struct connection *conn, const struct packet *p, struct progress *mine)
{
  struct stream *side = &conn->side[p->from];
  if (p->seg.rst)
    return;
  if (p->end > mine->sent)
    mine->sent = p->end;
  if (p->seg.fin && side->fin < 0) {
    side->fin = p->end - 1;
    side->fin_end = p->end;
  }
  if (!p->seg.has_ack || p->ack < mine->acked)
    return;
  mine->acked = p->ack;
  mine->window = p->window;
  mine->windowed = true;
}

static void count_sum(struct stream *side, const struct packet *p)
{
  side->segments++;
  side->right_sums += p->sum == SUM_RIGHT;
  side->partial_sums += p->sum == SUM_PARTIAL;
  side->wrong_sums += p->sum == SUM_WRONG;
}

/* A stream whose SYN was not captured begins with what is seen first, unless that is a keep-alive: then the peer has
 * acknowledged the octet after it already. */
static void begin_stream(struct connection *conn, uint32_t index, struct progress *mine)
{
  struct packet *p = &conn->packets[index];
  bool first = !mine->begun && !conn->side[p->from].isn_known && !p->seg.rst;
  mine->begun = true;
  if (!first)
    return;
  mine->sent = p->start;
  for (uint32_t i = index + 1; i < conn->count && i < index + 4 && p->end == p->start; i++) {
    const struct packet *q = &conn->packets[i];
    if (q->from == p->from || !q->seg.has_ack || q->seg.ack != p->seg.seq + 1)
      continue;
    mine->sent = p->start + 1;
    p->marks |= MARK_KEEP_ALIVE;
    return;
  }
}

bool goes_on(const struct connection *conn, uint32_t index, uint8_t side)
{
  uint32_t last = conn->side[side].last_speech;
  return last != NOWHERE && last > index;
}

static void begin(struct connection *conn, struct progress progress[2])
{
  orient(conn);
  for (uint8_t side = 0; side < 2; side++) {
    find_isn(conn, side);
    conn->side[side].fin = conn->side[side].fin_end = -1;
    conn->side[side].last_speech = NOWHERE;
    if (!conn->side[side].isn_known)
      progress[side].sent = 1;
  }
  find_options(conn);
}

/* What is only seen of a connection as a whole. */
static void sum_up(struct connection *conn, const struct packet *p)
{
  struct stream *side = &conn->side[p->from];
  side->present = true;
  side->acknowledges = side->acknowledges || (p->seg.has_ack && !p->seg.rst);
  conn->any_cut = conn->any_cut || p->cut;
  conn->text_cut = conn->text_cut || (p->text != NULL && p->have < p->seg.len);
  conn->has_reset = conn->has_reset || p->seg.rst;
  conn->has_text = conn->has_text || p->seg.len > 0;
  if (!p->seg.syn || p->seg.rst || p->cut || side->offer.whole)
    return;
  side->offer.number = p->number;
  side->offer.whole = true;
  side->offer.wscale = p->seg.has_wscale;
  side->offer.ts = p->seg.has_ts;
  side->offer.sack = p->seg.sack_permitted;
}

static void place_packet(struct connection *conn, uint32_t index, struct progress progress[2])
{
  struct packet *p = &conn->packets[index];
  struct progress *mine = &progress[p->from], *other = &progress[!p->from];
  count_sum(&conn->side[p->from], p);
  sum_up(conn, p);
  put_in_place(conn, p, mine, other);
  begin_stream(conn, index, mine);
  if (is_duplicate(conn, index) || (p->marks & MARK_FOREIGN) != 0)
    return;
  if (!p->seg.rst)
    name_text(conn, index, mine, other);
  name_ack(p, mine, other);
  find_gap(conn, p, other);
  advance(conn, p, mine);
  if (!p->seg.rst && !opens(&p->seg))
    conn->side[p->from].last_speech = index;
}

void places(struct connection *conn, uint32_t until)
{
  struct work *work = conn->work;
  if (!work->begun)
    begin(conn, work->progress);
  work->begun = true;
  for (; work->placed < until; work->placed++)
    place_packet(conn, work->placed, work->progress);
}
