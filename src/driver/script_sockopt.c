/* Socket options, as a table: each becomes a setting, a flag of the socket, or a fixed answer.
 * SPDX-License-Identifier: MIT */
#include "script_calls.h"

#include <string.h>

enum option_kind {
  OPTION_SETTING, /* `name` times `unit`; only before there is a connection */
  OPTION_FLAG,    /* a bool of struct socket */
  OPTION_FIXED,   /* this value and no other */
  OPTION_BUFFER,  /* a setting that stacks round or double */
  OPTION_ERROR,
  OPTION_LINGER,
  OPTION_TOS,
  OPTION_TTL,
  OPTION_MSS,
  OPTION_NODELAY,
  OPTION_LISTENS
};

struct option_row {
  const char *level, *name;
  enum option_kind kind;
  const char *setting;
  uint32_t unit; /* of the script's value in the setting's; or the fixed value */
  size_t flag;
};

#define FLAG(name) offsetof(struct socket, name)

static const struct option_row rows[] = {
    {"SOL_SOCKET", "SO_REUSEADDR", OPTION_FLAG, NULL, 0, FLAG(reuse)},
    {"SOL_SOCKET", "SO_REUSEPORT", OPTION_FLAG, NULL, 0, FLAG(reuse)},
    {"SOL_SOCKET", "SO_RCVBUF", OPTION_BUFFER, "rcvbuf", 1, 0},
    {"SOL_SOCKET", "SO_SNDBUF", OPTION_BUFFER, "sndbuf", 1, 0},
    {"SOL_SOCKET", "SO_ERROR", OPTION_ERROR, NULL, 0, 0},
    {"SOL_SOCKET", "SO_LINGER", OPTION_LINGER, NULL, 0, 0},
    {"SOL_SOCKET", "SO_KEEPALIVE", OPTION_SETTING, "keep_alive", 1, 0},
    {"IPPROTO_TCP", "TCP_KEEPIDLE", OPTION_SETTING, "keep_alive_ms", 1000, 0},
    {"IPPROTO_TCP", "TCP_KEEPALIVE", OPTION_SETTING, "keep_alive_ms", 1000, 0},
    {"IPPROTO_TCP", "TCP_KEEPINTVL", OPTION_SETTING, "keep_alive_probe_ms", 1000, 0},
    {"IPPROTO_TCP", "TCP_KEEPCNT", OPTION_SETTING, "keep_alive_probes", 1, 0},
    {"SOL_SOCKET", "SO_TYPE", OPTION_FIXED, NULL, 1, 0},
    {"SOL_SOCKET", "SO_PROTOCOL", OPTION_FIXED, NULL, 6, 0},
    {"SOL_SOCKET", "SO_OOBINLINE", OPTION_FIXED, NULL, 0, 0},
    {"SOL_SOCKET", "SO_ACCEPTCONN", OPTION_LISTENS, NULL, 0, 0},
    {"SOL_SOCKET", "SO_NOSIGPIPE", OPTION_FIXED, NULL, 1, 0},
    {"IPPROTO_IP", "IP_TOS", OPTION_TOS, NULL, 0, 0},
    {"IPPROTO_IP", "IP_TTL", OPTION_TTL, NULL, 0, 0},
    {"IPPROTO_IPV6", "IPV6_UNICAST_HOPS", OPTION_TTL, NULL, 0, 0},
    {"IPPROTO_IPV6", "IPV6_TCLASS", OPTION_TOS, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_NODELAY", OPTION_NODELAY, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_QUICKACK", OPTION_FIXED, NULL, 1, 0}, /* acknowledgments are never delayed */
    {"IPPROTO_TCP", "TCP_NOPUSH", OPTION_FIXED, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_CORK", OPTION_FIXED, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_NOOPT", OPTION_FIXED, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_MAXSEG", OPTION_MSS, NULL, 0, 0},
    {"IPPROTO_TCP", "TCP_USER_TIMEOUT", OPTION_SETTING, "user_timeout", 1, 0},
    {"IPPROTO_TCP", "TCP_KEEPINIT", OPTION_SETTING, "keepinit", 1000, 0},
};

enum { ROWS_OF_OPTIONS = sizeof rows / sizeof *rows };

static bool is_name(const struct expression *expression, const char *name)
{
  return expression != NULL && expression->kind == EXPRESSION_WORD && strcmp(expression->text, name) == 0;
}

static bool is_level(const struct expression *level, const char *name)
{
  static const char *const same[][2] = {
      {"SOL_TCP", "IPPROTO_TCP"}, {"SOL_IP", "IPPROTO_IP"}, {"SOL_IPV6", "IPPROTO_IPV6"}};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    if (is_name(level, same[i][0]) && strcmp(name, same[i][1]) == 0)
      return true;
  return is_name(level, name);
}

static const struct option_row *find_row(struct run *run, const struct call *call)
{
  const struct expression *level = argument(call, 1), *name = argument(call, 2);
  char text[80];
  for (int i = 0; i < ROWS_OF_OPTIONS; i++)
    if (is_level(level, rows[i].level) && is_name(name, rows[i].name))
      return &rows[i];
  unsupported(run, call->event->line, "socket options", "socket option %s",
              name == NULL ? "" : expression_text(name, text, sizeof text));
  return NULL;
}

static const struct expression *value_of(const struct expression *told)
{
  return told != NULL && told->kind == EXPRESSION_LIST ? told->first : told;
}

/* --- setsockopt --- */

static void set_linger(struct run *run, struct socket *socket, const struct expression *value)
{
  int64_t on, seconds;
  if (!number_of(run, member(value, "onoff"), &on) || !number_of(run, member(value, "linger"), &seconds))
    return;
  socket->linger = on != 0;
  socket->linger_seconds = seconds < 0 ? 0 : seconds > 65535 ? 65535 : (uint32_t)seconds;
}

static void put_setting(struct run *run, struct socket *socket, struct call *call, const struct option_row *row,
                        int64_t value)
{
  bool doubled = row->kind == OPTION_BUFFER && setting(&socket->settings, "buffers_doubled") == 1;
  uint64_t number = (uint64_t)value * row->unit * (doubled ? 2 : 1);
  if (value < 0 || value > UINT32_MAX) {
    call->value = -1;
    call->error = "EINVAL";
  } else if (has_connection(socket) && number != setting(&socket->settings, row->setting)) {
    unsupported(run, call->event->line, "socket options",
                "%s on a connection: it is fixed when the connection is opened", row->name);
  } else if (!settings_put(&socket->settings, row->setting, number)) {
    unsupported(run, call->event->line, "socket options", "%s: %lld is out of this endpoint's range", row->name,
                (long long)value);
  }
}

static void set_mss(struct run *run, struct socket *socket, struct call *call, int64_t value)
{
  uint32_t header = setting(&socket->settings, "mms_s") - setting(&socket->settings, "rcv_mss");
  if (has_connection(socket)) {
    unsupported(run, call->event->line, "socket options", "TCP_MAXSEG on a connection");
    return;
  }
  if (value < 1 || value > setting(&socket->settings, "rcv_mss"))
    return; /* more than the interface takes changes nothing */
  settings_put(&socket->settings, "rcv_mss", (uint64_t)value);
  settings_put(&socket->settings, "mms_s", (uint64_t)value + header);
}

/* At any time: what has waited leaves (MUST-17). */
static void set_nodelay(struct run *run, struct socket *socket, bool on)
{
  settings_put(&socket->settings, "nagle", !on);
  vtcp_set_nagle(&socket->tcb, !on);
  if (has_connection(socket))
    world_step(run, socket, (struct vtcp_event){.type = VTCP_MORE, .now = run->now}, NULL);
}

static void set_number(struct run *run, struct socket *socket, struct call *call, const struct option_row *row,
                       int64_t value)
{
  switch (row->kind) {
  case OPTION_FLAG: *(bool *)((char *)socket + row->flag) = value != 0; break;
  case OPTION_FIXED:
    if (value != (int64_t)row->unit)
      unsupported(run, call->event->line, "socket options", "%s: only %u here, not %lld", row->name, row->unit,
                  (long long)value);
    break;
  case OPTION_SETTING:
  case OPTION_BUFFER: put_setting(run, socket, call, row, value); break;
  case OPTION_TOS: socket->tos = (uint8_t)value; break;
  case OPTION_TTL: socket->ttl = (uint8_t)(value < 1 || value > 255 ? 0 : value); break;
  case OPTION_MSS: set_mss(run, socket, call, value); break;
  case OPTION_NODELAY: set_nodelay(run, socket, value != 0); break;
  case OPTION_ERROR:
  case OPTION_LISTENS:
    call->value = -1;
    call->error = "ENOPROTOOPT";
    break;
  case OPTION_LINGER: break;
  }
}

bool call_setsockopt(struct run *run, struct call *call)
{
  int64_t value;
  struct socket *socket = socket_argument(run, call);
  const struct option_row *row = socket != NULL && returns(call, 0) ? find_row(run, call) : NULL;
  if (row == NULL)
    return true;
  if (row->kind == OPTION_LINGER)
    set_linger(run, socket, value_of(argument(call, 3)));
  else if (number_of(run, value_of(argument(call, 3)), &value))
    set_number(run, socket, call, row, value);
  return true;
}

/* --- getsockopt --- */

static int64_t get_number(const struct socket *socket, const struct option_row *row)
{
  switch (row->kind) {
  case OPTION_FLAG: return *(const bool *)((const char *)socket + row->flag);
  case OPTION_FIXED: return row->unit;
  case OPTION_SETTING: return setting(&socket->settings, row->setting) / row->unit;
  case OPTION_BUFFER:
    if (strcmp(row->setting, "rcvbuf") == 0 && (socket->ready || socket->tcb.state >= VTCP_SYN_RECEIVED))
      return whole_buffer(&socket->settings, socket->tcb.snd_mss);
    return setting(&socket->settings, row->setting);
  case OPTION_TOS: return socket->tos;
  case OPTION_TTL: return socket->ttl != 0 ? socket->ttl : setting(&socket->settings, "ttl");
  case OPTION_MSS: return has_connection(socket) ? socket->tcb.snd_mss : setting(&socket->settings, "rcv_mss");
  case OPTION_NODELAY: return !socket->tcb.cfg.nagle;
  case OPTION_LISTENS: return socket->listening;
  case OPTION_ERROR:
  case OPTION_LINGER: break;
  }
  return 0;
}

static void differs(struct run *run, const char *name, const char *expected, const char *actual)
{
  add_row(run, name, true, expected, actual);
  failed(run, run->event->line, "call", "%s is %s, not %s", name, actual, expected);
}

static void check_error(struct run *run, struct socket *socket, const struct expression *told)
{
  const char *error = socket->error;
  char text[48];
  socket->error = NULL;
  if (told == NULL || told->kind == EXPRESSION_ANY)
    return;
  bool none = told->kind == EXPRESSION_INTEGER && told->integer == 0;
  if (!none && (told->kind != EXPRESSION_WORD || !is_error(told->text))) {
    unsupported(run, run->event->line, "names", "SO_ERROR is compared with 0 or the name of an error");
    return;
  }
  if (none ? error != NULL : error == NULL || !same_error(error, told->text))
    differs(run, "SO_ERROR", expression_text(told, text, sizeof text), error != NULL ? error : "0");
}

static void check_number(struct run *run, const char *name, const struct expression *told, int64_t actual)
{
  char expected[32], found[32];
  int64_t number;
  if (told == NULL || told->kind == EXPRESSION_ANY || !number_of(run, told, &number) || number == actual)
    return;
  snprintf(expected, sizeof expected, "%lld", (long long)number);
  snprintf(found, sizeof found, "%lld", (long long)actual);
  differs(run, name, expected, found);
}

bool call_getsockopt(struct run *run, struct call *call)
{
  struct socket *socket = socket_argument(run, call);
  const struct option_row *row = socket != NULL && returns(call, 0) ? find_row(run, call) : NULL;
  const struct expression *told = value_of(argument(call, 3));
  if (row == NULL)
    return true;
  check_number(run, "the option's length", value_of(argument(call, 4)), row->kind == OPTION_LINGER ? 8 : 4);
  if (row->kind == OPTION_ERROR) {
    check_error(run, socket, told);
  } else if (row->kind == OPTION_LINGER) {
    check_number(run, "SO_LINGER onoff", member(told, "onoff"), socket->linger);
    check_number(run, "SO_LINGER linger", member(told, "linger"), socket->linger_seconds);
  } else {
    check_number(run, row->name, told, get_number(socket, row));
  }
  return true;
}
