/* The wire codec: octets to segment, segment to octets, checksum (RFC 9293, sections 3.1 and 3.2; RFC 1071).
 *
 * As tolerant as the RFC asks: options at any octet boundary (MUST-64) and in any segment (MUST-5), unknown kinds passed
 * over by their length (MUST-6), an illegal length ends the list (MUST-7), reserved bits mean nothing on receipt and are
 * zero when sent. Octets are read and written one at a time in network order, so that the host's byte order and the
 * buffer's alignment do not matter; compilers join them into one load or store. SPDX-License-Identifier: MIT */
#include "../include/vtcp.h"

/* Option kinds (RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 5482). */
enum {
  KIND_END = 0,
  KIND_NOP = 1,
  KIND_MSS = 2,
  KIND_WSCALE = 3,
  KIND_SACK_PERMITTED = 4,
  KIND_SACK = 5,
  KIND_TS = 8,
  KIND_UTO = 28
};

/* --- Octets in network order --- */

/*@ // The provers know shifts by one place and that shifts add up; multiplication by a power of two follows in steps.
    logic integer shifted(integer x, integer n) = x << n;
    lemma shift_1: \forall integer x; shifted(x, 1) == 2 * x;
    lemma shift_2: \forall integer x; shifted(shifted(x, 1), 1) == (x << 2) == 4 * x;
    lemma shift_4: \forall integer x; shifted(shifted(x, 2), 2) == (x << 4) == 16 * x;
    lemma shift_8: \forall integer x; shifted(shifted(x, 4), 4) == (x << 8) == 256 * x;
*/

/*@ requires bounded: x <= 0xffffff;
    assigns \nothing;
    ensures moves: \result == 256 * x;
*/
static uint32_t octet_up(uint32_t x)
{
  return x << 8;
}

/*@ requires readable: \valid_read(b + (i .. i + 1)) && i <= 60;
    assigns \nothing;
    ensures reads: \result == wire16(b, i);
*/
static uint16_t get16(const uint8_t *b, uint32_t i)
{
  const uint8_t *p = b + i;

  return (uint16_t)(octet_up(p[0]) + p[1]);
}

/*@ requires readable: \valid_read(b + (i .. i + 3)) && i <= 60;
    assigns \nothing;
    ensures reads: \result == wire32(b, i);
*/
static uint32_t get32(const uint8_t *b, uint32_t i)
{
  const uint8_t *p = b + i;

  return octet_up(octet_up(octet_up(p[0]) + p[1]) + p[2]) + p[3];
}

/*@ requires writable: \valid(b + (i .. i + 1)) && i <= 60;
    assigns b[i .. i + 1];
    ensures writes: wire16(b, i) == v;
*/
static void put16(uint8_t *b, uint32_t i, uint16_t v)
{
  uint8_t *p = b + i;

  p[0] = (uint8_t)(v / 256u);
  p[1] = (uint8_t)(v % 256u);
}

/*@ requires writable: \valid(b + (i .. i + 3)) && i <= 60;
    assigns b[i .. i + 3];
    ensures writes: wire32(b, i) == v;
*/
static void put32(uint8_t *b, uint32_t i, uint32_t v)
{
  uint8_t *p = b + i;
  uint32_t high = v / 65536u, low = v % 65536u;

  p[0] = (uint8_t)(high / 256u);
  p[1] = (uint8_t)(high % 256u);
  p[2] = (uint8_t)(low / 256u);
  p[3] = (uint8_t)(low % 256u);
}

/* --- Reading --- */

/*@ requires weight: 0 < weight;
    assigns \nothing;
    ensures flag: \result == (flag(flags, weight) ? (_Bool)1 : (_Bool)0);
*/
static bool read_flag(uint32_t flags, uint32_t weight)
{
  return flags / weight % 2 == 1;
}

/*@ requires \valid(s) && flags <= 255;
    assigns *s;
    ensures refines: *s == with_flags(flags, \old(*s));
*/
static void read_flags(uint32_t flags, struct vtcp_segment *s)
{
  s->fin = read_flag(flags, 1);
  s->syn = read_flag(flags, 2);
  s->rst = read_flag(flags, 4);
  s->psh = read_flag(flags, 8);
  s->has_ack = read_flag(flags, 16);
  s->urg = read_flag(flags, 32);
  s->ece = read_flag(flags, 64);
  s->cwr = read_flag(flags, 128);
}

/* The fields that every header has, whatever the flags say about their meaning. */
/*@ requires readable: \valid_read(b + (0 .. 19));
    requires \valid(s) && \separated(s, b + (..));
    assigns *s;
    ensures refines: *s == with_fields(b, \old(*s));
*/
static void read_fields(const uint8_t *b, struct vtcp_segment *s)
{
  s->seq = get32(b, 4);
  s->ack = get32(b, 8);
  s->wnd = get16(b, 14);
  s->up = get16(b, 18);
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == without_options(\old(*s));
*/
static void no_options(struct vtcp_segment *s)
{
  s->has_mss = false;
  s->mss = 0;
  s->has_wscale = false;
  s->wscale = 0;
  s->sack_permitted = false;
  s->has_ts = false;
  s->tsval = 0;
  s->tsecr = 0;
  s->has_uto = false;
  s->uto = 0;
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == without_sack(\old(*s));
*/
static void no_sack(struct vtcp_segment *s)
{
  s->sack_count = 0;
  s->sack[0].left = 0;
  s->sack[0].right = 0;
  s->sack[1].left = 0;
  s->sack[1].right = 0;
  s->sack[2].left = 0;
  s->sack[2].right = 0;
  s->sack[3].left = 0;
  s->sack[3].right = 0;
}

/* How long the option at i is; 0 if the list ends there, be it by its end, by an end-of-list option or by an illegal
 * length: below 2 it would not cover its own two octets, and beyond n it would cover text. */
/*@ requires readable: 20 <= i <= n <= 60 && \valid_read(b + (0 .. n - 1));
    assigns \nothing;
    ensures MUST_7: \result == 0 <==> list_ends(b, n, i);
    ensures MUST_68: \result != 0 ==> \result == option_length(b, i) && i + \result <= n;
*/
static uint32_t next_option(const uint8_t *b, uint32_t n, uint32_t i)
{
  if (i >= n || b[i] == KIND_END)
    return 0;
  if (b[i] == KIND_NOP)
    return 1;
  if (n - i < 2 || b[i + 1] < 2 || b[i + 1] > n - i)
    return 0;
  return b[i + 1];
}

/* RFC 7323, section 2.3: a shift above 14 is taken as 14. */
/*@ requires readable: \valid_read(b + (i .. i + 2)) && i + 3 <= 60;
    requires \valid(s) && \separated(s, b + (..));
    assigns *s;
    ensures refines: *s == with_wscale(b[i + 2], \old(*s));
    ensures R7323_2_3: s->wscale <= 14;
*/
static void take_wscale(const uint8_t *b, uint32_t i, struct vtcp_segment *s)
{
  s->has_wscale = true;
  s->wscale = b[i + 2] > 14 ? 14 : b[i + 2];
}

/*@ requires readable: \valid_read(b + (i .. i + 9)) && i + 10 <= 60;
    requires \valid(s) && \separated(s, b + (..));
    assigns *s;
    ensures refines: *s == with_ts(wire32(b, i + 2), wire32(b, i + 6), \old(*s));
*/
static void take_ts(const uint8_t *b, uint32_t i, struct vtcp_segment *s)
{
  s->has_ts = true;
  s->tsval = get32(b, i + 2);
  s->tsecr = get32(b, i + 6);
}

/*@ requires readable: present ==> \valid_read(b + (i .. i + 3)) && i + 4 <= 60;
    requires bounded: i <= 90;
    assigns \nothing;
    ensures reads: \result == edge(b, i, present ? \true : \false);
*/
static uint32_t sack_edge(const uint8_t *b, uint32_t i, bool present)
{
  return present ? get32(b, i) : 0;
}

/* RFC 2018, section 3: 8n + 2 octets. Blocks that are not there become zero: a second SACK option replaces the first. */
/*@ requires length: blocks_in(length) > 0;
    requires readable: \valid_read(b + (i .. i + length - 1)) && i + length <= 60;
    requires \valid(s) && \separated(s, b + (..));
    assigns *s;
    ensures refines: *s == with_sack(b, i, blocks_in(length), \old(*s));
    ensures normal: normal_sack(*s);
*/
static void take_sack(const uint8_t *b, uint32_t i, uint32_t length, struct vtcp_segment *s)
{
  s->sack_count = length == 34 ? 4 : length == 26 ? 3 : length == 18 ? 2 : 1;
  s->sack[0].left = get32(b, i + 2);
  s->sack[0].right = get32(b, i + 6);
  s->sack[1].left = sack_edge(b, i + 10, length >= 18);
  s->sack[1].right = sack_edge(b, i + 14, length >= 18);
  s->sack[2].left = sack_edge(b, i + 18, length >= 26);
  s->sack[2].right = sack_edge(b, i + 22, length >= 26);
  s->sack[3].left = sack_edge(b, i + 26, length == 34);
  s->sack[3].right = sack_edge(b, i + 30, length == 34);
}

/*@ assigns \nothing;
    ensures R2018_3: \result <==> blocks_in(length) > 0;
*/
static bool sack_length(uint32_t length)
{
  return length == 10 || length == 18 || length == 26 || length == 34;
}

/* A known kind with another length than its own is not usable, so it is passed over like an unknown one (MUST-6). */
/*@ requires length: length == option_length(b, i) && 1 <= length;
    requires readable: \valid_read(b + (i .. i + length - 1)) && i + length <= 60;
    requires \valid(s) && \separated(s, b + (..));
    assigns *s;
    ensures refines: *s == with_option(b, i, \old(*s));
    ensures len: s->len == \old(s->len);
    ensures MUST_6: b[i] != 2 && b[i] != 3 && b[i] != 4 && b[i] != 5 && b[i] != 8 && b[i] != 28 ==> *s == \old(*s);
    ensures MUST_4: b[i] == 2 && length == 4 ==> s->has_mss && s->mss == wire16(b, i + 2);
    ensures normal: normal_segment(\old(*s)) ==> normal_segment(*s);
*/
static void take_option(const uint8_t *b, uint32_t i, uint32_t length, struct vtcp_segment *s)
{
  if (b[i] == KIND_MSS && length == 4) {
    s->has_mss = true;
    s->mss = get16(b, i + 2);
  } else if (b[i] == KIND_WSCALE && length == 3) {
    take_wscale(b, i, s);
  } else if (b[i] == KIND_SACK_PERMITTED && length == 2) {
    s->sack_permitted = true;
  } else if (b[i] == KIND_SACK && sack_length(length)) {
    take_sack(b, i, length, s);
  } else if (b[i] == KIND_TS && length == 10) {
    take_ts(b, i, s);
  } else if (b[i] == KIND_UTO && length == 4) {
    s->has_uto = true;
    s->uto = get16(b, i + 2);
  }
}

/* The options of a header of n octets. */
/*@ requires readable: 20 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires \valid(s) && \separated(s, b + (..));
    requires normal: normal_segment(*s);
    assigns *s;
    ensures MUST_5: *s == options_from(b, n, 20, \old(*s));
    ensures len: s->len == \old(s->len);
    ensures MUST_7: \result == (illegal_length(b, n, list_end(b, n, 20)) ? VTCP_WIRE_BAD_OPTION : VTCP_WIRE_OK);
    ensures normal: normal_segment(*s);
*/
static enum vtcp_wire read_options(const uint8_t *b, uint32_t n, struct vtcp_segment *s)
{
  uint32_t i = 20, length = next_option(b, n, 20);

  /*@ loop invariant bound: 20 <= i <= n && i + length <= n;
      loop invariant here: (length == 0 <==> list_ends(b, n, i)) && (length != 0 ==> length == option_length(b, i));
      loop invariant reads: options_from(b, n, 20, \at(*s, Pre)) == options_from(b, n, i, *s);
      loop invariant ends: list_end(b, n, 20) == list_end(b, n, i);
      loop invariant normal: normal_segment(*s);
      loop invariant len: s->len == \at(s->len, Pre);
      loop assigns i, length, *s;
      loop variant n - i; */
  while (length != 0) {
    /*@ assert unfolds: options_from(b, n, i, *s) == options_from(b, n, i + length, with_option(b, i, *s)); */
    /*@ assert moves_on: list_end(b, n, i) == list_end(b, n, i + length); */
    take_option(b, i, length, s);
    i += length;
    length = next_option(b, n, i);
  }
  return i >= n || b[i] == KIND_END ? VTCP_WIRE_OK : VTCP_WIRE_BAD_OPTION;
}

enum vtcp_wire vtcp_parse(const uint8_t *octets, uint32_t length, struct vtcp_segment *segment, uint32_t *text)
{
  if (length < 20)
    return VTCP_WIRE_SHORT;

  uint32_t header = octets[12] / 16u * 4u;
  if (header < 20 || header > length)
    return VTCP_WIRE_BAD_OFFSET;
  if (length - header > 65535)
    return VTCP_WIRE_LONG;

  read_fields(octets, segment);
  read_flags(octets[13], segment);
  segment->len = (uint16_t)(length - header);
  no_options(segment);
  no_sack(segment);
  *text = header;
  return read_options(octets, header, segment);
}

/* --- Writing --- */

/* Each group of options below is a multiple of four octets long, no-operations in front, so the header needs no padding
 * and no end-of-list option; timestamps lie on a boundary of four octets (RFC 7323, appendix A). */

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures size: \result == mss_size(*s);
*/
static uint32_t mss_size(const struct vtcp_segment *s)
{
  return s->has_mss ? 4 : 0;
}

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures size: \result == ts_size(*s);
*/
static uint32_t ts_size(const struct vtcp_segment *s)
{
  return s->has_ts ? 12 : s->sack_permitted ? 4 : 0;
}

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures size: \result == wscale_size(*s);
*/
static uint32_t wscale_size(const struct vtcp_segment *s)
{
  return s->has_wscale ? 4 : 0;
}

/*@ requires \valid_read(s) && s->sack_count <= 4;
    assigns \nothing;
    ensures size: \result == sack_size(*s);
*/
static uint32_t sack_size(const struct vtcp_segment *s)
{
  return s->sack_count > 0 ? 4 + 8u * s->sack_count : 0;
}

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures size: \result == uto_size(*s);
*/
static uint32_t uto_size(const struct vtcp_segment *s)
{
  return s->has_uto ? 4 : 0;
}

/*@ requires \valid_read(s) && s->sack_count <= 4;
    assigns \nothing;
    ensures size: \result == header_size(*s) && 20 <= \result <= 80;
*/
static uint32_t header_size(const struct vtcp_segment *s)
{
  return 20 + mss_size(s) + ts_size(s) + wscale_size(s) + uto_size(s) + sack_size(s);
}

/*@ requires \valid_read(s);
    assigns \nothing;
    ensures flags: \result == flags_of(*s);
*/
static uint8_t flags_octet(const struct vtcp_segment *s)
{
  uint32_t low = (s->fin ? 1u : 0u) + (s->syn ? 2u : 0u) + (s->rst ? 4u : 0u) + (s->psh ? 8u : 0u);
  uint32_t high = (s->has_ack ? 16u : 0u) + (s->urg ? 32u : 0u) + (s->ece ? 64u : 0u) + (s->cwr ? 128u : 0u);

  return (uint8_t)(low + high);
}

/* Reserved bits and checksum are zero, and so are the ports, which the connection does not know. */
/*@ requires writable: \valid(b + (0 .. 19)) && 20 <= header <= 60 && header % 4 == 0;
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[0 .. 19];
    ensures writes: fields_written(b, header, *s);
*/
static void write_fields(uint8_t *b, uint32_t header, const struct vtcp_segment *s)
{
  put16(b, 0, 0);
  put16(b, 2, 0);
  put32(b, 4, s->seq);
  put32(b, 8, s->ack);
  b[12] = (uint8_t)(header * 4);
  b[13] = flags_octet(s);
  put16(b, 14, s->wnd);
  put16(b, 16, 0);
  put16(b, 18, s->up);
}

/*@ requires writable: \valid(b + (i .. i + 1)) && i <= 60;
    assigns b[i .. i + 1];
    ensures writes: octets_are(b, i, first, second);
*/
static void put_octets(uint8_t *b, uint32_t i, uint8_t first, uint8_t second)
{
  b[i] = first;
  b[i + 1] = second;
}

/*@ requires writable: 20 <= i && i + mss_size(*s) <= 60 && \valid(b + (i .. i + mss_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. i + mss_size(*s) - 1];
    ensures writes: mss_written(b, i, *s);
*/
static void write_mss(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_mss)
    return;
  put_octets(b, i, KIND_MSS, 4);
  put16(b, i + 2, s->mss);
}

/* SACK-permitted takes the place of the no-operations in front of the timestamps. */
/*@ requires writable: 20 <= i && i + ts_size(*s) <= 60 && \valid(b + (i .. i + ts_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. i + ts_size(*s) - 1];
    ensures writes: ts_written(b, i, *s);
*/
static void write_ts(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_ts && !s->sack_permitted)
    return;
  if (s->has_ts && s->sack_permitted)
    put_octets(b, i, KIND_SACK_PERMITTED, 2);
  else
    put_octets(b, i, KIND_NOP, KIND_NOP);
  if (!s->has_ts) {
    put_octets(b, i + 2, KIND_SACK_PERMITTED, 2);
    return;
  }
  put_octets(b, i + 2, KIND_TS, 10);
  put32(b, i + 4, s->tsval);
  put32(b, i + 8, s->tsecr);
}

/*@ requires writable: 20 <= i && i + wscale_size(*s) <= 60 && \valid(b + (i .. i + wscale_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. i + wscale_size(*s) - 1];
    ensures writes: wscale_written(b, i, *s);
*/
static void write_wscale(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_wscale)
    return;
  put_octets(b, i, KIND_NOP, KIND_WSCALE);
  put_octets(b, i + 2, 3, s->wscale);
}

/*@ requires writable: \valid(b + (i .. i + 7)) && i <= 52;
    assigns b[i .. i + 7];
    ensures writes: block_written(b, i, block);
*/
static void write_block(uint8_t *b, uint32_t i, struct vtcp_sack_block block)
{
  put32(b, i, block.left);
  put32(b, i + 4, block.right);
}

/*@ requires writable: i + 8 * count <= 60 && \valid(b + (i .. i + 8 * count - 1));
    requires count: 1 <= count <= 2;
    assigns b[i .. i + 8 * count - 1];
    ensures first: block_written(b, i, first);
    ensures second: count > 1 ==> block_written(b, i + 8, second);
*/
static void write_blocks(uint8_t *b, uint32_t i, uint32_t count, struct vtcp_sack_block first,
                         struct vtcp_sack_block second)
{
  write_block(b, i, first);
  if (count > 1)
    write_block(b, i + 8, second);
}

/*@ requires writable: \valid(b + (i .. i + 3)) && i <= 56;
    requires count: 1 <= count <= 4;
    assigns b[i .. i + 3];
    ensures nops: octets_are(b, i, 1, 1);
    ensures kind: octets_are(b, i + 2, 5, 2 + 8 * count);
*/
static void write_sack_kind(uint8_t *b, uint32_t i, uint32_t count)
{
  put_octets(b, i, KIND_NOP, KIND_NOP);
  put_octets(b, i + 2, KIND_SACK, (uint8_t)(2 + 8 * count));
}

/*@ requires writable: 20 <= i && i + 4 + 8 * two <= 60 && \valid(b + (i .. i + 4 + 8 * two - 1));
    requires count: s->sack_count <= 4 && two == (s->sack_count > 2 ? 2 : s->sack_count) && two > 0;
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. i + 4 + 8 * two - 1];
    ensures nops: octets_are(b, i, 1, 1);
    ensures kind: octets_are(b, i + 2, 5, 2 + 8 * s->sack_count);
    ensures first: block_written(b, i + 4, s->sack[0]);
    ensures second: two > 1 ==> block_written(b, i + 12, s->sack[1]);
*/
static void write_sack_start(uint8_t *b, uint32_t i, uint32_t two, const struct vtcp_segment *s)
{
  write_sack_kind(b, i, s->sack_count);
  write_blocks(b, i + 4, two, s->sack[0], s->sack[1]);
}

/*@ requires writable: 20 <= i && i + sack_size(*s) <= 60 && \valid(b + (i .. i + sack_size(*s) - 1));
    requires \valid_read(s) && s->sack_count <= 4 && \separated(s, b + (..));
    assigns b[i .. i + sack_size(*s) - 1];
    ensures writes: sack_written(b, i, *s);
*/
static void write_sack(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  uint32_t count = s->sack_count;

  if (count == 0)
    return;
  /*@ assert size: sack_size(*s) == 4 + 8 * count; */
  if (count <= 2) {
    write_sack_start(b, i, count, s);
    return;
  }
  write_sack_start(b, i, 2, s);
  write_blocks(b, i + 20, count - 2, s->sack[2], s->sack[3]);
  /*@ assert kind_stays: octets_are(b, i, 1, 1) && octets_are(b, i + 2, 5, 2 + 8 * count); */
  /*@ assert first_stays: block_written(b, i + 4, s->sack[0]); */
  /*@ assert second_stays: block_written(b, i + 12, s->sack[1]); */
}

/*@ requires writable: 20 <= i && i + uto_size(*s) <= 60 && \valid(b + (i .. i + uto_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. i + uto_size(*s) - 1];
    ensures writes: uto_written(b, i, *s);
*/
static void write_uto(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_uto)
    return;
  put_octets(b, i, KIND_UTO, 4);
  put16(b, i + 2, s->uto);
}

/* The groups from the front, two and three: what is written once is not touched again. */
/*@ requires writable: 20 <= ts && ts == 20 + mss_size(*s) && ts + ts_size(*s) <= 60
      && \valid(b + (20 .. ts + ts_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[20 .. ts + ts_size(*s) - 1];
    ensures mss: mss_written(b, 20, *s);
    ensures ts: ts_written(b, ts, *s);
*/
static void write_first_options(uint8_t *b, uint32_t ts, const struct vtcp_segment *s)
{
  /*@ assert mss_ends: s->has_mss ==> ts == 24; */
  write_mss(b, 20, s);
  write_ts(b, ts, s);
}

/*@ requires writable: 20 <= i && uto == i + wscale_size(*s) && uto + uto_size(*s) <= 60
      && \valid(b + (i .. uto + uto_size(*s) - 1));
    requires \valid_read(s) && \separated(s, b + (..));
    assigns b[i .. uto + uto_size(*s) - 1];
    ensures wscale: wscale_written(b, i, *s);
    ensures uto: uto_written(b, uto, *s);
*/
static void write_middle_options(uint8_t *b, uint32_t i, uint32_t uto, const struct vtcp_segment *s)
{
  /*@ assert wscale_ends: s->has_wscale ==> uto == i + 4; */
  write_wscale(b, i, s);
  write_uto(b, uto, s);
}

/*@ requires places: 20 <= i && uto == i + wscale_size(*s) && sack == uto + uto_size(*s) && sack + sack_size(*s) <= 60;
    requires writable: \valid(b + (i .. sack + sack_size(*s) - 1));
    requires \valid_read(s) && s->sack_count <= 4 && \separated(s, b + (..));
    assigns b[i .. sack + sack_size(*s) - 1];
    ensures wscale: wscale_written(b, i, *s);
    ensures uto: uto_written(b, uto, *s);
    ensures sack: sack_written(b, sack, *s);
*/
static void write_last_options(uint8_t *b, uint32_t i, uint32_t uto, uint32_t sack, const struct vtcp_segment *s)
{
  /*@ assert wscale_ends: s->has_wscale ==> sack >= i + 4; */
  /*@ assert uto_ends: s->has_uto ==> sack == uto + 4; */
  write_middle_options(b, i, uto, s);
  write_sack(b, sack, s);
}

/*@ requires writable: header_size(*s) <= 60 && \valid(b + (20 .. header_size(*s) - 1));
    requires \valid_read(s) && s->sack_count <= 4 && \separated(s, b + (..));
    assigns b[20 .. header_size(*s) - 1];
    ensures mss: mss_written(b, 20, *s);
    ensures ts: ts_written(b, ts_at(*s), *s);
    ensures wscale: wscale_written(b, wscale_at(*s), *s);
    ensures sack: sack_written(b, sack_at(*s), *s);
    ensures uto: uto_written(b, uto_at(*s), *s);
*/
static void write_options(uint8_t *b, const struct vtcp_segment *s)
{
  uint32_t ts = 20 + mss_size(s);
  uint32_t wscale = ts + ts_size(s);
  uint32_t uto = wscale + wscale_size(s);
  uint32_t sack = uto + uto_size(s);

  /*@ assert places: ts == ts_at(*s) && wscale == wscale_at(*s) && uto == uto_at(*s) && sack == sack_at(*s); */
  /*@ assert sizes: 20 + mss_size(*s) == ts && ts + ts_size(*s) == wscale && wscale + wscale_size(*s) == uto
        && uto + uto_size(*s) == sack && sack + sack_size(*s) == header_size(*s); */
  /*@ assert order: 20 <= ts <= wscale <= uto <= sack <= header_size(*s); */
  /*@ assert mss_ends: s->has_mss ==> ts == 24; */
  /*@ assert ts_ends: s->has_ts ==> wscale == ts + 12; */
  /*@ assert sack_permitted_ends: !s->has_ts && s->sack_permitted ==> wscale == ts + 4; */
  write_first_options(b, ts, s);
  write_last_options(b, wscale, uto, sack, s);
  /*@ assert mss_stays: mss_written(b, 20, *s); */
  /*@ assert ts_stays: ts_written(b, ts, *s); */
}

uint32_t vtcp_emit(const struct vtcp_segment *segment, uint8_t *octets, uint32_t room)
{
  if (segment->sack_count > 4)
    return 0;

  uint32_t header = header_size(segment);
  if (header > 60 || header > room)
    return 0;
  /*@ assert result: header == emit_result(*segment, room); */
  write_fields(octets, header, segment);
  write_options(octets, segment);
  /*@ assert fields_stay: fields_written(octets, header, *segment); */
  return header;
}

/* --- Checksum (RFC 1071) --- */

/*@ logic integer two_words{L}(uint8_t *b, integer i) = b[i] * 256 + b[i + 1] + b[i + 2] * 256 + b[i + 3];
    logic integer eight_words{L}(uint8_t *b, integer i) =
      two_words(b, i) + two_words(b, i + 4) + two_words(b, i + 8) + two_words(b, i + 12);
    // What four octets taken as one number in the other order have too much, in units of 65535.
    logic integer excess{L}(uint8_t *b, integer i) = b[i + 1] + 256 * b[i + 2] + 65537 * b[i + 3];
*/

/* Carries go round (RFC 1071, section 2 (A)). */
/*@ requires bounded: sum < 0x4000000000000000;
    assigns \nothing;
    ensures folds: \result == ones_sum(sum);
    ensures bounded: \result <= 65535;
*/
static uint32_t fold(uint64_t sum)
{
  uint64_t once = sum % 4294967296u + sum / 4294967296u;
  /*@ assert once: once == sum - 65535 * (65537 * (sum / 4294967296)) && once < 0x140000000; */
  uint64_t twice = once % 65536u + once / 65536u;
  /*@ assert twice: twice == once - 65535 * (once / 65536) && twice < 0x24000; */
  uint32_t thrice = (uint32_t)(twice % 65536u + twice / 65536u);
  /*@ assert thrice: thrice == twice - 65535 * (twice / 65536) && thrice <= 0x10001; */
  uint32_t result = thrice % 65536u + thrice / 65536u;
  /*@ assert result: result == thrice - 65535 * (thrice / 65536) && result <= 65535; */
  /*@ assert zero: result == 0 <==> sum == 0; */
  return result;
}

/* Four octets, least significant first: on most machines one load. Sums in either order differ by a swap of the octets
 * of the result (RFC 1071, section 2 (B)), that is by the factor 256 modulo 65535. */
/*@ requires readable: \valid_read(b + (i .. i + 3));
    assigns \nothing;
    ensures swapped: 256 * \result == two_words(b, i) + 65535 * excess(b, i);
    ensures zero: \result == 0 <==> two_words(b, i) == 0;
    ensures positive: two_words(b, i) >= 0;
*/
static uint32_t load32(const uint8_t *b, uint32_t i)
{
  const uint8_t *p = b + i;

  return octet_up(octet_up(octet_up(p[3]) + p[2]) + p[1]) + p[0];
}

/*@ requires readable: \valid_read(b + (i .. i + 1)) && i <= UINT32_MAX - 1;
    assigns \nothing;
    ensures bounded: \result <= 65535;
    ensures swapped: (256 * \result - wire16(b, i)) % 65535 == 0;
    ensures zero: \result == 0 <==> wire16(b, i) == 0;
    ensures positive: wire16(b, i) >= 0;
*/
static uint32_t load16(const uint8_t *b, uint32_t i)
{
  /*@ assert swap: 256 * (b[i] + 256 * b[i + 1]) - wire16(b, i) == 65535 * b[i + 1]; */
  return b[i] + 256u * b[i + 1];
}

/*@ requires readable: i <= UINT32_MAX - 15 && \valid_read(b + (i .. i + 15));
    assigns \nothing;
    ensures bounded: \result <= 0x400000000;
    ensures swapped: (256 * \result - eight_words(b, i)) % 65535 == 0;
    ensures zero: \result == 0 <==> eight_words(b, i) == 0;
    ensures positive: eight_words(b, i) >= 0;
*/
static uint64_t sum16(const uint8_t *b, uint32_t i)
{
  uint64_t sum = (uint64_t)load32(b, i) + load32(b, i + 4) + load32(b, i + 8) + load32(b, i + 12);
  /*@ assert swapped: 256 * sum - eight_words(b, i)
        == 65535 * (excess(b, i) + excess(b, i + 4) + excess(b, i + 8) + excess(b, i + 12)); */
  return sum;
}

/* 16 octets a turn; the sum stays below 2^62 whatever the length. */
/*@ requires readable: \valid_read(b + (0 .. n - 1));
    assigns \nothing;
    ensures bounded: \result <= 0x40000000 * n;
    ensures sums: (256 * \result - words_from(b, n, 0)) % 65535 == 0;
    ensures zero: \result == 0 <==> words_from(b, n, 0) == 0;
    ensures positive: words_from(b, n, 0) >= 0;
*/
static uint64_t sum_octets(const uint8_t *b, uint32_t n)
{
  uint64_t sum = 0;
  uint32_t i = 0;

  /*@ loop invariant bound: i <= n && sum <= 0x40000000 * i;
      loop invariant sums: (256 * sum - (words_from(b, n, 0) - words_from(b, n, i))) % 65535 == 0;
      loop invariant zero: sum == 0 <==> words_from(b, n, 0) == words_from(b, n, i);
      loop invariant positive: words_from(b, n, 0) >= words_from(b, n, i);
      loop assigns sum, i;
      loop variant n - i; */
  for (; n - i >= 16; i += 16) {
    uint64_t turn = sum16(b, i);
    /*@ assert word_0: words_from(b, n, i) == wire16(b, i) + words_from(b, n, i + 2); */
    /*@ assert word_1: words_from(b, n, i + 2) == wire16(b, i + 2) + words_from(b, n, i + 4); */
    /*@ assert word_2: words_from(b, n, i + 4) == wire16(b, i + 4) + words_from(b, n, i + 6); */
    /*@ assert word_3: words_from(b, n, i + 6) == wire16(b, i + 6) + words_from(b, n, i + 8); */
    /*@ assert word_4: words_from(b, n, i + 8) == wire16(b, i + 8) + words_from(b, n, i + 10); */
    /*@ assert word_5: words_from(b, n, i + 10) == wire16(b, i + 10) + words_from(b, n, i + 12); */
    /*@ assert word_6: words_from(b, n, i + 12) == wire16(b, i + 12) + words_from(b, n, i + 14); */
    /*@ assert word_7: words_from(b, n, i + 14) == wire16(b, i + 14) + words_from(b, n, i + 16); */
    /*@ assert turn: words_from(b, n, i) == eight_words(b, i) + words_from(b, n, i + 16); */
    sum += turn;
  }
  /*@ loop invariant bound: i <= n && sum <= 0x40000000 * i;
      loop invariant sums: (256 * sum - (words_from(b, n, 0) - words_from(b, n, i))) % 65535 == 0;
      loop invariant zero: sum == 0 <==> words_from(b, n, 0) == words_from(b, n, i);
      loop invariant positive: words_from(b, n, 0) >= words_from(b, n, i);
      loop assigns sum, i;
      loop variant n - i; */
  for (; n - i >= 2; i += 2) {
    /*@ assert turn: words_from(b, n, i) == wire16(b, i) + words_from(b, n, i + 2); */
    sum += load16(b, i);
  }
  /*@ assert last: words_from(b, n, i) == (i < n ? b[i] * 256 : 0); */
  if (i < n)
    sum += b[i];
  return sum;
}

uint16_t vtcp_checksum(uint32_t pseudo, const uint8_t *octets, uint32_t length)
{
  uint64_t octets_sum = sum_octets(octets, length);
  uint32_t swapped = fold(octets_sum);
  uint32_t back = swapped % 256u * 256u + swapped / 256u;
  /*@ assert back: 256 * swapped - back == 65535 * (swapped / 256); */
  uint32_t sum = fold((uint64_t)pseudo + back);

  return (uint16_t)(65535u - sum);
}
