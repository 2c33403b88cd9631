/* Words of packetdrill's language. The longest match counts, as in the language's definition.
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "script.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct block {
  struct block *next;
  max_align_t data[];
};

void *arena_take(struct arena *arena, size_t size)
{
  struct block *block = calloc(1, sizeof *block + size);
  if (block == NULL) {
    fputs("vtcp: out of memory\n", stderr);
    exit(EXIT_UNUSABLE);
  }
  block->next = arena->blocks;
  arena->blocks = block;
  return block->data;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
  char *copy = arena_take(arena, length + 1);
  memcpy(copy, text, length);
  return copy;
}

void arena_free(struct arena *arena)
{
  while (arena->blocks != NULL) {
    struct block *next = arena->blocks->next;
    free(arena->blocks);
    arena->blocks = next;
  }
}

/* The first failure counts. */
void script_fail(struct script *script, enum verdict verdict, uint32_t line, const char *reason, const char *format,
                 ...)
{
  va_list arguments;
  if (script->verdict != VERDICT_PASSED)
    return;
  script->verdict = verdict;
  script->line = line;
  script->reason = reason;
  va_start(arguments, format);
  vsnprintf(script->message, sizeof script->message, format, arguments);
  va_end(arguments);
  for (char *c = script->message; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f)
      *c = ' ';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char ahead(const struct lexer *lexer, size_t distance)
{
  return distance < (size_t)(lexer->end - lexer->at) ? lexer->at[distance] : '\0';
}

static size_t span(const struct lexer *lexer, size_t from, bool (*is)(char))
{
  size_t to = from;
  while (is(ahead(lexer, to)))
    to++;
  return to - from;
}

static bool begins(const struct lexer *lexer, const char *text)
{
  size_t length = strlen(text);
  return (size_t)(lexer->end - lexer->at) >= length && memcmp(lexer->at, text, length) == 0;
}

static void skip(struct lexer *lexer, size_t length)
{
  for (; length > 0 && lexer->at < lexer->end; length--)
    lexer->line += *lexer->at++ == '\n';
}

/* Behind the next `text`, or at the end. */
static bool skip_past(struct lexer *lexer, const char *text)
{
  while (lexer->at < lexer->end) {
    if (begins(lexer, text)) {
      skip(lexer, strlen(text));
      return true;
    }
    skip(lexer, 1);
  }
  return false;
}

const char *define_value(const struct script *script, const char *name)
{
  size_t length = strlen(name);
  for (uint32_t i = script->define_count; i-- > 0;) {
    const char *define = script->defines[i];
    if (strncmp(define, name, length) == 0 && (define[length] == '\0' || define[length] == '='))
      return define[length] == '=' ? define + length + 1 : define + length;
  }
  return NULL;
}

bool script_define(struct script *script, const char *definition)
{
  if (script->define_count == DEFINES)
    return false;
  script->defines[script->define_count++] = arena_text(&script->arena, definition, strlen(definition));
  return true;
}

static void skip_ifdef(struct script *script)
{
  struct lexer *lexer = &script->lexer;
  uint32_t line = lexer->line;
  skip(lexer, strlen("#ifdef"));
  while (ahead(lexer, 0) == ' ' || ahead(lexer, 0) == '\t' || ahead(lexer, 0) == '\n')
    skip(lexer, 1);
  size_t length = span(lexer, 0, is_word);
  const char *name = arena_text(&script->arena, lexer->at, length);
  skip(lexer, length);
  if (length == 0 || is_digit(name[0]))
    script_fail(script, VERDICT_UNREADABLE, line, "syntax", "#ifdef must be followed by a name");
  else if (lexer->ifdef != 0)
    script_fail(script, VERDICT_UNREADABLE, line, "syntax", "#ifdef inside the #ifdef of line %u", lexer->ifdef);
  else if (define_value(script, name) != NULL)
    lexer->ifdef = line;
  else if (!skip_past(lexer, "#endif"))
    script_fail(script, VERDICT_UNREADABLE, line, "syntax", "#ifdef without #endif");
}

static void skip_endif(struct script *script)
{
  if (script->lexer.ifdef == 0)
    script_fail(script, VERDICT_UNREADABLE, script->lexer.line, "syntax", "#endif without #ifdef");
  script->lexer.ifdef = 0;
  skip(&script->lexer, strlen("#endif"));
}

/* Whitespace, comments, and text that an #ifdef leaves out. */
static void skip_blank(struct script *script)
{
  struct lexer *lexer = &script->lexer;
  while (lexer->at < lexer->end && script->verdict == VERDICT_PASSED) {
    char c = *lexer->at;
    uint32_t line = lexer->line;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
      skip(lexer, 1);
    else if (begins(lexer, "//"))
      skip_past(lexer, "\n");
    else if (begins(lexer, "/*")) {
      skip(lexer, 2);
      if (!skip_past(lexer, "*/"))
        script_fail(script, VERDICT_UNREADABLE, line, "syntax", "comment without */");
    } else if (begins(lexer, "#ifdef"))
      skip_ifdef(script);
    else if (begins(lexer, "#endif"))
      skip_endif(script);
    else
      return;
  }
}

/* --- Numbers and addresses --- */

static size_t length_of_ipv4(const struct lexer *lexer, size_t from)
{
  size_t at = from;
  for (int part = 0; part < 4; part++) {
    size_t digits = span(lexer, at, is_digit);
    if (digits == 0 || (part < 3 && ahead(lexer, at + digits) != '.'))
      return 0;
    at += digits + (part < 3);
  }
  return at - from;
}

/* IPv6: eight groups, or fewer around one "::". Sequence numbers such as 1:1001 are neither. */
static size_t length_of_ipv6(const struct lexer *lexer)
{
  size_t at = 0;
  int groups = 0, gaps = 0;
  if (ahead(lexer, 0) == ':' && ahead(lexer, 1) != ':')
    return 0;
  while (groups < 8) {
    size_t digits = span(lexer, at, is_hex), ipv4 = gaps > 0 || groups > 0 ? length_of_ipv4(lexer, at) : 0;
    if (ipv4 > 0)
      return at + ipv4;
    if (digits > 4)
      return 0;
    at += digits;
    groups += digits > 0;
    if (ahead(lexer, at) == ':' && ahead(lexer, at + 1) == ':' && gaps == 0)
      at += 2, gaps++;
    else if (ahead(lexer, at) == ':' && is_hex(ahead(lexer, at + 1)) && digits > 0 && groups < 8)
      at++;
    else
      break;
  }
  return gaps == 1 || groups == 8 ? at : 0;
}

static int64_t saturating(const char *digits, size_t length, unsigned base)
{
  uint64_t value = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned c = (unsigned char)digits[i], digit = c <= '9' ? c - '0' : (c | 32u) - 'a' + 10u;
    if (value > ((uint64_t)INT64_MAX - digit) / base)
      return INT64_MAX;
    value = value * base + digit;
  }
  return (int64_t)value;
}

/* Seconds with a fraction, in microseconds; further digits are cut off. */
static int64_t microseconds(const char *whole, size_t whole_digits, const char *fraction, size_t digits)
{
  int64_t seconds = saturating(whole, whole_digits, 10), us = 0;
  for (size_t i = 0; i < 6; i++)
    us = us * 10 + (i < digits ? fraction[i] - '0' : 0);
  return seconds > INT64_MAX / 2000000 ? INT64_MAX / 2 : seconds * 1000000 + us;
}

/* The length of what was read, 0: no number. */
static size_t read_number(struct script *script, struct token *token)
{
  struct lexer *lexer = &script->lexer;
  size_t sign = ahead(lexer, 0) == '-', digits = span(lexer, sign, is_digit), at = sign + digits;
  size_t fraction = ahead(lexer, at) == '.' ? span(lexer, at + 1, is_digit) : 0;
  if (sign == 0 && ahead(lexer, 0) == '0' && ahead(lexer, 1) == 'x' && is_hex(ahead(lexer, 2))) {
    size_t length = span(lexer, 2, is_hex);
    token->kind = TOKEN_INTEGER;
    token->hexadecimal = true;
    token->integer = saturating(lexer->at + 2, length, 16);
    return length + 2;
  }
  if (fraction > 0) {
    token->kind = TOKEN_FLOAT;
    token->integer = microseconds(lexer->at + sign, digits, lexer->at + at + 1, fraction);
    at += fraction + 1;
  } else if (digits > 0) {
    token->kind = TOKEN_INTEGER;
    token->integer = saturating(lexer->at + sign, digits, 10);
  } else {
    return 0;
  }
  token->integer = sign ? -token->integer : token->integer;
  return at;
}

/* --- Tokens --- */

static size_t length_of_word(const struct lexer *lexer)
{
  static const char *const with_hyphen[] = {"exp-", "EXP-", "gen-", "voice-"};
  size_t length = span(lexer, 0, is_word);
  for (size_t i = 0; i < sizeof with_hyphen / sizeof *with_hyphen; i++)
    if (begins(lexer, with_hyphen[i]) && is_word(ahead(lexer, strlen(with_hyphen[i]))))
      return strlen(with_hyphen[i]) + span(lexer, strlen(with_hyphen[i]), is_word);
  return length;
}

static void take_text(struct script *script, enum token_kind kind, size_t from, size_t length, size_t all)
{
  script->token.kind = kind;
  script->token.text = arena_text(&script->arena, script->lexer.at + from, length);
  skip(&script->lexer, all);
}

/* Text between delimiters; a backslash keeps the character behind it. */
static void take_quoted(struct script *script, enum token_kind kind, char quote)
{
  struct lexer *lexer = &script->lexer;
  size_t length = 1, room = (size_t)(lexer->end - lexer->at);
  while (length < room && lexer->at[length] != quote)
    length += lexer->at[length] == '\\' && length + 1 < room ? 2 : 1;
  if (length >= room)
    script_fail(script, VERDICT_UNREADABLE, lexer->line, "syntax", "%c without its end", quote);
  else
    take_text(script, kind, 1, length - 1, length + 1);
}

static void take_code(struct script *script)
{
  struct lexer *lexer = &script->lexer;
  for (size_t length = 2; length + 1 < (size_t)(lexer->end - lexer->at); length++) {
    if (lexer->at[length] != '}' || lexer->at[length + 1] != '%')
      continue;
    take_text(script, TOKEN_CODE, 2, length - 2, length + 2);
    return;
  }
  script_fail(script, VERDICT_UNREADABLE, lexer->line, "syntax", "%%{ without }%%");
}

/* A word that a definition gives a value. */
static void substitute(struct script *script)
{
  struct token *token = &script->token;
  const char *value = define_value(script, token->text);
  size_t length = value != NULL ? strlen(value) : 0;
  if (length == 0)
    return;
  bool quoted = length >= 2 && (value[0] == '"' || value[0] == '`') && value[length - 1] == value[0];
  bool hexadecimal = value[0] == '0' && value[1] == 'x';
  token->text = quoted ? arena_text(&script->arena, value + 1, length - 2) : value;
  if (quoted) {
    token->kind = value[0] == '"' ? TOKEN_STRING : TOKEN_COMMAND;
  } else if (is_digit(value[0])) {
    token->kind = TOKEN_INTEGER;
    token->hexadecimal = hexadecimal;
    size_t digits = 0;
    const char *from = value + (hexadecimal ? 2 : 0);
    while (hexadecimal ? is_hex(from[digits]) : is_digit(from[digits]))
      digits++;
    token->integer = saturating(from, digits, hexadecimal ? 16 : 10);
  }
}

static void take_word_or_number(struct script *script)
{
  struct lexer *lexer = &script->lexer;
  struct token *token = &script->token;
  size_t number = read_number(script, token), word = length_of_word(lexer);
  size_t ipv4 = length_of_ipv4(lexer, 0), ipv6 = length_of_ipv6(lexer);
  if (ipv6 > 0 && ipv6 >= word && ipv6 > ipv4) {
    take_text(script, TOKEN_ADDRESS, 0, ipv6, ipv6);
  } else if (ipv4 > 0) {
    take_text(script, TOKEN_ADDRESS, 0, ipv4, ipv4);
  } else if (number >= word && number > 0) {
    token->text = arena_text(&script->arena, lexer->at, number);
    skip(lexer, number);
  } else if (word > 0) {
    take_text(script, TOKEN_WORD, 0, word, word);
    substitute(script);
  } else {
    token->kind = TOKEN_CHARACTER;
    token->character = *lexer->at;
    skip(lexer, 1);
  }
}

void next_token(struct script *script)
{
  struct lexer *lexer = &script->lexer;
  skip_blank(script);
  script->token = (struct token){.kind = TOKEN_END, .line = lexer->line, .text = ""};
  if (script->verdict != VERDICT_PASSED)
    return;
  if (lexer->at == lexer->end) {
    if (lexer->ifdef != 0)
      script_fail(script, VERDICT_UNREADABLE, lexer->ifdef, "syntax", "#ifdef without #endif");
  } else if (begins(lexer, "...")) {
    script->token.kind = TOKEN_ELLIPSIS;
    skip(lexer, 3);
  } else if (begins(lexer, "%{")) {
    take_code(script);
  } else if (*lexer->at == '"') {
    take_quoted(script, TOKEN_STRING, '"');
  } else if (*lexer->at == '`') {
    take_quoted(script, TOKEN_COMMAND, '`');
  } else if (begins(lexer, "--") && is_word(ahead(lexer, 2))) {
    size_t length = span(lexer, 2, is_word);
    take_text(script, TOKEN_OPTION, 2, length, length + 2);
  } else {
    take_word_or_number(script);
  }
}

/* --- What the parser asks --- */

bool token_is(const struct script *script, char character)
{
  return script->token.kind == TOKEN_CHARACTER && script->token.character == character;
}

bool token_is_word(const struct script *script, const char *word)
{
  return script->token.kind == TOKEN_WORD && strcmp(script->token.text, word) == 0;
}

bool accept_token(struct script *script, char character)
{
  if (!token_is(script, character))
    return false;
  next_token(script);
  return true;
}

bool accept_word(struct script *script, const char *word)
{
  if (!token_is_word(script, word))
    return false;
  next_token(script);
  return true;
}

void syntax_error(struct script *script, const char *expected)
{
  const struct token *token = &script->token;
  if (token->kind == TOKEN_END)
    script_fail(script, VERDICT_UNREADABLE, token->line, "syntax", "%s expected, found the end", expected);
  else if (token->kind == TOKEN_CHARACTER)
    script_fail(script, VERDICT_UNREADABLE, token->line, "syntax", "%s expected, found %c", expected, token->character);
  else if (token->kind == TOKEN_ELLIPSIS)
    script_fail(script, VERDICT_UNREADABLE, token->line, "syntax", "%s expected, found ...", expected);
  else
    script_fail(script, VERDICT_UNREADABLE, token->line, "syntax", "%s expected, found %.80s", expected, token->text);
}

void expect_token(struct script *script, char character)
{
  char expected[] = {character, '\0'};
  if (!accept_token(script, character))
    syntax_error(script, expected);
}
