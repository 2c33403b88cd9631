/* The input of fuzz_step and fuzz_shift: a configuration and events of one connection. fuzz/seeds writes such inputs. */
#ifndef VTCP_FUZZ_EVENTS_H
#define VTCP_FUZZ_EVENTS_H

#include "../include/vtcp.h"
#include "input.h"

/* What the events are chosen from, beside the connection. */
struct scene {
  uint64_t now;
  uint32_t iss, peer_iss;
  struct vtcp_segment last; /* the last segment that arrived */
};

static inline struct vtcp_config choose_config(struct input *in)
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
static inline uint64_t choose_time(struct input *in, const struct vtcp_conn *c, unsigned how, uint64_t now)
{
  static const uint64_t steps[] = {0, 1, 1000, 200000, 1000000, 1000001, 60000000, UINT64_C(3600000000)};
  uint64_t deadline = vtcp_deadline(c), to = now;

  if (how < 8)
    to = now + steps[how];
  else if (how < 11 && deadline != 0 && deadline != UINT64_MAX)
    to = deadline + how - 9; /* just before, at, just after */
  else if (how == 11)
    to = now + next32(in);
  else if (how == 12)
    return now - next16(in) < now ? now - next16(in) : now;
  else if (how == 13)
    to = (uint64_t)next32(in) << 32;
  else if (how == 14)
    to = UINT64_MAX - next(in);
  else if (how == 15 && c->timer != VTCP_NO_TIMER)
    to = c->progress_at + (uint64_t)(c->syn_acked ? c->cfg.r2_ms : c->cfg.r2_syn_ms) * 1000;
  return to < now ? now : to;
}

static inline uint32_t beside(struct input *in)
{
  return (uint32_t)(int32_t)(int8_t)next(in);
}

/* A place of what is held beyond a gap, or the middle of the window. */
static inline uint32_t at_held(const struct vtcp_conn *c, unsigned which)
{
  const struct vtcp_range *r = &c->held.at[which / 4 % VTCP_RANGES];

  switch (which % 4) {
  case 1: return r->from;
  case 2: return r->to;
  case 3: return r->to + 1;
  default: return which == 0 ? c->rcv_wnd / 2 : r->from - 1;
  }
}

static inline uint32_t choose_seq(struct input *in, const struct scene *scene, const struct vtcp_conn *c,
                                  uint32_t length)
{
  uint8_t how = next(in);
  uint32_t known = c->state >= VTCP_SYN_RECEIVED ? c->rcv_nxt : scene->peer_iss, right = known + c->rcv_wnd;

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
  case 10: return (c->state >= VTCP_SYN_RECEIVED ? c->irs : scene->peer_iss) + (how >> 4);
  case 11: return known + beside(in);
  case 12: return right + beside(in);
  case 13: return known + UINT32_C(0x80000000) + (how >> 4) - 8;
  case 14: return how & 16 ? c->snd_nxt : scene->last.seq;
  default: return next32(in);
  }
}

static inline uint32_t choose_ack(struct input *in, const struct scene *scene, const struct vtcp_conn *c)
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
  case 14: return how & 16 ? c->rcv_nxt : scene->last.ack;
  default: return next32(in);
  }
}

/* Octets, compared with what there is room for. */
static inline uint32_t choose_length(struct input *in, uint32_t room)
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

static inline uint16_t in16(uint32_t number)
{
  return (uint16_t)(number < 65535 ? number : 65535);
}

static inline void choose_options(struct input *in, struct vtcp_segment *s)
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
static inline void choose_segment(struct input *in, const struct scene *scene, const struct vtcp_conn *c,
                                  struct vtcp_segment *s)
{
  uint8_t bits = next(in);

  s->fin = bits & 1;
  s->syn = bits & 2;
  s->rst = bits & 4;
  s->psh = bits & 8;
  s->has_ack = bits & 16;
  s->urg = bits & 32;
  s->len = in16(choose_length(in, c->rcv_wnd));
  s->seq = choose_seq(in, scene, c, seg_len(s));
  s->ack = s->has_ack ? choose_ack(in, scene, c) : 0;
  s->wnd = bits & 128 ? in16(choose_length(in, c->snd_nxt - c->snd_una)) : 4000;
  s->up = s->urg ? s->len : 0;
  s->ece = s->cwr = (bits & 96) == 96;
  if (bits & 64)
    choose_options(in, s);
}

/* What a peer that follows the rules would send: next in order, all acknowledged. */
static inline void obliging_segment(const struct scene *scene, const struct vtcp_conn *c, unsigned what,
                                    struct vtcp_segment *s)
{
  bool opening = c->state <= VTCP_SYN_SENT;

  s->syn = opening;
  s->has_ack = c->state >= VTCP_SYN_SENT;
  s->fin = what & 1;
  s->seq = opening ? scene->peer_iss : c->rcv_nxt;
  s->ack = s->has_ack ? c->snd_nxt : 0;
  s->len = what & 2 && !opening ? in16(c->rcv_wnd / 2) : 0;
  s->psh = s->len > 0;
  s->wnd = 8000;
}

/* The high half of an event's first octet is its type, or one of these; the low half says how time goes on. */
enum { PEER = VTCP_MORE + 1, PEER_ACK, REPLAY, ANY_TYPE, THE_OTHER, ALL_MORE };
_Static_assert((int)PEER == (int)VTCP_ICMP, "ICMP comes as ANY_TYPE: there is no half octet left for it");

static inline void choose_call(struct input *in, const struct vtcp_conn *c, struct vtcp_event *e)
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
static inline void choose_icmp(struct input *in, const struct scene *scene, const struct vtcp_conn *c,
                               struct vtcp_event *e, uint8_t what)
{
  e->type = VTCP_ICMP;
  e->icmp = what >> 4;
  e->seg.seq = choose_ack(in, scene, c);
  if (e->icmp == VTCP_ICMP_TOO_BIG)
    e->len = choose_length(in, c->snd_mss + UINT32_C(20));
}

/* An event of any type; where the low half is ICMP's, that. */
static inline void choose_type(struct input *in, const struct scene *scene, const struct vtcp_conn *c,
                               struct vtcp_event *e)
{
  uint8_t type = next(in);

  e->type = type;
  if ((type & 15) == VTCP_ICMP)
    choose_icmp(in, scene, c, e, type);
}

static inline void choose_arrival(struct input *in, struct scene *scene, const struct vtcp_conn *c,
                                  struct vtcp_event *e)
{
  switch (e->type) {
  case PEER: obliging_segment(scene, c, next(in), &e->seg); break;
  case PEER_ACK: obliging_segment(scene, c, 0, &e->seg); break;
  case REPLAY: e->seg = scene->last; break;
  default: choose_segment(in, scene, c, &e->seg); break;
  }
  e->type = VTCP_ARRIVES;
  scene->last = e->seg;
}

/* The next event for `c`; what is returned is THE_OTHER or ALL_MORE if it is none. */
static inline unsigned choose_event(struct input *in, struct scene *scene, const struct vtcp_conn *c,
                                    struct vtcp_event *e)
{
  uint8_t head = next(in);

  *e = (struct vtcp_event){.iss = scene->iss, .type = head >> 4};
  scene->now = choose_time(in, c, head & 15, scene->now);
  e->now = scene->now;
  switch (head >> 4) {
  case VTCP_ARRIVES:
  case PEER:
  case PEER_ACK:
  case REPLAY: choose_arrival(in, scene, c, e); break;
  case ANY_TYPE: choose_type(in, scene, c, e); break;
  case THE_OTHER:
  case ALL_MORE: break;
  default: choose_call(in, c, e); break;
  }
  return head >> 4;
}

#endif
