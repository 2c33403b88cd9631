/* The wire codec against known packets, every option, every malformed length, every truncation. What holds for all inputs
 * is proven (src/wire.c, proofs/wire_roundtrip.c); here are the octets that the specification itself is judged by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../include/vtcp.h"

/* The SYN of a Linux 6.x connect() as it left a TUN device, 192.0.2.1:37030 to 192.0.2.2:80. */
static const uint8_t linux_syn[40] = {
  0x90, 0xa6, 0x00, 0x50, 0xf9, 0x8f, 0x3e, 0x1a, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x55, 0x64, 0x00, 0x00,
  0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x2a, 0xcb, 0x80, 0x38, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x0a};

/* 192.0.2.1, 192.0.2.2, protocol 6, 40 octets. */
#define LINUX_SYN_PSEUDO (0xc000u + 0x0201u + 0xc000u + 0x0202u + 6u + 40u)

static struct vtcp_segment blank(void)
{
  struct vtcp_segment s;

  memset(&s, 0, sizeof s);
  return s;
}

static struct vtcp_segment garbage(void)
{
  struct vtcp_segment s = blank();

  s.seq = s.ack = s.tsval = s.tsecr = 0xdeadbeef;
  s.wnd = s.up = s.len = s.mss = s.uto = 0xdead;
  s.fin = s.syn = s.rst = s.psh = s.has_ack = s.urg = s.ece = s.cwr = true;
  s.has_mss = s.has_wscale = s.sack_permitted = s.has_ts = s.has_uto = true;
  s.wscale = 77;
  s.sack_count = 99;
  for (int k = 0; k < 4; k++)
    s.sack[k].left = s.sack[k].right = 0xdeadbeef;
  return s;
}

static void assert_same(const struct vtcp_segment *a, const struct vtcp_segment *b)
{
  assert_int_equal(a->seq, b->seq);
  assert_int_equal(a->ack, b->ack);
  assert_int_equal(a->tsval, b->tsval);
  assert_int_equal(a->tsecr, b->tsecr);
  assert_int_equal(a->wnd, b->wnd);
  assert_int_equal(a->up, b->up);
  assert_int_equal(a->len, b->len);
  assert_int_equal(a->mss, b->mss);
  assert_int_equal(a->uto, b->uto);
  assert_int_equal(a->fin, b->fin);
  assert_int_equal(a->syn, b->syn);
  assert_int_equal(a->rst, b->rst);
  assert_int_equal(a->psh, b->psh);
  assert_int_equal(a->has_ack, b->has_ack);
  assert_int_equal(a->urg, b->urg);
  assert_int_equal(a->ece, b->ece);
  assert_int_equal(a->cwr, b->cwr);
  assert_int_equal(a->has_mss, b->has_mss);
  assert_int_equal(a->has_wscale, b->has_wscale);
  assert_int_equal(a->sack_permitted, b->sack_permitted);
  assert_int_equal(a->has_ts, b->has_ts);
  assert_int_equal(a->has_uto, b->has_uto);
  assert_int_equal(a->wscale, b->wscale);
  assert_int_equal(a->sack_count, b->sack_count);
  for (int k = 0; k < 4; k++) {
    assert_int_equal(a->sack[k].left, b->sack[k].left);
    assert_int_equal(a->sack[k].right, b->sack[k].right);
  }
}

/* From a heap block of exactly n octets, so that a sanitizer sees every overread. */
static enum vtcp_wire parse(const uint8_t *octets, size_t n, struct vtcp_segment *s, uint32_t *text)
{
  uint8_t *copy = (uint8_t *)calloc(1, n == 0 ? 1 : n);
  enum vtcp_wire result;

  assert_non_null(copy);
  memcpy(copy, octets, n);
  result = vtcp_parse(n == 0 ? copy + 1 : copy, (uint32_t)n, s, text);
  free(copy);
  return result;
}

/* A header of 20 + room octets with these options; what is not given is zero, that is end of list. */
static enum vtcp_wire parse_options(const uint8_t *options, size_t n, size_t room, struct vtcp_segment *s)
{
  uint8_t b[60] = {0};
  uint32_t text = 0;
  enum vtcp_wire result;

  assert_true(n <= room && room <= 40 && room % 4 == 0);
  b[12] = (uint8_t)((20 + room) * 4);
  memcpy(b + 20, options, n);
  *s = garbage();
  result = parse(b, 20 + room, s, &text);
  assert_int_equal(text, 20 + room);
  assert_int_equal(s->len, 0);
  return result;
}

static void assert_no_options(const struct vtcp_segment *s)
{
  const struct vtcp_segment none = blank();

  assert_same(s, &none);
}

#define OPTIONS(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

/* --- Reading --- */

static void test_linux_syn(void **state)
{
  struct vtcp_segment s = garbage(), want = blank();
  uint32_t text = 0;

  (void)state;
  want.seq = 0xf98f3e1a;
  want.syn = true;
  want.wnd = 64240;
  want.has_mss = true;
  want.mss = 1460;
  want.sack_permitted = true;
  want.has_ts = true;
  want.tsval = 0x2acb8038;
  want.has_wscale = true;
  want.wscale = 10;
  assert_int_equal(parse(linux_syn, sizeof linux_syn, &s, &text), VTCP_WIRE_OK);
  assert_int_equal(text, 40);
  assert_same(&s, &want);
}

static void test_fields(void **state)
{
  const uint8_t b[23] = {1, 2, 3, 4, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x50, 0, 0x9a, 0xbc, 7, 7, 0xde, 0xf0, 9, 9, 9};
  struct vtcp_segment s = garbage(), want = blank();
  uint32_t text = 0;

  (void)state;
  want.seq = 0x11223344;
  want.ack = 0x55667788;
  want.wnd = 0x9abc;
  want.up = 0xdef0; /* without URG, as S3_1 has it: stored, not judged */
  want.len = 3;
  assert_int_equal(parse(b, sizeof b, &s, &text), VTCP_WIRE_OK);
  assert_int_equal(text, 20);
  assert_same(&s, &want);
}

static void test_each_flag(void **state)
{
  (void)state;
  for (unsigned flags = 0; flags < 256; flags++) {
    uint8_t b[20] = {0};
    struct vtcp_segment s = garbage(), want = blank();
    uint32_t text = 0;

    b[12] = 0x50;
    b[13] = (uint8_t)flags;
    want.fin = (flags & 0x01) != 0;
    want.syn = (flags & 0x02) != 0;
    want.rst = (flags & 0x04) != 0;
    want.psh = (flags & 0x08) != 0;
    want.has_ack = (flags & 0x10) != 0;
    want.urg = (flags & 0x20) != 0;
    want.ece = (flags & 0x40) != 0;
    want.cwr = (flags & 0x80) != 0;
    assert_int_equal(parse(b, 20, &s, &text), VTCP_WIRE_OK);
    assert_same(&s, &want);
    assert_int_equal(vtcp_emit(&s, b, 20), 20);
    assert_int_equal(b[13], flags);
  }
}

static void test_reserved_bits_ignored(void **state)
{
  (void)state;
  for (unsigned reserved = 0; reserved < 16; reserved++) {
    uint8_t b[40];
    struct vtcp_segment s = garbage(), want = garbage();
    uint32_t text = 0;

    memcpy(b, linux_syn, sizeof b);
    assert_int_equal(parse(b, sizeof b, &want, &text), VTCP_WIRE_OK);
    b[12] = (uint8_t)(b[12] | reserved);
    assert_int_equal(parse(b, sizeof b, &s, &text), VTCP_WIRE_OK);
    assert_same(&s, &want);
  }
}

static void test_truncated_at_every_length(void **state)
{
  (void)state;
  for (size_t n = 0; n < sizeof linux_syn; n++) {
    struct vtcp_segment s = garbage(), before = garbage();
    uint32_t text = 4711;

    assert_int_equal(parse(linux_syn, n, &s, &text), n < 20 ? VTCP_WIRE_SHORT : VTCP_WIRE_BAD_OFFSET);
    assert_int_equal(text, 4711);
    assert_same(&s, &before);
  }
}

static void test_every_data_offset(void **state)
{
  (void)state;
  for (unsigned offset = 0; offset < 16; offset++) {
    for (uint32_t n = 20; n <= 64; n++) {
      uint8_t b[64] = {0};
      struct vtcp_segment s = garbage(), before = garbage();
      uint32_t text = 4711;
      bool good = offset >= 5 && 4 * offset <= n;

      b[12] = (uint8_t)(offset << 4);
      assert_int_equal(parse(b, n, &s, &text), good ? VTCP_WIRE_OK : VTCP_WIRE_BAD_OFFSET);
      assert_int_equal(text, good ? 4 * offset : 4711);
      if (good)
        assert_int_equal(s.len, n - 4 * offset);
      else
        assert_same(&s, &before);
    }
  }
}

static void test_text_of_65535_octets_and_more(void **state)
{
  uint8_t *b = (uint8_t *)calloc(1, 65600);
  struct vtcp_segment s = garbage(), before = garbage();
  uint32_t text = 4711;

  (void)state;
  assert_non_null(b);
  b[12] = 0x60;
  assert_int_equal(vtcp_parse(b, 65535 + 25, &s, &text), VTCP_WIRE_LONG);
  assert_int_equal(text, 4711);
  assert_same(&s, &before);
  assert_int_equal(vtcp_parse(b, 65535 + 24, &s, &text), VTCP_WIRE_OK);
  assert_int_equal(text, 24);
  assert_int_equal(s.len, 65535);
  free(b);
}

/* --- Options --- */

static void test_MUST_4_mss(void **state)
{
  struct vtcp_segment s, want = blank();

  (void)state;
  want.has_mss = true;
  want.mss = 0x1234;
  assert_int_equal(parse_options(OPTIONS(2, 4, 0x12, 0x34), 4, &s), VTCP_WIRE_OK);
  assert_same(&s, &want);
}

static void test_wscale_capped_at_14(void **state)
{
  (void)state;
  for (unsigned shift = 0; shift < 256; shift++) {
    struct vtcp_segment s, want = blank();

    want.has_wscale = true;
    want.wscale = (uint8_t)(shift > 14 ? 14 : shift);
    assert_int_equal(parse_options(OPTIONS(3, 3, (uint8_t)shift), 4, &s), VTCP_WIRE_OK);
    assert_same(&s, &want);
  }
}

static void test_sack_permitted(void **state)
{
  struct vtcp_segment s, want = blank();

  (void)state;
  want.sack_permitted = true;
  assert_int_equal(parse_options(OPTIONS(4, 2), 4, &s), VTCP_WIRE_OK);
  assert_same(&s, &want);
}

static void test_timestamps(void **state)
{
  struct vtcp_segment s, want = blank();

  (void)state;
  want.has_ts = true;
  want.tsval = 0x01020304;
  want.tsecr = 0xfffefdfc;
  assert_int_equal(parse_options(OPTIONS(8, 10, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc), 12, &s), VTCP_WIRE_OK);
  assert_same(&s, &want);
}

static void test_user_timeout(void **state)
{
  struct vtcp_segment s, want = blank();

  (void)state;
  want.has_uto = true;
  want.uto = 0x8005; /* five minutes */
  assert_int_equal(parse_options(OPTIONS(28, 4, 0x80, 5), 4, &s), VTCP_WIRE_OK);
  assert_same(&s, &want);
}

static void test_sack_of_one_to_four_blocks(void **state)
{
  (void)state;
  for (unsigned n = 1; n <= 4; n++) {
    uint8_t o[34] = {5, (uint8_t)(8 * n + 2)};
    struct vtcp_segment s, want = blank();

    want.sack_count = (uint8_t)n;
    for (unsigned k = 0; k < 8 * n; k++)
      o[2 + k] = (uint8_t)(0xa0 + k);
    for (unsigned k = 0; k < n; k++) {
      want.sack[k].left = 0xa0a1a2a3 + 0x08080808 * k;
      want.sack[k].right = 0xa4a5a6a7 + 0x08080808 * k;
    }
    assert_int_equal(parse_options(o, 8 * n + 2, 40, &s), VTCP_WIRE_OK);
    assert_same(&s, &want);
  }
}

static void test_second_sack_replaces_the_first(void **state)
{
  struct vtcp_segment s, want = blank();

  (void)state;
  want.sack_count = 1;
  want.sack[0].left = 0x01010101;
  want.sack[0].right = 0x02020202;
  assert_int_equal(parse_options(OPTIONS(5, 18, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 5, 10, 1, 1, 1, 1, 2, 2, 2, 2), 28,
                                 &s),
                   VTCP_WIRE_OK);
  assert_same(&s, &want);
}

/* Each known kind with every length that is not its own, in a list that has room for it: passed over, and what follows read. */
static void test_MUST_6_known_kind_of_wrong_length(void **state)
{
  static const uint8_t kinds[] = {2, 3, 4, 5, 8, 28};

  (void)state;
  for (size_t k = 0; k < sizeof kinds; k++) {
    for (uint8_t length = 2; length <= 36; length++) {
      uint8_t o[40] = {kinds[k], length};
      struct vtcp_segment s, want = blank();
      uint8_t kind = kinds[k];
      bool own = (kind == 2 || kind == 28) ? length == 4 : kind == 3 ? length == 3 : kind == 4 ? length == 2
        : kind == 8 ? length == 10 : length == 10 || length == 18 || length == 26 || length == 34;

      if (own)
        continue;
      memset(o + 2, 0xee, length - 2u);
      o[length] = 2;
      o[length + 1] = 4;
      o[length + 2] = 5;
      o[length + 3] = 0xb4;
      want.has_mss = true;
      want.mss = 1460;
      assert_int_equal(parse_options(o, length + 4u, 40, &s), VTCP_WIRE_OK);
      assert_same(&s, &want);
    }
  }
}

static void test_MUST_6_unknown_kinds(void **state)
{
  (void)state;
  for (unsigned kind = 6; kind < 256; kind++) {
    struct vtcp_segment s, want = blank();

    if (kind == 8 || kind == 28)
      continue;
    want.sack_permitted = true;
    assert_int_equal(parse_options(OPTIONS((uint8_t)kind, 5, 2, 4, 9, 4, 2), 8, &s), VTCP_WIRE_OK);
    assert_same(&s, &want);
  }
}

/* Every kind, every illegal length, at the front and behind a good option. */
static void test_MUST_7_illegal_length(void **state)
{
  (void)state;
  for (unsigned kind = 2; kind < 256; kind++) {
    for (unsigned length = 0; length < 256; length++) {
      struct vtcp_segment s, want = blank();

      if (2 <= length && length <= 12)
        continue;
      assert_int_equal(parse_options(OPTIONS((uint8_t)kind, (uint8_t)length, 2, 4, 1, 1, 2, 4, 1, 1), 12, &s),
                       VTCP_WIRE_BAD_OPTION);
      assert_no_options(&s);
      want.sack_permitted = true;
      assert_int_equal(parse_options(OPTIONS(4, 2, (uint8_t)kind, (uint8_t)length, 2, 4, 1, 1), 12, &s), VTCP_WIRE_BAD_OPTION);
      assert_same(&s, &want);
    }
  }
}

/* A list of 12 octets ends in an option that says one octet more than is left; one octet less is legal. */
static void test_MUST_7_option_beyond_the_header(void **state)
{
  (void)state;
  for (unsigned at = 0; at < 11; at++) {
    for (unsigned more = 0; more < 2; more++) {
      uint8_t o[12];
      struct vtcp_segment s;

      memset(o, 1, sizeof o);
      o[at] = 254;
      o[at + 1] = (uint8_t)(12 - at + more);
      assert_int_equal(parse_options(o, 12, 12, &s), more ? VTCP_WIRE_BAD_OPTION : VTCP_WIRE_OK);
      assert_no_options(&s);
    }
  }
}

static void test_MUST_7_kind_in_the_last_octet(void **state)
{
  (void)state;
  for (unsigned kind = 0; kind < 256; kind++) {
    struct vtcp_segment s;

    assert_int_equal(parse_options(OPTIONS(1, 1, 1, (uint8_t)kind), 4, &s), kind < 2 ? VTCP_WIRE_OK : VTCP_WIRE_BAD_OPTION);
    assert_no_options(&s);
  }
}

/* The text is no part of the list: an option cut off by the end of the header is not completed from it. */
static void test_option_does_not_reach_into_text(void **state)
{
  const uint8_t b[28] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 4, 5, 0xb4, 0, 0};
  struct vtcp_segment s = garbage(), want = blank();
  uint32_t text = 0;

  (void)state;
  want.len = 4;
  assert_int_equal(parse(b, sizeof b, &s, &text), VTCP_WIRE_BAD_OPTION);
  assert_int_equal(text, 24);
  assert_same(&s, &want);
}

static void test_end_of_list_ends(void **state)
{
  struct vtcp_segment s;

  (void)state;
  assert_int_equal(parse_options(OPTIONS(0, 4, 2, 0, 2, 4, 5, 0xb4), 8, &s), VTCP_WIRE_OK);
  assert_no_options(&s);
}

static void test_MUST_64_any_boundary(void **state)
{
  (void)state;
  for (unsigned nops = 0; nops <= 30; nops++) {
    uint8_t o[40];
    struct vtcp_segment s, want = blank();
    const uint8_t ts[10] = {8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

    memset(o, 1, sizeof o);
    memcpy(o + nops, ts, sizeof ts);
    want.has_ts = true;
    want.tsval = 0x01020304;
    want.tsecr = 0x05060708;
    assert_int_equal(parse_options(o, 40, 40, &s), VTCP_WIRE_OK);
    assert_same(&s, &want);
  }
}

/* MUST_5: without SYN, with data, with RST: the options are read all the same. */
static void test_MUST_5_any_segment(void **state)
{
  (void)state;
  for (unsigned flags = 0; flags < 256; flags++) {
    uint8_t b[45] = {0};
    struct vtcp_segment s = garbage();
    uint32_t text = 0;

    memcpy(b, linux_syn, 40);
    b[13] = (uint8_t)flags;
    assert_int_equal(parse(b, sizeof b, &s, &text), VTCP_WIRE_OK);
    assert_true(s.has_mss && s.has_wscale && s.sack_permitted && s.has_ts);
    assert_int_equal(s.mss, 1460);
    assert_int_equal(s.tsval, 0x2acb8038);
    assert_int_equal(s.len, 5);
  }
}

/* --- Writing --- */

static void test_emit_linux_syn(void **state)
{
  struct vtcp_segment s = garbage();
  uint32_t text = 0;
  uint8_t b[40], want[40];

  (void)state;
  memset(b, 0xee, sizeof b);
  memcpy(want, linux_syn, sizeof want);
  memset(want, 0, 4);      /* ports */
  memset(want + 16, 0, 2); /* checksum */
  assert_int_equal(parse(linux_syn, sizeof linux_syn, &s, &text), VTCP_WIRE_OK);
  assert_int_equal(vtcp_emit(&s, b, sizeof b), 40);
  assert_memory_equal(b, want, sizeof want);
}

/* An acknowledgment with timestamps and two SACK blocks, as Linux lays it out. */
static void test_emit_sack_with_timestamps(void **state)
{
  const uint8_t want[52] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0xd0, 0x10, 0x01, 0xf5, 0, 0, 0, 0,
                            1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4,
                            1, 1, 5, 18, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8};
  struct vtcp_segment s = blank();
  uint8_t b[52];

  (void)state;
  s.seq = 1;
  s.ack = 2;
  s.has_ack = true;
  s.wnd = 501;
  s.has_ts = true;
  s.tsval = 3;
  s.tsecr = 4;
  s.sack_count = 2;
  s.sack[0].left = 5;
  s.sack[0].right = 6;
  s.sack[1].left = 7;
  s.sack[1].right = 8;
  assert_int_equal(vtcp_emit(&s, b, sizeof b), 52);
  assert_memory_equal(b, want, sizeof want);
}

static void test_emit_lone_options(void **state)
{
  const uint8_t sack_permitted[4] = {1, 1, 4, 2}, uto[4] = {28, 4, 0x80, 1};
  struct vtcp_segment s = blank();
  uint8_t b[24];

  (void)state;
  s.sack_permitted = true;
  assert_int_equal(vtcp_emit(&s, b, sizeof b), 24);
  assert_memory_equal(b + 20, sack_permitted, 4);
  s = blank();
  s.has_uto = true;
  s.uto = 0x8001;
  assert_int_equal(vtcp_emit(&s, b, sizeof b), 24);
  assert_memory_equal(b + 20, uto, 4);
}

static struct vtcp_segment combination(unsigned choice)
{
  struct vtcp_segment s = blank();

  s.seq = 0x80818283;
  s.ack = 0xfcfdfeff;
  s.wnd = 0xfff0;
  s.up = 0x0102;
  s.len = (uint16_t)(choice % 3);
  s.has_ack = true;
  s.psh = choice % 2 == 1;
  s.has_mss = choice % 2 == 1;
  s.has_wscale = choice / 2 % 2 == 1;
  s.sack_permitted = choice / 4 % 2 == 1;
  s.has_ts = choice / 8 % 2 == 1;
  s.has_uto = choice / 16 % 2 == 1;
  s.sack_count = (uint8_t)(choice / 32 % 5);
  s.mss = s.has_mss ? 0xf1f2 : 0;
  s.wscale = s.has_wscale ? 14 : 0;
  s.tsval = s.has_ts ? 0xe1e2e3e4 : 0;
  s.tsecr = s.has_ts ? 0xd1d2d3d4 : 0;
  s.uto = s.has_uto ? 0xc1c2 : 0;
  for (unsigned k = 0; k < s.sack_count; k++) {
    s.sack[k].left = 0xb0b1b2b3 + k;
    s.sack[k].right = 0xa0a1a2a3 - k;
  }
  return s;
}

/* All 160 combinations of options: what is written fits its length, is read back the same, and nothing else is touched;
 * one octet less of room, or more than 40 octets of options, and nothing at all is. */
static void test_round_trip_of_every_combination(void **state)
{
  unsigned fitting = 0;

  (void)state;
  for (unsigned choice = 0; choice < 160; choice++) {
    struct vtcp_segment s = combination(choice), back = garbage();
    uint32_t options = (s.has_mss ? 4u : 0u) + (s.has_wscale ? 4u : 0u) + (s.has_ts ? 12u : s.sack_permitted ? 4u : 0u)
      + (s.has_uto ? 4u : 0u) + (s.sack_count ? 4u + 8u * s.sack_count : 0u);
    uint8_t b[128], untouched[128];
    uint32_t text = 0;

    memset(b, 0x5a, sizeof b);
    memset(untouched, 0x5a, sizeof untouched);
    if (options > 40) {
      assert_int_equal(vtcp_emit(&s, b, sizeof b), 0);
      assert_memory_equal(b, untouched, sizeof b);
      continue;
    }
    fitting++;
    assert_int_equal(vtcp_emit(&s, b, 20 + options - 1), 0);
    assert_memory_equal(b, untouched, sizeof b);
    assert_int_equal(vtcp_emit(&s, b, 20 + options), 20 + options);
    assert_memory_equal(b + 20 + options, untouched, sizeof b - 20 - options);
    assert_int_equal(b[12], (20 + options) * 4);
    assert_int_equal(b[16] + b[17], 0);
    assert_int_equal(parse(b, 20 + options + s.len, &back, &text), VTCP_WIRE_OK);
    assert_int_equal(text, 20 + options);
    assert_same(&back, &s);
  }
  assert_int_equal(fitting, 32 + 32 + 30 + 17 + 5); /* with 0, 1, 2, 3, 4 blocks */
}

static void test_emit_refuses_five_blocks(void **state)
{
  (void)state;
  for (unsigned n = 5; n < 256; n++) {
    struct vtcp_segment s = blank();
    uint8_t b[128], untouched[128];

    memset(b, 0x5a, sizeof b);
    memset(untouched, 0x5a, sizeof untouched);
    s.sack_count = (uint8_t)n;
    assert_int_equal(vtcp_emit(&s, b, sizeof b), 0);
    assert_memory_equal(b, untouched, sizeof b);
  }
}

static void test_emit_without_room(void **state)
{
  (void)state;
  for (uint32_t room = 0; room < 20; room++) {
    struct vtcp_segment s = blank();
    uint8_t b[20], untouched[20];

    memset(b, 0x5a, sizeof b);
    memset(untouched, 0x5a, sizeof untouched);
    assert_int_equal(vtcp_emit(&s, b, room), 0);
    assert_memory_equal(b, untouched, sizeof b);
  }
}

/* --- Checksum --- */

/* RFC 1071, section 3: the sum of this example is ddf2. */
static void test_checksum_of_rfc1071(void **state)
{
  const uint8_t b[8] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

  (void)state;
  assert_int_equal(vtcp_checksum(0, b, sizeof b), 0xffff - 0xddf2);
}

static void test_MUST_3_checksum_of_linux_syn(void **state)
{
  uint8_t b[40];

  (void)state;
  memcpy(b, linux_syn, sizeof b);
  assert_int_equal(vtcp_checksum(LINUX_SYN_PSEUDO, b, sizeof b), 0);
  b[16] = b[17] = 0;
  assert_int_equal(vtcp_checksum(LINUX_SYN_PSEUDO, b, sizeof b), 0x5564);
  for (size_t k = 0; k < sizeof b; k++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      uint8_t bad[40];

      memcpy(bad, linux_syn, sizeof bad);
      bad[k] = (uint8_t)(bad[k] ^ 1u << bit);
      assert_int_not_equal(vtcp_checksum(LINUX_SYN_PSEUDO, bad, sizeof bad), 0);
    }
  }
}

static void test_checksum_of_nothing(void **state)
{
  const uint8_t zero[3] = {0, 0, 0};

  (void)state;
  assert_int_equal(vtcp_checksum(0, zero, 0), 0xffff);
  assert_int_equal(vtcp_checksum(0, zero, 3), 0xffff);
  assert_int_equal(vtcp_checksum(0xffff, zero, 0), 0);
  assert_int_equal(vtcp_checksum(0x1fffe, zero, 2), 0);
  assert_int_equal(vtcp_checksum(0xffffffff, zero, 0), 0);
  assert_int_equal(vtcp_checksum(0x10000, zero, 0), 0xfffe);
}

/* More octets than a segment has: the carries have carries. */
static void test_checksum_of_much(void **state)
{
  (void)state;
  enum { FULL = 4 * 65537, LENGTH = FULL + 12 };
  static uint8_t b[LENGTH];
  uint64_t sum = 0;
  memset(b, 0xff, FULL);
  b[FULL + 2] = 1;
  for (uint32_t i = 0; i < LENGTH; i += 2) {
    sum += b[i] * 256u + b[i + 1];
  }
  while (sum > 65535) {
    sum = sum % 65536 + sum / 65536;
  }
  assert_int_equal(vtcp_checksum(0, b, LENGTH), 65535 - sum);
}

/* The definition, word by word, with end-around carry. */
static uint16_t slow_checksum(uint32_t pseudo, const uint8_t *b, uint32_t n)
{
  uint32_t sum = pseudo % 65536 + pseudo / 65536;

  sum = sum > 65535 ? sum - 65535 : sum;
  for (uint32_t i = 0; i < n; i += 2) {
    sum += b[i] * 256u + (i + 1 < n ? b[i + 1] : 0u);
    sum = sum > 65535 ? sum - 65535 : sum;
  }
  return (uint16_t)(65535 - sum);
}

/* Every length up to 200 at both alignments, pseudo-random and all-ones octets; and the law: with the checksum in place, 0. */
static void test_checksum_law(void **state)
{
  uint32_t r = 2463534242u;

  (void)state;
  for (uint32_t n = 0; n <= 200; n++) {
    for (unsigned shape = 0; shape < 4; shape++) {
      uint8_t room[202];
      uint8_t *b = room + shape % 2;

      for (uint32_t i = 0; i < n; i++) {
        r ^= r << 13;
        r ^= r >> 17;
        r ^= r << 5;
        b[i] = (uint8_t)(shape < 2 ? r : 0xff);
      }
      assert_int_equal(vtcp_checksum(r, b, n), slow_checksum(r, b, n));
      if (n >= 18) {
        b[16] = b[17] = 0;
        uint16_t sum = vtcp_checksum(r, b, n);
        b[16] = (uint8_t)(sum / 256);
        b[17] = (uint8_t)(sum % 256);
        assert_int_equal(vtcp_checksum(r, b, n), 0);
      }
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_linux_syn),
    cmocka_unit_test(test_checksum_of_much),
    cmocka_unit_test(test_fields),
    cmocka_unit_test(test_each_flag),
    cmocka_unit_test(test_reserved_bits_ignored),
    cmocka_unit_test(test_truncated_at_every_length),
    cmocka_unit_test(test_every_data_offset),
    cmocka_unit_test(test_text_of_65535_octets_and_more),
    cmocka_unit_test(test_MUST_4_mss),
    cmocka_unit_test(test_wscale_capped_at_14),
    cmocka_unit_test(test_sack_permitted),
    cmocka_unit_test(test_timestamps),
    cmocka_unit_test(test_user_timeout),
    cmocka_unit_test(test_sack_of_one_to_four_blocks),
    cmocka_unit_test(test_second_sack_replaces_the_first),
    cmocka_unit_test(test_MUST_6_known_kind_of_wrong_length),
    cmocka_unit_test(test_MUST_6_unknown_kinds),
    cmocka_unit_test(test_MUST_7_illegal_length),
    cmocka_unit_test(test_MUST_7_option_beyond_the_header),
    cmocka_unit_test(test_MUST_7_kind_in_the_last_octet),
    cmocka_unit_test(test_option_does_not_reach_into_text),
    cmocka_unit_test(test_end_of_list_ends),
    cmocka_unit_test(test_MUST_64_any_boundary),
    cmocka_unit_test(test_MUST_5_any_segment),
    cmocka_unit_test(test_emit_linux_syn),
    cmocka_unit_test(test_emit_sack_with_timestamps),
    cmocka_unit_test(test_emit_lone_options),
    cmocka_unit_test(test_round_trip_of_every_combination),
    cmocka_unit_test(test_emit_refuses_five_blocks),
    cmocka_unit_test(test_emit_without_room),
    cmocka_unit_test(test_checksum_of_rfc1071),
    cmocka_unit_test(test_MUST_3_checksum_of_linux_syn),
    cmocka_unit_test(test_checksum_of_nothing),
    cmocka_unit_test(test_checksum_law),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
