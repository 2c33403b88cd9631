/* The timer and the estimation of the round-trip time (RFC 6298; RFC 9293, sections 3.8.1 to 3.8.3). */
#include "core.h"

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures anything: \result <==> anything_to_send(*c);
*/
static bool has_anything_to_send(const struct vtcp_conn *c)
{
  return c->snd_una != c->snd_nxt || c->snd_len > 0 || (is_fin_wanted(c->state) && !c->fin_sent);
}

/* Which timer this connection must run. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures A_TMR: \result == timer_needed(*c);
*/
static uint8_t needed_timer(const struct vtcp_conn *c)
{
  if (c->state == VTCP_TIME_WAIT)
    return VTCP_TIME_WAIT_TIMER;
  if (c->state == VTCP_CLOSED || c->state == VTCP_LISTEN)
    return VTCP_NO_TIMER;
  if (!c->syn_acked)
    return VTCP_RETRANSMISSION;
  if (c->snd_wnd == 0 && has_anything_to_send(c))
    return VTCP_PERSIST;
  if (c->snd_una != c->snd_nxt)
    return VTCP_RETRANSMISSION;
  if (has_anything_to_send(c))
    return VTCP_OVERRIDE;
  return c->cfg.keep_alive ? VTCP_KEEP_ALIVE : VTCP_NO_TIMER;
}

/* 2 MSL from now (MUST-13). */
/*@ requires \valid(c);
    assigns c->timer_at;
    ensures MUST_13: *c == time_wait_again(\old(*c), now);
*/
static void restart_time_wait(struct vtcp_conn *c, uint64_t now)
{
  c->timer_at = time_after(now, (uint64_t)c->cfg.msl_ms * 2000);
}

/* Start the needed timer if it does not run (RFC 6298 (5.1) to (5.3); RFC 9293, 3.8.6.1; 3.10.7.4, TIME-WAIT). */
/*@ requires \valid(c);
    assigns *c;
    ensures refines: *c == with_timer_needed(\old(*c), now);
    ensures A_TMR: c->timer == timer_needed(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures MUST_13: goes_on_2msl(\old(*c), now, *c);
    ensures MUST_26: goes_on_idle(\old(*c), now, *c);
    ensures MUST_38: goes_on_override(\old(*c), now, *c);
    ensures mid: mid_step(\old(*c)) ==> mid_step(*c);
    ensures flags: c->ack_owed == \old(c->ack_owed) && c->resend == \old(c->resend) && c->snd_nxt == \old(c->snd_nxt)
                   && c->max_snd_wnd == \old(c->max_snd_wnd);
*/
static void set_timer(struct vtcp_conn *c, uint64_t now)
{
  uint8_t needed = needed_timer(c);

  if (c->timer == needed)
    return;
  c->timer = needed;
  c->timer_at = 0;
  c->progress_at = now;
  c->retries = 0;
  if (needed == VTCP_TIME_WAIT_TIMER)
    restart_time_wait(c, now);
  else if (needed == VTCP_KEEP_ALIVE)
    c->timer_at = time_after(now, (uint64_t)c->cfg.keep_alive_ms * 1000);
  else if (needed == VTCP_OVERRIDE)
    c->timer_at = time_after(now, 500000);
  else if (needed != VTCP_NO_TIMER)
    c->timer_at = time_after(now, c->rto);
  if (needed == VTCP_PERSIST)
    c->persist = c->rto;
}

/* RFC 6298 (2.4), (2.5). */
/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures R6298_bounds: \result == rto_bounded(c->cfg, us);
*/
static uint32_t bounded_rto(const struct vtcp_conn *c, uint64_t us)
{
  uint32_t least = c->cfg.rto_min_ms * 1000;
  uint32_t most = c->cfg.rto_max_ms * 1000;

  if (us >= most)
    return most;
  return us <= least ? least : (uint32_t)us;
}

/* RFC 6298 (2.2) and (2.3): a round trip took r microseconds. The clock's granularity counts as 1 ms. */
/*@ requires \valid(c) && config_ok(c->cfg);
    requires r <= 0x40000000 && c->srtt <= 0x40000000 && c->rttvar <= 0x40000000;
    assigns *c;
    ensures R6298_2: *c == after_measurement(\old(*c), r);
    ensures R6298_range: c->srtt <= 0x40000000 && c->rttvar <= 0x40000000;
*/
static void measure(struct vtcp_conn *c, uint32_t r)
{
  if (!c->rtt_known) {
    c->rttvar = r / 2;
    c->srtt = r;
  } else {
    uint64_t deviation = c->srtt <= r ? r - c->srtt : c->srtt - r;
    c->rttvar = (uint32_t)((3 * (uint64_t)c->rttvar + deviation) / 4);
    c->srtt = (uint32_t)((7 * (uint64_t)c->srtt + r) / 8);
  }
  uint64_t spread = 4 * (uint64_t)c->rttvar;
  c->rto = bounded_rto(c, c->srtt + (spread >= 1000 ? spread : 1000));
  c->rtt_known = true;
  c->rtt_running = false;
}

/* RFC 6298 (5.5). */
/*@ requires \valid_read(c) && config_ok(c->cfg) && us <= 4000000000;
    assigns \nothing;
    ensures R6298_5_5: \result == back_off(*c, us);
*/
static uint32_t backed_off(const struct vtcp_conn *c, uint32_t us)
{
  uint32_t most = c->cfg.rto_max_ms * 1000;

  return us <= most / 2 ? 2 * us : most;
}
