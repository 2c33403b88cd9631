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

/* Send again from SND.UNA (RFC 6298 (5.4)), and wait so long for the answer. */
/*@ requires \valid(c) && vtcp_wf(*c) && unanswered(*c) && interval <= c->cfg.rto_max_ms * 1000;
    assigns *c;
    ensures R6298_5_4: *c == sends_again(\old(*c), now, interval);
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures again: c->snd_nxt == \old(c->snd_nxt) && (forced(*c) ==> c->snd_wnd == 0);
*/
static void send_again(struct vtcp_conn *c, uint64_t now, uint32_t interval)
{
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

/* 3.8.4: an idle peer is asked for an acknowledgment, by a segment that it has seen. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c) && c->timer == VTCP_KEEP_ALIVE;
    assigns *c, *a;
    ensures SHLD_12: *a == does_keep_alive(\old(*c), \old(*a));
    ensures refines: *c == after_keep_alive(\old(*c), now);
    ensures wf: vtcp_wf(*c);
    ensures kept: law_call(\old(*c), *c) && c->state == \old(c->state) && c->timer == \old(c->timer)
                  && c->timer_at == later(now, c->cfg.keep_alive_probe_ms * 1000)
                  && c->retries == least(\old(c->retries) + 1, 255);
    ensures form: fresh(\old(*a)) ==> is_keep_alive(\old(*c), *a);
    ensures told: tells_nothing(\old(*a), *a);
*/
static void ask_for_life(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  form_ack(c, a);
  a->seg.seq = add(c->snd_nxt, 0xFFFFFFFF);
  c->timer_at = time_after(now, (uint64_t)c->cfg.keep_alive_probe_ms * 1000);
  if (c->retries < 255)
    c->retries++;
}

/* A timer expired. The override timer lets out what waits; the others back off (RFC 6298 (5.5), RFC 9293, 3.8.6.1) and
 * send again. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c) && (unanswered(*c) || c->timer == VTCP_OVERRIDE);
    assigns *c, *a;
    ensures R6298_5: *c == expired(\old(*c), now);
    ensures MUST_20_R1: *a == does_expire(\old(*c), \old(*a));
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures again: c->snd_nxt == \old(c->snd_nxt) && c->timer == \old(c->timer)
                   && (forced(*c) ==> c->snd_wnd == 0 || c->timer == VTCP_OVERRIDE);
    ensures MUST_38: c->timer == VTCP_OVERRIDE ==> seqs_to_send(*c) > 0 && c->syn_acked;
    ensures told: tells_nothing(\old(*a), *a) && a->send == \old(a->send) && a->seg == \old(a->seg);
*/
static void expire(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  a->excessive = false;
  if (c->timer == VTCP_OVERRIDE) {
    c->resend = true;
    return;
  }
  a->excessive = c->retries + 1 == c->cfg.r1;
  uint32_t interval = backed_off(c, c->timer == VTCP_RETRANSMISSION ? c->rto : c->persist);
  send_again(c, now, interval);
  if (c->timer == VTCP_RETRANSMISSION)
    c->rto = interval;
  else
    c->persist = interval;
}

/* Whether the connection ends here: R2 or the user timeout (MUST-20), 2 MSL (MUST-13), or too many keep-alives without an
 * answer (MUST-29). */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures over: \result <==> is_over(*c, now);
*/
static bool is_over(const struct vtcp_conn *c, uint64_t now)
{
  if (c->timer == VTCP_TIME_WAIT_TIMER)
    return c->timer_at <= now;
  if (c->timer == VTCP_KEEP_ALIVE)
    return c->timer_at <= now && c->retries >= c->cfg.keep_alive_probes;
  return is_patience_running(c) && time_after(c->progress_at, patience(c)) <= now;
}

/* Whether a timer that makes us send has expired. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures expires: \result <==> expires(*c, now);
*/
static bool is_expired(const struct vtcp_conn *c, uint64_t now)
{
  return (is_unanswered(c) || c->timer == VTCP_OVERRIDE) && c->timer_at <= now;
}

/* 3.10.8. Harmless when nothing is due. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_TIMEOUT && fresh(*a);
    assigns *c, *a;
    ensures S3_10_8: *c == after_timeout(\old(*c), *e, c->held);
    ensures listening: \old(c->state) == VTCP_LISTEN ==> *a == \old(*a);
    ensures ends: is_over(\old(*c), e->now) ==> *a == does_end(\old(*c), \old(*a));
    ensures asks: !is_over(\old(*c), e->now) && keep_alive_due(\old(*c), e->now) ==>
                  *a == does_keep_alive(\old(*c), \old(*a));
    ensures sends_again: !is_over(\old(*c), e->now) && expires(\old(*c), e->now) ==>
                         *a == does_transmit(expired(\old(*c), e->now), e->now, does_expire(\old(*c), \old(*a)));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures sent: law_syn_sent(*c, *a) && law_text_sent(*c, *a);
    ensures told: a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    ensures received: law_received(\old(*c), *c, *a);
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_20: law_r2(\old(*c), *e, *c);
    ensures MUST_37: law_probes(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_29: law_keep_alive(\old(*c), *e, *c, *a);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
*/
static void timeout(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state == VTCP_LISTEN)
    return;
  if (is_over(c, e->now)) {
    if (c->timer != VTCP_TIME_WAIT_TIMER)
      a->timed_out = true;
    a->closed = true;
    delete_tcb(c);
    return;
  }
  if (c->timer == VTCP_KEEP_ALIVE && c->timer_at <= e->now) {
    ask_for_life(c, e->now, a);
    return;
  }
  /*@ assert expires: expires(*c, e->now) ==>
        after_transmit(expired(*c, e->now), e->now) == after_timeout(*c, *e, c->held); */
  /*@ assert goes_on: !expires(*c, e->now) ==> after_transmit(*c, e->now) == after_timeout(*c, *e, c->held); */
  if (is_expired(c, e->now))
    expire(c, e->now, a);
  transmit(c, e->now, a);
}
