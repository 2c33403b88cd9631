/* Text beyond a gap (RFC 9293, 3.10.7.4, seventh and eighth; SHLD-31): what is held, refused, delivered and given up. That the
 * right octets come out is checked in exchange.c whenever the user reads. */
#include "exchange.h"

#include <string.h>

/* The places that are held, counted from RCV.NXT, the newest range first: held(t, 2, {10, 20}, {40, 50}). */
static void held_at(const struct endpoint *t, int count, const struct vtcp_range *ranges)
{
  for (int i = 0; i < VTCP_RANGES; i++) {
    struct vtcp_range expected = i < count ? ranges[i] : (struct vtcp_range){0, 0};
    require(t->conn.held.at[i].from == expected.from && t->conn.held.at[i].to == expected.to,
            "range %d is %u .. %u, not %u .. %u", i, (unsigned)t->conn.held.at[i].from, (unsigned)t->conn.held.at[i].to,
            (unsigned)expected.from, (unsigned)expected.to);
  }
}
#define held(t, count, ...) (at(__FILE__, __LINE__), held_at((t), (count), (struct vtcp_range[]){__VA_ARGS__}))
#define nothing_held(t) held((t), 0, {0, 0})
#define delivered(t, n) expect_number("octets delivered", (n), (t)->out.delivered)
#define stored(t, n) expect_number("octets stored", (n), (t)->out.store_len)

static void the_left_comes_last(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .wnd = 10000); /* at once (RFC 5681, section 4.2) */
  held(&t, 1, {10, 20});
  stored(&t, 10);
  delivered(&t, 0);
  readable(&t, 0);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 21, .wnd = 9980);
  nothing_held(&t);
  stored(&t, 10);
  delivered(&t, 20);
  readable(&t, 20);
  reads(&t, 20);
  consumed(&t, 20);
  ends(&t);
}

/* A gap is filled octet by octet, from its right end and from its left. */
static void a_gap_is_filled_from_both_sides(void **unused)
{
  (void)unused;
  for (int right = 0; right < 2; right++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    arrives(&t, ACK, .seq = 6, .ack = 1, .len = 10);
    sends(&t, ACK, .seq = 1, .ack = 1);
    for (int k = 0; k < 4; k++) {
      arrives(&t, ACK, .seq = right ? 5 - k : 1 + k, .ack = 1, .len = 1);
      sends(&t, ACK, .seq = 1, .ack = right ? 1 : 2 + k);
      readable(&t, right ? 0 : k + 1);
      if (right) {
        held(&t, 1, {(uint32_t)(4 - k), 15});
      } else {
        held(&t, 1, {(uint32_t)(4 - k), (uint32_t)(14 - k)});
      }
    }
    arrives(&t, ACK, .seq = right ? 1 : 5, .ack = 1, .len = 1);
    sends(&t, ACK, .seq = 1, .ack = 16);
    nothing_held(&t);
    readable(&t, 15);
    reads(&t, 15);
    ends(&t);
  }
}

/* Two octets apart from, next to, across and inside what is held, on either side; all of it; and twice. */
static void overlaps_of_every_kind(void **unused)
{
  (void)unused;
  static const struct {
    uint32_t from, to;
    int count;
    struct vtcp_range after[2];
  } kinds[] = {
    {17, 19, 2, {{17, 19}, {20, 30}}}, {18, 20, 1, {{18, 30}}}, {19, 21, 1, {{19, 30}}}, {20, 22, 1, {{20, 30}}},
    {24, 26, 1, {{20, 30}}},           {28, 30, 1, {{20, 30}}}, {29, 31, 1, {{20, 31}}}, {30, 32, 1, {{20, 32}}},
    {31, 33, 2, {{31, 33}, {20, 30}}}, {20, 30, 1, {{20, 30}}}, {15, 35, 1, {{15, 35}}}, {15, 30, 1, {{15, 30}}},
    {20, 35, 1, {{20, 35}}},
  };
  for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    struct endpoint t;
    if (kinds[i].count > VTCP_RANGES) {
      continue;
    }
    begins(&t);
    in_established(&t);
    arrives(&t, ACK, .seq = 21, .ack = 1, .len = 10);
    sends(&t, ACK, .seq = 1, .ack = 1);
    for (int twice = 0; twice < 2; twice++) {
      arrives(&t, ACK, .seq = 1 + kinds[i].from, .ack = 1, .len = (uint16_t)(kinds[i].to - kinds[i].from));
      sends(&t, ACK, .seq = 1, .ack = 1);
      held_at(&t, kinds[i].count, kinds[i].after);
      stored(&t, kinds[i].to - kinds[i].from); /* what arrives twice is stored twice: the later wins */
      delivered(&t, 0);
    }
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 34);
    sends(&t, ACK, .seq = 1, .ack = kinds[i].to > 34 ? 36 : 35);
    nothing_held(&t);
    reads(&t, 100);
    ends(&t);
  }
}

/* One segment joins what lies on both sides, and may cover more. */
static void ranges_are_joined(void **unused)
{
  (void)unused;
  for (uint32_t more = 0; more < 12 && VTCP_RANGES >= 2; more++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    arrives(&t, ACK, .seq = 11, .ack = 1, .len = 10);
    sends(&t, ACK, .seq = 1, .ack = 1);
    arrives(&t, ACK, .seq = 31, .ack = 1, .len = 10);
    sends(&t, ACK, .seq = 1, .ack = 1);
    held(&t, 2, {30, 40}, {10, 20});
    arrives(&t, ACK, .seq = 21 - more, .ack = 1, .len = (uint16_t)(10 + 2 * more));
    sends(&t, ACK, .seq = 1, .ack = 1);
    held(&t, 1, {more > 10 ? 20 - more : 10, more > 10 ? 30 + more : 40});
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
    sends(&t, ACK, .seq = 1, .ack = more > 10 ? 31 + more : 41);
    reads(&t, 100);
    nothing_held(&t);
    ends(&t);
  }
}

/* RFC 2018, section 4, wants the block that grew last first; the others keep their order. */
static void the_newest_comes_first(void **unused)
{
  (void)unused;
  struct endpoint t;
  if (VTCP_RANGES < 3) {
    return;
  }
  begins(&t);
  in_established(&t);
  for (int i = 1; i <= 3; i++) {
    arrives(&t, ACK, .seq = 1 + 10 * i, .ack = 1, .len = 5);
    sends(&t, ACK, .seq = 1, .ack = 1);
  }
  held(&t, 3, {30, 35}, {20, 25}, {10, 15});
  arrives(&t, ACK, .seq = 11, .ack = 1, .len = 5); /* again */
  sends(&t, ACK, .seq = 1, .ack = 1);
  held(&t, 3, {10, 15}, {30, 35}, {20, 25});
  arrives(&t, ACK, .seq = 26, .ack = 1, .len = 1); /* grows */
  sends(&t, ACK, .seq = 1, .ack = 1);
  held(&t, 3, {20, 26}, {10, 15}, {30, 35});
  arrives(&t, ACK, .seq = 16, .ack = 1, .len = 5); /* joins two */
  sends(&t, ACK, .seq = 1, .ack = 1);
  held(&t, 2, {10, 26}, {30, 35});
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 1); /* in order: nobody's turn */
  sends(&t, ACK, .seq = 1, .ack = 2);
  held(&t, 2, {9, 25}, {29, 34});
  ends(&t);
}

/* One range more than there can be is refused, and acknowledged like the rest; what touches, or is in order, is not. */
static void all_ranges_in_use(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (uint32_t i = 1; i <= VTCP_RANGES; i++) {
    arrives(&t, ACK, .seq = 1 + 10 * i, .ack = 1, .len = 5);
    sends(&t, ACK, .seq = 1, .ack = 1);
  }
  struct vtcp_conn full = t.conn;
  for (uint32_t i = 0; i <= VTCP_RANGES; i++) {
    arrives(&t, ACK, .seq = 8 + 10 * i, .ack = 1, .len = 2);
    sends(&t, ACK, .seq = 1, .ack = 1);
    stored(&t, 0);
    require(memcmp(&full.held, &t.conn.held, sizeof full.held) == 0, "what is refused changes nothing");
  }
  arrives(&t, ACK, .seq = 16, .ack = 1, .len = 1); /* touches */
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 2); /* in order */
  sends(&t, ACK, .seq = 1, .ack = 3);
  stored(&t, 2);
  readable(&t, 2);
  arrives(&t, ACK, .seq = 3, .ack = 1, .len = 10); /* frees a range */
  sends(&t, ACK, .seq = 1, .ack = 17);
  readable(&t, 16);
  arrives(&t, ACK, .seq = 8 + 10 * VTCP_RANGES, .ack = 1, .len = 2);
  sends(&t, ACK, .seq = 1, .ack = 17);
  stored(&t, 2);
  arrives(&t, ACK, .seq = 17, .ack = 1, .len = 10 * VTCP_RANGES);
  sends(&t, ACK, .seq = 1, .ack = 17 + 10 * VTCP_RANGES);
  nothing_held(&t);
  t.lenient = true; /* the window may open */
  reads(&t, 10000);
  consumed(&t, 16 + 10 * VTCP_RANGES);
  ends(&t);
}

/* A peer that sends every other octet of the window costs no more than any other. */
static void every_other_octet(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  for (int64_t seq = 2; seq <= 1000; seq += 2) {
    arrives(&t, ACK, .seq = seq, .ack = 1, .len = 1);
    sends(&t, ACK, .seq = 1, .ack = 1);
    stored(&t, seq <= 2 * VTCP_RANGES);
  }
  ends(&t);
}

/* What lies outside the window is cut off, beyond a gap too. */
static void at_the_windows_edge(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 9991, .ack = 1, .len = 20); /* 10 too many, and the FIN */
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 10);
  held(&t, 1, {9990, 10000});
  expect_number("the FIN's place", 0, t.conn.fin_end);
  arrives(&t, ACK, .seq = 10001, .ack = 1, .len = 1); /* beyond */
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 0);
  arrives(&t, FIN | ACK, .seq = 10000, .ack = 1, .len = 1); /* the FIN is just outside */
  sends(&t, ACK, .seq = 1, .ack = 1);
  expect_number("the FIN's place", 0, t.conn.fin_end);
  arrives(&t, PSH | ACK, .seq = 1, .ack = 1, .len = 9990);
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = ZERO);
  readable(&t, 10000);
  require(!t.out.pushed, "more is readable than was pushed");
  in_state(&t, VTCP_ESTABLISHED);
  reads(&t, 10000);
  sends(&t, ACK, .seq = 1, .ack = 10001, .wnd = 10000);
  ends(&t);
}

/* What is held keeps its place in the buffer while the user reads, and inside the window when that grows. */
static void the_user_reads_meanwhile(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 3000);
  sends(&t, ACK, .seq = 1, .ack = 3001, .wnd = 7000);
  arrives(&t, ACK, .seq = 4001, .ack = 1, .len = 1000);
  sends(&t, ACK, .seq = 1, .ack = 3001);
  held(&t, 1, {1000, 2000});
  reads(&t, 1000);
  reads(&t, 2000);
  sends(&t, ACK, .seq = 1, .ack = 3001, .wnd = 10000);
  held(&t, 1, {1000, 2000});
  arrives(&t, ACK, .seq = 12001, .ack = 1, .len = 1000); /* the window has grown */
  sends(&t, ACK, .seq = 1, .ack = 3001);
  stored(&t, VTCP_RANGES > 1 ? 1000 : 0);
  arrives(&t, ACK, .seq = 3001, .ack = 1, .len = 1000);
  sends(&t, ACK, .seq = 1, .ack = 5001, .wnd = 8000);
  reads(&t, 500);
  reads(&t, 1500);
  sends(&t, ACK, .seq = 1, .ack = 5001, .wnd = 10000);
  arrives(&t, ACK, .seq = 5001, .ack = 1, .len = 8000);
  sends(&t, ACK, .seq = 1, .ack = 13001, .wnd = 2000);
  reads(&t, 8000);
  sends(&t, ACK, .seq = 1, .ack = 13001, .wnd = 10000);
  ends(&t);
}

/* PUSH is told when what it ends is readable, and nothing after it. */
static void push_beyond_a_gap(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, PSH | ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  require(!t.out.pushed, "nothing is readable");
  arrives(&t, PSH | ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 21);
  require(!t.out.pushed, "more is readable than was pushed");
  arrives(&t, PSH | ACK, .seq = 21, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 31);
  require(t.out.pushed, "all that is readable was pushed");
  ends(&t);
}

/* C20: a FIN beyond a gap waits, alone or behind its text. */
static void a_fin_waits(void **unused)
{
  (void)unused;
  static const struct {
    uint8_t before, after;
  } ways[] = {{VTCP_ESTABLISHED, VTCP_CLOSE_WAIT}, {VTCP_FIN_WAIT_1, VTCP_CLOSING}, {VTCP_FIN_WAIT_2, VTCP_TIME_WAIT}};
  for (unsigned i = 0; i < 3; i++) {
    for (int text = 0; text < 2; text++) {
      struct endpoint t;
      begins(&t);
      reaches(&t, ways[i].before);
      int64_t nxt = ways[i].before == VTCP_ESTABLISHED ? 1 : 2, ack = ways[i].before == VTCP_FIN_WAIT_2 ? 2 : 1;
      arrives(&t, FIN | ACK, .seq = text ? 11 : 21, .ack = ack, .len = text ? 10 : 0);
      sends(&t, ACK, .seq = nxt, .ack = 1);
      in_state(&t, ways[i].before);
      expect_number("the place behind the FIN", 21, t.conn.fin_end);
      arrives(&t, ACK, .seq = 1, .ack = ack, .len = 5);
      sends(&t, ACK, .seq = nxt, .ack = 6);
      in_state(&t, ways[i].before);
      expect_number("the place behind the FIN", 16, t.conn.fin_end);
      arrives(&t, ACK, .seq = 6, .ack = ack, .len = text ? 5 : 15);
      sends(&t, ACK, .seq = nxt, .ack = 22);
      signals(&t, IS_PEER_CLOSED);
      in_state(&t, ways[i].after);
      readable(&t, 20);
      nothing_held(&t);
      reads(&t, 20);
      ends(&t);
    }
  }
}

/* The acknowledgment of our FIN closes the gap before the peer's: two edges at once. */
static void from_fin_wait_1_to_time_wait(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_fin_wait_1(&t);
  arrives(&t, FIN | ACK, .seq = 2, .ack = 1);
  sends(&t, ACK, .seq = 2, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2, .len = 1);
  sends(&t, ACK, .seq = 2, .ack = 3);
  signals(&t, IS_CLOSE_DONE | IS_PEER_CLOSED);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + 120 * SECOND);
  ends(&t);
}

/* Text behind a FIN that is known is cut off (MUST-... nothing follows a FIN). */
static void text_beyond_a_known_fin(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 21, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 21, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 0);
  arrives(&t, ACK, .seq = 16, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 5);
  held(&t, 1, {15, 20});
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 22);
  stored(&t, 20);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 20);
  ends(&t);
}

/* A peer that contradicts itself. Of two FINs the later counts; one in order ends the stream, whatever is held beyond it; one
 * that text has passed is forgotten. */
static void fins_that_contradict(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, FIN | ACK, .seq = 21, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, FIN | ACK, .seq = 31, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  expect_number("the place behind the FIN", 31, t.conn.fin_end);
  arrives(&t, ACK, .seq = 21, .ack = 1, .len = 5);
  sends(&t, ACK, .seq = 1, .ack = 1);
  held(&t, 1, {20, 25});
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 12);
  signals(&t, IS_PEER_CLOSED);
  readable(&t, 10);
  nothing_held(&t);
  ends(&t);

  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, FIN | ACK, .seq = 15, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 21);
  in_state(&t, VTCP_ESTABLISHED);
  expect_number("the place behind the FIN", 0, t.conn.fin_end);
  readable(&t, 20);
  ends(&t);
}

/* Nothing is kept where the peer's FIN is received. */
static void after_the_peers_fin(void **unused)
{
  (void)unused;
  static const uint8_t states[] = {VTCP_CLOSE_WAIT, VTCP_CLOSING, VTCP_LAST_ACK, VTCP_TIME_WAIT};
  for (unsigned i = 0; i < 4; i++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, states[i]);
    t.lenient = true;
    arrives(&t, FIN | ACK, .seq = 11, .ack = (int32_t)(t.conn.snd_una - t.iss), .len = 10);
    require(t.out.send, "it is acknowledged");
    stored(&t, 0);
    nothing_held(&t);
    expect_number("the FIN's place", 0, t.conn.fin_end);
    ends(&t);
  }
}

/* What brings the acknowledgment of our SYN is text of an ESTABLISHED connection. */
static void with_the_last_ack_of_the_handshake(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  arrives(&t, ACK, .seq = 11, .ack = 0, .len = 10); /* acknowledges nothing */
  sends(&t, RST, .seq = 0);
  stored(&t, 0);
  nothing_held(&t);
  arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  held(&t, 1, {10, 20});
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 22);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_CLOSE_WAIT);
  ends(&t);
}

/* The end of the connection is the end of what it held (the law `over` looks at the record). */
static void given_up(void **unused)
{
  (void)unused;
  for (int how = 0; how < 3; how++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    t.lenient = true;
    arrives(&t, FIN | ACK, .seq = 11, .ack = 1, .len = 10);
    held(&t, 1, {10, 20});
    if (how == 0) {
      aborts(&t);
    } else if (how == 1) {
      arrives(&t, RST, .seq = 1);
    } else {
      writes(&t, 1);
      for (int i = 0; i < 100 && t.conn.state != VTCP_CLOSED; i++) {
        expires(&t);
      }
    }
    in_state(&t, VTCP_CLOSED);
    nothing_held(&t);
    ends(&t);
  }
}

/* What is refused before the seventh check stores nothing: an old acknowledgment, none, a SYN. */
static void refused_before_the_text(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 11, .ack = 2, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 0);
  arrives(&t, NONE, .seq = 11, .len = 10);
  silent(&t);
  stored(&t, 0);
  arrives(&t, SYN | ACK, .seq = 11, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 1, .ack = 1);
  stored(&t, 0);
  nothing_held(&t);
  ends(&t);
}

/* --- All there is, in a small window: against a bitmap --- */

enum { NO_FIN = -1 };

/* Octets of the stream from 0 on. Nothing is read, so that the right edge of the window is where it was. */
struct model {
  int edge, next, fin;
  uint32_t came;
  bool closed;
  int stored, delivered;
};

static bool came(const struct model *m, int octet)
{
  return octet >= 0 && octet < m->edge && (m->came >> octet & 1U);
}

static int ranges_of(const struct model *m)
{
  int count = 0;
  for (int i = m->next; i < m->edge; i++) {
    count += came(m, i) && !came(m, i - 1);
  }
  return count;
}

static void model_text(struct model *m, int from, int to)
{
  bool alone = from > m->next;
  for (int i = from - 1; i <= to; i++) {
    alone = alone && !(i >= m->next && came(m, i));
  }
  if (from >= to || (alone && ranges_of(m) == VTCP_RANGES)) {
    return;
  }
  for (int i = from; i < to; i++) {
    m->came |= 1U << i;
  }
  m->stored = to - from;
  while (came(m, m->next)) {
    m->next++;
    m->delivered++;
  }
}

static void model_arrival(struct model *m, int seq, int len, bool fin)
{
  int last = seq + len + fin - 1, first_free = m->next + m->closed;
  bool inside = (first_free <= seq && seq < m->edge) || (len + fin > 0 && first_free <= last && last < m->edge);
  m->stored = m->delivered = 0;
  if (!inside || m->closed) {
    return;
  }
  int limit = m->fin == NO_FIN ? m->edge : m->fin;
  model_text(m, seq < m->next ? m->next : seq, seq + len < limit ? seq + len : limit);
  if (m->fin < m->next) {
    m->fin = NO_FIN;
  }
  if (fin && seq + len >= m->next && seq + len < m->edge) {
    m->fin = seq + len;
  }
  m->closed = m->fin == m->next;
}

static void agrees(const struct model *m, const struct vtcp_conn *c, const struct vtcp_actions *x, uint32_t first)
{
  require(c->state == (m->closed ? VTCP_CLOSE_WAIT : VTCP_ESTABLISHED), "the state is %s", vtcp_state_name(c->state));
  require(c->rcv_nxt == first + (uint32_t)(m->next + m->closed), "RCV.NXT %d is expected", m->next + m->closed);
  require(x->store_len == (uint32_t)m->stored, "%d octets are to be stored, not %u", m->stored, (unsigned)x->store_len);
  require(x->delivered == (uint32_t)m->delivered, "%d octets are in order, not %u", m->delivered, (unsigned)x->delivered);
  require(m->closed || c->fin_end == (m->fin == NO_FIN ? 0 : (uint32_t)(m->fin + 1 - m->next)), "the FIN's place");
  for (int i = m->next; i < m->edge; i++) {
    bool is = false;
    for (int k = 0; k < VTCP_RANGES; k++) {
      is = is || (c->held.at[k].from <= (uint32_t)(i - m->next) && (uint32_t)(i - m->next) < c->held.at[k].to);
    }
    require(is == (!m->closed && came(m, i)), "octet %d is%s held", i, is ? "" : " not");
  }
}

static void arrives_at_both(struct model *m, struct vtcp_conn *c, uint32_t first, int seq, int len, bool fin)
{
  struct vtcp_event event = {.now = SECOND, .type = VTCP_ARRIVES};
  struct vtcp_actions x;
  event.seg = (struct vtcp_segment){
    .seq = first + (uint32_t)seq, .ack = c->snd_una, .len = (uint16_t)len, .wnd = 4000, .fin = fin, .has_ack = true};
  model_arrival(m, seq, len, fin);
  checked_step(c, &event, &x);
  agrees(m, c, &x, first);
}

/* Every segment from seq = -1 on, of up to `longest` octets, FIN or not, after every other. */
static unsigned long every_segment(const struct model *m, const struct vtcp_conn *c, uint32_t first, int depth, int longest,
                                   bool fins)
{
  unsigned long count = 0;
  for (int seq = -1; depth > 0 && seq < m->edge + 1; seq++) {
    for (int len = 0; len <= longest; len++) {
      for (int fin = 0; fin <= fins; fin++) {
        struct model model = *m;
        struct vtcp_conn conn = *c;
        arrives_at_both(&model, &conn, first, seq, len, fin);
        count += 1 + every_segment(&model, &conn, first, depth - 1, longest, fins);
      }
    }
  }
  return count;
}

static void in_a_window_of(struct endpoint *t, uint32_t octets)
{
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = octets;
  begins_with(t, cfg);
  in_established(t);
}

static void every_sequence_of_segments(void **unused)
{
  (void)unused;
  struct endpoint t;
  in_a_window_of(&t, 6);
  struct model m = {.edge = 6, .fin = NO_FIN};
  unsigned long count = every_segment(&m, &t.conn, t.conn.rcv_nxt, 3, 4, true);
  count += every_segment(&m, &t.conn, t.conn.rcv_nxt, 4, 2, false);
  print_message("%lu arrivals agree with the bitmap\n", count);
  ends(&t);
}

/* Longer ones in a larger window, so that all ranges come into use. */
static void many_sequences_of_segments(void **unused)
{
  (void)unused;
  uint64_t seed = 20230831;
  struct endpoint t;
  in_a_window_of(&t, 30);
  unsigned refused = 0;
  for (int run = 0; run < 5000; run++) {
    struct model m = {.edge = 30, .fin = NO_FIN};
    struct vtcp_conn c = t.conn;
    for (int i = 0; i < 40 && !m.closed; i++) {
      int seq = (int)choose(&seed, 33) - 1, len = 1 + (int)choose(&seed, run % 4 == 0 ? 12 : 2);
      arrives_at_both(&m, &c, t.conn.rcv_nxt, seq, len, choose(&seed, 60) == 0);
      refused += m.stored == 0 && seq > m.next && seq < m.edge && m.fin == NO_FIN && !m.closed;
    }
  }
  require(refused > 1000 || VTCP_RANGES > 4, "too few were refused: %u", refused);
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_left_comes_last),
    cmocka_unit_test(a_gap_is_filled_from_both_sides),
    cmocka_unit_test(overlaps_of_every_kind),
    cmocka_unit_test(ranges_are_joined),
    cmocka_unit_test(the_newest_comes_first),
    cmocka_unit_test(all_ranges_in_use),
    cmocka_unit_test(every_other_octet),
    cmocka_unit_test(at_the_windows_edge),
    cmocka_unit_test(the_user_reads_meanwhile),
    cmocka_unit_test(push_beyond_a_gap),
    cmocka_unit_test(a_fin_waits),
    cmocka_unit_test(from_fin_wait_1_to_time_wait),
    cmocka_unit_test(text_beyond_a_known_fin),
    cmocka_unit_test(fins_that_contradict),
    cmocka_unit_test(after_the_peers_fin),
    cmocka_unit_test(with_the_last_ack_of_the_handshake),
    cmocka_unit_test(given_up),
    cmocka_unit_test(refused_before_the_text),
    cmocka_unit_test(every_sequence_of_segments),
    cmocka_unit_test(many_sequences_of_segments),
  };
  return run_with_every_base("reassembly", tests);
}
