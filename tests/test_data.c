/* Text and windows: RFC 9293, 3.4, 3.7, 3.8.6, and 3.10.7.4, first, fifth and seventh. */
#include "exchange.h"

/* --- Arriving text --- */

static void in_order(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = 9900);
  readable(&t, 100);
  arrives(&t, ACK | PSH, .seq = 101, .ack = 1, .len = 50);
  sends(&t, ACK, .seq = 1, .ack = 151, .wnd = 9850);
  readable(&t, 150);
  require(t.out.pushed, "the PUSH is told");
  rcv_wnd_is(&t, 9850);
  reads(&t, 150);
  consumed(&t, 150);
  ends(&t);
}

static void push_is_told_when_the_segment_empties(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 11);
  require(!t.out.pushed, "no PUSH came");
  arrives(&t, ACK | PSH, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 21);
  require(t.out.pushed, "the PUSH is told");
  arrives(&t, ACK | PSH, .seq = 31, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 21);
  require(!t.out.pushed, "the pushed text is not there");
  ends(&t);
}

/* B03: what straddles RCV.NXT is not thrown away. */
static void partly_old(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101);
  arrives(&t, ACK, .seq = 51, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 151);
  expect_number("first octet kept", 50, t.out.store_from);
  expect_number("octets kept", 50, t.out.store_len);
  expect_number("place", 100, t.out.store_at);
  readable(&t, 150);
  arrives(&t, ACK, .seq = 150, .ack = 1, .len = 2);
  sends(&t, ACK, .seq = 1, .ack = 152);
  readable(&t, 151);
  reads(&t, 151);
  ends(&t);
}

/* R24: old text is answered: our acknowledgment was lost. */
static void all_old(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101);
  for (int i = 0; i < 30; i++) { /* never limited: it acknowledges data (DEVIATIONS 7) */
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
    sends(&t, ACK, .seq = 1, .ack = 101);
    readable(&t, 100);
  }
  arrives(&t, ACK, .seq = 100, .ack = 1, .len = 1);
  sends(&t, ACK, .seq = 1, .ack = 101);
  ends(&t);
}

static void beyond_a_gap(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 101, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .wnd = 10000);
  readable(&t, 0);
  expect_number("octets kept", 100, t.out.store_len);
  arrives(&t, ACK, .seq = 2, .ack = 1, .len = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 200);
  sends(&t, ACK, .seq = 1, .ack = 201);
  readable(&t, 200);
  ends(&t);
}

/* The acknowledgment on a segment beyond a gap counts. */
static void the_acknowledgment_beyond_a_gap(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 51, .ack = 101, .len = 10);
  sends(&t, ACK, .seq = 101, .ack = 1);
  acked(&t, 100);
  una_is(&t, 101);
  deadline_is(&t, NEVER);
  ends(&t);
}

static void at_the_right_edge(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 10001, .ack = 1, .len = 1); /* just beyond */
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 10000, .ack = 1, .len = 1); /* the last octet, beyond a gap */
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 9000);
  sends(&t, ACK, .seq = 1, .ack = 9001, .wnd = 1000);
  arrives(&t, ACK, .seq = 9001, .ack = 1, .len = 1500); /* 500 too many */
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
  expect_number("octets kept", 1000, t.out.store_len);
  require(!t.out.pushed, "the segment did not empty");
  readable(&t, 10000);
  ends(&t);
}

/* B02: trimmed on both sides. */
static void trimmed_left_and_right(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 60);
  sends(&t, ACK, .seq = 1, .ack = 61, .wnd = 40);
  arrives(&t, ACK | PSH, .seq = 51, .ack = 1, .len = 50); /* ends with the window's last */
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  require(t.out.pushed, "the segment emptied");
  expect_number("first octet kept", 10, t.out.store_from);
  expect_number("octets kept", 40, t.out.store_len);
  reads(&t, 100);
  consumed(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = 100);
  ends(&t);
}

/* Table 6, fourth row: neither its first nor its last number lies in the window. */
static void a_segment_around_the_whole_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 60);
  sends(&t, ACK, .seq = 1, .ack = 61, .wnd = 40);
  arrives(&t, ACK, .seq = 51, .ack = 1, .len = 51);
  sends(&t, ACK, .seq = 1, .ack = 61, .wnd = 40);
  readable(&t, 60);
  ends(&t);
}

/* R25: the fourth row is an OR. */
static void begin_or_end_in_the_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 150); /* only its first is */
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  readable(&t, 100);
  ends(&t);
}

static void one_octet_at_a_time(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (int i = 0; i < 40; i++) {
    arrives(&t, ACK, .seq = 1 + i, .ack = 1, .len = 1);
    sends(&t, ACK, .seq = 1, .ack = 2 + i);
  }
  readable(&t, 40);
  reads(&t, 40);
  consumed(&t, 40);
  ends(&t);
}

/* A hundred thousand octets through a small buffer: every wrap is met. */
static void a_long_stream_each_way(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (int i = 0; i < 100; i++) {
    int64_t k = 1 + 1000 * i;
    arrives(&t, ACK, .seq = k, .ack = k, .len = 1000);
    sends(&t, ACK, .seq = k, .ack = k + 1000);
    reads(&t, 1000);
    consumed(&t, 1000);
    if (t.out.send) { /* a window update, whenever MUST-39 allows one */
      sends(&t, ACK, .seq = k, .ack = k + 1000);
    }
    writes(&t, 1000);
    sends_rest(&t, k, k + 1000, false);
    arrives(&t, ACK, .seq = k + 1000, .ack = k + 1000);
    acked(&t, 1000);
  }
  ends(&t);
}

/* B06: RCV.NXT never runs ahead of what was stored. */
static void no_ack_no_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, NONE, .seq = 1, .len = 10);
  silent(&t);
  rcv_nxt_is(&t, 1);
  readable(&t, 0);
  ends(&t);
}

/* U01, U02, MUST-31: urgent octets stay in the stream, wherever the pointer points. */
static void urgent_octets_stay_in_the_stream(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK | URG, .seq = 1, .ack = 1, .len = 10, .up = 5);
  sends(&t, ACK, .seq = 1, .ack = 11);
  readable(&t, 10);
  arrives(&t, ACK | URG, .seq = 11, .ack = 1, .len = 10, .up = 65535);
  sends(&t, ACK, .seq = 1, .ack = 21);
  readable(&t, 20);
  arrives(&t, ACK | URG, .seq = 21, .ack = 1, .up = 100);
  silent(&t);
  arrives(&t, ACK, .seq = 21, .ack = 1, .len = 10, .up = 3);
  sends(&t, ACK, .seq = 1, .ack = 31);
  reads(&t, 30);
  consumed(&t, 30);
  ends(&t);
}

/* --- Our window (3.8.6, MUST-39) --- */

static void the_window_shrinks_with_its_edge_fixed(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (int i = 0; i < 10; i++) {
    arrives(&t, ACK, .seq = 1 + 1000 * i, .ack = 1, .len = 1000);
    sends(&t, ACK, .seq = 1, .ack = 1001 + 1000 * i, .wnd = i == 9 ? ZERO : 9000 - 1000 * i);
  }
  ends(&t);
}

/* Growth of min(RCV.BUFF/2, MSS) = 1460 is told at once; less is not, however it comes together. */
static void window_updates(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 3000);
  sends(&t, ACK, .seq = 1, .ack = 3001, .wnd = 7000);
  reads(&t, 1459);
  silent(&t);
  rcv_wnd_is(&t, 7000);
  reads(&t, 1);
  sends(&t, ACK, .seq = 1, .ack = 3001, .wnd = 8460);
  reads(&t, 1459);
  silent(&t);
  arrives(&t, ACK, .seq = 3001, .ack = 1, .len = 10); /* the edge stays */
  sends(&t, ACK, .seq = 1, .ack = 3011, .wnd = 8450);
  reads(&t, 91);
  sends(&t, ACK, .seq = 1, .ack = 3011, .wnd = 10000);
  ends(&t);
}

static void window_updates_of_a_small_buffer(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  reads(&t, 49);
  silent(&t);
  reads(&t, 1);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = 50);
  reads(&t, 49);
  silent(&t);
  reads(&t, 1);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = 100);
  ends(&t);
}

static void a_buffer_of_one_octet(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 1;
  begins_with(&t, cfg);
  in_established(&t);
  for (int i = 0; i < 20; i++) {
    arrives(&t, ACK, .seq = 1 + i, .ack = 1, .len = 5);
    sends(&t, ACK, .seq = 1, .ack = 2 + i, .wnd = ZERO);
    reads(&t, 1);
    consumed(&t, 1);
    sends(&t, ACK, .seq = 1, .ack = 2 + i, .wnd = 1);
  }
  ends(&t);
}

/* T22: a closed window is told as closed, and what comes then is refused and answered (3.8.6.1). */
static void our_window_is_zero(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 11, .ack = 101, .wnd = ZERO);
  arrives(&t, ACK, .seq = 101, .ack = 11, .len = 1); /* a probe */
  sends(&t, ACK, .seq = 11, .ack = 101, .wnd = ZERO);
  readable(&t, 100);
  una_is(&t, 1);                               /* not acceptable: Table 6, third row */
  arrives(&t, ACK, .seq = 101, .ack = 11);     /* first row */
  silent(&t);
  una_is(&t, 11);
  arrives(&t, ACK, .seq = 100, .ack = 11);
  sends(&t, ACK, .seq = 11, .ack = 101, .wnd = ZERO);
  arrives(&t, ACK, .seq = 103, .ack = 11);
  sends(&t, ACK, .seq = 11, .ack = 101, .wnd = ZERO);
  ends(&t);
}

/* DEVIATIONS 1: the peer's probe is out, its acknowledgments stand one octet further (A.2). */
static void our_window_is_zero_and_the_peer_probes(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 101, .len = 10);
  arrives(&t, ACK, .seq = 102, .ack = 11);
  silent(&t);
  acked(&t, 10);
  una_is(&t, 11);
  rcv_nxt_is(&t, 101);
  arrives(&t, ACK, .seq = 102, .ack = 11);
  silent(&t);
  ends(&t);
}

/* MUST-66: a RST is processed when the window is zero. */
static void our_window_is_zero_and_the_peer_resets(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 100;
  begins_with(&t, cfg);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  arrives(&t, RST, .seq = 102);
  silent(&t);
  arrives(&t, RST, .seq = 100);
  silent(&t);
  in_state(&t, VTCP_ESTABLISHED);
  arrives(&t, RST, .seq = 101);
  signals(&t, IS_RESET | IS_CLOSED);
  ends(&t);
}

/* --- Sending (3.7, MUST-16) --- */

static void segmentation(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1200);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  require(!t.out.seg.psh && t.out.more, "there is more");
  goes_on(&t);
  sends(&t, ACK, .seq = 537, .ack = 1, .len = 536);
  require(!t.out.seg.psh && t.out.more, "there is more");
  goes_on(&t);
  sends(&t, ACK, .seq = 1073, .ack = 1, .len = 128);
  require(t.out.seg.psh && !t.out.more, "that is all");
  nxt_is(&t, 1201);
  goes_on(&t);
  silent(&t);
  ends(&t);
}

/* No Nagle here: a second SEND leaves at once. */
static void small_sends_leave_at_once(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  writes(&t, 2);
  sends(&t, ACK, .seq = 2, .ack = 1, .len = 2);
  writes(&t, 3);
  sends(&t, ACK, .seq = 4, .ack = 1, .len = 3);
  arrives(&t, ACK, .seq = 1, .ack = 4);
  acked(&t, 3);
  arrives(&t, ACK, .seq = 1, .ack = 7);
  acked(&t, 3);
  ends(&t);
}

/* 3.10.7.4, seventh: an acknowledgment rides on text that leaves anyway. */
static void text_carries_the_acknowledgment(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 100;
  in_established(&t);
  writes(&t, 150);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 1, .ack = 101, .len = 20);
  sends(&t, ACK, .seq = 101, .ack = 21, .len = 50);
  require(!t.out.more, "nothing is left to say");
  ends(&t);
}

static void the_peers_window_limits(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 500;
  in_established(&t);
  writes(&t, 1200);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 500);
  require(!t.out.more, "the window is full");
  goes_on(&t);
  silent(&t);
  writes(&t, 10);
  silent(&t);
  arrives(&t, ACK, .seq = 1, .ack = 501, .wnd = 500);
  acked(&t, 500);
  sends(&t, ACK, .seq = 501, .ack = 1, .len = 500);
  arrives(&t, ACK, .seq = 1, .ack = 1001, .wnd = 500);
  sends(&t, ACK, .seq = 1001, .ack = 1, .len = 210);
  arrives(&t, ACK, .seq = 1, .ack = 1211);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* T08: an MSS beyond the peer's whole window. */
static void the_peers_window_is_less_than_a_segment(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 100;
  opens(&t);
  sends(&t, SYN, .seq = 0);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  writes(&t, 250);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 1, .ack = 101);
  sends(&t, ACK, .seq = 101, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 1, .ack = 201);
  sends(&t, ACK, .seq = 201, .ack = 1, .len = 50);
  ends(&t);
}

/* T02: text waits behind a window that is open and full of nothing: there is always a timer. (Law `timer`.) */
static void a_window_smaller_than_what_waits(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 1);
  t.lenient = true;
  writes(&t, 100);
  require(vtcp_deadline(&t.conn) != NEVER, "a timer runs");
  int64_t got = 0;
  for (int i = 0; i < 400 && t.conn.snd_una != t.iss + 101; i++) {
    if (t.out.send && t.out.seg.len > 0 && t.out.seg.seq == t.iss + 1 + (uint32_t)got) {
      got++;
      arrives(&t, ACK, .seq = 1, .ack = 1 + got, .wnd = 1);
    } else {
      expires(&t);
    }
  }
  expect_number("octets the peer got one by one", 100, got);
  ends(&t);
}

static void acknowledgments_part_by_part(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1000);
  sends_rest(&t, 1, 1001, false);
  arrives(&t, ACK, .seq = 1, .ack = 2);
  acked(&t, 1);
  arrives(&t, ACK, .seq = 1, .ack = 536);
  acked(&t, 534);
  arrives(&t, ACK, .seq = 1, .ack = 536);
  acked(&t, 0);
  arrives(&t, ACK, .seq = 1, .ack = 500); /* old, and ignored */
  acked(&t, 0);
  una_is(&t, 536);
  arrives(&t, ACK, .seq = 1, .ack = 1001);
  acked(&t, 465);
  una_is(&t, 1001);
  ends(&t);
}

/* An acknowledgment may stop in the middle of a segment: what is sent again begins there. */
static void sends_again_from_the_middle(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 1, .ack = 31);
  acked(&t, 30);
  expires(&t);
  sends(&t, ACK, .seq = 31, .ack = 1, .len = 70);
  ends(&t);
}

/* --- The peer's window: SND.WL1, SND.WL2 --- */

static void which_segment_moves_the_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 3000); /* SND.WL1 = SEG.SEQ, SND.WL2 = SEG.ACK */
  snd_wnd_is(&t, 3000);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 2000, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 11);
  snd_wnd_is(&t, 2000);
  arrives(&t, ACK, .seq = 11, .ack = 1, .wnd = 2500); /* SND.WL1 < SEG.SEQ */
  snd_wnd_is(&t, 2500);
  arrives(&t, ACK, .seq = 15, .ack = 1, .wnd = 2600); /* text before it was lost */
  snd_wnd_is(&t, 2600);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 100, .len = 11); /* an older SEQ that brings one octet */
  sends(&t, ACK, .seq = 1, .ack = 12);
  readable(&t, 11);
  snd_wnd_is(&t, 2600);
  writes(&t, 20);
  sends(&t, ACK, .seq = 1, .ack = 12, .len = 20);
  arrives(&t, ACK, .seq = 15, .ack = 21, .wnd = 1000);
  snd_wnd_is(&t, 1000);
  arrives(&t, ACK, .seq = 15, .ack = 11, .wnd = 4000); /* the same SEQ, an older ACK */
  snd_wnd_is(&t, 1000);
  arrives(&t, ACK, .seq = 20, .ack = 11, .wnd = 4000); /* a newer SEQ, but SEG.ACK < SND.UNA */
  snd_wnd_is(&t, 1000);
  arrives(&t, ACK, .seq = 20, .ack = 21, .wnd = 4000);
  snd_wnd_is(&t, 4000);
  ends(&t);
}

/* The peer's retransmission stands lower than what moved the window last, but it brings the newest acknowledgment
 * (3.8.6): the right edge is where the peer put it, 501 + 572, and not where the old window would reach from the new
 * SND.UNA. */
static void the_right_edge_moves_only_with_an_offer(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 1072;
  in_established(&t);
  arrives(&t, ACK, .seq = 101, .ack = 1); /* octets 1 to 100 were lost */
  writes(&t, 1500);
  sends_rest(&t, 1, 1073, false);
  arrives(&t, ACK, .seq = 1, .ack = 501, .len = 100, .wnd = 572);
  sends(&t, ACK, .seq = 1073, .ack = 101);
  acked(&t, 500);
  require(!t.out.more, "the window is full");
  arrives(&t, ACK, .seq = 101, .ack = 1073, .wnd = 572);
  sends(&t, ACK, .seq = 1073, .ack = 101, .len = 428);
  ends(&t);
}

/* R28: a segment that is refused moves no window. */
static void refused_segments_move_no_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  arrives(&t, ACK, .seq = 0, .ack = 11, .wnd = 7);
  sends(&t, ACK, .seq = 11, .ack = 1);
  arrives(&t, ACK, .seq = 10002, .ack = 11, .wnd = 7); /* beyond the right edge */
  sends(&t, ACK, .seq = 11, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 12, .wnd = 7);
  sends(&t, ACK, .seq = 11, .ack = 1);
  arrives(&t, SYN | ACK, .seq = 1, .ack = 11, .wnd = 7);
  sends(&t, ACK, .seq = 11, .ack = 1);
  arrives(&t, NONE, .seq = 1, .wnd = 7);
  silent(&t);
  snd_wnd_is(&t, 4000);
  una_is(&t, 1);
  ends(&t);
}

/* MUST-34: the peer takes back part of its window. SHLD-15: no new octets; SHLD-16: the old ones within it again. */
static void the_peers_window_shrinks(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1072);
  sends_rest(&t, 1, 1073, false);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 536); /* SND.UNA + SND.WND < SND.NXT */
  silent(&t);
  writes(&t, 100);
  silent(&t);
  require(!t.out.more, "the usable window is negative");
  goes_on(&t);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 536);
  arrives(&t, ACK, .seq = 1, .ack = 537, .wnd = 1000);
  require(t.out.send && t.out.seg.seq == t.iss + 537, "the next octets are sent again");
  t.lenient = true;
  while (t.out.more) {
    goes_on(&t);
  }
  arrives(&t, ACK, .seq = 1, .ack = 1073, .wnd = 1000);
  while (t.out.more) {
    goes_on(&t);
  }
  nxt_is(&t, 1173); /* the window is open again: the new octets are out */
  arrives(&t, ACK, .seq = 1, .ack = 1173, .wnd = 1000);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* MUST-35: it shrinks to nothing: probed in the standard way. */
static void the_peers_window_shrinks_to_zero(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1000);
  sends_rest(&t, 1, 1001, false);
  arrives(&t, ACK, .seq = 1, .ack = 101, .wnd = ZERO);
  silent(&t);
  acked(&t, 100);
  expires(&t);
  sends(&t, ACK, .seq = 101, .ack = 1, .len = 1);
  nxt_is(&t, 1001);
  arrives(&t, ACK, .seq = 1, .ack = 101, .wnd = 4000); /* sending again begins at SND.UNA */
  sends(&t, ACK, .seq = 101, .ack = 1, .len = 536);
  t.lenient = true;
  while (t.out.more) {
    goes_on(&t);
  }
  t.lenient = false;
  t.segment_open = false;
  arrives(&t, ACK, .seq = 1, .ack = 637); /* the rest at once, or with this (DEVIATIONS 11) */
  if (t.out.send) {
    sends(&t, ACK, .seq = 637, .ack = 1, .len = 364);
  }
  arrives(&t, ACK, .seq = 1, .ack = 1001);
  acked(&t, 364);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* The peer acknowledges more than the shrunken window holds. */
static void acknowledged_beyond_the_shrunken_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 1000);
  sends_rest(&t, 1, 1001, false);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
  arrives(&t, ACK, .seq = 1, .ack = 1001, .wnd = 10);
  acked(&t, 1000);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* --- A window of zero: probes (MUST-36) --- */

static void the_peers_window_is_zero(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  deadline_is(&t, NEVER); /* nothing to send, nothing to probe for */
  writes(&t, 100);
  silent(&t);
  require(vtcp_deadline(&t.conn) != NEVER, "a timer runs");
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1); /* T07: an octet, not an empty segment */
  nxt_is(&t, 2);                                /* T05 */
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  silent(&t);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = ZERO); /* it was taken all the same */
  silent(&t);
  acked(&t, 1);
  expires(&t);
  sends(&t, ACK, .seq = 2, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = 4000); /* not taken; the window opens */
  sends_rest(&t, 2, 101, false);
  arrives(&t, ACK, .seq = 1, .ack = 101);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* The peer's answer to a probe that it took opens the window. */
static void the_probe_is_taken_and_the_window_opens(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 100);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = 4000);
  acked(&t, 1);
  sends_rest(&t, 2, 101, false);
  ends(&t);
}

/* A window of a single octet is open. */
static void the_window_opens_by_one_octet(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  writes(&t, 1);
  expires(&t);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 1);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .wnd = 1);
  acked(&t, 1);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* T01: octets that arrive in the buffer while the window is zero start the probing; a CLOSE too. */
static void every_way_into_probing(void **unused)
{
  (void)unused;
  for (int way = 0; way < 4; way++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    if (way == 0) { /* the window closes on what waits */
      arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 10);
      writes(&t, 10);
      sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
      writes(&t, 10);
      silent(&t);
      arrives(&t, ACK, .seq = 1, .ack = 11, .wnd = ZERO);
    } else if (way == 1) { /* in SYN-RECEIVED's last ACK */
      ends(&t);
      begins(&t);
      in_syn_received(&t);
      writes(&t, 10);
      arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
      signals(&t, IS_ESTABLISHED);
    } else if (way == 2) { /* in the SYN,ACK */
      ends(&t);
      begins(&t);
      in_syn_sent(&t);
      writes(&t, 10);
      arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .wnd = ZERO);
      sends(&t, ACK, .seq = 1, .ack = 1);
      signals(&t, IS_ESTABLISHED);
    } else { /* in CLOSE-WAIT */
      arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .wnd = ZERO);
      sends(&t, ACK, .seq = 1, .ack = 2);
      signals(&t, IS_PEER_CLOSED);
      writes(&t, 10);
    }
    require(vtcp_deadline(&t.conn) != NEVER, "a timer runs");
    expires(&t);
    sends(&t, ACK, .seq = way == 0 ? 11 : 1, .ack = way == 3 ? 2 : 1, .len = 1);
    ends(&t);
  }
}

/* O07, S16: the window field is 16 bits, taken whole. */
static void the_largest_window(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.snd_buf = 1U << 18;
  cfg.rcv_buf = 65535;
  cfg.mms_s = 4389; /* 15 segments of 4369 octets make 65535 */
  begins_with(&t, cfg);
  t.peer_wnd = 65535;
  in_syn_sent(&t);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 4369);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  writes(&t, 100000);
  sends_rest(&t, 1, 65536, false);
  arrives(&t, ACK, .seq = 1, .ack = 65536);
  acked(&t, 65535);
  sends_rest(&t, 65536, 100001, false);
  arrives(&t, ACK, .seq = 1, .ack = 100001, .len = 65535);
  sends(&t, ACK, .seq = 100001, .ack = 65536, .wnd = ZERO);
  readable(&t, 65535);
  ends(&t);
}

/* Acknowledged octets beyond 2^16 and buffers beyond it are counted whole. */
static void a_large_buffer_is_used_whole(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 200000;
  begins_with(&t, cfg);
  t.lenient = true;
  in_established(&t);
  uint32_t had = 0;
  while (had < 198000) { /* the user reads nothing: the window stays as open as the field and the buffer allow */
    arrives(&t, ACK, .seq = 1 + had, .ack = 1, .len = 1000);
    had += 1000;
    require(t.conn.rcv_nxt == t.irs + 1 + had, "%u octets should have been taken", (unsigned)had);
  }
  readable(&t, 198000);
  reads(&t, 198000);
  rcv_wnd_is(&t, 65535);
  ends(&t);
}

/* Five thousand million octets each way: once around the whole sequence space and on, by the numbers alone. In the
 * end the oldest acknowledgment that counts is MAX.SND.WND below SND.UNA, however many octets were acknowledged. */
static void around_the_sequence_space(void **unused)
{
  (void)unused;
  enum { CHUNK = 65000 };
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.snd_buf = cfg.rcv_buf = 65535;
  cfg.mms_s = 65535;
  begins_with(&t, cfg);
  t.peer_wnd = 65535;
  in_syn_sent(&t);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1, .mss = 65515);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  struct vtcp_actions x;
  struct vtcp_event e = {.now = t.now};
  uint32_t k = 1;
  for (int i = 0; i < 77000; i++, k += CHUNK) {
    e.type = VTCP_SEND;
    e.len = CHUNK;
    checked_step(&t.conn, &e, &x);
    require(x.send && x.seg.len == CHUNK && x.seg.seq == t.iss + k && x.seg.ack == t.irs + k, "segment %d", i);
    e.type = VTCP_ARRIVES;
    e.seg = (struct vtcp_segment){
      .seq = t.irs + k, .ack = t.iss + k + CHUNK, .has_ack = true, .len = CHUNK, .wnd = 65535};
    checked_step(&t.conn, &e, &x);
    require(x.acked == CHUNK && x.store_len == CHUNK && x.send && x.seg.ack == t.irs + k + CHUNK, "answer %d", i);
    e.type = VTCP_RECEIVE;
    checked_step(&t.conn, &e, &x);
    require(x.consumed == CHUNK, "octets %d", i);
  }
  e.type = VTCP_ARRIVES;
  e.seg = (struct vtcp_segment){.seq = t.irs + k, .has_ack = true, .len = 1, .wnd = 65535};
  e.seg.ack = t.iss + k - 65535;
  checked_step(&t.conn, &e, &x);
  expect_number("octets kept", 1, x.store_len);
  e.seg.seq++;
  e.seg.ack--;
  checked_step(&t.conn, &e, &x);
  expect_number("octets kept", 0, x.store_len);
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(in_order),
    cmocka_unit_test(push_is_told_when_the_segment_empties),
    cmocka_unit_test(partly_old),
    cmocka_unit_test(all_old),
    cmocka_unit_test(beyond_a_gap),
    cmocka_unit_test(the_acknowledgment_beyond_a_gap),
    cmocka_unit_test(at_the_right_edge),
    cmocka_unit_test(trimmed_left_and_right),
    cmocka_unit_test(a_segment_around_the_whole_window),
    cmocka_unit_test(begin_or_end_in_the_window),
    cmocka_unit_test(one_octet_at_a_time),
    cmocka_unit_test(a_long_stream_each_way),
    cmocka_unit_test(no_ack_no_text),
    cmocka_unit_test(urgent_octets_stay_in_the_stream),
    cmocka_unit_test(the_window_shrinks_with_its_edge_fixed),
    cmocka_unit_test(window_updates),
    cmocka_unit_test(window_updates_of_a_small_buffer),
    cmocka_unit_test(a_buffer_of_one_octet),
    cmocka_unit_test(our_window_is_zero),
    cmocka_unit_test(our_window_is_zero_and_the_peer_probes),
    cmocka_unit_test(our_window_is_zero_and_the_peer_resets),
    cmocka_unit_test(segmentation),
    cmocka_unit_test(small_sends_leave_at_once),
    cmocka_unit_test(text_carries_the_acknowledgment),
    cmocka_unit_test(the_peers_window_limits),
    cmocka_unit_test(the_peers_window_is_less_than_a_segment),
    cmocka_unit_test(a_window_smaller_than_what_waits),
    cmocka_unit_test(acknowledgments_part_by_part),
    cmocka_unit_test(sends_again_from_the_middle),
    cmocka_unit_test(which_segment_moves_the_window),
    cmocka_unit_test(the_right_edge_moves_only_with_an_offer),
    cmocka_unit_test(refused_segments_move_no_window),
    cmocka_unit_test(the_peers_window_shrinks),
    cmocka_unit_test(the_peers_window_shrinks_to_zero),
    cmocka_unit_test(acknowledged_beyond_the_shrunken_window),
    cmocka_unit_test(the_peers_window_is_zero),
    cmocka_unit_test(the_probe_is_taken_and_the_window_opens),
    cmocka_unit_test(the_window_opens_by_one_octet),
    cmocka_unit_test(every_way_into_probing),
    cmocka_unit_test(the_largest_window),
    cmocka_unit_test(a_large_buffer_is_used_whole),
    cmocka_unit_test(around_the_sequence_space),
  };
  return run_with_every_base("data", tests);
}
