/* Steps of a machine, and the calls that its endpoint must have made. The machine's own window may be shorter than the one
 * that the real endpoint used: then it is brought along with acknowledgments of what it has sent.
 * SPDX-License-Identifier: MIT */
#include "machine.h"

enum { MOST_STEPS = 1 << 22 };

bool spend(struct run *run)
{
  if (++run->steps <= MOST_STEPS)
    return true;
  run->side[0].known = run->side[1].known = false;
  return false;
}

/* An edge of the state diagram. Ends that figure 5 leaves out for legibility (note 3) are a kind of their own. */
void take_edge(uint16_t taken[STATES], uint8_t was, uint8_t state, const struct vtcp_event *event)
{
  bool late = event->type == VTCP_TIMEOUT && was != VTCP_TIME_WAIT;
  bool ends = late || event->type == VTCP_ABORT || event->type == VTCP_ICMP
              || (event->type == VTCP_ARRIVES && (event->seg.rst || was == VTCP_SYN_RECEIVED));
  if (state != was)
    taken[was] |= (uint16_t)(1u << (state == VTCP_CLOSED && ends ? (int)ENDED : state));
}

static int64_t near_place(uint32_t seq, uint32_t isn, int64_t near)
{
  uint32_t ahead = seq - isn - (uint32_t)near;
  return near + (ahead < 0x80000000u ? (int64_t)ahead : (int64_t)ahead - ((int64_t)1 << 32));
}

bool synchronized(const struct machine *m)
{
  return m->tcb.state >= VTCP_ESTABLISHED;
}

static void step_once(struct run *run, uint8_t side, const struct vtcp_event *event, struct vtcp_actions *actions)
{
  struct machine *m = &run->side[side];
  uint8_t was = m->tcb.state;
  vtcp_step(&m->tcb, event, actions);
  take_edge(run->conn->taken[side], was, m->tcb.state, event);
  if (!m->restarted && m->tcb.state >= VTCP_SYN_RECEIVED)
    m->received = near_place(m->tcb.rcv_nxt, run->conn->side[!side].isn, m->received);
}

static void run_on(struct run *run, uint8_t side, struct vtcp_actions *actions)
{
  struct vtcp_event event = {.now = run->now, .type = VTCP_MORE};
  for (uint32_t i = 0; actions->more && i < 65536; i++)
    step_once(run, side, &event, actions);
}

/* One step, and all that follows from it at once. */
struct vtcp_actions step(struct run *run, uint8_t side, struct vtcp_event event)
{
  struct vtcp_actions first, next;
  event.now = run->now;
  step_once(run, side, &event, &first);
  next = first;
  run_on(run, side, &next);
  if (first.readable > 0 || next.readable > 0) {
    struct vtcp_event read = {.now = run->now, .type = VTCP_RECEIVE, .len = UINT32_MAX};
    step_once(run, side, &read, &next);
    run_on(run, side, &next);
  }
  return first;
}

struct vtcp_actions call(struct run *run, uint8_t side, uint8_t type, uint32_t number)
{
  struct vtcp_event event = {.type = type, .remote = true, .iss = number, .len = number, .push = true};
  return step(run, side, event);
}

void arrive(struct run *run, uint8_t side, struct vtcp_segment seg)
{
  struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = seg, .iss = run->conn->side[side].isn};
  step(run, side, event);
}

/* The machine's own window may be shorter than the one that the real sender used: acknowledge what it has sent, so that it
 * sends on. No further than `until`. */
void send_on(struct run *run, uint8_t side, int64_t until)
{
  struct machine *m = &run->side[side];
  uint32_t target = run->conn->side[side].isn + (uint32_t)until;
  for (uint32_t i = 0; i < 65536 && synchronized(m) && !m->restarted; i++) {
    uint32_t missing = target - m->tcb.snd_nxt;
    if (missing == 0 || missing >= 0x80000000u)
      return;
    struct vtcp_event event = {.type = VTCP_ARRIVES};
    uint32_t before = m->tcb.snd_nxt, una = m->tcb.snd_una;
    event.seg.seq = m->tcb.rcv_nxt;
    event.seg.ack = m->tcb.snd_nxt;
    event.seg.has_ack = true;
    event.seg.wnd = UINT16_MAX;
    if (!spend(run))
      return;
    step(run, side, event);
    if (m->tcb.snd_nxt == before && m->tcb.snd_una == una)
      return;
  }
}

static void give_text(struct run *run, uint8_t side, int64_t until)
{
  struct machine *m = &run->side[side];
  while (m->given < until) {
    uint32_t part = until - m->given > 1 << 29 ? 1u << 29 : (uint32_t)(until - m->given);
    uint8_t error = call(run, side, VTCP_SEND, part).error;
    if (error == VTCP_INSUFFICIENT_RESOURCES) {
      send_on(run, side, m->given);
      error = call(run, side, VTCP_SEND, part).error;
    }
    if (error != VTCP_OK)
      return;
    m->given += part;
  }
}

static void give_close(struct run *run, uint8_t side)
{
  struct machine *m = &run->side[side];
  if (m->closed_given || m->tcb.state < VTCP_SYN_RECEIVED)
    return;
  m->closed_given = true;
  if (call(run, side, VTCP_CLOSE, 0).error == VTCP_OK)
    m->given++;
}

/* All that lies before this place of the stream, its FIN included if the capture shows one there. */
void give_up_to(struct run *run, uint8_t side, int64_t until)
{
  const struct stream *own = &run->conn->side[side];
  bool fin = own->fin_end >= 0 && until >= own->fin_end;
  give_text(run, side, fin ? own->fin : until);
  if (fin)
    give_close(run, side);
}
