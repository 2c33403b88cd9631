/* %{ assert tcpi_state == TCPI_ESTABLISHED }%: assertions on tcp_info, and no other code.
 * SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

/* --- tcp_info --- */

static int64_t info_state(struct run *run, const struct socket *socket)
{
  static const char *const names[] = {"TCPI_CLOSED",      "TCPI_LISTEN",     "TCPI_SYN_SENT",   "TCPI_SYN_RECEIVED",
                                      "TCPI_ESTABLISHED", "TCPI_FIN_WAIT_1", "TCPI_FIN_WAIT_2", "TCPI_CLOSE_WAIT",
                                      "TCPI_CLOSING",     "TCPI_LAST_ACK",   "TCPI_TIME_WAIT"};
  const struct expression name = {.kind = EXPRESSION_WORD, .text = names[socket->tcb.state % 11]};
  int64_t value;
  return number_of(run, &name, &value) ? value : -1;
}

bool info_field(const struct run *run, const struct socket *socket, const char *name, int64_t *value)
{
  const struct vtcp_conn *c = &socket->tcb;
  const struct {
    const char *name;
    int64_t value;
  } fields[] = {
      {"tcpi_options", 0},
      {"tcpi_retransmits", c->retries},
      {"tcpi_rto", c->rto},
      {"tcpi_snd_mss", c->snd_mss},
      {"tcpi_rtt", c->srtt},
      {"tcpi_rttvar", c->rttvar},
      {"tcpi_snd_wnd", c->snd_wnd},
      {"tcpi_snd_wscale", 0},
      {"tcpi_rcv_wscale", 0},
      {"tcpi_advmss", c->cfg.rcv_mss},
      {"tcpi_snd_nxt", (uint32_t)(c->snd_nxt - c->iss)},
      {"tcpi_rcv_nxt", (uint32_t)(c->rcv_nxt - c->irs)},
      {"tcpi_unread", c->rcv_len},
      {"tcpi_notsent_bytes", (int64_t)socket->out.length - (uint32_t)(c->snd_nxt - c->snd_una)},
      {"tcpi_bytes_received", (int64_t)(socket->taken + socket->readable)},
  };
  (void)run;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    if (strcmp(fields[i].name, name) == 0) {
      *value = fields[i].value;
      return true;
    }
  return false;
}

/* --- Expressions, as Python writes them --- */

struct code {
  struct run *run;
  const struct socket *socket;
  const char *at;
  uint32_t line;
  unsigned depth;
  int64_t left, right; /* of the comparison that does not hold */
};

static int64_t disjunction(struct code *code);

static void blank(struct code *code)
{
  while (*code->at == ' ' || *code->at == '\t' || *code->at == '\r' || (*code->at == '\\' && code->at[1] == '\n'))
    code->at += *code->at == '\\' ? 2 : 1;
}

static bool is_word_character(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool accept_text(struct code *code, const char *text)
{
  size_t length = strlen(text);
  blank(code);
  if (strncmp(code->at, text, length) != 0)
    return false;
  if (is_word_character(text[0]) && is_word_character(code->at[length]))
    return false;
  code->at += length;
  return true;
}

static void not_understood(struct code *code)
{
  char near[24];
  snprintf(near, sizeof near, "%s", code->at);
  unsupported(code->run, code->line, "code", "only assertions on tcp_info are understood, not: %s", near);
  code->at += strlen(code->at);
}

static int64_t name_value(struct code *code, const char *name)
{
  int64_t value = 0;
  const struct expression word = {.kind = EXPRESSION_WORD, .text = name, .line = code->line};
  if (strncmp(name, "tcpi_", 5) != 0) {
    number_of(code->run, &word, &value);
  } else if (code->socket == NULL) {
    unsupported(code->run, code->line, "code", "there is no socket that %s could be of", name);
  } else if (strcmp(name, "tcpi_state") == 0) {
    value = info_state(code->run, code->socket);
  } else if (!info_field(code->run, code->socket, name, &value)) {
    unsupported(code->run, code->line, "tcp_info", "%s is not known here", name);
  }
  return value;
}

static int64_t number(struct code *code)
{
  uint64_t value = 0;
  unsigned base = code->at[0] == '0' && (code->at[1] | 32) == 'x' ? 16 : 10;
  code->at += base == 16 ? 2 : 0;
  for (;; code->at++) {
    unsigned c = (unsigned char)*code->at, digit = c <= '9' ? c - '0' : (c | 32u) - 'a' + 10;
    if (!is_word_character(*code->at) || digit >= base || value > INT64_MAX / 32)
      break;
    value = value * base + digit;
  }
  if (is_word_character(*code->at) || *code->at == '.')
    not_understood(code);
  return (int64_t)value;
}

static int64_t operand(struct code *code)
{
  char name[64];
  size_t length = 0;
  if (code->depth > 32) {
    not_understood(code);
    return 0;
  }
  if (accept_text(code, "(")) {
    code->depth++;
    int64_t value = disjunction(code);
    code->depth--;
    if (!accept_text(code, ")"))
      not_understood(code);
    return value;
  }
  if (accept_text(code, "-")) {
    code->depth++;
    int64_t value = operand(code);
    code->depth--;
    return value == INT64_MIN ? 0 : -value;
  }
  blank(code);
  if (*code->at >= '0' && *code->at <= '9')
    return number(code);
  while (is_word_character(code->at[length]) && length + 1 < sizeof name)
    length++;
  if (length == 0 || length + 1 >= sizeof name) {
    not_understood(code);
    return 0;
  }
  memcpy(name, code->at, length);
  name[length] = '\0';
  code->at += length;
  return name_value(code, name);
}

/* Numbers are small: what does not fit wraps, as in no assertion that means anything. */
static int64_t product(struct code *code)
{
  int64_t value = operand(code);
  for (;;) {
    bool divides = false, remains = false;
    if (accept_text(code, "//") || accept_text(code, "/"))
      divides = true;
    else if (accept_text(code, "%"))
      remains = true;
    else if (!accept_text(code, "*"))
      return value;
    int64_t right = operand(code);
    if (!divides && !remains) {
      value = (int64_t)((uint64_t)value * (uint64_t)right);
    } else if (right == 0 || value < 0 || right < 0) {
      not_understood(code);
      return 0;
    } else {
      value = divides ? value / right : value % right;
    }
  }
}

static int64_t sum(struct code *code)
{
  int64_t value = product(code);
  for (;;) {
    if (accept_text(code, "+"))
      value = (int64_t)((uint64_t)value + (uint64_t)product(code));
    else if (accept_text(code, "-"))
      value = (int64_t)((uint64_t)value - (uint64_t)product(code));
    else if (accept_text(code, "&"))
      value &= product(code);
    else if (accept_text(code, "|"))
      value |= product(code);
    else
      return value;
  }
}

static bool compares(struct code *code, int64_t left, bool *holds, int64_t *right)
{
  static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
  for (int i = 0; i < 6; i++) {
    if (!accept_text(code, signs[i]))
      continue;
    *right = sum(code);
    const bool results[] = {left == *right, left != *right, left <= *right, left >= *right, left<*right, left> * right};
    *holds = results[i];
    return true;
  }
  return false;
}

/* a == b == c holds if both comparisons do. */
static int64_t comparison(struct code *code)
{
  int64_t left = sum(code), right;
  bool holds, all = true, any = false;
  while (compares(code, left, &holds, &right)) {
    if (!holds) {
      code->left = left;
      code->right = right;
    }
    all = all && holds;
    any = true;
    left = right;
  }
  return any ? all : left;
}

static int64_t negation(struct code *code)
{
  if (code->depth > 32 || !accept_text(code, "not"))
    return comparison(code);
  code->depth++;
  int64_t value = !negation(code);
  code->depth--;
  return value;
}

static int64_t conjunction(struct code *code)
{
  int64_t value = negation(code);
  while (accept_text(code, "and")) {
    int64_t right = negation(code);
    value = value != 0 && right != 0;
  }
  return value;
}

static int64_t disjunction(struct code *code)
{
  int64_t value = conjunction(code);
  while (accept_text(code, "or")) {
    int64_t right = conjunction(code);
    value = value != 0 || right != 0;
  }
  return value;
}

/* --- Statements --- */

static void assertion(struct code *code)
{
  const char *from = code->at;
  char text[96], left[32], right[32];
  code->left = code->right = 0;
  bool holds = disjunction(code) != 0;
  snprintf(text, sizeof text, "%.*s", (int)(code->at - from < 90 ? code->at - from : 90), from);
  if (accept_text(code, ","))
    while (*code->at != '\0' && *code->at != '\n' && *code->at != ';')
      code->at++;
  if (holds || !going(code->run))
    return;
  snprintf(left, sizeof left, "%lld", (long long)code->left);
  snprintf(right, sizeof right, "%lld", (long long)code->right);
  add_row(code->run, "tcp_info", true, right, left);
  failed(code->run, code->line, "tcp_info", "the assertion%s does not hold", text);
}

void code_block(struct run *run, uint32_t line, const char *text)
{
  struct code code = {.run = run, .socket = run->tested, .at = text, .line = line};
  while (going(run)) {
    blank(&code);
    if (*code.at == '\n' || *code.at == ';') {
      code.line += *code.at++ == '\n';
    } else if (*code.at == '#') {
      while (*code.at != '\0' && *code.at != '\n')
        code.at++;
    } else if (*code.at == '\0') {
      return;
    } else if (accept_text(&code, "assert")) {
      assertion(&code);
    } else {
      not_understood(&code);
    }
  }
}
