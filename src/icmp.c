/* ICMP messages that quote a segment of this connection (RFC 9293, 3.9.2.2; RFC 5927). */
#include "core.h"

/* Whether the message quotes something in flight (RFC 5927, section 4.1). */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e);
    assigns \nothing;
    ensures R5927_4_1: \result <==> icmp_counts(*c, *e);
*/
static bool is_icmp_ours(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  return c->state >= VTCP_SYN_SENT && distance(c->snd_una, e->seg.seq) < flight(c);
}

/* Whether the message can be true of the segment that it quotes: larger than what gets through (RFC 5927, section 7.2). */
/*@ requires \valid_read(c) && \valid_read(e) && \separated(c, e) && icmp_counts(*c, *e);
    assigns \nothing;
    ensures R5927_7_2: \result <==> icmp_shrinks(*c, *e);
*/
static bool is_too_big(const struct vtcp_conn *c, const struct vtcp_event *e)
{
  if (e->icmp != VTCP_ICMP_TOO_BIG || !c->syn_acked || e->len < 48)
    return false;
  uint32_t fin = c->fin_sent && !is_fin_acked(c->state) ? 1 : 0;
  uint32_t text = distance(e->seg.seq, c->snd_nxt) - fin;
  return e->len - 20 < c->snd_mss && e->len - 20 < text;
}

/* A hard error before the connection is synchronized: what a RST would do (SHLD-26). */
/*@ requires \valid(c) && \valid(a) && \separated(c, a) && vtcp_wf(*c);
    requires c->state == VTCP_SYN_SENT || c->state == VTCP_SYN_RECEIVED;
    assigns *c, *a;
    ensures SHLD_26: *c == (\old(c->state) == VTCP_SYN_SENT || \old(c->origin) == VTCP_ACTIVE ? deleted(\old(*c), c->held)
                            : returned(\old(*c), c->held));
    ensures wf: vtcp_wf(*c);
    ensures state: c->state == VTCP_CLOSED || (c->state == VTCP_LISTEN && \old(c->state) == VTCP_SYN_RECEIVED);
    ensures silent: a->send == \old(a->send) && a->seg == \old(a->seg) && a->acked == \old(a->acked)
                    && a->store_len == \old(a->store_len) && a->delivered == \old(a->delivered)
                    && a->peer_closed == \old(a->peer_closed);
*/
static void end_by_icmp(struct vtcp_conn *c, struct vtcp_actions *a)
{
  if (c->state == VTCP_SYN_RECEIVED && c->origin != VTCP_ACTIVE) {
    return_to_listen(c, a);
    return;
  }
  delete_tcb(c);
  a->refused = true;
  a->closed = true;
}

/* The path takes smaller segments: what is not acknowledged goes again, in such (RFC 1191, section 6.4). */
/*@ requires \valid(c) && \valid_read(e) && \separated(c, e) && vtcp_wf(*c);
    requires icmp_counts(*c, *e) && icmp_shrinks(*c, *e);
    assigns *c;
    ensures R1191: *c == with_path_mss(\old(*c), *e);
    ensures mid: mid_step(*c);
    ensures kept: only_sends(\old(*c), { *c \with .snd_mss = \old(c->snd_mss) }) && same_timer(\old(*c), *c);
    ensures smaller: 1 <= c->snd_mss <= \old(c->snd_mss);
    ensures again: !forced(*c) && c->snd_nxt == \old(c->snd_nxt);
*/
static void shrink_segments(struct vtcp_conn *c, const struct vtcp_event *e)
{
  c->snd_mss = (uint16_t)(e->len - 20);
  if (c->timer == VTCP_RETRANSMISSION) {
    c->snd_rtx = c->snd_una;
    c->resend = true;
  }
}

/* 3.9.2.2. Source quench, and what quotes nothing in flight, is discarded in silence (MUST-55). */
/*@ requires \valid(c) && \valid_read(e) && \valid(a) && \separated(c, e, a) && vtcp_wf(*c);
    requires e->type == VTCP_ICMP && fresh(*a);
    assigns *c, *a;
    ensures S3_9_2_2: *c == after_icmp(\old(*c), *e, c->held);
    ensures ignores: !icmp_counts(\old(*c), *e) || e->icmp == VTCP_ICMP_QUENCH ==> *a == \old(*a);
    ensures tells: icmp_counts(\old(*c), *e) && is_soft(\old(*c), *e) ==> *a == { \old(*a) \with .soft_error = (_Bool)1 };
    ensures SHLD_25: icmp_counts(\old(*c), *e) && e->icmp == VTCP_ICMP_SOFT ==> a->soft_error != 0;
    ensures wf: vtcp_wf(*c);
    ensures diagram: law_diagram(\old(*c), *e, *c);
    ensures call: law_call(\old(*c), *c);
    ensures sent: law_sent(*c, *a);
    ensures told: a->acked == 0 && a->store_len == 0 && a->delivered == 0 && !a->peer_closed;
    ensures received: law_received(\old(*c), *c, *a);
    ensures MUST_26: law_idle(\old(*c), *e, *c);
    ensures MUST_56: law_icmp(\old(*c), *e, *c, *a);
    ensures MUST_38: law_silly_window(\old(*c), *e, *c, *a);
    ensures MUST_38_override: law_override(\old(*c), *e, *c, *a);
    ensures SHLD_7: law_nagle(\old(*c), *c, *a);
*/
static void icmp_arrives(struct vtcp_conn *c, const struct vtcp_event *e, struct vtcp_actions *a)
{
  if (!is_icmp_ours(c, e) || e->icmp == VTCP_ICMP_QUENCH)
    return;
  if (e->icmp == VTCP_ICMP_HARD && (c->state == VTCP_SYN_SENT || c->state == VTCP_SYN_RECEIVED)) {
    end_by_icmp(c, a);
    return;
  }
  if (e->icmp == VTCP_ICMP_TOO_BIG) {
    if (!is_too_big(c, e))
      return;
    /*@ assert shrinks: after_transmit(with_path_mss(*c, *e), e->now) == after_icmp(*c, *e, c->held); */
    shrink_segments(c, e);
    transmit(c, e->now, a);
    return;
  }
  a->soft_error = true;
}
