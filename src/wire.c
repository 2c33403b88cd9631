/* The wire codec: octets to segment, segment to octets, checksum (RFC 9293, sections 3.1 and 3.2; RFC 1071).
 *
 * As tolerant as the RFC asks: options at any octet boundary (MUST-64) and in any segment (MUST-5), unknown kinds passed
 * over by their length (MUST-6), an illegal length ends the list (MUST-7), reserved bits mean nothing on receipt and are
 * zero when sent. Octets are read and written one at a time in network order, so that the host's byte order and the
 * buffer's alignment do not matter; compilers join them into one load or store. SPDX-License-Identifier: MIT */
#include "../include/vtcp.h"

#include "../spec/wire.acsl"

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

static uint16_t get16(const uint8_t *p)
{
  return (uint16_t)(((uint32_t)p[0] << 8) + p[1]);
}

static uint32_t get32(const uint8_t *p)
{
  return ((uint32_t)p[0] << 24) + ((uint32_t)p[1] << 16) + ((uint32_t)p[2] << 8) + p[3];
}

static void put16(uint8_t *p, uint16_t v)
{
  p[0] = (uint8_t)(v / 256u);
  p[1] = (uint8_t)(v % 256u);
}

static void put32(uint8_t *p, uint32_t v)
{
  p[0] = (uint8_t)(v / 16777216u);
  p[1] = (uint8_t)(v / 65536u % 256u);
  p[2] = (uint8_t)(v / 256u % 256u);
  p[3] = (uint8_t)(v % 256u);
}

/* --- Reading --- */

static void read_flags(uint32_t flags, struct vtcp_segment *s)
{
  s->fin = flags % 2 == 1;
  s->syn = flags / 2 % 2 == 1;
  s->rst = flags / 4 % 2 == 1;
  s->psh = flags / 8 % 2 == 1;
  s->has_ack = flags / 16 % 2 == 1;
  s->urg = flags / 32 % 2 == 1;
  s->ece = flags / 64 % 2 == 1;
  s->cwr = flags / 128 % 2 == 1;
}

/* The fields that every header has, whatever the flags say about their meaning. */
static void read_fields(const uint8_t *b, struct vtcp_segment *s)
{
  s->seq = get32(b + 4);
  s->ack = get32(b + 8);
  s->wnd = get16(b + 14);
  s->up = get16(b + 18);
}

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
static void take_wscale(const uint8_t *b, uint32_t i, struct vtcp_segment *s)
{
  s->has_wscale = true;
  s->wscale = b[i + 2] > 14 ? 14 : b[i + 2];
}

static void take_ts(const uint8_t *b, uint32_t i, struct vtcp_segment *s)
{
  s->has_ts = true;
  s->tsval = get32(b + i + 2);
  s->tsecr = get32(b + i + 6);
}

static uint32_t sack_edge(const uint8_t *b, uint32_t i, bool present)
{
  return present ? get32(b + i) : 0;
}

/* RFC 2018, section 3: 8n + 2 octets. Blocks that are not there become zero: a second SACK option replaces the first. */
static void take_sack(const uint8_t *b, uint32_t i, uint32_t length, struct vtcp_segment *s)
{
  s->sack_count = length == 34 ? 4 : length == 26 ? 3 : length == 18 ? 2 : 1;
  s->sack[0].left = get32(b + i + 2);
  s->sack[0].right = get32(b + i + 6);
  s->sack[1].left = sack_edge(b, i + 10, length >= 18);
  s->sack[1].right = sack_edge(b, i + 14, length >= 18);
  s->sack[2].left = sack_edge(b, i + 18, length >= 26);
  s->sack[2].right = sack_edge(b, i + 22, length >= 26);
  s->sack[3].left = sack_edge(b, i + 26, length == 34);
  s->sack[3].right = sack_edge(b, i + 30, length == 34);
}

static bool sack_length(uint32_t length)
{
  return length == 10 || length == 18 || length == 26 || length == 34;
}

/* A known kind with another length than its own is not usable, so it is passed over like an unknown one (MUST-6). */
static void take_option(const uint8_t *b, uint32_t i, uint32_t length, struct vtcp_segment *s)
{
  if (b[i] == KIND_MSS && length == 4) {
    s->has_mss = true;
    s->mss = get16(b + i + 2);
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
    s->uto = get16(b + i + 2);
  }
}

/* The options of a header of n octets. */
static enum vtcp_wire read_options(const uint8_t *b, uint32_t n, struct vtcp_segment *s)
{
  uint32_t i = 20, length = next_option(b, n, 20);

  while (length != 0) {
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

static uint32_t mss_size(const struct vtcp_segment *s)
{
  return s->has_mss ? 4 : 0;
}

static uint32_t ts_size(const struct vtcp_segment *s)
{
  return s->has_ts ? 12 : s->sack_permitted ? 4 : 0;
}

static uint32_t wscale_size(const struct vtcp_segment *s)
{
  return s->has_wscale ? 4 : 0;
}

static uint32_t sack_size(const struct vtcp_segment *s)
{
  return s->sack_count > 0 ? 4 + 8u * s->sack_count : 0;
}

static uint32_t uto_size(const struct vtcp_segment *s)
{
  return s->has_uto ? 4 : 0;
}

static uint32_t header_size(const struct vtcp_segment *s)
{
  return 20 + mss_size(s) + ts_size(s) + wscale_size(s) + sack_size(s) + uto_size(s);
}

static uint8_t flags_octet(const struct vtcp_segment *s)
{
  uint32_t low = (s->fin ? 1u : 0u) + (s->syn ? 2u : 0u) + (s->rst ? 4u : 0u) + (s->psh ? 8u : 0u);
  uint32_t high = (s->has_ack ? 16u : 0u) + (s->urg ? 32u : 0u) + (s->ece ? 64u : 0u) + (s->cwr ? 128u : 0u);

  return (uint8_t)(low + high);
}

/* Reserved bits and checksum are zero, and so are the ports, which the connection does not know. */
static void write_fields(uint8_t *b, uint32_t header, const struct vtcp_segment *s)
{
  put16(b, 0);
  put16(b + 2, 0);
  put32(b + 4, s->seq);
  put32(b + 8, s->ack);
  b[12] = (uint8_t)(header * 4);
  b[13] = flags_octet(s);
  put16(b + 14, s->wnd);
  put16(b + 16, 0);
  put16(b + 18, s->up);
}

static void put_option(uint8_t *p, uint8_t kind, uint8_t length)
{
  p[0] = kind;
  p[1] = length;
}

static void put_nops(uint8_t *p)
{
  p[0] = KIND_NOP;
  p[1] = KIND_NOP;
}

static void write_mss(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_mss)
    return;
  put_option(b + i, KIND_MSS, 4);
  put16(b + i + 2, s->mss);
}

/* SACK-permitted takes the place of the no-operations in front of the timestamps. */
static void write_ts(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_ts && !s->sack_permitted)
    return;
  if (s->has_ts && s->sack_permitted)
    put_option(b + i, KIND_SACK_PERMITTED, 2);
  else
    put_nops(b + i);
  if (!s->has_ts) {
    put_option(b + i + 2, KIND_SACK_PERMITTED, 2);
    return;
  }
  put_option(b + i + 2, KIND_TS, 10);
  put32(b + i + 4, s->tsval);
  put32(b + i + 8, s->tsecr);
}

static void write_wscale(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_wscale)
    return;
  b[i] = KIND_NOP;
  put_option(b + i + 1, KIND_WSCALE, 3);
  b[i + 3] = s->wscale;
}

static void write_block(uint8_t *b, uint32_t i, struct vtcp_sack_block block)
{
  put32(b + i, block.left);
  put32(b + i + 4, block.right);
}

static void write_sack(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (s->sack_count == 0)
    return;
  put_nops(b + i);
  put_option(b + i + 2, KIND_SACK, (uint8_t)(2 + 8u * s->sack_count));
  write_block(b, i + 4, s->sack[0]);
  if (s->sack_count > 1)
    write_block(b, i + 12, s->sack[1]);
  if (s->sack_count > 2)
    write_block(b, i + 20, s->sack[2]);
  if (s->sack_count > 3)
    write_block(b, i + 28, s->sack[3]);
}

static void write_uto(uint8_t *b, uint32_t i, const struct vtcp_segment *s)
{
  if (!s->has_uto)
    return;
  put_option(b + i, KIND_UTO, 4);
  put16(b + i + 2, s->uto);
}

static void write_options(uint8_t *b, const struct vtcp_segment *s)
{
  uint32_t ts = 20 + mss_size(s);
  uint32_t wscale = ts + ts_size(s);
  uint32_t sack = wscale + wscale_size(s);
  uint32_t uto = sack + sack_size(s);

  write_mss(b, 20, s);
  write_ts(b, ts, s);
  write_wscale(b, wscale, s);
  write_sack(b, sack, s);
  write_uto(b, uto, s);
}

uint32_t vtcp_emit(const struct vtcp_segment *segment, uint8_t *octets, uint32_t room)
{
  if (segment->sack_count > 4)
    return 0;

  uint32_t header = header_size(segment);
  if (header > 60 || header > room)
    return 0;
  write_fields(octets, header, segment);
  write_options(octets, segment);
  return header;
}

/* --- Checksum (RFC 1071) --- */

/* Four octets, least significant first: on most machines one load. Sums in either order differ by a swap of the octets
 * of the result (RFC 1071, section 2 (B)), that is by the factor 256 modulo 65535. */
static uint64_t load32(const uint8_t *p)
{
  return p[0] + ((uint32_t)p[1] << 8) + ((uint32_t)p[2] << 16) + ((uint32_t)p[3] << 24);
}

/* The sum as a number of 16 bits: carries go round (RFC 1071, section 2 (A)). */
static uint32_t fold(uint64_t sum)
{
  uint64_t once = sum % 4294967296u + sum / 4294967296u;
  uint64_t twice = once % 65536u + once / 65536u;
  uint64_t thrice = twice % 65536u + twice / 65536u;

  return (uint32_t)(thrice % 65536u + thrice / 65536u);
}

/* 16 octets a turn. The sum stays below 2^62 + 2^32, whatever the length. */
static uint64_t sum_octets(const uint8_t *b, uint32_t n)
{
  uint64_t sum = 0;
  uint32_t i = 0;

  for (; n - i >= 16; i += 16)
    sum += load32(b + i) + load32(b + i + 4) + load32(b + i + 8) + load32(b + i + 12);
  for (; n - i >= 2; i += 2)
    sum += b[i] + 256u * b[i + 1];
  if (i < n)
    sum += b[i];
  return sum;
}

uint16_t vtcp_checksum(uint32_t pseudo, const uint8_t *octets, uint32_t length)
{
  uint32_t swapped = fold(sum_octets(octets, length));
  uint32_t sum = fold((uint64_t)pseudo + swapped % 256u * 256u + swapped / 256u);

  return (uint16_t)(65535u - sum);
}
