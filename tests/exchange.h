/* A small vocabulary in which a test of the core reads as a packet exchange.
 *
 * Numbers are relative: of what we send, `seq` counts from our ISS and `ack` from the peer's (IRS); of what arrives it
 * is the other way about. Both bases lie just below 2^32 by default and are varied by `with_every_base`, so that every
 * test is also a test of the wrap-around. A step is strict: a segment, a signal or an error that the test does not name
 * before the next step is a failure. After every step the laws of laws.h are checked. */
#ifndef VTCP_TESTS_EXCHANGE_H
#define VTCP_TESTS_EXCHANGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "laws.h"
#include "vtcp.h"

/* Control bits. PSH of what we send is checked by a law and never written in an expectation. */
enum { NONE = 0, SYN = 1, ACK = 2, FIN = 4, RST = 8, PSH = 16, URG = 32 };

enum { ZERO = -1 };   /* a window or an MSS of 0, where a plain 0 means the default or none */
enum { NO_MSS = -2 }; /* an expected segment without the option */

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* A segment in relative numbers. */
struct packet {
  unsigned flags;
  int64_t seq, ack;
  int32_t wnd;  /* 0: peer_wnd in what arrives, not checked in what leaves */
  int32_t mss;  /* 0: none in what arrives, not checked in what leaves */
  uint16_t len; /* octets of text */
  uint16_t up;
};

/* One of our endpoints, with its two buffers, and the peer's share of the numbers. */
struct endpoint {
  struct vtcp_conn conn;
  struct vtcp_actions out; /* of the last step */
  uint64_t now;
  uint32_t iss, irs;       /* the bases; `iss` is also the fresh ISS of the next event that needs one */
  int32_t peer_wnd;        /* window of arriving segments that name none */
  uint32_t *snd, *rcv;     /* the buffers: in place of octets, their places in the stream */
  uint32_t written, taken; /* octets of our stream ever put in, of the peer's ever received by the user */
  bool segment_open, signals_open, error_open; /* not yet named by the test */
  bool lenient;            /* nothing has to be named */
};

/* --- A step with its laws, for tests that drive the core by hand --- */

/* vtcp_step, and every law; on failure the last exchanges are printed. */
void checked_step(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions);

void fail_at(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4), noreturn));
#define require(condition, ...)                        \
  do {                                                 \
    if (!(condition)) {                                \
      fail_at(__FILE__, __LINE__, __VA_ARGS__);        \
    }                                                  \
  } while (0)

/* --- Beginning and end --- */

extern uint32_t base_iss, base_irs;

/* Small buffers, RFC 6298's times, R1 = 3, R2 = 100 s (180 s for a SYN), MSL 60 s, no keep-alives (else: after two hours,
 * 9 of them 75 s apart). */
struct vtcp_config test_config(void);

void begins(struct endpoint *t);
void begins_with(struct endpoint *t, struct vtcp_config cfg);
void ends_at(struct endpoint *t);
#define ends(t) (at(__FILE__, __LINE__), ends_at(t))

/* Runs the group once for each pair of bases. */
int with_every_base(const char *name, const struct CMUnitTest *tests, size_t count);
#define run_with_every_base(name, tests) with_every_base((name), (tests), sizeof(tests) / sizeof((tests)[0]))

/* --- Events --- */

void at(const char *file, int line); /* where the test is, for messages */

void step_at(struct endpoint *t, struct vtcp_event event);
void call_at(struct endpoint *t, uint8_t type, uint32_t len, bool remote);
void arrives_at(struct endpoint *t, struct packet p);
void icmp_at(struct endpoint *t, uint8_t kind, int64_t quoted, uint32_t len);
void waits_at(struct endpoint *t, uint64_t us);
void expires_at(struct endpoint *t);

#define opens(t) (at(__FILE__, __LINE__), call_at((t), VTCP_OPEN_ACTIVE, 0, true))
#define listens(t) (at(__FILE__, __LINE__), call_at((t), VTCP_OPEN_PASSIVE, 0, false))
#define writes(t, n) (at(__FILE__, __LINE__), call_at((t), VTCP_SEND, (n), true))
#define reads(t, n) (at(__FILE__, __LINE__), call_at((t), VTCP_RECEIVE, (n), true))
#define closes(t) (at(__FILE__, __LINE__), call_at((t), VTCP_CLOSE, 0, true))
#define aborts(t) (at(__FILE__, __LINE__), call_at((t), VTCP_ABORT, 0, true))
#define asks_status(t) (at(__FILE__, __LINE__), call_at((t), VTCP_STATUS, 0, true))
#define goes_on(t) (at(__FILE__, __LINE__), call_at((t), VTCP_MORE, 0, true))

/* arrives(t, SYN | ACK, .seq = 0, .ack = 1): a segment from the peer. */
#define arrives(t, ...) (at(__FILE__, __LINE__), arrives_at((t), (struct packet){.flags = __VA_ARGS__}))
/* icmp(t, VTCP_ICMP_SOFT, 1, 0): a message about our segment at SEQ=1. */
#define icmp(t, kind, quoted, len) (at(__FILE__, __LINE__), icmp_at((t), (kind), (quoted), (len)))
/* Time passes, then VTCP_TIMEOUT. */
#define waits(t, us) (at(__FILE__, __LINE__), waits_at((t), (us)))
/* Time passes until the deadline, then VTCP_TIMEOUT. */
#define expires(t) (at(__FILE__, __LINE__), expires_at(t))

/* --- Expectations on the last step --- */

void sends_expected(struct endpoint *t, struct packet p);
void sends_rest_at(struct endpoint *t, int64_t from, int64_t to, bool fin);
void signals_at(struct endpoint *t, unsigned signals);
void answers_at(struct endpoint *t, uint8_t error);
void in_state_at(struct endpoint *t, uint8_t state);
void silent_at(struct endpoint *t);
void deadline_at(struct endpoint *t, uint64_t when);
void expect_number_at(const char *what, uint64_t expected, uint64_t got);

/* sends(t, ACK, .seq = 1, .ack = 1): exactly this left; no octets of text unless .len says so. */
#define sends(t, ...) (at(__FILE__, __LINE__), sends_expected((t), (struct packet){.flags = __VA_ARGS__}))
/* However cut into segments (this step and the VTCP_MOREs it asks for): all from octet `from` up to but not including
 * `to`, and then a FIN if `fin`. */
#define sends_rest(t, from, to, fin) (at(__FILE__, __LINE__), sends_rest_at((t), (from), (to), (fin)))
#define silent(t) (at(__FILE__, __LINE__), silent_at(t))
#define signals(t, set) (at(__FILE__, __LINE__), signals_at((t), (set)))
#define answers(t, error) (at(__FILE__, __LINE__), answers_at((t), (error)))
#define in_state(t, s) (at(__FILE__, __LINE__), in_state_at((t), (s)))
#define deadline_is(t, when) (at(__FILE__, __LINE__), deadline_at((t), (when)))
#define expect_number(what, expected, got) \
  (at(__FILE__, __LINE__), expect_number_at((what), (uint64_t)(expected), (uint64_t)(got)))
#define acked(t, n) expect_number("octets acknowledged", (n), (t)->out.acked)
#define readable(t, n) expect_number("octets readable", (n), (t)->out.readable)
#define consumed(t, n) expect_number("octets consumed", (n), (t)->out.consumed)
#define una_is(t, n) expect_number("SND.UNA", (uint32_t)(n), (t)->conn.snd_una - (t)->conn.iss)
#define nxt_is(t, n) expect_number("SND.NXT", (uint32_t)(n), (t)->conn.snd_nxt - (t)->conn.iss)
#define rcv_nxt_is(t, n) expect_number("RCV.NXT", (uint32_t)(n), (t)->conn.rcv_nxt - (t)->irs)
#define rcv_wnd_is(t, n) expect_number("RCV.WND", (n), (t)->conn.rcv_wnd)
#define snd_wnd_is(t, n) expect_number("SND.WND", (n), (t)->conn.snd_wnd)

/* --- Ways into each state; SND.UNA = SND.NXT = RCV.NXT = 1 where nothing else is said --- */

void in_listen(struct endpoint *t);
void in_syn_sent(struct endpoint *t);
void in_syn_received(struct endpoint *t);                 /* by a passive open */
void in_syn_received_actively(struct endpoint *t);        /* by a simultaneous open */
void in_syn_received_as_child(struct endpoint *t);        /* begins t anew with a listener's child */
void in_established(struct endpoint *t);                  /* by an active open */
void in_established_passively(struct endpoint *t);
void in_fin_wait_1(struct endpoint *t);                   /* our FIN is 1: SND.NXT = 2, unacknowledged */
void in_fin_wait_2(struct endpoint *t);                   /* SND.UNA = 2 */
void in_close_wait(struct endpoint *t);                   /* RCV.NXT = 2 */
void in_closing(struct endpoint *t);                      /* SND.UNA = 1, SND.NXT = 2, RCV.NXT = 2 */
void in_last_ack(struct endpoint *t);                     /* the same */
void in_time_wait(struct endpoint *t);                    /* SND.UNA = SND.NXT = RCV.NXT = 2 */
void reaches(struct endpoint *t, uint8_t state);          /* any of these */

/* --- A small deterministic source of choices (xorshift) --- */

uint32_t choose(uint64_t *seed, uint32_t below);

#endif
