/* vtcp: the transition function, and what surrounds it. One translation unit, its parts in the order in which they use each
 * other; what is not public is static. */
#include "core.h"

#include "timers.c"          /* RFC 6298 */
#include "output.c"          /* 3.7, 3.8.6 */
#include "calls.c"           /* 3.10.1 to 3.10.6 */
#include "acknowledgment.c"  /* 3.10.7.4, fifth check */
#include "ranges.c"          /* SHLD-31 */
#include "text.c"            /* 3.10.7.4, seventh and eighth */
#include "segment_opening.c" /* 3.10.7.1 to 3.10.7.3 */
#include "segment.c"         /* 3.10.7.4 */
#include "timeouts.c"        /* 3.10.8 */
#include "icmp.c"            /* 3.9.2.2 */
#include "valid.c"           /* the invariant, executable */
#include "names.c"

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
  cfg.keep_alive_ms = 7200000;
  cfg.keep_alive_probe_ms = 75000;
  cfg.default_mss = 536;
  cfg.mms_s = 1480;
  cfg.rcv_mss = 1460;
  cfg.r1 = 3;
  cfg.challenge_acks = 10;
  cfg.keep_alive_probes = 9;
  cfg.keep_alive = false;
  cfg.nagle = true;
  cfg.listener = false;
  cfg.rfc1337 = false;
  return cfg;
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

/* VTCP_MORE: the last step left something that may go at once. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_MORE && fresh(*a);
    assigns *c, *a;
    ensures refines: *c == after_more(\old(*c), *e);
    ensures answers: *a == does_more(\old(*c), *e, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures sent: law_sent(*c, *a);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures MUST_17: law_nagle_off(*e, *c, *a);
    ensures told: a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    ensures received: law_received(\old(*c), *c, *a);
*/
static void more_to_send(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (c->state != VTCP_LISTEN)
    transmit(c, e->now, a);
}

/* What the user can read now: nothing before the connection is synchronized (3.10.7.4, fifth check). */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures readable: \result == (c->syn_acked ? c->rcv_len : (uint32_t)0);
*/
static uint32_t readable(const struct vtcp_conn *c)
{
  return c->syn_acked ? c->rcv_len : 0;
}

/* Whatever is not a segment: calls, timeouts, ICMP. None of them acknowledges, stores or hears of the peer's end. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type != VTCP_ARRIVES && fresh(*a);
    assigns *c, *a;
    ensures refines: *c == after_step(\old(*c), *e, c->held, 0);
    ensures unknown: e->type > VTCP_ICMP ==> a->error == VTCP_BAD_EVENT && !a->send;
    ensures S3_10_6: e->type == VTCP_STATUS ==>
                     a->error == (c->state == VTCP_CLOSED ? VTCP_NO_CONNECTION : \old(a->error)) && !a->send;
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures sent: law_syn_sent(*c, *a) && law_text_sent(*c, *a);
    ensures told: a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    ensures MUST_13: law_time_wait(\old(*c), *e, *c);
    ensures MUST_20: law_r2(\old(*c), *e, *c);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_29: law_keep_alive(\old(*c), *e, *c, *a);
    ensures MUST_37: law_probes(\old(*c), *e, *c);
    ensures MUST_56: law_icmp(\old(*c), *e, *c, *a);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
    ensures MUST_17: law_nagle_off(*e, *c, *a);
*/
static void call_or_timeout(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  switch (e->type) {
  case VTCP_OPEN_ACTIVE: open_active(c, e, a); break;
  case VTCP_OPEN_PASSIVE: open_passive(c, a); break;
  case VTCP_SEND: send_call(c, e, a); break;
  case VTCP_RECEIVE: receive_call(c, e, a); break;
  case VTCP_CLOSE: close_call(c, e, a); break;
  case VTCP_ABORT: abort_call(c, a); break;
  case VTCP_STATUS:
    if (c->state == VTCP_CLOSED)
      a->error = VTCP_NO_CONNECTION;
    break;
  case VTCP_TIMEOUT: timeout(c, e, a); break;
  case VTCP_MORE: more_to_send(c, e, a); break;
  case VTCP_ICMP: icmp_arrives(c, e, a); break;
  default: a->error = VTCP_BAD_EVENT; break;
  }
}

/* The public contract is in vtcp.h; this says the rest, for the prover: the connection after any event. What the actions
 * are is the contract of the function that the event's type leads to. */
/*@ ensures refines: *conn == after_step(\old(*conn), *event, conn->held, actions->delivered);
    ensures unknown: event->type > VTCP_ICMP ==> actions->error == VTCP_BAD_EVENT && !actions->send;
    ensures readable: actions->readable == (conn->syn_acked ? conn->rcv_len : (uint32_t)0);
*/
void vtcp_step(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions)
{
  /*@ assert nothing_comes: \forall integer at; put_together(conn->held, conn->rcv_len, at, 0, conn->held, 0, 0); */
  *actions = no_actions;
  if (event->type == VTCP_ARRIVES) {
    segment_arrives(conn, event, actions);
  } else {
    call_or_timeout(conn, event, actions);
    /*@ assert keeps: lasts(\at(*conn, Pre), *conn) ==> keeps(\at(*conn, Pre), *conn); */
    /*@ assert held: lasts(\at(*conn, Pre), *conn) ==> conn->held == \at(conn->held, Pre); */
  }
  actions->readable = readable(conn);
}

/*@ ensures A_TMR: \result == deadline(*conn); */
uint64_t vtcp_deadline(const struct vtcp_conn *conn)
{
  if (is_anything_due(conn))
    return 0;
  if (is_patience_running(conn)) {
    uint64_t limit = time_after(conn->progress_at, patience(conn));
    return conn->timer_at <= limit ? conn->timer_at : limit;
  }
  return conn->timer != VTCP_NO_TIMER ? conn->timer_at : UINT64_MAX;
}

void vtcp_set_nagle(struct vtcp_conn *conn, bool nagle)
{
  conn->cfg.nagle = nagle;
}

uint32_t vtcp_send_room(const struct vtcp_conn *conn)
{
  bool open = conn->state == VTCP_SYN_SENT || conn->state == VTCP_SYN_RECEIVED || conn->state == VTCP_ESTABLISHED
              || conn->state == VTCP_CLOSE_WAIT || conn->state == VTCP_LISTEN;

  return open && !conn->close_queued ? conn->cfg.snd_buf - conn->snd_len : 0;
}
