/* The laws of a step, checked from outside: what spec/laws.acsl says of every step, written again in C without a look at
 * the core's own functions, and what else a caller relies on. Used by the tests (exchange.h) and by fuzz/endpoint.h.
 *
 * Of spec/laws.acsl, under the names they have there (RFC 9293 sections in brackets): law_diagram, law_no_rst_for_rst,
 * law_one_answer, law_challenge_form, law_una, law_nxt, law_rcv_nxt, law_edge, law_handshake, law_established,
 * law_old_syn, law_listen, law_peer_fin, law_our_fin, law_last_ack, law_time_wait, law_rst_exact, law_unacceptable,
 * law_ghost_ack, law_timer, law_probes, law_r2, law_keep_alive, law_idle, law_life_shown, law_icmp, law_2msl,
 * law_delivery, law_received, law_reassembly, law_kept, law_fin_known, law_syn_text, law_acked_count, law_acked,
 * law_syn_sent, law_text_sent, law_override, law_silly_window, law_nagle, law_nagle_off. law_diagram knows here also which
 * control bits a segment, and which kind of ICMP message, each edge needs.
 *
 * Beside them:
 *   pure       the same record and event give the same result, and every action is written
 *   valid      vtcp_valid holds; the configuration never changes
 *   guards     what must have arrived for an edge of the diagram [3.3.2, 3.10]
 *   over       `closed` if and only if CLOSED was entered; the record is then as vtcp_init makes it; LISTEN entered
 *              again is LISTEN as the passive OPEN left it
 *   error      an error answer changes nothing
 *   early      VTCP_TIMEOUT before the deadline changes nothing
 *   taken      what is acceptable is: the acknowledgment, the text and the FIN in order, the RST at RCV.NXT [3.10.7.4]
 *   back_off   the retransmission timer doubles, and what is sent again is not measured [RFC 6298 (5.5), (3)]
 *   alive      who is idle waits for a keep-alive, and nobody else; it changes nothing, and nothing else times out [3.8.4]
 *   reported   what an ICMP message does, beside what it must not do; nothing else gives a soft error [3.9.2.2]
 *   rst_rst    nothing but an empty ACK ever answers a RST [3.5.2]
 *   recede     SND.UNA, SND.NXT, RCV.NXT and the advertised right edge never recede [3.4, 3.8.6]
 *   form       what a segment may carry, and whence its numbers come [3.10.7.4, 3.7.1, 3.9.1.2]
 *   window     new octets stay inside the peer's window, save for a window probe's one [3.4, 3.8.6.1]
 *   account    both buffers' lengths follow from what was put in, taken, stored and acknowledged
 *   timer      waiting for the peer or for time has a deadline; nothing to wait for has none [3.8.1, 3.8.6.1] */
#ifndef VTCP_TESTS_LAWS_H
#define VTCP_TESTS_LAWS_H

#include <stdbool.h>
#include <stdint.h>

#include "vtcp.h"

#define NEVER UINT64_MAX

/* vtcp_step, twice. NULL if all laws hold; else the name of the one that is broken, and how. */
const char *step_by_law(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions);

/* Whether two records agree in every field. */
bool same_conn(const struct vtcp_conn *a, const struct vtcp_conn *b);
/* The name of the first field in which they differ, NULL if none. */
const char *first_difference(const struct vtcp_conn *a, const struct vtcp_conn *b);
/* How far `number` lies beyond `base`; negative if before it. */
long long relative(uint32_t number, uint32_t base);

/* Signals of a step. */
enum {
  IS_SPAWN = 1,
  IS_ESTABLISHED = 2,
  IS_REFUSED = 4,
  IS_RESET = 8,
  IS_TIMED_OUT = 16,
  IS_RELISTEN = 32,
  IS_PEER_CLOSED = 64,
  IS_CLOSE_DONE = 128,
  IS_CLOSED = 256,
  IS_EXCESSIVE = 512,
  IS_SOFT_ERROR = 1024
};
unsigned signals_of(const struct vtcp_actions *actions);

/* Events as the diagram tells them apart: calls by their type, segments by their control bits, ICMP messages by what
 * they can do. */
enum {
  BY_OPEN_ACTIVE,
  BY_OPEN_PASSIVE,
  BY_SEND,
  BY_RECEIVE,
  BY_CLOSE,
  BY_ABORT,
  BY_STATUS,
  BY_TIMEOUT,
  BY_MORE,
  BY_ICMP, /* soft errors, source quench, what nobody knows */
  BY_ICMP_HARD,
  BY_ICMP_TOO_BIG,
  BY_NO_EVENT, /* a type that does not exist */
  BY_NOTHING,  /* a segment without ACK, SYN, FIN and RST; from here on one more for each bit: */
  BY_FIN,
  BY_SYN,
  BY_SYN_FIN,
  BY_ACK,
  BY_FIN_ACK,
  BY_SYN_ACK,
  BY_SYN_FIN_ACK,
  BY_RST,
  BY_RST_ACK,
  KINDS_OF_EVENTS
};
enum { KINDS_OF_STATES = 11 };
unsigned kind_of(const struct vtcp_event *event);
const char *kind_name(unsigned kind);
/* Whether an event of this kind can lead from one state to another, or leave it as it is. */
bool is_legal(uint8_t from, unsigned kind, uint8_t to);

#endif
