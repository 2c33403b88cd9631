/* The wire codec on arbitrary octets. The input is a segment, in a heap block of exactly its size.
 *
 * Invariants:
 *   1. vtcp_parse reads nothing outside the segment (ASan), and answers as an independent reading of the header does.
 *   2. An unusable segment leaves *segment and *text alone.
 *   3. The options are those that an independent reading finds; what is absent is false and zero: normal(segment).
 *   4. vtcp_emit, of what was read and of a segment made from the octets, either refuses, touching nothing, because of
 *      more than four SACK blocks or more than 40 octets of options, or writes its header and nothing else; read back,
 *      that header gives the same segment. One octet less of room is refused.
 *   5. The checksum is RFC 1071's, and a segment with its checksum in place sums to 0. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/vtcp.h"
#include "holds.h"

static struct vtcp_segment filled(uint8_t octet)
{
  struct vtcp_segment s;

  memset(&s, octet, sizeof s);
  return s;
}

static bool same_options(const struct vtcp_segment *a, const struct vtcp_segment *b)
{
  if (a->has_mss != b->has_mss || a->mss != b->mss || a->has_wscale != b->has_wscale || a->wscale != b->wscale
      || a->sack_permitted != b->sack_permitted || a->has_ts != b->has_ts || a->tsval != b->tsval
      || a->tsecr != b->tsecr || a->has_uto != b->has_uto || a->uto != b->uto || a->sack_count != b->sack_count)
    return false;
  for (int k = 0; k < 4; k++) {
    if (a->sack[k].left != b->sack[k].left || a->sack[k].right != b->sack[k].right)
      return false;
  }
  return true;
}

static bool same(const struct vtcp_segment *a, const struct vtcp_segment *b)
{
  return a->seq == b->seq && a->ack == b->ack && a->wnd == b->wnd && a->up == b->up && a->len == b->len
         && a->fin == b->fin && a->syn == b->syn && a->rst == b->rst && a->psh == b->psh && a->has_ack == b->has_ack
         && a->urg == b->urg && a->ece == b->ece && a->cwr == b->cwr && same_options(a, b);
}

static bool normal(const struct vtcp_segment *s)
{
  for (int k = s->sack_count; k < 4; k++) {
    if (s->sack[k].left != 0 || s->sack[k].right != 0)
      return false;
  }
  return s->sack_count <= 4 && s->wscale <= 14 && (s->has_mss || s->mss == 0) && (s->has_wscale || s->wscale == 0)
         && (s->has_ts || (s->tsval == 0 && s->tsecr == 0)) && (s->has_uto || s->uto == 0);
}

/* Written apart from src/wire.c: the list as RFC 9293 section 3.1 describes it, one option at a time. The octets of the
 * one at i; none at the end of the list, and where a length is illegal. */
static size_t option_length(const uint8_t *b, size_t n, size_t i)
{
  if (i == n || b[i] == 0)
    return 0;
  if (b[i] == 1)
    return 1;
  return i + 1 == n || b[i + 1] < 2 || i + b[i + 1] > n ? 0 : b[i + 1];
}

static bool list_is_legal(const uint8_t *b, size_t n)
{
  size_t i = 20;

  while (option_length(b, n, i) != 0)
    i += option_length(b, n, i);
  return i == n || b[i] == 0;
}

static enum vtcp_wire expected(const uint8_t *b, size_t n)
{
  if (n < 20)
    return VTCP_WIRE_SHORT;
  size_t header = 4 * (size_t)(b[12] >> 4);
  if (header < 20 || header > n)
    return VTCP_WIRE_BAD_OFFSET;
  if (n - header > 65535)
    return VTCP_WIRE_LONG;
  return list_is_legal(b, header) ? VTCP_WIRE_OK : VTCP_WIRE_BAD_OPTION;
}

static uint32_t number(const uint8_t *b, size_t octets)
{
  uint32_t n = 0;

  for (size_t i = 0; i < octets; i++)
    n = n * 256 + b[i];
  return n;
}

/* One option of its own length; one of another length says nothing. */
static void read_option(const uint8_t *b, size_t length, struct vtcp_segment *s)
{
  uint32_t value = number(b + 2, length == 3 || length == 4 ? length - 2 : 0);

  switch (b[0] * 100 + (int)length) {
  case 204:
    s->has_mss = true;
    s->mss = (uint16_t)value;
    break;
  case 303:
    s->has_wscale = true;
    s->wscale = (uint8_t)(value > 14 ? 14 : value);
    break;
  case 402: s->sack_permitted = true; break;
  case 810:
    s->has_ts = true;
    s->tsval = number(b + 2, 4);
    s->tsecr = number(b + 6, 4);
    break;
  case 2804:
    s->has_uto = true;
    s->uto = (uint16_t)value;
    break;
  case 510:
  case 518:
  case 526:
  case 534:
    s->sack_count = (uint8_t)(length / 8);
    for (int k = 0; k < 4; k++)
      s->sack[k] = (struct vtcp_sack_block){k < s->sack_count ? number(b + 2 + 8 * k, 4) : 0,
                                            k < s->sack_count ? number(b + 6 + 8 * k, 4) : 0};
    break;
  default: break;
  }
}

/* The options up to the end of the list, or up to the first of an illegal length. */
static struct vtcp_segment options_read(const uint8_t *b, size_t n)
{
  struct vtcp_segment s = filled(0);

  for (size_t i = 20; option_length(b, n, i) != 0; i += option_length(b, n, i)) {
    if (b[i] != 1)
      read_option(b + i, b[i + 1], &s);
  }
  return s;
}

static bool is_only(const uint8_t *b, size_t from, size_t to, uint8_t octet)
{
  for (size_t i = from; i < to; i++) {
    if (b[i] != octet)
      return false;
  }
  return true;
}

static void check_emit(const struct vtcp_segment *s)
{
  uint8_t b[64];
  struct vtcp_segment back = filled(1);
  uint32_t text = 0;

  memset(b, 0xa5, sizeof b);
  uint32_t header = vtcp_emit(s, b, sizeof b);
  if (header == 0) {
    HOLDS("4 refused", is_only(b, 0, sizeof b, 0xa5));
    HOLDS("4 refused", s->sack_count >= 2);
    return;
  }
  HOLDS("4 refused", s->sack_count <= 4);
  HOLDS("4 size", header >= 20 && header <= 60 && header % 4 == 0);
  HOLDS("4 only its header", is_only(b, header, sizeof b, 0xa5));
  HOLDS("4 usable", vtcp_parse(b, header, &back, &text) == VTCP_WIRE_OK && text == header && back.len == 0);
  back.len = s->len;
  HOLDS("4 round trip", same(s, &back));
  HOLDS("4 checksum field and ports zero", is_only(b, 0, 4, 0) && is_only(b, 16, 18, 0));
  memset(b, 0xa5, sizeof b);
  HOLDS("4 room", vtcp_emit(s, b, header - 1) == 0 && is_only(b, 0, sizeof b, 0xa5));
}

/* 65535 octets of text can be counted, one more cannot. */
static void check_long(const uint8_t *b, size_t header)
{
  static uint8_t octets[60 + 65536];
  struct vtcp_segment s = filled(1);
  const struct vtcp_segment before = s;
  uint32_t text = 4711;

  memcpy(octets, b, header);
  HOLDS("1 too long", vtcp_parse(octets, (uint32_t)header + 65536, &s, &text) == VTCP_WIRE_LONG);
  HOLDS("2 untouched", same(&s, &before) && text == 4711);
  HOLDS("1 as long as can be", vtcp_parse(octets, (uint32_t)header + 65535, &s, &text) <= VTCP_WIRE_BAD_OPTION);
  HOLDS("1 as long as can be", s.len == 65535 && text == header);
}

static void check_parse(const uint8_t *b, size_t n)
{
  struct vtcp_segment s = filled(1), again = filled(0);
  const struct vtcp_segment before = s;
  uint32_t text = 4711, text_again = 4712;
  enum vtcp_wire result = vtcp_parse(b, (uint32_t)n, &s, &text);

  HOLDS("1 result", result == expected(b, n));
  if (result != VTCP_WIRE_OK && result != VTCP_WIRE_BAD_OPTION) {
    HOLDS("2 untouched", same(&s, &before) && text == 4711);
    return;
  }
  HOLDS("1 text", text == 4 * (uint32_t)(b[12] >> 4) && s.len == n - text);
  HOLDS("1 same answer",
        vtcp_parse(b, (uint32_t)n, &again, &text_again) == result && text_again == text && same(&s, &again));
  HOLDS("3 normal", normal(&s));
  struct vtcp_segment options = options_read(b, text);
  HOLDS("3 the options", same_options(&s, &options));
  check_emit(&s);
  check_long(b, text);
}

/* A segment that no parser yields: any options together, any number of blocks. */
static void check_any(const uint8_t *b, size_t n)
{
  struct vtcp_segment s = filled(0);

  if (n < 44)
    return;
  s.seq = number(b, 4);
  s.ack = number(b + 4, 4);
  s.wnd = (uint16_t)number(b + 4, 2);
  s.has_mss = b[8] & 1;
  s.has_wscale = b[8] & 2;
  s.sack_permitted = b[8] & 4;
  s.has_ts = b[8] & 8;
  s.has_uto = b[8] & 16;
  s.mss = s.has_mss ? (uint16_t)number(b + 2, 2) : 0;
  s.wscale = s.has_wscale ? b[9] % 15 : 0;
  s.tsval = s.has_ts ? number(b + 3, 4) : 0;
  s.tsecr = s.has_ts ? number(b + 5, 4) : 0;
  s.uto = s.has_uto ? (uint16_t)number(b + 6, 2) : 0;
  s.sack_count = b[10] & 128 ? b[10] : b[10] % 6;
  for (int k = 0; k < s.sack_count && k < 4; k++)
    s.sack[k] = (struct vtcp_sack_block){number(b + 12 + 8 * k, 4), number(b + 16 + 8 * k, 4)};
  check_emit(&s);
}

static uint16_t slow_checksum(uint32_t pseudo, const uint8_t *b, size_t n)
{
  uint64_t sum = pseudo;

  for (size_t i = 0; i < n; i++)
    sum += i % 2 == 0 ? b[i] * 256u : b[i];
  while (sum > 65535)
    sum = sum / 65536 + sum % 65536;
  return (uint16_t)(65535 - sum);
}

static void check_checksum(uint8_t *b, size_t n)
{
  uint32_t pseudo = n < 4 ? 6 : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

  HOLDS("5 RFC 1071", vtcp_checksum(pseudo, b, (uint32_t)n) == slow_checksum(pseudo, b, n));
  if (n < 18)
    return;
  b[16] = b[17] = 0;
  uint16_t sum = vtcp_checksum(pseudo, b, (uint32_t)n);
  b[16] = (uint8_t)(sum >> 8);
  b[17] = (uint8_t)(sum & 255);
  HOLDS("5 sums to zero", vtcp_checksum(pseudo, b, (uint32_t)n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  uint8_t *copy = (uint8_t *)calloc(1, size == 0 ? 1 : size);

  if (copy == NULL)
    return 0;
  if (size != 0)
    memcpy(copy, data, size);
  check_parse(size == 0 ? copy + 1 : copy, size);
  check_any(copy, size);
  check_checksum(copy, size);
  free(copy);
  return 0;
}
