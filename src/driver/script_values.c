/* Numbers, names and errors in scripts. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <stdarg.h>
#include <string.h>

bool going(const struct run *run)
{
  return run->script->verdict == VERDICT_PASSED;
}

void unsupported(struct run *run, uint32_t line, const char *reason, const char *format, ...)
{
  char text[MESSAGE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  script_fail(run->script, VERDICT_UNSUPPORTED, line, reason, "%s", text);
}

void failed(struct run *run, uint32_t line, const char *reason, const char *format, ...)
{
  char text[MESSAGE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  script_fail(run->script, VERDICT_FAILED, line, reason, "%s", text);
}

/* What a script asks for and does not get may do no harm: only if the script then fails, this is why. */
void reserve(struct run *run, uint32_t line, const char *format, ...)
{
  char text[MESSAGE];
  va_list arguments;
  if (run->reservation != NULL)
    return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  run->reservation = arena_text(&run->script->arena, text, strlen(text));
  run->reservation_line = line;
}

/* --- Symbols --- */

struct symbol {
  const char *name;
  int64_t values[STACKS]; /* rfc, freebsd, linux */
};

#define SAME(name, value) \
  {                       \
    name,                 \
    {                     \
      value, value, value \
    }                     \
  }

static const struct symbol symbols[] = {
    SAME("AF_INET", 2),
    {"AF_INET6", {10, 28, 10}},
    {"PF_INET6", {10, 28, 10}},
    SAME("PF_INET", 2),
    SAME("SOCK_STREAM", 1),
    SAME("SOCK_DGRAM", 2),
    SAME("SOCK_RAW", 3),
    {"SOCK_SEQPACKET", {5, 5, 5}},
    {"SOCK_NONBLOCK", {0x800, 0x20000000, 0x800}},
    {"SOCK_CLOEXEC", {0x80000, 0x10000000, 0x80000}},
    SAME("IPPROTO_IP", 0),
    SAME("IPPROTO_ICMP", 1),
    SAME("IPPROTO_TCP", 6),
    SAME("IPPROTO_UDP", 17),
    SAME("IPPROTO_IPV6", 41),
    SAME("IPPROTO_SCTP", 132),
    SAME("IPPROTO_MPTCP", 262),
    SAME("IPPROTO_UDPLITE", 136),
    SAME("O_RDONLY", 0),
    SAME("O_WRONLY", 1),
    SAME("O_RDWR", 2),
    {"O_NONBLOCK", {0x800, 4, 0x800}},
    {"F_GETFL", {3, 3, 3}},
    SAME("F_SETFL", 4),
    SAME("F_GETFD", 1),
    SAME("F_SETFD", 2),
    SAME("FD_CLOEXEC", 1),
    SAME("SHUT_RD", 0),
    SAME("SHUT_WR", 1),
    SAME("SHUT_RDWR", 2),
    SAME("MSG_OOB", 1),
    SAME("MSG_PEEK", 2),
    {"MSG_TRUNC", {0x20, 0x10, 0x20}},
    {"MSG_DONTWAIT", {0x40, 0x80, 0x40}},
    {"MSG_WAITALL", {0x100, 0x40, 0x100}},
    {"MSG_EOR", {0x80, 8, 0x80}},
    {"MSG_NOSIGNAL", {0x4000, 0x20000, 0x4000}},
    {"MSG_MORE", {0x8000, 0x8000, 0x8000}},
    {"MSG_ZEROCOPY", {0x4000000, 0x4000000, 0x4000000}},
    {"MSG_FASTOPEN", {0x20000000, 0x20000000, 0x20000000}},
    {"MSG_ERRQUEUE", {0x2000, 0x2000, 0x2000}},
    {"MSG_EOF", {0x200, 0x100, 0x200}},
    SAME("IPTOS_LOWDELAY", 0x10),
    SAME("IPTOS_THROUGHPUT", 8),
    SAME("IPTOS_RELIABILITY", 4),
    SAME("IPTOS_DSCP_CS0", 0),
    SAME("IPTOS_DSCP_CS1", 0x20),
    SAME("IPTOS_DSCP_CS2", 0x40),
    SAME("IPTOS_DSCP_CS3", 0x60),
    SAME("IPTOS_DSCP_CS4", 0x80),
    SAME("IPTOS_DSCP_CS5", 0xa0),
    SAME("IPTOS_DSCP_CS6", 0xc0),
    SAME("IPTOS_DSCP_CS7", 0xe0),
    SAME("IPTOS_DSCP_EF", 0xb8),
    SAME("POLLIN", 1),
    SAME("POLLPRI", 2),
    SAME("POLLOUT", 4),
    SAME("POLLERR", 8),
    SAME("POLLHUP", 16),
    SAME("POLLNVAL", 32),
    SAME("POLLRDNORM", 64),
    {"POLLRDHUP", {0x2000, 0x4000, 0x2000}},
    {"POLLWRNORM", {0x100, 4, 0x100}},
    SAME("NULL", 0),
    SAME("TCPI_OPT_TIMESTAMPS", 1),
    SAME("TCPI_OPT_SACK", 2),
    SAME("TCPI_OPT_WSCALE", 4),
    SAME("TCPI_OPT_ECN", 8),
    {"TCPI_CLOSED", {0, 0, 7}},
    {"TCPI_LISTEN", {1, 1, 10}},
    {"TCPI_SYN_SENT", {2, 2, 2}},
    {"TCPI_SYN_RECEIVED", {3, 3, 3}},
    {"TCPI_ESTABLISHED", {4, 4, 1}},
    {"TCPI_CLOSE_WAIT", {5, 5, 8}},
    {"TCPI_FIN_WAIT_1", {6, 6, 4}},
    {"TCPI_CLOSING", {7, 7, 11}},
    {"TCPI_LAST_ACK", {8, 8, 9}},
    {"TCPI_FIN_WAIT_2", {9, 9, 5}},
    {"TCPI_TIME_WAIT", {10, 10, 6}},
    {"TCP_ESTABLISHED", {4, 4, 1}},
    {"TCP_SYN_SENT", {2, 2, 2}},
    {"TCP_SYN_RECV", {3, 3, 3}},
    {"TCP_FIN_WAIT1", {6, 6, 4}},
    {"TCP_FIN_WAIT2", {9, 9, 5}},
    {"TCP_TIME_WAIT", {10, 10, 6}},
    {"TCP_CLOSE", {0, 0, 7}},
    {"TCP_CLOSE_WAIT", {5, 5, 8}},
    {"TCP_LAST_ACK", {8, 8, 9}},
    {"TCP_LISTEN", {1, 1, 10}},
    {"TCP_CLOSING", {7, 7, 11}},
    SAME("TCP_CA_Open", 0),
    SAME("TCP_CA_Disorder", 1),
    SAME("TCP_CA_CWR", 2),
    SAME("TCP_CA_Recovery", 3),
    SAME("TCP_CA_Loss", 4),
};

static bool symbol_value(const struct run *run, const char *name, int64_t *value)
{
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    if (strcmp(symbols[i].name, name) != 0)
      continue;
    *value = symbols[i].values[setting(&run->settings, "stack")];
    return true;
  }
  return false;
}

/* False, and the script unsupported, if it is no number that is known. */
bool number_of(struct run *run, const struct expression *expression, int64_t *number)
{
  char text[80];
  *number = 0;
  if (expression == NULL) {
    unsupported(run, run->event->line, "arguments", "an argument is missing");
    return false;
  }
  if (expression->kind == EXPRESSION_INTEGER) {
    *number = expression->integer;
    return true;
  }
  if (expression->kind == EXPRESSION_WORD && symbol_value(run, expression->text, number))
    return true;
  if (expression->kind == EXPRESSION_OR) {
    for (const struct expression *e = expression->first; e != NULL; e = e->next) {
      int64_t part;
      if (!number_of(run, e, &part))
        return false;
      *number |= part;
    }
    return true;
  }
  unsupported(run, expression->line, "names", "%s is not known here", expression_text(expression, text, sizeof text));
  return false;
}

const struct expression *argument(const struct call *call, uint32_t index)
{
  const struct expression *e = call->spec->arguments->first;
  while (e != NULL && index-- > 0)
    e = e->next;
  return e;
}

bool number_argument(struct run *run, const struct call *call, uint32_t index, int64_t *number)
{
  return number_of(run, argument(call, index), number);
}

/* --- Errors --- */

static const char *const errors[] = {
    "EAGAIN",       "EWOULDBLOCK", "EINPROGRESS",     "EALREADY",     "EISCONN",    "ENOTCONN",     "ECONNREFUSED",
    "ECONNRESET",   "ETIMEDOUT",   "EPIPE",           "EBADF",        "EINVAL",     "EADDRINUSE",   "EHOSTUNREACH",
    "ENETUNREACH",  "ENOTSOCK",    "EOPNOTSUPP",      "ENOPROTOOPT",  "EMSGSIZE",   "ECONNABORTED", "EFAULT",
    "EDESTADDRREQ", "EPERM",       "EPROTONOSUPPORT", "EAFNOSUPPORT", "EINTR",      "ENOBUFS",      "EACCES",
    "ESHUTDOWN",    "EPROTO",      "EADDRNOTAVAIL",   "ENOMEM",       "EPROTOTYPE", "ENOTSUP",      "ENETDOWN"};

bool is_error(const char *name)
{
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (strcmp(errors[i], name) == 0)
      return true;
  return false;
}

static const char *canonical(const char *error)
{
  if (strcmp(error, "EWOULDBLOCK") == 0)
    return "EAGAIN";
  return strcmp(error, "ENOTSUP") == 0 ? "EOPNOTSUPP" : error;
}

bool same_error(const char *a, const char *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return strcmp(canonical(a), canonical(b)) == 0;
}

/* --- For people --- */

static void add(char *out, size_t room, const char *text)
{
  size_t used = strlen(out);
  snprintf(out + used, room - used, "%s", text);
}

const char *expression_text(const struct expression *expression, char *out, size_t room)
{
  char inner[64];
  const char *between = expression->kind == EXPRESSION_OR ? " | " : ", ";
  out[0] = '\0';
  switch (expression->kind) {
  case EXPRESSION_ANY: add(out, room, "..."); break;
  case EXPRESSION_INTEGER: snprintf(out, room, "%lld", (long long)expression->integer); break;
  case EXPRESSION_WORD: add(out, room, expression->text); break;
  case EXPRESSION_STRING: snprintf(out, room, "\"%s\"", expression->text); break;
  case EXPRESSION_OR:
  case EXPRESSION_LIST:
  case EXPRESSION_RECORD:
    add(out, room, expression->kind == EXPRESSION_LIST ? "[" : expression->kind == EXPRESSION_RECORD ? "{" : "");
    for (const struct expression *e = expression->first; e != NULL; e = e->next) {
      add(out, room, e->name != NULL ? e->name : "");
      add(out, room, e->name != NULL ? "=" : "");
      add(out, room, expression_text(e, inner, sizeof inner));
      add(out, room, e->next != NULL ? between : "");
    }
    add(out, room, expression->kind == EXPRESSION_LIST ? "]" : expression->kind == EXPRESSION_RECORD ? "}" : "");
    break;
  }
  return out;
}
