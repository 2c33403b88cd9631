/* ICMP messages about our segments: RFC 9293, 3.9.2.2, and RFC 5927. */
#include "exchange.h"

#include <string.h>

/* Ways into a state, with something in flight or with nothing. */
struct scene {
  const char *name;
  uint8_t state;
  uint8_t how; /* of SYN-RECEIVED */
  uint16_t text;
  bool busy; /* something is in flight */
};

enum { PASSIVELY, ACTIVELY, AS_CHILD, CLOSED_EARLY, PROBING };

static const struct scene scenes[] = {
  {"CLOSED", VTCP_CLOSED, 0, 0, false},
  {"LISTEN", VTCP_LISTEN, 0, 0, false},
  {"SYN-SENT", VTCP_SYN_SENT, 0, 0, true},
  {"SYN-RECEIVED, passively", VTCP_SYN_RECEIVED, PASSIVELY, 0, true},
  {"SYN-RECEIVED, actively", VTCP_SYN_RECEIVED, ACTIVELY, 0, true},
  {"SYN-RECEIVED, a child", VTCP_SYN_RECEIVED, AS_CHILD, 0, true},
  {"FIN-WAIT-1, SYN and FIN in flight", VTCP_FIN_WAIT_1, CLOSED_EARLY, 0, true},
  {"ESTABLISHED, idle", VTCP_ESTABLISHED, 0, 0, false},
  {"ESTABLISHED", VTCP_ESTABLISHED, 0, 100, true},
  {"ESTABLISHED, probing", VTCP_ESTABLISHED, PROBING, 0, true},
  {"FIN-WAIT-1", VTCP_FIN_WAIT_1, 0, 0, true},
  {"FIN-WAIT-2", VTCP_FIN_WAIT_2, 0, 0, false},
  {"CLOSE-WAIT, idle", VTCP_CLOSE_WAIT, 0, 0, false},
  {"CLOSE-WAIT", VTCP_CLOSE_WAIT, 0, 100, true},
  {"CLOSING", VTCP_CLOSING, 0, 0, true},
  {"LAST-ACK", VTCP_LAST_ACK, 0, 0, true},
  {"TIME-WAIT", VTCP_TIME_WAIT, 0, 0, false},
};
enum { SCENES = sizeof scenes / sizeof scenes[0] };

static void sets_in(struct endpoint *t, const struct scene *s)
{
  if (s->how == CLOSED_EARLY) {
    in_syn_received(t);
    closes(t);
    sends(t, FIN | ACK, .seq = 1, .ack = 1);
  } else if (s->how == PROBING) {
    in_established(t);
    arrives(t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    writes(t, 50);
    expires(t);
    sends(t, ACK, .seq = 1, .ack = 1, .len = 1);
  } else if (s->how == ACTIVELY) {
    in_syn_received_actively(t);
  } else if (s->how == AS_CHILD) {
    in_syn_received_as_child(t);
  } else {
    reaches(t, s->state);
  }
  if (s->text > 0) {
    writes(t, s->text);
    t->segment_open = false;
  }
  in_state(t, s->state);
  require(s->busy == (t->conn.snd_una != t->conn.snd_nxt), "%s: in flight", s->name);
}

/* Any number of ours, counted from the ISS, that is in flight; and SND.NXT. */
static int64_t una_of(const struct endpoint *t)
{
  return (int64_t)(uint32_t)(t->conn.snd_una - t->iss);
}

static int64_t nxt_of(const struct endpoint *t)
{
  return (int64_t)(uint32_t)(t->conn.snd_nxt - t->iss);
}

static void nothing_happens_at(struct endpoint *t, const struct vtcp_conn *before, const struct scene *s)
{
  silent_at(t);
  require(signals_of(&t->out) == 0, "%s: something is told", s->name);
  require(same_conn(before, &t->conn), "%s: %s changed", s->name, first_difference(before, &t->conn));
  answers_at(t, VTCP_OK);
}

/* --- What is discarded in silence --- */

/* MUST-55, in every state, whatever it quotes. */
static void source_quench(void **unused)
{
  (void)unused;
  for (int i = 0; i < SCENES; i++) {
    struct endpoint t;
    begins(&t);
    sets_in(&t, &scenes[i]);
    struct vtcp_conn before = t.conn;
    for (int64_t quoted = una_of(&t) - 2; quoted <= nxt_of(&t) + 2; quoted++) {
      icmp(&t, VTCP_ICMP_QUENCH, quoted, 100);
      nothing_happens_at(&t, &before, &scenes[i]);
    }
    ends(&t);
  }
}

static const uint8_t kinds[] = {VTCP_ICMP_SOFT, VTCP_ICMP_HARD, VTCP_ICMP_QUENCH, VTCP_ICMP_TOO_BIG, 4, 77, 255};
enum { KINDS = sizeof kinds };

/* RFC 5927, 4.1: a message that quotes what is not in flight, in every state, of every kind. */
static void what_quotes_nothing_in_flight(void **unused)
{
  (void)unused;
  for (int i = 0; i < SCENES; i++) {
    for (int k = 0; k < KINDS; k++) {
      struct endpoint t;
      begins(&t);
      sets_in(&t, &scenes[i]);
      struct vtcp_conn before = t.conn;
      int64_t una = una_of(&t), nxt = nxt_of(&t);
      const int64_t quoted[] = {nxt,        nxt + 1,           una - 1,   una - 2,     una - 1000,
                                nxt + 1000, nxt + INT32_MAX, una - INT32_MAX, nxt + 65535, una + INT64_C(0x80000000) + 500};
      for (size_t q = 0; q < sizeof quoted / sizeof quoted[0]; q++) {
        icmp(&t, kinds[k], quoted[q], 100);
        nothing_happens_at(&t, &before, &scenes[i]);
      }
      if (scenes[i].state <= VTCP_LISTEN) { /* there is no number of ours */
        icmp(&t, kinds[k], -(int64_t)t.iss, 100);
        nothing_happens_at(&t, &before, &scenes[i]);
      }
      ends(&t);
    }
  }
}

/* What was acknowledged is not in flight any more. */
static void what_quotes_the_past(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 30);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 30);
  arrives(&t, ACK, .seq = 1, .ack = 11);
  acked(&t, 10);
  for (int64_t quoted = 0; quoted <= 32; quoted++) {
    icmp(&t, VTCP_ICMP_SOFT, quoted, 0);
    silent(&t);
    signals(&t, quoted >= 11 && quoted <= 30 ? IS_SOFT_ERROR : 0);
  }
  arrives(&t, ACK, .seq = 1, .ack = 31);
  for (int64_t quoted = 0; quoted <= 32; quoted++) {
    icmp(&t, VTCP_ICMP_HARD, quoted, 0);
    silent(&t);
  }
  ends(&t);
}

/* --- Soft errors (MUST-47, MUST-54, MUST-56, SHLD-25) --- */

static void soft_errors_are_told(void **unused)
{
  (void)unused;
  static const uint8_t soft[] = {VTCP_ICMP_SOFT, 4, 77, 255}; /* what nobody knows ends nothing */
  for (int i = 0; i < SCENES; i++) {
    for (size_t k = 0; k < sizeof soft; k++) {
      struct endpoint t;
      if (!scenes[i].busy) {
        continue;
      }
      begins(&t);
      sets_in(&t, &scenes[i]);
      struct vtcp_conn before = t.conn;
      for (int64_t quoted = una_of(&t); quoted < nxt_of(&t); quoted++) {
        icmp(&t, soft[k], quoted, 100);
        signals(&t, IS_SOFT_ERROR);
        silent(&t);
        require(same_conn(&before, &t.conn), "%s: %s changed", scenes[i].name, first_difference(&before, &t.conn));
      }
      ends(&t);
    }
  }
}

/* However many: the connection opens, and goes on. */
static void soft_errors_end_nothing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  for (int k = 0; k < 100; k++) {
    icmp(&t, VTCP_ICMP_SOFT, 0, 0);
    signals(&t, IS_SOFT_ERROR);
  }
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  for (int k = 0; k < 100; k++) {
    icmp(&t, VTCP_ICMP_SOFT, 10, 0);
    signals(&t, IS_SOFT_ERROR);
  }
  arrives(&t, ACK, .seq = 1, .ack = 11);
  acked(&t, 10);
  ends(&t);
}

/* --- Hard errors (SHLD-26; RFC 5927, 5.2) --- */

static void a_hard_error_refuses_an_active_open(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  writes(&t, 10); /* queued: it goes with the connection */
  icmp(&t, VTCP_ICMP_HARD, 0, 0);
  silent(&t);
  signals(&t, IS_REFUSED | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  deadline_is(&t, NEVER);
  ends(&t);
  begins(&t);
  in_syn_received_actively(&t);
  icmp(&t, VTCP_ICMP_HARD, 0, 0);
  silent(&t);
  signals(&t, IS_REFUSED | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* The user need not know of who has vanished: as by a reset. */
static void a_hard_error_returns_to_listen(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  icmp(&t, VTCP_ICMP_HARD, 0, 0);
  silent(&t);
  signals(&t, IS_RELISTEN);
  in_state(&t, VTCP_LISTEN);
  deadline_is(&t, NEVER);
  arrives(&t, SYN, .seq = 0); /* and somebody else may come */
  sends(&t, SYN | ACK, .seq = 0, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  ends(&t);
}

/* ... but for a user who has closed already there is nothing to return to. */
static void a_hard_error_after_close(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 10);
  closes(&t);
  in_state(&t, VTCP_SYN_RECEIVED);
  icmp(&t, VTCP_ICMP_HARD, 0, 0);
  silent(&t);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void a_hard_error_ends_a_child(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received_as_child(&t);
  icmp(&t, VTCP_ICMP_HARD, 0, 0);
  silent(&t);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

/* A synchronized connection is worth more than a message that anybody could have sent. */
static void a_hard_error_is_told_once_synchronized(void **unused)
{
  (void)unused;
  for (int i = 0; i < SCENES; i++) {
    struct endpoint t;
    if (!scenes[i].busy || scenes[i].state < VTCP_ESTABLISHED) {
      continue;
    }
    begins(&t);
    sets_in(&t, &scenes[i]);
    struct vtcp_conn before = t.conn;
    for (int64_t quoted = una_of(&t); quoted < nxt_of(&t); quoted++) {
      icmp(&t, VTCP_ICMP_HARD, quoted, 0);
      signals(&t, IS_SOFT_ERROR);
      silent(&t);
      require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
    }
    ends(&t);
  }
}

/* --- Too big (RFC 1191, RFC 8201) --- */

/* ESTABLISHED with a send MSS of 1460 and three segments in flight: 1, 1461, 2921. */
static void three_in_flight(struct endpoint *t, struct vtcp_config cfg)
{
  begins_with(t, cfg);
  in_syn_sent(t);
  arrives(t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .wnd = 8000);
  sends(t, ACK, .seq = 1, .ack = 1);
  signals(t, IS_ESTABLISHED);
  t->peer_wnd = 8000;
  writes(t, 4000);
  sends(t, ACK, .seq = 1, .ack = 1, .len = 1460);
  goes_on(t);
  sends(t, ACK, .seq = 1461, .ack = 1, .len = 1460);
  goes_on(t);
  sends(t, ACK, .seq = 2921, .ack = 1, .len = 1080);
  nxt_is(t, 4001);
}

static void too_big_shrinks(void **unused)
{
  (void)unused;
  struct endpoint t;
  three_in_flight(&t, test_config());
  uint64_t due = vtcp_deadline(&t.conn);
  t.now += 10 * MS;
  icmp(&t, VTCP_ICMP_TOO_BIG, 1461, 520);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 500); /* at once */
  signals(&t, 0);
  require(!t.out.more, "one segment for one message");
  expect_number("MSS", 500, t.conn.snd_mss);
  nxt_is(&t, 4001);
  deadline_is(&t, due); /* nothing was lost to congestion: neither back-off nor a new start */
  icmp(&t, VTCP_ICMP_TOO_BIG, 2921, 520); /* the others were too big as well: nothing new */
  silent(&t);
  for (int64_t next = 501; next < 4001; next += 500) { /* each acknowledgment brings the next piece */
    arrives(&t, ACK, .seq = 1, .ack = next);
    acked(&t, 500);
    sends(&t, ACK, .seq = next, .ack = 1, .len = 500);
  }
  arrives(&t, ACK, .seq = 1, .ack = 4001);
  acked(&t, 500);
  silent(&t);
  deadline_is(&t, NEVER);
  writes(&t, 1200); /* and what is new comes in such pieces too */
  sends(&t, ACK, .seq = 4001, .ack = 1, .len = 500);
  goes_on(&t);
  sends(&t, ACK, .seq = 4501, .ack = 1, .len = 500);
  goes_on(&t);
  sends(&t, ACK, .seq = 5001, .ack = 1, .len = 200);
  ends(&t);
}

static void too_big_shrinks_again(void **unused)
{
  (void)unused;
  struct endpoint t;
  three_in_flight(&t, test_config());
  static const uint16_t sizes[] = {1459, 1000, 536, 100, 29, 28};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    icmp(&t, VTCP_ICMP_TOO_BIG, 1 + (int64_t)i * 700, sizes[i] + 20U);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = sizes[i]);
    expect_number("MSS", sizes[i], t.conn.snd_mss);
  }
  ends(&t);
}

static void too_big_never_enlarges(void **unused)
{
  (void)unused;
  static const uint32_t sizes[] = {1480, 1481, 1500, 65535, 65536, 65536 + 500, 0x80000000, UINT32_MAX};
  struct endpoint t;
  three_in_flight(&t, test_config());
  struct vtcp_conn before = t.conn;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    icmp(&t, VTCP_ICMP_TOO_BIG, 1, sizes[i]);
    nothing_happens_at(&t, &before, &scenes[8]);
  }
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 1479);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1459);
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 1480);
  silent(&t);
  ends(&t);
}

/* No link takes less than 68 octets, 20 of which are IP's. */
static void too_big_below_what_any_link_takes(void **unused)
{
  (void)unused;
  static const uint32_t sizes[] = {0, 1, 19, 20, 21, 40, 47};
  struct endpoint t;
  three_in_flight(&t, test_config());
  struct vtcp_conn before = t.conn;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    icmp(&t, VTCP_ICMP_TOO_BIG, 1, sizes[i]);
    nothing_happens_at(&t, &before, &scenes[8]);
  }
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 48);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 28);
  ends(&t);
}

/* With the SYN in flight there is nothing that can have been too big. */
static void too_big_with_our_syn_in_flight(void **unused)
{
  (void)unused;
  for (int i = 0; i < SCENES; i++) {
    if (!scenes[i].busy || (scenes[i].state > VTCP_SYN_RECEIVED && scenes[i].how != CLOSED_EARLY)) {
      continue;
    }
    struct endpoint t;
    begins(&t);
    sets_in(&t, &scenes[i]);
    struct vtcp_conn before = t.conn;
    for (uint32_t size = 0; size <= 220; size++) {
      icmp(&t, VTCP_ICMP_TOO_BIG, 0, size);
      nothing_happens_at(&t, &before, &scenes[i]);
    }
    ends(&t);
  }
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 500);
  icmp(&t, VTCP_ICMP_TOO_BIG, 0, 220);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 500);
  ends(&t);
}

/* RFC 5927, 7.2: a segment that got stuck is larger than what gets through, and no larger than what is in flight from the
 * number that is quoted; a FIN is no octet. */
static void too_big_for_what_is_in_flight(void **unused)
{
  (void)unused;
  for (int closed = 0; closed < 2; closed++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    writes(&t, 300);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 300);
    if (closed) {
      closes(&t);
      sends(&t, FIN | ACK, .seq = 301, .ack = 1);
    }
    struct vtcp_conn before = t.conn;
    for (int64_t quoted = 1; quoted <= 300 + closed; quoted++) { /* 301 - quoted octets are in flight from there */
      icmp(&t, VTCP_ICMP_TOO_BIG, quoted, quoted < 273 ? (uint32_t)(321 - quoted) : 48);
      nothing_happens_at(&t, &before, &scenes[8]);
    }
    icmp(&t, VTCP_ICMP_TOO_BIG, 273, 48);
    nothing_happens_at(&t, &before, &scenes[8]);
    icmp(&t, VTCP_ICMP_TOO_BIG, 272, 48); /* 29 octets, and 28 get through */
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 28);
    ends(&t);
  }
}

/* What waits for a window goes in smaller pieces when it may go. */
static void too_big_while_probing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 500);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  struct vtcp_conn before = t.conn;
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 220); /* no probe is */
  nothing_happens_at(&t, &before, &scenes[9]);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  ends(&t);
  begins(&t);
  in_established(&t);
  writes(&t, 500);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 500);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO); /* what is in flight may be lost */
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 220);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 200);
  expect_number("MSS", 200, t.conn.snd_mss);
  arrives(&t, ACK, .seq = 1, .ack = 501, .wnd = 4000);
  acked(&t, 500);
  ends(&t);
}

/* In each state that sends text, with and without a FIN behind it. */
static void too_big_with_our_fin_in_flight(void **unused)
{
  (void)unused;
  for (int peer_first = 0; peer_first < 2; peer_first++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, peer_first ? VTCP_CLOSE_WAIT : VTCP_ESTABLISHED);
    int64_t rcv = peer_first ? 2 : 1;
    writes(&t, 400);
    sends(&t, ACK, .seq = 1, .ack = rcv, .len = 400);
    closes(&t);
    sends(&t, FIN | ACK, .seq = 401, .ack = rcv);
    uint8_t state = t.conn.state;
    icmp(&t, VTCP_ICMP_TOO_BIG, 1, 220);
    sends(&t, ACK, .seq = 1, .ack = rcv, .len = 200);
    in_state(&t, state);
    nxt_is(&t, 402);
    arrives(&t, ACK, .seq = rcv, .ack = 201);
    acked(&t, 200);
    sends(&t, FIN | ACK, .seq = 201, .ack = rcv, .len = 200);
    arrives(&t, ACK, .seq = rcv, .ack = 402);
    acked(&t, 200);
    signals(&t, peer_first ? IS_CLOSE_DONE | IS_CLOSED : IS_CLOSE_DONE);
    ends(&t);
  }
}

/* Karn: what was sent again is not measured, whatever made us send it again. */
static void too_big_and_the_round_trip_time(void **unused)
{
  (void)unused;
  struct endpoint t;
  three_in_flight(&t, test_config());
  uint32_t srtt = t.conn.srtt, rto = t.conn.rto;
  t.now += 400 * MS;
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 1020);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1000);
  t.now += 500 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 1461);
  acked(&t, 1460);
  sends(&t, ACK, .seq = 1461, .ack = 1, .len = 1000);
  arrives(&t, ACK, .seq = 1, .ack = 4001);
  acked(&t, 2540);
  expect_number("SRTT", srtt, t.conn.srtt);
  expect_number("RTO", rto, t.conn.rto);
  ends(&t);
}

/* Neither R1 nor R2 takes notice: such a message is no sign that the segment was lost, nor progress. */
static void too_big_and_r2(void **unused)
{
  (void)unused;
  struct endpoint t;
  three_in_flight(&t, test_config());
  uint64_t since = t.now;
  for (uint32_t size = 1400; size > 1300; size -= 10) {
    icmp(&t, VTCP_ICMP_TOO_BIG, 1, size);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = (uint16_t)(size - 20));
  }
  for (int i = 1; i <= 3; i++) {
    expires(&t);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 1290);
    signals(&t, i == 3 ? IS_EXCESSIVE : 0);
  }
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 80);
  t.lenient = true;
  while (t.conn.state != VTCP_CLOSED) {
    expires(&t);
  }
  require(t.out.timed_out && t.now - since == 100 * SECOND, "the end came after %.3f s", (double)(t.now - since) / 1e6);
  ends(&t);
}

/* A window smaller than the pieces, or smaller than what is in flight: no octet passes its edge. */
static void too_big_and_a_small_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  three_in_flight(&t, test_config());
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 300);
  silent(&t);
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 520);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 300);
  icmp(&t, VTCP_ICMP_TOO_BIG, 1, 220);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 200);
  ends(&t);
}

/* --- At 2^32 --- */

static void numbers_in_flight_around_zero(void **unused)
{
  (void)unused;
  static const uint32_t isses[] = {0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFF0};
  for (size_t i = 0; i < sizeof isses / sizeof isses[0]; i++) {
    struct endpoint t;
    begins(&t);
    t.iss = isses[i];
    in_established(&t);
    writes(&t, 40);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 40);
    for (int64_t quoted = -3; quoted <= 45; quoted++) {
      icmp(&t, VTCP_ICMP_HARD, quoted, 0);
      silent(&t);
      signals(&t, quoted >= 1 && quoted <= 40 ? IS_SOFT_ERROR : 0);
    }
    ends(&t);
  }
}

/* --- Two of ours, and a path that becomes narrow --- */

enum { FLYING = 2048 };

struct path {
  struct endpoint end[2];
  struct {
    uint64_t when;
    unsigned to;
    struct vtcp_event event;
  } flying[FLYING];
  unsigned count, too_big, reports, timeouts, largest;
  uint32_t mtu; /* octets of TCP that get through */
  uint64_t now, seed;
  uint32_t mute; /* percent of the reports that are lost */
};

enum { TRIP = 10000 }; /* microseconds, either way */

static void flies(struct path *p, unsigned to, uint64_t delay, struct vtcp_event event)
{
  require(p->count < FLYING, "the path bursts");
  p->flying[p->count].when = p->now + delay;
  p->flying[p->count].to = to;
  p->flying[p->count].event = event;
  p->count++;
}

/* What endpoint i sends passes, or is dropped half way and reported, with the number it begins with. */
static void follows(struct path *p, unsigned i)
{
  struct endpoint *t = &p->end[i];
  for (;;) {
    const struct vtcp_segment *s = &t->out.seg;
    uint32_t size = 20U + (s->syn ? 4U : 0U) + s->len;
    if (t->out.send && size <= p->mtu) {
      p->largest = s->len > p->largest ? s->len : p->largest;
      flies(p, 1 - i, TRIP, (struct vtcp_event){.type = VTCP_ARRIVES, .seg = *s});
    } else if (t->out.send) {
      p->too_big++;
      if (choose(&p->seed, 100) >= p->mute) {
        flies(p, i, TRIP, (struct vtcp_event){.type = VTCP_ICMP, .icmp = VTCP_ICMP_TOO_BIG, .len = p->mtu, .seg.seq = s->seq});
      }
    }
    if (!t->out.more) {
      return;
    }
    step_at(t, (struct vtcp_event){.type = VTCP_MORE});
  }
}

/* Until nothing flies and nobody waits. */
static void runs(struct path *p)
{
  for (unsigned steps = 0;; steps++) {
    require(steps < 100000, "no rest");
    uint64_t when = NEVER;
    unsigned which = 0;
    for (unsigned i = 0; i < p->count; i++) {
      if (p->flying[i].when < when) {
        when = p->flying[i].when;
        which = i;
      }
    }
    uint64_t due = NEVER;
    unsigned whose = 0;
    for (unsigned i = 0; i < 2; i++) {
      if (vtcp_deadline(&p->end[i].conn) < due) {
        due = vtcp_deadline(&p->end[i].conn);
        whose = i;
      }
    }
    if (when == NEVER && due == NEVER) {
      return;
    }
    bool timer = due < when;
    struct vtcp_event event = {.type = VTCP_TIMEOUT};
    if (!timer) {
      whose = p->flying[which].to;
      event = p->flying[which].event;
      memmove(&p->flying[which], &p->flying[which + 1], (--p->count - which) * sizeof p->flying[0]); /* first in, first out */
      p->reports += event.type == VTCP_ICMP;
    }
    p->timeouts += timer;
    p->now = timer ? due : when;
    p->end[whose].now = p->now;
    step_at(&p->end[whose], event);
    require(!p->end[whose].out.timed_out && !p->end[whose].out.soft_error, "the connection fails");
    follows(p, whose);
    if (p->end[whose].out.readable > 0) {
      step_at(&p->end[whose], (struct vtcp_event){.type = VTCP_RECEIVE, .len = p->end[whose].out.readable});
      follows(p, whose);
    }
  }
}

static void through_a_narrow_path(uint32_t mute, uint64_t seed)
{
  static const uint32_t widths[] = {1480, 1479, 1280, 596, 300, 100, 48, 1480};
  static struct path p;
  memset(&p, 0, sizeof p);
  p.mtu = 1480;
  p.now = SECOND;
  p.seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
  p.mute = mute;
  for (unsigned i = 0; i < 2; i++) {
    struct vtcp_config cfg = test_config();
    cfg.r2_ms = UINT32_MAX;
    begins_with(&p.end[i], cfg);
    p.end[i].lenient = true;
    p.end[i].iss = i == 0 ? base_iss : base_irs;
    p.end[i].irs = i == 0 ? base_irs : base_iss;
  }
  step_at(&p.end[1], (struct vtcp_event){.type = VTCP_OPEN_PASSIVE});
  step_at(&p.end[0], (struct vtcp_event){.type = VTCP_OPEN_ACTIVE, .remote = true});
  follows(&p, 0);
  runs(&p);
  uint32_t sent = 0, narrowest = 1480;
  for (size_t k = 0; k < sizeof widths / sizeof widths[0]; k++) {
    p.mtu = widths[k];
    narrowest = widths[k] < narrowest ? widths[k] : narrowest;
    p.timeouts = p.reports = p.too_big = p.largest = 0;
    for (unsigned i = 0; i < 2; i++) {
      p.end[i].now = p.now;
      step_at(&p.end[i], (struct vtcp_event){.type = VTCP_SEND, .len = 7000, .remote = true});
      follows(&p, i);
    }
    sent += 7000;
    runs(&p);
    for (unsigned i = 0; i < 2; i++) {
      expect_number("octets received", sent, p.end[i].taken);
      require(p.end[i].conn.snd_una == p.end[i].conn.snd_nxt && p.end[i].conn.snd_len == 0, "octets unacknowledged");
      require(p.end[i].conn.snd_mss >= narrowest - 20 || p.end[i].conn.snd_mss == 1460, "MSS %u",
              (unsigned)p.end[i].conn.snd_mss);
    }
    require(p.largest <= narrowest - 20, "%u octets, and the path has room for %u", p.largest, (unsigned)narrowest - 20);
    if (widths[k] < 1479) {
      require(p.reports > 0 && p.largest == narrowest - 20, "nobody was told");
    }
    if (mute == 0) {
      expect_number("timeouts", 0, p.timeouts); /* the messages alone do it */
    }
  }
  for (unsigned i = 0; i < 2; i++) {
    p.end[i].now = p.now;
    step_at(&p.end[i], (struct vtcp_event){.type = VTCP_CLOSE});
    follows(&p, i);
    runs(&p);
  }
  in_state(&p.end[0], VTCP_CLOSED);
  in_state(&p.end[1], VTCP_CLOSED);
  ends(&p.end[0]);
  ends(&p.end[1]);
}

static void a_path_that_becomes_narrow(void **unused)
{
  (void)unused;
  through_a_narrow_path(0, 1);
}

/* Some reports are lost: the retransmission timer has the next one sent. */
static void a_path_that_does_not_always_say_so(void **unused)
{
  (void)unused;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    through_a_narrow_path(60, seed);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(source_quench),
    cmocka_unit_test(what_quotes_nothing_in_flight),
    cmocka_unit_test(what_quotes_the_past),
    cmocka_unit_test(soft_errors_are_told),
    cmocka_unit_test(soft_errors_end_nothing),
    cmocka_unit_test(a_hard_error_refuses_an_active_open),
    cmocka_unit_test(a_hard_error_returns_to_listen),
    cmocka_unit_test(a_hard_error_after_close),
    cmocka_unit_test(a_hard_error_ends_a_child),
    cmocka_unit_test(a_hard_error_is_told_once_synchronized),
    cmocka_unit_test(too_big_shrinks),
    cmocka_unit_test(too_big_shrinks_again),
    cmocka_unit_test(too_big_never_enlarges),
    cmocka_unit_test(too_big_below_what_any_link_takes),
    cmocka_unit_test(too_big_with_our_syn_in_flight),
    cmocka_unit_test(too_big_for_what_is_in_flight),
    cmocka_unit_test(too_big_while_probing),
    cmocka_unit_test(too_big_with_our_fin_in_flight),
    cmocka_unit_test(too_big_and_the_round_trip_time),
    cmocka_unit_test(too_big_and_r2),
    cmocka_unit_test(too_big_and_a_small_window),
    cmocka_unit_test(numbers_in_flight_around_zero),
    cmocka_unit_test(a_path_that_becomes_narrow),
    cmocka_unit_test(a_path_that_does_not_always_say_so),
  };
  return run_with_every_base("ICMP", tests);
}
