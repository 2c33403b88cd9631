/* What an acknowledgment does to what we sent (RFC 9293, 3.10.7.4, fifth check; RFC 6298; RFC 5961, section 5). */
#include "core.h"

/* SND.UNA < SEG.ACK =< SND.NXT */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures acks: \result <==> acks_new(*c, e->seg);
*/
static bool is_new_ack(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  return e->seg.ack != c->snd_una && distance(c->snd_una, e->seg.ack) <= flight(c);
}

/* Whether it covers our FIN. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures acks: \result <==> acks_fin(*c, e->seg);
*/
static bool is_fin_ack(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  return c->fin_sent && !is_fin_acked(c->state) && e->seg.ack == c->snd_nxt && is_new_ack(c, e);
}

/* RFC 5961, section 5: not older than the largest window we ever were offered, and never of octets that we did not send. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures MAY_12: \result <==> acceptable_ack(*c, e->seg);
*/
static bool is_ack_acceptable(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (is_new_ack(c, e))
    return true;
  return c->syn_acked && distance(e->seg.ack, c->snd_una) <= smaller(c->max_snd_wnd, c->acked);
}

/* A running measurement ends when its octet is acknowledged. */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && config_ok(c->cfg);
    requires c->srtt <= 0x40000000 && c->rttvar <= 0x40000000 && acks_new(*c, e->seg);
    assigns *c;
    ensures R6298_sample: *c == with_rtt_sample(\old(*c), e->seg, e->now);
    ensures bounded: c->cfg.rto_min_ms * 1000 <= \old(c->rto) <= c->cfg.rto_max_ms * 1000 ==>
                     c->cfg.rto_min_ms * 1000 <= c->rto <= c->cfg.rto_max_ms * 1000;
    ensures ranges: c->srtt <= 0x40000000 && c->rttvar <= 0x40000000;
    ensures done: c->rtt_running ==> \old(c->rtt_running) && seq_distance(c->snd_una, c->rtt_seq) > newly_acked(*c, e->seg);
    ensures only: *c == { \old(*c) \with .srtt = c->srtt, .rttvar = c->rttvar, .rto = c->rto, .rtt_known = c->rtt_known,
                                          .rtt_running = c->rtt_running };
*/
static void take_rtt_sample(struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (!c->rtt_running || distance(c->snd_una, c->rtt_seq) > distance(c->snd_una, e->seg.ack))
    return;
  uint64_t r = time_since(c->rtt_at, e->now);
  measure(c, r <= 0x40000000 ? (uint32_t)r : 0x40000000);
}

/* The first acknowledgment covers our SYN: the connection is synchronized (RFC 6298 (5.7)). */
/*@ requires \valid(c) && config_ok(c->cfg);
    assigns *c;
    ensures R6298_5_7: *c == with_syn_acked(\old(*c));
    ensures only: *c == { \old(*c) \with .rto = c->rto, .syn_acked = (_Bool)1 };
    ensures bounded: c->cfg.rto_min_ms * 1000 <= \old(c->rto) <= c->cfg.rto_max_ms * 1000 ==>
                     c->cfg.rto_min_ms * 1000 <= c->rto <= c->cfg.rto_max_ms * 1000;
*/
static void note_syn_acked(struct vtcp_conn *c)
{
  if (!c->syn_acked && c->syn_resent)
    c->rto = bounded_rto(c, 3000000);
  c->syn_acked = true;
}

/* SND.UNA <- SEG.ACK; what it covers leaves the send buffer; the timer starts anew. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->state >= VTCP_SYN_SENT && (c->syn_acked || acks_new(*c, e->seg));
    assigns *c, *a;
    ensures refines: *c == after_acknowledged(\old(*c), e->seg, e->now);
    ensures answers: *a == does_acknowledged(\old(*c), e->seg, \old(*a));
    ensures taken: acknowledged(*c, acks_fin(\old(*c), e->seg));
    ensures again: !forced(\old(*c)) ==> !forced(*c);
    ensures kept: only_acknowledges(\old(*c), *e, *c, *a);
    ensures held: c->held == \old(c->held);
    ensures silent: a->send == \old(a->send) && a->seg == \old(a->seg) && a->store_len == \old(a->store_len)
                    && a->delivered == \old(a->delivered) && a->peer_closed == \old(a->peer_closed);
*/
static void acknowledge(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  a->acked = 0;
  a->established = false;
  if (!is_new_ack(c, e))
    return;
  uint32_t count = distance(c->snd_una, e->seg.ack);
  uint32_t octets = count - (c->syn_acked ? 0u : 1u);
  uint32_t text = smaller(octets, c->snd_len);

  a->acked = text;
  a->established = !c->syn_acked;
  take_rtt_sample(c, e);
  note_syn_acked(c);
  if (distance(c->snd_una, c->snd_rtx) < count)
    c->snd_rtx = e->seg.ack;
  c->snd_una = e->seg.ack;
  c->snd_len -= text;
  c->acked = octets <= UINT32_MAX - c->acked ? c->acked + octets : UINT32_MAX;
  c->resend = c->snd_rtx != c->snd_nxt;
  c->timer = VTCP_NO_TIMER;
  /*@ assert flight: in_flight(*c) == \at(in_flight(*c), Pre) - count; */
  /*@ assert rtx: seq_distance(c->snd_una, c->snd_rtx) <= in_flight(*c); */
  /*@ assert estimates: estimates(*c); */
}

/* Whether SND.WND is to be taken from this segment: its acknowledgment is newer than SND.WL2, or the same and its sequence
 * number not older than SND.WL1 (spec/DEVIATIONS.md, reading 12). */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures updates: \result <==> updates_window(*c, e->seg);
*/
static bool is_window_fresh(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (c->state == VTCP_SYN_RECEIVED)
    return true;
  if (e->seg.ack != c->snd_una)
    return false;
  return c->snd_wl2 != e->seg.ack || distance(c->snd_wl1, e->seg.seq) < 0x80000000u;
}

/* SND.WND <- SEG.WND. A closed window that opens has what was sent into it sent again. */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e);
    assigns *c;
    ensures refines: *c == after_window(\old(*c), e->seg);
    ensures kept: acknowledged(\old(*c), \false) ==> acknowledged(*c, \false);
    ensures kept_fin: acknowledged(\old(*c), \true) ==> acknowledged(*c, \true);
    ensures only: only_window(\old(*c), *c);
    ensures again: !forced(\old(*c)) ==> !forced(*c);
    ensures held: c->held == \old(c->held);
*/
static void update_window(struct vtcp_conn *c, const struct vtcp_event *e)
{
  bool was_closed = c->snd_wnd == 0;

  if (is_window_fresh(c, e)) {
    c->snd_wnd = e->seg.wnd;
    c->snd_wl1 = e->seg.seq;
    c->snd_wl2 = e->seg.ack;
    if (c->max_snd_wnd < c->snd_wnd)
      c->max_snd_wnd = c->snd_wnd;
  }
  if (was_closed && c->snd_wnd > 0 && c->snd_una != c->snd_nxt) {
    c->snd_rtx = c->snd_una;
    c->resend = true;
    c->rtt_running = false;
  } else {
    c->resend = c->resend && c->snd_wnd > 0;
  }
}

/* The changes of state that an acknowledgment brings; `fin`: it covers our FIN. */
/*@ requires \valid(c) && VTCP_SYN_RECEIVED <= c->state && acknowledged(*c, fin ? \true : \false);
    requires fin ==> c->state != VTCP_LAST_ACK;
    assigns c->state, c->close_queued;
    ensures refines: *c == moved_by_ack(\old(*c), fin ? \true : \false);
    ensures mid: mid_step(*c) && c->syn_acked;
    ensures again: !forced(\old(*c)) ==> !forced(*c);
*/
static void move_by_ack(struct vtcp_conn *c, bool fin)
{
  if (c->state == VTCP_SYN_RECEIVED)
    c->state = c->close_queued ? VTCP_FIN_WAIT_1 : VTCP_ESTABLISHED;
  else if (fin && c->state == VTCP_FIN_WAIT_1)
    c->state = VTCP_FIN_WAIT_2;
  else if (fin && c->state == VTCP_CLOSING)
    c->state = VTCP_TIME_WAIT;
  c->close_queued = false;
}

/* Every acceptable acknowledgment shows that the peer lives: no window probe is unanswered (MUST-37), and idle time begins
 * anew (MUST-26). */
/*@ requires \valid(c) && vtcp_wf(*c) && c->state >= VTCP_SYN_SENT;
    assigns *c;
    ensures MUST_37: *c == shown_alive(\old(*c));
    ensures mid: mid_step(*c);
*/
static void note_alive(struct vtcp_conn *c)
{
  if (c->timer == VTCP_PERSIST)
    c->retries = 0;
  else if (c->timer == VTCP_KEEP_ALIVE)
    c->timer = VTCP_NO_TIMER;
}

/* The fifth check of an acceptable acknowledgment. Whether the segment goes on: that of our FIN in LAST-ACK ends it all. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires VTCP_SYN_RECEIVED <= c->state && acceptable_ack(*c, e->seg);
    assigns *c, *a;
    ensures goes_on: \result <==> !acks_last(\old(*c), e->seg);
    ensures refines: \result ==> *c == after_ack(\old(*c), *e);
    ensures S3_10_7_4_last: !\result ==> *c == deleted(\old(*c), c->held);
    ensures answers: *a == does_ack(\old(*c), *e, \old(*a));
    ensures wf: !\result ==> vtcp_wf(*c);
    ensures mid: \result ==> mid_step(*c) && c->syn_acked && !forced(*c);
    ensures law: \result ==> law_take_ack(\old(*c), *e, *c, *a);
    ensures silent: a->send == \old(a->send) && a->seg == \old(a->seg) && a->store_len == \old(a->store_len)
                    && a->delivered == \old(a->delivered) && a->peer_closed == \old(a->peer_closed);
*/
static bool take_ack(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  bool fin = is_fin_ack(c, e);

  note_alive(c);
  acknowledge(c, e, a);
  /*@ assert acknowledged: *a == does_acknowledged(\at(*c, Pre), e->seg, \at(*a, Pre)); */
  a->close_done = fin;
  a->closed = fin && c->state == VTCP_LAST_ACK;
  if (a->closed) {
    delete_tcb(c);
    return false;
  }
  update_window(c, e);
  move_by_ack(c, fin);
  return true;
}
