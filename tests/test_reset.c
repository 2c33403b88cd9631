/* Resets, SYNs out of season and bad acknowledgments: RFC 9293, 3.5.2, 3.5.3, 3.10.7.4, second to fifth; RFC 5961. */
#include "exchange.h"

static const uint8_t all_synchronized[] = {VTCP_ESTABLISHED, VTCP_FIN_WAIT_1, VTCP_FIN_WAIT_2, VTCP_CLOSE_WAIT,
                                           VTCP_CLOSING,     VTCP_LAST_ACK,   VTCP_TIME_WAIT};
enum { SYNCHRONIZED = 7 };

/* The numbers of each as exchange.h reaches it; the right edge is 10000 octets beyond RCV.NXT in all. */
static const int64_t nxt_of[SYNCHRONIZED] = {1, 2, 2, 1, 2, 2, 2};
static const int64_t rcv_of[SYNCHRONIZED] = {1, 1, 1, 2, 2, 2, 2};
static const int64_t una_of[SYNCHRONIZED] = {1, 1, 2, 1, 1, 1, 2};
#define EDGE_OF(i) (rcv_of[i] + 10000)

/* --- RFC 5961, section 3 --- */

static void a_reset_at_rcv_nxt(void **unused)
{
  (void)unused;
  static const unsigned with[] = {RST, RST | ACK, RST | SYN, RST | FIN, RST | SYN | FIN | ACK};
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    for (size_t k = 0; k < sizeof with / sizeof with[0]; k++) {
      for (uint16_t len = 0; len <= 20; len = (uint16_t)(len + 10)) { /* SHLD-2: text is allowed */
        struct endpoint t;
        uint8_t state = all_synchronized[i];
        begins(&t);
        reaches(&t, state);
        arrives(&t, with[k], .seq = rcv_of[i], .ack = 777777, .len = len); /* RST is checked before ACK */
        silent(&t);
        bool told = state < VTCP_CLOSING;
        signals(&t, told ? IS_RESET | IS_CLOSED : IS_CLOSED);
        in_state(&t, VTCP_CLOSED);
        expect_number("octets kept", 0, t.out.store_len);
        ends(&t);
      }
    }
  }
}

/* R01, S02, S05: inside the window but not exact. */
static void a_reset_elsewhere_in_the_window(void **unused)
{
  (void)unused;
  static const unsigned with[] = {RST, RST | ACK, RST | SYN, RST | FIN | ACK};
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    int64_t places[] = {rcv_of[i] + 1, 20, 5000, EDGE_OF(i) - 2, EDGE_OF(i) - 1};
    for (size_t p = 0; p < 5; p++) {
      for (size_t k = 0; k < sizeof with / sizeof with[0]; k++) {
        struct endpoint t;
        begins(&t);
        reaches(&t, all_synchronized[i]);
        arrives(&t, with[k], .seq = places[p], .ack = una_of[i], .len = k == 1 ? 30 : 0, .wnd = 65535);
        sends(&t, ACK, .seq = nxt_of[i], .ack = rcv_of[i]); /* R03: from the TCB, not from the segment */
        in_state(&t, all_synchronized[i]);
        readable(&t, 0);
        snd_wnd_is(&t, 4000);
        ends(&t);
      }
    }
  }
}

/* R07, R15: outside nothing happens, not even to a timer; nor when the text of the RST reaches into the window. */
static void a_reset_outside_the_window(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    int64_t places[] = {rcv_of[i] - 1, rcv_of[i] - 1000, EDGE_OF(i), EDGE_OF(i) + 1, EDGE_OF(i) + 60000, -INT64_C(0x40000000),
                        INT64_C(0x40000000)};
    for (size_t p = 0; p < 7; p++) {
      for (uint16_t len = 0; len <= 2000; len = (uint16_t)(len + 2000)) {
        struct endpoint t;
        begins(&t);
        reaches(&t, all_synchronized[i]);
        struct vtcp_conn before = t.conn;
        t.now += 100 * MS;
        arrives(&t, RST, .seq = places[p], .len = len, .wnd = 65535);
        silent(&t);
        require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
        ends(&t);
      }
    }
  }
}

/* The figure of RFC 5961, section 8, from A's side. */
static void the_second_reset_is_exact(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101);
  arrives(&t, RST, .seq = 201); /* 1.c overtakes 1.b */
  sends(&t, ACK, .seq = 1, .ack = 101);
  arrives(&t, ACK, .seq = 101, .ack = 1, .len = 100); /* 1.b */
  sends(&t, ACK, .seq = 1, .ack = 201);
  arrives(&t, RST, .seq = 101); /* the response, too late */
  silent(&t);
  in_state(&t, VTCP_ESTABLISHED);
  arrives(&t, RST, .seq = 201);
  signals(&t, IS_RESET | IS_CLOSED);
  ends(&t);
}

/* R06: whatever carries a RST, in whatever state, wherever it points, gets no RST (the law in laws.c looks). */
static void no_reset_answers_a_reset(void **unused)
{
  (void)unused;
  for (uint8_t state = VTCP_CLOSED; state <= VTCP_TIME_WAIT; state++) {
    for (unsigned flags = 0; flags < 8; flags++) {
      for (int64_t seq = -2; seq <= 3; seq++) {
        for (int64_t ack = -2; ack <= 4; ack++) {
          struct endpoint t;
          begins(&t);
          reaches(&t, state);
          t.lenient = true;
          arrives(&t, RST | flags, .seq = seq, .ack = ack, .len = flags & 1 ? 10 : 0);
          require(!t.out.send || !t.out.seg.rst, "a RST was answered by a RST");
          ends(&t);
        }
      }
    }
  }
}

/* --- RFC 5961, section 4 (U-8, R19): a SYN, wherever it lies --- */

static void a_syn_in_a_synchronized_state(void **unused)
{
  (void)unused;
  static const unsigned with[] = {SYN, SYN | ACK, SYN | FIN, SYN | FIN | ACK};
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    int64_t places[] = {0, rcv_of[i] - 1, rcv_of[i], rcv_of[i] + 1, 500, EDGE_OF(i) - 1, EDGE_OF(i), EDGE_OF(i) + 5000, -100000};
    for (size_t p = 0; p < 9; p++) {
      for (size_t k = 0; k < 4; k++) {
        for (uint16_t len = 0; len <= 40; len = (uint16_t)(len + 40)) {
          struct endpoint t;
          begins(&t);
          reaches(&t, all_synchronized[i]);
          struct vtcp_conn before = t.conn;
          arrives(&t, with[k], .seq = places[p], .ack = una_of[i], .len = len, .mss = 9);
          sends(&t, ACK, .seq = nxt_of[i], .ack = rcv_of[i]);
          in_state(&t, all_synchronized[i]);
          readable(&t, 0);
          t.conn.challenges = before.challenges;
          t.conn.challenge_at = before.challenge_at;
          if (all_synchronized[i] == VTCP_TIME_WAIT) { /* DEVIATIONS 8 may see the peer's FIN in it */
            t.conn.timer_at = before.timer_at;
          }
          require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
          ends(&t);
        }
      }
    }
  }
}

/* --- The acknowledgment (RFC 5961, section 5; DEVIATIONS 6) --- */

/* R18: of what was never sent: answered and dropped, with its text and its FIN. */
static void an_acknowledgment_of_the_future(void **unused)
{
  (void)unused;
  static const int64_t beyond[] = {1, 2, 1000, 65536, INT64_C(0x40000000)};
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    for (size_t k = 0; k < 5; k++) {
      for (int fin = 0; fin < 2; fin++) {
        struct endpoint t;
        begins(&t);
        reaches(&t, all_synchronized[i]);
        struct vtcp_conn before = t.conn;
        arrives(&t, fin ? FIN | ACK : ACK, .seq = rcv_of[i], .ack = nxt_of[i] + beyond[k], .len = fin ? 10 : 0,
                .wnd = 9);
        sends(&t, ACK, .seq = nxt_of[i], .ack = rcv_of[i]);
        in_state(&t, all_synchronized[i]);
        t.conn.challenges = before.challenges;
        t.conn.challenge_at = before.challenge_at;
        require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
        ends(&t);
      }
    }
  }
}

/* MAX.SND.WND = 100, 1000 octets acknowledged: 100 below SND.UNA is the oldest that counts. */
static void an_acknowledgment_older_than_the_largest_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 100;
  in_established(&t);
  for (int i = 0; i < 10; i++) {
    writes(&t, 100);
    sends(&t, ACK, .seq = 1 + 100 * i, .ack = 1, .len = 100);
    arrives(&t, ACK, .seq = 1, .ack = 101 + 100 * i, .wnd = i == 9 ? 50 : 100);
  }
  arrives(&t, ACK, .seq = 1, .ack = 900, .len = 10);
  sends(&t, ACK, .seq = 1001, .ack = 1);
  readable(&t, 0);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  sends(&t, ACK, .seq = 1001, .ack = 1);
  in_state(&t, VTCP_ESTABLISHED);
  arrives(&t, ACK, .seq = 1, .ack = -INT64_C(0x40000000));
  sends(&t, ACK, .seq = 1001, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 901, .len = 10);
  sends(&t, ACK, .seq = 1001, .ack = 11);
  readable(&t, 10);
  arrives(&t, ACK, .seq = 11, .ack = 1000, .len = 10);
  sends(&t, ACK, .seq = 1001, .ack = 21);
  readable(&t, 20);
  una_is(&t, 1001);
  ends(&t);
}

/* Ghost acknowledgments: the window is large, but so much was never sent. */
static void an_acknowledgment_from_before_the_beginning(void **unused)
{
  (void)unused;
  static const int64_t ghosts[] = {-1, -2, -100, -3000, -4000, -65535};
  for (size_t i = 0; i < SYNCHRONIZED; i++) {
    for (size_t k = 0; k < 6; k++) {
      struct endpoint t;
      begins(&t);
      reaches(&t, all_synchronized[i]);
      arrives(&t, ACK, .seq = rcv_of[i], .ack = ghosts[k], .len = 10);
      sends(&t, ACK, .seq = nxt_of[i], .ack = rcv_of[i]);
      in_state(&t, all_synchronized[i]);
      readable(&t, 0);
      ends(&t);
    }
  }
}

static void an_old_acknowledgment_is_no_reason_to_drop_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 50);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 50);
  arrives(&t, ACK, .seq = 1, .ack = 51);
  acked(&t, 50);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10); /* sent before the other */
  sends(&t, ACK, .seq = 51, .ack = 11);
  readable(&t, 10);
  una_is(&t, 51);
  ends(&t);
}

/* --- The budget of challenge ACKs (RFC 5961, section 7; DEVIATIONS 7) --- */

static void challenges(struct endpoint *t, unsigned kind)
{
  switch (kind % 5) {
  case 0: arrives(t, RST, .seq = 5000); break;
  case 1: arrives(t, SYN, .seq = 5000); break;
  case 2: arrives(t, ACK, .seq = 1, .ack = 500000); break;
  case 3: arrives(t, ACK, .seq = -1, .ack = 1); break;
  default: arrives(t, SYN | ACK, .seq = 0, .ack = 1); break;
  }
}

static void the_budget_of_a_second(void **unused)
{
  (void)unused;
  for (unsigned kind = 0; kind <= 5; kind++) { /* the kinds alone, and all mixed */
    struct endpoint t;
    begins(&t);
    in_established(&t);
    t.now += 10 * SECOND;
    for (unsigned second = 0; second < 3; second++) {
      for (unsigned i = 0; i < 10; i++) {
        challenges(&t, kind < 5 ? kind : i);
        sends(&t, ACK, .seq = 1, .ack = 1);
      }
      challenges(&t, kind < 5 ? kind : second);
      silent(&t);
      t.now += SECOND - 1;
      challenges(&t, kind < 5 ? kind : second + 1);
      silent(&t);
      in_state(&t, VTCP_ESTABLISHED);
      t.now += 1;
    }
    ends(&t);
  }
}

static void the_budget_is_configured(void **unused)
{
  (void)unused;
  for (unsigned size = 1; size <= 255; size += 127) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.challenge_acks = (uint8_t)size;
    begins_with(&t, cfg);
    in_established(&t);
    for (unsigned i = 0; i < size; i++) {
      challenges(&t, i);
      sends(&t, ACK, .seq = 1, .ack = 1);
    }
    for (unsigned i = 0; i < 300; i++) {
      challenges(&t, i);
      silent(&t);
    }
    ends(&t);
  }
}

/* Acknowledgments of data and the exact RST do not ask for budget. */
static void what_the_budget_does_not_limit(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (unsigned i = 0; i < 20; i++) {
    t.lenient = true;
    challenges(&t, i);
  }
  t.segment_open = false;
  t.lenient = false;
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 11);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10); /* all old */
  sends(&t, ACK, .seq = 1, .ack = 11);
  arrives(&t, ACK, .seq = 20, .ack = 1, .len = 10); /* beyond a gap */
  sends(&t, ACK, .seq = 1, .ack = 11);
  arrives(&t, ACK, .seq = 20000, .ack = 1, .len = 10); /* beyond the window */
  sends(&t, ACK, .seq = 1, .ack = 11);
  arrives(&t, FIN | ACK, .seq = 0, .ack = 1); /* an old FIN */
  sends(&t, ACK, .seq = 1, .ack = 11);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_PEER_CLOSED);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 12);
  arrives(&t, RST, .seq = 12);
  signals(&t, IS_RESET | IS_CLOSED);
  ends(&t);
}

/* Nor does the peer's keep-alive, with its octet of garbage or without (DEVIATIONS 7). */
static void the_budget_does_not_starve_keep_alives(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (unsigned i = 0; i < 20; i++) {
    t.lenient = true;
    challenges(&t, i);
  }
  t.segment_open = false;
  t.lenient = false;
  for (unsigned i = 0; i < 300; i++) {
    arrives(&t, ACK, .seq = 0, .ack = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    arrives(&t, ACK, .seq = 0, .ack = 1, .len = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    arrives(&t, ACK, .seq = 0, .ack = 2); /* who does not know what we sent is not the peer */
    silent(&t);
    arrives(&t, ACK, .seq = 0, .ack = 0);
    silent(&t);
    arrives(&t, NONE, .seq = 0);
    silent(&t);
    arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
    silent(&t);
  }
  ends(&t);
}

/* R13: one connection's budget tells nothing about another's. */
static void the_budget_is_each_connections_own(void **unused)
{
  (void)unused;
  struct endpoint a, b;
  begins(&a);
  in_established(&a);
  begins(&b);
  in_established(&b);
  for (unsigned i = 0; i < 10; i++) {
    challenges(&a, i);
    sends(&a, ACK, .seq = 1, .ack = 1);
  }
  challenges(&a, 0);
  silent(&a);
  for (unsigned i = 0; i < 10; i++) {
    challenges(&b, i);
    sends(&b, ACK, .seq = 1, .ack = 1);
  }
  ends(&a);
  ends(&b);
}

/* RSTs of SYN-RECEIVED, LISTEN and CLOSED are no challenges. */
static void resets_need_no_budget(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  for (int i = 0; i < 30; i++) {
    arrives(&t, ACK, .seq = 1, .ack = 7);
    sends(&t, RST, .seq = 7);
  }
  in_syn_received(&t);
  for (int i = 0; i < 30; i++) {
    arrives(&t, ACK, .seq = 1, .ack = 7);
    sends(&t, RST, .seq = 7);
  }
  ends(&t);
}

/* An answer may not be answered for ever: empty ACKs outside the window, thrown from one to the other, die out. */
static void a_challenge_never_leads_to_a_war(void **unused)
{
  (void)unused;
  struct endpoint a;
  begins(&a);
  in_established(&a);
  a.lenient = true;
  unsigned answers_given = 0;
  for (int i = 0; i < 1000; i++) {
    arrives(&a, ACK, .seq = -1, .ack = 1);
    answers_given += a.out.send;
    a.now += MS;
  }
  require(answers_given <= 10, "%u answers to 1000 empty segments in a second", answers_given);
  ends(&a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_reset_at_rcv_nxt),
    cmocka_unit_test(a_reset_elsewhere_in_the_window),
    cmocka_unit_test(a_reset_outside_the_window),
    cmocka_unit_test(the_second_reset_is_exact),
    cmocka_unit_test(no_reset_answers_a_reset),
    cmocka_unit_test(a_syn_in_a_synchronized_state),
    cmocka_unit_test(an_acknowledgment_of_the_future),
    cmocka_unit_test(an_acknowledgment_older_than_the_largest_window),
    cmocka_unit_test(an_acknowledgment_from_before_the_beginning),
    cmocka_unit_test(an_old_acknowledgment_is_no_reason_to_drop_text),
    cmocka_unit_test(the_budget_of_a_second),
    cmocka_unit_test(the_budget_is_configured),
    cmocka_unit_test(what_the_budget_does_not_limit),
    cmocka_unit_test(the_budget_does_not_starve_keep_alives),
    cmocka_unit_test(the_budget_is_each_connections_own),
    cmocka_unit_test(resets_need_no_budget),
    cmocka_unit_test(a_challenge_never_leads_to_a_war),
  };
  return run_with_every_base("reset", tests);
}
