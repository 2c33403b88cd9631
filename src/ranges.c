/* What arrived beyond a gap (RFC 9293, SHLD-31). Places are counted from RCV.NXT. */
#include "core.h"

/* Whether two ranges overlap or adjoin. */
/*@ assigns \nothing;
    ensures touching: \result <==> touches(r, q.from, q.to);
*/
static bool is_touching(struct vtcp_range r, struct vtcp_range q)
{
  return r.from <= q.to && q.from <= r.to;
}

/* The range that holds both, if they touch. */
/*@ assigns \nothing;
    ensures from: \result.from == least(r.from, q.from);
    ensures to: \result.to == most(r.to, q.to);
*/
static struct vtcp_range united(struct vtcp_range r, struct vtcp_range q)
{
  struct vtcp_range both = r;

  if (q.from < both.from)
    both.from = q.from;
  if (q.to > both.to)
    both.to = q.to;
  return both;
}

/* Takes the ranges that touch r out of what is held, and gives their union with r. The others keep their order. */
/*@ requires \valid(c) && normal(c->held, c->rcv_wnd) && r.from < r.to && r.to <= c->rcv_wnd;
    assigns c->held;
    ensures normal: normal(c->held, c->rcv_wnd);
    ensures spans: \result.from <= r.from && r.to <= \result.to && \result.to <= c->rcv_wnd;
    ensures apart: \forall integer i; 0 <= i < VTCP_RANGES ==>
                   (c->held.at[i].to != 0 ==> !touches(c->held.at[i], \result.from, \result.to));
    ensures all: \forall integer x; in_range(\result, x) || holds(c->held, x) <==> in_range(r, x) || holds(\old(c->held), x);
    ensures order: \forall integer j, k; 0 <= j < k < VTCP_RANGES ==>
                   (c->held.at[k].to != 0 ==> newer(\old(c->held), c->held.at[j], c->held.at[k]));
    ensures room: full(c->held) ==> \result == r && full(\old(c->held))
                  && (\forall integer i; 0 <= i < VTCP_RANGES ==>
                      c->held.at[i] == \old(c->held.at[i]) && !touches(\old(c->held.at[i]), r.from, r.to));
*/
static struct vtcp_range join(struct vtcp_conn *c, struct vtcp_range r)
{
  struct vtcp_range whole = r;
  uint32_t kept = 0;

  /*@ loop invariant bound: kept <= i <= VTCP_RANGES;
      loop invariant rest: \forall integer k; i <= k < VTCP_RANGES ==> c->held.at[k] == \at(c->held.at[k], Pre);
      loop invariant used: \forall integer k; 0 <= k < i ==> \at(c->held.at[k].to, Pre) != 0;
      loop invariant zero: \forall integer k; kept <= k < i ==> c->held.at[k].from == 0 && c->held.at[k].to == 0;
      loop invariant whole: whole.from <= r.from && r.to <= whole.to <= c->rcv_wnd;
      loop invariant room: kept < i
        || (whole == r && (\forall integer k; 0 <= k < i ==>
                           c->held.at[k] == \at(c->held.at[k], Pre) && !touches(c->held.at[k], r.from, r.to)));
      loop invariant normal: \forall integer k; 0 <= k < kept ==> normal_range(c->held.at[k], c->rcv_wnd)
                                                               && c->held.at[k].to != 0;
      loop invariant apart: \forall integer j, k; 0 <= j < k < kept ==>
                            !touches(c->held.at[j], c->held.at[k].from, c->held.at[k].to);
      loop invariant apart_rest: \forall integer j, k; 0 <= j < kept && i <= k < VTCP_RANGES ==>
                                 (c->held.at[k].to != 0 ==> !touches(c->held.at[j], c->held.at[k].from, c->held.at[k].to));
      loop invariant apart_whole: \forall integer k; 0 <= k < kept ==> !touches(c->held.at[k], whole.from, whole.to);
      loop invariant rest_whole: \forall integer k; i <= k < VTCP_RANGES ==>
                                 (c->held.at[k].to != 0 && !touches(c->held.at[k], r.from, r.to) ==>
                                  !touches(c->held.at[k], whole.from, whole.to));
      loop invariant order: \forall integer j, k; 0 <= j < k < kept ==>
                            newer(\at(c->held, Pre), c->held.at[j], c->held.at[k]);
      loop invariant order_rest: \forall integer j, k; 0 <= j < kept && i <= k < VTCP_RANGES ==>
                                 newer(\at(c->held, Pre), c->held.at[j], \at(c->held.at[k], Pre));
      loop invariant was: \forall integer x, k; 0 <= k < kept && in_range(c->held.at[k], x) ==> holds(\at(c->held, Pre), x);
      loop invariant is: \forall integer l; 0 <= l < i ==>
                         (whole.from <= \at(c->held.at[l].from, Pre) && \at(c->held.at[l].to, Pre) <= whole.to)
                         || \exists integer k; 0 <= k < kept && c->held.at[k] == \at(c->held.at[l], Pre);
      loop invariant sound: \forall integer x; in_range(whole, x) ==> in_range(r, x) || holds(\at(c->held, Pre), x);
      loop assigns i, kept, whole, c->held.at[0 .. VTCP_RANGES - 1];
      loop variant VTCP_RANGES - i; */
  for (uint32_t i = 0; i < VTCP_RANGES && c->held.at[i].to != 0; i++) {
    struct vtcp_range one = c->held.at[i];
    c->held.at[i].from = 0;
    c->held.at[i].to = 0;
    if (is_touching(one, r)) {
      whole = united(whole, one);
    } else {
      c->held.at[kept++] = one;
      /*@ assert here: \let l = i; c->held.at[kept - 1] == \at(c->held.at[l], Pre); */
      /*@ assert before: \forall integer k; 0 <= k < kept - 1 ==> c->held.at[k] == \at(c->held.at[k], LoopCurrent); */
    }
  }
  /*@ assert sound: \forall integer x; holds(c->held, x) ==> holds(\at(c->held, Pre), x); */
  /*@ assert whole: \forall integer x; in_range(r, x) ==> in_range(whole, x); */
  /*@ assert rest: \forall integer x; holds(\at(c->held, Pre), x) ==> in_range(whole, x) || holds(c->held, x); */
  return whole;
}

/* A range of its own, the newest. */
/*@ requires \valid(c) && normal(c->held, c->rcv_wnd) && !full(c->held);
    requires 0 < r.from && r.from < r.to && r.to <= c->rcv_wnd;
    requires \forall integer i; 0 <= i < VTCP_RANGES ==>
             (c->held.at[i].to != 0 ==> !touches(c->held.at[i], r.from, r.to));
    assigns c->held;
    ensures normal: normal(c->held, c->rcv_wnd);
    ensures first: c->held.at[0] == r;
    ensures order: \forall integer i; 0 < i < VTCP_RANGES ==> c->held.at[i] == \old(c->held).at[i - 1];
    ensures all: \forall integer x; holds(c->held, x) <==> in_range(r, x) || holds(\old(c->held), x);
*/
static void put_first(struct vtcp_conn *c, struct vtcp_range r)
{
  /*@ loop invariant bound: i <= VTCP_RANGES - 1;
      loop invariant moved: \forall integer k; i < k < VTCP_RANGES ==> c->held.at[k] == \at(c->held.at[k - 1], Pre);
      loop invariant rest: \forall integer k; 0 <= k <= i ==> c->held.at[k] == \at(c->held.at[k], Pre);
      loop assigns i, c->held.at[0 .. VTCP_RANGES - 1];
      loop variant i; */
  for (uint32_t i = VTCP_RANGES - 1; i > 0; i--)
    c->held.at[i] = c->held.at[i - 1];
  c->held.at[0] = r;
  /*@ assert moved: \forall integer i; 0 <= i < VTCP_RANGES - 1 ==> c->held.at[i + 1] == \at(c->held.at[i], Pre); */
  /*@ assert sound: \forall integer x; holds(c->held, x) ==> in_range(r, x) || holds(\at(c->held, Pre), x); */
  /*@ assert first: \forall integer x; in_range(r, x) ==> holds(c->held, x); */
  /*@ assert rest: \forall integer x; holds(\at(c->held, Pre), x) ==> holds(c->held, x); */
}

/* RCV.NXT is to move by n: places are counted from there. */
/*@ requires \valid(c) && normal(c->held, c->rcv_wnd) && 0 < n && n <= c->rcv_wnd;
    requires \forall integer i; 0 <= i < VTCP_RANGES ==> (c->held.at[i].to != 0 ==> n < c->held.at[i].from);
    assigns c->held;
    ensures normal: normal(c->held, c->rcv_wnd - n);
    ensures all: \forall integer x; holds(c->held, x) <==> holds(\old(c->held), x + n);
*/
static void count_from(struct vtcp_conn *c, uint32_t n)
{
  /*@ loop invariant bound: i <= VTCP_RANGES;
      loop invariant used: \forall integer k; 0 <= k < i ==> \at(c->held.at[k].to, Pre) != 0;
      loop invariant less: \forall integer k; 0 <= k < i ==> c->held.at[k].from == \at(c->held.at[k].from, Pre) - n
                                                           && c->held.at[k].to == \at(c->held.at[k].to, Pre) - n;
      loop invariant rest: \forall integer k; i <= k < VTCP_RANGES ==> c->held.at[k] == \at(c->held.at[k], Pre);
      loop assigns i, c->held.at[0 .. VTCP_RANGES - 1];
      loop variant VTCP_RANGES - i; */
  for (uint32_t i = 0; i < VTCP_RANGES && c->held.at[i].to != 0; i++) {
    c->held.at[i].from -= n;
    c->held.at[i].to -= n;
  }
}

/* Text arrived at these places. The range that it is now in; its end is the number of octets in order if it begins at RCV.NXT.
 * Nothing if it was refused: it would be a range of its own, and there is no room for one. */
/*@ requires \valid(c) && normal(c->held, c->rcv_wnd) && text.from < text.to && text.to <= c->rcv_wnd;
    assigns c->held;
    ensures normal: \result.from == 0 && \result.to != 0 ? normal(c->held, c->rcv_wnd - \result.to)
                                                         : normal(c->held, c->rcv_wnd);
    ensures spans: \result.to != 0 ==> \result.from <= text.from && text.to <= \result.to && \result.to <= c->rcv_wnd;
    ensures refused: \result.to == 0 ==> kept(\old(c->held), text.from, text.to - text.from, 0)
                                         && reassembled(\old(c->held), text.from, 0, c->held, 0);
    ensures beyond: \result.to != 0 && \result.from > 0 ==>
                    reassembled(\old(c->held), text.from, text.to - text.from, c->held, 0);
    ensures in_order: \result.to != 0 && \result.from == 0 ==>
                      reassembled(\old(c->held), text.from, text.to - text.from, c->held, \result.to);
    ensures alone: no_text(\old(c->held)) && text.from == 0 ==> \result == text;
*/
static struct vtcp_range reassemble(struct vtcp_conn *c, struct vtcp_range text)
{
  if (text.from == 0 && c->held.at[0].to == 0)
    return text; /* in order, and nothing waits: most text is */
  struct vtcp_range whole = join(c, text);
  if (whole.from == 0) {
    count_from(c, whole.to);
  } else if (c->held.at[VTCP_RANGES - 1].to == 0) {
    put_first(c, whole);
  } else {
    whole.from = 0;
    whole.to = 0;
  }
  return whole;
}
