/* What the parts of the core share: blank records, answers, and small questions about a connection. */
#ifndef VTCP_CORE_H
#define VTCP_CORE_H

#include "sequence.h"

static const struct vtcp_actions no_actions = {0};
static const struct vtcp_conn no_conn = {0};
static const struct vtcp_held nothing_held = {0};

/* --- Questions, answered as spec/invariant.acsl and spec/steps.acsl say --- */

/*@ assigns \nothing;
    ensures wanted: \result <==> fin_wanted(state);
*/
static inline bool is_fin_wanted(uint8_t state)
{
  return state == VTCP_FIN_WAIT_1 || state == VTCP_FIN_WAIT_2 || state == VTCP_CLOSING || state == VTCP_LAST_ACK
         || state == VTCP_TIME_WAIT;
}

/*@ assigns \nothing;
    ensures acked: \result <==> fin_acked(state);
*/
static inline bool is_fin_acked(uint8_t state)
{
  return state == VTCP_FIN_WAIT_2 || state == VTCP_TIME_WAIT;
}

/*@ assigns \nothing;
    ensures receiving: \result <==> receiving(state);
*/
static inline bool is_receiving(uint8_t state)
{
  return state == VTCP_ESTABLISHED || state == VTCP_FIN_WAIT_1 || state == VTCP_FIN_WAIT_2;
}

/*@ assigns \nothing;
    ensures done: \result <==> peer_done(state);
*/
static inline bool is_peer_done(uint8_t state)
{
  return state == VTCP_CLOSE_WAIT || state == VTCP_CLOSING || state == VTCP_LAST_ACK || state == VTCP_TIME_WAIT;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures flight: \result == in_flight(*c);
*/
static inline uint32_t flight(const struct vtcp_conn *c)
{
  return distance(c->snd_una, c->snd_nxt);
}

/* SEG.LEN. */
/*@ requires \valid_read(e);
    assigns \nothing;
    ensures length: \result == seg_len(e->seg);
*/
static inline uint32_t segment_length(const struct vtcp_event *e)
{
  if (e->seg.rst)
    return 0;
  return (uint32_t)e->seg.len + (e->seg.syn ? 1u : 0u) + (e->seg.fin ? 1u : 0u);
}

/* --- Answers --- */

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
/*@ requires \valid_read(c) && \valid(a) && \separated(c, a);
    requires c->rcv_wnd <= 65535;
    assigns *a;
    ensures refines: *a == with_ack(\old(*a), *c);
    ensures form: fresh(\old(*a)) ==> is_bare_ack(*c, a->seg);
    ensures silent: tells_nothing(\old(*a), *a) && a->more == \old(a->more);
*/
static void form_ack(const struct vtcp_conn *c, struct vtcp_actions *a)
{
  a->send = true;
  a->seg.seq = c->snd_nxt;
  a->seg.ack = c->rcv_nxt;
  a->seg.has_ack = true;
  a->seg.wnd = (uint16_t)c->rcv_wnd;
}

/* Reset generation (RFC 9293, 3.5.2, group 1; 3.10.7.1). */
/*@ requires \valid_read(e) && \valid(a) && \separated(e, a);
    assigns *a;
    ensures refines: *a == with_rst(\old(*a), e->seg);
*/
static void form_rst(const struct vtcp_event *e, struct vtcp_actions *a)
{
  a->send = true;
  a->seg.rst = true;
  if (e->seg.has_ack) {
    a->seg.seq = e->seg.ack;
    return;
  }
  a->seg.ack = add(e->seg.seq, segment_length(e));
  a->seg.has_ack = true;
}

/* A challenge ACK, if this second's budget allows one more (RFC 5961, section 7). */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a);
    requires c->rcv_wnd <= 65535;
    assigns *c, *a;
    ensures refines: *c == after_challenge(\old(*c), e->now);
    ensures answers: *a == does_challenge(\old(*c), e->now, \old(*a));
    ensures form: fresh(\old(*a)) && a->send ==> is_bare_ack(\old(*c), a->seg);
    ensures silent: tells_nothing(\old(*a), *a) && a->more == \old(a->more);
    ensures same: same_connection(\old(*c), *c) && c->timer_at == \old(c->timer_at);
*/
static void challenge(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (time_since(c->challenge_at, e->now) >= 1000000) {
    c->challenge_at = e->now;
    c->challenges = 0;
  } else if (c->challenges >= c->cfg.challenge_acks) {
    return;
  }
  c->challenges++;
  form_ack(c, a);
}

/* --- Beginning and end --- */

/* Delete the TCB: CLOSED, with the configuration kept. */
/*@ requires \valid(c);
    assigns *c;
    ensures refines: *c == deleted(\old(*c), c->held);
    ensures empty: no_text(c->held);
*/
static void delete_tcb(struct vtcp_conn *c)
{
  struct vtcp_config cfg = c->cfg;

  *c = no_conn;
  c->cfg = cfg;
}

/* MUST-16: what the peer takes and what IP lets us send, header not counted; at least one octet. */
/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures MUST_16: \result == effective_mss(c->cfg, send_mss);
    ensures MUST_16_positive: 1 <= \result;
*/
static uint16_t effective_mss(const struct vtcp_conn *c, uint16_t send_mss)
{
  uint16_t room = (uint16_t)(c->cfg.mms_s - 20);
  uint16_t mss = send_mss <= room ? send_mss : room;

  return mss >= 1 ? mss : 1;
}

/* A new TCB, in the state given, whose SYN is about to leave. */
/*@ requires \valid(c) && config_ok(c->cfg);
    requires state == VTCP_SYN_SENT || state == VTCP_SYN_RECEIVED;
    requires origin <= VTCP_CHILD;
    assigns *c;
    ensures refines: *c == opened(\old(*c), state, origin, iss, c->held);
    ensures mid: mid_step(*c);
*/
static void open_tcb(struct vtcp_conn *c, uint8_t state, uint8_t origin, uint32_t iss)
{
  delete_tcb(c);
  c->state = state;
  c->origin = origin;
  c->iss = iss;
  c->snd_una = iss;
  c->snd_nxt = iss;
  c->snd_rtx = iss;
  c->rcv_wnd = smaller(c->cfg.rcv_buf, 65535);
  c->rto = c->cfg.rto_initial_ms * 1000;
  c->snd_mss = effective_mss(c, c->cfg.default_mss);
}

#endif
