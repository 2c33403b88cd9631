/* Numbers that cannot be guessed: SipHash-2-4, initial sequence numbers (RFC 6528), SYN cookies (RFC 4987, section 3.6).
 *
 * SipHash's words are numbers modulo 2^64; like sequence numbers they are added round the edge, and rotated without losing
 * a bit on the way. Compilers emit one addition and one rotation. Octets are read one at a time, so that the host's byte order
 * and alignment do not matter. No branch and no address depends on the key. SPDX-License-Identifier: MIT */
#include "sequence.h"

/* --- SipHash-2-4 --- */

/*@ assigns \nothing;
    ensures plus: \result == plus64(a, b);
*/
static inline uint64_t plus64(uint64_t a, uint64_t b)
{
  return b <= UINT64_MAX - a ? a + b : b - (UINT64_MAX - a) - 1;
}

/* To the left, by the bits of which `up` is the power. */
/*@ requires power: up == 0x2000 || up == 0x10000 || up == 0x20000 || up == 0x200000 || up == 0x100000000;
    assigns \nothing;
    ensures rotated: \result == rotated(x, up, 0x10000000000000000 / up);
*/
static inline uint64_t rotated(uint64_t x, uint64_t up)
{
  uint64_t down = UINT64_MAX / up + 1;

  /*@ assert down: down == 0x10000000000000000 / up; */
  /*@ assert pairs: (up == 0x2000 && down == 0x8000000000000) || (up == 0x10000 && down == 0x1000000000000)
        || (up == 0x20000 && down == 0x800000000000) || (up == 0x200000 && down == 0x80000000000)
        || (up == 0x100000000 && down == 0x100000000); */
  return x % down * up + x / down;
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == half_round(\old(*s));
*/
static void half_round(struct vtcp_siphash *s)
{
  s->v0 = plus64(s->v0, s->v1);
  s->v2 = plus64(s->v2, s->v3);
  s->v1 = rotated(s->v1, 1u << 13) ^ s->v0;
  s->v3 = rotated(s->v3, 1u << 16) ^ s->v2;
  s->v0 = rotated(s->v0, UINT64_C(1) << 32);
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == other_half(\old(*s));
*/
static void other_half(struct vtcp_siphash *s)
{
  s->v2 = plus64(s->v2, s->v1);
  s->v0 = plus64(s->v0, s->v3);
  s->v1 = rotated(s->v1, 1u << 17) ^ s->v2;
  s->v3 = rotated(s->v3, 1u << 21) ^ s->v0;
  s->v2 = rotated(s->v2, UINT64_C(1) << 32);
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == two_rounds(\old(*s));
*/
static void two_rounds(struct vtcp_siphash *s)
{
  half_round(s);
  other_half(s);
  half_round(s);
  other_half(s);
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: *s == with_word64(\old(*s), m);
*/
static void take_word64(struct vtcp_siphash *s, uint64_t m)
{
  s->v3 ^= m;
  two_rounds(s);
  s->v0 ^= m;
}

/*@ requires readable: \valid_read(b + (i .. i + 7));
    assigns \nothing;
    ensures reads: \result == word64(b, i);
*/
static uint64_t load64(const uint8_t *b, uint32_t i)
{
  const uint8_t *p = b + i;

  return p[0] + UINT64_C(0x100) * p[1] + UINT64_C(0x10000) * p[2] + UINT64_C(0x1000000) * p[3]
         + UINT64_C(0x100000000) * p[4] + UINT64_C(0x10000000000) * p[5] + UINT64_C(0x1000000000000) * p[6]
         + UINT64_C(0x100000000000000) * p[7];
}

/*@ requires readable: i <= n && (i + k < n ==> \valid_read(b + (i + k)));
    assigns \nothing;
    ensures reads: \result == octet_or_0(b, n, i + k);
    ensures bounded: \result <= 255;
*/
static uint64_t octet_or_0(const uint8_t *b, uint32_t n, uint32_t i, uint32_t k)
{
  return k < n - i ? b[i + k] : 0;
}

/*@ requires readable: i <= n && \valid_read(b + (i .. n - 1)) && before <= 255;
    assigns \nothing;
    ensures reads: \result == last_word(b, n, i, before + n);
*/
static uint64_t last_word(const uint8_t *b, uint32_t n, uint32_t i, uint32_t before)
{
  uint32_t total = (n % 256u + before) % 256u;

  /*@ assert total: total == (before + n) % 256; */
  return octet_or_0(b, n, i, 0) + 0x100u * octet_or_0(b, n, i, 1) + 0x10000u * octet_or_0(b, n, i, 2)
         + 0x1000000u * octet_or_0(b, n, i, 3) + UINT64_C(0x100000000) * octet_or_0(b, n, i, 4)
         + UINT64_C(0x10000000000) * octet_or_0(b, n, i, 5) + UINT64_C(0x1000000000000) * octet_or_0(b, n, i, 6)
         + UINT64_C(0x100000000000000) * total;
}

/*@ requires readable: \valid_read(key + (0 .. 15));
    requires \valid(s) && \separated(s, key + (..));
    assigns *s;
    ensures refines: *s == keyed(key);
*/
static void take_key(struct vtcp_siphash *s, const uint8_t *key)
{
  uint64_t k0 = load64(key, 0), k1 = load64(key, 8);

  s->v0 = k0 ^ UINT64_C(0x736f6d6570736575);
  s->v1 = k1 ^ UINT64_C(0x646f72616e646f6d);
  s->v2 = k0 ^ UINT64_C(0x6c7967656e657261);
  s->v3 = k1 ^ UINT64_C(0x7465646279746573);
}

/*@ requires \valid(s);
    assigns *s;
    ensures refines: \result == digest(\old(*s));
*/
static uint64_t digest(struct vtcp_siphash *s)
{
  s->v2 ^= 0xff;
  two_rounds(s);
  two_rounds(s);
  return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* The hash, of `before` octets that were taken as words before, and then of b. */
/*@ requires readable: \valid_read(b + (0 .. n - 1));
    requires \valid(s) && \separated(s, b + (..)) && before <= 255;
    assigns *s;
    ensures refines: \result == hashed(\old(*s), b, n, 0, before);
*/
static uint64_t hash_rest(struct vtcp_siphash *s, const uint8_t *b, uint32_t n, uint32_t before)
{
  uint32_t i = 0;

  /*@ loop invariant bound: i <= n;
      loop invariant words: hashed(\at(*s, Pre), b, n, 0, before) == hashed(*s, b, n, i, before);
      loop assigns i, *s;
      loop variant n - i; */
  for (; n - i >= 8; i += 8) {
    /*@ assert unfolds: hashed(*s, b, n, i, before) == hashed(with_word64(*s, word64(b, i)), b, n, i + 8, before); */
    take_word64(s, load64(b, i));
  }
  /*@ assert ends: hashed(*s, b, n, i, before) == digest(with_word64(*s, last_word(b, n, i, before + n))); */
  take_word64(s, last_word(b, n, i, before));
  return digest(s);
}

uint64_t vtcp_siphash(const uint8_t key[16], const uint8_t *octets, uint32_t length)
{
  struct vtcp_siphash s;

  take_key(&s, key);
  return hash_rest(&s, octets, length, 0);
}

/* --- Initial sequence numbers --- */

uint32_t vtcp_isn_from(uint32_t hash, uint64_t now)
{
  return add(hash, (uint32_t)(now / 4 % 0x100000000));
}

uint32_t vtcp_isn(const uint8_t key[16], const uint8_t *name, uint32_t length, uint64_t now)
{
  return vtcp_isn_from((uint32_t)(vtcp_siphash(key, name, length) % 0x100000000), now);
}

/* --- SYN cookies --- */

/* 1 lies below what anybody announces; 64 is for those who announce little, to whatever end. */
/*@ requires index <= 7;
    assigns \nothing;
    ensures mss: \result == cookie_mss(index);
*/
static uint16_t mss_at(uint32_t index)
{
  static const uint16_t mss[8] = {1, 64, 536, 1220, 1360, 1400, 1440, 1460};

  return mss[index];
}

/*@ assigns \nothing;
    ensures index: \result == mss_index(mss) && \result <= 7;
    ensures MUST_16: cookie_mss(\result) <= most(mss, 1);
*/
static uint32_t mss_index(uint16_t mss)
{
  uint32_t index = 7;

  /*@ loop invariant bound: index <= 7;
      loop invariant above: index < 7 ==> mss < cookie_mss(index + 1);
      loop assigns index;
      loop variant index; */
  while (index > 0 && mss < mss_at(index))
    index--;
  return index;
}

/*@ requires index <= 7;
    assigns \nothing;
    ensures word: \result == cookie_word(irs, index);
*/
static uint64_t cookie_word(uint32_t irs, uint32_t index)
{
  return irs + UINT64_C(0x100000000) * index;
}

/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. n - 1)) && index <= 7;
    assigns \nothing;
    ensures hash: \result == cookie_hash(key, name, n, irs, period, index);
*/
static uint64_t cookie_hash(const uint8_t *key, const uint8_t *name, uint32_t n, uint32_t irs, uint64_t period,
                            uint32_t index)
{
  struct vtcp_siphash s;

  take_key(&s, key);
  take_word64(&s, cookie_word(irs, index));
  take_word64(&s, period);
  return hash_rest(&s, name, n, 16);
}

/*@ requires index <= 7;
    assigns \nothing;
    ensures layout: \result == cookie_of(period, index, hash);
*/
static uint32_t cookie_of(uint64_t period, uint32_t index, uint64_t hash)
{
  return (uint32_t)(period % 4) * 0x40000000u + index * 0x8000000u + (uint32_t)(hash % 0x8000000);
}

/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. n - 1)) && index <= 7;
    assigns \nothing;
    ensures cookie: \result == cookie(key, name, n, irs, period, index);
*/
static uint32_t make_cookie(const uint8_t *key, const uint8_t *name, uint32_t n, uint32_t irs, uint64_t period,
                            uint32_t index)
{
  return cookie_of(period, index, cookie_hash(key, name, n, irs, period, index));
}

/* 2^26 microseconds, 67 s, are a period. */
/*@ assigns \nothing;
    ensures period: \result == cookie_period(now);
*/
static uint64_t period_of(uint64_t now)
{
  return now / 0x4000000;
}

/*@ assigns \nothing;
    ensures index: \result == cookie_index(cookie) && \result <= 7;
*/
static uint32_t index_in(uint32_t cookie)
{
  return cookie / 0x8000000u % 8;
}

uint32_t vtcp_cookie(const uint8_t key[16], const uint8_t *name, uint32_t length, uint32_t irs, uint16_t mss,
                     uint64_t now)
{
  uint64_t period = period_of(now);

  /*@ assert period: period == (uint64_t)cookie_period(now); */
  return make_cookie(key, name, length, irs, period, mss_index(mss));
}

/* How many periods ago a cookie was made; 3 if it may be more. */
/*@ assigns \nothing;
    ensures age: \result == cookie_age(cookie, now);
*/
static uint32_t cookie_age(uint32_t cookie, uint64_t now)
{
  return ((uint32_t)(period_of(now) % 4) + 4 - cookie / 0x40000000u) % 4;
}

/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. n - 1));
    assigns \nothing;
    ensures cookie: \result <==> is_cookie(key, name, n, cookie, irs, now);
*/
static bool is_cookie(const uint8_t *key, const uint8_t *name, uint32_t n, uint32_t cookie, uint32_t irs, uint64_t now)
{
  uint32_t age = cookie_age(cookie, now), index = index_in(cookie);
  uint64_t period = period_of(now);

  /*@ assert recent: (age > 2 || age > period) <==> cookie_age(cookie, now) > least(2, cookie_period(now)); */
  if (age > 2 || age > period)
    return false;
  uint32_t made = make_cookie(key, name, n, irs, period - age, index);
  /*@ assert period: period - age == (uint64_t)(cookie_period(now) - cookie_age(cookie, now)); */
  /*@ assert made: made == cookie(key, name, n, irs, (uint64_t)(cookie_period(now) - cookie_age(cookie, now)),
                                  cookie_index(cookie)); */
  return made == cookie;
}

bool vtcp_cookie_check(const uint8_t key[16], const uint8_t *name, uint32_t length, const struct vtcp_segment *ack,
                       uint64_t now, uint16_t *mss)
{
  uint32_t cookie = distance(1, ack->ack), irs = distance(1, ack->seq);

  if (!ack->has_ack || ack->syn || ack->rst || !is_cookie(key, name, length, cookie, irs, now))
    return false;
  *mss = mss_at(index_in(cookie));
  return true;
}

/* --- What the timestamp of a cookie holds --- */

uint32_t vtcp_cookie_ts(const struct vtcp_segment *syn, uint32_t clock)
{
  uint32_t wscale = !syn->has_wscale ? 15u : syn->wscale > 14 ? 14u : syn->wscale;
  uint32_t options = wscale + (syn->sack_permitted ? 16u : 0u);

  uint32_t back = (clock % 32 + 32 - options) % 32;

  /*@ assert multiple: (clock - back - options) % 32 == 0; */
  return distance(back, clock);
}

static const struct vtcp_event no_event = {0};

void vtcp_cookie_syn(const struct vtcp_segment *ack, uint16_t mss, uint64_t now, struct vtcp_event *event)
{
  uint32_t wscale = ack->tsecr % 16;

  *event = no_event;
  event->type = VTCP_ARRIVES;
  event->now = now;
  event->iss = distance(1, ack->ack);
  event->seg.seq = distance(1, ack->seq);
  event->seg.syn = true;
  event->seg.wnd = ack->wnd;
  event->seg.has_mss = true;
  event->seg.mss = mss;
  if (!ack->has_ts)
    return;
  event->seg.has_ts = true;
  event->seg.tsval = ack->tsval;
  event->seg.has_wscale = wscale < 15;
  event->seg.wscale = wscale < 15 ? (uint8_t)wscale : 0;
  event->seg.sack_permitted = ack->tsecr / 16 % 2 == 1;
  /*@ assert low_bits: ack->tsecr % 32 == wscale + 16 * (ack->tsecr / 16 % 2); */
}
