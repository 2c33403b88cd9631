/* The invariant as code: each function is proven equal to the predicate of its name in spec/invariant.acsl. */
#include "core.h"

enum vtcp_config_error vtcp_config_check(const struct vtcp_config *cfg)
{
  if (cfg->rcv_buf < 1 || cfg->rcv_buf > 0x40000000)
    return VTCP_CONFIG_RCV_BUF;
  if (cfg->snd_buf < 1 || cfg->snd_buf > 0x40000000)
    return VTCP_CONFIG_SND_BUF;
  if (cfg->rcv_mss < 1)
    return VTCP_CONFIG_RCV_MSS;
  if (cfg->default_mss < 1)
    return VTCP_CONFIG_SEND_MSS;
  if (cfg->mms_s < 21)
    return VTCP_CONFIG_MMS_S;
  if (cfg->rto_min_ms < 1 || cfg->rto_min_ms > cfg->rto_initial_ms || cfg->rto_initial_ms > cfg->rto_max_ms
      || cfg->rto_max_ms < 60000 || cfg->rto_max_ms > 4000000)
    return VTCP_CONFIG_RTO;
  if (cfg->r1 < 3)
    return VTCP_CONFIG_R1;
  if (cfg->r2_ms < 1000)
    return VTCP_CONFIG_R2;
  if (cfg->r2_syn_ms < 180000)
    return VTCP_CONFIG_R2_SYN;
  if (cfg->msl_ms < 1 || cfg->msl_ms > 3600000)
    return VTCP_CONFIG_MSL;
  if (cfg->challenge_acks < 1)
    return VTCP_CONFIG_CHALLENGE_ACKS;
  if (cfg->keep_alive_ms < 1 || cfg->keep_alive_probe_ms < 1 || cfg->keep_alive_probes < 2)
    return VTCP_CONFIG_KEEP_ALIVE;
  return VTCP_CONFIG_OK;
}

/* vtcp_config_check of the connection's own configuration. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures config: \result <==> config_ok(c->cfg);
*/
static bool has_valid_config(const struct vtcp_conn *c)
{
  struct vtcp_config cfg = c->cfg;

  return vtcp_config_check(&cfg) == VTCP_CONFIG_OK;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures text: \result <==> !no_text(c->held);
*/
static bool is_text_held(const struct vtcp_conn *c)
{
  /*@ loop invariant bound: i <= VTCP_RANGES;
      loop invariant zero: \forall integer k; 0 <= k < i ==> c->held.at[k].from == 0 && c->held.at[k].to == 0;
      loop assigns i;
      loop variant VTCP_RANGES - i; */
  for (uint32_t i = 0; i < VTCP_RANGES; i++)
    if (c->held.at[i].from != 0 || c->held.at[i].to != 0)
      return true;
  return false;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures nothing: \result <==> holds_nothing(*c);
*/
static bool holds_nothing(const struct vtcp_conn *c)
{
  bool times = c->timer_at == 0 && c->progress_at == 0 && c->rtt_at == 0 && c->challenge_at == 0;
  bool sending = c->iss == 0 && c->snd_una == 0 && c->snd_nxt == 0 && c->snd_wnd == 0 && c->snd_wl1 == 0
                 && c->snd_wl2 == 0 && c->snd_rtx == 0 && c->max_snd_wnd == 0 && c->acked == 0 && c->snd_len == 0
                 && c->snd_mss == 0;
  bool arriving =
      c->irs == 0 && c->rcv_nxt == 0 && c->rcv_wnd == 0 && c->rcv_len == 0 && c->fin_end == 0 && !is_text_held(c);
  bool estimating = c->srtt == 0 && c->rttvar == 0 && c->rto == 0 && c->persist == 0 && c->rtt_seq == 0
                    && !c->rtt_running && !c->rtt_known;
  bool rest = c->timer == VTCP_NO_TIMER && c->retries == 0 && c->challenges == 0 && !c->syn_acked && !c->fin_sent
              && !c->close_queued && !c->ack_owed && !c->resend && !c->syn_resent;

  return times && sending && arriving && estimating && rest;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures fin: \result == fin_in_flight(*c);
*/
static uint32_t fin_in_flight(const struct vtcp_conn *c)
{
  return c->fin_sent && !is_fin_acked(c->state) ? 1 : 0;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures text: 0 <= text_in_flight(*c) ==> \result == text_in_flight(*c);
    ensures less: text_in_flight(*c) < 0 ==> \result == UINT32_MAX;
*/
static uint32_t text_in_flight(const struct vtcp_conn *c)
{
  uint32_t controls = (c->syn_acked ? 0u : 1u) + fin_in_flight(c);

  if (c->snd_una == c->snd_nxt)
    return 0;
  return flight(c) >= controls ? flight(c) - controls : UINT32_MAX;
}

/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures space: \result <==> send_space(*c);
*/
static bool has_send_space(const struct vtcp_conn *c)
{
  if (c->snd_len > c->cfg.snd_buf || text_in_flight(c) > c->snd_len)
    return false;
  if (distance(c->snd_una, c->snd_rtx) > flight(c))
    return false;
  return fin_in_flight(c) == 0 || (c->snd_una != c->snd_nxt && text_in_flight(c) == c->snd_len);
}

/*@ requires \valid_read(c) && send_space(*c) && config_ok(c->cfg);
    assigns \nothing;
    ensures states: \result <==> send_states(*c);
*/
static bool has_send_states(const struct vtcp_conn *c)
{
  bool opening = c->state == VTCP_SYN_SENT || c->state == VTCP_SYN_RECEIVED;
  bool closing = c->state == VTCP_FIN_WAIT_1;

  if (c->syn_acked ? opening : !opening && !closing)
    return false;
  if (!c->syn_acked && (c->snd_una != c->iss || text_in_flight(c) != 0 || (closing && c->snd_len != 0)))
    return false;
  if (c->fin_sent && !is_fin_wanted(c->state))
    return false;
  if (is_fin_acked(c->state) && (!c->fin_sent || c->snd_una != c->snd_nxt || c->snd_len != 0))
    return false;
  return !c->close_queued || (c->state == VTCP_SYN_RECEIVED && c->snd_len > 0);
}

/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures space: \result <==> receive_space(*c);
*/
static bool has_receive_space(const struct vtcp_conn *c)
{
  if (c->rcv_wnd > 65535 || c->rcv_wnd > c->cfg.rcv_buf || c->rcv_len > c->cfg.rcv_buf - c->rcv_wnd)
    return false;
  return c->state != VTCP_SYN_SENT || c->rcv_len == 0;
}

/* Whether range i is as normal() wants it, by itself and beside those after it. */
/*@ requires \valid_read(c) && i < VTCP_RANGES;
    assigns \nothing;
    ensures normal: \result <==> normal_range(c->held.at[i], c->rcv_wnd)
                    && (\forall integer j; i < j < VTCP_RANGES ==> (c->held.at[j].to != 0 ==>
                        c->held.at[i].to != 0 && !touches(c->held.at[i], c->held.at[j].from, c->held.at[j].to)));
*/
static bool is_range_normal(const struct vtcp_conn *c, uint32_t i)
{
  struct vtcp_range r = c->held.at[i];

  if (r.to == 0 ? r.from != 0 : r.from == 0 || r.from >= r.to || r.to > c->rcv_wnd)
    return false;
  /*@ loop invariant bound: i < j <= VTCP_RANGES;
      loop invariant apart: \forall integer k; i < k < j ==> (c->held.at[k].to != 0 ==>
                            r.to != 0 && !touches(r, c->held.at[k].from, c->held.at[k].to));
      loop assigns j;
      loop variant VTCP_RANGES - j; */
  for (uint32_t j = i + 1; j < VTCP_RANGES; j++)
    if (c->held.at[j].to != 0 && (r.to == 0 || is_touching(r, c->held.at[j])))
      return false;
  return true;
}

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures held: \result <==> held_space(*c);
*/
static bool has_held_space(const struct vtcp_conn *c)
{
  /*@ loop invariant bound: i <= VTCP_RANGES;
      loop invariant normal: \forall integer k; 0 <= k < i ==> normal_range(c->held.at[k], c->rcv_wnd);
      loop invariant apart: \forall integer k, j; 0 <= k < i && k < j < VTCP_RANGES ==> (c->held.at[j].to != 0 ==>
                            c->held.at[k].to != 0 && !touches(c->held.at[k], c->held.at[j].from, c->held.at[j].to));
      loop assigns i;
      loop variant VTCP_RANGES - i; */
  for (uint32_t i = 0; i < VTCP_RANGES; i++)
    if (!is_range_normal(c, i))
      return false;
  if (c->fin_end > c->rcv_wnd || c->fin_end == 1)
    return false;
  return is_receiving(c->state) || (c->fin_end == 0 && !is_text_held(c));
}

/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures estimates: \result <==> estimates(*c);
*/
static bool has_estimates(const struct vtcp_conn *c)
{
  if (c->rto < c->cfg.rto_min_ms * 1000 || c->rto > c->cfg.rto_max_ms * 1000 || c->persist > c->cfg.rto_max_ms * 1000)
    return false;
  if (c->srtt > 0x40000000 || c->rttvar > 0x40000000)
    return false;
  return !c->rtt_running || (c->snd_una != c->rtt_seq && distance(c->snd_una, c->rtt_seq) <= flight(c));
}

/*@ requires \valid_read(c) && config_ok(c->cfg);
    assigns \nothing;
    ensures live: \result <==> live(*c);
*/
static bool is_live(const struct vtcp_conn *c)
{
  if (c->state < VTCP_SYN_SENT || c->state > VTCP_TIME_WAIT)
    return false;
  if (!has_send_space(c) || !has_send_states(c) || !has_receive_space(c) || !has_held_space(c) || !has_estimates(c))
    return false;
  return c->challenges <= c->cfg.challenge_acks && c->snd_mss >= 1 && c->snd_wnd <= c->max_snd_wnd
         && c->max_snd_wnd <= 0x40000000;
}

bool vtcp_valid(const struct vtcp_conn *conn)
{
  if (!has_valid_config(conn) || conn->origin > VTCP_CHILD)
    return false;
  if (conn->state == VTCP_CLOSED || conn->state == VTCP_LISTEN)
    return holds_nothing(conn);
  if (!is_live(conn) || conn->timer != needed_timer(conn) || conn->ack_owed || conn->resend)
    return false;
  return conn->syn_acked || conn->snd_una != conn->snd_nxt;
}
