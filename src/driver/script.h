/* Scripts in packetdrill's language: what they say (script_lex.c, script_parse.c, script_expression.c, script_packet.c).
 * All that a script holds lives in its arena. The first thing that cannot be read or is not understood ends the reading: it
 * is `unsupported` if it is of the language, and otherwise an error. SPDX-License-Identifier: MIT */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "driver.h"

/* --- Memory --- */

struct arena {
  struct block *blocks;
};

void *arena_take(struct arena *arena, size_t size); /* zeroed; ends the program if there is no memory */
char *arena_text(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

/* --- Words --- */

enum token_kind {
  TOKEN_END,
  TOKEN_INTEGER,
  TOKEN_FLOAT,
  TOKEN_WORD,
  TOKEN_STRING,
  TOKEN_COMMAND,  /* `...` */
  TOKEN_CODE,     /* %{ ... }% */
  TOKEN_OPTION,   /* --name */
  TOKEN_ADDRESS,  /* IPv4 or IPv6 */
  TOKEN_ELLIPSIS, /* ... */
  TOKEN_CHARACTER
};

struct token {
  enum token_kind kind;
  uint32_t line;
  char character;
  bool hexadecimal;
  int64_t integer; /* a float's: microseconds */
  const char *text;
};

struct lexer {
  const char *at, *end;
  uint32_t line;
  uint32_t ifdef; /* line of the #ifdef that is open, or 0 */
};

/* --- What a script says --- */

enum expression_kind {
  EXPRESSION_ANY, /* ... */
  EXPRESSION_INTEGER,
  EXPRESSION_WORD,
  EXPRESSION_STRING,
  EXPRESSION_OR,    /* members joined by | */
  EXPRESSION_LIST,  /* [members] */
  EXPRESSION_RECORD /* {members}, named or not */
};

struct expression {
  enum expression_kind kind;
  uint32_t line;
  const char *name; /* of a record's member, or NULL */
  const char *text;
  bool rest; /* "text"...: what follows is not told */
  int64_t integer;
  struct expression *first, *next;
};

enum {
  FLAG_FIN = 1,
  FLAG_SYN = 2,
  FLAG_RST = 4,
  FLAG_PSH = 8,
  FLAG_ACK = 16,
  FLAG_URG = 32,
  FLAG_ECE = 64,
  FLAG_CWR = 128
};
enum { OPTIONS_ROOM = 40, OPTIONS_MOST = 40 };

/* A TCP option as it lies on the wire, but for relative numbers. */
struct option_spec {
  uint8_t octets[OPTIONS_ROOM];
  uint8_t length;
  bool relative;     /* SACK: its blocks are relative sequence numbers */
  bool any_value;    /* timestamp: val ... */
  bool absolute_ecr; /* timestamp: ecr N! */
};

enum tos_check { TOS_ANY, TOS_ECN, TOS_ECT01, TOS_DSCP, TOS_DSCP_ECT01, TOS_WHOLE };

struct packet_spec {
  bool outbound, icmp;
  enum tos_check tos_check;
  uint8_t tos, ttl;
  uint16_t source, destination; /* 0: not told */
  uint8_t flags;
  bool any_seq, absolute_seq;
  uint32_t seq, ack;
  uint16_t len;
  int32_t window; /* -1: not told */
  uint16_t up;
  bool any_options;
  uint32_t option_count;
  struct option_spec options[OPTIONS_MOST];
  const char *icmp_type, *icmp_code;
  int64_t mtu; /* -1: not told */
};

struct call_spec {
  const char *name;
  struct expression *arguments; /* a list */
  struct expression *result;
  const char *error; /* errno, or NULL */
  bool blocking;
  uint64_t end; /* as in the script, if blocking */
};

enum time_kind { TIME_ABSOLUTE, TIME_RELATIVE, TIME_ANY, TIME_ABSOLUTE_RANGE, TIME_RELATIVE_RANGE };
enum event_kind { EVENT_PACKET, EVENT_CALL, EVENT_COMMAND, EVENT_CODE };

struct script_event {
  enum event_kind kind;
  enum time_kind time;
  uint32_t line;
  uint64_t from, to; /* microseconds */
  union {
    struct packet_spec *packet;
    struct call_spec *call;
    const char *text; /* command, code */
  };
  const char *said; /* the line, for people */
  struct script_event *next;
};

struct script_option {
  const char *name, *value;
  uint32_t line;
  struct script_option *next;
};

enum { MESSAGE = 400, DEFINES = 32 };

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_UNSUPPORTED, VERDICT_UNREADABLE, VERDICTS };

struct script {
  const char *path;
  struct arena arena;
  struct lexer lexer;
  struct token token; /* the one that is looked at */
  struct script_option *options;
  const char *init, *cleanup;
  uint32_t init_line, cleanup_line;
  struct script_event *events;
  const char *defines[DEFINES]; /* NAME or NAME=VALUE */
  uint32_t define_count;
  enum verdict verdict;
  uint32_t line; /* of the message */
  char message[MESSAGE];
  const char *reason; /* the message without its particulars, for summaries */
};

/* script_lex.c */
void next_token(struct script *script);
bool token_is(const struct script *script, char character);
bool token_is_word(const struct script *script, const char *word);
bool accept_token(struct script *script, char character);
bool accept_word(struct script *script, const char *word);
void expect_token(struct script *script, char character);
void syntax_error(struct script *script, const char *expected);
void script_fail(struct script *script, enum verdict verdict, uint32_t line, const char *reason, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));
const char *define_value(const struct script *script, const char *name); /* "": defined without a value; NULL: not */
bool script_define(struct script *script, const char *definition);

/* script_expression.c */
struct expression *parse_expression(struct script *script);
struct expression *parse_list(struct script *script, char close);
const struct expression *member(const struct expression *record, const char *name);
uint32_t members(const struct expression *list);

/* script_packet.c, script_option.c */
struct packet_spec *parse_packet(struct script *script);
void parse_tcp_options(struct script *script, struct packet_spec *packet);

/* script_parse.c: reads the text (which need not end with a zero); script->verdict says how that went. */
void script_parse(struct script *script, const char *text, size_t length);
void script_free(struct script *script);

#endif
