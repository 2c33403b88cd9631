/* The octets of a situation, the same for situations that do not differ: numbers are counted from where their end began
 * (what both ends do does not depend on it), segments lie in the order of their octets where the network may reorder, and
 * where both users do the same, the ends may change places. SPDX-License-Identifier: MIT */
#include "explore.h"

#include <string.h>

enum { FLYING_ROOM = 96 };

struct writer {
  uint8_t *at, *end;
  bool full;
};

struct reader {
  const uint8_t *at;
};

/* --- Numbers: seven bits an octet --- */

static void put(struct writer *w, uint32_t value)
{
  do {
    if (w->at == w->end) {
      w->full = true;
      return;
    }
    *w->at++ = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
    value >>= 7;
  } while (value > 0);
}

static uint32_t get(struct reader *r)
{
  uint32_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    uint8_t octet = *r->at++;
    value |= (uint32_t)(octet & 127) << shift;
    if (octet < 128)
      return value;
  }
}

static void put_octets(struct writer *w, const uint8_t *octets, uint32_t count)
{
  if ((size_t)(w->end - w->at) < count) {
    w->full = true;
    return;
  }
  memcpy(w->at, octets, count);
  w->at += count;
}

/* A number near another one, before or after it. */
static void put_near(struct writer *w, uint32_t value, uint32_t near)
{
  uint32_t ahead = value - near;
  put(w, ahead < 0x80000000u ? ahead << 1 : (~ahead << 1) | 1);
}

static uint32_t get_near(struct reader *r, uint32_t near)
{
  uint32_t twice = get(r);
  return near + ((twice & 1) != 0 ? ~(twice >> 1) : twice >> 1);
}

static void put_bits(struct writer *w, const bool *bits, unsigned count)
{
  uint32_t value = 0;
  for (unsigned i = 0; i < count; i++)
    value |= (uint32_t)bits[i] << i;
  put(w, value);
}

static void get_bits(struct reader *r, bool *bits, unsigned count)
{
  uint32_t value = get(r);
  for (unsigned i = 0; i < count; i++)
    bits[i] = (value >> i & 1) != 0;
}

/* --- Segments --- */

enum { SYN, ACK, FIN, RST, PSH, MSS, TEXT, AT_ZERO, SCALE, SACK_PERMITTED, SACK, ECE, CWR, SEGMENT_BITS };

static void put_segment(struct writer *w, const struct vtcp_segment *s, uint32_t own, uint32_t other)
{
  /* a reset that answers what has no acknowledgment stands at 0, wherever anybody's numbers began */
  bool at_zero = s->rst && s->has_ack && s->seq == 0;
  const bool bits[SEGMENT_BITS] = {[SYN] = s->syn,
                                   [ACK] = s->has_ack,
                                   [FIN] = s->fin,
                                   [RST] = s->rst,
                                   [PSH] = s->psh,
                                   [MSS] = s->has_mss,
                                   [TEXT] = s->len > 0,
                                   [AT_ZERO] = at_zero,
                                   [SCALE] = s->has_wscale,
                                   [SACK] = s->sack_count > 0,
                                   [SACK_PERMITTED] = s->sack_permitted,
                                   [ECE] = s->ece,
                                   [CWR] = s->cwr};
  put_bits(w, bits, SEGMENT_BITS);
  if (!at_zero)
    put_near(w, s->seq, own);
  if (s->has_ack)
    put_near(w, s->ack, other);
  put(w, s->wnd);
  if (s->len > 0)
    put(w, s->len);
  if (s->has_mss)
    put(w, s->mss);
  if (s->has_wscale)
    put(w, s->wscale);
  if (s->sack_count > 0)
    put(w, s->sack_count);
  for (unsigned i = 0; i < s->sack_count && i < 4; i++) {
    put_near(w, s->sack[i].left, other);
    put_near(w, s->sack[i].right, other);
  }
}

static void get_segment(struct reader *r, struct vtcp_segment *s, uint32_t own, uint32_t other)
{
  bool bits[SEGMENT_BITS];
  get_bits(r, bits, SEGMENT_BITS);
  s->syn = bits[SYN], s->has_ack = bits[ACK], s->fin = bits[FIN], s->rst = bits[RST], s->psh = bits[PSH];
  s->has_mss = bits[MSS], s->has_wscale = bits[SCALE], s->sack_permitted = bits[SACK_PERMITTED];
  s->ece = bits[ECE], s->cwr = bits[CWR];
  if (!bits[AT_ZERO])
    s->seq = get_near(r, own);
  if (s->has_ack)
    s->ack = get_near(r, other);
  s->wnd = (uint16_t)get(r);
  if (bits[TEXT])
    s->len = (uint16_t)get(r);
  if (s->has_mss)
    s->mss = (uint16_t)get(r);
  if (s->has_wscale)
    s->wscale = (uint8_t)get(r);
  if (bits[SACK])
    s->sack_count = (uint8_t)get(r);
  for (unsigned i = 0; i < s->sack_count && i < 4; i++) {
    s->sack[i].left = get_near(r, other);
    s->sack[i].right = get_near(r, other);
  }
}

/* `first`: the end that comes first in the octets. */
static void put_flying(struct writer *w, const struct world *world, const struct flying *f, uint8_t first, bool age)
{
  uint8_t from = !f->to;
  uint8_t stale = first == 0 ? f->stale : (uint8_t)((f->stale & 1) << 1 | f->stale >> 1);
  put(w, (uint32_t)(f->to != first) | (age ? (uint32_t)stale << 1 : 0));
  put_segment(w, &f->seg, world->base[from], world->base[!from]);
  if (f->seg.len > 0) {
    put(w, f->birth);
    put(w, f->text);
  }
}

static void get_flying(struct reader *r, const struct world *world, struct flying *f)
{
  uint32_t head = get(r);
  f->to = head & 1;
  f->stale = (uint8_t)(head >> 1);
  get_segment(r, &f->seg, world->base[!f->to], world->base[f->to]);
  if (f->seg.len > 0) {
    f->birth = (uint8_t)get(r);
    f->text = (uint8_t)get(r);
  }
}

bool same_flying(const struct world *world, const struct flying *a, const struct flying *b)
{
  uint8_t one[FLYING_ROOM], other[FLYING_ROOM];
  struct writer w = {one, one + sizeof one, false}, v = {other, other + sizeof other, false};
  put_flying(&w, world, a, 0, false);
  put_flying(&v, world, b, 0, false);
  return w.at - one == v.at - other && memcmp(one, other, (size_t)(w.at - one)) == 0;
}

struct packed_flying {
  uint8_t octets[FLYING_ROOM];
  uint32_t length;
};

static bool is_before(const struct packed_flying *a, const struct packed_flying *b)
{
  uint32_t both = a->length < b->length ? a->length : b->length;
  int order = memcmp(a->octets, b->octets, both);
  return order != 0 ? order < 0 : a->length < b->length;
}

/* In the order of their octets; or, if the network keeps the order, for each end in the order in which they come. */
static void put_network(struct writer *w, const struct world *world, const struct state *s, uint8_t first)
{
  struct packed_flying all[MOST_FLYING], one;
  uint32_t count = 0;
  for (uint32_t i = 0; i < s->flying_count; i++) {
    struct writer v = {one.octets, one.octets + FLYING_ROOM, false};
    put_flying(&v, world, &s->flying[i], first, true);
    one.length = (uint32_t)(v.at - one.octets);
    uint32_t at = count++;
    bool first_end = s->flying[i].to == first;
    while (at > 0
           && (world->reorders ? is_before(&one, &all[at - 1]) : first_end && (all[at - 1].octets[0] & 1) == 1)) {
      all[at] = all[at - 1];
      at--;
    }
    all[at] = one;
  }
  put(w, count);
  for (uint32_t i = 0; i < count; i++)
    put_octets(w, all[i].octets, all[i].length);
}

/* --- Records. Every field of struct vtcp_conn is named here; tests/explore.sh compares. What the world forgets or sets is
 * not written: cfg, timer_at, progress_at, rtt_at, rtt_seq, rtt_running, rtt_known, challenge_at, challenges, srtt, rttvar,
 * rto, persist, syn_resent. Between steps ack_owed and resend are false. --- */

enum { SYN_ACKED, FIN_SENT, CLOSE_QUEUED, RETRIES, FIN_WAITS, HOLDS, CONN_BITS };

static uint32_t range_count(const struct vtcp_conn *c)
{
  uint32_t n = 0;
  while (n < VTCP_RANGES && c->held.at[n].to != 0)
    n++;
  return n;
}

static void put_receiving(struct writer *w, const struct vtcp_conn *c, uint32_t other)
{
  put_near(w, c->irs, other);
  put(w, c->rcv_nxt - c->irs);
  put_near(w, c->snd_wl1, c->irs);
  put(w, c->rcv_len);
  if (c->fin_end != 0)
    put(w, c->fin_end);
  if (range_count(c) > 0)
    put(w, range_count(c));
  for (uint32_t i = 0; i < range_count(c); i++) {
    put(w, c->held.at[i].from);
    put(w, c->held.at[i].to - c->held.at[i].from);
  }
}

static void get_receiving(struct reader *r, struct vtcp_conn *c, uint32_t other, const bool *bits)
{
  c->irs = get_near(r, other);
  c->rcv_nxt = c->irs + get(r);
  c->snd_wl1 = get_near(r, c->irs);
  c->rcv_len = get(r);
  if (bits[FIN_WAITS])
    c->fin_end = get(r);
  uint32_t count = bits[HOLDS] ? get(r) : 0;
  for (uint32_t i = 0; i < count; i++) {
    c->held.at[i].from = get(r);
    c->held.at[i].to = c->held.at[i].from + get(r);
  }
}

static void put_conn(struct writer *w, const struct vtcp_conn *c, uint32_t own, uint32_t other)
{
  const bool bits[CONN_BITS] = {
      [SYN_ACKED] = c->syn_acked,  [FIN_SENT] = c->fin_sent,      [CLOSE_QUEUED] = c->close_queued,
      [RETRIES] = c->retries != 0, [FIN_WAITS] = c->fin_end != 0, [HOLDS] = range_count(c) > 0};
  put(w, (uint32_t)(c->state | c->origin << 4));
  if (c->state <= VTCP_LISTEN)
    return;
  put_bits(w, bits, CONN_BITS);
  put(w, c->timer);
  if (c->retries != 0)
    put(w, c->retries);
  put_near(w, c->iss, own);
  put(w, c->snd_una - c->iss);
  put(w, c->snd_nxt - c->snd_una);
  put(w, c->snd_nxt - c->snd_rtx);
  put(w, c->snd_len);
  put(w, c->snd_wnd);
  put(w, c->max_snd_wnd);
  put(w, c->acked);
  put(w, c->snd_mss);
  put(w, c->rcv_wnd);
  if (c->state == VTCP_SYN_SENT)
    return;
  put_near(w, c->snd_wl2, c->iss);
  put_receiving(w, c, other);
}

static void get_conn(struct reader *r, struct vtcp_conn *c, uint32_t own, uint32_t other)
{
  bool bits[CONN_BITS];
  uint32_t head = get(r);
  c->state = head & 15;
  c->origin = (uint8_t)(head >> 4);
  if (c->state <= VTCP_LISTEN)
    return;
  get_bits(r, bits, CONN_BITS);
  c->syn_acked = bits[SYN_ACKED], c->fin_sent = bits[FIN_SENT], c->close_queued = bits[CLOSE_QUEUED];
  c->timer = (uint8_t)get(r);
  c->retries = bits[RETRIES] ? (uint8_t)get(r) : 0;
  c->iss = get_near(r, own);
  c->snd_una = c->iss + get(r);
  c->snd_nxt = c->snd_una + get(r);
  c->snd_rtx = c->snd_nxt - get(r);
  c->snd_len = get(r);
  c->snd_wnd = get(r);
  c->max_snd_wnd = get(r);
  c->acked = get(r);
  c->snd_mss = (uint16_t)get(r);
  c->rcv_wnd = get(r);
  if (c->state == VTCP_SYN_SENT)
    return;
  c->snd_wl2 = get_near(r, c->iss);
  get_receiving(r, c, other, bits);
}

/* --- Users --- */

enum { TOLD_ESTABLISHED, TOLD_CLOSED, CLOSED_IT, OVER, STRANGE_TEXT, USER_BITS };

/* How far the receive buffer is looked at, and whether it holds what it should, as far as anything is there. */
static uint32_t buffer_reach(const struct vtcp_conn *c)
{
  uint32_t reach = c->rcv_len;
  for (uint32_t i = 0; i < VTCP_RANGES; i++)
    if (c->held.at[i].to != 0 && c->rcv_len + c->held.at[i].to > reach)
      reach = c->rcv_len + c->held.at[i].to;
  return reach < MOST_ROOM ? reach : MOST_ROOM;
}

static bool is_filled(const struct vtcp_conn *c, uint32_t at)
{
  if (at < c->rcv_len)
    return true;
  for (uint32_t i = 0; i < VTCP_RANGES; i++)
    if (c->rcv_len + c->held.at[i].from <= at && at < c->rcv_len + c->held.at[i].to)
      return true;
  return false;
}

static bool is_text_strange(const struct user *u, const struct vtcp_conn *c)
{
  for (uint32_t i = 0; i < buffer_reach(c); i++)
    if (is_filled(c, i) && (u->in[i].birth != u->partner[u->births] || u->in[i].place != (uint8_t)(u->taken + i)))
      return true;
  return false;
}

static void put_user(struct writer *w, const struct user *u, const struct vtcp_conn *c)
{
  bool strange = is_text_strange(u, c);
  const bool bits[USER_BITS] = {[TOLD_ESTABLISHED] = u->established,
                                [TOLD_CLOSED] = u->peer_closed,
                                [CLOSED_IT] = u->closed_it,
                                [OVER] = u->over,
                                [STRANGE_TEXT] = strange};
  put(w, u->call);
  put_bits(w, bits, USER_BITS);
  put(w, u->births);
  for (uint32_t i = 1; i <= u->births; i++) {
    put(w, u->partner[i]);
    put(w, u->given[i]);
  }
  put(w, u->taken);
  put(w, u->dropped);
  for (uint32_t i = 0; strange && i < buffer_reach(c); i++) {
    put(w, u->in[i].birth);
    put(w, u->in[i].place);
  }
}

static void get_user(struct reader *r, struct user *u, const struct vtcp_conn *c)
{
  bool bits[USER_BITS];
  u->call = (uint8_t)get(r);
  get_bits(r, bits, USER_BITS);
  u->established = bits[TOLD_ESTABLISHED], u->peer_closed = bits[TOLD_CLOSED];
  u->closed_it = bits[CLOSED_IT], u->over = bits[OVER];
  u->births = (uint8_t)get(r);
  for (uint32_t i = 1; i <= u->births; i++) {
    u->partner[i] = (uint8_t)get(r);
    u->given[i] = (uint8_t)get(r);
  }
  u->taken = (uint8_t)get(r);
  u->dropped = (uint8_t)get(r);
  for (uint32_t i = 0; i < buffer_reach(c); i++) {
    if (bits[STRANGE_TEXT]) {
      u->in[i].birth = (uint8_t)get(r);
      u->in[i].place = (uint8_t)get(r);
    } else if (is_filled(c, i)) {
      u->in[i] = (struct octet){u->partner[u->births], (uint8_t)(u->taken + i)};
    }
  }
}

/* --- Situations --- */

static uint32_t pack_from(const struct world *world, const struct state *s, uint8_t first, uint8_t out[MOST_PACKED])
{
  struct writer w = {out, out + MOST_PACKED, false};
  put_bits(&w, (const bool[]){s->cut, s->spent}, 2);
  if (world->loses != ANY)
    put(&w, s->lost);
  if (world->duplicates != ANY)
    put(&w, s->duplicated);
  if (world->timeouts != ANY)
    put(&w, s->timeouts);
  if (world->attacks != ANY)
    put(&w, s->attacks);
  for (uint8_t i = 0; i < 2; i++) {
    uint8_t e = i ^ first;
    put_conn(&w, &s->conn[e], world->base[e], world->base[!e]);
    put_user(&w, &s->user[e], &s->conn[e]);
  }
  put_network(&w, world, s, first);
  return w.full ? 0 : (uint32_t)(w.at - out);
}

uint32_t pack(const struct world *world, const struct state *state, uint8_t out[MOST_PACKED])
{
  uint8_t other[MOST_PACKED];
  uint32_t length = pack_from(world, state, 0, out);
  if (!world->symmetric || length == 0)
    return length;
  uint32_t swapped = pack_from(world, state, 1, other);
  if (swapped < length || (swapped == length && memcmp(other, out, length) < 0)) {
    memcpy(out, other, swapped);
    return swapped;
  }
  return length;
}

void unpack(const struct world *world, const uint8_t *octets, struct state *state)
{
  struct reader r = {octets};
  bool ends[2];
  memset(state, 0, sizeof *state);
  get_bits(&r, ends, 2);
  state->cut = ends[0], state->spent = ends[1];
  state->lost = world->loses != ANY ? (uint8_t)get(&r) : 0;
  state->duplicated = world->duplicates != ANY ? (uint8_t)get(&r) : 0;
  state->timeouts = world->timeouts != ANY ? (uint8_t)get(&r) : 0;
  state->attacks = world->attacks != ANY ? (uint8_t)get(&r) : 0;
  for (uint8_t e = 0; e < 2; e++) {
    state->conn[e].cfg = world->config;
    get_conn(&r, &state->conn[e], world->base[e], world->base[!e]);
    forget_time(&state->conn[e]);
    get_user(&r, &state->user[e], &state->conn[e]);
  }
  state->flying_count = (uint8_t)get(&r);
  for (uint32_t i = 0; i < state->flying_count; i++)
    get_flying(&r, world, &state->flying[i]);
}
