/* Time: RFC 6298, and RFC 9293, 3.8.1 (RTO), 3.8.3 (R1, R2), 3.8.6.1 (probes), 3.10.8. */
#include "exchange.h"

/* Opens actively; the SYN,ACK comes after `rtt`. */
static void established_with(struct endpoint *t, struct vtcp_config cfg, uint64_t rtt)
{
  begins_with(t, cfg);
  in_syn_sent(t);
  t->now += rtt;
  arrives(t, SYN | ACK, .seq = 0, .ack = 1);
  sends(t, ACK, .seq = 1, .ack = 1);
  signals(t, IS_ESTABLISHED);
}

/* One octet goes and is acknowledged after `rtt`; returns the RTO that was in force. */
static uint64_t round_trip(struct endpoint *t, uint64_t rtt)
{
  int64_t nxt = (int64_t)(t->conn.snd_nxt - t->conn.iss);
  writes(t, 1);
  sends(t, ACK, .seq = nxt, .ack = 1, .len = 1);
  uint64_t rto = vtcp_deadline(&t->conn) - t->now;
  t->now += rtt;
  arrives(t, ACK, .seq = 1, .ack = nxt + 1);
  deadline_is(t, NEVER); /* (5.2) */
  return rto;
}

/* --- The estimate (RFC 6298, section 2) --- */

static void before_any_measurement(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0);
  deadline_is(&t, t.now + SECOND);
  ends(&t);
  struct vtcp_config cfg = test_config();
  cfg.rto_initial_ms = 2500;
  begins_with(&t, cfg);
  opens(&t);
  sends(&t, SYN, .seq = 0);
  deadline_is(&t, t.now + 2500 * MS);
  ends(&t);
}

/* (2.2): SRTT = R, RTTVAR = R/2, RTO = R + 4 R/2. (2.3): RTTVAR first, with the old SRTT. */
static void the_estimate(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 400 * MS);
  expect_number("RTO", 1200000, round_trip(&t, 600 * MS)); /* .4 + 4 * .2 */
  expect_number("RTO", 1225000, round_trip(&t, 100 * MS)); /* .425 + 4 * .2 */
  expect_number("RTO", 1309375, round_trip(&t, 100 * MS)); /* .384375 + 4 * .23125 */
  ends(&t);
}

static void the_passive_side_measures_its_syn_too(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  t.now += 500 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  expect_number("RTO", 1500000, round_trip(&t, 0));
  ends(&t);
}

/* Against the equations in floating point, over many rounds; fixed point may lose a few microseconds, and the clock
 * granularity G is ours to choose (section 4): anything up to a millisecond. */
static void the_estimate_over_many_rounds(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  uint64_t seed = 88172645463325252U;
  cfg.rto_min_ms = 1;
  established_with(&t, cfg, 80 * MS);
  double srtt = 80000, rttvar = 40000;
  for (int i = 0; i < 500; i++) {
    double k = 4 * rttvar, expected = srtt + k, coarsest = srtt + (k > 1000 ? k : 1000);
    if (expected < 1000) {
      expected = 1000;
    }
    uint64_t rtt = choose(&seed, i < 250 ? 200000 : 900);
    double got = (double)round_trip(&t, rtt < (uint64_t)expected ? rtt : (uint64_t)expected - 1);
    if (rtt >= (uint64_t)expected) {
      rtt = (uint64_t)expected - 1;
    }
    require(got < coarsest + 60 && expected - got < 60, "round %d: an RTO of %.0f us is expected, not %.0f", i,
            expected, got);
    double distance = srtt - (double)rtt;
    rttvar = 0.75 * rttvar + 0.25 * (distance < 0 ? -distance : distance);
    srtt = 0.875 * srtt + 0.125 * (double)rtt;
  }
  ends(&t);
}

/* (2.4), T10. */
static void the_least_rto(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 10 * MS);
  expect_number("RTO", SECOND, round_trip(&t, 10 * MS));
  expect_number("RTO", SECOND, round_trip(&t, 0));
  ends(&t);
  struct vtcp_config cfg = test_config();
  cfg.rto_min_ms = 1;
  established_with(&t, cfg, 10 * MS);
  expect_number("RTO", 30 * MS, round_trip(&t, 10 * MS));
  for (int i = 0; i < 200; i++) {
    round_trip(&t, 10 * MS);
  }
  uint64_t rto = round_trip(&t, 10 * MS); /* the variation dies out: RTO = SRTT + G */
  require(rto >= 10 * MS && rto <= 11 * MS + 10, "RTO %u", (unsigned)rto);
  ends(&t);
  established_with(&t, cfg, 0);
  expect_number("RTO", MS, round_trip(&t, 0));
  ends(&t);
}

/* (2.5). */
static void the_greatest_rto(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rto_initial_ms = 60000;
  established_with(&t, cfg, 40 * SECOND);
  expect_number("RTO", 60 * SECOND, round_trip(&t, 40 * SECOND));
  expect_number("RTO", 60 * SECOND, round_trip(&t, 40 * SECOND));
  ends(&t);
}

/* 2^30 us, 18 minutes, is the longest that is counted. */
static void the_longest_round_trip(void **unused)
{
  (void)unused;
  static const struct {
    uint64_t rtt, rto;
  } rows[] = {{(1u << 30) - 1, 3221225467}, {1u << 30, 3221225472}, {(1u << 30) + 1, 3221225472},
              {3600 * SECOND, 3221225472}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.rto_initial_ms = cfg.rto_max_ms = 4000000;
    cfg.r2_ms = cfg.r2_syn_ms = 8000000;
    established_with(&t, cfg, rows[i].rtt);
    expect_number("RTO", rows[i].rto, round_trip(&t, 0));
    ends(&t);
  }
}

/* --- Karn (section 3) and back-off (5.4 to 5.6) --- */

static void karn(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 400 * MS);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  deadline_is(&t, t.now + 1200 * MS);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  deadline_is(&t, t.now + 2400 * MS);
  t.now += 5 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 11); /* of which of the two? */
  expect_number("RTO still backed off", 2400000, round_trip(&t, 400 * MS));
  /* a new measurement of .4: RTTVAR .15, SRTT .4 */
  expect_number("RTO", 1000000, round_trip(&t, 0));
  ends(&t);
}

/* What was sent after the retransmitted segment does not measure either while it waits for it. */
static void karn_and_later_segments(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 400 * MS);
  writes(&t, 536);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  t.now += 1000 * MS;
  writes(&t, 536);
  sends(&t, ACK, .seq = 537, .ack = 1, .len = 536);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  t.now += 2000 * MS;
  t.lenient = true;
  arrives(&t, ACK, .seq = 1, .ack = 1073);
  while (t.out.more) {
    goes_on(&t);
  }
  t.lenient = false;
  t.segment_open = false;
  expect_number("RTO still backed off", 2400000, round_trip(&t, 0));
  ends(&t);
}

/* The window closed and opened again, and what was out went once more: what is acknowledged then measures nothing. */
static void karn_and_the_window(void **unused)
{
  (void)unused;
  for (int probed = 0; probed < 2; probed++) {
    struct endpoint t;
    established_with(&t, test_config(), 400 * MS);
    writes(&t, 100);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
    t.now += 100 * MS;
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    silent(&t);
    if (probed) {
      expires(&t);
      sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
    }
    t.now += 100 * MS;
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
    t.now += 3 * MS;
    arrives(&t, ACK, .seq = 1, .ack = 101);
    acked(&t, 100);
    expect_number("RTO of the handshake", 1200 * MS, round_trip(&t, 0));
    ends(&t);
  }
}

static void back_off(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.r2_ms = 100000000;
  established_with(&t, cfg, 0);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  uint64_t rto = SECOND;
  for (unsigned i = 1; i <= 400; i++) { /* S14, T13: far beyond any table or counter of 8 bits */
    deadline_is(&t, t.now + rto);
    waits(&t, rto - 1);
    silent(&t);
    waits(&t, 1);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
    in_state(&t, VTCP_ESTABLISHED);
    signals(&t, i == 3 ? IS_EXCESSIVE : 0);
    rto = rto * 2 < 60 * SECOND ? rto * 2 : 60 * SECOND;
  }
  ends(&t);
}

static void back_off_of_the_syn(void **unused)
{
  (void)unused;
  for (int passive = 0; passive < 2; passive++) {
    struct endpoint t;
    begins(&t);
    if (passive) {
      in_syn_received(&t);
    } else {
      in_syn_sent(&t);
    }
    uint64_t rto = SECOND;
    for (int i = 0; i < 6; i++) {
      deadline_is(&t, t.now + rto);
      expires(&t);
      sends(&t, passive ? SYN | ACK : SYN, .seq = 0, .ack = 1);
      signals(&t, i == 2 ? IS_EXCESSIVE : signals_of(&t.out) & IS_EXCESSIVE);
      rto = rto * 2;
    }
    ends(&t);
  }
}

/* A call that comes late does what is due now; the next interval counts from there. */
static void a_late_timeout(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 0);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  waits(&t, 9 * SECOND);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  deadline_is(&t, t.now + 2 * SECOND);
  waits(&t, 0);
  silent(&t);
  ends(&t);
}

/* --- When the timer runs (5.1 to 5.3) --- */

static void the_timer_starts_stops_and_restarts(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 0);
  deadline_is(&t, NEVER);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  uint64_t first = t.now + SECOND;
  deadline_is(&t, first);
  t.now += 300 * MS;
  writes(&t, 10); /* (5.1): it runs already */
  sends(&t, ACK, .seq = 11, .ack = 1, .len = 10);
  deadline_is(&t, first);
  t.now += 300 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 1); /* nothing new is acknowledged */
  deadline_is(&t, first);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 5);
  sends(&t, ACK, .seq = 21, .ack = 6);
  deadline_is(&t, first);
  arrives(&t, ACK, .seq = 6, .ack = 11); /* (5.3); the measurement of .6 makes it .6 + 4 * .3 or less */
  require(vtcp_deadline(&t.conn) >= t.now + SECOND, "never too early");
  require(vtcp_deadline(&t.conn) <= t.now + 1800 * MS, "restarted with the present RTO");
  arrives(&t, ACK, .seq = 6, .ack = 21); /* (5.2) */
  deadline_is(&t, NEVER);
  ends(&t);
}

/* (5.4): the earliest; then, as acknowledgments come, the rest (DEVIATIONS 11). Never less than one RTO apart. */
static void the_earliest_segment_goes_first(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 0);
  writes(&t, 3 * 536);
  sends_rest(&t, 1, 1 + 3 * 536, false);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  require(!t.out.more, "one segment");
  goes_on(&t);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 537);
  sends(&t, ACK, .seq = 537, .ack = 1, .len = 536);
  goes_on(&t);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 537); /* nothing new: nothing more */
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1073);
  sends(&t, ACK, .seq = 1073, .ack = 1, .len = 536);
  arrives(&t, ACK, .seq = 1, .ack = 1609);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* In the middle of it the peer closes its window: then it is probed, and nothing is sent on the acknowledgment. */
static void the_window_closes_while_sending_again(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 0);
  writes(&t, 3 * 536);
  sends_rest(&t, 1, 1 + 3 * 536, false);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  arrives(&t, ACK, .seq = 1, .ack = 537, .wnd = ZERO);
  silent(&t);
  require(!t.out.more, "the window is closed");
  goes_on(&t);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 537, .ack = 1, .len = 1);
  goes_on(&t);
  silent(&t);
  ends(&t);
}

/* Only the first was lost: one retransmission mends it. */
static void one_loss_one_retransmission(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 0);
  writes(&t, 3 * 536);
  sends_rest(&t, 1, 1 + 3 * 536, false);
  for (int i = 0; i < 2; i++) {
    arrives(&t, ACK, .seq = 1, .ack = 1);
    silent(&t);
  }
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  arrives(&t, ACK, .seq = 1, .ack = 1609);
  silent(&t);
  acked(&t, 3 * 536);
  deadline_is(&t, NEVER);
  writes(&t, 5);
  sends(&t, ACK, .seq = 1609, .ack = 1, .len = 5);
  ends(&t);
}

/* (5.7): the SYN went twice, data begin with 3 seconds. */
static void three_seconds_after_a_lost_syn(void **unused)
{
  (void)unused;
  for (int passive = 0; passive < 2; passive++) {
    for (int losses = 1; losses <= 2; losses++) {
      struct endpoint t;
      begins(&t);
      if (passive) {
        in_syn_received(&t);
      } else {
        in_syn_sent(&t);
      }
      for (int i = 0; i < losses; i++) {
        expires(&t);
        sends(&t, passive ? SYN | ACK : SYN, .seq = 0, .ack = 1);
      }
      t.now += 100 * MS;
      if (passive) {
        arrives(&t, ACK, .seq = 1, .ack = 1);
      } else {
        arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
        sends(&t, ACK, .seq = 1, .ack = 1);
      }
      signals(&t, IS_ESTABLISHED);
      expect_number("RTO", 3 * SECOND, round_trip(&t, 400 * MS));
      expect_number("RTO after the first measurement", 1200 * MS, round_trip(&t, 0)); /* and Karn: not before */
      ends(&t);
    }
  }
}

/* --- R1 and R2 (MUST-20, MUST-21, MUST-23) --- */

static void r1_is_told_once(void **unused)
{
  (void)unused;
  for (uint8_t r1 = 3; r1 <= 5; r1++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.r1 = r1;
    cfg.r2_ms = 10000000;
    established_with(&t, cfg, 0);
    writes(&t, 20);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 20);
    for (int i = 1; i <= 5; i++) {
      expires(&t);
      sends(&t, ACK, .seq = 1, .ack = 1, .len = 20);
      if (i < r1) {
        signals(&t, 0);
      } else if (i == r1) {
        signals(&t, IS_EXCESSIVE);
      }
      t.signals_open = false;
    }
    arrives(&t, ACK, .seq = 1, .ack = 11); /* progress: counted anew */
    t.segment_open = false;
    for (int i = 1; i <= r1; i++) {
      expires(&t);
      sends(&t, ACK, .seq = 11, .ack = 1, .len = 10);
      signals(&t, i == r1 ? IS_EXCESSIVE : 0);
    }
    ends(&t);
  }
}

/* Lets timers expire until the end; returns how long that took. */
static uint64_t until_the_end(struct endpoint *t, uint64_t since)
{
  t->lenient = true;
  for (int i = 0; t->conn.state != VTCP_CLOSED; i++) {
    require(i < 100, "no end");
    expires(t);
  }
  require(t->out.timed_out && t->out.closed && !t->out.send, "the user is told, and nothing is sent");
  return t->now - since;
}

static void r2_of_data(void **unused)
{
  (void)unused;
  static const uint8_t states[] = {VTCP_ESTABLISHED, VTCP_CLOSE_WAIT, VTCP_FIN_WAIT_1, VTCP_CLOSING, VTCP_LAST_ACK};
  for (size_t i = 0; i < 5; i++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, states[i]);
    uint64_t since = t.now;
    t.lenient = true;
    if (states[i] == VTCP_ESTABLISHED || states[i] == VTCP_CLOSE_WAIT) {
      t.now += 5000 * SECOND; /* silence before does not count */
      since = t.now;
      writes(&t, 10);
    }
    uint64_t lasted = until_the_end(&t, since);
    require(lasted >= 100 * SECOND && lasted <= 160 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* Whatever begins to wait for the peer, the quiet time before it does not count (DEVIATIONS 10). */
static void quiet_time_before_does_not_count(void **unused)
{
  (void)unused;
  const uint64_t quiet = 5000 * SECOND;
  for (int what = 0; what < 6; what++) {
    struct endpoint t;
    begins(&t);
    t.lenient = true;
    switch (what) {
    case 0: /* a SYN */
      in_listen(&t);
      t.now += quiet;
      arrives(&t, SYN, .seq = 0);
      break;
    case 1: /* an OPEN in LISTEN */
      in_listen(&t);
      t.now += quiet;
      opens(&t);
      break;
    case 2: /* a FIN */
      in_established(&t);
      t.now += quiet;
      closes(&t);
      break;
    case 3: /* text behind a closed window */
      in_established(&t);
      arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
      t.now += quiet;
      writes(&t, 10);
      break;
    case 4: /* a FIN behind a closed window */
      in_close_wait(&t);
      arrives(&t, ACK, .seq = 2, .ack = 1, .wnd = ZERO);
      t.now += quiet;
      closes(&t);
      break;
    default: /* text when all before it was acknowledged long ago */
      in_established(&t);
      writes(&t, 10);
      arrives(&t, ACK, .seq = 1, .ack = 11);
      t.now += quiet;
      writes(&t, 10);
      break;
    }
    uint64_t since = t.now;
    uint8_t state = t.conn.state;
    expires(&t);
    require(t.out.send && !t.out.timed_out, "the timer sends");
    in_state(&t, state);
    uint64_t lasted = until_the_end(&t, since);
    require(lasted >= 100 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
    ends(&t);
  }
}

/* Any progress begins R2 anew. */
static void r2_and_progress(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  t.lenient = true;
  writes(&t, 100);
  for (int i = 1; i <= 20; i++) {
    uint64_t until = t.now + 90 * SECOND;
    while (vtcp_deadline(&t.conn) < until) {
      expires(&t);
    }
    t.now = until;
    arrives(&t, ACK, .seq = 1, .ack = 1 + i);
    while (t.out.more) {
      goes_on(&t);
    }
    in_state(&t, VTCP_ESTABLISHED);
  }
  uint64_t lasted = until_the_end(&t, t.now);
  require(lasted >= 100 * SECOND && lasted <= 160 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
  ends(&t);
}

/* Neither the peer's text nor its duplicate acknowledgments are progress. */
static void r2_and_what_is_no_progress(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  t.lenient = true;
  writes(&t, 100);
  uint64_t since = t.now;
  for (int i = 0; i < 9; i++) {
    t.now += 9 * SECOND;
    waits(&t, 0);
    arrives(&t, ACK, .seq = 1 + i, .ack = 1, .len = 1);
    writes(&t, 0); /* T17 */
    writes(&t, 1);
    in_state(&t, VTCP_ESTABLISHED);
  }
  uint64_t lasted = until_the_end(&t, since);
  require(lasted >= 100 * SECOND && lasted <= 160 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
  ends(&t);
}

/* MUST-23: three minutes at least. */
static void r2_of_a_syn(void **unused)
{
  (void)unused;
  for (int origin = 0; origin < 5; origin++) {
    struct endpoint t;
    begins(&t);
    if (origin == 4) { /* FIN-WAIT-1, but the SYN is unacknowledged all the same */
      in_syn_received(&t);
      closes(&t);
      sends(&t, FIN | ACK, .seq = 1, .ack = 1);
    } else if (origin == 0) {
      in_syn_sent(&t);
    } else if (origin == 1) {
      in_syn_received(&t);
    } else if (origin == 2) {
      in_syn_received_actively(&t);
    } else {
      in_syn_received_as_child(&t);
    }
    uint64_t lasted = until_the_end(&t, t.now);
    require(lasted >= 180 * SECOND && lasted <= 240 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* The retransmissions go on until then: no silent half-open waiting. */
static void the_syn_is_sent_for_three_minutes(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  uint64_t since = t.now, last = t.now;
  t.lenient = true;
  while (t.conn.state != VTCP_CLOSED) {
    expires(&t);
    if (t.out.send) {
      last = t.now;
    }
  }
  require(last - since >= 120 * SECOND, "the last SYN went after %.3f s", (double)(last - since) / 1e6);
  ends(&t);
}

/* 3.10.1 OPEN's timeout replaces R2, shorter or longer. */
static void the_user_timeout(void **unused)
{
  (void)unused;
  static const uint32_t timeouts[] = {1000, 20000, 1000000};
  for (size_t i = 0; i < 3; i++) {
    for (int data = 0; data < 2; data++) {
      struct endpoint t;
      struct vtcp_config cfg = test_config();
      cfg.user_timeout_ms = timeouts[i];
      begins_with(&t, cfg);
      if (data) {
        in_established(&t);
        t.now += 30 * SECOND;
        writes(&t, 10);
        t.segment_open = false;
      } else {
        in_syn_sent(&t);
      }
      uint64_t least = timeouts[i] * MS, lasted = until_the_end(&t, t.now);
      require(lasted >= least && lasted <= least + 60 * SECOND && lasted <= 3 * least, "the end came after %.3f s",
              (double)lasted / 1e6);
      ends(&t);
    }
  }
}

/* No user timeout while nothing is asked of the peer. */
static void an_idle_connection_lasts(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.user_timeout_ms = 1000;
  begins_with(&t, cfg);
  in_established(&t);
  deadline_is(&t, NEVER);
  waits(&t, 1000000 * SECOND);
  in_state(&t, VTCP_ESTABLISHED);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  in_state(&t, VTCP_ESTABLISHED);
  require(vtcp_deadline(&t.conn) > t.now, "it begins now");
  ends(&t);
}

/* --- Window probes (SHLD-29, SHLD-30, MUST-37) --- */

static void the_intervals_of_probes(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.r2_ms = 10000000;
  established_with(&t, cfg, 400 * MS);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  t.now += 7 * SECOND;
  writes(&t, 100);
  silent(&t);
  uint64_t interval = 1200 * MS;
  for (int i = 0; i < 12; i++) {
    deadline_is(&t, t.now + interval);
    waits(&t, interval - 1);
    silent(&t);
    waits(&t, 1);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
    t.signals_open = false;
    interval = interval * 2 < 60 * SECOND ? interval * 2 : 60 * SECOND;
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    silent(&t);
  }
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000);
  sends_rest(&t, 1, 101, false);
  require(vtcp_deadline(&t.conn) <= t.now + 3 * SECOND, "what the probes waited is not the RTO");
  ends(&t);
}

/* The window closes on octets in flight: they are probed for, first after one RTO. */
static void probes_for_octets_in_flight(void **unused)
{
  (void)unused;
  struct endpoint t;
  established_with(&t, test_config(), 400 * MS);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  t.now += 400 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  require(vtcp_deadline(&t.conn) <= t.now + 1200 * MS, "after one RTO at the latest");
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  nxt_is(&t, 101);
  arrives(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO); /* they had been taken */
  acked(&t, 100);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* The peer has 50 ms for it, and its window stays closed. */
static void a_probe_is_answered(struct endpoint *t)
{
  expires(t);
  t->signals_open = false;
  sends(t, ACK, .seq = 1, .ack = 1, .len = 1);
  t->now += 50 * MS;
  arrives(t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  in_state(t, VTCP_ESTABLISHED);
}

/* MUST-37: answered for a day, the connection stands. */
static void probes_that_are_answered(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 100);
  uint64_t day = t.now + 86400 * SECOND;
  while (t.now < day) {
    a_probe_is_answered(&t);
  }
  ends(&t);
}

/* ... also with a user timeout that is shorter than the interval of the probes: it counts from the first probe that is not
 * answered. */
static void probes_rarer_than_the_user_timeout(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  t.conn.cfg.user_timeout_ms = 20000;
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 100);
  for (int i = 0; i < 100; i++) {
    a_probe_is_answered(&t);
  }
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  uint64_t probed = t.now;
  until_the_end(&t, probed);
  require(t.now == probed + 20 * SECOND, "the end came %.3f s after the probe", (double)(t.now - probed) / 1e6);
  ends(&t);
}

/* T04: nobody answers: R2. */
static void probes_that_nobody_answers(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 100);
  for (int i = 0; i < 6; i++) {
    expires(&t);
    t.signals_open = false;
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
    if (i < 2) {
      arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    }
  }
  uint64_t lasted = until_the_end(&t, SECOND + 3 * SECOND); /* the second probe's answer came then */
  require(lasted >= 100 * SECOND && lasted <= 160 * SECOND, "R2 came after %.3f s", (double)lasted / 1e6);
  ends(&t);
}

/* T23: the application may end it. */
static void abort_while_probing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 100);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  aborts(&t);
  sends(&t, RST, .seq = 2);
  signals(&t, IS_CLOSED);
  ends(&t);
}

/* --- TIME-WAIT (MUST-13) --- */

static void time_wait_lasts_twice_the_msl(void **unused)
{
  (void)unused;
  static const uint32_t msl[] = {1, 30000, 3600000};
  for (size_t i = 0; i < 3; i++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.msl_ms = msl[i];
    begins_with(&t, cfg);
    in_time_wait(&t);
    uint64_t length = 2 * msl[i] * MS;
    deadline_is(&t, t.now + length);
    waits(&t, length - 1);
    in_state(&t, VTCP_TIME_WAIT);
    waits(&t, 1);
    signals(&t, IS_CLOSED);
    in_state(&t, VTCP_CLOSED);
    deadline_is(&t, NEVER);
    ends(&t);
  }
}

/* The clock may have run for long, and time zero is a time like any other. */
static void any_time_will_do(void **unused)
{
  (void)unused;
  static const uint64_t times[] = {0, 1, UINT64_C(0xFFFFFFFF) * 1000, UINT64_C(1) << 62};
  for (size_t i = 0; i < 4; i++) {
    struct endpoint t;
    begins(&t);
    t.now = times[i];
    in_syn_sent(&t);
    deadline_is(&t, times[i] + SECOND);
    t.now += 400 * MS;
    arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    signals(&t, IS_ESTABLISHED);
    expect_number("RTO", 1200 * MS, round_trip(&t, 0));
    for (int k = 0; k < 12; k++) {
      arrives(&t, SYN, .seq = 5);
      if (k < 10) {
        sends(&t, ACK, .seq = 2, .ack = 1);
      }
    }
    closes(&t);
    sends(&t, FIN | ACK, .seq = 2, .ack = 1);
    arrives(&t, FIN | ACK, .seq = 1, .ack = 3);
    sends(&t, ACK, .seq = 3, .ack = 2);
    signals(&t, IS_PEER_CLOSED | IS_CLOSE_DONE);
    deadline_is(&t, t.now + 120 * SECOND);
    ends(&t);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(before_any_measurement),
    cmocka_unit_test(the_estimate),
    cmocka_unit_test(the_passive_side_measures_its_syn_too),
    cmocka_unit_test(the_estimate_over_many_rounds),
    cmocka_unit_test(the_least_rto),
    cmocka_unit_test(the_greatest_rto),
    cmocka_unit_test(the_longest_round_trip),
    cmocka_unit_test(karn),
    cmocka_unit_test(karn_and_later_segments),
    cmocka_unit_test(karn_and_the_window),
    cmocka_unit_test(back_off),
    cmocka_unit_test(back_off_of_the_syn),
    cmocka_unit_test(a_late_timeout),
    cmocka_unit_test(the_timer_starts_stops_and_restarts),
    cmocka_unit_test(the_earliest_segment_goes_first),
    cmocka_unit_test(the_window_closes_while_sending_again),
    cmocka_unit_test(one_loss_one_retransmission),
    cmocka_unit_test(three_seconds_after_a_lost_syn),
    cmocka_unit_test(r1_is_told_once),
    cmocka_unit_test(r2_of_data),
    cmocka_unit_test(quiet_time_before_does_not_count),
    cmocka_unit_test(r2_and_progress),
    cmocka_unit_test(r2_and_what_is_no_progress),
    cmocka_unit_test(r2_of_a_syn),
    cmocka_unit_test(the_syn_is_sent_for_three_minutes),
    cmocka_unit_test(the_user_timeout),
    cmocka_unit_test(an_idle_connection_lasts),
    cmocka_unit_test(the_intervals_of_probes),
    cmocka_unit_test(probes_for_octets_in_flight),
    cmocka_unit_test(probes_that_are_answered),
    cmocka_unit_test(probes_rarer_than_the_user_timeout),
    cmocka_unit_test(probes_that_nobody_answers),
    cmocka_unit_test(abort_while_probing),
    cmocka_unit_test(time_wait_lasts_twice_the_msl),
    cmocka_unit_test(any_time_will_do),
  };
  return run_with_every_base("timers", tests);
}
