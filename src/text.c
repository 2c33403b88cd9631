/* The segment's text and FIN (RFC 9293, 3.10.7.4, seventh and eighth). */
#include "core.h"

/* The places of the text that is new: counted from RCV.NXT, inside the window, before a FIN that is known. Empty if none is. */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e) && mid_step(*c);
    assigns \nothing;
    ensures none: text_new(*c, e->seg) <= 0 ==> \result.to <= \result.from;
    ensures from: text_new(*c, e->seg) > 0 ==> \result.from == text_from(*c, e->seg);
    ensures to: text_new(*c, e->seg) > 0 ==> \result.to == text_from(*c, e->seg) + text_new(*c, e->seg);
    ensures inside: \result.to <= c->rcv_wnd;
*/
static struct vtcp_range new_text(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  uint32_t first = add(e->seg.seq, e->seg.syn ? 1 : 0);
  uint32_t before = distance(first, c->rcv_nxt);
  uint32_t limit = c->fin_end != 0 ? c->fin_end - 1 : c->rcv_wnd;
  uint32_t length = e->seg.len;
  struct vtcp_range text = {0, 0};

  if (length == 0 || !is_receiving(c->state))
    return text;
  if (before < length)
    length -= before;
  else
    text.from = distance(c->rcv_nxt, first);
  if (text.from < limit)
    text.to = text.from + smaller(length, limit - text.from);
  return text;
}

/* n octets come into order; so does the place of a FIN that waits. */
/*@ requires \valid(c) && n <= c->rcv_wnd && c->rcv_len + c->rcv_wnd <= c->cfg.rcv_buf && config_ok(c->cfg);
    assigns c->rcv_nxt, c->rcv_wnd, c->rcv_len, c->fin_end;
    ensures next: c->rcv_nxt == seq_add(\old(c->rcv_nxt), n);
    ensures window: c->rcv_wnd == \old(c->rcv_wnd) - n && c->rcv_len == \old(c->rcv_len) + n;
    ensures fin: c->fin_end == (\old(c->fin_end) > n ? \old(c->fin_end) - n : 0);
*/
static void deliver(struct vtcp_conn *c, uint32_t n)
{
  c->rcv_nxt = add(c->rcv_nxt, n);
  c->rcv_wnd -= n;
  c->rcv_len += n;
  if (c->fin_end != 0)
    c->fin_end = c->fin_end > n ? c->fin_end - n : 0;
}

/* Text and FIN are acknowledged at once, in order or not (RFC 5681, section 4.2). */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e);
    assigns c->ack_owed;
    ensures owed: c->ack_owed
                  == (_Bool)((\old(c->ack_owed) || (c->state >= VTCP_ESTABLISHED && (e->seg.len > 0 || e->seg.fin))) ? 1 : 0);
*/
static void owe_ack(struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (c->state >= VTCP_ESTABLISHED && (e->seg.len > 0 || e->seg.fin))
    c->ack_owed = true;
}

/* This text is to be stored where it belongs; n octets come into order. */
/*@ requires \valid_read(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires text_new(*c, e->seg) > 0 && text.from == text_from(*c, e->seg);
    requires text.to == text_from(*c, e->seg) + text_new(*c, e->seg);
    assigns *a;
    ensures S3_10_7_4_store: *a == does_text(*c, e->seg, text.to - text.from, n, \old(*a));
    ensures stores: a->store_from + a->store_len <= e->seg.len && (a->store_from == 0 || a->store_at == c->rcv_len)
                    && c->rcv_len <= a->store_at && a->store_at + a->store_len <= c->rcv_len + c->rcv_wnd
                    && seq_add(text_seq(e->seg), a->store_from) == seq_add(c->rcv_nxt, a->store_at - c->rcv_len);
*/
static void store_text(const struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_range text, uint32_t n,
                       struct vtcp_actions *a)
{
  uint32_t first = add(e->seg.seq, e->seg.syn ? 1 : 0);

  a->store_from = text.from == 0 ? distance(first, c->rcv_nxt) : 0;
  a->store_len = text.to - text.from;
  a->store_at = c->rcv_len + text.from;
  a->delivered = n;
  a->pushed = e->seg.psh && a->store_from + a->store_len == e->seg.len && n == text.to;
}

/* Seventh, process the segment text: what is new is stored, what is in order then, and had waited for it, delivered. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked;
    requires a->store_len == 0 && a->delivered == 0;
    assigns *c, *a;
    ensures S3_10_7_4_text: *c == after_text(\old(*c), e->seg, c->held, a->delivered);
    ensures S3_10_7_4_store: *a == does_text(\old(*c), e->seg, a->store_len, a->delivered, \old(*a));
    ensures mid: mid_step(fin_unseen(*c));
    ensures synced: c->syn_acked;
    ensures stores: law_stores(\old(*c), *e, *c, *a);
    ensures received: c->rcv_nxt == seq_add(\old(c->rcv_nxt), a->delivered) && a->delivered <= \old(c->rcv_wnd);
    ensures window: c->rcv_wnd == \old(c->rcv_wnd) - a->delivered;
    ensures told: a->send == \old(a->send) && a->seg == \old(a->seg) && a->acked == \old(a->acked);
    ensures SHLD_31_refused: kept(\old(c->held), text_from(\old(*c), e->seg), text_new(\old(*c), e->seg), a->store_len);
    ensures SHLD_31: receiving(c->state) ==> data_kept(\old(*c), e->seg, *a);
    ensures SHLD_31_set: reassembled(\old(c->held), a->store_at - \old(c->rcv_len), a->store_len, c->held, a->delivered);
    ensures alone: delivered_alone(\old(*c), *a);
    ensures fin_known: c->fin_end != 0 ==> fin_was_known(\old(*c), seq_add(c->rcv_nxt, c->fin_end));
    ensures fin_waits: c->fin_end <= c->rcv_wnd && (c->fin_end != 0 ==> receiving(c->state));
    ensures state: c->state == \old(c->state);
    ensures sending: same_sending(\old(*c), *c);
    ensures timer: same_timer(\old(*c), *c) && a->peer_closed == \old(a->peer_closed);
    ensures kept: data_keeps(\old(*c), *c);
*/
static void segment_text(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  struct vtcp_range text = new_text(c, e);

  owe_ack(c, e);
  if (text.to <= text.from)
    return;
  struct vtcp_range whole = reassemble(c, text);
  uint32_t in_order = whole.from == 0 ? whole.to : 0;
  if (whole.to != 0)
    store_text(c, e, text, in_order, a);
  deliver(c, in_order);
}

/* The peer's FIN is the next octet. It takes no room in the buffer: the window stays as it is. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && receiving(c->state) && c->rcv_wnd > 0;
    assigns *c, *a;
    ensures S3_10_7_4_fin: *c == { \old(*c) \with .rcv_nxt = (uint32_t)seq_add(\old(c->rcv_nxt), 1),
                                   .held = c->held, .fin_end = (uint32_t)0,
                                   .state = (uint8_t)state_after_fin(\old(c->state)) };
    ensures S3_10_7_4_told: *a == { \old(*a) \with .peer_closed = (_Bool)1 };
    ensures empty: no_text(c->held);
*/
static void take_fin(struct vtcp_conn *c, struct vtcp_actions *a)
{
  a->peer_closed = true;
  c->rcv_nxt = add(c->rcv_nxt, 1);
  c->held = nothing_held;
  c->fin_end = 0;
  if (c->state == VTCP_ESTABLISHED)
    c->state = VTCP_CLOSE_WAIT;
  else if (c->state == VTCP_FIN_WAIT_1)
    c->state = VTCP_CLOSING;
  else
    c->state = VTCP_TIME_WAIT;
}

/* Eighth, check the FIN bit. One inside the window is remembered; it is taken when all before it has been. What is held beyond it
 * contradicts it, and goes. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a);
    requires mid: mid_step(fin_unseen(*c));
    requires c->syn_acked;
    requires c->fin_end <= c->rcv_wnd && (c->fin_end != 0 ==> receiving(c->state));
    assigns *c, *a;
    ensures S3_10_7_4_fin: *c == after_fin(\old(*c), *e, c->held);
    ensures S3_10_7_4_told: *a == does_fin(\old(*c), *e, \old(*a));
    ensures told: a->send == \old(a->send) && a->seg == \old(a->seg) && a->acked == \old(a->acked);
    ensures window: !\old(a->peer_closed) ==> c->rcv_wnd == \old(c->rcv_wnd);
    ensures mid: mid_step(*c);
    ensures length: c->rcv_len == \old(c->rcv_len) && a->store_len == \old(a->store_len)
                    && a->store_from == \old(a->store_from) && a->store_at == \old(a->store_at)
                    && a->delivered == \old(a->delivered);
    ensures received: !\old(a->peer_closed) ==> c->rcv_nxt == seq_add(\old(c->rcv_nxt), one_if(a->peer_closed != 0));
    ensures held: !\old(a->peer_closed) ==> (a->peer_closed ? no_text(c->held) : c->held == \old(c->held));
    ensures known: data_fin(\old(*c), *e, *c);
    ensures sending: same_sending(\old(*c), *c);
    ensures MUST_13: c->timer == \old(c->timer) && c->retries == \old(c->retries)
                     && (c->timer_at == \old(c->timer_at)
                         || (c->state == VTCP_TIME_WAIT && c->timer_at == later(e->now, 2 * c->cfg.msl_ms * 1000)));
    ensures kept: data_keeps(\old(*c), *c);
    ensures moves: data_moves(\old(*c), *e, *c);
*/
static void check_fin(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (e->seg.fin && is_receiving(c->state)) {
    uint32_t place = distance(c->rcv_nxt, add(add(e->seg.seq, e->seg.syn ? 1 : 0), e->seg.len));
    if (place < c->rcv_wnd)
      c->fin_end = place + 1;
  }
  if (c->fin_end == 1)
    take_fin(c, a);
  else if (c->state == VTCP_TIME_WAIT && e->seg.fin)
    restart_time_wait(c, e->now);
}

/* The seventh and the eighth check. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked;
    requires unsent(*a) && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    assigns *c, *a;
    ensures refines: *c == after_fin(after_text(\old(*c), e->seg, c->held, a->delivered), *e, c->held);
    ensures answers: *a == does_fin(after_text(\old(*c), e->seg, c->held, a->delivered), *e,
                                    does_text(\old(*c), e->seg, a->store_len, a->delivered, \old(*a)));
    ensures mid: mid_step(*c);
    ensures synced: c->syn_acked;
    ensures kept: data_keeps(\old(*c), *c);
    ensures received: c->rcv_nxt == seq_add(\old(c->rcv_nxt), a->delivered + one_if(a->peer_closed != 0));
    ensures window: c->rcv_wnd == \old(c->rcv_wnd) - a->delivered;
    ensures sending: same_sending(\old(*c), *c);
    ensures reassembly: data_reassembled(\old(*c), *c, *a);
    ensures SHLD_31: receiving(\old(c->state)) ==> data_kept(\old(*c), e->seg, *a);
    ensures alone: delivered_alone(\old(*c), *a);
    ensures fin_known: data_fin(\old(*c), *e, *c);
    ensures moves: data_moves(\old(*c), *e, *c);
    ensures MUST_13: c->timer == \old(c->timer) && c->retries == \old(c->retries)
                     && (c->timer_at == \old(c->timer_at)
                         || (c->state == VTCP_TIME_WAIT && c->timer_at == later(e->now, 2 * c->cfg.msl_ms * 1000)));
    ensures stores: law_stores(\old(*c), *e, *c, *a);
    ensures told: unsent(*a) && a->acked == \old(a->acked);
*/
static void text_and_fin(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  segment_text(c, e, a);
  check_fin(c, e, a);
}

/* From the seventh check to the end of SEGMENT ARRIVES. */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && mid_step(*c);
    requires c->syn_acked;
    requires unsent(*a) && a->store_len == 0 && a->delivered == 0 && !a->peer_closed && !forced(*c);
    assigns *c, *a;
    ensures refines: *c == after_data(\old(*c), *e, c->held, a->delivered);
    ensures answers: *a == does_data(\old(*c), *e, c->held, a->store_len, a->delivered, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures kept: data_keeps(\old(*c), *c);
    ensures received: data_received(\old(*c), *c, *a);
    ensures reassembly: data_reassembled(\old(*c), *c, *a);
    ensures SHLD_31: receiving(\old(c->state)) ==> data_kept(\old(*c), e->seg, *a);
    ensures alone: delivered_alone(\old(*c), *a);
    ensures fin_known: data_fin(\old(*c), *e, *c);
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
  text_and_fin(c, e, a);
  open_window(c);
  /*@ assert inside: seq_distance(\at(c->rcv_nxt, Pre), c->rcv_nxt) <= \at(c->rcv_wnd, Pre); */
  /*@ assert edge: seq_distance(\at(c->rcv_nxt, Pre), c->rcv_nxt) + c->rcv_wnd >= \at(c->rcv_wnd, Pre); */
  /*@ assert refines: *c == with_window(after_fin(after_text(\at(*c, Pre), e->seg, c->held, a->delivered), *e, c->held)); */
  /*@ assert answers: does_transmit(*c, e->now, *a)
        == does_data(\at(*c, Pre), *e, c->held, a->store_len, a->delivered, \at(*a, Pre)); */
  /*@ assert reassembly: data_reassembled(\at(*c, Pre), *c, *a); */
  transmit(c, e->now, a);
}
