/* The segment's text and FIN (RFC 9293, 3.10.7.4, seventh and eighth). */
#include "core.h"

/* New octets, in order and inside the window, go to the receive buffer; what lies beyond a gap is not kept. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked || c->state == VTCP_CLOSED;
    assigns *c, *a;
    ensures S3_10_7_4_text: *c == after_text(\old(*c), e->seg);
    ensures S3_10_7_4_store: *a == does_text(\old(*c), e->seg, \old(*a));
    ensures mid: mid_step(*c);
    ensures synced: c->syn_acked || c->state == VTCP_CLOSED;
    ensures stores: \old(a->store_len) == 0 ==> law_stores(\old(*c), *e, *c, *a);
    ensures received: \old(a->store_len) == 0 ==> c->rcv_nxt == seq_add(\old(c->rcv_nxt), a->store_len);
    ensures state: c->state == \old(c->state);
    ensures sending: same_sending(\old(*c), *c);
    ensures timer: same_timer(\old(*c), *c) && a->peer_closed == \old(a->peer_closed);
    ensures kept: data_keeps(\old(*c), *c);
*/
static void segment_text(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  uint32_t old = distance(add(e->seg.seq, e->seg.syn ? 1 : 0), c->rcv_nxt);

  if (c->state >= VTCP_ESTABLISHED && (e->seg.len > 0 || e->seg.fin))
    c->ack_owed = true;
  if (!is_receiving(c->state) || old >= e->seg.len || c->rcv_wnd == 0)
    return;
  uint32_t taken = smaller(e->seg.len - old, c->rcv_wnd);
  a->store_from = old;
  a->store_len = taken;
  a->store_at = c->rcv_len;
  a->pushed = e->seg.psh && old + taken == e->seg.len;
  c->rcv_nxt = add(c->rcv_nxt, taken);
  c->rcv_wnd -= taken;
  c->rcv_len += taken;
}

/* Whether the segment's FIN is the next thing in order, and inside the window. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures order: \result <==> fin_in_order(*c, e->seg);
*/
static bool is_fin_in_order(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  uint32_t fin_seq = add(add(e->seg.seq, e->seg.syn ? 1 : 0), e->seg.len);

  return e->seg.fin && is_receiving(c->state) && fin_seq == c->rcv_nxt && c->rcv_wnd > 0;
}

/* Eighth, check the FIN bit. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked || c->state == VTCP_CLOSED;
    assigns *c, *a;
    ensures S3_10_7_4_fin: *c == after_fin(\old(*c), *e);
    ensures S3_10_7_4_told: *a == does_fin(\old(*c), *e, \old(*a));
    ensures mid: mid_step(*c);
    ensures length: c->rcv_len == \old(c->rcv_len) && a->store_len == \old(a->store_len)
                    && a->store_from == \old(a->store_from) && a->store_at == \old(a->store_at);
    ensures received: !\old(a->peer_closed) ==> c->rcv_nxt == seq_add(\old(c->rcv_nxt), one_if(a->peer_closed != 0));
    ensures sending: same_sending(\old(*c), *c);
    ensures MUST_13: c->timer == \old(c->timer) && c->retries == \old(c->retries)
                     && (c->timer_at == \old(c->timer_at)
                         || (c->state == VTCP_TIME_WAIT && c->timer_at == later(e->now, 2 * c->cfg.msl_ms * 1000)));
    ensures kept: data_keeps(\old(*c), *c);
    ensures moves: data_moves(\old(*c), *e, *c);
*/
static void check_fin(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (is_fin_in_order(c, e)) {
    a->peer_closed = true;
    c->rcv_nxt = add(c->rcv_nxt, 1);
    c->rcv_wnd -= 1;
    if (c->state == VTCP_ESTABLISHED)
      c->state = VTCP_CLOSE_WAIT;
    else if (c->state == VTCP_FIN_WAIT_1)
      c->state = VTCP_CLOSING;
    else
      c->state = VTCP_TIME_WAIT;
  } else if (c->state == VTCP_TIME_WAIT && e->seg.fin) {
    restart_time_wait(c, e->now);
  }
}

/* From the seventh check to the end of SEGMENT ARRIVES. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked || c->state == VTCP_CLOSED;
    requires unsent(*a) && a->store_len == 0 && !a->peer_closed && !forced(*c);
    assigns *c, *a;
    ensures refines: *c == after_data(\old(*c), *e);
    ensures answers: *a == does_data(\old(*c), *e, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures kept: data_keeps(\old(*c), *c);
    ensures received: data_received(\old(*c), *c, *a);
    ensures moves: data_moves(\old(*c), *e, *c);
    ensures MUST_13: data_2msl(\old(*c), *e, *c);
    ensures MUST_26: goes_on_idle(\old(*c), e->now, *c);
    ensures MUST_38: worth_it(\old(*c), *c, *a);
    ensures MUST_38_timer: goes_on_override(\old(*c), e->now, *c);
    ensures SHLD_7: waits_for_ack(\old(*c), *c, *a);
    ensures stores: law_stores(\old(*c), *e, *c, *a);
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == \old(a->acked) && !a->seg.rst;
    ensures more: a->more ==> seqs_to_send(*c) > 0;
*/
static void take_data(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  segment_text(c, e, a);
  check_fin(c, e, a);
  /*@ assert received: c->rcv_nxt == seq_add(\at(c->rcv_nxt, Pre), a->store_len + one_if(a->peer_closed != 0)); */
  open_window(c);
  /*@ assert inside: seq_distance(\at(c->rcv_nxt, Pre), c->rcv_nxt) <= \at(c->rcv_wnd, Pre); */
  /*@ assert edge: seq_distance(\at(c->rcv_nxt, Pre), c->rcv_nxt) + c->rcv_wnd >= \at(c->rcv_wnd, Pre); */
  transmit(c, e->now, a);
}
