/* SEGMENT ARRIVES in CLOSED, LISTEN and SYN-SENT (RFC 9293, 3.10.7.1 to 3.10.7.3). */
#include "core.h"

/* 3.10.7.1 CLOSED: anything but a RST is answered by a RST. */
/*@ requires \valid_read(e) && \valid(a) && \separated(e, a);
    assigns *a;
    ensures S3_10_7_1: *a == does_closed_arrives(*e, \old(*a));
*/
static void arrives_in_closed(const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (!e->seg.rst)
    form_rst(e, a);
}

/* The peer's SYN: IRS, RCV.NXT, its window (never scaled) and its MSS (MUST-14, MUST-15). */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && mid_step(*c) && c->state >= VTCP_SYN_SENT;
    assigns *c;
    ensures MUST_15: *c == with_syn(\old(*c), e->seg, wl2);
    ensures mid: mid_step(*c);
*/
static void take_syn(struct vtcp_conn *c, const struct vtcp_event *e, uint32_t wl2)
{
  c->irs = e->seg.seq;
  c->rcv_nxt = add(e->seg.seq, 1);
  c->snd_wnd = e->seg.wnd;
  c->max_snd_wnd = e->seg.wnd;
  c->snd_wl1 = e->seg.seq;
  c->snd_wl2 = wl2;
  c->snd_mss = effective_mss(c, e->seg.has_mss ? e->seg.mss : c->cfg.default_mss);
}

/* Text on a SYN waits in the receive buffer until the connection is synchronized. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->state == VTCP_SYN_RECEIVED && c->rcv_len == 0;
    assigns *c, *a;
    ensures refines: *c == with_syn_text(\old(*c), e->seg);
    ensures answers: *a == does_syn_text(\old(*c), e->seg, \old(*a));
    ensures mid: mid_step(*c);
    ensures stores: a->store_len <= least(e->seg.len, \old(c->rcv_wnd)) && c->rcv_len == a->store_len
                    && a->delivered == a->store_len && c->irs == \old(c->irs) && c->rcv_nxt == seq_add(\old(c->rcv_nxt), a->store_len)
                    && a->peer_closed == \old(a->peer_closed) && a->store_from == \old(a->store_from)
                    && a->store_at == \old(a->store_at);
*/
static void keep_syn_text(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  uint32_t kept = smaller(e->seg.len, c->rcv_wnd);

  a->store_len = kept;
  a->delivered = kept;
  c->rcv_nxt = add(c->rcv_nxt, kept);
  c->rcv_wnd -= kept;
  c->rcv_len = kept;
}

/* SYN-RECEIVED from LISTEN. */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c) && c->state == VTCP_LISTEN;
    assigns *c;
    ensures refines: *c == opened_by_syn(\old(*c), *e, c->held);
    ensures mid: mid_step(*c) && c->state == VTCP_SYN_RECEIVED && c->rcv_len == 0;
    ensures first: c->irs == e->seg.seq && c->rcv_nxt == seq_add(c->irs, 1) && c->rcv_wnd <= c->cfg.rcv_buf
                   && c->cfg == \old(c->cfg);
*/
static void open_by_syn(struct vtcp_conn *c, const struct vtcp_event *e)
{
  open_tcb(c, VTCP_SYN_RECEIVED, c->origin, e->iss);
  take_syn(c, e, e->iss);
}

/* 3.10.7.2 LISTEN. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c) && c->state == VTCP_LISTEN;
    requires e->type == VTCP_ARRIVES && fresh(*a);
    assigns *c, *a;
    ensures S3_10_7_2: *c == after_listen_arrives(\old(*c), *e, c->held);
    ensures ignores: e->seg.rst || (!e->seg.has_ack && !e->seg.syn) ==> *a == \old(*a);
    ensures resets: !e->seg.rst && e->seg.has_ack ==> *a == with_rst(\old(*a), e->seg);
    ensures spawns: !e->seg.rst && !e->seg.has_ack && e->seg.syn && \old(c->cfg.listener) ==>
                    *a == does_spawn(\old(*a));
    ensures opens: listen_opens(\old(*c), e->seg) ==>
                   *a == does_transmit(with_syn_text(opened_by_syn(\old(*c), *e, c->held), e->seg), e->now,
                                       does_syn_text(opened_by_syn(\old(*c), *e, c->held), e->seg, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures no_rst_for_rst: law_no_rst_for_rst(*e, *a);
    ensures one_answer: law_one_answer(*e, *c, *a);
    ensures handshake: law_handshake(\old(*c), *e, *c);
    ensures listen: law_listen(\old(*c), *e, *c);
    ensures peer_fin: law_peer_fin(\old(*c), *e, *c);
    ensures our_fin: law_our_fin(\old(*c), *e, *c);
    ensures rst_exact: law_rst_exact(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_38_timer: goes_on_override(\old(*c), e->now, *c);
    ensures syn_text: law_syn_text(\old(*c), *e, *c, *a);
    ensures acked: law_acked(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
*/
static void arrives_in_listen(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (e->seg.rst)
    return;
  if (e->seg.has_ack) {
    form_rst(e, a);
    return;
  }
  if (!e->seg.syn)
    return;
  if (c->cfg.listener) {
    a->spawn = true;
    return;
  }
  open_by_syn(c, e);
  keep_syn_text(c, e, a);
  transmit(c, e->now, a);
  /*@ assert opens: after_transmit(with_syn_text(opened_by_syn(\at(*c, Pre), *e, c->held), e->seg), e->now)
        == after_listen_arrives(\at(*c, Pre), *e, c->held); */
}

/* SYN-RECEIVED from SYN-SENT: our SYN is to go again, with an ACK. */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c) && c->state == VTCP_SYN_SENT;
    assigns *c;
    ensures refines: *c == crossing_syns(\old(*c), *e);
    ensures mid: mid_step(*c) && c->state == VTCP_SYN_RECEIVED && c->rcv_len == 0;
    ensures first: c->irs == e->seg.seq && c->rcv_nxt == seq_add(c->irs, 1) && c->rcv_wnd <= c->cfg.rcv_buf
                   && c->cfg == \old(c->cfg);
*/
static void meet_syn(struct vtcp_conn *c, const struct vtcp_event *e)
{
  take_syn(c, e, c->iss);
  c->state = VTCP_SYN_RECEIVED;
  c->snd_rtx = c->snd_una;
  c->resend = true;
  c->timer = VTCP_NO_TIMER;
}

/* 3.10.7.3, the peer's SYN without acknowledgment: simultaneous open (MUST-10). Our SYN goes again, with an ACK. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state == VTCP_SYN_SENT;
    requires fresh(*a);
    assigns *c, *a;
    ensures MUST_10: *c == after_transmit(with_syn_text(crossing_syns(\old(*c), *e), e->seg), e->now);
    ensures MUST_10_answer: *a == does_transmit(with_syn_text(crossing_syns(\old(*c), *e), e->seg), e->now,
                                                does_syn_text(crossing_syns(\old(*c), *e), e->seg, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures state: c->state == VTCP_SYN_RECEIVED && !c->syn_acked;
    ensures sent: law_sent(*c, *a);
    ensures held: c->held == \old(c->held);
    ensures told: a->acked == 0 && !a->seg.rst && a->seg.len == 0;
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38_timer: goes_on_override(\old(*c), e->now, *c);
    ensures syn_text: e->type == VTCP_ARRIVES && e->seg.syn ==> law_syn_text(\old(*c), *e, *c, *a);
    ensures more: a->more ==> seqs_to_send(*c) > 0;
*/
static void cross_syns(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  meet_syn(c, e);
  keep_syn_text(c, e, a);
  transmit(c, e->now, a);
}

/* 3.10.7.3, the peer's SYN with the acknowledgment of ours: ESTABLISHED, and on with text and FIN. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires c->state == VTCP_SYN_SENT && e->seg.ack == c->snd_nxt && e->seg.syn && e->seg.has_ack;
    requires fresh(*a) && !e->seg.rst;
    assigns *c, *a;
    ensures refines: *c == after_data(synchronized(\old(*c), *e), *e, c->held, a->delivered);
    ensures answers: *a == does_data(synchronized(\old(*c), *e), *e, c->held, a->store_len, a->delivered,
                                     does_acknowledged(with_syn(\old(*c), e->seg, e->seg.ack), e->seg, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures state: (c->state == VTCP_ESTABLISHED
                    || (c->state == VTCP_CLOSE_WAIT && fin_at(e->seg, c->rcv_nxt)));
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == 0 && !a->seg.rst;
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: worth_it(\old(*c), *c, *a);
    ensures MUST_38_timer: goes_on_override(\old(*c), e->now, *c);
    ensures SHLD_7: waits_for_ack(\old(*c), *c, *a);
    ensures syn_text: e->type == VTCP_ARRIVES ==> law_syn_text(\old(*c), *e, *c, *a);
    ensures more: a->more ==> seqs_to_send(*c) > 0;
*/
static void synchronize(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  take_syn(c, e, e->seg.ack);
  acknowledge(c, e, a);
  c->state = VTCP_ESTABLISHED;
  c->ack_owed = true;
  take_data(c, e, a);
  /*@ assert first: a->store_len > 0 ==> a->store_from == 0 && a->store_at == 0; */
  /*@ assert in_order: a->store_len > 0 ==> a->delivered == a->store_len; */
}

/* 3.10.7.3 SYN-SENT. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c) && c->state == VTCP_SYN_SENT;
    requires e->type == VTCP_ARRIVES && fresh(*a);
    assigns *c, *a;
    ensures S3_10_7_3: *c == after_syn_sent_arrives(\old(*c), *e, c->held, a->delivered);
    ensures bad_ack: syn_sent_bad_ack(\old(*c), e->seg) ==> *a == (e->seg.rst ? \old(*a) : with_rst(\old(*a), e->seg));
    ensures rst: !syn_sent_bad_ack(\old(*c), e->seg) && e->seg.rst ==>
                 *a == (e->seg.has_ack ? does_reset(\old(*a)) : \old(*a));
    ensures other: !syn_sent_bad_ack(\old(*c), e->seg) && !e->seg.rst && !e->seg.syn ==> *a == \old(*a);
    ensures opens: !syn_sent_bad_ack(\old(*c), e->seg) && !e->seg.rst && e->seg.syn && e->seg.has_ack ==>
                   *a == does_data(synchronized(\old(*c), *e), *e, c->held, a->store_len, a->delivered,
                                   does_acknowledged(with_syn(\old(*c), e->seg, e->seg.ack), e->seg, \old(*a)));
    ensures crosses: !e->seg.rst && e->seg.syn && !e->seg.has_ack ==>
                     *a == does_transmit(with_syn_text(crossing_syns(\old(*c), *e), e->seg), e->now,
                                         does_syn_text(crossing_syns(\old(*c), *e), e->seg, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures no_rst_for_rst: law_no_rst_for_rst(*e, *a);
    ensures one_answer: law_one_answer(*e, *c, *a);
    ensures handshake: law_handshake(\old(*c), *e, *c);
    ensures listen: law_listen(\old(*c), *e, *c);
    ensures peer_fin: law_peer_fin(\old(*c), *e, *c);
    ensures our_fin: law_our_fin(\old(*c), *e, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures rst_exact: law_rst_exact(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures syn_text: law_syn_text(\old(*c), *e, *c, *a);
    ensures acked: law_acked(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
*/
static void arrives_in_syn_sent(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (e->seg.has_ack && e->seg.ack != c->snd_nxt) {
    if (!e->seg.rst)
      form_rst(e, a);
    /*@ assert refuses: after_syn_sent_arrives(*c, *e, c->held, a->delivered) == *c; */
    return;
  }
  if (e->seg.rst) {
    if (!e->seg.has_ack)
      return;
    delete_tcb(c);
    a->reset = true;
    a->closed = true;
    return;
  }
  if (!e->seg.syn)
    return;
  if (e->seg.has_ack) {
    synchronize(c, e, a);
    /*@ assert opens: after_data(synchronized(\at(*c, Pre), *e), *e, c->held, a->delivered)
          == after_syn_sent_arrives(\at(*c, Pre), *e, c->held, a->delivered); */
  } else {
    cross_syns(c, e, a);
    /*@ assert crosses: after_transmit(with_syn_text(crossing_syns(\at(*c, Pre), *e), e->seg), e->now)
          == after_syn_sent_arrives(\at(*c, Pre), *e, c->held, a->delivered); */
  }
}
