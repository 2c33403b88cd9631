/* ISNs and SYN cookies: SipHash's published vectors; a cookie sent, lost track of, and brought back by its ACK, up to
 * ESTABLISHED in the core; what is refused. */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

/* --- SipHash-2-4: the vectors of its authors, key 00 .. 0f, input 00, 00 01, ... of 0 to 63 octets --- */

static const uint64_t vectors[64] = {
  0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
  0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
  0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
  0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
  0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
  0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
  0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
  0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
  0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
  0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
  0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
  0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
  0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
  0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
  0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
  0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572
};

static uint8_t key[16], other_key[16];

/* Addresses and ports, IPv4: local, then remote. */
static const uint8_t name[12] = {192, 0, 2, 1, 0, 80, 192, 0, 2, 2, 0x90, 0xa6};

static void published_vectors(void **unused)
{
  uint8_t octets[64];

  (void)unused;
  for (uint32_t n = 0; n < 64; n++) {
    uint8_t *copy = malloc(n == 0 ? 1 : n); /* exactly so many, so that a sanitizer sees every overread */
    octets[n] = (uint8_t)n;
    assert_non_null(copy);
    memcpy(copy, octets, n);
    require(vtcp_siphash(key, n == 0 ? copy + 1 : copy, n) == vectors[n], "vector %u", (unsigned)n);
    free(copy);
  }
}

/* The number of octets counts modulo 256 (an independent reading of the algorithm gave these). */
static void long_inputs(void **unused)
{
  static uint8_t octets[70001];

  (void)unused;
  for (size_t i = 0; i < sizeof octets; i++)
    octets[i] = (uint8_t)(i * 7);
  assert_true(vtcp_siphash(key, octets, 255) == 0xe3a7aa5a49073c05);
  assert_true(vtcp_siphash(key, octets, 256) == 0x54dd4a6166cde1c9);
  assert_true(vtcp_siphash(key, octets, 257) == 0x616e035f7de15a53);
  assert_true(vtcp_siphash(key, octets, 1460) == 0xe2e0f9a02470e994);
  assert_true(vtcp_siphash(key, octets, 70001) == 0x1ac7cd790a20a7e8);
}

/* --- Initial sequence numbers --- */

static void isn_is_clock_and_hash(void **unused)
{
  uint32_t f = (uint32_t)vtcp_siphash(key, name, sizeof name);

  (void)unused;
  assert_int_equal(vtcp_isn(key, name, sizeof name, 0), f);
  assert_int_equal(vtcp_isn(key, name, sizeof name, 3), f);
  assert_int_equal(vtcp_isn(key, name, sizeof name, 4), f + 1);
  assert_int_equal(vtcp_isn(key, name, sizeof name, SECOND), f + 250000);
  assert_int_equal(vtcp_isn(key, name, sizeof name, UINT64_MAX), f + UINT32_MAX);
  assert_int_equal(vtcp_isn_from(0xFFFFFFF0, 0), 0xFFFFFFF0);
  assert_int_equal(vtcp_isn_from(0xFFFFFFF0, 60), 0xFFFFFFFF);
  assert_int_equal(vtcp_isn_from(0xFFFFFFF0, 64), 0);
  assert_int_equal(vtcp_isn_from(0xFFFFFFF0, UINT64_C(0x400000000)), 0xFFFFFFF0); /* 4.77 hours later */
  assert_int_equal(vtcp_isn_from(UINT32_MAX, UINT64_MAX), UINT32_MAX - 1);
}

static void isns_differ(void **unused)
{
  uint8_t other[12];

  (void)unused;
  for (size_t i = 0; i < sizeof name; i++) {
    memcpy(other, name, sizeof other);
    other[i] ^= 1;
    assert_int_not_equal(vtcp_isn(key, other, sizeof other, 0), vtcp_isn(key, name, sizeof name, 0));
  }
  assert_int_not_equal(vtcp_isn(other_key, name, sizeof name, 0), vtcp_isn(key, name, sizeof name, 0));
}

/* --- Cookies --- */

#define PERIOD (UINT64_C(1) << 26)

static const uint64_t begins_at = 1000 * PERIOD;

/* The first ACK of the peer, after a SYN,ACK with this ISS. */
static struct vtcp_segment ack_of(uint32_t iss)
{
  struct vtcp_segment ack;

  memset(&ack, 0, sizeof ack);
  ack.has_ack = true;
  ack.seq = base_irs + 1;
  ack.ack = iss + 1;
  ack.wnd = 4000;
  return ack;
}

static bool accepts(const struct vtcp_segment *ack, uint64_t now, uint16_t *mss)
{
  return vtcp_cookie_check(key, name, sizeof name, ack, now, mss);
}

static bool refuses(const struct vtcp_segment *ack, uint64_t now)
{
  uint16_t mss = 4711;

  return !accepts(ack, now, &mss) && mss == 4711;
}

static void every_mss(void **unused)
{
  static const struct {
    uint16_t announced, kept;
  } mss[] = {{0, 1},       {1, 1},       {63, 1},      {64, 64},     {535, 64},    {536, 536},   {1219, 536},
             {1220, 1220}, {1359, 1220}, {1360, 1360}, {1399, 1360}, {1400, 1400}, {1439, 1400}, {1440, 1440},
             {1459, 1440}, {1460, 1460}, {1461, 1460}, {8960, 1460}, {65535, 1460}};

  (void)unused;
  for (size_t i = 0; i < sizeof mss / sizeof mss[0]; i++) {
    uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs, mss[i].announced, begins_at);
    struct vtcp_segment ack = ack_of(iss);
    uint16_t kept = 0;
    require(accepts(&ack, begins_at, &kept), "MSS %u", (unsigned)mss[i].announced);
    assert_int_equal(kept, mss[i].kept);
  }
}

/* Put together as vtcp.h says, of a hash of IRS, index, period and name, each with its least significant octet first. */
static void a_cookie_is_a_hash(void **unused)
{
  (void)unused;
  uint64_t words[2] = {base_irs + (UINT64_C(2) << 32), begins_at / PERIOD};
  uint8_t octets[16 + sizeof name];
  for (size_t i = 0; i < 16; i++) {
    octets[i] = (uint8_t)(words[i / 8] >> i % 8 * 8);
  }
  memcpy(octets + 16, name, sizeof name);
  uint32_t hash = (uint32_t)(vtcp_siphash(key, octets, sizeof octets) % 0x8000000);
  uint32_t cookie = (uint32_t)(words[1] % 4 << 30) + (UINT32_C(2) << 27) + hash;
  assert_int_equal(vtcp_cookie(key, name, sizeof name, base_irs, 536, begins_at), cookie);
}

/* 134 s from whenever it was made, never more than 201 s, and not again when the two bits come round. */
static void cookies_expire(void **unused)
{
  static const uint64_t into[] = {0, 1, PERIOD / 2, PERIOD - 1};

  (void)unused;
  for (size_t i = 0; i < sizeof into / sizeof into[0]; i++) {
    for (uint64_t first = 0; first < 5; first++) {
      uint64_t made = begins_at + first * PERIOD + into[i], ends = begins_at + (first + 3) * PERIOD;
      struct vtcp_segment ack = ack_of(vtcp_cookie(key, name, sizeof name, base_irs, 1460, made));
      uint16_t mss = 0;
      assert_true(accepts(&ack, made, &mss));
      assert_true(accepts(&ack, made + 2 * PERIOD - 1, &mss));
      assert_true(accepts(&ack, ends - 1, &mss));
      for (uint64_t k = 0; k < 9; k++)
        assert_true(refuses(&ack, ends + k * PERIOD));
      assert_true(refuses(&ack, made - into[i] - 1)); /* of the future */
    }
  }
}

/* Nothing is older than the clock. */
static void clock_begins(void **unused)
{
  uint16_t mss = 0;

  (void)unused;
  for (uint64_t now = 0; now < 4 * PERIOD; now += PERIOD) {
    struct vtcp_segment ack = ack_of(vtcp_cookie(key, name, sizeof name, base_irs, 536, now));
    assert_true(accepts(&ack, now, &mss));
    if (now > 0)
      assert_true(refuses(&ack, 0));
  }
  struct vtcp_segment last = ack_of(vtcp_cookie(key, name, sizeof name, base_irs, 536, UINT64_MAX));
  assert_true(accepts(&last, UINT64_MAX, &mss));
  assert_true(refuses(&last, 0));
}

static void strangers_are_refused(void **unused)
{
  uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs, 1460, begins_at);
  struct vtcp_segment ack = ack_of(iss);
  uint8_t other[12];
  uint16_t mss = 4711;

  (void)unused;
  assert_false(vtcp_cookie_check(other_key, name, sizeof name, &ack, begins_at, &mss));
  assert_false(vtcp_cookie_check(key, name, sizeof name - 1, &ack, begins_at, &mss));
  for (size_t i = 0; i < sizeof name; i++) {
    memcpy(other, name, sizeof other);
    other[i] ^= 0x80;
    assert_false(vtcp_cookie_check(key, other, sizeof other, &ack, begins_at, &mss));
  }
  assert_int_equal(mss, 4711);
  for (unsigned bit = 0; bit < 32; bit++) { /* every bit counts: period, index, hash, IRS */
    struct vtcp_segment forged = ack_of(iss ^ (UINT32_C(1) << bit));
    assert_true(refuses(&forged, begins_at));
    forged = ack;
    forged.seq ^= UINT32_C(1) << bit;
    assert_true(refuses(&forged, begins_at));
  }
}

static void only_acks(void **unused)
{
  struct vtcp_segment ack = ack_of(vtcp_cookie(key, name, sizeof name, base_irs, 1460, begins_at)), s;
  uint16_t mss = 0;

  (void)unused;
  s = ack;
  s.has_ack = false;
  assert_true(refuses(&s, begins_at));
  s = ack;
  s.syn = true;
  assert_true(refuses(&s, begins_at));
  s = ack;
  s.rst = true;
  assert_true(refuses(&s, begins_at));
  s = ack;
  s.fin = s.psh = s.urg = s.ece = true;
  s.len = 1000;
  assert_true(accepts(&s, begins_at, &mss));
}

/* Of all that could be sent, what is said in the header: 24 of 2^32. Here one of the 2^27 hashes is tried with each period
 * and index. */
static void three_periods_eight_indexes(void **unused)
{
  unsigned found = 0;

  (void)unused;
  for (uint64_t ago = 0; ago < 4; ago++) {
    for (unsigned i = 0; i < 8; i++) {
      static const uint16_t mss[] = {1, 64, 536, 1220, 1360, 1400, 1440, 1460};
      uint16_t kept = 0;
      uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs, mss[i], begins_at - ago * PERIOD);
      struct vtcp_segment ack = ack_of(iss);
      assert_int_equal(iss / 0x40000000, (1000 - ago) % 4);
      assert_int_equal(iss / 0x8000000 % 8, i);
      found += accepts(&ack, begins_at, &kept);
    }
  }
  assert_int_equal(found, 24);
}

/* --- Timestamps --- */

static void timestamps_bring_options_back(void **unused)
{
  static const uint32_t clocks[] = {0, 1, 15, 30, 31, 32, 33, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFE0, 0xFFFFFFFF};

  (void)unused;
  for (size_t c = 0; c < sizeof clocks / sizeof clocks[0]; c++) {
    for (unsigned wscale = 0; wscale <= 16; wscale++) { /* 16: none */
      for (unsigned sack = 0; sack < 2; sack++) {
        struct vtcp_segment syn, ack = ack_of(1);
        struct vtcp_event event;
        memset(&syn, 0, sizeof syn);
        memset(&event, 0x5A, sizeof event);
        syn.syn = syn.has_ts = true;
        syn.has_wscale = wscale < 16;
        syn.wscale = (uint8_t)(wscale < 16 ? wscale : 0);
        syn.sack_permitted = sack;
        ack.has_ts = true;
        ack.tsecr = vtcp_cookie_ts(&syn, clocks[c]);
        ack.tsval = 77;
        assert_true(clocks[c] - ack.tsecr < 32);
        vtcp_cookie_syn(&ack, 1400, 5, &event);
        assert_int_equal(event.seg.has_wscale, syn.has_wscale);
        assert_int_equal(event.seg.wscale, wscale == 15 ? 14 : syn.wscale); /* RFC 7323, section 2.3 */
        assert_int_equal(event.seg.sack_permitted, syn.sack_permitted);
        assert_true(event.seg.has_ts && event.seg.tsval == 77 && event.seg.tsecr == 0);
      }
    }
  }
}

static void without_timestamps_nothing_comes_back(void **unused)
{
  struct vtcp_segment ack = ack_of(1);
  struct vtcp_event event;

  (void)unused;
  memset(&event, 0x5A, sizeof event);
  ack.tsecr = 0xFFFFFFF3;
  vtcp_cookie_syn(&ack, 1400, 5, &event);
  assert_false(event.seg.has_ts || event.seg.has_wscale || event.seg.sack_permitted || event.seg.has_uto);
  assert_int_equal(event.seg.tsval, 0);
  assert_int_equal(event.seg.wscale, 0);
}

/* --- The whole way --- */

struct server {
  struct vtcp_conn listener, child;
  struct vtcp_actions out;
};

static void listening(struct server *s)
{
  struct vtcp_config cfg = test_config();
  struct vtcp_event open;

  memset(&open, 0, sizeof open);
  open.type = VTCP_OPEN_PASSIVE;
  cfg.listener = true;
  assert_int_equal(vtcp_init(&s->listener, &cfg), VTCP_CONFIG_OK);
  checked_step(&s->listener, &open, &s->out);
}

/* A connection from a cookie, its SYN,ACK a second old. */
static void rebuilt(struct server *s, const struct vtcp_segment *ack, uint64_t now)
{
  struct vtcp_event event;
  uint16_t mss = 0;

  memset(&event, 0x5A, sizeof event);
  assert_true(accepts(ack, now, &mss));
  vtcp_child(&s->listener, &s->child);
  vtcp_cookie_syn(ack, mss, now - SECOND, &event);
  checked_step(&s->child, &event, &s->out);
  assert_true(s->out.send && s->out.seg.syn && s->out.seg.has_ack); /* the SYN,ACK that was sent already */
  assert_int_equal(s->out.seg.seq, ack->ack - 1);
  assert_int_equal(s->out.seg.ack, ack->seq);
  assert_int_equal(s->child.state, VTCP_SYN_RECEIVED);
  event.now = now;
  event.seg = *ack;
  checked_step(&s->child, &event, &s->out);
}

static void a_cookie_becomes_a_connection(void **unused)
{
  uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs, 1380, begins_at);
  struct vtcp_segment ack = ack_of(iss);
  struct server s;

  (void)unused;
  listening(&s);
  rebuilt(&s, &ack, begins_at + 90 * SECOND);
  assert_true(s.out.established && !s.out.send && !s.out.closed);
  assert_int_equal(s.child.state, VTCP_ESTABLISHED);
  assert_int_equal(s.child.origin, VTCP_CHILD);
  assert_int_equal(s.child.iss, iss);
  assert_int_equal(s.child.snd_una, iss + 1);
  assert_int_equal(s.child.snd_nxt, iss + 1);
  assert_int_equal(s.child.irs, base_irs);
  assert_int_equal(s.child.rcv_nxt, base_irs + 1);
  assert_int_equal(s.child.snd_wnd, 4000);
  assert_int_equal(s.child.snd_mss, 1360);
  assert_int_equal(s.child.srtt, SECOND);
  assert_int_equal(vtcp_deadline(&s.child), UINT64_MAX);
}

/* The ACK was lost; the request that follows it, and the FIN, take its place. */
static void a_request_completes_it_too(void **unused)
{
  uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs, 1460, begins_at);
  struct vtcp_segment request = ack_of(iss);
  struct server s;

  (void)unused;
  request.len = 100;
  request.psh = request.fin = true;
  listening(&s);
  rebuilt(&s, &request, begins_at + 2 * SECOND);
  assert_true(s.out.established && s.out.peer_closed && s.out.pushed);
  assert_int_equal(s.out.store_len, 100);
  assert_int_equal(s.child.state, VTCP_CLOSE_WAIT);
  assert_int_equal(s.child.rcv_nxt, base_irs + 102);
}

/* The hash decides where a cookie falls: among the peer's initial numbers there is one whose cookie is 2^32 - 1 or nearly. */
static void iss_at_the_edge(void **unused)
{
  uint32_t irs = base_irs, highest = 0;
  uint64_t now = begins_at + 3 * PERIOD; /* period 3 modulo 4, index 7: 11111 in the highest bits */
  struct server s;

  (void)unused;
  for (uint32_t i = 0; i < 2000000; i++) {
    uint32_t iss = vtcp_cookie(key, name, sizeof name, base_irs + i, 1460, now);
    if (iss > highest) {
      highest = iss;
      irs = base_irs + i;
    }
  }
  require(highest > 0xFFFFFFFF - 5000, "the highest of two million cookies is %#x", (unsigned)highest);
  struct vtcp_segment ack = ack_of(highest);
  ack.seq = irs + 1;
  ack.wnd = 65535;
  listening(&s);
  rebuilt(&s, &ack, now + SECOND);
  assert_int_equal(s.child.state, VTCP_ESTABLISHED);

  struct vtcp_event send;
  memset(&send, 0, sizeof send);
  send.type = VTCP_SEND;
  send.now = now + 2 * SECOND;
  send.len = 10000;
  send.remote = true;
  checked_step(&s.child, &send, &s.out);
  assert_true(s.out.send);
  assert_int_equal(s.out.seg.seq, highest + 1);
  assert_int_equal(s.out.seg.len, 1460);
  send.type = VTCP_MORE;
  while (s.out.more)
    checked_step(&s.child, &send, &s.out);
  assert_true(s.child.snd_nxt < s.child.snd_una); /* beyond 2^32 */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(published_vectors),
    cmocka_unit_test(long_inputs),
    cmocka_unit_test(isn_is_clock_and_hash),
    cmocka_unit_test(isns_differ),
    cmocka_unit_test(every_mss),
    cmocka_unit_test(a_cookie_is_a_hash),
    cmocka_unit_test(cookies_expire),
    cmocka_unit_test(clock_begins),
    cmocka_unit_test(strangers_are_refused),
    cmocka_unit_test(only_acks),
    cmocka_unit_test(three_periods_eight_indexes),
    cmocka_unit_test(timestamps_bring_options_back),
    cmocka_unit_test(without_timestamps_nothing_comes_back),
    cmocka_unit_test(a_cookie_becomes_a_connection),
    cmocka_unit_test(a_request_completes_it_too),
    cmocka_unit_test(iss_at_the_edge),
  };

  for (uint8_t i = 0; i < 16; i++) {
    key[i] = i;
    other_key[i] = (uint8_t)(i == 15 ? 0x8f : i);
  }
  return run_with_every_base("isn", tests);
}
