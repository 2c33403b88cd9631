/* Arguments and results of calls in scripts. Records are read whatever their members are called: what they mean is for the
 * call that takes them. SPDX-License-Identifier: MIT */
#include "script.h"

#include <string.h>

enum { DEEPEST = 32 };

static struct expression *parse_at(struct script *script, unsigned depth);

static struct expression *new_expression(struct script *script, enum expression_kind kind)
{
  struct expression *expression = arena_take(&script->arena, sizeof *expression);
  expression->kind = kind;
  expression->line = script->token.line;
  return expression;
}

/* A record's member: `name = value`, `name(count) = value`, or a value alone. */
static struct expression *parse_member(struct script *script, unsigned depth)
{
  struct expression *value = parse_at(script, depth);
  if (value->kind != EXPRESSION_WORD || !accept_token(script, '='))
    return value;
  const char *name = value->text;
  value = parse_at(script, depth);
  value->name = name;
  return value;
}

static struct expression *parse_members(struct script *script, enum expression_kind kind, char close, unsigned depth)
{
  struct expression *list = new_expression(script, kind), **last = &list->first;
  if (accept_token(script, close))
    return list;
  do {
    *last = parse_member(script, depth + 1);
    last = &(*last)->next;
  } while (accept_token(script, ','));
  expect_token(script, close);
  return list;
}

struct expression *parse_list(struct script *script, char close)
{
  return parse_members(script, EXPRESSION_LIST, close, 0);
}

/* htons(8080), inet_addr("192.0.2.1"), msg_iov(1): the argument of the last is only a count. */
static struct expression *parse_word(struct script *script, unsigned depth)
{
  static const char *const functions[] = {"htons", "htonl", "inet_addr", "inet6_addr"};
  struct expression *word = new_expression(script, EXPRESSION_WORD);
  word->text = script->token.text;
  next_token(script);
  if (!accept_token(script, '('))
    return word;
  struct expression *arguments = parse_members(script, EXPRESSION_LIST, ')', depth);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strcmp(word->text, functions[i]) == 0 && arguments->first != NULL)
      return arguments->first;
  return word;
}

static struct expression *parse_string(struct script *script)
{
  struct expression *string = new_expression(script, EXPRESSION_STRING);
  string->text = script->token.text;
  next_token(script);
  while (script->token.kind == TOKEN_STRING) {
    size_t first = strlen(string->text), second = strlen(script->token.text);
    char *both = arena_take(&script->arena, first + second + 1);
    memcpy(both, string->text, first);
    memcpy(both + first, script->token.text, second);
    string->text = both;
    next_token(script);
  }
  string->rest = script->token.kind == TOKEN_ELLIPSIS;
  if (string->rest)
    next_token(script);
  return string;
}

static struct expression *parse_operand(struct script *script, unsigned depth)
{
  struct expression *expression = new_expression(script, EXPRESSION_ANY);
  if (depth > DEEPEST)
    syntax_error(script, "an expression of less depth");
  switch (script->token.kind) {
  case TOKEN_ELLIPSIS: next_token(script); return expression;
  case TOKEN_INTEGER:
    expression->kind = EXPRESSION_INTEGER;
    expression->integer = script->token.integer;
    next_token(script);
    return expression;
  case TOKEN_WORD: return parse_word(script, depth);
  case TOKEN_STRING: return parse_string(script);
  case TOKEN_CHARACTER:
    if (accept_token(script, '['))
      return parse_members(script, EXPRESSION_LIST, ']', depth);
    if (accept_token(script, '{'))
      return parse_members(script, EXPRESSION_RECORD, '}', depth);
    break;
  case TOKEN_FLOAT:
  case TOKEN_COMMAND:
  case TOKEN_CODE:
  case TOKEN_OPTION:
  case TOKEN_ADDRESS:
  case TOKEN_END: break;
  }
  syntax_error(script, "an expression");
  return expression;
}

static struct expression *parse_at(struct script *script, unsigned depth)
{
  struct expression *left = parse_operand(script, depth);
  if (!token_is(script, '|'))
    return left;
  struct expression *either = new_expression(script, EXPRESSION_OR), **last = &left->next;
  either->first = left;
  while (accept_token(script, '|')) {
    *last = parse_operand(script, depth);
    last = &(*last)->next;
  }
  return either;
}

struct expression *parse_expression(struct script *script)
{
  return parse_at(script, 0);
}

const struct expression *member(const struct expression *record, const char *name)
{
  if (record == NULL || record->kind != EXPRESSION_RECORD)
    return NULL;
  for (const struct expression *m = record->first; m != NULL; m = m->next)
    if (m->name != NULL && strcmp(m->name, name) == 0)
      return m;
  return NULL;
}

uint32_t members(const struct expression *list)
{
  uint32_t count = 0;
  for (const struct expression *m = list->first; m != NULL; m = m->next)
    count++;
  return count;
}
