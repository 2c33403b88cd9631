/* vtcp - a formally specified TCP endpoint (RFC 9293) as a pure, allocation-free transition function.
 *
 *   (connection, event) -> (connection, actions)
 *
 * The core owns no octets, no clock, no addresses and no randomness: it deals in sequence numbers, and in offsets and
 * lengths into the caller's two buffers. Time is in microseconds and comes with every event. What each function promises
 * is its ACSL contract; the vocabulary of the contracts is in spec/. SPDX-License-Identifier: MIT */
#ifndef VTCP_H
#define VTCP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many ranges of text beyond a gap a connection can hold: 1 .. 255. Each takes 8 octets of its record. */
#ifndef VTCP_RANGES
#define VTCP_RANGES 4
#endif
#if VTCP_RANGES < 1 || VTCP_RANGES > 255
#error "VTCP_RANGES is 1 .. 255"
#endif

/* Connection states (RFC 9293, section 3.3.2). */
enum vtcp_state {
  VTCP_CLOSED,
  VTCP_LISTEN,
  VTCP_SYN_SENT,
  VTCP_SYN_RECEIVED,
  VTCP_ESTABLISHED,
  VTCP_FIN_WAIT_1,
  VTCP_FIN_WAIT_2,
  VTCP_CLOSE_WAIT,
  VTCP_CLOSING,
  VTCP_LAST_ACK,
  VTCP_TIME_WAIT
};

/* Events (RFC 9293, section 3.10). */
enum vtcp_event_type {
  VTCP_OPEN_ACTIVE,  /* 3.10.1: connect; `iss`, `remote` */
  VTCP_OPEN_PASSIVE, /* 3.10.1: listen */
  VTCP_SEND,    /* 3.10.2: `len` octets were put at the end of the send buffer; `push`; in LISTEN `iss`, `remote` */
  VTCP_RECEIVE, /* 3.10.3: up to `len` octets are wanted from the front of the receive buffer */
  VTCP_CLOSE,   /* 3.10.4: nothing more to send */
  VTCP_ABORT,   /* 3.10.5: reset the connection */
  VTCP_STATUS,  /* 3.10.6: is there a connection, how much is readable */
  VTCP_ARRIVES, /* 3.10.7: SEGMENT ARRIVES: `seg`; in LISTEN `iss` */
  VTCP_TIMEOUT, /* 3.10.8: time has come to `now`; harmless when nothing is due */
  VTCP_MORE,    /* the last step said `more`: go on sending */
  VTCP_ICMP     /* 3.9.2.2: an ICMP message quotes a segment of this connection; `icmp`, seg.seq, `len` */
};

/* What an ICMP message says (RFC 9293, 3.9.2.2), of either version of IP. */
enum vtcp_icmp {
  VTCP_ICMP_SOFT,   /* unreachable net, host, source route; time exceeded; parameter problem */
  VTCP_ICMP_HARD,   /* unreachable protocol or port; prohibited */
  VTCP_ICMP_QUENCH, /* source quench */
  VTCP_ICMP_TOO_BIG /* fragmentation needed, or packet too big; `len`: octets of the largest segment that gets through, header
                       included (the next hop's MTU without the IP header) */
};

/* The connection's one timer: no two of them run together. */
enum vtcp_timer {
  VTCP_NO_TIMER,
  VTCP_RETRANSMISSION, /* something is not acknowledged (RFC 6298) */
  VTCP_PERSIST,        /* something waits for a closed window (3.8.6.1) */
  VTCP_OVERRIDE, /* something waits for a window worth using, and nothing is on its way that could open it (3.8.6.2.1) */
  VTCP_TIME_WAIT_TIMER, /* 2 MSL */
  VTCP_KEEP_ALIVE       /* nothing is on its way, either way (3.8.4) */
};

/* How the connection began (MUST-11). A child comes from a listener's VTCP_ARRIVES (see `spawn`). */
enum vtcp_origin { VTCP_ACTIVE, VTCP_PASSIVE, VTCP_CHILD };

/* Answers to a call (the error responses of RFC 9293, 3.10.1 to 3.10.6). */
enum vtcp_error {
  VTCP_OK,
  VTCP_NO_CONNECTION,          /* connection does not exist */
  VTCP_ALREADY_EXISTS,         /* connection already exists */
  VTCP_REMOTE_UNSPECIFIED,     /* remote socket unspecified */
  VTCP_INSUFFICIENT_RESOURCES, /* the send buffer has no room for all of it; nothing was taken */
  VTCP_CONNECTION_CLOSING,     /* connection closing */
  VTCP_BAD_EVENT               /* no such event type; nothing changed */
};

/* Why a configuration is refused. */
enum vtcp_config_error {
  VTCP_CONFIG_OK,
  VTCP_CONFIG_RCV_BUF,        /* rcv_buf outside 1 .. 2^30 */
  VTCP_CONFIG_SND_BUF,        /* snd_buf outside 1 .. 2^30 */
  VTCP_CONFIG_RCV_MSS,        /* rcv_mss is 0 */
  VTCP_CONFIG_SEND_MSS,       /* default_mss is 0 */
  VTCP_CONFIG_MMS_S,          /* mms_s below 21: not one octet beside the header */
  VTCP_CONFIG_RTO,            /* not 1 ms <= rto_min <= rto_initial <= rto_max, or rto_max outside 60 s .. 4000 s */
  VTCP_CONFIG_R1,             /* r1 below 3 (SHLD-10) */
  VTCP_CONFIG_R2,             /* r2 below 1 s */
  VTCP_CONFIG_R2_SYN,         /* r2_syn below 3 minutes (MUST-23) */
  VTCP_CONFIG_MSL,            /* msl is 0 or above 1 hour */
  VTCP_CONFIG_CHALLENGE_ACKS, /* challenge_acks is 0: a peer could never resynchronise */
  VTCP_CONFIG_KEEP_ALIVE      /* keep_alive_ms or keep_alive_probe_ms is 0, or keep_alive_probes below 2 (MUST-29) */
};

/* Per-connection configuration. Durations in milliseconds. */
struct vtcp_config {
  uint32_t rcv_buf;        /* octets the caller's receive buffer holds: 1 .. 2^30 */
  uint32_t snd_buf;        /* octets the caller's send buffer holds: 1 .. 2^30 */
  uint32_t rto_initial_ms; /* RFC 6298 (2.1): 1 s */
  uint32_t rto_min_ms;     /* RFC 6298 (2.4): 1 s */
  uint32_t rto_max_ms;     /* RFC 6298 (2.5): at least 60 s */
  uint32_t r2_ms;     /* MUST-20, MUST-21: give up when nothing was acknowledged for so long; at least 100 s advised */
  uint32_t r2_syn_ms; /* MUST-23: the same for a SYN; at least 3 minutes */
  uint32_t user_timeout_ms;     /* RFC 9293 3.10.1 OPEN's timeout, in place of R2 for SYN and data; 0: R2 holds */
  uint32_t msl_ms;              /* MUST-13: maximum segment lifetime; TIME-WAIT lasts twice as long */
  uint32_t keep_alive_ms;       /* MUST-27, MUST-28: idle time before a keep-alive; two hours */
  uint32_t keep_alive_probe_ms; /* between keep-alives that are not answered; 75 s */
  uint16_t default_mss;         /* MUST-15: send MSS when the peer names none: 536 (IPv4), 1220 (IPv6) */
  uint16_t mms_s;               /* MUST-16: largest segment, header included, that IP lets us send */
  uint16_t rcv_mss;             /* MUST-14: the MSS option we send: what we can receive, header not included */
  uint8_t r1;                   /* MUST-20: retransmissions of one segment before the IP layer is advised; at least 3 */
  uint8_t challenge_acks;    /* RFC 5961 section 7: challenge ACKs a second, 1 .. 255; ACKs of data are never limited */
  uint8_t keep_alive_probes; /* MUST-29: keep-alives without an answer before the connection is given up; at least 2 */
  bool keep_alive;           /* MUST-24, MUST-25: send keep-alives; off by default */
  bool nagle;    /* SHLD-7: small segments wait for the acknowledgment of what is in flight (vtcp_set_nagle) */
  bool listener; /* a passive open yields children and stays in LISTEN */
  bool rfc1337;  /* RFC 1337 fix F1: a RST does not end TIME-WAIT */
};

/* One range of a SACK option (RFC 2018): octets left .. right-1. */
struct vtcp_sack_block {
  uint32_t left, right;
};

/* A segment: header, options, and how much text follows (RFC 9293, section 3.1). Absent options are false and zero. */
struct vtcp_segment {
  uint32_t seq, ack;
  uint32_t tsval, tsecr; /* timestamps option (RFC 7323) when has_ts */
  uint16_t wnd;          /* as on the wire: unscaled */
  uint16_t up;           /* urgent pointer */
  uint16_t len;          /* octets of text; SYN and FIN are not counted */
  uint16_t mss;          /* maximum segment size option when has_mss */
  uint16_t uto;          /* user timeout option (RFC 5482) as on the wire, granularity bit first, when has_uto */
  bool fin, syn, rst, psh, has_ack, urg, ece, cwr;
  bool has_mss, has_wscale, sack_permitted, has_ts, has_uto;
  uint8_t wscale;     /* window scale option (RFC 7323) when has_wscale */
  uint8_t sack_count; /* blocks in sack[], 0 .. 4 */
  struct vtcp_sack_block sack[4];
};

/* What happened. Fields that the type does not name are ignored. */
struct vtcp_event {
  uint64_t now; /* microseconds, never decreasing */
  uint32_t iss; /* a fresh initial send sequence number (RFC 6528) */
  uint32_t len; /* octets, for SEND, RECEIVE and ICMP */
  uint8_t type; /* enum vtcp_event_type */
  uint8_t icmp; /* enum vtcp_icmp; seg.seq is then the sequence number that the message quotes */
  bool remote;  /* the remote socket is specified (the addresses stay with the caller) */
  bool push;    /* SEND's PUSH flag: without effect, for every SEND is pushed (spec/DEVIATIONS.md) */
  bool urgent;  /* SEND's URGENT flag: not looked at yet */
  struct vtcp_segment seg;
};

/* What the caller now does, all of it, before the next step on this connection: first `acked` leaves the send buffer and
 * arriving text is stored, then `seg` is sent. */
struct vtcp_actions {
  uint8_t error;       /* enum vtcp_error: the answer to a call */
  bool spawn;          /* listener: make a child with vtcp_child and give it this same event */
  bool established;    /* the connection is synchronized: accept and connect may return */
  bool refused;        /* "connection refused" */
  bool reset;          /* "connection reset" */
  bool timed_out;      /* "connection aborted due to user timeout" (or R2) */
  bool relisten;       /* back to LISTEN: empty both buffers, the user need not know */
  bool peer_closed;    /* "connection closing": the peer's FIN; no text will follow what is readable */
  bool close_done;     /* our FIN is acknowledged: the CLOSE call is answered "ok" */
  bool closed;         /* the connection is over and its record free (CLOSED) */
  bool excessive;      /* R1 reached: advise the IP layer, tell the user (MUST-20) */
  bool soft_error;     /* ICMP says that something keeps segments from the peer: tell the user (MUST-47, SHLD-25) */
  bool pushed;         /* readable text ends with a PUSH */
  bool send;           /* send `seg` with seg.len octets of the send buffer */
  bool more;           /* there is more to send at once: step again with VTCP_MORE */
  uint32_t acked;      /* drop so many octets from the front of the send buffer */
  uint32_t store_from; /* arriving text: first octet to keep, an offset into it, */
  uint32_t store_len;  /* how many, */
  uint32_t
      store_at; /* and where: an offset from the first unread octet of the receive buffer; it may be beyond those */
  uint32_t delivered; /* octets that came into order in this step: just stored, or beyond a gap that is now closed */
  uint32_t consumed;  /* RECEIVE: octets taken from the front of the receive buffer */
  uint32_t readable;  /* octets in order and unread after this step */
  uint32_t text_at;   /* first octet of seg's text: an offset into the send buffer, `acked` already dropped */
  struct vtcp_segment seg;
};

/* Octets from .. to-1, counted from RCV.NXT. */
struct vtcp_range {
  uint32_t from, to;
};

/* What was received beyond a gap, and lies in the receive buffer behind what is in order: the range that grew last is the
 * first; those not in use, all zero, are the last. */
struct vtcp_held {
  struct vtcp_range at[VTCP_RANGES];
};

/* One connection: the TCB (RFC 9293, section 3.3.1). Plain data without pointers: copy it, compare it, store it.
 * Read it as you like; change it with vtcp_init, vtcp_child and vtcp_step only. */
struct vtcp_conn {
  struct vtcp_config cfg;
  uint64_t timer_at;    /* when `timer` expires */
  uint64_t progress_at; /* when the peer last let us make progress, or the first window probe since it last answered one
                            was sent: R2 and the user timeout count from here */
  uint64_t rtt_at;      /* when the segment ending at rtt_seq was sent */
  uint64_t challenge_at; /* when the present second of the challenge budget began */
  uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2;
  uint32_t snd_rtx;     /* the next octet to send: SND.NXT, or before it while sending again */
  uint32_t max_snd_wnd; /* MAX.SND.WND (RFC 5961, section 5) */
  uint32_t acked;       /* text and FIN of ours acknowledged so far, in sequence numbers, saturating (ghost ACKs) */
  uint32_t snd_len;     /* octets in the send buffer */
  uint32_t irs, rcv_nxt, rcv_wnd;
  uint32_t rcv_len;           /* octets in the receive buffer, in order and unread (RCV.USER) */
  uint32_t fin_end;           /* the place behind the peer's FIN, counted from RCV.NXT, if it came and waits; else 0 */
  struct vtcp_held held;      /* what arrived beyond a gap (SHLD-31) */
  uint32_t srtt, rttvar, rto; /* RFC 6298, microseconds */
  uint32_t persist;           /* present interval of window probes, microseconds */
  uint32_t rtt_seq;           /* the acknowledgment that ends the running RTT measurement */
  uint16_t snd_mss;           /* Eff.snd.MSS (MUST-16), at least 1 */
  uint8_t state;              /* enum vtcp_state */
  uint8_t timer;              /* enum vtcp_timer */
  uint8_t origin;             /* enum vtcp_origin */
  uint8_t retries;            /* sent again, or probed, since the last progress or answer; saturating */
  uint8_t challenges;         /* challenge ACKs sent in the present second */
  bool syn_acked;             /* our SYN is acknowledged */
  bool fin_sent;              /* SND.NXT lies beyond our FIN */
  bool close_queued;          /* CLOSE waits for ESTABLISHED (3.10.4, SYN-RECEIVED) */
  bool rtt_running;           /* an RTT measurement runs (Karn) */
  bool rtt_known;             /* srtt and rttvar hold a measurement */
  bool ack_owed;              /* something arrived that the next segment acknowledges */
  bool resend;                /* one segment may be sent again from snd_rtx */
  bool syn_resent;            /* our SYN was sent more than once (RFC 6298 (5.7)) */
};

#include "../spec/vtcp.acsl"

/* The defaults: RFC values, 64 KiB buffers, 60 s MSL, IPv4 over Ethernet. */
/*@ assigns \nothing;
    ensures usable: config_ok(\result);
    ensures MUST_15: \result.default_mss == 536;
    ensures MUST_13: \result.msl_ms >= 30000;
    ensures R6298_2_1: \result.rto_initial_ms == 1000 && \result.rto_min_ms == 1000 && \result.rto_max_ms >= 60000;
    ensures MUST_25: !\result.keep_alive;
    ensures MUST_28: \result.keep_alive_ms >= 7200000;
    ensures SHLD_11: \result.r2_ms >= 100000;
    ensures flags: \result.nagle && !\result.listener && !\result.rfc1337;
*/
struct vtcp_config vtcp_config_default(void);

/* Whether a configuration can be used; if not, the first reason. */
/*@ requires \valid_read(cfg);
    assigns \nothing;
    ensures config: \result == VTCP_CONFIG_OK <==> config_ok(*cfg);
    ensures reason: \result == config_reason(*cfg);
*/
enum vtcp_config_error vtcp_config_check(const struct vtcp_config *cfg);

/* A CLOSED connection with this configuration. Refused (conn untouched) with a reason if the configuration is. */
/*@ requires \valid(conn) && \valid_read(cfg) && \separated(conn, cfg);
    assigns *conn;
    ensures refused: \result == config_reason(*cfg) && (\result == VTCP_CONFIG_OK <==> config_ok(*cfg));
    ensures untouched: \result != VTCP_CONFIG_OK ==> *conn == \old(*conn);
    ensures closed: \result == VTCP_CONFIG_OK ==> conn->state == VTCP_CLOSED && holds_nothing(*conn) && vtcp_wf(*conn);
    ensures configured: \result == VTCP_CONFIG_OK ==> conn->cfg == *cfg;
*/
enum vtcp_config_error vtcp_init(struct vtcp_conn *conn, const struct vtcp_config *cfg);

/* After `spawn`: a child of the listener, in LISTEN. Give it the event that the listener answered with `spawn`. */
/*@ requires \valid_read(listener) && \valid(child) && \separated(listener, child) && vtcp_wf(*listener);
    assigns *child;
    ensures child: child->state == VTCP_LISTEN && child->origin == VTCP_CHILD && holds_nothing(*child);
    ensures configured: child->cfg == { listener->cfg \with .listener = (_Bool)0 };
    ensures wf: vtcp_wf(*child);
*/
void vtcp_child(const struct vtcp_conn *listener, struct vtcp_conn *child);

/* One step: what RFC 9293 makes of this event on this connection, and what the caller now does. */
/*@ requires \valid(conn) && \valid_read(event) && \valid(actions) && \separated(conn, event, actions);
    requires vtcp_wf(*conn);
    assigns *conn, *actions;
    ensures wf: vtcp_wf(*conn);
    ensures diagram: law_diagram(\old(*conn), *event, *conn);
    ensures no_rst_for_rst: law_no_rst_for_rst(*event, *actions);
    ensures one_answer: law_one_answer(*event, *conn, *actions);
    ensures challenge_form: law_challenge_form(\old(*conn), *event, *actions);
    ensures life_shown: law_life_shown(\old(*conn), *event, *actions);
    ensures una_advances: law_una(\old(*conn), *conn);
    ensures nxt_advances: law_nxt(\old(*conn), *conn);
    ensures rcv_nxt_advances: law_rcv_nxt(\old(*conn), *conn);
    ensures SHLD_14: law_edge(\old(*conn), *conn);
    ensures handshake: law_handshake(\old(*conn), *event, *conn);
    ensures established: law_established(*conn);
    ensures old_syn: law_old_syn(\old(*conn), *event, *conn);
    ensures listen: law_listen(\old(*conn), *event, *conn);
    ensures peer_fin: law_peer_fin(\old(*conn), *event, *conn);
    ensures fin_known: law_fin_known(\old(*conn), *event, *conn);
    ensures our_fin: law_our_fin(\old(*conn), *event, *conn);
    ensures last_ack: law_last_ack(\old(*conn), *event, *conn);
    ensures MUST_13: law_time_wait(\old(*conn), *event, *conn);
    ensures MUST_13_length: law_2msl(\old(*conn), *event, *conn);
    ensures MUST_20: law_r2(\old(*conn), *event, *conn);
    ensures MUST_26: law_idle(\old(*conn), *event, *conn);
    ensures MUST_29: law_keep_alive(\old(*conn), *event, *conn, *actions);
    ensures MUST_56: law_icmp(\old(*conn), *event, *conn, *actions);
    ensures MUST_37: law_probes(\old(*conn), *event, *conn);
    ensures MUST_38: law_silly_window(\old(*conn), *event, *conn, *actions);
    ensures MUST_38_override: law_override(\old(*conn), *event, *conn, *actions);
    ensures SHLD_7: law_nagle(\old(*conn), *conn, *actions);
    ensures MUST_17: law_nagle_off(*event, *conn, *actions);
    ensures A_TMR: law_timer(*conn);
    ensures rst_exact: law_rst_exact(\old(*conn), *event, *conn);
    ensures unacceptable: law_unacceptable(\old(*conn), *event, *conn, *actions);
    ensures ghost_ack: law_ghost_ack(\old(*conn), *event, *conn, *actions);
    ensures delivery: law_delivery(\old(*conn), *event, *conn, *actions);
    ensures acked_count: law_acked_count(\old(*conn), *conn);
    ensures received: law_received(\old(*conn), *conn, *actions);
    ensures reassembly: law_reassembly(\old(*conn), *conn, *actions);
    ensures SHLD_31: law_kept(\old(*conn), *event, *actions);
    ensures syn_text: law_syn_text(\old(*conn), *event, *conn, *actions);
    ensures acked: law_acked(\old(*conn), *conn, *actions);
    ensures MUST_65: law_syn_sent(*conn, *actions);
    ensures sent: law_text_sent(*conn, *actions);
*/
void vtcp_step(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions);

/* When to give VTCP_TIMEOUT next, in microseconds: 0 for at once, UINT64_MAX for never. */
/*@ requires \valid_read(conn) && vtcp_wf(*conn);
    assigns \nothing;
    ensures never: \result == UINT64_MAX ==> conn->timer == VTCP_NO_TIMER || conn->timer_at == UINT64_MAX;
*/
uint64_t vtcp_deadline(const struct vtcp_conn *conn);

/* MUST-17: Nagle's algorithm on or off, at any time. What waited because of it leaves with the next step: give VTCP_MORE. */
/*@ requires \valid(conn) && vtcp_wf(*conn);
    assigns conn->cfg.nagle;
    ensures MUST_17: conn->cfg.nagle == nagle;
    ensures wf: vtcp_wf(*conn);
*/
void vtcp_set_nagle(struct vtcp_conn *conn, bool nagle);

/* Octets that SEND would take now. */
/*@ requires \valid_read(conn) && vtcp_wf(*conn);
    assigns \nothing;
    ensures room: \result <= conn->cfg.snd_buf - conn->snd_len;
    ensures taken: \forall struct vtcp_event e; e.remote && e.len <= \result && \result > 0 ==> send_error(*conn, e) == VTCP_OK;
    ensures refused: \forall struct vtcp_event e; e.len > \result ==> send_error(*conn, e) != VTCP_OK;
*/
uint32_t vtcp_send_room(const struct vtcp_conn *conn);

/* Whether the record satisfies the invariant of every reachable connection. */
/*@ requires \valid_read(conn);
    assigns \nothing;
    ensures twin: \result <==> vtcp_wf(*conn);
*/
bool vtcp_valid(const struct vtcp_conn *conn);

/* RFC 9293's words for states and events, and a phrase for each error. Unknown values give "?". */
const char *vtcp_state_name(uint8_t state);
const char *vtcp_event_name(uint8_t type);
const char *vtcp_error_name(uint8_t error);
const char *vtcp_config_error_name(uint8_t error);

/* --- Wire format (RFC 9293, section 3.1) --- */

/* What a header looked like. */
enum vtcp_wire {
  VTCP_WIRE_OK,
  VTCP_WIRE_BAD_OPTION, /* usable; an option had an illegal length (MUST-7): it and those after it were not read */
  VTCP_WIRE_SHORT,      /* unusable: fewer than 20 octets */
  VTCP_WIRE_BAD_OFFSET, /* unusable: data offset below 5 or beyond the segment */
  VTCP_WIRE_LONG        /* unusable: more than 65535 octets of text */
};

#include "../spec/wire.acsl"

/* Reads a segment of `length` octets. If usable, fills *segment, and text begins at octets[*text]; if not, touches neither. */
/*@ requires readable: \valid_read(octets + (0 .. length - 1));
    requires writable: \valid(segment) && \valid(text);
    requires apart: \separated(segment, text, octets + (..));
    terminates \true;
    assigns *segment, *text;
    ensures result: \result == parse_result(octets, length);
    ensures untouched: !usable(octets, length) ==> *segment == \old(*segment) && *text == \old(*text);
    ensures text: usable(octets, length) ==> *text == header_length(octets) && segment->len == length - *text;
    ensures MUST_5: usable(octets, length) ==> *segment == segment_read(octets, length, \old(*segment));
    ensures MUST_7: usable(octets, length) ==>
      (\result == VTCP_WIRE_BAD_OPTION <==> illegal_length(octets, *text, list_end(octets, *text, 20)));
    ensures R7323_2_3: usable(octets, length) ==> segment->wscale <= 14;
    ensures normal: usable(octets, length) ==> normal_segment(*segment);
*/
enum vtcp_wire vtcp_parse(const uint8_t *octets, uint32_t length, struct vtcp_segment *segment, uint32_t *text);

/* Writes the header, checksum zero; the text goes behind it. Returns its length, 20 to 60, or 0 with nothing written if
 * `room` is too small or the options do not fit into 40 octets. What it writes of a normal_segment, vtcp_parse reads back. */
/*@ requires writable: \valid(octets + (0 .. room - 1));
    requires readable: \valid_read(segment);
    requires apart: \separated(segment, octets + (..));
    terminates \true;
    assigns octets[0 .. emit_result(*segment, room) - 1];
    ensures result: \result == emit_result(*segment, room);
    ensures size: \result == 0 || (20 <= \result <= 60 && \result <= room);
    ensures writes: \result != 0 ==> segment_written(octets, *segment);
*/
uint32_t vtcp_emit(const struct vtcp_segment *segment, uint8_t *octets, uint32_t room);

/* The Internet checksum (RFC 1071) of `length` octets and a pseudo-header whose 16-bit words sum to `pseudo`. Of a
 * correct segment with its checksum in place it is 0. */
/*@ requires readable: \valid_read(octets + (0 .. length - 1));
    terminates \true;
    assigns \nothing;
    ensures positive: words_from(octets, length, 0) >= 0;
    ensures R1071: \result == 65535 - ones_sum(pseudo + words_from(octets, length, 0));
*/
uint16_t vtcp_checksum(uint32_t pseudo, const uint8_t *octets, uint32_t length);

/* --- Numbers that cannot be guessed: ISNs (RFC 6528), SYN cookies (RFC 4987, section 3.6) ---
 *
 * `name` is what makes a connection one: both addresses and ports, in any order that is always the same. The key is secret,
 * random, never the same again after a restart, and lasts: another key breaks the order of a connection's ISNs (RFC 6528,
 * section 3), and the cookies that are on their way. Keys for ISNs and for cookies had better not be the same. */

/* SipHash's state. */
struct vtcp_siphash {
  uint64_t v0, v1, v2, v3;
};

#include "../spec/isn.acsl"

/* SipHash-2-4, a short keyed hash: of use for tables of connections, too. As a number, the first octet of its output least. */
/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(octets + (0 .. length - 1));
    terminates \true;
    assigns \nothing;
    ensures siphash: \result == siphash(key, octets, length);
*/
uint64_t vtcp_siphash(const uint8_t key[16], const uint8_t *octets, uint32_t length);

/* An initial sequence number for a connection (RFC 6528, section 3; MUST-8, SHLD-1): F(name, key) + M, where F is SipHash's
 * lower half and M a clock of 4 microseconds. `now` in microseconds. */
/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. length - 1));
    terminates \true;
    assigns \nothing;
    ensures R6528_3: \result == isn(siphash(key, name, length) % 0x100000000, now);
*/
uint32_t vtcp_isn(const uint8_t key[16], const uint8_t *name, uint32_t length, uint64_t now);

/* The same for a hash of your own, which must not be computable from outside (MUST-9). */
/*@ terminates \true;
    assigns \nothing;
    ensures MUST_8: \result == isn(hash, now);
*/
uint32_t vtcp_isn_from(uint32_t hash, uint64_t now);

/* A SYN cookie: the ISS of a SYN,ACK after which you may forget the SYN, because the ACK brings all of it back. `irs` is
 * SEG.SEQ of the SYN, `mss` its MSS option or the default (MUST-15). From the highest bit on:
 *
 *   2 bits   the period of 2^26 microseconds (67 s) it was made in, modulo 4
 *   3 bits   the largest of 1, 64, 536, 1220, 1360, 1400, 1440 and 1460 that the peer's MSS reaches
 *   27 bits  SipHash of irs and index, period (8 octets each, the least first), and name
 *
 * A cookie holds for 134 s at least and 201 s at most. Of the 2^32 numbers that an ACK can bear 24 are cookies, one for each
 * of 8 MSSs and 3 periods: who sees no answer needs 2^27 ACKs or so to open one connection. Unlike an ISN, a cookie does
 * not grow with time (MUST-8): take none while the connection's last incarnation is in TIME-WAIT. And its SYN,ACK is never
 * sent again (RFC 4987): send cookies while there is no room for connections, and look for them in ACKs for 202 s after. */
/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. length - 1));
    terminates \true;
    assigns \nothing;
    ensures cookie: \result == cookie(key, name, length, irs, (uint64_t)cookie_period(now), mss_index(mss));
    ensures MUST_16: cookie_mss(mss_index(mss)) <= most(mss, 1);
*/
uint32_t vtcp_cookie(const uint8_t key[16], const uint8_t *name, uint32_t length, uint32_t irs, uint16_t mss,
                     uint64_t now);

/* Whether an ACK that belongs to no connection completes a cookie; if so, *mss is the MSS that it holds, if not, *mss stays.
 * It must be the first that the peer sent, or carry the first text: SEG.SEQ - 1 is its initial sequence number. Whoever
 * has a cookie can come back with it, until it is too old. */
/*@ requires key: \valid_read(key + (0 .. 15));
    requires readable: \valid_read(name + (0 .. length - 1)) && \valid_read(ack);
    requires writable: \valid(mss) && \separated(ack, mss, key + (..)) && \separated(ack, mss, name + (..));
    terminates \true;
    assigns *mss;
    ensures completes: \result <==> completes(key, name, length, *ack, now);
    ensures mss: \result ==> *mss == cookie_mss(cookie_index(seq_distance(1, ack->ack)));
    ensures untouched: !\result ==> *mss == \old(*mss);
*/
bool vtcp_cookie_check(const uint8_t key[16], const uint8_t *name, uint32_t length, const struct vtcp_segment *ack,
                       uint64_t now, uint16_t *mss);

/* What a cookie has no room for travels in the timestamp of its SYN,ACK, to return in TSecr of the ACK: the lowest five bits
 * are the window scale of the SYN (15 for none), and 16 if SACK was permitted. The value is the largest of that kind which
 * is not after `clock`, your timestamp clock, so that later timestamps never run back (RFC 7323, section 5.4); a round trip
 * measured with it is up to 31 ticks too long. To a SYN without timestamps answer without window scale and
 * SACK-permitted, for nothing would remember them. The peer can forge these bits, to its own loss only. */
/*@ requires readable: \valid_read(syn);
    terminates \true;
    assigns \nothing;
    ensures options: \result % 32 == cookie_options(*syn);
    ensures R7323_5_4: seq_distance(\result, clock) < 32;
*/
uint32_t vtcp_cookie_ts(const struct vtcp_segment *syn, uint32_t clock);

/* The arrival of the SYN that an accepted cookie was made for: vtcp_child() a connection of your listener, give it this event,
 * send nothing of what it answers, for that was sent long ago, and then give it the ACK: it is ESTABLISHED. The window is the
 * ACK's; with timestamps, the options are those of vtcp_cookie_ts, and the SYN's TSval is the ACK's. The time between the two
 * events becomes the first measured round trip: `now` is best a little before the ACK's, by the true time if timestamps tell
 * it and otherwise by the initial RTO. */
/*@ requires readable: \valid_read(ack);
    requires writable: \valid(event) && \separated(event, ack);
    terminates \true;
    assigns *event;
    ensures event: event->type == VTCP_ARRIVES && event->now == now;
    ensures iss: event->iss == seq_distance(1, ack->ack);
    ensures irs: event->seg.seq == seq_distance(1, ack->seq);
    ensures syn: event->seg.syn && !event->seg.has_ack && !event->seg.rst && !event->seg.fin && event->seg.len == 0;
    ensures no_ecn: !event->seg.ece && !event->seg.cwr && !event->seg.urg && !event->seg.psh;
    ensures mss: event->seg.has_mss && event->seg.mss == mss;
    ensures window: event->seg.wnd == ack->wnd;
    ensures timestamp: event->seg.has_ts == ack->has_ts && (ack->has_ts ==> event->seg.tsval == ack->tsval);
    ensures options: ack->has_ts ==> cookie_options(event->seg) == ack->tsecr % 32 && event->seg.wscale <= 14;
    ensures no_options: !ack->has_ts ==> !event->seg.has_wscale && !event->seg.sack_permitted;
    ensures nothing_else: event->len == 0 && !event->remote && !event->push && !event->urgent && event->seg.ack == 0
      && event->seg.tsecr == 0 && event->seg.up == 0 && !event->seg.has_uto && event->seg.uto == 0
      && event->seg.sack_count == 0 && (!ack->has_ts ==> event->seg.tsval == 0)
      && (!event->seg.has_wscale ==> event->seg.wscale == 0);
*/
void vtcp_cookie_syn(const struct vtcp_segment *ack, uint16_t mss, uint64_t now, struct vtcp_event *event);

#ifdef __cplusplus
}
#endif

#endif
