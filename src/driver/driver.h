/* The vtcp program: what its files share. Captures are read into connections (capture.c, flows.c), which are followed
 * piece by piece (follow.c): put in order of arrival (timeline.c), driven through two state machines each (replay.c), judged
 * (judge.c, resets.c, options.c), and printed (ladder.c, json.c, explain.c) or drawn (picture.h). Outside the proven core;
 * every length that comes from a file is checked here. SPDX-License-Identifier: MIT */
#ifndef DRIVER_H
#define DRIVER_H

#include "../../include/vtcp.h"

#include <stddef.h>
#include <stdio.h>

#ifndef VTCP_VERSION
#define VTCP_VERSION "0.1.0"
#endif

enum { EXIT_FINE = 0, EXIT_FINDING = 1, EXIT_UNUSABLE = 2 };

/* --- Captured segments --- */

struct endpoint {
  uint8_t address[16]; /* IPv4: the first four octets */
  uint16_t port;
  uint8_t version; /* 4 or 6 */
};

/* One TCP segment as it lies in the capture: `have` of `length` octets were captured, header and all. */
struct frame {
  uint64_t number; /* of the packet in its file, from 1 */
  uint64_t us;     /* since the epoch */
  struct endpoint source, destination;
  const uint8_t *octets;
  uint32_t have, length;
  uint32_t pseudo; /* sum of the pseudo-header */
  uint16_t ip_id;  /* IPv4 identification, 0 for IPv6 */
  uint8_t ttl;     /* or hop limit */
  uint8_t depth;   /* IP headers around it */
};

enum checksum { SUM_UNKNOWN, SUM_RIGHT, SUM_PARTIAL, SUM_WRONG };

/* Marks: what a segment is, for the ladder and the judge. */
enum mark {
  MARK_LOST = 1 << 0,         /* the peer showed no sign of it before it was sent again */
  MARK_AGAIN = 1 << 1,        /* retransmission */
  MARK_DUPLICATE = 1 << 2,    /* the capture holds the same packet twice */
  MARK_OUT_OF_ORDER = 1 << 3, /* fills a gap that the capture had shown */
  MARK_KEEP_ALIVE = 1 << 4,
  MARK_PROBE = 1 << 5, /* probes a window that is zero */
  MARK_ZERO_WINDOW = 1 << 6,
  MARK_WINDOW_UPDATE = 1 << 7,
  MARK_CHALLENGE = 1 << 8, /* challenge ACK (RFC 5961) */
  MARK_DUPLICATE_ACK = 1 << 9,
  MARK_FOREIGN = 1 << 10,   /* its numbers belong to no place of this connection's stream */
  MARK_ANSWER = 1 << 11,    /* a reset that RFC 9293 demands as an answer */
  MARK_IN_FLIGHT = 1 << 12, /* never acknowledged before the capture ends */
  MARK_UNSEEN = 1 << 13,    /* acknowledges octets that were not captured */
  MARK_DAMAGED = 1 << 14,   /* wrong checksum */
  MARK_REFUSED = 1 << 15,   /* the receiver had no window for it and did not take it */
  MARK_LATE = 1 << 16,      /* received after segments that its receiver sent later */
  MARK_RESTART = 1 << 17,   /* its sender has lost the connection and opens anew */
  MARK_IGNORED = 1 << 18,   /* a reset that nobody heeded */
  MARK_JUDGED = 1 << 19,
  MARK_GAP = 1 << 20, /* octets before it were not captured by then */
  MARK_OLD = 1 << 21  /* a bare acknowledgment sent before text that was captured before it */
};

/* Of the state diagram; an edge to CLOSED that is ABORT, a reset, an error or in vain counts as one to ENDED. */
enum { STATES = 11, ENDED = 11 };
#define NOWHERE UINT32_MAX /* no packet */
enum { NO_STATE = 0xff };  /* nothing is known of this endpoint */

struct packet {
  uint64_t number, us;
  struct vtcp_segment seg;
  struct text *text;       /* what is kept of the captured text (text.c), or NULL */
  uint32_t have;           /* how much of it was captured and kept */
  int64_t start, end, ack; /* places in the two streams: SYN is 0, the first octet of text 1 */
  uint32_t window;         /* scaled */
  uint32_t arrives;        /* the receiver has it after this packet (an index), NOWHERE: never */
  uint32_t resent;         /* packet (an index) that sends its first octet again, or NOWHERE */
  uint32_t cause;          /* packet (an index) that this one repeats or answers, or NOWHERE */
  uint32_t first_arrival, last_arrival, next_arrival; /* lists of the packets that arrive after this one */
  uint32_t marks;
  uint16_t ip_id;
  uint16_t header; /* octets */
  uint8_t from;    /* 0 left, 1 right */
  uint8_t wire;    /* enum vtcp_wire */
  uint8_t sum;     /* enum checksum */
  uint8_t ttl;
  uint8_t scale_sent; /* the window scale before it was limited to 14 */
  bool cut;           /* not all options were captured */
  uint8_t state[2];
};

/* --- Connections --- */

enum severity { ADVICE, VIOLATION };

struct finding {
  const char *id;      /* MUST-..., or the section when the requirement has no number */
  const char *section; /* of RFC 9293, or "RFC 7323 3.2" */
  uint32_t packet;     /* an index; 0 if that packet is no longer kept */
  uint64_t number;     /* of the packet in its file */
  enum severity severity;
  char found[160], expected[120];
};

struct stream { /* one direction: what an endpoint sends */
  struct endpoint endpoint;
  bool isn_known;   /* from its SYN */
  bool present;     /* any segment of it was captured */
  bool scale_known; /* the window scale in force is known */
  uint32_t isn;
  int64_t fin;     /* place of its FIN, or -1 */
  int64_t fin_end; /* the place behind it, or -1 */
  uint8_t scale;
  struct { /* what its SYN offered, the first that was captured with all options */
    uint64_t number;
    bool whole, wscale, ts, sack;
  } offer;
  bool acknowledges;    /* it acknowledged something, not only in resets */
  uint32_t last_speech; /* its last segment (an index) that is neither a reset nor an opening SYN, NOWHERE: none */
  uint32_t segments, right_sums, partial_sums, wrong_sums;
};

enum { NOTES = 16 };

/* What the capture shows first of a connection. */
enum beginning { BEGINS_WITH_SYN, BEGINS_WITH_SYN_ACK, BEGINS_WITH_RESET, BEGINS_IN_THE_MIDDLE };

struct connection {
  struct stream side[2];
  struct packet *packets; /* those that are kept */
  uint32_t count, room;
  uint32_t id;                         /* in the order of their beginnings, from 1 */
  uint32_t incarnation;                /* of this pair of sockets, from 1 */
  bool over, seen_fin[2];              /* a new SYN begins a new incarnation */
  bool only_syns, spoke[2], talked[2]; /* nothing but SYNs; anything but an opening SYN; segments without SYN */
  uint32_t next[2];                    /* sequence number behind the last octet of each side */
  uint32_t last_syn;                   /* sequence number of the opener's last SYN */
  uint32_t second_syn;                 /* a SYN (an index) in the midst of the connection, NOWHERE: none */
  bool syn_first;                      /* the opening SYN was captured */
  bool unscaled_middle;                /* the handshake was not captured: windows cannot be judged */
  bool handshake_whole;                /* both SYNs were captured with all their options */
  bool ts_negotiated, sack_negotiated;
  bool given_up;     /* the machines could not be brought along */
  bool gap_seen;     /* the capture lacks segments, */
  bool gap_proven;   /* and the peer has acknowledged their octets */
  bool text_dropped; /* retransmitted text could not all be compared */
  bool any_cut, text_cut, has_reset, has_text;
  bool kept_whole; /* its packets are to be shown */
  bool finished, departs;
  uint8_t begins; /* enum beginning */
  uint8_t final[2];
  uint16_t taken[2][STATES]; /* edges of the diagram: of a state, those after it, as bits */
  uint32_t marks;            /* of all its packets */
  uint64_t began, ended;     /* time of its first and of its last packet */
  uint64_t segments, judged, duplicates, aside,
      forgotten; /* forgotten: segments before packets[0] that are no longer kept */
  struct finding *findings;
  uint32_t finding_count, finding_room, findings_dropped;
  char *notes[NOTES];
  uint32_t note_count;
  struct work *work; /* of follow.c, while it is followed */
  struct connection *next_in_bucket, *older, *younger;
};

/* Findings of one kind, over all connections of a file. */
struct kind {
  const char *id, *section;
  enum severity severity;
  uint64_t findings, connections, first; /* first: the number of a packet */
  char found[160];
};

enum { KINDS = 64 };

struct totals {
  uint64_t connections, conform, depart, unjudged;
  uint64_t segments, judged, duplicates, aside; /* aside: their numbers are not those of the connection */
  uint64_t begun_before, one_sided, gaps, unscaled, cut, aged; /* connections */
  struct kind kinds[KINDS];
  uint32_t kind_count;
};

struct flows {
  struct connection *
      *all; /* those that are kept, to be shown; while the file is read, by id - 1, NULL: no longer kept */
  uint32_t count, room;
  struct connection **buckets;
  uint32_t bucket_count, live;
  struct connection *oldest, *youngest; /* the live ones, by their last packet */
  uint64_t now, text_kept;
  uint64_t packets, packets_shown; /* in memory: of connections that are not to be shown; of those that are */
  uint32_t shown;                  /* departing connections that are kept to be shown */
  bool whole;                      /* all connections are to be shown */
  bool full;                       /* some of what is to be shown was not kept: there is too much */
  struct totals totals;
};

/* --- One file --- */

struct report {
  const char *path;
  char link[64];
  uint64_t packets, tcp, not_tcp, fragments, tunnels, encrypted, malformed, headless, snapped, unusable;
  char error[256]; /* one line, or empty */
  bool truncated;  /* the error is at the end: what went before is shown */
};

struct pictures; /* picture.h */
struct options {
  bool json, all, explain, explain_set, ascii;
  struct pictures *pictures;
};

typedef void capture_sink(void *context, const struct frame *frame);

/* capture.c: reads a file; false with report->error when it cannot be used or ends early. */
bool capture_read(struct report *report, capture_sink *sink, void *context, bool progress);

/* link.c: finds the TCP segment in a captured packet; false (and a count in report) if there is none. */
bool link_supported(int link);
bool link_decode(int link, const uint8_t *octets, uint32_t have, uint32_t length, struct frame *frame,
                 struct report *report);

/* flows.c: the connection table. flows_end() judges what is left; `all` then has what is to be shown. */
bool flows_init(struct flows *flows, bool whole);
void flows_add(struct flows *flows, const struct frame *frame, struct report *report);
void flows_end(struct flows *flows);
void flows_free(struct flows *flows);
_Noreturn void out_of_memory(void);
void *enlarged(void *array, uint32_t *room, size_t size);

/* text.c: what is kept of a segment's text. */
struct text;
struct text *text_keep(uint32_t seq, const uint8_t *octets, uint32_t have);
size_t text_size(const struct text *text);
bool text_differs(const struct text *a, const struct text *b, uint32_t *from, uint32_t *to);

/* follow.c: judges what can be judged by now, or all that is left, and forgets what is no longer needed. */
enum { LOOK = 1024 }; /* packets that are looked at before and behind the one that is judged */
void follow_on(struct connection *conn);
void follow_unjudged(struct connection *conn); /* only what was lost and sent again, and when what arrived */
void follow_to_the_end(struct connection *conn, bool more);
void follow_free(struct connection *conn, uint64_t *text_kept);
bool follow_is_due(const struct connection *conn);
bool follow_may_part(const struct connection *conn, uint32_t index); /* nothing from there on was looked at yet */
uint32_t follow_forget(struct connection *conn, uint32_t keep, uint64_t *text_kept);

/* Whether a side goes on speaking after this packet. */
bool goes_on(const struct connection *conn, uint32_t index, uint8_t side);

/* machine.c: the edge of the state diagram that a step took, if any. */
void take_edge(uint16_t taken[STATES], uint8_t was, uint8_t state, const struct vtcp_event *event);

/* judge.c, resets.c, options.c, findings.c */
void judge_reset(struct connection *conn, uint32_t index, int64_t sent_max);
bool is_unsent(const struct connection *conn, uint32_t index, int64_t place);
void finding(struct connection *conn, uint32_t packet, enum severity severity, const char *id, const char *section,
             const char *expected, const char *format, ...) __attribute__((format(printf, 7, 8)));
uint32_t violations(const struct connection *conn);
void count_findings(struct totals *totals, const struct connection *conn);
void note(struct connection *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* notes.c: what the reader must know about what the capture lacks. */
void notes(struct connection *conn);

/* ladder.c, explain.c, json.c */
void ladder(const struct connection *conn, uint32_t id, const struct options *options, uint32_t *said);
void ladder_rows(const struct connection *conn, uint32_t id, const struct options *options); /* without a verdict */
void annotations(const struct connection *conn, uint32_t index, char *out, size_t room);
void heading_text(const struct connection *conn, uint32_t id, bool ascii, char *out, size_t room);
void syn_options_text(const struct connection *conn, char *out, size_t room);
void conclusion_text(const struct connection *conn, char *out, size_t room);
void label_text(const struct packet *p, char *out, size_t room);
void endpoint_text(const struct endpoint *endpoint, char *out, size_t room);
void flags_text(const struct vtcp_segment *seg, char *out, size_t room);
const char *state_text(uint8_t state);
enum { EXPLANATIONS = 6 };
uint32_t explanations(const struct connection *conn, uint32_t index, uint32_t *said, const char *lines[EXPLANATIONS]);
size_t utf8_length(const unsigned char *s); /* of the sequence at s, 0: none */
void json_open(void);
void json_file(const struct report *report, const struct flows *flows, bool first);
void json_close(int status);

/* command_replay.c */
int command_replay(int count, char **arguments);
bool read_capture(struct flows *flows, struct report *report, bool whole); /* and judges all of its connections */
bool complain(const char *path, const char *error);                        /* in one line; always false */
bool is_input(const char *picture, int files, char **paths);               /* not to be written over */

/* command_diagram.c */
int command_diagram(int count, char **arguments);

#endif
