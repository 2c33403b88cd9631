/* Two machines live through the connection: each is given the calls that its endpoint must have made and the segments that
 * it must have received, so the states shown are those of vtcp_step.
 *
 * The machines are brought along where a real endpoint is free to differ: their receive buffers are always read empty,
 * windows above 64 KiB are shown to them as 64 KiB, and an acknowledgment of more than they could send under such a window
 * is given to them in several steps. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "work.h"

#include <stdlib.h>
#include <string.h>

static void deliver(struct run *run, uint32_t index);

static void release_held(struct run *run, uint8_t side)
{
  struct machine *m = &run->side[side];
  for (uint32_t i = 0; i < m->held_count;) {
    uint32_t index = m->held[i];
    if (run->conn->packets[index].start > m->received) {
      i++;
      continue;
    }
    m->held[i] = m->held[--m->held_count];
    deliver(run, index);
    i = 0;
  }
}

/* Text, and at last a FIN, that the capture lacks but `side` has acknowledged. */
static void receive_unseen(struct run *run, uint8_t side, int64_t until)
{
  struct machine *m = &run->side[side];
  const struct stream *peer = &run->conn->side[!side];
  release_held(run, side);
  for (uint32_t i = 0; i < 65536 && synchronized(m) && m->received < until; i++) {
    struct vtcp_event event = {.type = VTCP_ARRIVES};
    int64_t before = m->received, missing = until - m->received;
    bool fin = peer->fin_end >= 0 && until >= peer->fin_end;
    if (fin)
      missing--;
    event.seg.len = (uint16_t)(missing > 32768 ? 32768 : missing);
    event.seg.fin = fin && missing <= 32768;
    event.seg.seq = m->tcb.rcv_nxt;
    event.seg.ack = m->tcb.snd_una;
    event.seg.has_ack = true;
    event.seg.wnd = UINT16_MAX;
    if (!spend(run))
      return;
    step(run, side, event);
    release_held(run, side);
    if (m->received == before)
      return;
  }
}

static bool same_answer(const struct vtcp_segment *made, const struct vtcp_segment *seen)
{
  if (made->rst != seen->rst || made->seq != seen->seq)
    return false;
  return !made->has_ack || (seen->has_ack && made->ack == seen->ack);
}

/* Recognises what the machine, too, had to answer: a reset, or a challenge ACK (RFC 9293, 3.10.7.4). */
static void recognise(struct run *run, uint32_t index)
{
  struct packet *p = &run->conn->packets[index];
  struct machine *m = &run->side[p->from];
  if (!m->has_answer)
    return;
  bool bare = p->seg.len == 0 && !p->seg.syn && !p->seg.fin;
  if (p->seg.rst && m->answer.rst && same_answer(&m->answer, &p->seg)) {
    p->marks |= MARK_ANSWER;
    p->cause = m->answered;
  } else if (bare && !p->seg.rst && m->challenged && p->seg.ack - m->answer.ack < 0x80000000u) {
    p->marks = (p->marks & ~(uint32_t)(MARK_DUPLICATE_ACK | MARK_WINDOW_UPDATE)) | MARK_CHALLENGE;
    p->cause = m->answered;
  }
  m->has_answer = false;
}

static void send_reset(struct run *run, uint32_t index)
{
  const struct packet *p = &run->conn->packets[index];
  struct machine *m = &run->side[p->from];
  if ((p->marks & (MARK_ANSWER | MARK_IGNORED)) != 0 || m->tcb.state == VTCP_CLOSED)
    return;
  if (m->tcb.state == VTCP_LISTEN || goes_on(run->conn, index, p->from))
    return;
  call(run, p->from, VTCP_ABORT, 0);
}

/* A SYN with another number: its sender has lost the connection, unless it goes on with it. */
static void send_foreign(struct run *run, uint32_t index)
{
  struct packet *p = &run->conn->packets[index];
  struct machine *m = &run->side[p->from];
  if (!p->seg.syn || p->seg.has_ack || p->seg.rst || goes_on(run->conn, index, p->from))
    return;
  p->marks |= MARK_RESTART;
  if (m->restarted && m->tcb.state == VTCP_SYN_SENT && m->tcb.iss == p->seg.seq)
    return;
  struct vtcp_config config = m->tcb.cfg;
  if (vtcp_init(&m->tcb, &config) != VTCP_CONFIG_OK)
    return;
  m->restarted = true;
  m->held_count = 0;
  call(run, p->from, VTCP_OPEN_ACTIVE, p->seg.seq);
}

/* An endpoint that goes on as if the handshake were done has received the rest of it, captured or not. */
static void complete_handshake(struct run *run, const struct packet *p)
{
  const struct stream *own = &run->conn->side[p->from], *peer = &run->conn->side[!p->from];
  struct machine *m = &run->side[p->from];
  struct vtcp_segment rest = {.seq = peer->isn, .ack = own->isn + 1, .wnd = UINT16_MAX, .syn = true, .has_ack = true};
  if (p->seg.rst || !p->seg.has_ack || m->restarted || (p->seg.syn && m->tcb.state != VTCP_LISTEN))
    return;
  if (m->tcb.state == VTCP_LISTEN) {
    rest.has_ack = false;
  } else if (m->tcb.state == VTCP_SYN_RECEIVED && !peer->present) {
    rest.seq++;
    rest.syn = false;
  } else if (m->tcb.state != VTCP_SYN_SENT) {
    return;
  }
  arrive(run, p->from, rest);
}

static void send_stage(struct run *run, uint32_t index)
{
  struct packet *p = &run->conn->packets[index];
  struct machine *m = &run->side[p->from];
  if (!m->known || (p->marks & MARK_DUPLICATE) != 0)
    return;
  if ((p->marks & MARK_FOREIGN) != 0 && !p->seg.rst) {
    send_foreign(run, index);
    return;
  }
  complete_handshake(run, p);
  if (p->seg.has_ack && !p->seg.rst && synchronized(m) && !m->restarted)
    receive_unseen(run, p->from, p->ack);
  recognise(run, index);
  if (p->seg.rst) {
    send_reset(run, index);
    return;
  }
  if (m->restarted)
    return;
  if (p->seg.syn && m->tcb.state == VTCP_CLOSED && !p->seg.has_ack)
    call(run, p->from, VTCP_OPEN_ACTIVE, run->conn->side[p->from].isn);
  if ((p->marks & MARK_PROBE) == 0 || p->seg.len > 0)
    give_up_to(run, p->from, p->end);
}

/* --- What an endpoint received --- */

/* The machine must have sent what is acknowledged to it, though the capture may lack it. */
static void catch_up(struct run *run, uint8_t side, const struct packet *p)
{
  struct machine *m = &run->side[side];
  if (!p->seg.has_ack || m->restarted || !synchronized(m))
    return;
  if (p->ack > m->given && (p->marks & MARK_UNSEEN) != 0
      && !is_unsent(run->conn, (uint32_t)(p - run->conn->packets), p->ack)) {
    give_up_to(run, side, p->ack);
  }
  send_on(run, side, p->ack < m->given ? p->ack : m->given);
}

static void make_event(const struct run *run, uint8_t side, const struct packet *p, struct vtcp_event *event)
{
  const struct machine *m = &run->side[side];
  *event = (struct vtcp_event){.type = VTCP_ARRIVES, .seg = p->seg, .iss = run->conn->side[side].isn};
  struct vtcp_segment *seg = &event->seg;
  seg->has_mss = seg->has_wscale = seg->has_ts = seg->sack_permitted = seg->has_uto = false;
  seg->sack_count = 0;
  seg->wnd = p->window > UINT16_MAX ? UINT16_MAX : (uint16_t)p->window;
  /* A SYN,ACK may acknowledge text that came with the SYN (RFC 7413); the machine sends its text after the handshake. */
  if (seg->syn && seg->has_ack && m->tcb.state == VTCP_SYN_SENT && p->ack > 1 && p->ack <= m->given)
    seg->ack = m->tcb.snd_nxt;
}

/* Whether the machine keeps all of a segment that came before its turn: it may have less room than the real endpoint. */
static bool is_kept(const struct machine *m, const struct vtcp_segment *seg, const struct vtcp_actions *actions)
{
  return actions->store_len == seg->len && (!seg->fin || m->tcb.fin_end != 0 || actions->peer_closed);
}

static void hold(struct machine *m, uint32_t index)
{
  if (m->held_count == HELD)
    return;
  if (m->held_count == m->held_room)
    m->held = enlarged(m->held, &m->held_room, sizeof *m->held);
  m->held[m->held_count++] = index;
}

static void deliver(struct run *run, uint32_t index)
{
  const struct packet *p = &run->conn->packets[index];
  uint8_t side = !p->from;
  struct machine *m = &run->side[side];
  struct vtcp_event event;
  if (!m->known)
    return;
  bool placed = (p->marks & MARK_FOREIGN) == 0 && !m->restarted;
  if (placed)
    catch_up(run, side, p);
  make_event(run, side, p, &event);
  bool early = placed && synchronized(m) && p->start > m->received && p->end > p->start;
  for (int i = 0; i < 64; i++) {
    int64_t before = m->received;
    uint8_t was = m->tcb.state;
    struct vtcp_actions actions = step(run, side, event);
    if (early && !is_kept(m, &event.seg, &actions))
      hold(m, index);
    m->has_answer = actions.send;
    m->challenged = was >= VTCP_ESTABLISHED && m->tcb.state == was && (p->seg.rst || (p->seg.syn && !p->seg.has_ack));
    m->answer = actions.seg;
    m->answered = index;
    bool rest = placed && synchronized(m) && p->end > m->received && p->start <= m->received && !p->seg.rst;
    if (!rest || m->received == before)
      break;
  }
  if (placed)
    release_held(run, side);
}

/* --- The whole connection --- */

static const struct packet *first_of(const struct connection *conn, uint8_t side)
{
  for (uint32_t i = 0; i < conn->count; i++)
    if (conn->packets[i].from == side)
      return &conn->packets[i];
  return NULL;
}

static bool only_resets(const struct connection *conn, uint8_t side)
{
  for (uint32_t i = 0; i < conn->count; i++)
    if (conn->packets[i].from == side && !conn->packets[i].seg.rst)
      return false;
  return true;
}

/* The handshake that the capture did not show. */
static void establish(struct run *run, uint8_t side)
{
  const struct stream *own = &run->conn->side[side], *peer = &run->conn->side[!side];
  struct vtcp_segment syn_ack = {
      .seq = peer->isn, .ack = own->isn + 1, .wnd = UINT16_MAX, .syn = true, .has_ack = true};
  call(run, side, VTCP_OPEN_ACTIVE, own->isn);
  arrive(run, side, syn_ack);
}

static bool acknowledges_later(const struct connection *conn, uint8_t side)
{
  for (uint32_t i = 0; i < conn->count; i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from == side && p->seg.has_ack && !p->seg.rst && !p->seg.syn)
      return true;
  }
  return false;
}

/* The right endpoint answers the captured opening, or its answer tells that it was not listening. */
static void begin_right(struct run *run)
{
  const struct packet *first = first_of(run->conn, 1);
  struct machine *right = &run->side[1];
  if (first == NULL || first->seg.rst)
    return;
  if (first->seg.syn && !first->seg.has_ack)
    return;
  if (first->seg.syn || acknowledges_later(run->conn, 0))
    call(run, 1, VTCP_OPEN_PASSIVE, 0);
  else
    right->known = false;
}

static void begin(struct run *run)
{
  struct connection *conn = run->conn;
  const struct vtcp_segment *first = &conn->packets[0].seg;
  struct vtcp_config config = vtcp_config_default();
  config.rcv_buf = config.snd_buf = 1u << 30;
  config.default_mss = config.mms_s = UINT16_MAX;
  config.challenge_acks = UINT8_MAX;
  for (uint8_t side = 0; side < 2; side++) {
    struct machine *m = &run->side[side];
    m->known = conn->side[side].present && vtcp_init(&m->tcb, &config) == VTCP_CONFIG_OK;
    m->given = m->received = 1;
  }
  if (conn->syn_first) {
    begin_right(run);
  } else if (first->syn && first->has_ack && !first->rst) {
    struct vtcp_segment syn = {.seq = conn->side[0].isn, .wnd = UINT16_MAX, .syn = true};
    if (run->side[0].known)
      call(run, 0, VTCP_OPEN_ACTIVE, conn->side[0].isn);
    call(run, 1, VTCP_OPEN_PASSIVE, 0);
    arrive(run, 1, syn);
  } else {
    for (uint8_t side = 0; side < 2; side++)
      if (run->side[side].known && !only_resets(conn, side))
        establish(run, side);
    memset(conn->taken, 0, sizeof conn->taken); /* nothing of that was seen */
  }
}

static void pass_time(struct run *run, uint64_t now)
{
  if (now > run->now)
    run->now = now;
  for (uint8_t side = 0; side < 2; side++) {
    struct machine *m = &run->side[side];
    if (m->known && m->tcb.state == VTCP_TIME_WAIT && vtcp_deadline(&m->tcb) <= run->now)
      call(run, side, VTCP_TIMEOUT, 0);
  }
}

/* Lists of the packets that arrive after one, in the capture's order. */
static void sort_arrivals(struct connection *conn, uint32_t from, uint32_t until)
{
  for (uint32_t i = from; i < until; i++) {
    uint32_t after = conn->packets[i].arrives;
    if (after >= conn->count)
      continue;
    struct packet *p = &conn->packets[after];
    if (p->first_arrival == NOWHERE)
      p->first_arrival = i;
    else
      conn->packets[p->last_arrival].next_arrival = i;
    p->last_arrival = i;
  }
}

static uint8_t state_of(const struct machine *m)
{
  return m->known ? m->tcb.state : (uint8_t)NO_STATE;
}

void replay(struct connection *conn, uint32_t until)
{
  struct work *work = conn->work;
  struct run *run = &work->run;
  run->conn = conn;
  sort_arrivals(conn, work->done, until);
  if (!work->machines_begun)
    begin(run);
  work->machines_begun = true;
  for (uint32_t i = work->done; i < until; i++) {
    struct packet *p = &conn->packets[i];
    pass_time(run, p->us > conn->began ? p->us - conn->began : 0);
    send_stage(run, i);
    for (uint32_t k = p->first_arrival; k != NOWHERE; k = conn->packets[k].next_arrival)
      deliver(run, k);
    for (uint8_t side = 0; side < 2; side++)
      p->state[side] = conn->final[side] = state_of(&run->side[side]);
  }
  conn->given_up = run->steps > 0 && !run->side[0].known && !run->side[1].known;
}
