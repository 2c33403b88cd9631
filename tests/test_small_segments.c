/* When text is worth a segment: Nagle's algorithm (RFC 9293, 3.7.4) and the sender's silly-window avoidance (3.8.6.2.1).
 * Full segments have 536 octets. */
#include "exchange.h"

static void with_nagle(struct endpoint *t)
{
  struct vtcp_config cfg = test_config();
  cfg.nagle = true;
  begins_with(t, cfg);
}

/* SHLD-7: while something is in flight, small writes gather; its acknowledgment lets them out together. */
static void small_writes_gather(void **unused)
{
  (void)unused;
  struct endpoint t;
  with_nagle(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  for (int i = 0; i < 4; i++) {
    writes(&t, 5);
    silent(&t);
  }
  arrives(&t, ACK, .seq = 1, .ack = 6); /* not all of it */
  silent(&t);
  acked(&t, 5);
  arrives(&t, ACK, .seq = 1, .ack = 11);
  sends(&t, ACK, .seq = 11, .ack = 1, .len = 20);
  require(!t.out.more, "that was all");
  ends(&t);
}

/* A full segment leaves at any time, and what is left of it waits. */
static void full_segments_leave_at_once(void **unused)
{
  (void)unused;
  struct endpoint t;
  with_nagle(&t);
  in_established(&t);
  writes(&t, 1);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  writes(&t, 535);
  silent(&t);
  writes(&t, 1);
  sends(&t, ACK, .seq = 2, .ack = 1, .len = 536);
  require(!t.out.more, "nothing is left");
  writes(&t, 2 * 536 + 7);
  sends(&t, ACK, .seq = 538, .ack = 1, .len = 536);
  goes_on(&t);
  sends(&t, ACK, .seq = 1074, .ack = 1, .len = 536);
  require(!t.out.more, "seven octets wait");
  arrives(&t, ACK, .seq = 1, .ack = 1610);
  sends(&t, ACK, .seq = 1610, .ack = 1, .len = 7);
  ends(&t);
}

/* MUST-17: the user can switch it off, before or at any time. */
static void nagle_can_be_switched_off(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  writes(&t, 5);
  sends(&t, ACK, .seq = 11, .ack = 1, .len = 5);
  vtcp_set_nagle(&t.conn, true);
  writes(&t, 6);
  silent(&t);
  vtcp_set_nagle(&t.conn, false);
  require(vtcp_valid(&t.conn), "valid");
  deadline_is(&t, 0);
  goes_on(&t);
  sends(&t, ACK, .seq = 16, .ack = 1, .len = 6);
  ends(&t);
}

/* The last octets do not wait: the FIN ends the stream, and no small segment follows them. */
static void the_fin_takes_the_rest_along(void **unused)
{
  (void)unused;
  struct endpoint t;
  with_nagle(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  writes(&t, 5);
  silent(&t);
  closes(&t);
  sends(&t, ACK | FIN, .seq = 11, .ack = 1, .len = 5);
  ends(&t);
}

/* Nothing of this holds back what is sent again, nor a window probe. */
static void what_is_sent_again_is_not_held_back(void **unused)
{
  (void)unused;
  struct endpoint t;
  with_nagle(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  writes(&t, 5);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 15);
  arrives(&t, ACK, .seq = 1, .ack = 16, .wnd = ZERO);
  writes(&t, 5);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 16, .ack = 1, .len = 1);
  ends(&t);
}

/* MUST-38: a window too small for what is queued is not worth a segment, until the override timer says so. */
static void a_silly_window_is_left_alone(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
  writes(&t, 20);
  silent(&t);
  deadline_is(&t, t.now + 500 * MS);
  waits(&t, 499 * MS);
  silent(&t);
  waits(&t, 1 * MS);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  deadline_is(&t, t.now + SECOND); /* the RTO */
  arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = 9);
  silent(&t);
  deadline_is(&t, t.now + 500 * MS);
  arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = 10); /* all of it fits */
  sends(&t, ACK, .seq = 11, .ack = 1, .len = 10);
  arrives(&t, ACK, .seq = 1, .ack = 21, .wnd = 10);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* (3): half of the largest window that the peer ever offered is worth a segment, one octet less is not. */
static void half_of_the_largest_window_will_do(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 400;
  in_established(&t);
  writes(&t, 1000);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 400);
  arrives(&t, ACK, .seq = 1, .ack = 401, .wnd = 199);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 401, .wnd = 200);
  sends(&t, ACK, .seq = 401, .ack = 1, .len = 200);
  ends(&t);
}

/* A full segment that is already possible does not wait for a larger window. */
static void a_full_segment_ends_the_wait(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 535);
  writes(&t, 1000);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 536);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  ends(&t);
}

/* From override to persist and back: each timer has its own time. */
static void the_window_closes_and_opens_a_little(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
  writes(&t, 100);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  deadline_is(&t, t.now + SECOND);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1); /* the probe */
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = 10);
  silent(&t);
  deadline_is(&t, t.now + 500 * MS);
  expires(&t);
  sends(&t, ACK, .seq = 2, .ack = 1, .len = 10);
  ends(&t);
}

/* A CLOSE waits behind text that waits; the override timer sends the text, and the FIN when there is room. */
static void a_close_waits_behind_the_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
  writes(&t, 15);
  silent(&t);
  closes(&t);
  silent(&t);
  in_state(&t, VTCP_FIN_WAIT_1);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = 6);
  sends(&t, ACK | FIN, .seq = 11, .ack = 1, .len = 5);
  ends(&t);
}

/* However long a peer offers silly windows, nothing is given up, nor told as excessive: it answers. */
static void a_silly_peer_is_served_for_ever(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
  writes(&t, 5000);
  silent(&t);
  for (int64_t seq = 1; seq < 4001; seq += 10) {
    expires(&t);
    sends(&t, ACK, .seq = seq, .ack = 1, .len = 10);
    arrives(&t, ACK, .seq = 1, .ack = seq + 10, .wnd = 10);
    silent(&t);
  }
  in_state(&t, VTCP_ESTABLISHED);
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(small_writes_gather),
    cmocka_unit_test(full_segments_leave_at_once),
    cmocka_unit_test(nagle_can_be_switched_off),
    cmocka_unit_test(the_fin_takes_the_rest_along),
    cmocka_unit_test(what_is_sent_again_is_not_held_back),
    cmocka_unit_test(a_silly_window_is_left_alone),
    cmocka_unit_test(half_of_the_largest_window_will_do),
    cmocka_unit_test(a_full_segment_ends_the_wait),
    cmocka_unit_test(the_window_closes_and_opens_a_little),
    cmocka_unit_test(a_close_waits_behind_the_text),
    cmocka_unit_test(a_silly_peer_is_served_for_ever),
  };
  return run_with_every_base("small segments", tests);
}
