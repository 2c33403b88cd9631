/* The two machines of a connection, and what makes them move. SPDX-License-Identifier: MIT */
#ifndef MACHINE_H
#define MACHINE_H

#include "driver.h"

enum { HELD = 1024 };

struct machine {
  struct vtcp_conn tcb;
  bool known;        /* something of this endpoint was captured */
  bool restarted;    /* its numbers are no longer those of the stream */
  bool closed_given; /* CLOSE was called */
  int64_t given;     /* behind the last octet that SEND was given, and the FIN */
  int64_t received;  /* place of RCV.NXT in the peer's stream */
  uint32_t *held;    /* packets that came before their turn, at most HELD */
  uint32_t held_count, held_room;
  bool has_answer; /* the machine answered the last segment, */
  bool challenged; /* with a challenge ACK, */
  struct vtcp_segment answer;
  uint32_t answered; /* this one */
};

struct run {
  struct connection *conn;
  struct machine side[2];
  uint64_t now, base;
  uint32_t steps; /* taken for octets that the capture lacks */
};

/* Whether the machine is in a synchronized state. */
bool synchronized(const struct machine *m);

/* One step, and all that follows from it at once; text that becomes readable is read. */
struct vtcp_actions step(struct run *run, uint8_t side, struct vtcp_event event);

/* A user call; `number` is its length or its initial sequence number. */
struct vtcp_actions call(struct run *run, uint8_t side, uint8_t type, uint32_t number);

/* A segment that the capture does not hold arrives. */
void arrive(struct run *run, uint8_t side, struct vtcp_segment seg);

/* Makes the machine send up to this place, whatever its window. */
void send_on(struct run *run, uint8_t side, int64_t until);

/* SEND and CLOSE: all that lies before this place of the stream, its FIN included if the capture shows one there. */
void give_up_to(struct run *run, uint8_t side, int64_t until);

/* False when too many octets are missing to go on; both machines are then given up. */
bool spend(struct run *run);

#endif
