/* Scripts at work: a socket layer over the core in virtual time, which calls and packets of the script drive.
 * SPDX-License-Identifier: MIT */
#ifndef SCRIPT_RUN_H
#define SCRIPT_RUN_H

#include "script.h"

/* --- Settings: what the RFCs leave free, by name (script_settings.c) --- */

enum stack { STACK_RFC, STACK_FREEBSD, STACK_LINUX, STACKS };
enum { SETTINGS_MOST = 64 };
enum layout { LAYOUT_ANY, LAYOUT_FREEBSD, LAYOUT_LINUX };

struct settings {
  uint32_t values[SETTINGS_MOST];
  bool chosen[SETTINGS_MOST]; /* by name: no sysctl changes it, nor a stack's defaults */
};

void settings_default(struct settings *settings);
uint32_t setting(const struct settings *settings, const char *name);
bool setting_chosen(const struct settings *settings, const char *name);
enum set_result {
  SET_DONE,
  SET_UNKNOWN,
  SET_BAD
} settings_set(struct settings *settings, const char *name, const char *value, bool chosen);
bool settings_put(struct settings *settings, const char *name, uint64_t value); /* false: out of range */
void settings_stack(struct settings *settings, enum stack stack); /* that stack's defaults for all that is not chosen */
void settings_help(FILE *to);
struct vtcp_config settings_config(const struct settings *settings);

/* --- The world --- */

struct buffer {
  uint8_t *octets;
  size_t length, room;
};

struct stamp { /* a timestamp as the script calls it, and as it was sent */
  uint32_t said, sent;
  struct stamp *next;
};

/* A pair of sockets, and how the script's numbers relate to those on the wire. Zero until our SYN is sent. */
struct flow {
  uint16_t local, remote;
  uint32_t local_base, remote_base;
  bool matched; /* local_base is what the script said of our SYN */
  struct stamp *stamps;
  uint32_t connections;
  struct flow *next;
};

struct socket {
  struct vtcp_conn tcb;
  struct settings settings; /* of this socket: options change them until it has a connection */
  int64_t fd;               /* -1: none (any more) */
  bool has_fd, bound, listening, connecting, started, ready, child;
  bool nonblocking, shut_read, at_end, linger, reuse;
  bool orphan; /* the user closed it */
  uint32_t linger_seconds, backlog;
  uint16_t port;
  const char *error; /* SO_ERROR, or NULL */
  struct socket *listener;
  struct flow *flow;
  struct buffer out, in, said; /* what is not acknowledged; what arrived; all that was ever written */
  uint32_t readable;
  uint64_t taken;   /* octets that the user has received */
  uint8_t tos, ttl; /* ttl 0: the setting's */
  struct socket *next;
};

/* A segment that travelled. */
struct trip {
  uint64_t us;
  struct flow *flow;
  struct vtcp_segment seg;
  bool outbound, expected;
  uint8_t tos, ttl, state;
  uint32_t line;
};

enum { ROWS = 16 };

struct row { /* of a comparison */
  const char *what;
  char expected[96], actual[96];
  bool differs;
};

struct call { /* that is under way */
  const struct script_event *event;
  const struct call_spec *spec;
  struct socket *socket;
  uint64_t began, until;
  int64_t value;
  const char *error;
  uint64_t done;
  bool begun;
};

struct run {
  struct script *script;
  struct settings settings, original;
  uint64_t start, now;
  struct socket *sockets;
  struct flow *flows, *flow; /* the one that packets without ports belong to */
  struct socket *tested;     /* what tcp_info is about */
  bool awaits_child;         /* the next SYN opens a new flow */
  uint16_t next_port;
  uint32_t connections;
  struct trip *trips;
  uint32_t trip_count, trip_room, next_out; /* the first that no event expected yet */
  struct call pending;
  bool is_pending;
  struct row rows[ROWS];
  uint32_t row_count;
  uint32_t not_compared;   /* kinds of option, as bits */
  const char *reservation; /* what the script asked for and is not to be had here */
  uint32_t reservation_line;
  uint16_t taken[STATES]; /* edges of the state diagram, by all its sockets */
  bool stack_known;       /* the script showed which stack it is for */
  uint8_t *octets;        /* an arriving segment's */
  const struct script_event *event;
};

/* script_world.c */
void world_open(struct run *run);
void world_free(struct run *run);
struct socket *new_socket(struct run *run);
struct flow *find_flow(struct run *run, uint16_t local, uint16_t remote);
struct vtcp_actions world_step(struct run *run, struct socket *socket, struct vtcp_event event, const uint8_t *text);
void world_arrive(struct run *run, struct flow *flow, const struct vtcp_segment *seg, const uint8_t *text, uint8_t tos);
void add_trip(struct run *run, struct trip trip);
uint64_t world_deadline(const struct run *run, struct socket **whose);
bool has_connection(const struct socket *socket);
void forget(struct run *run, struct socket *socket);
uint8_t stream_octet(uint64_t place);
uint32_t whole_buffer(const struct settings *settings, uint32_t mss);
uint32_t real_buffer(const struct settings *settings, uint32_t mss);
void buffer_add(struct buffer *buffer, const uint8_t *octets, size_t length);
void buffer_drop(struct buffer *buffer, size_t length);

/* script_old.c */
bool old_rules(struct run *run, struct socket *socket, struct vtcp_segment *seg);

/* script_calls.c: true when the call has returned, with its value or error. */
bool call_attempt(struct run *run, struct call *call);
bool call_known(const char *name);
void call_check(struct run *run, const struct call *call);

/* script_values.c */
bool number_of(struct run *run, const struct expression *expression, int64_t *number);
const struct expression *argument(const struct call *call, uint32_t index);
bool number_argument(struct run *run, const struct call *call, uint32_t index, int64_t *number);
void unsupported(struct run *run, uint32_t line, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void failed(struct run *run, uint32_t line, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool going(const struct run *run);
void reserve(struct run *run, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool same_error(const char *a, const char *b);
bool is_error(const char *name);
const char *expression_text(const struct expression *expression, char *out, size_t room);

/* script_arrive.c, script_compare.c */
uint32_t get32(const uint8_t *octets);
void put32(uint8_t *octets, uint32_t value);
const uint8_t *find_option(const uint8_t *octets, uint32_t length, uint8_t kind); /* the first of a kind, or NULL */
bool compare_options(struct run *run, const struct script_event *event, const struct trip *trip);
void learn_stamp(struct run *run, struct flow *flow, uint32_t said, uint32_t sent);
uint32_t sent_stamp(const struct flow *flow, uint32_t said);
void packet_in(struct run *run, const struct script_event *event);
void packet_out(struct run *run, const struct script_event *event, const struct trip *trip);
void add_row(struct run *run, const char *what, bool differs, const char *expected, const char *actual);

/* script_shell.c, script_info.c */
void shell_command(struct run *run, uint32_t line, const char *text);
void code_block(struct run *run, uint32_t line, const char *text);
bool info_field(const struct run *run, const struct socket *socket, const char *name, int64_t *value);

/* script_events.c: the whole script; script->verdict says how it went. */
void script_run(struct run *run);
uint64_t script_time(const struct run *run);
struct socket *socket_of(struct run *run, int64_t fd);

/* script_report.c */
struct script_options {
  struct settings settings;
  const char *defines[DEFINES];
  uint32_t define_count;
  bool ladder, summary, ascii;
  struct pictures *pictures;
};
void report_run(struct run *run, const struct script_options *options);
const char *verdict_text(enum verdict verdict);

/* command_script.c */
bool is_script(const char *path);
enum verdict script_edges(const char *path, uint16_t taken[STATES], char *said, size_t room);
int replay_scripts(int count, char **paths, const struct script_options *options);

#endif
