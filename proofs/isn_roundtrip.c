/* Theorems about SYN cookies that no function needs and every reader wants, proven from the contracts in include/vtcp.h:
 *
 *   completes  the ACK of a cookie that is younger than 134 s is accepted, whoever the cookie was made for
 *   mss        its MSS comes back: the largest of the table that is not above the peer's (MUST_16)
 *   options    the window scale and SACK-permitted come back with the timestamp
 *
 * The functions without effects are lemmas: a body that the provers can follow. */
#include "../include/vtcp.h"

/*@ lemma cookie_fields: \forall integer period, index, hash; 0 <= period && 0 <= index <= 7 && 0 <= hash ==>
      0 <= cookie_of(period, index, hash) < 0x100000000 && cookie_index(cookie_of(period, index, hash)) == index
      && cookie_of(period, index, hash) / 0x40000000 == period % 4;
*/

/*@ requires time: sent <= now < sent + 0x8000000;
    requires period: cookie / 0x40000000 == cookie_period(sent) % 4;
    assigns \nothing;
    ensures age: cookie_age(cookie, now) == cookie_period(now) - cookie_period(sent) <= 2;
*/
static void age(uint64_t sent, uint64_t now, uint32_t cookie)
{
  /*@ assert periods: 0 <= now / 0x4000000 - sent / 0x4000000 <= 2; */
  (void)sent, (void)now, (void)cookie;
}

/*@ assigns \nothing;
    ensures next: \result == seq_add(x, 1);
    ensures back: seq_distance(1, \result) == x;
*/
static uint32_t next(uint32_t x)
{
  return x == UINT32_MAX ? 0 : x + 1;
}

/*@ assigns \nothing;
    ensures index: \result == mss_index(mss) && \result <= 7;
    ensures MUST_16: cookie_mss(\result) <= most(mss, 1);
    ensures nearest: \forall integer i; 0 <= i <= 7 && cookie_mss(i) <= mss ==> cookie_mss(i) <= cookie_mss(\result);
*/
static uint32_t index_of(uint16_t mss)
{
  return mss < 64 ? 0 : mss < 536 ? 1 : mss < 1220 ? 2 : mss < 1360 ? 3 : mss < 1400 ? 4 : mss < 1440 ? 5
         : mss < 1460 ? 6 : 7;
}

/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. n - 1));
    requires writable: \valid(mss) && \separated(mss, key + (..)) && \separated(mss, name + (..));
    requires ack: ack.has_ack && !ack.syn && !ack.rst;
    requires time: sent <= now < sent + 0x8000000;
    assigns *mss;
    ensures completes: \result;
    ensures mss: *mss == cookie_mss(mss_index(announced));
    ensures MUST_16: *mss <= most(announced, 1);
    ensures nearest: \forall integer i; 0 <= i <= 7 && cookie_mss(i) <= announced ==> cookie_mss(i) <= *mss;
*/
static bool comes_back(const uint8_t *key, const uint8_t *name, uint32_t n, uint32_t irs, uint16_t announced,
                       uint64_t sent, struct vtcp_segment ack, uint64_t now, uint16_t *mss)
{
  uint32_t cookie = vtcp_cookie(key, name, n, irs, announced, sent);
  uint32_t index = index_of(announced);

  ack.seq = next(irs);
  ack.ack = next(cookie);
  /*@ assert layout: cookie == cookie_of((uint64_t)cookie_period(sent), index,
        cookie_hash(key, name, n, irs, (uint64_t)cookie_period(sent), index)); */
  /*@ assert range: (uint64_t)cookie_period(sent) == cookie_period(sent); */
  /*@ assert index: cookie_index(cookie) == index; */
  /*@ assert period: cookie / 0x40000000 == cookie_period(sent) % 4; */
  age(sent, now, cookie);
  /*@ assert then: (uint64_t)cookie_period(sent) == (uint64_t)(cookie_period(now) - cookie_age(cookie, now)); */
  /*@ assert made: cookie == cookie(key, name, n, irs, (uint64_t)(cookie_period(now) - cookie_age(cookie, now)),
                                    cookie_index(cookie)); */
  /*@ assert recent: cookie_age(cookie, now) <= least(2, cookie_period(now)); */
  /*@ assert is_cookie: is_cookie(key, name, n, cookie, irs, now) == \true; */
  /*@ assert completes: completes(key, name, n, ack, now) == \true; */
  return vtcp_cookie_check(key, name, n, &ack, now, mss);
}

/* A peer's SYN answered with a cookie's timestamp, and its ACK. */
/*@ requires readable: \valid_read(syn) && \valid(event) && \separated(syn, event);
    assigns *event;
    ensures options: cookie_options(event->seg) == cookie_options(*syn);
    ensures wscale: event->seg.has_wscale == syn->has_wscale;
    ensures R7323_2_3: syn->has_wscale ==> event->seg.wscale == least(syn->wscale, 14);
    ensures sack: event->seg.sack_permitted == syn->sack_permitted;
*/
static void options(const struct vtcp_segment *syn, uint32_t clock, struct vtcp_segment ack, struct vtcp_event *event)
{
  ack.has_ts = true;
  ack.tsecr = vtcp_cookie_ts(syn, clock);
  vtcp_cookie_syn(&ack, 1460, 0, event);
}
