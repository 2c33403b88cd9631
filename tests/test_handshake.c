/* Opening a connection: RFC 9293, 3.5 with figures 6 to 11, 3.10.7.1 to 3.10.7.3, and SYN-RECEIVED in 3.10.7.4. */
#include "exchange.h"

/* --- Figure 6 --- */

static void figure_6_active(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0, .mss = 1460);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .wnd = 3000);
  sends(&t, ACK, .seq = 1, .ack = 1, .wnd = 10000);
  signals(&t, IS_ESTABLISHED);
  in_state(&t, VTCP_ESTABLISHED);
  una_is(&t, 1);
  rcv_nxt_is(&t, 1);
  snd_wnd_is(&t, 3000);
  deadline_is(&t, NEVER);
  writes(&t, 10); /* line 5: the same SEQ as the ACK of line 4 */
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  ends(&t);
}

static void figure_6_passive(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  listens(&t);
  deadline_is(&t, NEVER);
  arrives(&t, SYN, .seq = 0);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1460);
  in_state(&t, VTCP_SYN_RECEIVED);
  una_is(&t, 0);
  nxt_is(&t, 1);
  rcv_nxt_is(&t, 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 3000);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  in_state(&t, VTCP_ESTABLISHED);
  una_is(&t, 1);
  snd_wnd_is(&t, 3000);
  deadline_is(&t, NEVER);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 11);
  readable(&t, 10);
  ends(&t);
}

/* T19: the window is the one on the third segment, also when the passive side speaks first. */
static void the_passive_side_speaks_first(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .wnd = 1, .mss = 1460);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000);
  signals(&t, IS_ESTABLISHED);
  writes(&t, 1460);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1460);
  ends(&t);
}

/* --- A listener and its children --- */

static void a_listener_spawns(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.listener = true;
  begins_with(&t, cfg);
  in_listen(&t);
  struct vtcp_conn listener = t.conn;
  for (uint32_t i = 0; i < 3; i++) {
    struct vtcp_conn child;
    struct vtcp_actions x;
    t.irs = base_irs + 1000 * i;
    arrives(&t, SYN, .seq = 0, .len = i == 2 ? 10 : 0);
    signals(&t, IS_SPAWN);
    silent(&t);
    expect_number("octets the listener stores", 0, t.out.store_len);
    require(same_conn(&listener, &t.conn), "the listener's %s changed", first_difference(&listener, &t.conn));
    vtcp_child(&t.conn, &child);
    require(vtcp_valid(&child), "a child is valid");
    expect_number("state of a child", VTCP_LISTEN, child.state);
    expect_number("origin of a child", VTCP_CHILD, child.origin);
    struct vtcp_event event = {.now = t.now, .iss = base_iss + 7 * i, .type = VTCP_ARRIVES};
    event.seg = (struct vtcp_segment){.seq = t.irs, .syn = true, .wnd = 4000};
    checked_step(&child, &event, &x);
    expect_number("state", VTCP_SYN_RECEIVED, child.state);
    require(!x.spawn && x.send && x.seg.syn && x.seg.has_ack && !x.seg.rst, "a child answers SYN,ACK");
    expect_number("SEQ", event.iss, x.seg.seq);
    expect_number("ACK", (uint32_t)(t.irs + 1), x.seg.ack);
  }
  ends(&t);
}

static void a_listener_handles_the_rest_itself(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.listener = true;
  begins_with(&t, cfg);
  in_listen(&t);
  arrives(&t, ACK, .seq = 5, .ack = 7);
  sends(&t, RST, .seq = 7);
  arrives(&t, SYN | ACK, .seq = 5, .ack = 7);
  sends(&t, RST, .seq = 7);
  arrives(&t, RST, .seq = 5);
  arrives(&t, RST | SYN, .seq = 5);
  in_state(&t, VTCP_LISTEN);
  ends(&t);
}

static void a_child_is_established(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_as_child(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  silent(&t);
  in_state(&t, VTCP_ESTABLISHED);
  ends(&t);
}

/* C24: a child that is reset leaves nothing behind, and nobody was refused. */
static void a_child_is_reset(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_as_child(&t);
  arrives(&t, RST, .seq = 1);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void a_child_ends_by_a_syn_in_the_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_as_child(&t);
  arrives(&t, SYN, .seq = 100);
  silent(&t);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* --- Figure 7: simultaneous open (MUST-10) --- */

static void figure_7(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0);
  arrives(&t, SYN, .seq = 0);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1460);
  in_state(&t, VTCP_SYN_RECEIVED);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .wnd = 3000); /* SEQ = IRS, below the window: DEVIATIONS 1 */
  silent(&t);                                               /* an answer would be answered (A.2) */
  signals(&t, IS_ESTABLISHED);
  in_state(&t, VTCP_ESTABLISHED);
  una_is(&t, 1);
  rcv_nxt_is(&t, 1);
  snd_wnd_is(&t, 3000);
  deadline_is(&t, NEVER);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  ends(&t);
}

static void simultaneous_open_ended_by_an_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_actively(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  in_state(&t, VTCP_ESTABLISHED);
  ends(&t);
}

static void simultaneous_open_with_octets_waiting(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0);
  writes(&t, 25);
  arrives(&t, SYN, .seq = 0);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  sends_rest(&t, 1, 26, false);
  ends(&t);
}

/* R12, MUST-11: a RST in SYN-RECEIVED reached by an active open refuses it. */
static void simultaneous_open_refused(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_actively(&t);
  arrives(&t, RST | ACK, .seq = 1, .ack = 1);
  signals(&t, IS_REFUSED | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* A second SYN,ACK whose acknowledgment is not acceptable is no allowance's business. */
static void a_crossing_syn_ack_that_acknowledges_nothing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_actively(&t);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 0);
  sends(&t, ACK, .seq = 1, .ack = 1); /* SEQ = IRS is below the window: 3.10.7.4, first */
  in_state(&t, VTCP_SYN_RECEIVED);
  ends(&t);
}

/* --- Figure 8: an old duplicate SYN --- */

static void figure_8_active(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0);
  arrives(&t, SYN | ACK, .seq = 200, .ack = -9); /* line 4 */
  sends(&t, RST, .seq = -9);
  in_state(&t, VTCP_SYN_SENT);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  ends(&t);
}

static void figure_8_passive(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  listens(&t);
  t.irs -= 10;
  arrives(&t, SYN, .seq = 0); /* line 3 */
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  writes(&t, 20);
  arrives(&t, RST, .seq = 1); /* line 5 */
  silent(&t);
  signals(&t, IS_RELISTEN);
  in_state(&t, VTCP_LISTEN);
  deadline_is(&t, NEVER);
  expect_number("octets to send", 0, t.conn.snd_len); /* the queue is flushed */
  t.irs += 10;
  t.iss += 100; /* line 7: a fresh ISS */
  arrives(&t, SYN, .seq = 0);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  ends(&t);
}

/* --- Figures 9 to 11: half-open connections --- */

static void figure_9(void **unused)
{
  (void)unused;
  struct endpoint a, b;
  begins(&b);
  in_established(&b);
  arrives(&b, SYN, .seq = 100000); /* line 3: of the incarnation after the reboot */
  sends(&b, ACK, .seq = 1, .ack = 1);
  in_state(&b, VTCP_ESTABLISHED);
  ends(&b);

  begins(&a);
  in_syn_sent(&a);
  arrives(&a, ACK, .seq = 300, .ack = -300); /* line 4 */
  sends(&a, RST, .seq = -300);               /* line 5 */
  in_state(&a, VTCP_SYN_SENT);
  ends(&a);

  begins(&b);
  in_established(&b);
  arrives(&b, RST, .seq = 1);
  signals(&b, IS_RESET | IS_CLOSED);
  in_state(&b, VTCP_CLOSED);
  ends(&b);
}

static void figure_10(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  arrives(&t, ACK, .seq = 300, .ack = 100, .len = 10);
  sends(&t, RST, .seq = 100);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void figure_11(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN | ACK, .seq = 77, .ack = 901); /* line 3, at A */
  sends(&t, RST, .seq = 901);                    /* line 4 */
  in_state(&t, VTCP_LISTEN);
  ends(&t);
  begins(&t);
  in_syn_received(&t);
  arrives(&t, RST, .seq = 1); /* line 4, at B */
  signals(&t, IS_RELISTEN);
  in_state(&t, VTCP_LISTEN);
  ends(&t);
}

/* --- CLOSED and LISTEN --- */

/* 3.10.7.1: SEG.LEN counts SYN, FIN and text. */
static void closed_answers_all_but_a_rst(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  arrives(&t, SYN, .seq = 0);
  sends(&t, RST | ACK, .seq = 0, .ack = 1);
  arrives(&t, SYN, .seq = 0, .len = 10);
  sends(&t, RST | ACK, .seq = 0, .ack = 11);
  arrives(&t, SYN | FIN, .seq = 0, .len = 10);
  sends(&t, RST | ACK, .seq = 0, .ack = 12);
  arrives(&t, FIN, .seq = 5);
  sends(&t, RST | ACK, .seq = 0, .ack = 6);
  arrives(&t, NONE, .seq = 5);
  sends(&t, RST | ACK, .seq = 0, .ack = 5);
  arrives(&t, ACK, .seq = 5, .ack = 123);
  sends(&t, RST, .seq = 123);
  arrives(&t, SYN | ACK, .seq = 5, .ack = -1);
  sends(&t, RST, .seq = -1);
  arrives(&t, RST, .seq = 5);
  arrives(&t, RST | ACK, .seq = 5, .ack = 1);
  arrives(&t, RST | SYN, .seq = 5);
  arrives(&t, RST | FIN, .seq = 5, .len = 8);
  in_state(&t, VTCP_CLOSED);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* 3.10.7.2, in its order: RST (R21: also with SYN), ACK, SYN, the rest. */
static void listen_answers_in_order(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  struct vtcp_conn before = t.conn;
  arrives(&t, RST, .seq = 1);
  arrives(&t, RST | SYN, .seq = 1);
  arrives(&t, RST | ACK, .seq = 1, .ack = 1);
  arrives(&t, RST | SYN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 42);
  sends(&t, RST, .seq = 42);
  arrives(&t, SYN | ACK, .seq = 1, .ack = 42);
  sends(&t, RST, .seq = 42);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 42, .len = 3);
  sends(&t, RST, .seq = 42);
  arrives(&t, FIN, .seq = 1);
  arrives(&t, NONE, .seq = 1, .len = 10);
  require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
  ends(&t);
}

/* --- SYN-SENT, in the order of 3.10.7.3 --- */

static void syn_sent_with_a_bad_acknowledgment(void **unused)
{
  (void)unused;
  static const int64_t bad[] = {0, 2, -1, -1000, 1000, 70000};
  static const unsigned with[] = {ACK, SYN | ACK, FIN | ACK, SYN | FIN | ACK};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    for (size_t k = 0; k < sizeof with / sizeof with[0]; k++) {
      struct endpoint t;
      begins(&t);
      in_syn_sent(&t);
      struct vtcp_conn before = t.conn;
      arrives(&t, with[k], .seq = 0, .ack = bad[i]);
      sends(&t, RST, .seq = bad[i]);
      require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
      arrives(&t, with[k] | RST, .seq = 0, .ack = bad[i]);
      silent(&t);
      require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
      ends(&t);
    }
  }
}

static void syn_sent_is_reset_only_with_a_good_acknowledgment(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  arrives(&t, RST, .seq = 0);
  arrives(&t, RST, .seq = 1);
  arrives(&t, RST | SYN, .seq = 0);
  arrives(&t, RST | ACK, .seq = 0, .ack = 0);
  arrives(&t, RST | ACK, .seq = 0, .ack = 2);
  in_state(&t, VTCP_SYN_SENT);
  arrives(&t, RST | ACK, .seq = 0, .ack = 1);
  silent(&t);
  signals(&t, IS_RESET | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void syn_sent_drops_what_is_no_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  struct vtcp_conn before = t.conn;
  arrives(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, FIN, .seq = 1);
  arrives(&t, NONE, .seq = 1, .len = 10);
  require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
  ends(&t);
}

/* --- SYN-RECEIVED --- */

/* S08, R04: an acknowledgment that is not acceptable is answered by <SEQ=SEG.ACK><CTL=RST>, and the state stays. */
static void syn_received_with_a_bad_acknowledgment(void **unused)
{
  (void)unused;
  static const int64_t bad[] = {0, -1, 2, 1000, -1000, 100000};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct endpoint t;
    begins(&t);
    in_syn_received(&t);
    arrives(&t, ACK, .seq = 1, .ack = bad[i]);
    sends(&t, RST, .seq = bad[i]);
    in_state(&t, VTCP_SYN_RECEIVED);
    arrives(&t, FIN | ACK, .seq = 1, .ack = bad[i], .len = 10);
    sends(&t, RST, .seq = bad[i]);
    in_state(&t, VTCP_SYN_RECEIVED);
    rcv_nxt_is(&t, 1);
    arrives(&t, ACK, .seq = 1, .ack = 1);
    signals(&t, IS_ESTABLISHED);
    ends(&t);
  }
}

static void syn_received_drops_what_has_no_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, NONE, .seq = 1);
  silent(&t);
  arrives(&t, NONE, .seq = 1, .len = 10);
  silent(&t);
  arrives(&t, FIN, .seq = 1);
  silent(&t);
  in_state(&t, VTCP_SYN_RECEIVED);
  rcv_nxt_is(&t, 1);
  ends(&t);
}

/* The peer's SYN comes again when our SYN,ACK was lost: it lies below the window. */
static void syn_received_answers_a_duplicate_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, SYN, .seq = 0);
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_SYN_RECEIVED);
  expires(&t);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  ends(&t);
}

static void syn_received_and_a_new_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, SYN, .seq = 1);
  silent(&t);
  signals(&t, IS_RELISTEN);
  in_state(&t, VTCP_LISTEN);
  ends(&t);

  begins(&t);
  in_syn_received_actively(&t);
  arrives(&t, SYN, .seq = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_SYN_RECEIVED);
  ends(&t);

  begins(&t);
  in_syn_received(&t);
  arrives(&t, SYN, .seq = 10001); /* right edge: 1 + 10000 */
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_SYN_RECEIVED);
  ends(&t);
}

/* R09: with or without ACK. RFC 5961, 3: the exact number alone. */
static void syn_received_and_resets(void **unused)
{
  (void)unused;
  for (unsigned with = 0; with < 2; with++) {
    unsigned flags = with ? RST | ACK : RST;
    struct endpoint t;
    begins(&t);
    in_syn_received(&t);
    arrives(&t, flags, .seq = 0, .ack = 1);
    silent(&t);
    arrives(&t, flags, .seq = 10001, .ack = 1);
    silent(&t);
    in_state(&t, VTCP_SYN_RECEIVED);
    arrives(&t, flags, .seq = 2, .ack = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    arrives(&t, flags, .seq = 10000, .ack = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    in_state(&t, VTCP_SYN_RECEIVED);
    arrives(&t, flags, .seq = 1, .ack = 1);
    silent(&t);
    signals(&t, IS_RELISTEN);
    in_state(&t, VTCP_LISTEN);
    ends(&t);
  }
}

/* --- Text and FIN with SYN or with the handshake's last segment --- */

/* 3.5: text on a SYN may be kept, and is not delivered before ESTABLISHED (DEVIATIONS: it is kept). */
static void text_on_a_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .len = 10);
  sends(&t, SYN | ACK, .seq = 0, .ack = 11);
  readable(&t, 0);
  reads(&t, 10);
  consumed(&t, 0);
  arrives(&t, ACK, .seq = 11, .ack = 1);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 10);
  reads(&t, 10);
  consumed(&t, 10);
  ends(&t);
}

static void text_on_a_syn_beyond_the_buffer(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .len = 12000);
  sends(&t, SYN | ACK, .seq = 0, .ack = 10001, .wnd = ZERO);
  arrives(&t, ACK, .seq = 10001, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 10000);
  reads(&t, 10000);
  consumed(&t, 10000);
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = 10000);
  ends(&t);
}

static void text_on_a_syn_that_was_reset(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .len = 10);
  sends(&t, SYN | ACK, .seq = 0, .ack = 11);
  arrives(&t, RST, .seq = 11);
  signals(&t, IS_RELISTEN);
  expect_number("octets kept", 0, t.conn.rcv_len);
  arrives(&t, SYN, .seq = 0);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 0);
  ends(&t);
}

static void text_on_a_crossing_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  arrives(&t, SYN, .seq = 0, .len = 10);
  sends(&t, SYN | ACK, .seq = 0, .ack = 11);
  readable(&t, 0);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 10);
  ends(&t);
}

static void text_on_a_syn_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  arrives(&t, SYN | ACK | PSH, .seq = 0, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 11);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 10);
  ends(&t);
}

/* 3.10.7.3, fourth: once ESTABLISHED, processing goes on to the eighth step. */
static void fin_on_a_syn_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  arrives(&t, SYN | FIN | ACK, .seq = 0, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_ESTABLISHED | IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSE_WAIT);
  readable(&t, 10);
  ends(&t);
}

/* DEVIATIONS, deviation 1: not acknowledged, so it comes again. */
static void fin_on_a_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN | FIN, .seq = 0, .len = 10);
  sends(&t, SYN | ACK, .seq = 0, .ack = 11);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_ESTABLISHED | IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSE_WAIT);
  readable(&t, 10);
  ends(&t);
}

static void text_on_the_last_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 20);
  sends(&t, ACK, .seq = 1, .ack = 21);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 20);
  ends(&t);
}

/* C21: SYN-RECEIVED to CLOSE-WAIT in one segment. */
static void text_and_fin_on_the_last_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 20);
  sends(&t, ACK, .seq = 1, .ack = 22);
  signals(&t, IS_ESTABLISHED | IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSE_WAIT);
  readable(&t, 20);
  ends(&t);
}

/* The handshake's ACK is lost and later text brings it, past a gap: the acknowledgment counts, and the text waits. */
static void the_last_ack_beyond_a_gap(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, ACK, .seq = 101, .ack = 1, .len = 20);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  readable(&t, 0);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 121);
  readable(&t, 120);
  ends(&t);
}

/* Our ACK of the SYN,ACK was lost: the SYN,ACK comes again. */
static void a_repeated_syn_ack(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  in_state(&t, VTCP_ESTABLISHED);
  ends(&t);
}

/* --- Maximum segment size (MUST-14 to MUST-16) --- */

static void segment_size(bool passive, int32_t option, uint16_t mms_s, uint16_t size)
{
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.mms_s = mms_s;
  begins_with(&t, cfg);
  if (passive) {
    in_listen(&t);
    arrives(&t, SYN, .seq = 0, .mss = option);
    sends(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    arrives(&t, ACK, .seq = 1, .ack = 1);
  } else {
    in_syn_sent(&t);
    arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = option);
    sends(&t, ACK, .seq = 1, .ack = 1);
  }
  signals(&t, IS_ESTABLISHED);
  expect_number("Eff.snd.MSS", size, t.conn.snd_mss);
  writes(&t, 3000);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = size);
  require(t.out.more, "there is more to send");
  goes_on(&t);
  sends(&t, ACK, .seq = 1 + size, .ack = 1, .len = size);
  ends(&t);
}

static void maximum_segment_size(void **unused)
{
  (void)unused;
  for (int passive = 0; passive < 2; passive++) {
    segment_size(passive, 1000, 1480, 1000);
    segment_size(passive, 0, 1480, 536);      /* MUST-15: none named */
    segment_size(passive, 1460, 1480, 1460);
    segment_size(passive, 1461, 1480, 1460);  /* MUST-16: the IP layer's limit */
    segment_size(passive, 65535, 1480, 1460); /* min() must not wrap */
    segment_size(passive, 1460, 120, 100);
    segment_size(passive, 0, 500, 480);
    segment_size(passive, 1, 1480, 1);
    segment_size(passive, ZERO, 1480, 1); /* O10: never nothing */
    segment_size(passive, 1460, 21, 1);
  }
}

static void an_mss_option_belongs_on_a_syn(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .mss = 10);
  expect_number("Eff.snd.MSS", 536, t.conn.snd_mss);
  ends(&t);
}

static void the_crossing_syn_names_the_mss(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  arrives(&t, SYN, .seq = 0, .mss = 700);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 700);
  signals(&t, IS_ESTABLISHED);
  writes(&t, 1000);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 700);
  ends(&t);
}

/* --- Lost SYNs --- */

static void the_syn_is_sent_again(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  deadline_is(&t, t.now + SECOND);
  expires(&t);
  sends(&t, SYN, .seq = 0, .mss = 1460, .wnd = 10000);
  in_state(&t, VTCP_SYN_SENT);
  expires(&t);
  sends(&t, SYN, .seq = 0, .mss = 1460);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  deadline_is(&t, NEVER);
  ends(&t);
}

static void the_syn_ack_is_sent_again(void **unused)
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
    writes(&t, 10); /* octets that wait must not leave with it */
    expires(&t);
    sends(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    in_state(&t, VTCP_SYN_RECEIVED);
    arrives(&t, ACK, .seq = 1, .ack = 1);
    signals(&t, IS_ESTABLISHED);
    sends_rest(&t, 1, 11, false);
    ends(&t);
  }
}

/* --- Self-connect (A.2, R22): whatever leaves comes back --- */

static unsigned loops(struct endpoint *t)
{
  unsigned segments = 0;
  while (t->out.send || t->out.more) {
    if (t->out.send) {
      require(++segments <= 20, "a connection with itself never comes to rest");
      struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = t->out.seg};
      step_at(t, event);
    } else {
      call_at(t, VTCP_MORE, 0, true);
    }
  }
  return segments;
}

static void self_connect(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.lenient = true;
  t.irs = t.iss;
  opens(&t);
  loops(&t);
  in_state(&t, VTCP_ESTABLISHED);
  deadline_is(&t, NEVER);
  writes(&t, 500);
  loops(&t);
  readable(&t, 500);
  una_is(&t, 501);
  rcv_nxt_is(&t, 501);
  deadline_is(&t, NEVER);
  reads(&t, 500);
  consumed(&t, 500);
  loops(&t);
  closes(&t);
  loops(&t);
  in_state(&t, VTCP_TIME_WAIT);
  expires(&t);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* --- Segments of other kinds in between --- */

/* A SYN with a window of 0 opens; the octets then wait for the window. */
static void a_syn_with_no_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  arrives(&t, SYN, .seq = 0, .wnd = ZERO);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  writes(&t, 10);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  silent(&t);
  signals(&t, IS_ESTABLISHED);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 100);
  sends_rest(&t, 1, 11, false);
  ends(&t);
}

/* MUST-6: options that we do not know or did not ask for change nothing (O08: nor does an offered window scale). */
static void options_not_asked_for(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  struct vtcp_event event = {.type = VTCP_ARRIVES};
  event.seg = (struct vtcp_segment){.seq = t.irs, .syn = true, .wnd = 1000, .has_wscale = true, .wscale = 7,
                                    .has_ts = true, .tsval = 1, .sack_permitted = true, .has_mss = true, .mss = 1000,
                                    .ece = true, .cwr = true, .has_uto = true, .uto = 5};
  step_at(&t, event);
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  require(!t.out.seg.ece && !t.out.seg.cwr, "ECN was not negotiated");
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 500);
  signals(&t, IS_ESTABLISHED);
  snd_wnd_is(&t, 500);
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(figure_6_active),
    cmocka_unit_test(figure_6_passive),
    cmocka_unit_test(the_passive_side_speaks_first),
    cmocka_unit_test(a_listener_spawns),
    cmocka_unit_test(a_listener_handles_the_rest_itself),
    cmocka_unit_test(a_child_is_established),
    cmocka_unit_test(a_child_is_reset),
    cmocka_unit_test(a_child_ends_by_a_syn_in_the_window),
    cmocka_unit_test(figure_7),
    cmocka_unit_test(simultaneous_open_ended_by_an_ack),
    cmocka_unit_test(simultaneous_open_with_octets_waiting),
    cmocka_unit_test(simultaneous_open_refused),
    cmocka_unit_test(a_crossing_syn_ack_that_acknowledges_nothing),
    cmocka_unit_test(figure_8_active),
    cmocka_unit_test(figure_8_passive),
    cmocka_unit_test(figure_9),
    cmocka_unit_test(figure_10),
    cmocka_unit_test(figure_11),
    cmocka_unit_test(closed_answers_all_but_a_rst),
    cmocka_unit_test(listen_answers_in_order),
    cmocka_unit_test(syn_sent_with_a_bad_acknowledgment),
    cmocka_unit_test(syn_sent_is_reset_only_with_a_good_acknowledgment),
    cmocka_unit_test(syn_sent_drops_what_is_no_syn),
    cmocka_unit_test(syn_received_with_a_bad_acknowledgment),
    cmocka_unit_test(syn_received_drops_what_has_no_ack),
    cmocka_unit_test(syn_received_answers_a_duplicate_syn),
    cmocka_unit_test(syn_received_and_a_new_syn),
    cmocka_unit_test(syn_received_and_resets),
    cmocka_unit_test(text_on_a_syn),
    cmocka_unit_test(text_on_a_syn_beyond_the_buffer),
    cmocka_unit_test(text_on_a_syn_that_was_reset),
    cmocka_unit_test(text_on_a_crossing_syn),
    cmocka_unit_test(text_on_a_syn_ack),
    cmocka_unit_test(fin_on_a_syn_ack),
    cmocka_unit_test(fin_on_a_syn),
    cmocka_unit_test(text_on_the_last_ack),
    cmocka_unit_test(text_and_fin_on_the_last_ack),
    cmocka_unit_test(the_last_ack_beyond_a_gap),
    cmocka_unit_test(a_repeated_syn_ack),
    cmocka_unit_test(maximum_segment_size),
    cmocka_unit_test(an_mss_option_belongs_on_a_syn),
    cmocka_unit_test(the_crossing_syn_names_the_mss),
    cmocka_unit_test(the_syn_is_sent_again),
    cmocka_unit_test(the_syn_ack_is_sent_again),
    cmocka_unit_test(self_connect),
    cmocka_unit_test(a_syn_with_no_window),
    cmocka_unit_test(options_not_asked_for),
  };
  return run_with_every_base("handshake", tests);
}
