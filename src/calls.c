/* User calls (RFC 9293, sections 3.10.1 to 3.10.6). */
#include "core.h"

/* 3.10.1, active OPEN. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_OPEN_ACTIVE && unsent(*a);
    assigns *c, *a;
    ensures S3_10_1: *c == after_open_active(\old(*c), *e, c->held);
    ensures exists: \old(c->state) != VTCP_CLOSED && \old(c->state) != VTCP_LISTEN ==>
                    *a == with_error(\old(*a), VTCP_ALREADY_EXISTS);
    ensures unspecified: (\old(c->state) == VTCP_CLOSED || \old(c->state) == VTCP_LISTEN) && !e->remote ==>
                         *a == with_error(\old(*a), VTCP_REMOTE_UNSPECIFIED);
    ensures opens: (\old(c->state) == VTCP_CLOSED || \old(c->state) == VTCP_LISTEN) && e->remote ==>
                   *a == does_transmit(opened(\old(*c), VTCP_SYN_SENT, VTCP_ACTIVE, e->iss, c->held), e->now, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
    ensures told: tells_nothing(\old(*a), *a);
*/
static void open_active(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state != VTCP_CLOSED && c->state != VTCP_LISTEN) {
    a->error = VTCP_ALREADY_EXISTS;
    return;
  }
  if (!e->remote) {
    a->error = VTCP_REMOTE_UNSPECIFIED;
    return;
  }
  open_tcb(c, VTCP_SYN_SENT, VTCP_ACTIVE, e->iss);
  transmit(c, e->now, a);
}

/* 3.10.1, passive OPEN. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c);
    requires unsent(*a);
    assigns *c, *a;
    ensures S3_10_1: *c == after_open_passive(\old(*c), c->held);
    ensures S3_10_1_answer: *a == does_open_passive(\old(*c), \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures edge: c->state == \old(c->state) || edge_call(\old(c->state), VTCP_OPEN_PASSIVE, c->state);
    ensures call: law_call(\old(*c), *c);
    ensures idle: c->timer == VTCP_KEEP_ALIVE ==> same_timer(\old(*c), *c);
    ensures told: tells_nothing(\old(*a), *a) && a->send == \old(a->send);
*/
static void open_passive(struct vtcp_conn *c, struct vtcp_actions *a)
{
  if (c->state != VTCP_CLOSED) {
    a->error = VTCP_ALREADY_EXISTS;
    return;
  }
  delete_tcb(c);
  c->state = VTCP_LISTEN;
  c->origin = VTCP_PASSIVE;
}

/* 3.10.2: why SEND cannot be taken. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c);
    assigns \nothing;
    ensures S3_10_2: \result == send_error(*c, *e);
*/
static uint8_t send_refused(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (c->state == VTCP_CLOSED)
    return VTCP_NO_CONNECTION;
  if (c->state == VTCP_LISTEN && !e->remote)
    return VTCP_REMOTE_UNSPECIFIED;
  if (is_fin_wanted(c->state) || c->close_queued)
    return VTCP_CONNECTION_CLOSING;
  return e->len > c->cfg.snd_buf - c->snd_len ? VTCP_INSUFFICIENT_RESOURCES : VTCP_OK;
}

/* SEND's text joins what is queued; from LISTEN an active open comes first. */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c) && send_error(*c, *e) == VTCP_OK;
    assigns *c;
    ensures S3_10_2_queue: *c == queued(\old(*c), *e, c->held);
    ensures sending: \old(c->state) != VTCP_LISTEN ==> same_sending(\old(*c), *c) && same_timer(\old(*c), *c);
    ensures mid: mid_step(*c);
*/
static void queue_text(struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (c->state == VTCP_LISTEN)
    open_tcb(c, VTCP_SYN_SENT, VTCP_ACTIVE, e->iss);
  c->snd_len += e->len;
}

/* 3.10.2 SEND. From LISTEN it opens actively; before ESTABLISHED the text waits. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_SEND && unsent(*a);
    assigns *c, *a;
    ensures S3_10_2: *c == after_send(\old(*c), *e, c->held);
    ensures refuses: send_error(\old(*c), *e) != VTCP_OK ==> *a == with_error(\old(*a), send_error(\old(*c), *e));
    ensures sends: send_error(\old(*c), *e) == VTCP_OK ==> *a == does_transmit(queued(\old(*c), *e, c->held), e->now, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures MUST_17: law_nagle_off(*e, *c, *a);
    ensures sent: law_sent(*c, *a);
    ensures told: tells_nothing(\old(*a), *a);
*/
static void send_call(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  uint8_t error = send_refused(c, e);

  if (error != VTCP_OK) {
    a->error = error;
    return;
  }
  queue_text(c, e);
  transmit(c, e->now, a);
}

/* Octets leave the receive buffer; a window that opens is worth a segment of its own (3.8.6.2.2). */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c) && readable_state(*c);
    assigns *c;
    ensures consumed: \result == taken(\old(*c), *e);
    ensures S3_10_3_read: *c == window_told(read(\old(*c), *e));
    ensures sending: same_sending(\old(*c), *c);
    ensures mid: mid_step(*c);
    ensures kept: only_reads(\old(*c), *c);
*/
static uint32_t take_readable(struct vtcp_conn *c, const struct vtcp_event *e)
{
  uint32_t consumed = smaller(e->len, c->rcv_len);
  uint32_t before = c->rcv_wnd;

  c->rcv_len -= consumed;
  open_window(c);
  c->ack_owed = c->rcv_wnd != before;
  return consumed;
}

/* 3.10.3 RECEIVE. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_RECEIVE && unsent(*a);
    assigns *c, *a;
    ensures S3_10_3: *c == after_receive(\old(*c), *e);
    ensures refuses: receive_error(\old(*c)) != VTCP_OK ==> *a == with_error(\old(*a), receive_error(\old(*c)));
    ensures waits: receive_error(\old(*c)) == VTCP_OK && !readable_state(\old(*c)) ==> *a == \old(*a);
    ensures hands_over: receive_error(\old(*c)) == VTCP_OK && readable_state(\old(*c)) ==>
                        *a == does_transmit(window_told(read(\old(*c), *e)), e->now,
                                            does_hand_over(\old(*c), *e, \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
    ensures told: tells_nothing(\old(*a), *a);
*/
static void receive_call(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state == VTCP_CLOSED) {
    a->error = VTCP_NO_CONNECTION;
    return;
  }
  if (is_peer_done(c->state) && c->rcv_len == 0) {
    a->error = VTCP_CONNECTION_CLOSING;
    return;
  }
  if (c->state < VTCP_ESTABLISHED || !c->syn_acked)
    return;
  a->consumed = take_readable(c, e);
  transmit(c, e->now, a);
}

/* 3.10.4: a FIN is to follow what is queued. */
/*@ requires \valid(c) && vtcp_wf(*c);
    requires c->state == VTCP_SYN_RECEIVED || c->state == VTCP_ESTABLISHED || c->state == VTCP_CLOSE_WAIT;
    requires !c->close_queued;
    assigns *c;
    ensures S3_10_4_fin: *c == closing(\old(*c));
    ensures mid: mid_step(*c);
    ensures edge: *c == { \old(*c) \with .close_queued = c->close_queued, .state = c->state }
                  && (c->state == \old(c->state) || edge_call(\old(c->state), VTCP_CLOSE, c->state));
*/
static void want_fin(struct vtcp_conn *c)
{
  if (c->state == VTCP_SYN_RECEIVED && c->snd_len > 0)
    c->close_queued = true;
  else if (c->state == VTCP_CLOSE_WAIT)
    c->state = VTCP_LAST_ACK;
  else
    c->state = VTCP_FIN_WAIT_1;
}

/* 3.10.4 CLOSE. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_CLOSE && unsent(*a);
    assigns *c, *a;
    ensures S3_10_4: *c == after_close(\old(*c), *e, c->held);
    ensures refuses: close_error(\old(*c)) != VTCP_OK ==> *a == with_error(\old(*a), close_error(\old(*c)));
    ensures deletes: \old(c->state) == VTCP_LISTEN || \old(c->state) == VTCP_SYN_SENT ==> *a == does_close(\old(*a));
    ensures closes: close_error(\old(*c)) == VTCP_OK && \old(c->state) >= VTCP_SYN_RECEIVED ==>
                    *a == does_transmit(closing(\old(*c)), e->now, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == \old(a->acked) && a->store_len == \old(a->store_len)
                  && a->delivered == \old(a->delivered) && a->peer_closed == \old(a->peer_closed);
*/
static void close_call(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state == VTCP_CLOSED) {
    a->error = VTCP_NO_CONNECTION;
    return;
  }
  if (is_fin_wanted(c->state) || c->close_queued) {
    a->error = VTCP_CONNECTION_CLOSING;
    return;
  }
  if (c->state == VTCP_LISTEN || c->state == VTCP_SYN_SENT) {
    delete_tcb(c);
    a->closed = true;
    return;
  }
  want_fin(c);
  transmit(c, e->now, a);
}

/* 3.10.5 ABORT. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c);
    requires unsent(*a);
    assigns *c, *a;
    ensures S3_10_5: *c == after_abort(\old(*c), c->held);
    ensures S3_10_5_answer: *a == does_abort(\old(*c), \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures closed: c->state == VTCP_CLOSED;
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == \old(a->acked) && a->store_len == \old(a->store_len)
                  && a->delivered == \old(a->delivered) && a->peer_closed == \old(a->peer_closed);
*/
static void abort_call(struct vtcp_conn *c, struct vtcp_actions *a)
{
  if (c->state == VTCP_CLOSED) {
    a->error = VTCP_NO_CONNECTION;
    return;
  }
  if (c->state == VTCP_SYN_RECEIVED || c->state == VTCP_ESTABLISHED || c->state == VTCP_FIN_WAIT_1
      || c->state == VTCP_FIN_WAIT_2 || c->state == VTCP_CLOSE_WAIT) {
    a->send = true;
    a->seg.seq = c->snd_nxt;
    a->seg.rst = true;
  }
  delete_tcb(c);
  a->closed = true;
}
