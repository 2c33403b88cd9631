/* Timeouts (RFC 9293, 3.10.8 and 3.8.3; RFC 6298, section 5). */
#include "core.h"

/* How long the peer may leave us without progress: R2 or the user timeout, in microseconds. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures MUST_20: \result == patience(*c);
*/
static uint64_t patience(const struct vtcp_conn *c)
{
  uint64_t ms = c->cfg.r2_ms;

  if (c->cfg.user_timeout_ms != 0)
    ms = c->cfg.user_timeout_ms;
  else if (!c->syn_acked)
    ms = c->cfg.r2_syn_ms;
  return ms * 1000;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures unanswered: \result <==> unanswered(*c);
*/
static bool is_unanswered(const struct vtcp_conn *c)
{
  return c->timer == VTCP_RETRANSMISSION || c->timer == VTCP_PERSIST;
}

/* Whether R2 counts: not while the peer has answered every window probe (MUST-37). */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures MUST_37: \result <==> patience_runs(*c);
*/
static bool is_patience_running(const struct vtcp_conn *c)
{
  return c->timer == VTCP_RETRANSMISSION || (c->timer == VTCP_PERSIST && c->retries > 0);
}

/* The retransmission or persist timer expired: back off, and send again from SND.UNA (RFC 6298 (5.4) to (5.6)). */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c) && unanswered(*c);
    assigns *c, *a;
    ensures R6298_5: *c == expired(\old(*c), now);
    ensures MUST_20_R1: *a == does_expire(\old(*c), \old(*a));
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures told: tells_nothing(\old(*a), *a) && a->send == \old(a->send) && a->seg == \old(a->seg);
*/
static void expire(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  uint32_t interval = backed_off(c, c->timer == VTCP_RETRANSMISSION ? c->rto : c->persist);

  a->excessive = c->retries + 1 == c->cfg.r1;
  if (c->timer == VTCP_RETRANSMISSION)
    c->rto = interval;
  else
    c->persist = interval;
  c->timer_at = time_after(now, interval);
  if (!is_patience_running(c))
    c->progress_at = now;
  if (c->retries < 255)
    c->retries++;
  c->snd_rtx = c->snd_una;
  c->resend = true;
  c->rtt_running = false;
  if (!c->syn_acked)
    c->syn_resent = true;
}

/* 3.10.8. Harmless when nothing is due. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_TIMEOUT && fresh(*a);
    assigns *c, *a;
    ensures S3_10_8: *c == after_timeout(\old(*c), *e, c->held);
    ensures listening: \old(c->state) == VTCP_LISTEN ==> *a == \old(*a);
    ensures gives_up: gives_up(\old(*c), e->now) ==> *a == does_give_up(\old(*a));
    ensures time_wait_over: time_wait_over(\old(*c), e->now) ==> *a == does_close(\old(*a));
    ensures sends_again: !gives_up(\old(*c), e->now) && expires(\old(*c), e->now) ==>
                         *a == does_transmit(expired(\old(*c), e->now), e->now, does_expire(\old(*c), \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    ensures received: law_received(\old(*c), *c, *a);
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_20: law_r2(\old(*c), *e, *c);
    ensures MUST_37: law_probes(\old(*c), *e, *c);
*/
static void timeout(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state == VTCP_LISTEN)
    return;
  if (is_patience_running(c) && time_after(c->progress_at, patience(c)) <= e->now) {
    delete_tcb(c);
    a->timed_out = true;
    a->closed = true;
    return;
  }
  if (c->timer == VTCP_TIME_WAIT_TIMER && c->timer_at <= e->now) {
    delete_tcb(c);
    a->closed = true;
    return;
  }
  if (is_unanswered(c) && c->timer_at <= e->now) {
    /*@ assert expires: after_transmit(expired(*c, e->now), e->now) == after_timeout(*c, *e, c->held); */
    expire(c, e->now, a);
    transmit(c, e->now, a);
    return;
  }
  /*@ assert goes_on: after_transmit(*c, e->now) == after_timeout(*c, *e, c->held); */
  transmit(c, e->now, a);
}
