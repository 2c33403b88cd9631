/* `vtcp explore`: every behaviour of two connections and the network between them. A world (explore_file.c) says what both
 * users do and what the network may do; explore_world.c makes one move of it with the shipped core; explore_pack.c gives
 * situations that do not differ the same octets; explore_search.c visits them all, breadth first; explore_fair.c asks what
 * becomes of each once the network is fair. How time and numbers are abstracted is in docs/explore.md.
 * SPDX-License-Identifier: MIT */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "driver.h"

enum {
  MOST_FLYING = 10, /* segments in the network at once */
  MOST_ROOM = 32,   /* octets of a receive buffer */
  MOST_BIRTHS = 6,  /* incarnations of an end: initial sequence numbers that it has */
  MOST_CALLS = 24,
  MOST_OLD = 4,
  MOST_SENT = 24, /* segments that one move sends */
  MOST_STEPS_OF_MOVE = 6,
  MOST_MOVES = 96,
  MOST_PACKED = 512,
  ANY = 255,   /* no bound */
  FORGED = 15, /* in place of an incarnation: the attacker */
  MOST_TEXT = 200
};

/* --- What a world is --- */

enum call_kind {
  CALL_OPEN,
  CALL_LISTEN,
  CALL_SEND,
  CALL_CLOSE,
  CALL_ABORT,
  CALL_WAIT_ESTABLISHED,
  CALL_WAIT_TEXT,
  CALL_WAIT_PEER_CLOSED,
  CALL_WAIT_CLOSED
};

struct user_call {
  uint8_t kind;
  uint8_t number; /* octets */
};

enum attack { ATTACK_RESET, ATTACK_SYN, ATTACK_TEXT, ATTACK_EXACT, ATTACKS };
enum { READS_AT_ONCE, READS_LATER };

/* A segment on its way. */
struct flying {
  struct vtcp_segment seg;
  uint8_t to;
  uint8_t birth; /* text: the incarnation of its sender, from 1; 0: before the world began; FORGED */
  uint8_t text;  /* text: its first octet's place in what that incarnation was given to send */
  uint8_t stale; /* bit e: sent before end e's TIME-WAIT began */
};

struct world {
  char name[64], about[160];
  struct user_call calls[2][MOST_CALLS];
  uint8_t call_count[2];
  uint8_t iss[2][MOST_BIRTHS]; /* counted from `base` */
  uint8_t iss_count[2];
  uint32_t base[2];
  struct flying old[MOST_OLD];
  uint8_t old_count;
  uint8_t buffer, reads, holds;
  uint16_t mss;
  uint8_t loses, duplicates, timeouts, attacks; /* how often, or ANY */
  bool attack[ATTACKS];
  bool nagle, rfc1337, reorders, gives_up, two_way, three_segments, no_time_wait, short_outages, symmetric;
  struct vtcp_config config;
};

/* --- A situation --- */

struct octet {
  uint8_t birth, place;
};

struct user {
  uint8_t call;                     /* the next of its calls */
  bool established, peer_closed;    /* what it was told of this connection */
  bool closed_it;                   /* it called CLOSE */
  bool over;                        /* the connection has ended */
  uint8_t births;                   /* incarnations so far */
  uint8_t partner[MOST_BIRTHS + 1]; /* the peer's incarnation that ours believes in; 0: none that ever was */
  uint8_t given[MOST_BIRTHS + 1];   /* octets that SEND took */
  uint8_t taken, dropped;           /* octets that RECEIVE handed over; of ours, acknowledged */
  struct octet in[MOST_ROOM];       /* the receive buffer */
};

struct state {
  struct vtcp_conn conn[2];
  struct user user[2];
  struct flying flying[MOST_FLYING];
  uint8_t flying_count;
  uint8_t lost, duplicated, timeouts, attacks; /* so far, where there is a bound */
  bool cut;   /* somebody aborted, gave up, or was reset as RFC 5961 admits: peace is not owed any more */
  bool spent; /* a SYN came for which no initial sequence number was left: what follows is not judged in the end */
};

/* --- Moves --- */

enum move_kind {
  MOVE_CALL,    /* the next call of `end` */
  MOVE_READ,    /* RECEIVE */
  MOVE_DELIVER, /* flying[at] arrives */
  MOVE_COPY,    /* it arrives, and stays on its way */
  MOVE_LOSE,
  MOVE_TIMEOUT, /* of `end` */
  MOVE_GIVE_UP, /* R2 */
  MOVE_ATTACK   /* forged segment number `at` arrives at `end` */
};

struct move {
  uint8_t kind, end, at;
};

/* What must never happen. */
enum violation {
  NO_VIOLATION,
  BAD_RECORD,
  BAD_TEXT_SENT,
  BAD_STORE,
  BAD_TEXT,
  OPENED_BY_NOBODY,
  OPENED_ALONE,
  FIN_BEFORE_TEXT,
  CLOSED_BEFORE_TEXT,
  SEND_REFUSED,
  MANY_ANSWERS,
  RESET_ANSWERED,
  ATTACK_WORKED,
  RESET_IN_PEACE,
  STUCK,
  HALF_OPEN,
  TEXT_MISSING,
  ENDLESS,
  VIOLATIONS
};

/* What a move did, for those who tell of it. */
struct outcome {
  enum violation violation;
  uint8_t victim;
  uint8_t error;  /* of a call */
  bool full;      /* a segment found the network full */
  bool no_number; /* a SYN found no initial sequence number left */
  bool unfit;     /* the situation has no room in the model: what */
  const char *unfit_why;
  bool arrived;               /* `came` is what arrived, or was lost */
  bool closed_for_user;       /* the world's three segments */
  bool acknowledged_for_peer; /* the world's two-way handshake */
  bool no_wait;               /* TIME-WAIT of no length */
  uint8_t sent_count, step_count;
  struct flying came;
  bool sent_lost[MOST_SENT];
  struct flying sent[MOST_SENT];
  struct vtcp_event steps[MOST_STEPS_OF_MOVE]; /* what `end` of the move, or of the arrival, went through */
};

/* explore_file.c: worlds, as text. A line is `key value`, and so is an option; `#` begins a comment. */
struct world_error {
  const char *path; /* or NULL: an option */
  unsigned line;
  char message[200];
};
void world_begin(struct world *world);
bool world_set(struct world *world, const char *key, const char *value, struct world_error *error);
bool world_read(struct world *world, const char *path, const char *text, size_t length, struct world_error *error);
bool world_finish(struct world *world, struct world_error *error);
void world_print(const struct world *world, FILE *to);
void world_keys(FILE *to);

/* explore_worlds.c: those that come with the program. */
struct named_world {
  const char *name, *text;
};
extern const struct named_world named_worlds[];
extern const size_t named_world_count;

/* explore_world.c */
void state_begin(const struct world *world, struct state *state);
uint32_t moves(const struct world *world, const struct state *state, struct move out[MOST_MOVES]);
uint32_t fair_moves(const struct world *world, const struct state *state, struct move out[MOST_MOVES]);
void make_move(const struct world *world, struct state *state, struct move move, struct outcome *outcome);
uint32_t received(const struct state *state, uint8_t end); /* octets in order, read and unread */
bool is_left_out(const struct world *world, const struct outcome *outcome);

/* explore_rest.c */
enum violation at_rest(const struct world *world, const struct state *state, uint8_t *victim);
void forget_time(struct vtcp_conn *c);
bool same_record(const struct vtcp_conn *a, const struct vtcp_conn *b);
const char *violation_text(enum violation violation);
const char *violation_source(enum violation violation); /* the requirement */

/* explore_attack.c */
uint32_t attack_count(const struct world *world, const struct state *state, uint8_t end);
enum attack forge(const struct world *world, const struct state *state, uint8_t end, uint32_t at, struct flying *out);

/* explore_pack.c: the octets of a situation; the same for situations that do not differ. 0: it does not fit. */
uint32_t pack(const struct world *world, const struct state *state, uint8_t out[MOST_PACKED]);
void unpack(const struct world *world, const uint8_t *octets, struct state *state);
bool same_flying(const struct world *world, const struct flying *a, const struct flying *b);
uint8_t birth_of(const struct world *world, const struct state *state, uint8_t end, uint32_t iss); /* 0: none */

/* explore_search.c */
enum { SHARDS = 16 };

struct shard;

struct search {
  const struct world *world;
  struct shard *shards;
  unsigned threads;
  uint64_t memory; /* most octets */
  bool progress;
  uint64_t states, transitions, full, no_number, used; /* used: octets */
  uint32_t depth;
  bool bound;        /* ended by the memory */
  const char *unfit; /* ended because the model has no room: why */
  enum violation violation;
  uint8_t victim;
  uint32_t from;    /* the situation in which the violation is found, */
  struct move last; /* with this move (safety) */
  bool has_last;
  uint64_t fair_edges, rests;
  bool fair_done;
  uint32_t *cycle; /* situations of an endless exchange, the first one again at the end */
  uint32_t cycle_length;
};

#define NO_STATE_ID UINT32_MAX

bool search_all(struct search *search);
void search_free(struct search *search);
uint64_t search_count(const struct search *search);
const uint8_t *search_octets(const struct search *search, uint32_t id, uint32_t *length);
uint32_t search_find(const struct search *search, const uint8_t *octets, uint32_t length);
uint32_t search_parent(const struct search *search, uint32_t id);
uint32_t shard_size(const struct search *search, uint32_t shard);
void in_parallel(unsigned threads, uint32_t tasks, void (*task)(void *context, uint32_t number), void *context);
void show_progress(struct search *search, const char *what, uint64_t done, bool last);

/* explore_fair.c: false if memory was too little. */
bool search_fair(struct search *search);

/* explore_trace.c: how the violation comes about. */
struct scene {
  struct move move;
  struct outcome outcome;
  struct state before, after;
};

struct trace {
  const struct world *world;
  struct scene *scenes;
  uint32_t count;
  uint32_t cycle_from; /* the scene that an endless exchange returns to, or `count` */
  enum violation violation;
  uint8_t victim;
};

bool trace_make(struct search *search, struct trace *trace);
void trace_free(struct trace *trace);

/* explore_ladder.c, explore_script.c, explore_json.c */
uint32_t sent_in(const struct trace *trace,
                 uint32_t at); /* the scene that sent what arrives; from 1; 0: before the first */
uint32_t flying_since(const struct trace *trace,
                      const struct flying *f); /* the same of what is on its way at the end */
void segment_text(const struct world *world, const struct flying *f, char *out, size_t room);
void scene_act(const struct trace *trace, uint32_t at, char *out, size_t room); /* empty: a segment */
void scene_remarks(const struct trace *trace, uint32_t at, char *out, size_t room);
void trace_verdict(const struct trace *trace, char *out, size_t room); /* what is violated, and whose it is */
void trace_ladder(const struct trace *trace, bool ascii, FILE *to);
void trace_json(const struct search *search, const struct trace *trace, double seconds, FILE *to);
bool trace_script(const struct trace *trace, FILE *to);

/* explore_picture.c: false, and said why, if it cannot be drawn. */
enum { MOST_ROWS = 400 };
bool trace_picture(const struct trace *trace, const char *path);

/* What a call is named, with its number. */
void call_text(const struct user_call *call, char *out, size_t room);

int command_explore(int count, char **arguments);

#endif
