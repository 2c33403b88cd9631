/* Sequence numbers (RFC 9293, section 3.4) and time: the only place that knows how they wrap or saturate.
 * The helpers are written so that no proof needs modular arithmetic; compilers emit one addition or subtraction. */
#ifndef VTCP_SEQUENCE_H
#define VTCP_SEQUENCE_H

#include "../include/vtcp.h"

/* How far b lies after a. */
/*@ assigns \nothing;
    ensures distance: \result == seq_distance(a, b);
*/
static inline uint32_t distance(uint32_t a, uint32_t b)
{
  return a <= b ? b - a : UINT32_MAX - (a - b) + 1;
}

/* The number n after a. */
/*@ assigns \nothing;
    ensures add: \result == seq_add(a, n);
*/
static inline uint32_t add(uint32_t a, uint32_t n)
{
  return n <= UINT32_MAX - a ? a + n : n - (UINT32_MAX - a) - 1;
}

/* Whether seq is one of the `size` numbers that begin with `left`. */
/*@ assigns \nothing;
    ensures within: \result <==> in_window(seq, left, size);
*/
static inline bool within(uint32_t seq, uint32_t left, uint32_t size)
{
  return distance(left, seq) < size;
}

/*@ assigns \nothing;
    ensures elapsed: \result == elapsed(since, now);
*/
static inline uint64_t time_since(uint64_t since, uint64_t now)
{
  return since <= now ? now - since : 0;
}

/*@ assigns \nothing;
    ensures later: \result == later(now, us);
*/
static inline uint64_t time_after(uint64_t now, uint64_t us)
{
  return us <= UINT64_MAX - now ? now + us : UINT64_MAX;
}

/*@ assigns \nothing;
    ensures least: \result == least(a, b);
*/
static inline uint32_t smaller(uint32_t a, uint32_t b)
{
  return a <= b ? a : b;
}

#endif
