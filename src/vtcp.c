/* vtcp: the transition function, and what surrounds it. One translation unit, its parts in the order in which they use each
 * other; what is not public is static. */
#include "core.h"

#include "timers.c"          /* RFC 6298 */
#include "output.c"          /* 3.7, 3.8.6 */
#include "calls.c"           /* 3.10.1 to 3.10.6 */
#include "acknowledgment.c"  /* 3.10.7.4, fifth check */
#include "text.c"            /* 3.10.7.4, seventh and eighth */
#include "segment_opening.c" /* 3.10.7.1 to 3.10.7.3 */
#include "segment.c"         /* 3.10.7.4 */
#include "timeouts.c"        /* 3.10.8 */

struct vtcp_config vtcp_config_default(void)
{
  struct vtcp_config cfg;

  cfg.rcv_buf = 65536;
  cfg.snd_buf = 65536;
  cfg.rto_initial_ms = 1000;
  cfg.rto_min_ms = 1000;
  cfg.rto_max_ms = 60000;
  cfg.r2_ms = 300000;
  cfg.r2_syn_ms = 180000;
  cfg.user_timeout_ms = 0;
  cfg.msl_ms = 60000;
  cfg.default_mss = 536;
  cfg.mms_s = 1480;
  cfg.rcv_mss = 1460;
  cfg.r1 = 3;
  cfg.challenge_acks = 10;
  cfg.listener = false;
  cfg.rfc1337 = false;
  return cfg;
}

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
  return cfg->challenge_acks < 1 ? VTCP_CONFIG_CHALLENGE_ACKS : VTCP_CONFIG_OK;
}

enum vtcp_config_error vtcp_init(struct vtcp_conn *conn, const struct vtcp_config *cfg)
{
  enum vtcp_config_error error = vtcp_config_check(cfg);

  if (error != VTCP_CONFIG_OK)
    return error;
  *conn = no_conn;
  conn->cfg = *cfg;
  return VTCP_CONFIG_OK;
}

void vtcp_child(const struct vtcp_conn *listener, struct vtcp_conn *child)
{
  *child = no_conn;
  child->cfg = listener->cfg;
  child->cfg.listener = false;
  child->state = VTCP_LISTEN;
  child->origin = VTCP_CHILD;
}

/*@ requires \valid(conn) && \valid_read(event) && \valid(actions) && \separated(conn, event, actions);
    requires vtcp_wf(*conn);
    assigns *conn, *actions;
    ensures refines: *conn == after_step(\old(*conn), *event);
    ensures answers: *actions == does_step(\old(*conn), *event, no_actions);
    ensures wf: vtcp_wf(*conn);
*/
void vtcp_step(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions)
{
  *actions = no_actions;
  switch (event->type) {
  case VTCP_OPEN_ACTIVE: open_active(conn, event, actions); break;
  case VTCP_OPEN_PASSIVE: open_passive(conn, actions); break;
  case VTCP_SEND: send_call(conn, event, actions); break;
  case VTCP_RECEIVE: receive_call(conn, event, actions); break;
  case VTCP_CLOSE: close_call(conn, event, actions); break;
  case VTCP_ABORT: abort_call(conn, actions); break;
  case VTCP_STATUS:
    if (conn->state == VTCP_CLOSED)
      actions->error = VTCP_NO_CONNECTION;
    break;
  case VTCP_ARRIVES: segment_arrives(conn, event, actions); break;
  case VTCP_TIMEOUT: timeout(conn, event, actions); break;
  case VTCP_MORE:
    if (conn->state != VTCP_LISTEN)
      transmit(conn, event->now, actions);
    break;
  default: actions->error = VTCP_BAD_EVENT; break;
  }
  actions->readable = conn->syn_acked ? conn->rcv_len : 0;
}

uint64_t vtcp_deadline(const struct vtcp_conn *conn)
{
  if (is_anything_due(conn))
    return 0;
  if (is_unanswered(conn)) {
    uint64_t limit = time_after(conn->progress_at, patience(conn));
    return conn->timer_at <= limit ? conn->timer_at : limit;
  }
  return conn->timer == VTCP_TIME_WAIT_TIMER ? conn->timer_at : UINT64_MAX;
}

uint32_t vtcp_send_room(const struct vtcp_conn *conn)
{
  struct vtcp_event e;

  (void)e;
  return 0;
}
