/* Scripts as a whole: options, events and their times. SPDX-License-Identifier: MIT */
#include "script.h"

#include <string.h>

/* --- --name=value --- */

static const char *take_value(struct script *script)
{
  const struct token *token = &script->token;
  const char *value = token->text;
  if (token->kind != TOKEN_INTEGER && token->kind != TOKEN_WORD && token->kind != TOKEN_STRING
      && token->kind != TOKEN_ADDRESS && token->kind != TOKEN_COMMAND && token->kind != TOKEN_FLOAT) {
    syntax_error(script, "a value");
    return "";
  }
  bool quoted = token->kind == TOKEN_STRING || token->kind == TOKEN_COMMAND;
  char quote = token->kind == TOKEN_STRING ? '"' : '`';
  next_token(script);
  if (!quoted)
    return value;
  size_t length = strlen(value);
  char *text = arena_take(&script->arena, length + 3);
  text[0] = text[length + 1] = quote;
  memcpy(text + 1, value, length);
  return text;
}

static const char *unquoted(struct script *script, const char *value)
{
  size_t length = strlen(value);
  return length >= 2 && value[0] == '"' ? arena_text(&script->arena, value + 1, length - 2) : value;
}

/* A definition holds for what follows, so it is not left to the run. */
static void define(struct script *script, uint32_t line, const char *name)
{
  const char *value = accept_token(script, '=') ? take_value(script) : NULL;
  size_t length = strlen(name) + (value != NULL ? strlen(value) : 0) + 2;
  char *text = arena_take(&script->arena, length);
  snprintf(text, length, value != NULL ? "%s=%s" : "%s", name, value);
  if (!script_define(script, text))
    script_fail(script, VERDICT_UNREADABLE, line, "out of range", "more than %d definitions", DEFINES);
}

static struct script_option *parse_option(struct script *script)
{
  struct script_option *option = arena_take(&script->arena, sizeof *option);
  option->line = script->token.line;
  option->name = script->token.text;
  option->value = "";
  next_token(script);
  if (!accept_token(script, '='))
    return option;
  const char *value = take_value(script);
  if (strcmp(option->name, "define") == 0)
    define(script, option->line, value);
  option->value = unquoted(script, value);
  return option;
}

/* --- Times --- */

static uint64_t take_time(struct script *script)
{
  static const int64_t latest = INT64_C(1000000000000000); /* 30 years */
  const struct token *token = &script->token;
  bool whole = token->kind == TOKEN_INTEGER;
  int64_t number = token->integer;
  if (!whole && token->kind != TOKEN_FLOAT)
    syntax_error(script, "a time");
  else if (number < 0)
    script_fail(script, VERDICT_UNREADABLE, token->line, "out of range", "negative time");
  else if (number > (whole ? latest / 1000000 : latest))
    script_fail(script, VERDICT_UNREADABLE, token->line, "out of range", "more than 30 years");
  next_token(script);
  if (script->verdict != VERDICT_PASSED)
    return 0;
  return (uint64_t)(whole ? number * 1000000 : number);
}

static void parse_time(struct script *script, struct script_event *event)
{
  event->line = script->token.line;
  if (accept_token(script, '*')) {
    event->time = TIME_ANY;
    return;
  }
  bool relative = accept_token(script, '+');
  event->line = script->token.line;
  event->from = event->to = take_time(script);
  event->time = relative ? TIME_RELATIVE : TIME_ABSOLUTE;
  if (!accept_token(script, '~'))
    return;
  if (relative)
    expect_token(script, '+');
  event->to = take_time(script);
  event->time = relative ? TIME_RELATIVE_RANGE : TIME_ABSOLUTE_RANGE;
  if (event->to < event->from)
    script_fail(script, VERDICT_UNREADABLE, event->line, "out of range", "the time range is backwards");
}

static void check_time(struct script *script, const struct script_event *event)
{
  bool exact = event->time == TIME_ABSOLUTE || event->time == TIME_RELATIVE;
  bool outbound = event->kind == EVENT_PACKET && event->packet->outbound;
  if (!exact && !outbound)
    script_fail(script, VERDICT_UNREADABLE, event->line, "syntax", "%s is for outbound packets only",
                event->time == TIME_ANY ? "*" : "a range of time");
}

/* --- Calls --- */

/* (Operation now in progress), (flags O_RDWR): for readers. */
static void skip_note(struct script *script)
{
  if (!accept_token(script, '('))
    return;
  while (!token_is(script, ')') && script->token.kind != TOKEN_END)
    next_token(script);
  expect_token(script, ')');
}

static struct call_spec *parse_call(struct script *script)
{
  struct call_spec *call = arena_take(&script->arena, sizeof *call);
  call->blocking = script->token.kind == TOKEN_ELLIPSIS;
  if (call->blocking) {
    next_token(script);
    call->end = take_time(script);
  }
  if (script->token.kind != TOKEN_WORD)
    syntax_error(script, "a packet, a call, a command, or code");
  call->name = script->token.text;
  next_token(script);
  expect_token(script, '(');
  call->arguments = parse_list(script, ')');
  expect_token(script, '=');
  call->result = parse_expression(script);
  if (script->token.kind == TOKEN_WORD) {
    call->error = script->token.text;
    next_token(script);
  }
  skip_note(script);
  return call;
}

/* --- Events --- */

/* The event's text, its lines joined. */
static const char *said(struct script *script, const char *from, const char *to)
{
  while (to > from && (to[-1] == ' ' || to[-1] == '\n' || to[-1] == '\t' || to[-1] == '\r'))
    to--;
  char *text = arena_text(&script->arena, from, (size_t)(to - from));
  for (char *c = text; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f)
      *c = ' ';
  return text;
}

static void parse_action(struct script *script, struct script_event *event)
{
  if (token_is(script, '<') || token_is(script, '>')) {
    event->kind = EVENT_PACKET;
    event->packet = parse_packet(script);
  } else if (script->token.kind == TOKEN_COMMAND || script->token.kind == TOKEN_CODE) {
    event->kind = script->token.kind == TOKEN_COMMAND ? EVENT_COMMAND : EVENT_CODE;
    event->text = script->token.text;
    next_token(script);
  } else {
    event->kind = EVENT_CALL;
    event->call = parse_call(script);
  }
}

/* From its first character on to the end of its line. */
static const char *line_end(const struct script *script, const char *from)
{
  const char *to = from;
  while (to < script->lexer.end && *to != '\n')
    to++;
  return to;
}

static struct script_event *parse_event(struct script *script, const char *from)
{
  struct script_event *event = arena_take(&script->arena, sizeof *event);
  parse_time(script, event);
  if (script->verdict == VERDICT_PASSED)
    parse_action(script, event);
  if (script->verdict == VERDICT_PASSED)
    check_time(script, event);
  event->said = said(script, from, line_end(script, from));
  return event;
}

static bool begins_event(const struct script *script)
{
  return token_is(script, '+') || token_is(script, '*') || script->token.kind == TOKEN_INTEGER
         || script->token.kind == TOKEN_FLOAT;
}

static void parse_all(struct script *script)
{
  struct script_option **option = &script->options;
  struct script_event **event = &script->events;
  next_token(script);
  for (; script->token.kind == TOKEN_OPTION; option = &(*option)->next)
    *option = parse_option(script);
  if (script->token.kind == TOKEN_COMMAND) {
    script->init = script->token.text;
    script->init_line = script->token.line;
    next_token(script);
  }
  while (begins_event(script) && script->verdict == VERDICT_PASSED) {
    size_t length = script->token.kind == TOKEN_CHARACTER ? 1 : strlen(script->token.text);
    *event = parse_event(script, script->lexer.at - length);
    event = &(*event)->next;
  }
  if (script->token.kind == TOKEN_COMMAND) {
    script->cleanup = script->token.text;
    script->cleanup_line = script->token.line;
    next_token(script);
  }
  if (script->token.kind != TOKEN_END)
    syntax_error(script, "an event");
  else if (script->events == NULL)
    script_fail(script, VERDICT_UNREADABLE, script->token.line, "syntax", "no event");
}

void script_parse(struct script *script, const char *text, size_t length)
{
  script->lexer = (struct lexer){text, text + length, 1, 0};
  for (size_t i = 0; i < length; i++) {
    if (text[i] != '\0')
      continue;
    script_fail(script, VERDICT_UNREADABLE, 1, "syntax", "not a text: it holds a zero octet");
    return;
  }
  parse_all(script);
}

void script_free(struct script *script)
{
  arena_free(&script->arena);
}
