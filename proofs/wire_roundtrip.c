/* Theorems about the codec that no function needs and every reader wants, proven from the contracts in include/vtcp.h:
 *
 *   round_trip    what vtcp_emit writes, vtcp_parse reads back, field by field, whatever text follows it (MUST_4, MUST_5)
 *   checksum_law  a segment whose checksum field holds its checksum sums to 0 (MUST_2, MUST_3)
 *
 * The functions without effects are lemmas: a body that the provers can follow in place of an induction. */
#include "../include/vtcp.h"

/*@ // Each group of options, read from where it was written, adds exactly what the segment says.
    logic struct vtcp_segment plus_mss(struct vtcp_segment s, struct vtcp_segment o) =
      s.has_mss ? with_mss(s.mss, o) : o;
    logic struct vtcp_segment plus_sack_permitted(struct vtcp_segment s, struct vtcp_segment o) =
      s.sack_permitted ? with_sack_permitted(o) : o;
    logic struct vtcp_segment plus_ts(struct vtcp_segment s, struct vtcp_segment o) =
      s.has_ts ? with_ts(s.tsval, s.tsecr, o) : o;
    logic struct vtcp_segment plus_wscale(struct vtcp_segment s, struct vtcp_segment o) =
      s.has_wscale ? with_wscale(s.wscale, o) : o;
    logic struct vtcp_segment plus_uto(struct vtcp_segment s, struct vtcp_segment o) =
      s.has_uto ? with_uto(s.uto, o) : o;
    logic struct vtcp_segment alone_sack(struct vtcp_segment s, struct vtcp_segment o) =
      { { { { { { { { { o \with .sack_count = s.sack_count }
        \with .sack[0].left = s.sack[0].left } \with .sack[0].right = s.sack[0].right }
        \with .sack[1].left = s.sack[1].left } \with .sack[1].right = s.sack[1].right }
        \with .sack[2].left = s.sack[2].left } \with .sack[2].right = s.sack[2].right }
        \with .sack[3].left = s.sack[3].left } \with .sack[3].right = s.sack[3].right };
    predicate blocks_written{L}(uint8_t *b, integer i, struct vtcp_segment s) =
      block_written(b, i, s.sack[0])
      && (s.sack_count > 1 ==> block_written(b, i + 8, s.sack[1]))
      && (s.sack_count > 2 ==> block_written(b, i + 16, s.sack[2]))
      && (s.sack_count > 3 ==> block_written(b, i + 24, s.sack[3]));
    logic struct vtcp_segment plus_sack(struct vtcp_segment s, struct vtcp_segment o) =
      s.sack_count == 0 ? o : alone_sack(s, o);
*/

/*@ requires readable: 20 <= i <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires legal: i < n && b[i] != 0 && 1 <= length == option_length(b, i) && i + length <= n;
    requires covers: b[i] != 1 ==> 2 <= length;
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + length, with_option(b, i, o));
    ensures ends: list_end(b, n, i) == list_end(b, n, i + length);
*/
static void one_option(const uint8_t *b, uint32_t n, uint32_t i, uint32_t length, struct vtcp_segment o)
{
  /*@ assert goes_on: list_ends(b, n, i) == \false; */
  (void)b, (void)n, (void)i, (void)length, (void)o;
}

/*@ requires readable: 20 <= i < n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: b[i] == 1;
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 1, o);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 1);
*/
static void one_nop(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment o)
{
  one_option(b, n, i, 1, o);
  /*@ assert nothing: with_option(b, i, o) == o; */
}

/*@ requires readable: 20 <= i && i + 2 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 1, 1);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 2, o);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 2);
*/
static void two_nops(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment o)
{
  one_nop(b, n, i, o);
  one_nop(b, n, i + 1, o);
}

/*@ requires readable: 20 <= i && i + 2 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 4, 2);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 2, \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 2);
    ensures adds: \result == with_sack_permitted(o);
*/
static struct vtcp_segment sack_permitted_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.sack_permitted = true;
  /*@ assert permitted: with_option(b, i, o) == p; */
  one_option(b, n, i, 2, o);
  return p;
}

/*@ requires readable: 20 <= i && i + 10 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 8, 10) && wire32(b, i + 2) == val && wire32(b, i + 6) == ecr;
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 10, \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 10);
    ensures adds: \result == with_ts(val, ecr, o);
*/
static struct vtcp_segment lone_ts_read_back(const uint8_t *b, uint32_t n, uint32_t i, uint32_t val, uint32_t ecr,
                                             struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.has_ts = true;
  p.tsval = val;
  p.tsecr = ecr;
  /*@ assert ts: with_option(b, i, o) == p; */
  one_option(b, n, i, 10, o);
  return p;
}

/*@ requires readable: 20 <= i && i + 4 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 2, 4) && wire16(b, i + 2) == mss;
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 4, \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 4);
    ensures adds: \result == with_mss(mss, o);
*/
static struct vtcp_segment lone_mss_read_back(const uint8_t *b, uint32_t n, uint32_t i, uint16_t mss,
                                             struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.has_mss = true;
  p.mss = mss;
  /*@ assert option: with_option(b, i, o) == p; */
  one_option(b, n, i, 4, o);
  return p;
}

/*@ requires readable: 20 <= i && i + 4 <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 28, 4) && wire16(b, i + 2) == uto;
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 4, \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 4);
    ensures adds: \result == with_uto(uto, o);
*/
static struct vtcp_segment lone_uto_read_back(const uint8_t *b, uint32_t n, uint32_t i, uint16_t uto,
                                             struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.has_uto = true;
  p.uto = uto;
  /*@ assert option: with_option(b, i, o) == p; */
  one_option(b, n, i, 4, o);
  return p;
}

/*@ requires readable: 20 <= i && i + 2 + 8 * s.sack_count <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: octets_are(b, i, 5, 2 + 8 * s.sack_count) && normal_sack(s) && s.sack_count > 0
      && blocks_written(b, i + 2, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + 2 + 8 * s.sack_count, \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + 2 + 8 * s.sack_count);
    ensures adds: \result == alone_sack(s, o);
*/
static struct vtcp_segment lone_sack_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                             struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.sack_count = s.sack_count;
  p.sack[0].left = s.sack[0].left;
  p.sack[0].right = s.sack[0].right;
  p.sack[1].left = s.sack[1].left;
  p.sack[1].right = s.sack[1].right;
  p.sack[2].left = s.sack[2].left;
  p.sack[2].right = s.sack[2].right;
  p.sack[3].left = s.sack[3].left;
  p.sack[3].right = s.sack[3].right;
  /*@ assert count: blocks_in(b[i + 1]) == s.sack_count; */
  /*@ assert left_0: edge(b, i + 2, s.sack_count > 0) == s.sack[0].left; */
  /*@ assert right_0: edge(b, i + 6, s.sack_count > 0) == s.sack[0].right; */
  /*@ assert left_1: edge(b, i + 10, s.sack_count > 1) == s.sack[1].left; */
  /*@ assert right_1: edge(b, i + 14, s.sack_count > 1) == s.sack[1].right; */
  /*@ assert left_2: edge(b, i + 18, s.sack_count > 2) == s.sack[2].left; */
  /*@ assert right_2: edge(b, i + 22, s.sack_count > 2) == s.sack[2].right; */
  /*@ assert left_3: edge(b, i + 26, s.sack_count > 3) == s.sack[3].left; */
  /*@ assert right_3: edge(b, i + 30, s.sack_count > 3) == s.sack[3].right; */
  /*@ assert sack: with_sack(b, i, s.sack_count, o) == p; */
  /*@ assert option: with_option(b, i, o) == p; */
  one_option(b, n, i, 2 + 8u * s.sack_count, o);
  return p;
}

/*@ requires readable: 20 <= i && i + mss_size(s) <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: mss_written(b, i, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + mss_size(s), \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + mss_size(s));
    ensures adds: \result == plus_mss(s, o);
*/
static struct vtcp_segment mss_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                           struct vtcp_segment o)
{
  if (!s.has_mss) {
    /*@ assert none: i + mss_size(s) == i; */
    return o;
  }
  /*@ assert size: i + mss_size(s) == i + 4; */
  struct vtcp_segment p = lone_mss_read_back(b, n, i, s.mss, o);
  /*@ assert same_place: options_from(b, n, i + mss_size(s), p) == options_from(b, n, i + 4, p); */
  return p;
}

/*@ requires readable: 20 <= i && i + ts_size(s) <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: ts_written(b, i, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + ts_size(s), \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + ts_size(s));
    ensures adds: \result == plus_ts(s, plus_sack_permitted(s, o));
*/
static struct vtcp_segment ts_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                           struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  if (!s.has_ts && !s.sack_permitted) {
    /*@ assert none: i + ts_size(s) == i; */
    return o;
  }
  if (!s.has_ts) {
    /*@ assert size_alone: i + ts_size(s) == i + 4; */
    two_nops(b, n, i, o);
    p = sack_permitted_read_back(b, n, i + 2, o);
    /*@ assert alone: options_from(b, n, i, o) == options_from(b, n, i + 4, p); */
    /*@ assert alone_ends: list_end(b, n, i) == list_end(b, n, i + 4); */
    /*@ assert alone_place: options_from(b, n, i + ts_size(s), p) == options_from(b, n, i + 4, p); */
    return p;
  }
  /*@ assert size: i + ts_size(s) == i + 12; */
  if (s.sack_permitted)
    p = sack_permitted_read_back(b, n, i, o);
  else
    two_nops(b, n, i, o);
  /*@ assert first: options_from(b, n, i, o) == options_from(b, n, i + 2, p); */
  struct vtcp_segment q = lone_ts_read_back(b, n, i + 2, s.tsval, s.tsecr, p);
  /*@ assert reads: options_from(b, n, i, o) == options_from(b, n, i + 12, q); */
  /*@ assert ends: list_end(b, n, i) == list_end(b, n, i + 12); */
  /*@ assert same_place: options_from(b, n, i + ts_size(s), q) == options_from(b, n, i + 12, q); */
  return q;
}

/*@ requires readable: 20 <= i && i + wscale_size(s) <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: s.wscale <= 14 && wscale_written(b, i, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + wscale_size(s), \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + wscale_size(s));
    ensures adds: \result == plus_wscale(s, o);
*/
static struct vtcp_segment wscale_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                           struct vtcp_segment o)
{
  if (!s.has_wscale) {
    /*@ assert none: i + wscale_size(s) == i; */
    return o;
  }
  /*@ assert size: i + wscale_size(s) == i + 4; */
  struct vtcp_segment p = o;
  p.has_wscale = true;
  p.wscale = s.wscale;
  /*@ assert option: with_option(b, i + 1, o) == p; */
  one_nop(b, n, i, o);
  one_option(b, n, i + 1, 3, o);
  /*@ assert reads: options_from(b, n, i, o) == options_from(b, n, i + 4, p); */
  /*@ assert ends: list_end(b, n, i) == list_end(b, n, i + 4); */
  /*@ assert same_place: options_from(b, n, i + wscale_size(s), p) == options_from(b, n, i + 4, p); */
  return p;
}

/*@ requires readable: 20 <= i && i + uto_size(s) <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: uto_written(b, i, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + uto_size(s), \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + uto_size(s));
    ensures adds: \result == plus_uto(s, o);
*/
static struct vtcp_segment uto_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                           struct vtcp_segment o)
{
  if (!s.has_uto) {
    /*@ assert none: i + uto_size(s) == i; */
    return o;
  }
  /*@ assert size: i + uto_size(s) == i + 4; */
  struct vtcp_segment p = lone_uto_read_back(b, n, i, s.uto, o);
  /*@ assert same_place: options_from(b, n, i + uto_size(s), p) == options_from(b, n, i + 4, p); */
  return p;
}

/*@ requires readable: 20 <= i && i + sack_size(s) <= n <= 60 && \valid_read(b + (0 .. n - 1));
    requires written: normal_sack(s) && sack_written(b, i, s);
    assigns \nothing;
    ensures reads: options_from(b, n, i, o) == options_from(b, n, i + sack_size(s), \result);
    ensures ends: list_end(b, n, i) == list_end(b, n, i + sack_size(s));
    ensures adds: \result == plus_sack(s, o);
*/
static struct vtcp_segment sack_read_back(const uint8_t *b, uint32_t n, uint32_t i, struct vtcp_segment s,
                                           struct vtcp_segment o)
{
  if (s.sack_count == 0) {
    /*@ assert none: i + sack_size(s) == i; */
    return o;
  }
  /*@ assert size: i + sack_size(s) == i + 4 + 8 * s.sack_count; */
  two_nops(b, n, i, o);
  struct vtcp_segment p = lone_sack_read_back(b, n, i + 2, s, o);
  /*@ assert reads: options_from(b, n, i, o) == options_from(b, n, i + 4 + 8 * s.sack_count, p); */
  /*@ assert ends: list_end(b, n, i) == list_end(b, n, i + 4 + 8 * s.sack_count); */
  /*@ assert same_place: options_from(b, n, i + sack_size(s), p) == options_from(b, n, i + 4 + 8 * s.sack_count, p); */
  return p;
}

/*@ requires readable: header_size(s) <= 60 && \valid_read(b + (0 .. header_size(s) - 1));
    requires written: normal_segment(s) && segment_written(b, s);
    assigns \nothing;
    ensures reads: options_from(b, header_size(s), 20, o) == \result;
    ensures ends: list_end(b, header_size(s), 20) == header_size(s);
    ensures adds: \result ==
      plus_sack(s, plus_uto(s, plus_wscale(s, plus_ts(s, plus_sack_permitted(s, plus_mss(s, o))))));
*/
static struct vtcp_segment options_read_back(const uint8_t *b, struct vtcp_segment s, struct vtcp_segment o)
{
  uint32_t ts = s.has_mss ? 24 : 20;
  uint32_t wscale = ts + (s.has_ts ? 12u : s.sack_permitted ? 4u : 0u);
  uint32_t uto = wscale + (s.has_wscale ? 4u : 0u);
  uint32_t sack = uto + (s.has_uto ? 4u : 0u);
  uint32_t n = sack + (s.sack_count > 0 ? 4u + 8u * s.sack_count : 0u);

  /*@ assert places: ts == ts_at(s) && wscale == wscale_at(s) && uto == uto_at(s) && sack == sack_at(s)
        && n == header_size(s); */
  /*@ assert sizes: 20 + mss_size(s) == ts && ts + ts_size(s) == wscale && wscale + wscale_size(s) == uto
        && uto + uto_size(s) == sack && sack + sack_size(s) == n; */
  /*@ assert ts: ts_written(b, ts, s); */
  /*@ assert wscale: wscale_written(b, wscale, s); */
  /*@ assert uto: uto_written(b, uto, s); */
  /*@ assert sack: sack_written(b, sack, s) && normal_sack(s); */
  o = mss_read_back(b, n, 20, s, o);
  /*@ assert upto_ts: options_from(b, n, 20, \at(o, Pre)) == options_from(b, n, ts, o); */
  o = ts_read_back(b, n, ts, s, o);
  /*@ assert upto_wscale: options_from(b, n, 20, \at(o, Pre)) == options_from(b, n, wscale, o); */
  o = wscale_read_back(b, n, wscale, s, o);
  /*@ assert upto_uto: options_from(b, n, 20, \at(o, Pre)) == options_from(b, n, uto, o); */
  o = uto_read_back(b, n, uto, s, o);
  /*@ assert upto_sack: options_from(b, n, 20, \at(o, Pre)) == options_from(b, n, sack, o); */
  o = sack_read_back(b, n, sack, s, o);
  /*@ assert upto_n: options_from(b, n, 20, \at(o, Pre)) == options_from(b, n, n, o); */
  /*@ assert end: options_from(b, n, n, o) == o && list_end(b, n, n) == n; */
  return o;
}

/*@ assigns \nothing;
    ensures removes: \result == without_sack(o);
    ensures count: \result.sack_count == 0 && normal_sack(\result);
*/
static struct vtcp_segment sack_removed(struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  p.sack_count = 0;
  p.sack[0].left = 0;
  p.sack[0].right = 0;
  p.sack[1].left = 0;
  p.sack[1].right = 0;
  p.sack[2].left = 0;
  p.sack[2].right = 0;
  p.sack[3].left = 0;
  p.sack[3].right = 0;
  return p;
}

/*@ requires blank: normal_sack(s) && normal_sack(o) && o.sack_count == 0;
    assigns \nothing;
    ensures adds: \result == plus_sack(s, o);
    ensures sack: \result.sack_count == s.sack_count && \result.sack[0] == s.sack[0] && \result.sack[1] == s.sack[1]
      && \result.sack[2] == s.sack[2] && \result.sack[3] == s.sack[3];
    ensures rest: { \result \with .sack_count = o.sack_count } ==
      { { { { o \with .sack[0] = s.sack[0] } \with .sack[1] = s.sack[1] } \with .sack[2] = s.sack[2] }
        \with .sack[3] = s.sack[3] };
*/
static struct vtcp_segment sack_added(struct vtcp_segment s, struct vtcp_segment o)
{
  struct vtcp_segment p = o;

  if (s.sack_count == 0)
    return o;
  p.sack_count = s.sack_count;
  p.sack[0].left = s.sack[0].left;
  p.sack[0].right = s.sack[0].right;
  p.sack[1].left = s.sack[1].left;
  p.sack[1].right = s.sack[1].right;
  p.sack[2].left = s.sack[2].left;
  p.sack[2].right = s.sack[2].right;
  p.sack[3].left = s.sack[3].left;
  p.sack[3].right = s.sack[3].right;
  return p;
}

/* All groups added to a segment without options: every option of s, and nothing else. */
/*@ requires blank: normal_segment(s) && normal_segment(o) && !o.has_mss && !o.has_wscale && !o.sack_permitted && !o.has_ts
      && !o.has_uto && o.sack_count == 0;
    requires rest: o.seq == s.seq && o.ack == s.ack && o.wnd == s.wnd && o.up == s.up && o.len == s.len
      && o.fin == s.fin && o.syn == s.syn && o.rst == s.rst && o.psh == s.psh && o.has_ack == s.has_ack
      && o.urg == s.urg && o.ece == s.ece && o.cwr == s.cwr;
    assigns \nothing;
    ensures adds: \result ==
      plus_sack(s, plus_uto(s, plus_wscale(s, plus_ts(s, plus_sack_permitted(s, plus_mss(s, o))))));
    ensures same: \result == s;
*/
static struct vtcp_segment options_added(struct vtcp_segment s, struct vtcp_segment o)
{
  o.has_mss = s.has_mss;
  o.mss = s.mss;
  /*@ assert mss: plus_mss(s, \at(o, Pre)) == o; */
  o.sack_permitted = s.sack_permitted;
  /*@ assert permitted: plus_sack_permitted(s, plus_mss(s, \at(o, Pre))) == o; */
  o.has_ts = s.has_ts;
  o.tsval = s.tsval;
  o.tsecr = s.tsecr;
  /*@ assert ts: plus_ts(s, plus_sack_permitted(s, plus_mss(s, \at(o, Pre)))) == o; */
  o.has_wscale = s.has_wscale;
  o.wscale = s.wscale;
  /*@ assert wscale: plus_wscale(s, plus_ts(s, plus_sack_permitted(s, plus_mss(s, \at(o, Pre))))) == o; */
  o.has_uto = s.has_uto;
  o.uto = s.uto;
  /*@ assert uto: plus_uto(s, plus_wscale(s, plus_ts(s, plus_sack_permitted(s, plus_mss(s, \at(o, Pre)))))) == o; */
  o = sack_added(s, o);
  return o;
}

/*@ requires written: f == flags_of(s);
    assigns \nothing;
    ensures fin: s.fin == (flag(f, 1) ? 1 : 0);
    ensures syn: s.syn == (flag(f, 2) ? 1 : 0);
    ensures rst: s.rst == (flag(f, 4) ? 1 : 0);
    ensures psh: s.psh == (flag(f, 8) ? 1 : 0);
    ensures has_ack: s.has_ack == (flag(f, 16) ? 1 : 0);
    ensures urg: s.urg == (flag(f, 32) ? 1 : 0);
    ensures ece: s.ece == (flag(f, 64) ? 1 : 0);
    ensures cwr: s.cwr == (flag(f, 128) ? 1 : 0);
*/
static void flags_read_back(uint32_t f, struct vtcp_segment s)
{
  uint32_t f128 = s.cwr ? 1 : 0;
  uint32_t f64 = 2 * f128 + (s.ece ? 1u : 0u);
  uint32_t f32 = 2 * f64 + (s.urg ? 1u : 0u);
  uint32_t f16 = 2 * f32 + (s.has_ack ? 1u : 0u);
  uint32_t f8 = 2 * f16 + (s.psh ? 1u : 0u);
  uint32_t f4 = 2 * f8 + (s.rst ? 1u : 0u);
  uint32_t f2 = 2 * f4 + (s.syn ? 1u : 0u);

  /*@ assert f1: f == 2 * f2 + (s.fin ? 1 : 0); */
  /*@ assert f2: f / 2 == f2; */
  /*@ assert f4: f / 4 == f4; */
  /*@ assert f8: f / 8 == f8; */
  /*@ assert f16: f / 16 == f16; */
  /*@ assert f32: f / 32 == f32; */
  /*@ assert f64: f / 64 == f64; */
  /*@ assert f128: f / 128 == f128; */
  (void)f, (void)f2;
}

/*@ requires length: header_length(b) == n;
    assigns \nothing;
    ensures reads: segment_read(b, n + len, o) == options_from(b, n, 20, header_read(b, len, o));
*/
static void both_parts(const uint8_t *b, uint32_t n, uint16_t len, struct vtcp_segment o)
{
  /*@ assert rest: n + len - header_length(b) == len; */
  (void)b, (void)n, (void)len, (void)o;
}

/*@ requires readable: header_size(s) <= 60 && \valid_read(b + (0 .. header_size(s) - 1));
    requires written: normal_segment(s) && segment_written(b, s);
    assigns \nothing;
    ensures length: header_length(b) == header_size(s) && usable(b, header_size(s) + s.len);
    ensures reads: segment_read(b, header_size(s) + s.len, o) == s;
    ensures result: parse_result(b, header_size(s) + s.len) == VTCP_WIRE_OK;
*/
static void segment_read_back(const uint8_t *b, struct vtcp_segment s, struct vtcp_segment o)
{
  struct vtcp_segment start = o;

  uint32_t words = 5 + (s.has_mss ? 1u : 0u) + (s.has_ts ? 3u : s.sack_permitted ? 1u : 0u) + (s.has_wscale ? 1u : 0u)
    + (s.has_uto ? 1u : 0u) + (s.sack_count > 0 ? 1u + 2u * s.sack_count : 0u);
  /*@ assert size: header_size(s) == 4 * words && 5 <= words <= 15; */
  /*@ assert offset: b[12] == 16 * words; */
  /*@ assert length: header_length(b) == header_size(s); */
  /*@ assert usable: usable(b, header_size(s) + s.len); */
  start.seq = s.seq;
  start.ack = s.ack;
  start.wnd = s.wnd;
  start.up = s.up;
  /*@ assert fields: with_fields(b, o) == start; */
  flags_read_back(b[13], s);
  start.fin = s.fin;
  start.syn = s.syn;
  start.rst = s.rst;
  start.psh = s.psh;
  start.has_ack = s.has_ack;
  start.urg = s.urg;
  start.ece = s.ece;
  start.cwr = s.cwr;
  /*@ assert flags: with_flags(b[13], with_fields(b, o)) == start; */
  start.len = s.len;
  /*@ assert len: with_len(s.len, with_flags(b[13], with_fields(b, o))) == start; */
  start.has_mss = start.has_wscale = start.sack_permitted = start.has_ts = start.has_uto = false;
  start.mss = start.uto = 0;
  start.wscale = 0;
  start.tsval = start.tsecr = 0;
  /*@ assert options: without_options(with_len(s.len, with_flags(b[13], with_fields(b, o)))) == start; */
  start = sack_removed(start);
  /*@ assert sack: without_sack(without_options(with_len(s.len, with_flags(b[13], with_fields(b, o))))) == start; */
  /*@ assert header: header_read(b, s.len, o) == start; */
  struct vtcp_segment end = options_added(s, start);
  end = options_read_back(b, s, start);
  /*@ assert same_again: end == s; */
  both_parts(b, 4 * words, s.len, o);
  /*@ assert read: segment_read(b, header_size(s) + s.len, o) == end; */
  /*@ assert legal: illegal_length(b, header_size(s), header_size(s)) == \false; */
  (void)end;
}

/* The octets behind the header, which vtcp_emit leaves as they are, are the text: any text. */
/*@ requires writable: \valid(octets + (0 .. room - 1)) && header_size(*s) + s->len <= room;
    requires \valid_read(s) && \valid(back) && \valid(text);
    requires apart: \separated(s, back, text, octets + (..));
    requires normal: normal_segment(*s) && header_size(*s) <= 60;
    assigns octets[0 .. header_size(*s) - 1], *back, *text;
    ensures round_trip: *back == \old(*s);
    ensures text: *text == header_size(\old(*s));
    ensures result: \result == VTCP_WIRE_OK;
*/
enum vtcp_wire round_trip(const struct vtcp_segment *s, uint8_t *octets, uint32_t room, struct vtcp_segment *back,
                          uint32_t *text)
{
  uint32_t header = vtcp_emit(s, octets, room);

  /*@ assert header: header == header_size(*s) && header != 0; */
  segment_read_back(octets, *s, *back);
  /*@ assert read: segment_read(octets, header + s->len, *back) == *s; */
  return vtcp_parse(octets, header + s->len, back, text);
}

/* --- The checksum in place --- */

/*@ requires readable: 18 <= n && \valid(b + (0 .. n - 1)) && b[16] == 0 && b[17] == 0;
    assigns b[16 .. 17];
    ensures adds: words_from(b, n, 0) == \old(words_from(b, n, 0)) + c;
*/
static void put_checksum(uint8_t *b, uint32_t n, uint16_t c)
{
  uint32_t i = n - n % 2;

  b[16] = (uint8_t)(c / 256u);
  b[17] = (uint8_t)(c % 256u);
  /*@ assert last: words_from(b, n, i) == \at(words_from(b, n, n - n % 2), Pre); */
  /*@ loop invariant bound: i <= n && i % 2 == 0;
      loop invariant adds: words_from(b, n, i) == words_from{Pre}(b, n, i) + (i <= 16 ? c : 0);
      loop assigns i;
      loop variant i; */
  while (i > 0) {
    i -= 2;
    /*@ assert now: words_from(b, n, i) == word(b, n, i) + words_from(b, n, i + 2); */
    /*@ assert then: words_from{Pre}(b, n, i) == word{Pre}(b, n, i) + words_from{Pre}(b, n, i + 2); */
  }
}

/*@ requires readable: 18 <= n && \valid(b + (0 .. n - 1)) && b[16] == 0 && b[17] == 0;
    assigns b[16 .. 17];
    ensures MUST_3: \result == 0;
*/
uint16_t checksum_law(uint32_t pseudo, uint8_t *b, uint32_t n)
{
  uint16_t sum = vtcp_checksum(pseudo, b, n);

  /*@ assert complement: \let x = pseudo + words_from(b, n, 0); ones_sum(x + (65535 - ones_sum(x))) == 65535; */
  put_checksum(b, n, sum);
  return vtcp_checksum(pseudo, b, n);
}
