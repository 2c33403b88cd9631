/* Sending: one segment at the end of a step (RFC 9293, sections 3.7 and 3.8.6). */
#include "core.h"

/*@ requires \valid_read(c);
    assigns \nothing;
    ensures syn: \result <==> sends_syn(*c);
*/
static bool is_syn_due(const struct vtcp_conn *c)
{
  return c->state >= VTCP_SYN_SENT && !c->syn_acked && c->snd_rtx == c->snd_una
         && (c->snd_nxt == c->snd_una || c->resend);
}

/* Whether text or a FIN may leave from snd_rtx on. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures may: \result <==> may_send(*c);
*/
static bool is_sending(const struct vtcp_conn *c)
{
  uint32_t offset = distance(c->snd_una, c->snd_rtx);
  uint32_t syn = c->syn_acked ? 0 : 1;

  if (c->state != VTCP_ESTABLISHED && c->state != VTCP_CLOSE_WAIT && c->state != VTCP_FIN_WAIT_1
      && c->state != VTCP_CLOSING && c->state != VTCP_LAST_ACK)
    return false;
  return offset >= syn && offset - syn <= c->snd_len && (c->snd_rtx == c->snd_nxt || c->resend);
}

/* Where snd_rtx stands in the send buffer. */
/*@ requires \valid_read(c) && may_send(*c);
    assigns \nothing;
    ensures position: \result == send_position(*c);
*/
static uint32_t position(const struct vtcp_conn *c)
{
  return distance(c->snd_una, c->snd_rtx) - (c->syn_acked ? 0u : 1u);
}

/* How far the peer's window reaches beyond snd_rtx; a probe may pass a closed one by one octet (3.8.6.1). */
/*@ requires \valid_read(c) && may_send(*c);
    assigns \nothing;
    ensures room: \result == send_room(*c);
*/
static uint32_t room_to_send(const struct vtcp_conn *c)
{
  uint32_t window = c->snd_wnd == 0 && c->resend ? 1 : c->snd_wnd;
  uint32_t at = position(c);

  return at < window ? window - at : 0;
}

/* Whether so many octets are worth a segment: the sender's silly-window avoidance (3.8.6.2.1) and Nagle's algorithm
 * (3.7.4). */
/*@ requires \valid_read(c) && may_send(*c);
    assigns \nothing;
    ensures MUST_38: \result <==> worth_sending(*c, n);
*/
static bool is_worth_sending(const struct vtcp_conn *c, uint16_t n)
{
  if (c->resend || n == c->snd_mss)
    return true;
  if (c->cfg.nagle && c->snd_una != c->snd_nxt && !is_fin_wanted(c->state))
    return false;
  return n == c->snd_len - position(c) || 2 * (uint32_t)n >= c->max_snd_wnd;
}

/* Octets of text that the next segment carries. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures text: \result == text_to_send(*c);
    ensures full: \result <= c->snd_mss;
*/
static uint16_t text_due(const struct vtcp_conn *c)
{
  if (!is_sending(c))
    return 0;
  uint32_t ready = smaller(c->snd_len - position(c), room_to_send(c));
  uint16_t n = ready < c->snd_mss ? (uint16_t)ready : c->snd_mss;
  return is_worth_sending(c, n) ? n : 0;
}

/* Whether that segment carries our FIN: all text before it is sent, and the window has a place for it. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures fin: \result <==> fin_to_send(*c);
*/
static bool is_fin_due(const struct vtcp_conn *c)
{
  if (!is_sending(c) || !is_fin_wanted(c->state) || is_fin_acked(c->state))
    return false;
  uint32_t text = text_due(c);
  return c->snd_len - position(c) == text && text < room_to_send(c);
}

/* Whether text or a FIN can leave at once. */
/*@ requires \valid_read(c);
    assigns \nothing;
    ensures due: \result <==> seqs_to_send(*c) > 0;
*/
static bool is_anything_due(const struct vtcp_conn *c)
{
  return text_due(c) > 0 || is_fin_due(c);
}

/* RFC 6298 (3): Karn's rule, and one measurement at a time. */
/*@ requires \valid(c);
    assigns *c;
    ensures R6298_karn: *c == with_measurement(\old(*c), again ? \true : \false, end, now);
*/
static void start_measurement(struct vtcp_conn *c, bool again, uint32_t end, uint64_t now)
{
  if (again) {
    c->rtt_running = false;
  } else if (!c->rtt_running) {
    c->rtt_running = true;
    c->rtt_seq = end;
    c->rtt_at = now;
  }
}

/* Our SYN, or SYN,ACK; with our MSS (MUST-14, SHLD-5). */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && sends_syn(*c) && mid_step(*c);
    assigns *c, *a;
    ensures refines: *c == after_syn_out(\old(*c), now);
    ensures answers: *a == does_syn_out(\old(*c), \old(*a));
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures told: tells_nothing(\old(*a), *a);
    ensures timer: same_timer(\old(*c), *c);
    ensures sent: unsent(\old(*a)) ==> law_sent(*c, *a);
    ensures MUST_38_law: unsent(\old(*a)) ==> worth_it(\old(*c), *c, *a);
    ensures SHLD_7_law: unsent(\old(*a)) ==> waits_for_ack(\old(*c), *c, *a);
*/
static void send_syn(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  uint32_t end = add(c->snd_una, 1);

  a->send = true;
  a->seg.seq = c->snd_una;
  a->seg.syn = true;
  a->seg.has_mss = true;
  a->seg.mss = c->cfg.rcv_mss;
  a->seg.wnd = (uint16_t)c->rcv_wnd;
  a->seg.has_ack = c->state != VTCP_SYN_SENT;
  a->seg.ack = c->state != VTCP_SYN_SENT ? c->rcv_nxt : 0;
  start_measurement(c, c->snd_nxt != c->snd_una, end, now);
  c->snd_rtx = end;
  if (c->snd_nxt == c->snd_una)
    c->snd_nxt = end;
  c->resend = false;
  c->ack_owed = false;
}

/* Text, FIN or both from snd_rtx on: the segment. Every segment acknowledges (MUST-58). */
/*@ requires \valid_read(c) && \valid(a) && \separated(c, a) && mid_step(*c) && may_send(*c);
    requires text == text_to_send(*c) && (fin ? \true : \false) == fin_to_send(*c);
    assigns *a;
    ensures answers: *a == does_text_out(*c, \old(*a));
    ensures told: tells_nothing(\old(*a), *a);
*/
static void form_text(const struct vtcp_conn *c, uint16_t text, bool fin, struct vtcp_actions *a)
{
  a->send = true;
  a->text_at = position(c);
  a->seg.seq = c->snd_rtx;
  a->seg.ack = c->rcv_nxt;
  a->seg.has_ack = true;
  a->seg.wnd = (uint16_t)c->rcv_wnd;
  a->seg.len = text;
  a->seg.psh = text > 0 && a->text_at + text == c->snd_len;
  a->seg.fin = fin;
}

/* ... and what it leaves behind. */
/*@ requires \valid(c) && seqs_to_send(*c) > 0 && mid_step(*c);
    requires text == text_to_send(*c) && (fin ? \true : \false) == fin_to_send(*c);
    assigns *c;
    ensures refines: *c == after_text_out(\old(*c), now);
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures timer: same_timer(\old(*c), *c);
*/
static void note_sent(struct vtcp_conn *c, uint16_t text, bool fin, uint64_t now)
{
  uint32_t count = text + (fin ? 1u : 0u);
  uint32_t end = add(c->snd_rtx, count);
  bool beyond = distance(c->snd_una, c->snd_rtx) + count > flight(c);

  start_measurement(c, c->resend, end, now);
  c->snd_rtx = end;
  if (beyond)
    c->snd_nxt = end;
  c->fin_sent = c->fin_sent || fin;
  c->resend = false;
  c->ack_owed = false;
}

/* Text, FIN or both leave. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && seqs_to_send(*c) > 0 && mid_step(*c);
    assigns *c, *a;
    ensures refines: *c == after_text_out(\old(*c), now);
    ensures answers: *a == does_text_out(\old(*c), \old(*a));
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures told: tells_nothing(\old(*a), *a);
    ensures timer: same_timer(\old(*c), *c);
    ensures sent: unsent(\old(*a)) ==> law_sent(*c, *a);
    ensures MUST_38_law: unsent(\old(*a)) ==> worth_it(\old(*c), *c, *a);
    ensures SHLD_7_law: unsent(\old(*a)) ==> waits_for_ack(\old(*c), *c, *a);
    ensures leaves: a->send && (a->seg.len > 0 || a->seg.fin);
*/
static void send_text(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  uint16_t text = text_due(c);
  bool fin = is_fin_due(c);

  form_text(c, text, fin, a);
  note_sent(c, text, fin, now);
}

/* A bare acknowledgment, if one is owed. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && mid_step(*c);
    assigns *c, *a;
    ensures refines: *c == { \old(*c) \with .resend = (_Bool)0, .ack_owed = (_Bool)0 };
    ensures answers: *a == (\old(c->ack_owed) ? with_ack(\old(*a), \old(*c)) : \old(*a));
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures told: tells_nothing(\old(*a), *a);
    ensures timer: same_timer(\old(*c), *c);
    ensures sent: unsent(\old(*a)) ==> law_sent(*c, *a);
    ensures MUST_38_law: unsent(\old(*a)) ==> worth_it(\old(*c), *c, *a);
    ensures SHLD_7_law: unsent(\old(*a)) ==> waits_for_ack(\old(*c), *c, *a);
*/
static void send_ack(struct vtcp_conn *c, struct vtcp_actions *a)
{
  if (c->ack_owed)
    form_ack(c, a);
  c->resend = false;
  c->ack_owed = false;
}

/* At most one segment: the SYN, or text and FIN, or a bare acknowledgment that is owed. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && mid_step(*c);
    assigns *c, *a;
    ensures refines: *c == after_output(\old(*c), now);
    ensures answers: *a == does_one_of(sends_syn(\old(*c)), seqs_to_send(\old(*c)) > 0, \old(*c), \old(*a));
    ensures mid: mid_step(*c);
    ensures settled: !c->ack_owed && !c->resend;
    ensures syn_out: c->state == VTCP_CLOSED || c->syn_acked || c->snd_una != c->snd_nxt;
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures told: tells_nothing(\old(*a), *a);
    ensures timer: same_timer(\old(*c), *c);
    ensures sent: unsent(\old(*a)) ==> law_sent(*c, *a);
    ensures MUST_38_law: unsent(\old(*a)) ==> worth_it(\old(*c), *c, *a);
    ensures SHLD_7_law: unsent(\old(*a)) ==> waits_for_ack(\old(*c), *c, *a);
    ensures leaves: seqs_to_send(\old(*c)) > 0 && \old(c->syn_acked) ==> a->send && (a->seg.len > 0 || a->seg.fin);
*/
static void output(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  if (is_syn_due(c)) {
    send_syn(c, now, a);
  } else if (is_anything_due(c)) {
    send_text(c, now, a);
  } else {
    send_ack(c, a);
  }
}

/* The end of every step that may send. */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && mid_step(*c);
    assigns *c, *a;
    ensures refines: *c == after_transmit(\old(*c), now);
    ensures answers: *a == does_transmit(\old(*c), now, \old(*a));
    ensures wf: vtcp_wf(*c);
    ensures kept: only_sends(\old(*c), *c);
    ensures held: c->held == \old(c->held);
    ensures told: tells_nothing(\old(*a), *a);
    ensures stored: a->store_len == \old(a->store_len) && a->delivered == \old(a->delivered);
    ensures MUST_13: goes_on_2msl(\old(*c), now, *c);
    ensures MUST_26: goes_on_idle(\old(*c), now, *c);
    ensures MUST_38_timer: goes_on_override(\old(*c), now, *c);
    ensures leaves: seqs_to_send(\old(*c)) > 0 && \old(c->syn_acked) ==> a->send && (a->seg.len > 0 || a->seg.fin);
    ensures sent: unsent(\old(*a)) ==> law_sent(*c, *a);
    ensures MUST_38_law: unsent(\old(*a)) ==> worth_it(\old(*c), *c, *a);
    ensures SHLD_7_law: unsent(\old(*a)) ==> waits_for_ack(\old(*c), *c, *a);
    ensures more: a->more ==> seqs_to_send(*c) > 0;
    ensures MUST_17: let_out(*c, *a);
*/
static void transmit(struct vtcp_conn *c, uint64_t now, struct vtcp_actions *a)
{
  /*@ assert answers: does_one_of(sends_syn(*c), seqs_to_send(*c) > 0, *c, *a) == does_output(*c, *a); */
  output(c, now, a);
  set_timer(c, now);
  a->more = is_anything_due(c);
}

/* The receive window's right edge moves when it can move by half the buffer or a full segment (MUST-39, SHLD-14). */
/*@ requires \valid(c) && mid_step(*c);
    assigns *c;
    ensures MUST_39: *c == with_window(\old(*c));
    ensures MUST_39_edge: \old(c->rcv_wnd) <= c->rcv_wnd;
    ensures mid: mid_step(*c);
    ensures length: c->rcv_len == \old(c->rcv_len);
    ensures kept: data_keeps(\old(*c), *c) && same_timer(\old(*c), *c) && same_sending(\old(*c), *c);
    ensures state: c->state == \old(c->state) && c->rcv_nxt == \old(c->rcv_nxt) && c->held == \old(c->held)
                   && c->fin_end == \old(c->fin_end);
*/
static void open_window(struct vtcp_conn *c)
{
  if (!is_receiving(c->state))
    return;
  uint32_t space = smaller(c->cfg.rcv_buf - c->rcv_len, 65535);
  uint32_t step = smaller(c->cfg.rcv_buf / 2, c->cfg.rcv_mss);
  if (space - c->rcv_wnd >= step && space > c->rcv_wnd)
    c->rcv_wnd = space;
}
