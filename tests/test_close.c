/* Closing a connection: RFC 9293, 3.6 with figures 12 and 13, 3.10.4, and the FIN in 3.10.7.4, fifth and eighth. */
#include "exchange.h"

static const uint64_t two_msl = 120 * SECOND;

/* --- Figure 12 --- */

static void figure_12_active(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_FIN_WAIT_1);
  nxt_is(&t, 2);
  arrives(&t, ACK, .seq = 1, .ack = 2);
  silent(&t);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  deadline_is(&t, NEVER);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + two_msl);
  waits(&t, two_msl - 1);
  in_state(&t, VTCP_TIME_WAIT);
  waits(&t, 1);
  silent(&t);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void figure_12_passive(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSE_WAIT);
  deadline_is(&t, NEVER);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 2);
  in_state(&t, VTCP_LAST_ACK);
  arrives(&t, ACK, .seq = 2, .ack = 2);
  silent(&t);
  signals(&t, IS_CLOSE_DONE | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* --- Figure 13 --- */

static void figure_13(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  sends(&t, ACK, .seq = 2, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSING);
  arrives(&t, ACK, .seq = 2, .ack = 2);
  silent(&t);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + two_msl); /* C05 */
  expires(&t);
  signals(&t, IS_CLOSED);
  ends(&t);
}

/* 3.10.7.4, eighth, FIN-WAIT-1: our FIN is acknowledged by the very segment that brings the peer's. */
static void fin_and_acknowledgment_of_ours_together(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_1(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2, .len = 10);
  sends(&t, ACK, .seq = 2, .ack = 12);
  signals(&t, IS_PEER_CLOSED | IS_CLOSE_DONE);
  in_state(&t, VTCP_TIME_WAIT);
  readable(&t, 10);
  deadline_is(&t, t.now + two_msl);
  ends(&t);
}

/* --- Which acknowledgment is the FIN's (C02, C03) --- */

static void fin_wait_1_and_older_acknowledgments(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 11, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_FIN_WAIT_1);
  arrives(&t, ACK, .seq = 1, .ack = 11);
  in_state(&t, VTCP_FIN_WAIT_1);
  acked(&t, 10);
  arrives(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  acked(&t, 0);
  ends(&t);
}

/* C03: SND.NXT is acknowledged, but the FIN waits behind the window. */
static void an_acknowledgment_of_everything_but_the_unsent_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 10;
  in_established(&t);
  writes(&t, 20);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  closes(&t);
  silent(&t);
  in_state(&t, VTCP_FIN_WAIT_1); /* C09: at once, though nothing can leave */
  arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = ZERO);
  in_state(&t, VTCP_FIN_WAIT_1);
  acked(&t, 10);
  arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = 100);
  sends_rest(&t, 11, 21, true);
  in_state(&t, VTCP_FIN_WAIT_1);
  arrives(&t, ACK, .seq = 1, .ack = 22);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  ends(&t);
}

static void last_ack_and_older_acknowledgments(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_close_wait(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 2, .len = 10);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 11, .ack = 2);
  arrives(&t, ACK, .seq = 2, .ack = 1);
  in_state(&t, VTCP_LAST_ACK);
  arrives(&t, ACK, .seq = 2, .ack = 11);
  in_state(&t, VTCP_LAST_ACK);
  arrives(&t, ACK, .seq = 2, .ack = 12);
  signals(&t, IS_CLOSE_DONE | IS_CLOSED);
  ends(&t);
}

static void closing_and_older_acknowledgments(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 11, .ack = 1);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  sends(&t, ACK, .seq = 12, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSING);
  arrives(&t, ACK, .seq = 2, .ack = 11);
  acked(&t, 10);
  in_state(&t, VTCP_CLOSING);
  arrives(&t, ACK, .seq = 2, .ack = 12);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_TIME_WAIT);
  ends(&t);
}

/* --- Text and FIN --- */

static void fin_with_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 102);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 100);
  in_state(&t, VTCP_CLOSE_WAIT);
  ends(&t);
}

/* C20: a FIN counts only when everything before it is there. */
static void fin_beyond_a_gap(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 51, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_ESTABLISHED);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 40);
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_ESTABLISHED);
  readable(&t, 0);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 50);
  sends(&t, ACK, .seq = 1, .ack = 52);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 50);
  ends(&t);
}

static void fin_of_a_segment_partly_old(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 30);
  sends(&t, ACK, .seq = 1, .ack = 31);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 40);
  sends(&t, ACK, .seq = 1, .ack = 52);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 50);
  ends(&t);
}

/* All the text is old, the FIN alone is new. */
static void fin_of_a_segment_all_old(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 30);
  sends(&t, ACK, .seq = 1, .ack = 31);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 30);
  sends(&t, ACK, .seq = 1, .ack = 32);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 30);
  ends(&t);
}

static void fin_at_the_right_edge(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 10000); /* the FIN is one beyond */
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
  in_state(&t, VTCP_ESTABLISHED);
  readable(&t, 10000);
  arrives(&t, FIN | ACK, .seq = 10001, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
  in_state(&t, VTCP_ESTABLISHED);
  reads(&t, 10000);
  consumed(&t, 10000);
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = 10000);
  arrives(&t, FIN | ACK, .seq = 10001, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 10002);
  signals(&t, IS_PEER_CLOSED);
  ends(&t);

  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 9999); /* the FIN is the window's last */
  sends(&t, ACK, .seq = 1, .ack = 10001);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 9999);
  ends(&t);
}

/* Our acknowledgment of the FIN was lost; the FIN comes again, alone or with old text (B09). */
static void the_peers_fin_again(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 20);
  sends(&t, ACK, .seq = 1, .ack = 22);
  signals(&t, IS_PEER_CLOSED);
  arrives(&t, FIN | ACK, .seq = 21, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 22);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 22);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 300); /* a FIN where none can be */
  sends(&t, ACK, .seq = 1, .ack = 22);
  in_state(&t, VTCP_CLOSE_WAIT);
  rcv_nxt_is(&t, 22);
  readable(&t, 20);
  writes(&t, 10); /* B09: writing goes on */
  sends(&t, ACK, .seq = 1, .ack = 22, .len = 10);
  ends(&t);
}

/* 3.10.7.4, seventh: no text after the FIN; it is acknowledged with what was had before. */
static void text_after_the_peers_fin(void **unused)
{
  (void)unused;
  for (uint8_t state = VTCP_CLOSE_WAIT; state <= VTCP_TIME_WAIT; state++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, state);
    uint32_t nxt = t.conn.snd_nxt - t.conn.iss;
    int64_t una = state == VTCP_TIME_WAIT ? 2 : 1;
    arrives(&t, ACK, .seq = 2, .ack = una, .len = 10);
    sends(&t, ACK, .seq = nxt, .ack = 2);
    in_state(&t, state);
    rcv_nxt_is(&t, 2);
    readable(&t, 0);
    arrives(&t, FIN | ACK, .seq = 2, .ack = una);
    sends(&t, ACK, .seq = nxt, .ack = 2);
    in_state(&t, state);
    rcv_nxt_is(&t, 2);
    ends(&t);
  }
}

/* --- Half-closed (3.6.1) --- */

static void fin_wait_states_still_receive(void **unused)
{
  (void)unused;
  for (int second = 0; second < 2; second++) {
    struct endpoint t;
    begins(&t);
    if (second) {
      in_fin_wait_2(&t);
    } else {
      in_fin_wait_1(&t);
    }
    int64_t ours = second ? 2 : 1;
    arrives(&t, ACK, .seq = 1, .ack = ours, .len = 100);
    sends(&t, ACK, .seq = 2, .ack = 101);
    readable(&t, 100);
    reads(&t, 100);
    consumed(&t, 100);
    arrives(&t, ACK, .seq = 101, .ack = ours, .len = 100);
    sends(&t, ACK, .seq = 2, .ack = 201);
    readable(&t, 100);
    ends(&t);
  }
}

/* C08: FIN-WAIT-2 lasts as long as the peer likes. */
static void fin_wait_2_has_no_timer(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_2(&t);
  deadline_is(&t, NEVER);
  waits(&t, 100000 * SECOND);
  in_state(&t, VTCP_FIN_WAIT_2);
  arrives(&t, ACK, .seq = 1, .ack = 2, .len = 10);
  sends(&t, ACK, .seq = 2, .ack = 11);
  deadline_is(&t, NEVER);
  ends(&t);
}

static void close_wait_still_sends(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_close_wait(&t);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 2, .len = 100);
  expires(&t); /* C06: and sends again */
  sends(&t, ACK, .seq = 1, .ack = 2, .len = 100);
  arrives(&t, ACK, .seq = 2, .ack = 101);
  acked(&t, 100);
  in_state(&t, VTCP_CLOSE_WAIT);
  ends(&t);
}

/* --- CLOSE behind data --- */

static void close_with_data_waiting(void **unused)
{
  (void)unused;
  for (int passive = 0; passive < 2; passive++) {
    struct endpoint t;
    begins(&t);
    t.peer_wnd = 100;
    if (passive) {
      in_close_wait(&t);
    } else {
      in_established(&t);
    }
    int64_t rcv = passive ? 2 : 1;
    writes(&t, 250);
    sends(&t, ACK, .seq = 1, .ack = rcv, .len = 100);
    closes(&t);
    silent(&t);
    in_state(&t, passive ? VTCP_LAST_ACK : VTCP_FIN_WAIT_1);
    arrives(&t, ACK, .seq = rcv, .ack = 101, .wnd = 100);
    sends(&t, ACK, .seq = 101, .ack = rcv, .len = 100);
    arrives(&t, ACK, .seq = rcv, .ack = 201, .wnd = 100);
    sends_rest(&t, 201, 251, true);
    arrives(&t, ACK, .seq = rcv, .ack = 252);
    signals(&t, passive ? IS_CLOSE_DONE | IS_CLOSED : IS_CLOSE_DONE);
    in_state(&t, passive ? VTCP_CLOSED : VTCP_FIN_WAIT_2);
    ends(&t);
  }
}

/* The window has room for the text and not for the FIN's number. */
static void the_fin_waits_for_the_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 50;
  in_established(&t);
  writes(&t, 50);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 50);
  closes(&t);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 51, .wnd = 50);
  sends(&t, FIN | ACK, .seq = 51, .ack = 1);
  ends(&t);
}

/* T20: nothing holds the last octets back when the FIN follows. */
static void a_short_last_segment_and_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 536 + 3);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  closes(&t);
  sends_rest(&t, 537, 540, true);
  in_state(&t, VTCP_FIN_WAIT_1);
  ends(&t);
}

/* --- Lost FINs (C17) --- */

static void a_lost_fin_is_sent_again(void **unused)
{
  (void)unused;
  static const uint8_t states[] = {VTCP_FIN_WAIT_1, VTCP_CLOSING, VTCP_LAST_ACK};
  for (size_t i = 0; i < 3; i++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, states[i]);
    int64_t rcv = states[i] == VTCP_FIN_WAIT_1 ? 1 : 2;
    for (int again = 0; again < 4; again++) {
      expires(&t);
      sends(&t, FIN | ACK, .seq = 1, .ack = rcv);
      signals(&t, again == 2 ? IS_EXCESSIVE : signals_of(&t.out) & IS_EXCESSIVE);
      in_state(&t, states[i]);
    }
    arrives(&t, ACK, .seq = rcv, .ack = 2);
    silent(&t);
    signals(&t, states[i] == VTCP_LAST_ACK ? IS_CLOSE_DONE | IS_CLOSED : IS_CLOSE_DONE);
    ends(&t);
  }
}

static void lost_text_and_lost_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 11, .ack = 1);
  expires(&t);
  t.lenient = true;
  require(t.out.send && t.out.seg.seq == t.iss + 1 && t.out.seg.len == 10, "the earliest is sent again");
  if (!t.out.seg.fin) {
    arrives(&t, ACK, .seq = 1, .ack = 11);
    if (!t.out.send) {
      expires(&t);
    }
    t.lenient = false;
    sends(&t, FIN | ACK, .seq = 11, .ack = 1);
  }
  t.lenient = false;
  t.segment_open = t.signals_open = false;
  arrives(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* --- CLOSE in SYN-RECEIVED (3.10.4; DEVIATIONS 9) --- */

static void close_in_syn_received_with_nothing_queued(void **unused)
{
  (void)unused;
  for (int origin = 0; origin < 3; origin++) {
    struct endpoint t;
    begins(&t);
    if (origin == 0) {
      in_syn_received(&t);
    } else if (origin == 1) {
      in_syn_received_actively(&t);
    } else {
      in_syn_received_as_child(&t);
    }
    closes(&t);
    sends(&t, FIN | ACK, .seq = 1, .ack = 1);
    in_state(&t, VTCP_FIN_WAIT_1);
    arrives(&t, ACK, .seq = 1, .ack = 1);
    silent(&t);
    in_state(&t, VTCP_FIN_WAIT_1);
    una_is(&t, 1);
    t.signals_open = false; /* whether `established` is told is nobody's rule */
    arrives(&t, ACK, .seq = 1, .ack = 2);
    signals(&t, IS_CLOSE_DONE);
    in_state(&t, VTCP_FIN_WAIT_2);
    ends(&t);
  }
}

static void close_in_syn_received_acknowledged_at_once(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2, .len = 10);
  sends(&t, ACK, .seq = 2, .ack = 12);
  signals(&t, IS_PEER_CLOSED | IS_CLOSE_DONE | (signals_of(&t.out) & IS_ESTABLISHED));
  in_state(&t, VTCP_TIME_WAIT);
  readable(&t, 10);
  ends(&t);
}

/* 3.5: text on a SYN is the user's only when our SYN is acknowledged, whatever the state is called. */
static void close_in_syn_received_and_text_on_the_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .len = 10);
  sends(&t, SYN | ACK, .seq = 0, .ack = 11);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 11);
  readable(&t, 0);
  reads(&t, 10);
  consumed(&t, 0);
  silent(&t);
  arrives(&t, ACK, .seq = 11, .ack = 2);
  signals(&t, IS_CLOSE_DONE | (signals_of(&t.out) & IS_ESTABLISHED));
  in_state(&t, VTCP_FIN_WAIT_2);
  readable(&t, 10);
  reads(&t, 10);
  consumed(&t, 10);
  ends(&t);
}

/* Both our SYN,ACK and our FIN are lost: the earliest goes first. */
static void close_in_syn_received_and_all_is_lost(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  expires(&t);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
  in_state(&t, VTCP_FIN_WAIT_1);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  t.signals_open = false;
  if (!t.out.send) {
    expires(&t);
  }
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  ends(&t);
}

/* DEVIATIONS 6: there, an acknowledgment of nothing is challenged and not reset. */
static void close_in_syn_received_and_a_bad_acknowledgment(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 0);
  sends(&t, ACK, .seq = 2, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 3);
  sends(&t, ACK, .seq = 2, .ack = 1);
  in_state(&t, VTCP_FIN_WAIT_1);
  una_is(&t, 0);
  arrives(&t, SYN, .seq = 5);
  sends(&t, ACK, .seq = 2, .ack = 1);
  arrives(&t, RST, .seq = 1);
  signals(&t, IS_RESET | IS_CLOSED);
  ends(&t);
}

static void close_in_syn_received_with_data_queued(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 10);
  closes(&t);
  silent(&t);
  in_state(&t, VTCP_SYN_RECEIVED);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  in_state(&t, VTCP_FIN_WAIT_1);
  sends_rest(&t, 1, 11, true);
  arrives(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  ends(&t);
}

static void close_queued_and_the_handshake_ends_with_a_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 10);
  closes(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED | IS_PEER_CLOSED);
  require(t.conn.state == VTCP_CLOSING || t.conn.state == VTCP_LAST_ACK, "both have closed");
  bool time_wait = t.conn.state == VTCP_CLOSING;
  rcv_nxt_is(&t, 2);
  sends_rest(&t, 1, 11, true);
  arrives(&t, ACK, .seq = 2, .ack = 12);
  signals(&t, time_wait ? IS_CLOSE_DONE : IS_CLOSE_DONE | IS_CLOSED);
  ends(&t);
}

static void close_queued_and_reset(void **unused)
{
  (void)unused;
  for (int origin = 0; origin < 3; origin++) {
    struct endpoint t;
    begins(&t);
    if (origin == 0) {
      in_syn_received(&t);
    } else if (origin == 1) {
      in_syn_received_actively(&t);
    } else {
      in_syn_received_as_child(&t);
    }
    writes(&t, 10);
    closes(&t);
    arrives(&t, RST, .seq = 1);
    silent(&t);
    signals(&t, origin == 1 ? IS_REFUSED | IS_CLOSED : IS_CLOSED);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* C23: the window on the SYN is zero; FIN-WAIT-1 all the same, and no harm done. */
static void close_in_syn_received_with_no_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .wnd = ZERO);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  t.lenient = true;
  closes(&t);
  in_state(&t, VTCP_FIN_WAIT_1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 100);
  for (int i = 0; i < 3 && !t.conn.fin_sent; i++) {
    expires(&t);
  }
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = 100);
  in_state(&t, VTCP_FIN_WAIT_2);
  ends(&t);
}

/* --- TIME-WAIT --- */

/* C18, DEVIATIONS 8. */
static void time_wait_restarts_on_the_peers_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_time_wait(&t);
  uint64_t first = t.now + two_msl;
  waits(&t, 50 * SECOND);
  deadline_is(&t, first);
  arrives(&t, ACK, .seq = 2, .ack = 2); /* a bare acknowledgment does not */
  silent(&t);
  deadline_is(&t, first);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 2);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + two_msl);
  waits(&t, two_msl - 1);
  in_state(&t, VTCP_TIME_WAIT);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 2);
  expires(&t);
  signals(&t, IS_CLOSED);
  ends(&t);
}

static void time_wait_restarts_on_a_fin_with_its_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_2(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2, .len = 30);
  sends(&t, ACK, .seq = 2, .ack = 32);
  signals(&t, IS_PEER_CLOSED);
  t.now += SECOND;
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2, .len = 30);
  sends(&t, ACK, .seq = 2, .ack = 32);
  deadline_is(&t, t.now + two_msl);
  readable(&t, 30);
  ends(&t);
}

/* Reading 8: any that is acceptable. */
static void time_wait_restarts_on_an_acceptable_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_time_wait(&t);
  waits(&t, 50 * SECOND);
  arrives(&t, FIN | ACK, .seq = 2, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 2);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + two_msl);
  ends(&t);
}

/* R15: an old segment that is no FIN is answered but restarts nothing. */
static void time_wait_and_old_segments(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_2(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2, .len = 30);
  sends(&t, ACK, .seq = 2, .ack = 32);
  signals(&t, IS_PEER_CLOSED);
  uint64_t first = t.now + two_msl;
  t.now += SECOND;
  arrives(&t, ACK, .seq = 1, .ack = 2, .len = 30);
  sends(&t, ACK, .seq = 2, .ack = 32);
  deadline_is(&t, first);
  arrives(&t, RST, .seq = 1);
  silent(&t);
  deadline_is(&t, first);
  arrives(&t, RST, .seq = 200000);
  silent(&t);
  deadline_is(&t, first);
  arrives(&t, SYN, .seq = 500000);
  sends(&t, ACK, .seq = 2, .ack = 32);
  deadline_is(&t, first);
  arrives(&t, SYN, .seq = 32);
  sends(&t, ACK, .seq = 2, .ack = 32);
  deadline_is(&t, first);
  ends(&t);
}

/* RFC 1337, fix F1 (C12): only if configured. */
static void time_wait_and_a_reset(void **unused)
{
  (void)unused;
  for (int rfc1337 = 0; rfc1337 < 2; rfc1337++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.rfc1337 = rfc1337;
    begins_with(&t, cfg);
    in_time_wait(&t);
    struct vtcp_conn before = t.conn;
    arrives(&t, RST, .seq = 2);
    silent(&t);
    if (rfc1337) {
      in_state(&t, VTCP_TIME_WAIT);
      require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
    } else {
      signals(&t, IS_CLOSED);
      in_state(&t, VTCP_CLOSED);
    }
    ends(&t);
  }
}

/* RFC 1337 speaks of TIME-WAIT alone. */
static void rfc_1337_elsewhere(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rfc1337 = true;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, RST, .seq = 1);
  signals(&t, IS_RESET | IS_CLOSED);
  ends(&t);
}

/* C11, MUST-13: no call but ABORT shortens it. */
static void time_wait_is_not_shortened_by_calls(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_time_wait(&t);
  uint64_t deadline = t.now + two_msl;
  t.now += SECOND;
  closes(&t);
  answers(&t, VTCP_CONNECTION_CLOSING);
  reads(&t, 10);
  answers(&t, VTCP_CONNECTION_CLOSING);
  writes(&t, 10);
  answers(&t, VTCP_CONNECTION_CLOSING);
  opens(&t);
  answers(&t, VTCP_ALREADY_EXISTS);
  deadline_is(&t, deadline);
  in_state(&t, VTCP_TIME_WAIT);
  ends(&t);
}

/* The last ACK of figure 12 is lost: LAST-ACK sends its FIN again and TIME-WAIT answers until it is heard. */
static void the_last_acknowledgment_is_lost(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_last_ack(&t);
  expires(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 2);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1); /* and the peer's old one crosses */
  sends(&t, ACK, .seq = 2, .ack = 2);
  in_state(&t, VTCP_LAST_ACK);
  arrives(&t, ACK, .seq = 2, .ack = 2);
  signals(&t, IS_CLOSE_DONE | IS_CLOSED);
  ends(&t);
}

/* `close_done` and `peer_closed` are told once. */
static void signals_come_once(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_2(&t);
  arrives(&t, ACK, .seq = 1, .ack = 2);
  arrives(&t, ACK, .seq = 1, .ack = 2, .len = 5);
  sends(&t, ACK, .seq = 2, .ack = 6);
  arrives(&t, FIN | ACK, .seq = 6, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 7);
  signals(&t, IS_PEER_CLOSED);
  arrives(&t, FIN | ACK, .seq = 6, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 7);
  signals(&t, 0);
  ends(&t);
}

/* Our FIN is outstanding, and the peer's window closes: it is still sent again (3.8.6.1). */
static void a_fin_behind_a_closed_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_1(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  in_state(&t, VTCP_FIN_WAIT_1);
  expires(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = ZERO);
  signals(&t, IS_CLOSE_DONE);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* The FIN was never sent, the window is closed: it is the probe. */
static void an_unsent_fin_behind_a_closed_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  closes(&t);
  silent(&t);
  in_state(&t, VTCP_FIN_WAIT_1);
  expires(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = ZERO);
  signals(&t, IS_CLOSE_DONE);
  in_state(&t, VTCP_FIN_WAIT_2);
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(figure_12_active),
    cmocka_unit_test(figure_12_passive),
    cmocka_unit_test(figure_13),
    cmocka_unit_test(fin_and_acknowledgment_of_ours_together),
    cmocka_unit_test(fin_wait_1_and_older_acknowledgments),
    cmocka_unit_test(an_acknowledgment_of_everything_but_the_unsent_fin),
    cmocka_unit_test(last_ack_and_older_acknowledgments),
    cmocka_unit_test(closing_and_older_acknowledgments),
    cmocka_unit_test(fin_with_text),
    cmocka_unit_test(fin_beyond_a_gap),
    cmocka_unit_test(fin_of_a_segment_partly_old),
    cmocka_unit_test(fin_of_a_segment_all_old),
    cmocka_unit_test(fin_at_the_right_edge),
    cmocka_unit_test(the_peers_fin_again),
    cmocka_unit_test(text_after_the_peers_fin),
    cmocka_unit_test(fin_wait_states_still_receive),
    cmocka_unit_test(fin_wait_2_has_no_timer),
    cmocka_unit_test(close_wait_still_sends),
    cmocka_unit_test(close_with_data_waiting),
    cmocka_unit_test(the_fin_waits_for_the_window),
    cmocka_unit_test(a_short_last_segment_and_fin),
    cmocka_unit_test(a_lost_fin_is_sent_again),
    cmocka_unit_test(lost_text_and_lost_fin),
    cmocka_unit_test(close_in_syn_received_with_nothing_queued),
    cmocka_unit_test(close_in_syn_received_acknowledged_at_once),
    cmocka_unit_test(close_in_syn_received_and_text_on_the_syn),
    cmocka_unit_test(close_in_syn_received_and_all_is_lost),
    cmocka_unit_test(close_in_syn_received_and_a_bad_acknowledgment),
    cmocka_unit_test(close_in_syn_received_with_data_queued),
    cmocka_unit_test(close_queued_and_the_handshake_ends_with_a_fin),
    cmocka_unit_test(close_queued_and_reset),
    cmocka_unit_test(close_in_syn_received_with_no_window),
    cmocka_unit_test(time_wait_restarts_on_the_peers_fin),
    cmocka_unit_test(time_wait_restarts_on_a_fin_with_its_text),
    cmocka_unit_test(time_wait_restarts_on_an_acceptable_fin),
    cmocka_unit_test(time_wait_and_old_segments),
    cmocka_unit_test(time_wait_and_a_reset),
    cmocka_unit_test(rfc_1337_elsewhere),
    cmocka_unit_test(time_wait_is_not_shortened_by_calls),
    cmocka_unit_test(the_last_acknowledgment_is_lost),
    cmocka_unit_test(signals_come_once),
    cmocka_unit_test(a_fin_behind_a_closed_window),
    cmocka_unit_test(an_unsent_fin_behind_a_closed_window),
  };
  return run_with_every_base("close", tests);
}
