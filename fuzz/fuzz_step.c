/* The core. The input is a configuration and a list of events (fuzz/seeds writes such inputs, and describes them): calls,
 * segments and ICMP messages whose numbers stand where the connection's own variables are, or anywhere, and time that goes on
 * by any step or, against the rules, back. One connection takes them; of a listener, the child too. Invariants, after every
 * step:
 *
 *   1. Every law of tests/laws.h: vtcp_valid, the laws of spec/laws.acsl each under its name, the same result from the
 *      same input, every action written, the lengths of both buffers, and more.
 *   2. stream    since the connection began: SND.UNA stands behind our SYN, the octets that the send buffer was told to
 *                drop, and our FIN once it is acknowledged; RCV.NXT behind the peer's SYN, all octets from the first on
 *                that were stored without a gap, and its FIN; the send buffer holds what was put in and not dropped; unread is
 *                what came into order and was not consumed; what was stored beyond a gap is what the record says; and an
 *                octet is always stored where the octet of that number belongs.
 *   3. buffers   what the actions name lies inside both buffers and inside the segment that arrived.
 *   4. promises  vtcp_deadline is 0 if and only if VTCP_MORE sends text or FIN, and if not, it changes nothing;
 *                vtcp_send_room is what SEND takes.
 *   5. child     a listener's child is valid, and takes the event that made it.
 *
 * What the fuzzer sees beside the core's own branches is one basic block for each state, kind of event, and state after
 * it. `fuzz_step --coverage FILE...`, built with main.c, counts them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/vtcp.h"
#include "../tests/laws.c"

enum { LONGEST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_report(void);

/* --- The input --- */

struct input {
  const uint8_t *octets;
  size_t at, size;
};

static uint8_t next(struct input *in)
{
  return in->at < in->size ? in->octets[in->at++] : 0;
}

static uint16_t next16(struct input *in)
{
  uint8_t high = next(in);

  return (uint16_t)(high << 8 | next(in));
}

static uint32_t next32(struct input *in)
{
  uint32_t high = next16(in);

  return high << 16 | next16(in);
}

/* --- Blocks, one for each state, kind of event, and state after it --- */

enum { TRIPLES = KINDS_OF_STATES * KINDS_OF_EVENTS * KINDS_OF_STATES };
static unsigned long reached[TRIPLES];

#define BLOCK(n)                   \
  case (n):                        \
    __asm__ volatile("" ::"i"(n)); \
    break;
#define BLOCKS_4(n) BLOCK(n) BLOCK((n) + 1) BLOCK((n) + 2) BLOCK((n) + 3)
#define BLOCKS_20(n) BLOCKS_4(n) BLOCKS_4((n) + 4) BLOCKS_4((n) + 8) BLOCKS_4((n) + 12) BLOCKS_4((n) + 16)
#define BLOCKS_220(n)  \
  BLOCKS_20(n)         \
  BLOCKS_20((n) + 20)  \
  BLOCKS_20((n) + 40)  \
  BLOCKS_20((n) + 60)  \
  BLOCKS_20((n) + 80)  \
  BLOCKS_20((n) + 100) \
  BLOCKS_20((n) + 120) \
  BLOCKS_20((n) + 140) \
  BLOCKS_20((n) + 160) \
  BLOCKS_20((n) + 180) \
  BLOCKS_20((n) + 200)
#define BLOCKS_253(n) \
  BLOCKS_220(n) BLOCKS_20((n) + 220) BLOCKS_4((n) + 240) BLOCKS_4((n) + 244) BLOCKS_4((n) + 248) BLOCK((n) + 252)

static void reach(unsigned from, unsigned kind, unsigned to)
{
  unsigned triple = (from * KINDS_OF_EVENTS + kind) * KINDS_OF_STATES + to;

  reached[triple]++;
  switch (triple) {
    BLOCKS_253(0)
    BLOCKS_253(253)
    BLOCKS_253(506)
    BLOCKS_253(759)
    BLOCKS_253(1012)
    BLOCKS_253(1265)
    BLOCKS_253(1518)
    BLOCKS_253(1771)
    BLOCKS_253(2024)
    BLOCKS_253(2277)
    BLOCKS_253(2530)
  default: abort();
  }
}
_Static_assert(TRIPLES == 2783, "as many blocks as there are triples");

void fuzz_report(void)
{
  unsigned legal = 0, there = 0;

  for (unsigned i = 0; i < TRIPLES; i++) {
    uint8_t from = (uint8_t)(i / KINDS_OF_STATES / KINDS_OF_EVENTS), to = (uint8_t)(i % KINDS_OF_STATES);
    unsigned kind = i / KINDS_OF_STATES % KINDS_OF_EVENTS;
    if (!is_legal(from, kind, to))
      continue;
    legal++;
    there += reached[i] > 0;
    printf("%-11s %10lu  %-12s %-12s %s\n", reached[i] > 0 ? "reached" : "not reached", reached[i],
           vtcp_state_name(from), kind_name(kind), vtcp_state_name(to));
  }
  printf("%u of %u legal triples reached\n", there, legal);
}

/* --- The world --- */

/* Octets of a stream, counted from its first. */
struct stretch {
  uint64_t from, to;
};

/* One endpoint, and what its caller could have counted. Numbers of octets since the connection began. */
struct endpoint {
  struct vtcp_conn conn;
  uint64_t put_in, dropped, delivered, consumed;
  struct stretch beyond[VTCP_RANGES + 1]; /* stored beyond a gap; no two touch */
  unsigned gaps;
};

struct world {
  struct endpoint ends[2]; /* the connection; a child of it */
  unsigned count;
  uint64_t now;
  uint32_t iss, peer_iss;
  struct vtcp_segment last; /* the last segment that arrived */
};

static void stop(const char *law, const char *how)
{
  fprintf(stderr, "%s is broken: %s does not hold\n", law, how);
  abort();
}
#define HOLDS(law, condition) ((condition) ? (void)0 : stop(law, #condition))

static void check_actions(const struct endpoint *end, const struct vtcp_conn *p, const struct vtcp_event *e,
                          const struct vtcp_actions *a)
{
  const struct vtcp_conn *q = &end->conn;

  HOLDS("buffers", a->acked <= p->snd_len && a->consumed <= p->rcv_len);
  HOLDS("buffers", !a->send || (uint64_t)a->text_at + a->seg.len <= q->snd_len);
  if (a->store_len == 0)
    return;
  HOLDS("buffers", (uint64_t)a->store_from + a->store_len <= e->seg.len);
  HOLDS("buffers", (uint64_t)a->store_at + a->store_len <= q->cfg.rcv_buf);
  HOLDS("stream", text_begins(&e->seg) + a->store_from == q->irs + 1 + (uint32_t)(end->consumed + a->store_at));
}

/* Octets are stored, and join what they touch. */
static void store(struct endpoint *end, struct stretch s)
{
  for (unsigned i = 0; i < end->gaps;) {
    struct stretch *one = &end->beyond[i];
    if (one->to < s.from || s.to < one->from) {
      i++;
      continue;
    }
    s.from = one->from < s.from ? one->from : s.from;
    s.to = one->to > s.to ? one->to : s.to;
    *one = end->beyond[--end->gaps];
  }
  end->beyond[end->gaps++] = s;
}

/* What is in order, if the first that is not begins at `next`. */
static uint64_t in_order(struct endpoint *end, uint64_t next)
{
  for (unsigned i = 0; i < end->gaps; i++) {
    if (end->beyond[i].from > next)
      continue;
    next = end->beyond[i].to;
    end->beyond[i] = end->beyond[--end->gaps];
  }
  return next;
}

static void check_held(const struct endpoint *end)
{
  const struct vtcp_held *held = &end->conn.held;

  HOLDS("stream", end->gaps <= VTCP_RANGES);
  for (unsigned i = 0; i < VTCP_RANGES; i++) {
    bool is_one = held->at[i].from == 0 && held->at[i].to == 0 && i >= end->gaps;
    for (unsigned k = 0; k < end->gaps; k++)
      is_one = is_one
               || (end->beyond[k].from == end->delivered + held->at[i].from
                   && end->beyond[k].to == end->delivered + held->at[i].to);
    HOLDS("stream", is_one);
  }
}

static void check_stream(struct endpoint *end, const struct vtcp_conn *p, const struct vtcp_event *e,
                         const struct vtcp_actions *a)
{
  const struct vtcp_conn *q = &end->conn;

  if (p->state <= VTCP_LISTEN || q->state <= VTCP_LISTEN)
    end->put_in = end->dropped = end->delivered = end->consumed = end->gaps = 0;
  if (q->state <= VTCP_LISTEN)
    return;
  check_actions(end, p, e, a);
  end->put_in += e->type == VTCP_SEND && a->error == VTCP_OK ? e->len : 0;
  end->dropped += a->acked;
  if (a->store_len > 0)
    store(end, (struct stretch){end->consumed + a->store_at, end->consumed + a->store_at + a->store_len});
  uint64_t next = in_order(end, end->delivered);
  HOLDS("stream", next == end->delivered + a->delivered);
  end->delivered = next;
  if (has_peers_fin(q->state))
    end->gaps = 0;
  check_held(end);
  end->consumed += a->consumed;
  bool fin_acked = q->fin_sent && q->snd_una == q->snd_nxt;
  HOLDS("stream", q->snd_len == end->put_in - end->dropped);
  HOLDS("stream", q->rcv_len == end->delivered - end->consumed);
  HOLDS("stream", q->snd_una == q->iss + q->syn_acked + fin_acked + (uint32_t)end->dropped);
  HOLDS("stream",
        q->state == VTCP_SYN_SENT || q->rcv_nxt == q->irs + 1 + (uint32_t)end->delivered + has_peers_fin(q->state));
}

static void check_promises(const struct endpoint *end, uint64_t now)
{
  const struct vtcp_conn *q = &end->conn;
  struct vtcp_conn twin = *q;
  struct vtcp_event more = {.now = now, .type = VTCP_MORE};
  struct vtcp_actions a;

  vtcp_step(&twin, &more, &a);
  HOLDS("promises", (vtcp_deadline(q) == 0) == (a.send && (a.seg.len > 0 || a.seg.fin)));
  HOLDS("promises", vtcp_deadline(q) == 0 || same_conn(&twin, q));
  HOLDS("promises", a.error == VTCP_OK && a.acked == 0 && a.store_len == 0 && a.delivered == 0 && signals_of(&a) == 0);
  uint32_t room = vtcp_send_room(q);
  HOLDS("promises", room <= q->cfg.snd_buf - q->snd_len);
  struct vtcp_event send = {.now = now, .iss = 1, .len = room, .type = VTCP_SEND, .remote = true};
  twin = *q;
  vtcp_step(&twin, &send, &a);
  HOLDS("promises", room == 0 || a.error == VTCP_OK);
  send.len = room + 1;
  twin = *q;
  vtcp_step(&twin, &send, &a);
  HOLDS("promises", a.error != VTCP_OK && same_conn(&twin, q));
}

static void take(struct world *w, unsigned which, const struct vtcp_event *e, struct vtcp_actions *a)
{
  struct endpoint *end = &w->ends[which];
  struct vtcp_conn before = end->conn;
  const char *law = step_by_law(&end->conn, e, a);

  if (law != NULL) {
    fprintf(stderr, "%s\n", law);
    abort();
  }
  reach(before.state, kind_of(e), end->conn.state);
  check_stream(end, &before, e, a);
  check_promises(end, w->now);
  if (!a->spawn)
    return;
  struct vtcp_actions of_child;
  w->count = 2;
  vtcp_child(&end->conn, &w->ends[1].conn);
  HOLDS("child", which == 0 && vtcp_valid(&w->ends[1].conn) && !w->ends[1].conn.cfg.listener);
  take(w, 1, e, &of_child);
  HOLDS("child", w->ends[1].conn.state == VTCP_SYN_RECEIVED && of_child.send && of_child.seg.syn);
}

/* --- Choices --- */

static struct vtcp_config choose_config(struct input *in)
{
  static const uint32_t buffers[] = {1,     2,     3,     100,    535,        1460,      4000,
                                     65535, 65536, 65537, 200000, 0x3fffffff, 0x40000000};
  static const uint16_t sizes[] = {1, 2, 20, 21, 100, 536, 1220, 1460, 1480, 9000, 65534, 65535};
  static const uint32_t timeouts[] = {0, 0, 0, 1, 1000, 30000, 600000, UINT32_MAX};
  static const uint32_t lifetimes[] = {60000, 1, 500, 120000, 3600000};
  static const uint32_t idle[] = {7200000, 1000, 1, UINT32_MAX};
  static const uint8_t probes[] = {9, 2, 3, 255};
  struct vtcp_config cfg = vtcp_config_default();
  uint8_t flags = next(in);

  cfg.keep_alive = flags & 128;
  cfg.listener = flags & 1;
  cfg.rfc1337 = flags & 2;
  cfg.rcv_buf = buffers[next(in) % (sizeof buffers / sizeof buffers[0])];
  cfg.snd_buf = buffers[next(in) % (sizeof buffers / sizeof buffers[0])];
  cfg.rcv_mss = sizes[next(in) % (sizeof sizes / sizeof sizes[0])];
  cfg.default_mss = sizes[next(in) % (sizeof sizes / sizeof sizes[0])];
  uint16_t largest = sizes[next(in) % (sizeof sizes / sizeof sizes[0])];
  cfg.mms_s = largest < 21 ? 21 : largest;
  uint8_t patience = next(in);
  cfg.challenge_acks = flags & 4 ? 1 : flags & 8 ? 255 : 10;
  cfg.r1 = flags & 16 ? 255 : 3;
  cfg.rto_min_ms = flags & 32 ? 1 : 1000;
  cfg.rto_initial_ms = flags & 64 ? 4000000 : cfg.rto_min_ms;
  cfg.rto_max_ms = flags & 64 ? 4000000 : 60000;
  cfg.nagle = patience & 128;
  cfg.user_timeout_ms = timeouts[patience & 7];
  cfg.r2_ms = patience & 8 ? 1000 : patience & 16 ? UINT32_MAX : 300000;
  cfg.r2_syn_ms = patience & 16 ? UINT32_MAX : 180000;
  cfg.msl_ms = lifetimes[(patience >> 5) % 5];
  if (!cfg.keep_alive)
    return cfg;
  uint8_t idleness = next(in);
  cfg.keep_alive_ms = idle[idleness & 3];
  cfg.keep_alive_probe_ms = idle[idleness >> 2 & 3];
  cfg.keep_alive_probes = probes[idleness >> 4 & 3];
  return cfg;
}

/* Time goes on; sometimes too far, and sometimes, against the rules, back. */
static uint64_t choose_time(struct input *in, const struct vtcp_conn *c, unsigned how, uint64_t now)
{
  static const uint64_t steps[] = {0, 1, 1000, 200000, 1000000, 1000001, 60000000, UINT64_C(3600000000)};
  uint64_t deadline = vtcp_deadline(c), to = now;

  if (how < 8)
    to = now + steps[how];
  else if (how < 11 && deadline != 0 && deadline != NEVER)
    to = deadline + how - 9; /* just before, at, just after */
  else if (how == 11)
    to = now + next32(in);
  else if (how == 12)
    return now - next16(in) < now ? now - next16(in) : now;
  else if (how == 13)
    to = (uint64_t)next32(in) << 32;
  else if (how == 14)
    to = NEVER - next(in);
  else if (how == 15 && c->timer != VTCP_NO_TIMER)
    to = c->progress_at + (uint64_t)(c->syn_acked ? c->cfg.r2_ms : c->cfg.r2_syn_ms) * 1000;
  return to < now ? now : to;
}

static uint32_t beside(struct input *in)
{
  return (uint32_t)(int32_t)(int8_t)next(in);
}

/* A place of what is held beyond a gap, or the middle of the window. */
static uint32_t at_held(const struct vtcp_conn *c, unsigned which)
{
  const struct vtcp_range *r = &c->held.at[which / 4 % VTCP_RANGES];

  switch (which % 4) {
  case 1: return r->from;
  case 2: return r->to;
  case 3: return r->to + 1;
  default: return which == 0 ? c->rcv_wnd / 2 : r->from - 1;
  }
}

static uint32_t choose_seq(struct input *in, const struct world *w, const struct vtcp_conn *c, uint32_t length)
{
  uint8_t how = next(in);
  uint32_t known = c->state >= VTCP_SYN_RECEIVED ? c->rcv_nxt : w->peer_iss, right = known + c->rcv_wnd;

  switch (how & 15) {
  case 0: return known;
  case 1: return known - 1;
  case 2: return known + 1;
  case 3: return right;
  case 4: return right - 1;
  case 5: return right + 1;
  case 6: return right - length; /* the last inside */
  case 7: return known - length; /* wholly old, at the edge */
  case 8: return known - length + 1;
  case 9: return known + at_held(c, how >> 4);
  case 10: return (c->state >= VTCP_SYN_RECEIVED ? c->irs : w->peer_iss) + (how >> 4);
  case 11: return known + beside(in);
  case 12: return right + beside(in);
  case 13: return known + UINT32_C(0x80000000) + (how >> 4) - 8;
  case 14: return how & 16 ? c->snd_nxt : w->last.seq;
  default: return next32(in);
  }
}

static uint32_t choose_ack(struct input *in, const struct world *w, const struct vtcp_conn *c)
{
  uint8_t how = next(in);
  uint32_t ghost = c->max_snd_wnd < c->acked ? c->max_snd_wnd : c->acked;

  switch (how & 15) {
  case 0: return c->snd_nxt;
  case 1: return c->snd_una;
  case 2: return c->snd_una + (c->snd_nxt - c->snd_una) / 2;
  case 3: return c->snd_nxt - 1;
  case 4: return c->snd_nxt + 1;
  case 5: return c->snd_una - 1;
  case 6: return c->snd_una + 1;
  case 7: return c->snd_una - ghost; /* the oldest that counts, and the next older */
  case 8: return c->snd_una - ghost - 1;
  case 9: return c->snd_una - c->max_snd_wnd - (how >> 4);
  case 10: return c->iss + (how >> 4);
  case 11: return c->snd_nxt + beside(in);
  case 12: return c->snd_rtx;
  case 13: return c->snd_una + UINT32_C(0x80000000) + (how >> 4) - 8;
  case 14: return how & 16 ? c->rcv_nxt : w->last.ack;
  default: return next32(in);
  }
}

/* Octets, compared with what there is room for. */
static uint32_t choose_length(struct input *in, uint32_t room)
{
  uint8_t how = next(in);

  switch (how & 7) {
  case 0: return how >> 3; /* 0 to 31 */
  case 1: return UINT32_C(1) << (how >> 3);
  case 2: return room;
  case 3: return room + 1;
  case 4: return room == 0 ? 0 : room - 1;
  case 5: return room / 2;
  case 6: return (uint32_t)(how >> 3) * 200;
  default: return next16(in);
  }
}

static uint16_t in16(uint32_t number)
{
  return (uint16_t)(number < 65535 ? number : 65535);
}

static void choose_options(struct input *in, struct vtcp_segment *s)
{
  uint8_t what = next(in);

  s->has_mss = what & 1;
  s->mss = what & 1 ? in16(choose_length(in, 1460)) : 0;
  if (!(what & 2))
    return;
  s->has_ts = s->has_wscale = s->sack_permitted = s->has_uto = true; /* of which the core takes no notice */
  s->tsval = s->tsecr = next32(in);
  s->wscale = what >> 4;
  s->uto = next16(in);
  s->sack_count = what & 4 ? 4 : 1;
  for (int i = 0; i < s->sack_count; i++)
    s->sack[i] = (struct vtcp_sack_block){s->tsval + (uint32_t)i, s->tsecr + 1000};
}

/* Control bits as on the wire: FIN, SYN, RST, PSH, ACK, URG; then whether options follow, and another window. */
static void choose_segment(struct input *in, const struct world *w, const struct vtcp_conn *c, struct vtcp_segment *s)
{
  uint8_t bits = next(in);

  s->fin = bits & 1;
  s->syn = bits & 2;
  s->rst = bits & 4;
  s->psh = bits & 8;
  s->has_ack = bits & 16;
  s->urg = bits & 32;
  s->len = in16(choose_length(in, c->rcv_wnd));
  s->seq = choose_seq(in, w, c, seg_len(s));
  s->ack = s->has_ack ? choose_ack(in, w, c) : 0;
  s->wnd = bits & 128 ? in16(choose_length(in, c->snd_nxt - c->snd_una)) : 4000;
  s->up = s->urg ? s->len : 0;
  s->ece = s->cwr = (bits & 96) == 96;
  if (bits & 64)
    choose_options(in, s);
}

/* What a peer that follows the rules would send: next in order, all acknowledged. */
static void obliging_segment(const struct world *w, const struct vtcp_conn *c, unsigned what, struct vtcp_segment *s)
{
  bool opening = c->state <= VTCP_SYN_SENT;

  s->syn = opening;
  s->has_ack = c->state >= VTCP_SYN_SENT;
  s->fin = what & 1;
  s->seq = opening ? w->peer_iss : c->rcv_nxt;
  s->ack = s->has_ack ? c->snd_nxt : 0;
  s->len = what & 2 && !opening ? in16(c->rcv_wnd / 2) : 0;
  s->psh = s->len > 0;
  s->wnd = 8000;
}

/* --- Events --- */

/* The high half of an event's first octet is its type, or one of these; the low half says how time goes on. */
enum { PEER = VTCP_MORE + 1, PEER_ACK, REPLAY, ANY_TYPE, THE_OTHER, ALL_MORE };
_Static_assert((int)PEER == (int)VTCP_ICMP, "ICMP comes as ANY_TYPE: there is no half octet left for it");

static void send_all(struct world *w, unsigned which)
{
  struct vtcp_event more = {.now = w->now, .type = VTCP_MORE};
  struct vtcp_actions a = {.more = true};

  for (int i = 0; i < 100 && a.more; i++)
    take(w, which, &more, &a);
}

static void choose_call(struct input *in, const struct vtcp_conn *c, struct vtcp_event *e)
{
  if (e->type != VTCP_SEND && e->type != VTCP_RECEIVE && e->type != VTCP_OPEN_ACTIVE)
    return;
  uint8_t flags = next(in);
  e->remote = !(flags & 1);
  e->push = flags & 2;
  e->urgent = flags & 4;
  if (e->type == VTCP_SEND)
    e->len = choose_length(in, c->cfg.snd_buf - c->snd_len);
  else if (e->type == VTCP_RECEIVE)
    e->len = choose_length(in, c->rcv_len);
}

/* What it says, from the high half of an octet; which of our numbers it quotes, and how large is too big. */
static void choose_icmp(struct input *in, const struct world *w, const struct vtcp_conn *c, struct vtcp_event *e,
                        uint8_t what)
{
  e->type = VTCP_ICMP;
  e->icmp = what >> 4;
  e->seg.seq = choose_ack(in, w, c);
  if (e->icmp == VTCP_ICMP_TOO_BIG)
    e->len = choose_length(in, c->snd_mss + UINT32_C(20));
}

/* An event of any type; where the low half is ICMP's, that. */
static void choose_type(struct input *in, const struct world *w, const struct vtcp_conn *c, struct vtcp_event *e)
{
  uint8_t type = next(in);

  e->type = type;
  if ((type & 15) == VTCP_ICMP)
    choose_icmp(in, w, c, e, type);
}

static void choose_arrival(struct input *in, struct world *w, const struct vtcp_conn *c, struct vtcp_event *e)
{
  switch (e->type) {
  case PEER: obliging_segment(w, c, next(in), &e->seg); break;
  case PEER_ACK: obliging_segment(w, c, 0, &e->seg); break;
  case REPLAY: e->seg = w->last; break;
  default: choose_segment(in, w, c, &e->seg); break;
  }
  e->type = VTCP_ARRIVES;
  w->last = e->seg;
}

static void one_event(struct input *in, struct world *w, unsigned *which)
{
  uint8_t head = next(in);
  const struct vtcp_conn *c = &w->ends[*which].conn;
  struct vtcp_event e = {.iss = w->iss, .type = head >> 4};
  struct vtcp_actions a;

  w->now = choose_time(in, c, head & 15, w->now);
  e.now = w->now;
  switch (e.type) {
  case VTCP_ARRIVES:
  case PEER:
  case PEER_ACK:
  case REPLAY: choose_arrival(in, w, c, &e); break;
  case ANY_TYPE: choose_type(in, w, c, &e); break;
  case THE_OTHER: *which = w->count - 1 - *which; return;
  case ALL_MORE: send_all(w, *which); return;
  default: choose_call(in, c, &e); break;
  }
  take(w, *which, &e, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input in = {data, 0, size < LONGEST ? size : LONGEST};
  struct vtcp_config cfg = choose_config(&in);
  struct world w;
  unsigned which = 0;

  memset(&w, 0, sizeof w);
  w.iss = next32(&in);
  w.peer_iss = next32(&in);
  w.now = 1000000;
  w.count = 1;
  HOLDS("config", vtcp_init(&w.ends[0].conn, &cfg) == VTCP_CONFIG_OK && vtcp_valid(&w.ends[0].conn));
  while (in.at < in.size)
    one_event(&in, &w, &which);
  return 0;
}
