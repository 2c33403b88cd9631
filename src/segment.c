/* SEGMENT ARRIVES in the other states (RFC 9293, 3.10.7.4): the checks, one function each, in the RFC's order.
 * Each returns whether the segment goes on to the next. */
#include "core.h"

/* The table of four rows. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures A_ACC: \result <==> acceptable(*c, e->seg);
*/
static bool is_acceptable(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  uint32_t length = segment_length(e);

  if (c->rcv_wnd == 0)
    return length == 0 && e->seg.seq == c->rcv_nxt;
  if (within(e->seg.seq, c->rcv_nxt, c->rcv_wnd))
    return true;
  return length > 0 && within(add(e->seg.seq, length - 1), c->rcv_nxt, c->rcv_wnd);
}

/* A bare acknowledgment from a peer that has filled our window, or whose window probe is out (spec/DEVIATIONS.md,
 * reading 1; appendix A.2): its text may be lost, its acknowledgment must not be. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures edge: \result <==> edge_ack(*c, e->seg);
*/
static bool is_edge_ack(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (segment_length(e) != 0 || e->seg.rst)
    return false;
  return e->seg.seq == add(c->rcv_nxt, c->rcv_wnd) || (c->rcv_wnd == 0 && e->seg.seq == add(c->rcv_nxt, 1));
}

/* The SYN,ACK of a simultaneous open (figure 7): its SYN is known, its acknowledgment counts. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures MUST_10_syn_ack: \result <==> crossing_syn(*c, e->seg);
*/
static bool is_crossing_syn(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  return c->state == VTCP_SYN_RECEIVED && c->origin == VTCP_ACTIVE && e->seg.syn && e->seg.has_ack && !e->seg.rst
         && !e->seg.fin && e->seg.len == 0 && e->seg.seq == c->irs && is_new_ack(c, e);
}

/* A keep-alive of the peer: an acknowledgment just before what comes next (3.8.4). */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures S3_8_4: \result <==> asks_for_life(*c, e->seg);
*/
static bool is_asking_for_life(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  return e->seg.has_ack && !e->seg.rst && segment_length(e) == 0 && add(e->seg.seq, 1) == c->rcv_nxt
         && is_ack_acceptable(c, e);
}

/* First, the sequence number. An unacceptable segment is answered, a RST is not. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    assigns *c, *a;
    ensures passes: \result <==> passes_sequence(\old(*c), e->seg);
    ensures inside: \result ==> !outside(\old(*c), e->seg);
    ensures outside: !\result && !e->seg.rst && !e->seg.syn ==> outside(\old(*c), e->seg);
    ensures life_shown: doubts_life(\old(*c), e->seg) ==>
                        !\result && (fresh(\old(*a)) ==> a->send && is_bare_ack(\old(*c), a->seg));
    ensures S3_10_7_4_seq: *c == (\result ? \old(*c) : refused_sequence(\old(*c), *e));
    ensures S3_10_7_4_seq_ack: *a == (\result ? \old(*a) : does_refuse_sequence(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures form: !\result && fresh(\old(*a)) && a->send ==> is_bare_ack(\old(*c), a->seg);
    ensures quiet: !\result && fresh(\old(*a)) ==> a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->more
                                                   && !a->peer_closed;
    ensures silent: !\result ==> tells_nothing(\old(*a), *a);
    ensures same: !\result ==> same_connection(\old(*c), *c)
                                && (c->timer_at == \old(c->timer_at)
                                    || (repeats_peers_fin(\old(*c), e->seg)
                                        && c->timer_at == later(e->now, 2 * \old(c->cfg.msl_ms) * 1000)));
*/
static bool check_sequence(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (is_acceptable(c, e) || is_edge_ack(c, e) || is_crossing_syn(c, e))
    return true;
  if (e->seg.rst)
    return false;
  if (e->seg.len == 0 && !e->seg.fin && !is_asking_for_life(c, e)) {
    challenge(c, e, a);
    return false;
  }
  if (c->state == VTCP_TIME_WAIT && e->seg.fin && add(e->seg.seq, segment_length(e)) == c->rcv_nxt)
    restart_time_wait(c, e->now);
  form_ack(c, a);
  return false;
}

/* A SYN-RECEIVED connection that came from LISTEN goes back there (MUST-11); a child ends. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c);
    assigns *c, *a;
    ensures MUST_11: *c == returned(\old(*c), c->held);
    ensures MUST_11_told: *a == does_return(\old(*c), \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures state: c->state == VTCP_CLOSED || c->state == VTCP_LISTEN;
    ensures silent: a->send == \old(a->send) && a->seg == \old(a->seg) && a->acked == \old(a->acked)
                    && a->store_len == \old(a->store_len) && a->delivered == \old(a->delivered) && a->more == \old(a->more)
                    && a->peer_closed == \old(a->peer_closed);
*/
static void return_to_listen(struct vtcp_conn *c, struct vtcp_actions *a)
{
  bool relisten = c->origin == VTCP_PASSIVE && !c->close_queued;

  delete_tcb(c);
  if (relisten) {
    c->state = VTCP_LISTEN;
    c->origin = VTCP_PASSIVE;
    a->relisten = true;
  } else {
    a->closed = true;
  }
}

/* A RST at RCV.NXT: what it does in each state. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c) && \valid_read(e) && \separated(c, e, a);
    requires c->state >= VTCP_SYN_RECEIVED && e->seg.seq == c->rcv_nxt && !rst_ignored(*c);
    assigns *c, *a;
    ensures S3_10_7_4_rst: *c == after_rst(\old(*c), *e, c->held);
    ensures MUST_12: *a == does_rst(\old(*c), *e, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures state: c->state == VTCP_CLOSED || (c->state == VTCP_LISTEN && \old(c->state) == VTCP_SYN_RECEIVED);
    ensures silent: a->send == \old(a->send) && a->seg == \old(a->seg) && a->acked == \old(a->acked)
                    && a->store_len == \old(a->store_len) && a->delivered == \old(a->delivered) && a->more == \old(a->more)
                    && a->peer_closed == \old(a->peer_closed);
*/
static void reset_connection(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  (void)e;
  if (c->state == VTCP_SYN_RECEIVED && c->origin != VTCP_ACTIVE) {
    return_to_listen(c, a);
    return;
  }
  if (c->state == VTCP_SYN_RECEIVED)
    a->refused = true;
  else if (c->state != VTCP_CLOSING && c->state != VTCP_LAST_ACK && c->state != VTCP_TIME_WAIT)
    a->reset = true;
  a->closed = true;
  delete_tcb(c);
}

/* Second, the RST bit: only the exact sequence number resets (RFC 5961, section 3). */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    assigns *c, *a;
    ensures passes: \result <==> !e->seg.rst;
    ensures R5961_exact: *c == (\result ? \old(*c) : after_rst(\old(*c), *e, c->held));
    ensures R5961_answer: *a == (\result ? \old(*a) : does_rst(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures form: !\result && fresh(\old(*a)) && a->send ==> is_bare_ack(\old(*c), a->seg);
    ensures quiet: !\result && fresh(\old(*a)) ==> a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->more
                                                   && !a->peer_closed;
    ensures same: !\result && e->seg.seq != \old(c->rcv_nxt) ==>
                  untouched(\old(*c), *c);
    ensures state: !\result ==> c->state == VTCP_CLOSED || untouched(\old(*c), *c)
                                || (c->state == VTCP_LISTEN && \old(c->state) == VTCP_SYN_RECEIVED);
    ensures R1337: !\result && \old(c->state) == VTCP_TIME_WAIT && c->cfg.rfc1337 ==> c->state == VTCP_TIME_WAIT;
*/
static bool check_rst(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (!e->seg.rst)
    return true;
  if (c->state == VTCP_TIME_WAIT && c->cfg.rfc1337)
    return false;
  if (e->seg.seq == c->rcv_nxt)
    reset_connection(c, e, a);
  else
    challenge(c, e, a);
  return false;
}

/* Fourth, the SYN bit (RFC 5961, section 4). */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    assigns *c, *a;
    ensures passes: \result <==> !stops_at_syn(\old(*c), e->seg);
    ensures crossing: \result && e->seg.syn ==>
                      c->state == VTCP_SYN_RECEIVED && e->seg.has_ack && e->seg.seq == c->irs;
    ensures R5961_syn: *c == (\result ? \old(*c) : after_syn(\old(*c), *e, c->held));
    ensures R5961_syn_answer: *a == (\result ? \old(*a) : does_syn(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures form: !\result && fresh(\old(*a)) && a->send ==> is_bare_ack(\old(*c), a->seg);
    ensures quiet: !\result && fresh(\old(*a)) ==> a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->more
                                                   && !a->peer_closed;
    ensures state: !\result ==> untouched(\old(*c), *c)
                   || (\old(c->state) == VTCP_SYN_RECEIVED && (c->state == VTCP_CLOSED || c->state == VTCP_LISTEN));
*/
static bool check_syn(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (!e->seg.syn || is_crossing_syn(c, e))
    return true;
  if (c->state == VTCP_SYN_RECEIVED && c->origin != VTCP_ACTIVE && within(e->seg.seq, c->rcv_nxt, c->rcv_wnd))
    return_to_listen(c, a);
  else
    challenge(c, e, a);
  return false;
}

/* Fifth, the ACK field. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    assigns *c, *a;
    ensures passes: \result <==> e->seg.has_ack && acceptable_ack(\old(*c), e->seg) && !acks_last(\old(*c), e->seg);
    ensures none: !e->seg.has_ack ==> *c == \old(*c) && *a == \old(*a);
    ensures refuses: e->seg.has_ack && !acceptable_ack(\old(*c), e->seg) ==> *c == refused_ack(\old(*c), *e);
    ensures refuses_answer: e->seg.has_ack && !acceptable_ack(\old(*c), e->seg) ==>
                            *a == does_refuse_ack(\old(*c), *e, \old(*a));
    ensures S3_10_7_4_last: ends_here(\old(*c), e->seg) ==> *c == deleted(\old(*c), c->held);
    ensures S3_10_7_4_ack: \result ==> *c == after_ack(\old(*c), *e);
    ensures S3_10_7_4_ack_answer: e->seg.has_ack && acceptable_ack(\old(*c), e->seg) ==> *a == does_ack(\old(*c), *e, \old(*a));
    ensures mid: \result ==> mid_step(*c) && c->syn_acked && !forced(*c);
    ensures wf: !\result ==> vtcp_wf(*c);
    ensures law: \result ==> law_take_ack(\old(*c), *e, *c, *a);
    ensures silent: \result ==> a->send == \old(a->send) && a->seg == \old(a->seg)
                    && a->store_len == \old(a->store_len) && a->delivered == \old(a->delivered)
                    && a->peer_closed == \old(a->peer_closed);
    ensures same: !\result && !ends_here(\old(*c), e->seg) ==> untouched(\old(*c), *c) && a->acked == \old(a->acked);
    ensures quiet: !\result && fresh(\old(*a)) ==> a->store_len == 0 && a->delivered == 0 && !a->more && !a->peer_closed
                                                   && law_sent(*c, *a);
*/
static bool check_ack(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (!e->seg.has_ack)
    return false;
  if (is_ack_acceptable(c, e))
    return take_ack(c, e, a);
  if (c->state == VTCP_SYN_RECEIVED)
    form_rst(e, a);
  else
    challenge(c, e, a);
  return false;
}

/* The fifth check and those after it, of a segment that passed the first four. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    requires e->type == VTCP_ARRIVES && fresh(*a);
    requires passes_sequence(*c, e->seg) && !outside(*c, e->seg) && !e->seg.rst && !stops_at_syn(*c, e->seg);
    requires e->seg.syn ==> c->state == VTCP_SYN_RECEIVED && e->seg.has_ack && e->seg.seq == c->irs;
    assigns *c, *a;
    ensures S3_10_7_4: *c == after_fifth(\old(*c), *e, c->held, a->delivered);
    ensures no_ack_answer: !e->seg.has_ack ==> *a == \old(*a);
    ensures bad_ack_answer: e->seg.has_ack && !acceptable_ack(\old(*c), e->seg) ==>
                            *a == does_refuse_ack(\old(*c), *e, \old(*a));
    ensures last_ack_answer: ends_here(\old(*c), e->seg) ==> *a == does_ack(\old(*c), *e, \old(*a));
    ensures ack_answer: e->seg.has_ack && acceptable_ack(\old(*c), e->seg) && !acks_last(\old(*c), e->seg) ==>
                        *a == does_data(after_ack(\old(*c), *e), *e, c->held, a->store_len, a->delivered,
                                        does_ack(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures no_rst_for_rst: law_no_rst_for_rst(*e, *a);
    ensures one_answer: law_one_answer(*e, *c, *a);
    ensures challenge_form: law_challenge_form(\old(*c), *e, *a);
    ensures life_shown: law_life_shown(\old(*c), *e, *a);
    ensures una_advances: law_una(\old(*c), *c);
    ensures nxt_advances: law_nxt(\old(*c), *c);
    ensures rcv_nxt_advances: law_rcv_nxt(\old(*c), *c);
    ensures SHLD_14: law_edge(\old(*c), *c);
    ensures handshake: law_handshake(\old(*c), *e, *c);
    ensures old_syn: law_old_syn(\old(*c), *e, *c);
    ensures listen: law_listen(\old(*c), *e, *c);
    ensures peer_fin: law_peer_fin(\old(*c), *e, *c);
    ensures fin_known: law_fin_known(\old(*c), *e, *c);
    ensures our_fin: law_our_fin(\old(*c), *e, *c);
    ensures last_ack: law_last_ack(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_13_length: law_2msl(\old(*c), *e, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures rst_exact: law_rst_exact(\old(*c), *e, *c);
    ensures unacceptable: law_unacceptable(\old(*c), *e, *c, *a);
    ensures ghost_ack: law_ghost_ack(\old(*c), *e, *c, *a);
    ensures delivery: law_delivery(\old(*c), *e, *c, *a);
    ensures acked_count: law_acked_count(\old(*c), *c);
    ensures received: law_received(\old(*c), *c, *a);
    ensures reassembly: law_reassembly(\old(*c), *c, *a);
    ensures SHLD_31: law_kept(\old(*c), *e, *a);
    ensures acked: law_acked(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
*/
static void take_segment(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  /*@ assert nothing_comes: \forall integer at; put_together(c->held, c->rcv_len, at, 0, c->held, 0, 0); */
  if (!check_ack(c, e, a)) {
    /*@ assert none: !e->seg.has_ack ==> *c == after_fifth(\at(*c, Pre), *e, c->held, a->delivered); */
    /*@ assert last: ends_here(\at(*c, Pre), e->seg) ==> *c == after_fifth(\at(*c, Pre), *e, c->held, a->delivered); */
    /*@ assert refused: e->seg.has_ack && !acceptable_ack(\at(*c, Pre), e->seg) ==>
          *c == after_fifth(\at(*c, Pre), *e, c->held, a->delivered); */
    return;
  }
  /*@ assert received: c->held == \at(c->held, Pre) && c->rcv_len == \at(c->rcv_len, Pre) && c->rcv_nxt == \at(c->rcv_nxt, Pre)
        && c->rcv_wnd == \at(c->rcv_wnd, Pre) && c->fin_end == \at(c->fin_end, Pre); */
  /*@ assert receiving: \at(c->state, Pre) == VTCP_SYN_RECEIVED || receiving(\at(c->state, Pre)) ==> receiving(c->state); */
  take_data(c, e, a);
  /*@ assert reassembly: data_reassembled(\at(*c, Pre), *c, *a); */
  /*@ assert SHLD_31: receiving(\at(c->state, Pre)) ==> data_kept(\at(*c, Pre), e->seg, *a); */
  /*@ assert goes_on: *c == after_fifth(\at(*c, Pre), *e, c->held, a->delivered); */
}

/* 3.10.7.4. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state >= VTCP_SYN_RECEIVED;
    requires e->type == VTCP_ARRIVES && fresh(*a);
    assigns *c, *a;
    ensures S3_10_7_4: *c == after_segment(\old(*c), *e, c->held, a->delivered);
    ensures refuses_sequence: !passes_sequence(\old(*c), e->seg) ==> *a == does_refuse_sequence(\old(*c), *e, \old(*a));
    ensures rst_answer: passes_sequence(\old(*c), e->seg) && e->seg.rst ==> *a == does_rst(\old(*c), *e, \old(*a));
    ensures syn_answer: passes_sequence(\old(*c), e->seg) && !e->seg.rst && stops_at_syn(\old(*c), e->seg) ==>
                        *a == does_syn(\old(*c), *e, \old(*a));
    ensures no_ack_answer: passes_four(\old(*c), e->seg) && !e->seg.has_ack ==> *a == \old(*a);
    ensures bad_ack_answer: passes_four(\old(*c), e->seg) && e->seg.has_ack && !acceptable_ack(\old(*c), e->seg) ==>
                            *a == does_refuse_ack(\old(*c), *e, \old(*a));
    ensures last_ack_answer: passes_four(\old(*c), e->seg) && ends_here(\old(*c), e->seg) ==>
                             *a == does_ack(\old(*c), *e, \old(*a));
    ensures ack_answer: passes_four(\old(*c), e->seg) && e->seg.has_ack && acceptable_ack(\old(*c), e->seg)
                        && !acks_last(\old(*c), e->seg) ==>
                        *a == does_data(after_ack(\old(*c), *e), *e, c->held, a->store_len, a->delivered,
                                        does_ack(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures no_rst_for_rst: law_no_rst_for_rst(*e, *a);
    ensures one_answer: law_one_answer(*e, *c, *a);
    ensures challenge_form: law_challenge_form(\old(*c), *e, *a);
    ensures life_shown: law_life_shown(\old(*c), *e, *a);
    ensures una_advances: law_una(\old(*c), *c);
    ensures nxt_advances: law_nxt(\old(*c), *c);
    ensures rcv_nxt_advances: law_rcv_nxt(\old(*c), *c);
    ensures SHLD_14: law_edge(\old(*c), *c);
    ensures handshake: law_handshake(\old(*c), *e, *c);
    ensures old_syn: law_old_syn(\old(*c), *e, *c);
    ensures listen: law_listen(\old(*c), *e, *c);
    ensures peer_fin: law_peer_fin(\old(*c), *e, *c);
    ensures fin_known: law_fin_known(\old(*c), *e, *c);
    ensures our_fin: law_our_fin(\old(*c), *e, *c);
    ensures last_ack: law_last_ack(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_13_length: law_2msl(\old(*c), *e, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures rst_exact: law_rst_exact(\old(*c), *e, *c);
    ensures unacceptable: law_unacceptable(\old(*c), *e, *c, *a);
    ensures ghost_ack: law_ghost_ack(\old(*c), *e, *c, *a);
    ensures delivery: law_delivery(\old(*c), *e, *c, *a);
    ensures acked_count: law_acked_count(\old(*c), *c);
    ensures received: law_received(\old(*c), *c, *a);
    ensures reassembly: law_reassembly(\old(*c), *c, *a);
    ensures SHLD_31: law_kept(\old(*c), *e, *a);
    ensures acked: law_acked(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
*/
static void arrives_in_other(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  /*@ assert nothing_comes: \forall integer at; put_together(c->held, c->rcv_len, at, 0, c->held, 0, 0); */
  if (!check_sequence(c, e, a))
    return;
  if (!check_rst(c, e, a))
    return;
  if (!check_syn(c, e, a))
    return;
  take_segment(c, e, a);
}

/* 3.10.7 SEGMENT ARRIVES. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_ARRIVES && fresh(*a);
    assigns *c, *a;
    ensures S3_10_7: *c == after_arrives(\old(*c), *e, c->held, a->delivered);
    ensures closed_answer: \old(c->state) == VTCP_CLOSED ==> *a == does_closed_arrives(*e, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures no_rst_for_rst: law_no_rst_for_rst(*e, *a);
    ensures one_answer: law_one_answer(*e, *c, *a);
    ensures challenge_form: law_challenge_form(\old(*c), *e, *a);
    ensures life_shown: law_life_shown(\old(*c), *e, *a);
    ensures una_advances: law_una(\old(*c), *c);
    ensures nxt_advances: law_nxt(\old(*c), *c);
    ensures rcv_nxt_advances: law_rcv_nxt(\old(*c), *c);
    ensures SHLD_14: law_edge(\old(*c), *c);
    ensures handshake: law_handshake(\old(*c), *e, *c);
    ensures old_syn: law_old_syn(\old(*c), *e, *c);
    ensures listen: law_listen(\old(*c), *e, *c);
    ensures peer_fin: law_peer_fin(\old(*c), *e, *c);
    ensures fin_known: law_fin_known(\old(*c), *e, *c);
    ensures our_fin: law_our_fin(\old(*c), *e, *c);
    ensures last_ack: law_last_ack(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_13_length: law_2msl(\old(*c), *e, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures rst_exact: law_rst_exact(\old(*c), *e, *c);
    ensures unacceptable: law_unacceptable(\old(*c), *e, *c, *a);
    ensures ghost_ack: law_ghost_ack(\old(*c), *e, *c, *a);
    ensures delivery: law_delivery(\old(*c), *e, *c, *a);
    ensures acked_count: law_acked_count(\old(*c), *c);
    ensures received: law_received(\old(*c), *c, *a);
    ensures reassembly: law_reassembly(\old(*c), *c, *a);
    ensures SHLD_31: law_kept(\old(*c), *e, *a);
    ensures syn_text: law_syn_text(\old(*c), *e, *c, *a);
    ensures acked: law_acked(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
*/
static void segment_arrives(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state == VTCP_CLOSED)
    arrives_in_closed(e, a);
  else if (c->state == VTCP_LISTEN)
    arrives_in_listen(c, e, a);
  else if (c->state == VTCP_SYN_SENT)
    arrives_in_syn_sent(c, e, a);
  else
    arrives_in_other(c, e, a);
}
