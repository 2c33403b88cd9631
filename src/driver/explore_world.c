/* One move of a world, made by the shipped core: calls, arrivals, timeouts. What a world does otherwise than RFC 9293 (a
 * handshake of two segments, a close of three, no TIME-WAIT) is done here, between the steps of a core that is not changed.
 *
 * Time: each end has a clock of its own that stands still. A timer that runs may expire at any time (or, once the network is
 * fair, when nothing else is left to happen), and the clock then stands at its deadline. So every order of timeouts and
 * arrivals is seen, and how long anything takes is forgotten (forget_time). SPDX-License-Identifier: MIT */
#include "explore.h"

#include <string.h>

static const uint64_t now = UINT64_C(1) << 50;

/* --- The network --- */

static void remove_flying(struct state *state, uint32_t at)
{
  for (uint32_t i = at; i + 1 < state->flying_count; i++)
    state->flying[i] = state->flying[i + 1];
  state->flying_count--;
  memset(&state->flying[state->flying_count], 0, sizeof state->flying[0]);
}

static bool is_last(const struct state *state, uint32_t at)
{
  for (uint32_t i = at + 1; i < state->flying_count; i++)
    if (state->flying[i].to == state->flying[at].to)
      return false;
  return true;
}

/* Where copies may come about at any time, one more of the same is none: the one on its way is as young as this one. */
static bool is_known(const struct world *world, struct state *state, const struct flying *one)
{
  if (world->duplicates != ANY)
    return false;
  for (uint32_t i = 0; i < state->flying_count; i++)
    if (same_flying(world, &state->flying[i], one) && (world->reorders || is_last(state, i))) {
      state->flying[i].stale = one->stale;
      return true;
    }
  return false;
}

static void put(const struct world *world, struct state *state, const struct flying *one, struct outcome *outcome)
{
  if (outcome->sent_count == MOST_SENT) {
    outcome->unfit = true;
    outcome->unfit_why = "one move sends too many segments";
    return;
  }
  outcome->sent[outcome->sent_count] = *one;
  bool room = state->flying_count < world->holds;
  bool known = is_known(world, state, one);
  outcome->sent_lost[outcome->sent_count++] = !room && !known;
  if (known)
    return;
  if (room) {
    state->flying[state->flying_count++] = *one;
    return;
  }
  outcome->full = true;
}

/* --- What is checked --- */

static void blame(struct outcome *outcome, uint8_t end, enum violation violation)
{
  if (outcome->violation != NO_VIOLATION)
    return;
  outcome->violation = violation;
  outcome->victim = end;
}

static bool is_synchronized(const struct vtcp_conn *c)
{
  return c->state >= VTCP_ESTABLISHED;
}

/* Octets in order that have reached this end: read and unread. */
uint32_t received(const struct state *state, uint8_t end)
{
  return state->user[end].taken + state->conn[end].rcv_len;
}

static void check_sent(const struct state *state, uint8_t end, const struct vtcp_actions *a, struct outcome *outcome)
{
  const struct user *u = &state->user[end];
  uint32_t place = a->seg.seq - state->conn[end].iss - !a->seg.syn, said = (uint32_t)u->dropped + a->text_at;
  if (a->seg.len > 0 && (place != said || place + a->seg.len > u->given[u->births]))
    blame(outcome, end, BAD_TEXT_SENT);
}

/* Everything readable is what the peer's incarnation that we believe in was given to send, at its place. */
static void check_text(const struct state *state, uint8_t end, uint32_t readable, struct outcome *outcome)
{
  const struct user *u = &state->user[end];
  uint8_t partner = u->partner[u->births];
  for (uint32_t i = 0; i < readable && i < MOST_ROOM; i++)
    if (u->in[i].birth != partner || u->in[i].place != (uint8_t)(u->taken + i))
      blame(outcome, end, BAD_TEXT);
}

/* Who we are connected with has been there, and has known our number. */
static void check_established(const struct state *state, uint8_t end, struct outcome *outcome)
{
  const struct user *u = &state->user[end], *peer = &state->user[!end];
  uint8_t partner = u->partner[u->births];
  if (partner == 0)
    blame(outcome, end, OPENED_BY_NOBODY);
  else if (peer->partner[partner] != u->births)
    blame(outcome, end, OPENED_ALONE);
}

static void check_ends(const struct state *state, uint8_t end, const struct vtcp_actions *a, uint8_t births,
                       struct outcome *outcome)
{
  const struct user *u = &state->user[end], *peer = &state->user[!end];
  uint8_t partner = u->partner[births];
  bool believed = partner != 0 && peer->partner[partner] == births;
  if (a->peer_closed && believed && received(state, end) != peer->given[partner])
    blame(outcome, end, FIN_BEFORE_TEXT);
  if (a->close_done && believed && partner == peer->births && is_synchronized(&state->conn[!end])
      && received(state, !end) != u->given[births])
    blame(outcome, end, CLOSED_BEFORE_TEXT);
}

/* --- Steps --- */

uint8_t birth_of(const struct world *world, const struct state *state, uint8_t end, uint32_t iss)
{
  for (uint8_t i = 0; i < state->user[end].births; i++)
    if (world->base[end] + world->iss[end][i] == iss)
      return i + 1;
  return 0;
}

static void store(const struct world *world, struct state *state, uint8_t end, const struct vtcp_actions *a,
                  const struct flying *came, struct outcome *outcome)
{
  struct user *u = &state->user[end];
  if (a->store_len == 0)
    return;
  if (came == NULL || (uint64_t)a->store_at + a->store_len > world->buffer
      || (uint64_t)a->store_from + a->store_len > came->seg.len) {
    blame(outcome, end, BAD_STORE);
    return;
  }
  for (uint32_t i = 0; i < a->store_len; i++)
    u->in[a->store_at + i] = (struct octet){came->birth, (uint8_t)(came->text + a->store_from + i)};
}

static void send_out(const struct world *world, struct state *state, uint8_t end, const struct vtcp_actions *a,
                     struct outcome *outcome)
{
  struct flying one = {.seg = a->seg, .to = !end};
  check_sent(state, end, a, outcome);
  if (a->seg.len > 0) {
    one.birth = state->user[end].births;
    one.text = (uint8_t)(state->user[end].dropped + a->text_at);
  }
  put(world, state, &one, outcome);
}

static void be_born(struct state *state, uint8_t end)
{
  struct user *u = &state->user[end];
  u->births++;
  u->partner[u->births] = u->given[u->births] = 0;
  u->taken = u->dropped = 0;
  u->established = u->peer_closed = u->closed_it = false;
  memset(u->in, 0, sizeof u->in);
}

static void forget_connection(struct state *state, uint8_t end)
{
  struct user *u = &state->user[end];
  u->taken = u->dropped = 0;
  memset(u->in, 0, sizeof u->in);
}

/* A server whose client came to nothing waits for the next one. */
static void listen_again(const struct world *world, struct state *state, uint8_t end)
{
  struct user *u = &state->user[end];
  u->established = u->peer_closed = u->closed_it = false;
  while (u->call > 0 && world->calls[end][u->call - 1].kind != CALL_LISTEN)
    u->call--;
}

static void read_out(struct state *state, uint8_t end, const struct vtcp_actions *a)
{
  struct user *u = &state->user[end];
  uint32_t n = a->consumed < MOST_ROOM ? a->consumed : MOST_ROOM;
  memmove(u->in, u->in + n, (MOST_ROOM - n) * sizeof u->in[0]);
  memset(u->in + MOST_ROOM - n, 0, n * sizeof u->in[0]);
  u->taken = (uint8_t)(u->taken + a->consumed);
}

/* What the actions of a step tell. */
static void obey(const struct world *world, struct state *state, uint8_t end, const struct vtcp_actions *a,
                 const struct flying *came, struct outcome *outcome)
{
  struct user *u = &state->user[end];
  struct vtcp_conn *c = &state->conn[end];
  u->dropped = (uint8_t)(u->dropped + a->acked);
  store(world, state, end, a, came, outcome);
  if (c->state >= VTCP_SYN_RECEIVED)
    u->partner[u->births] = birth_of(world, state, !end, c->irs);
  if (a->consumed == 0)
    check_text(state, end, a->readable, outcome);
  read_out(state, end, a);
  if (a->established) {
    u->established = true;
    check_established(state, end, outcome);
  }
  u->peer_closed = u->peer_closed || a->peer_closed;
  check_ends(state, end, a, u->births, outcome);
  if (a->closed)
    u->over = true;
  if (c->state <= VTCP_LISTEN)
    forget_connection(state, end);
  if (a->relisten)
    listen_again(world, state, end);
  if (!vtcp_valid(c))
    blame(outcome, end, BAD_RECORD);
}

static bool is_bare(const struct vtcp_segment *seg)
{
  return seg->len == 0 && !seg->fin && !seg->syn;
}

/* A step, and all that follows from it at once; what the first one did. With `quiet`, bare acknowledgments stay home. */
static struct vtcp_actions step(const struct world *world, struct state *state, uint8_t end, struct vtcp_event event,
                                const struct flying *came, bool quiet, struct outcome *outcome)
{
  struct vtcp_conn *c = &state->conn[end];
  struct vtcp_actions first, next;
  uint8_t births = state->user[end].births, before = c->state;
  event.now = event.now == 0 ? now : event.now;
  event.iss = births < world->iss_count[end] ? world->base[end] + world->iss[end][births] : 0;
  if (outcome->step_count < MOST_STEPS_OF_MOVE)
    outcome->steps[outcome->step_count++] = event;
  vtcp_step(c, &event, &first);
  if (before <= VTCP_LISTEN && (c->state == VTCP_SYN_SENT || c->state == VTCP_SYN_RECEIVED))
    be_born(state, end);
  obey(world, state, end, &first, came, outcome);
  if (first.send && !(quiet && is_bare(&first.seg) && !first.seg.rst))
    send_out(world, state, end, &first, outcome);
  next = first;
  for (uint32_t i = 0; next.more && !outcome->unfit && i < MOST_SENT; i++) {
    struct vtcp_event more = {.type = VTCP_MORE, .now = event.now};
    vtcp_step(c, &more, &next);
    obey(world, state, end, &next, NULL, outcome);
    if (next.send)
      send_out(world, state, end, &next, outcome);
  }
  return first;
}

static void read_all(const struct world *world, struct state *state, uint8_t end, struct outcome *outcome)
{
  struct vtcp_event event = {.type = VTCP_RECEIVE, .len = UINT32_MAX};
  step(world, state, end, event, NULL, false, outcome);
}

static bool can_read(const struct vtcp_conn *c)
{
  return c->syn_acked && c->rcv_len > 0;
}

/* --- Otherwise than RFC 9293 --- */

/* A handshake of two segments: who answers a SYN is connected. The acknowledgment of its own SYN, which it does not wait
 * for, comes from here. */
static void shake_two(const struct world *world, struct state *state, uint8_t end, struct outcome *outcome)
{
  const struct vtcp_conn *c = &state->conn[end];
  struct vtcp_event event = {.type = VTCP_ARRIVES};
  event.seg.seq = c->rcv_nxt;
  event.seg.ack = c->snd_nxt;
  event.seg.wnd = (uint16_t)c->snd_wnd;
  event.seg.has_ack = true;
  outcome->acknowledged_for_peer = true;
  step(world, state, end, event, NULL, true, outcome);
}

/* A close of three segments: the answer to a FIN carries a FIN, whatever is still to be sent. The bare acknowledgment that
 * left before it is taken back. */
static void close_three(const struct world *world, struct state *state, uint8_t end, struct outcome *outcome)
{
  struct vtcp_event event = {.type = VTCP_CLOSE};
  uint8_t sent = outcome->sent_count;
  bool bare = sent == 1 && !outcome->sent_lost[0] && is_bare(&outcome->sent[0].seg);
  outcome->closed_for_user = true;
  step(world, state, end, event, NULL, false, outcome);
  if (!bare || outcome->sent_count != 2 || !outcome->sent[1].seg.fin)
    return;
  for (uint32_t i = 0; i < state->flying_count; i++)
    if (same_flying(world, &state->flying[i], &outcome->sent[0])) {
      remove_flying(state, i);
      break;
    }
  outcome->sent[0] = outcome->sent[1];
  outcome->sent_lost[0] = outcome->sent_lost[1];
  outcome->sent_count = 1;
}

/* TIME-WAIT of no length. */
static void end_time_wait(const struct world *world, struct state *state, uint8_t end, struct outcome *outcome)
{
  struct vtcp_event event = {.type = VTCP_TIMEOUT, .now = UINT64_MAX};
  outcome->no_wait = true;
  step(world, state, end, event, NULL, false, outcome);
}

/* --- Time --- */

/* Segments older than TIME-WAIT's beginning do not live to see its end: each lives one MSL, and it lasts two. */
static void mark_stale(struct state *state, uint8_t end, uint64_t timer_before)
{
  const struct vtcp_conn *c = &state->conn[end];
  uint8_t bit = (uint8_t)(1 << end);
  bool begins = c->state == VTCP_TIME_WAIT && c->timer_at != timer_before;
  for (uint32_t i = 0; i < state->flying_count; i++) {
    if (c->state != VTCP_TIME_WAIT)
      state->flying[i].stale &= (uint8_t)~bit;
    else if (begins)
      state->flying[i].stale |= bit;
  }
}

/* What only tells how long something took, or will take. The timer that runs goes on running; whether a window probe is
 * unanswered, and how many keep-alives, stays. The budget of challenge ACKs is whole again: one that is not sent does what
 * one that is lost does. */
void forget_time(struct vtcp_conn *c)
{
  if (c->state <= VTCP_LISTEN)
    return;
  c->timer_at = c->timer == VTCP_NO_TIMER ? 0 : now + 1;
  c->progress_at = now;
  c->rtt_at = 0;
  c->rtt_seq = 0;
  c->rtt_running = false;
  c->rtt_known = false;
  c->srtt = c->rttvar = 0;
  c->rto = c->cfg.rto_initial_ms * 1000;
  c->persist = c->timer == VTCP_PERSIST ? c->rto : 0;
  c->challenge_at = 0;
  c->challenges = 0;
  c->syn_resent = false;
  if (c->timer == VTCP_PERSIST)
    c->retries = c->retries > 0;
  else if (c->timer != VTCP_KEEP_ALIVE)
    c->retries = 0;
}

/* The same but for the configuration, which nothing changes. */
bool same_record(const struct vtcp_conn *a, const struct vtcp_conn *b)
{
  size_t from = offsetof(struct vtcp_conn, timer_at);
  return memcmp((const char *)a + from, (const char *)b + from, sizeof *a - from) == 0;
}

/* Places of the receive buffer that hold nothing are nothing. */
static void clear_buffer(struct state *state, uint8_t end)
{
  const struct vtcp_conn *c = &state->conn[end];
  bool used[MOST_ROOM] = {false};
  for (uint32_t i = 0; i < MOST_ROOM && i < c->rcv_len; i++)
    used[i] = true;
  for (uint32_t r = 0; r < VTCP_RANGES; r++)
    for (uint32_t i = c->held.at[r].from; i < c->held.at[r].to && c->rcv_len + i < MOST_ROOM; i++)
      used[c->rcv_len + i] = true;
  for (uint32_t i = 0; i < MOST_ROOM; i++)
    if (!used[i])
      state->user[end].in[i] = (struct octet){0, 0};
}

/* --- Users --- */

static bool is_wait_over(const struct state *state, uint8_t end, const struct user_call *call)
{
  const struct user *u = &state->user[end];
  if (u->over)
    return true;
  switch (call->kind) {
  case CALL_WAIT_ESTABLISHED: return u->established;
  case CALL_WAIT_TEXT: return received(state, end) >= call->number && u->established;
  case CALL_WAIT_PEER_CLOSED: return u->peer_closed;
  case CALL_WAIT_CLOSED: return false;
  default: return false;
  }
}

/* Waits that are over, and calls about a connection that is, are behind us. */
static void go_on(const struct world *world, struct state *state, uint8_t end)
{
  struct user *u = &state->user[end];
  while (u->call < world->call_count[end]) {
    const struct user_call *call = &world->calls[end][u->call];
    bool wait = call->kind >= CALL_WAIT_ESTABLISHED;
    bool opens = call->kind == CALL_OPEN || call->kind == CALL_LISTEN;
    if (wait ? !is_wait_over(state, end, call) : opens || !u->over)
      return;
    u->call++;
  }
}

static bool can_call(const struct world *world, const struct state *state, uint8_t end)
{
  const struct user *u = &state->user[end];
  const struct vtcp_conn *c = &state->conn[end];
  if (u->call >= world->call_count[end])
    return false;
  const struct user_call *call = &world->calls[end][u->call];
  switch (call->kind) {
  case CALL_OPEN: return c->state == VTCP_CLOSED && u->births < world->iss_count[end];
  case CALL_LISTEN: return c->state == VTCP_CLOSED;
  case CALL_SEND: return c->state > VTCP_LISTEN;
  case CALL_CLOSE:
  case CALL_ABORT: return c->state > VTCP_LISTEN;
  default: return false;
  }
}

static void make_call(const struct world *world, struct state *state, uint8_t end, struct outcome *outcome)
{
  struct user *u = &state->user[end];
  const struct user_call *call = &world->calls[end][u->call];
  static const uint8_t types[] = {VTCP_OPEN_ACTIVE, VTCP_OPEN_PASSIVE, VTCP_SEND, VTCP_CLOSE, VTCP_ABORT};
  struct vtcp_event event = {.type = types[call->kind], .remote = true, .len = call->number, .push = true};
  if (call->kind == CALL_OPEN || call->kind == CALL_LISTEN)
    u->over = u->established = u->peer_closed = u->closed_it = false;
  if (call->kind == CALL_SEND)
    u->given[u->births] = (uint8_t)(u->given[u->births] + call->number);
  if (call->kind == CALL_ABORT)
    state->cut = true;
  u->call++;
  outcome->error = step(world, state, end, event, NULL, false, outcome).error;
  if (call->kind == CALL_SEND && outcome->error != VTCP_OK) {
    u->given[u->births] = (uint8_t)(u->given[u->births] - call->number);
    if (!u->closed_it)
      blame(outcome, end, SEND_REFUSED);
  }
  if (call->kind == CALL_CLOSE)
    u->closed_it = true;
}

/* --- Arrivals --- */

static void check_answers(const struct flying *came, uint8_t before, struct outcome *outcome)
{
  uint32_t answers = 0, resets = 0;
  for (uint32_t i = before; i < outcome->sent_count; i++) {
    answers += is_bare(&outcome->sent[i].seg);
    resets += outcome->sent[i].seg.rst;
  }
  if (answers > 1)
    blame(outcome, came->to, MANY_ANSWERS);
  if (came->seg.rst && resets > 0)
    blame(outcome, came->to, RESET_ANSWERED);
}

static bool ends_by_reset(const struct world *world, const struct state *state, uint8_t was, const struct flying *came,
                          const struct vtcp_actions *a)
{
  bool peace = !state->cut && world->short_outages && came->birth != FORGED;
  return peace && came->seg.rst && a->closed && was >= VTCP_ESTABLISHED && was != VTCP_TIME_WAIT;
}

/* A listener takes a SYN only if it has a number left to answer with. */
static bool is_numberless(const struct world *world, const struct state *state, uint8_t end, const struct flying *came)
{
  return state->conn[end].state == VTCP_LISTEN && came->seg.syn && !came->seg.has_ack && !came->seg.rst
         && state->user[end].births >= world->iss_count[end];
}

static void arrive(const struct world *world, struct state *state, const struct flying *came, struct outcome *outcome)
{
  uint8_t end = came->to, was = state->conn[end].state, sent = outcome->sent_count;
  struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = came->seg};
  outcome->arrived = true;
  outcome->came = *came;
  if (is_numberless(world, state, end, came)) {
    outcome->no_number = true;
    state->spent = true;
    return;
  }
  struct vtcp_actions a = step(world, state, end, event, came, false, outcome);
  check_answers(came, sent, outcome);
  if (ends_by_reset(world, state, was, came, &a))
    blame(outcome, end, RESET_IN_PEACE);
  if (world->two_way && was == VTCP_LISTEN && state->conn[end].state == VTCP_SYN_RECEIVED)
    shake_two(world, state, end, outcome);
  if (world->three_segments && state->conn[end].state == VTCP_CLOSE_WAIT && a.peer_closed)
    close_three(world, state, end, outcome);
  if (world->reads == READS_AT_ONCE && can_read(&state->conn[end]))
    read_all(world, state, end, outcome);
}

/* Nothing of the victim may change but what a challenge costs (RFC 5961). */
static void attack(const struct world *world, struct state *state, uint8_t end, uint32_t at, struct outcome *outcome)
{
  struct flying forged;
  struct vtcp_conn before = state->conn[end];
  enum attack kind = forge(world, state, end, at, &forged);
  if (kind == ATTACKS)
    return;
  if (world->attacks != ANY)
    state->attacks++;
  arrive(world, state, &forged, outcome);
  struct vtcp_conn after = state->conn[end];
  forget_time(&after);
  if (!same_record(&before, &after))
    blame(outcome, end, ATTACK_WORKED);
}

/* --- Moves --- */

static bool is_fast(const struct vtcp_conn *c)
{
  return c->timer == VTCP_RETRANSMISSION || c->timer == VTCP_PERSIST || c->timer == VTCP_OVERRIDE;
}

static bool can_expire(const struct world *world, const struct state *state, uint8_t end)
{
  const struct vtcp_conn *c = &state->conn[end];
  if (c->timer == VTCP_NO_TIMER)
    return false;
  if (c->timer != VTCP_TIME_WAIT_TIMER)
    return world->timeouts == ANY || state->timeouts < world->timeouts;
  if (world->short_outages && (state->flying_count > 0 || is_fast(&state->conn[!end])))
    return false;
  for (uint32_t i = 0; i < state->flying_count; i++)
    if ((state->flying[i].stale & (1 << end)) != 0)
      return false;
  return true;
}

static uint32_t add(struct move out[MOST_MOVES], uint32_t count, uint8_t kind, uint8_t end, uint32_t at)
{
  if (count < MOST_MOVES)
    out[count++] = (struct move){kind, end, (uint8_t)at};
  return count;
}

/* What the users may do. */
static uint32_t user_moves(const struct world *world, const struct state *state, struct move out[MOST_MOVES],
                           uint32_t n)
{
  for (uint8_t e = 0; e < 2; e++) {
    if (can_call(world, state, e))
      n = add(out, n, MOVE_CALL, e, 0);
    if (world->reads == READS_LATER && can_read(&state->conn[e]))
      n = add(out, n, MOVE_READ, e, 0);
  }
  return n;
}

static bool is_first(const struct state *state, uint32_t at)
{
  for (uint32_t i = 0; i < at; i++)
    if (state->flying[i].to == state->flying[at].to)
      return false;
  return true;
}

static uint32_t arrivals(const struct world *world, const struct state *state, struct move out[MOST_MOVES], uint32_t n)
{
  for (uint32_t i = 0; i < state->flying_count; i++)
    if (world->reorders || is_first(state, i))
      n = add(out, n, MOVE_DELIVER, state->flying[i].to, i);
  return n;
}

static bool is_left(uint8_t bound, uint8_t used)
{
  return bound == ANY || used < bound;
}

/* All that can happen next. */
uint32_t moves(const struct world *world, const struct state *state, struct move out[MOST_MOVES])
{
  uint32_t n = arrivals(world, state, out, user_moves(world, state, out, 0));
  for (uint32_t i = 0; i < state->flying_count; i++) {
    if (is_left(world->duplicates, state->duplicated) && (world->reorders || is_first(state, i)))
      n = add(out, n, MOVE_COPY, state->flying[i].to, i);
    if (is_left(world->loses, state->lost))
      n = add(out, n, MOVE_LOSE, state->flying[i].to, i);
  }
  for (uint8_t e = 0; e < 2; e++) {
    if (can_expire(world, state, e))
      n = add(out, n, MOVE_TIMEOUT, e, 0);
    const struct vtcp_conn *c = &state->conn[e];
    if (world->gives_up && (c->timer == VTCP_RETRANSMISSION || (c->timer == VTCP_PERSIST && c->retries > 0)))
      n = add(out, n, MOVE_GIVE_UP, e, 0);
    struct flying forged;
    for (uint32_t i = 0; i < attack_count(world, state, e); i++)
      if (forge(world, state, e, i, &forged) != ATTACKS)
        n = add(out, n, MOVE_ATTACK, e, i);
  }
  return n;
}

/* All that can happen next in a fair network: what is on its way arrives, and users act, before a timer expires; 2 MSL are
 * longer than any timer that sends again. */
uint32_t fair_moves(const struct world *world, const struct state *state, struct move out[MOST_MOVES])
{
  uint32_t n = arrivals(world, state, out, user_moves(world, state, out, 0));
  bool fast = is_fast(&state->conn[0]) || is_fast(&state->conn[1]);
  if (n > 0)
    return n;
  for (uint8_t e = 0; e < 2; e++)
    if (can_expire(world, state, e) && (!fast || is_fast(&state->conn[e])))
      n = add(out, n, MOVE_TIMEOUT, e, 0);
  return n;
}

static void carry(const struct world *world, struct state *state, struct move move, struct outcome *outcome)
{
  struct flying came = state->flying[move.at];
  if (move.kind == MOVE_COPY) {
    if (world->duplicates != ANY)
      state->duplicated++;
  } else {
    remove_flying(state, move.at);
  }
  if (move.kind == MOVE_LOSE) {
    outcome->came = came;
    if (world->loses != ANY)
      state->lost++;
  } else {
    arrive(world, state, &came, outcome);
  }
}

/* The timer of this end expires; or R2 has passed. */
static void expire(const struct world *world, struct state *state, uint8_t end, bool give_up, struct outcome *outcome)
{
  struct vtcp_event event = {.type = VTCP_TIMEOUT, .now = now + 1};
  if (give_up) {
    state->conn[end].progress_at = 0;
    state->cut = true;
  } else if (world->timeouts != ANY && state->conn[end].timer != VTCP_TIME_WAIT_TIMER) {
    state->timeouts++;
  }
  step(world, state, end, event, NULL, false, outcome);
}

/* Where only so much may be lost, a move that would send more than the network holds is left out. */
bool is_left_out(const struct world *world, const struct outcome *outcome)
{
  return outcome->full && world->loses != ANY;
}

void make_move(const struct world *world, struct state *state, struct move move, struct outcome *outcome)
{
  uint64_t timer_before[2] = {state->conn[0].timer_at, state->conn[1].timer_at};
  memset(outcome, 0, offsetof(struct outcome, sent_lost));
  switch (move.kind) {
  case MOVE_CALL: make_call(world, state, move.end, outcome); break;
  case MOVE_READ: read_all(world, state, move.end, outcome); break;
  case MOVE_DELIVER:
  case MOVE_COPY:
  case MOVE_LOSE: carry(world, state, move, outcome); break;
  case MOVE_TIMEOUT: expire(world, state, move.end, false, outcome); break;
  case MOVE_GIVE_UP: expire(world, state, move.end, true, outcome); break;
  case MOVE_ATTACK: attack(world, state, move.end, move.at, outcome); break;
  }
  if (world->no_time_wait && state->conn[move.end].state == VTCP_TIME_WAIT)
    end_time_wait(world, state, move.end, outcome);
  for (uint8_t e = 0; e < 2; e++) {
    if (!world->short_outages && !world->no_time_wait)
      mark_stale(state, e, timer_before[e]);
    forget_time(&state->conn[e]);
    clear_buffer(state, e);
    go_on(world, state, e);
  }
}

void state_begin(const struct world *world, struct state *state)
{
  memset(state, 0, sizeof *state);
  for (int e = 0; e < 2; e++)
    vtcp_init(&state->conn[e], &world->config);
  for (uint32_t i = 0; i < world->old_count && i < world->holds; i++)
    state->flying[state->flying_count++] = world->old[i];
}
