/* What is known of a connection while it is followed: what the passes over it hand on from one piece to the next.
 * SPDX-License-Identifier: MIT */
#ifndef WORK_H
#define WORK_H

#include "machine.h"

enum { HOLES = 16 };

struct hole {
  int64_t from, to;
};

/* places.c: what the capture has shown of one direction so far. */
struct progress {
  int64_t sent;  /* behind the last octet sent */
  int64_t acked; /* the highest acknowledgment that this side sent, -1: none */
  int64_t edge;  /* right edge of the window that it offered */
  uint32_t window;
  bool windowed, begun;
  struct hole holes[HOLES]; /* not captured by now */
  uint32_t hole_count;
};

/* timeline.c: what one side had said before the packets that are kept. */
struct said {
  int64_t covered; /* its highest acknowledgment, -1: none */
  int64_t sent;
};

/* judge.c: what one side has sent and offered so far. */
struct book {
  int64_t sent;            /* behind the last octet sent */
  int64_t text;            /* behind the last octet of text sent */
  int64_t fin;             /* place of its FIN, -1: none */
  int64_t acked;           /* highest acknowledgment that it sent, -1: none */
  int64_t edge;            /* highest right edge that it offered outside its SYN, -1: none */
  int64_t acked_with_text; /* of them, the highest on a segment with new text */
  uint64_t fin_us, reset_us, reset_number;
  uint64_t ts_us;   /* when it sent tsval */
  uint32_t tsval;   /* the highest */
  uint32_t mss;     /* the largest that its SYNs named, 0: none */
  bool syn_whole;   /* its SYN was captured with all options */
  bool misanswered; /* the last SYN,ACK that it was sent does not acknowledge its SYN */
  bool ts_seen, receded, reset_sent;
  uint8_t reset_ttl;
};

struct work {
  uint32_t placed, done; /* packets (counts) that have their places; that are judged */
  uint32_t base;         /* packets before this one are only looked at through `said` */
  uint32_t texts;        /* packets before this one keep no text */
  bool begun, machines_begun;
  struct progress progress[2];
  struct said said[2];
  uint32_t latest[2]; /* timeline.c: arrivals keep their order */
  struct book book[2];
  struct run run;
};

/* places.c: who opened, where each segment lies in its stream, what kind it is. For the packets before `until`. */
void places(struct connection *conn, uint32_t until);

/* timeline.c: what was lost, and when what arrived. `more`: the connection goes on behind what is known. */
void timeline(struct connection *conn, uint32_t until, bool more);

/* replay.c: both machines through the connection; fills the states. */
void replay(struct connection *conn, uint32_t until);

/* judge.c */
void judge(struct connection *conn, uint32_t until);

static inline const struct packet *packet_at(const struct connection *conn, uint32_t index)
{
  return &conn->packets[index];
}

static inline bool is_aside(const struct packet *p)
{
  return (p->marks & (MARK_FOREIGN | MARK_DUPLICATE | MARK_DAMAGED)) != 0;
}

/* Numbers so far from those of the connection may be another's: an incarnation that was not captured. */
enum { FAR = 1 << 24 };

/* options.c */
void judge_flags(struct connection *conn, uint32_t index);
void judge_options(struct connection *conn, uint32_t index, const struct book *own);
void judge_mss(struct connection *conn, uint32_t index, const struct book *other);
void judge_sack(struct connection *conn, uint32_t index, int64_t peer_sent);
void judge_timestamps(struct connection *conn, uint32_t index, const struct book *own, const struct book *other);

#endif
