/* The table of calls, what their results are compared with, and fcntl, ioctl and poll. SPDX-License-Identifier: MIT */
#include "script_calls.h"

#include <string.h>

/* --- How a call ends --- */

bool returns(struct call *call, int64_t value)
{
  call->value = value;
  call->error = NULL;
  return true;
}

bool fails(struct call *call, const char *error)
{
  call->value = -1;
  call->error = error;
  return true;
}

/* Would block: at once an error if the socket does not block. */
bool blocks(struct call *call, bool nonblocking, const char *error)
{
  return nonblocking ? fails(call, error) : false;
}

/* The socket that the first argument names; if there is none, the call has failed. */
struct socket *socket_argument(struct run *run, struct call *call)
{
  int64_t fd;
  if (call->begun)
    return call->socket;
  if (!number_argument(run, call, 0, &fd))
    return NULL;
  call->socket = socket_of(run, fd);
  if (call->socket == NULL)
    fails(call, "EBADF");
  return call->socket;
}

bool untold(struct run *run, const struct call *call, uint32_t index)
{
  const struct expression *e = argument(call, index);
  char text[80];
  if (e == NULL || e->kind == EXPRESSION_ANY || (e->kind == EXPRESSION_WORD && strcmp(e->text, "NULL") == 0))
    return true;
  unsupported(run, call->event->line, "arguments", "%s(): argument %u is not looked at: %s", call->spec->name,
              index + 1, expression_text(e, text, sizeof text));
  return false;
}

/* SO_ERROR is told once. */
const char *pending_error(struct socket *socket)
{
  const char *error = socket->error;
  socket->error = NULL;
  return error;
}

/* --- fcntl, ioctl, poll --- */

static bool call_fcntl(struct run *run, struct call *call)
{
  int64_t command, flags, nonblock;
  static const struct expression name = {.kind = EXPRESSION_WORD, .text = "O_NONBLOCK"};
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || !number_argument(run, call, 1, &command) || !number_of(run, &name, &nonblock))
    return true;
  if (command == 3)
    return returns(call, 2 | (socket->nonblocking ? nonblock : 0));
  if (command != 4) {
    unsupported(run, call->event->line, "arguments", "fcntl(): only F_GETFL and F_SETFL");
    return true;
  }
  if (!number_argument(run, call, 2, &flags))
    return true;
  socket->nonblocking = (flags & nonblock) != 0;
  return returns(call, 0);
}

void check_out(struct run *run, const char *what, const struct expression *told, int64_t actual)
{
  char expected[32], found[32];
  int64_t number;
  if (told != NULL && told->kind == EXPRESSION_LIST && told->first != NULL)
    told = told->first;
  if (told == NULL || told->kind == EXPRESSION_ANY || !number_of(run, told, &number))
    return;
  snprintf(expected, sizeof expected, "%lld", (long long)number);
  snprintf(found, sizeof found, "%lld", (long long)actual);
  add_row(run, what, number != actual, expected, found);
  if (number != actual)
    failed(run, run->event->line, "call", "%s is %s, not %s", what, found, expected);
}

static bool call_ioctl(struct run *run, struct call *call)
{
  const struct expression *request = argument(call, 1), *value = argument(call, 2);
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return true;
  const char *name = request != NULL && request->kind == EXPRESSION_WORD ? request->text : "";
  if (strcmp(name, "SIOCINQ") == 0 || strcmp(name, "FIONREAD") == 0) {
    check_out(run, name, value, socket->readable);
  } else if (strcmp(name, "SIOCOUTQ") == 0 || strcmp(name, "TIOCOUTQ") == 0 || strcmp(name, "FIONWRITE") == 0) {
    check_out(run, name, value, (int64_t)socket->out.length);
  } else if (strcmp(name, "FIONBIO") == 0) {
    int64_t on;
    const struct expression *told = value != NULL && value->kind == EXPRESSION_LIST ? value->first : value;
    if (number_of(run, told, &on))
      socket->nonblocking = on != 0;
  } else {
    unsupported(run, call->event->line, "arguments", "ioctl(): %s", name);
  }
  return returns(call, 0);
}

static int64_t ready_for(struct run *run, const struct socket *socket)
{
  enum { IN = 1, OUT = 4, ERR = 8, HUP = 16, RDNORM = 64 };
  int64_t events = 0;
  if (socket->listening)
    return waiting_child(run, socket) != NULL ? IN | RDNORM : 0;
  if (socket->readable > 0 || socket->at_end || socket->error != NULL || socket->shut_read)
    events |= IN | RDNORM;
  if (socket->error != NULL)
    events |= ERR;
  if (!has_connection(socket) || (socket->at_end && socket->tcb.state == VTCP_TIME_WAIT))
    return events | OUT | HUP;
  if (!socket->connecting && vtcp_send_room(&socket->tcb) > 0)
    events |= OUT;
  return events;
}

static void check_revents(struct run *run, const struct expression *entry, int64_t events)
{
  const struct expression *told = member(entry, "revents");
  if (told != NULL)
    check_out(run, "revents", told, events);
}

static bool call_poll(struct run *run, struct call *call)
{
  enum { ALWAYS = 8 | 16 | 32 };
  int64_t timeout, count = 0, fd, asked;
  const struct expression *list = argument(call, 0);
  if (list == NULL || list->kind != EXPRESSION_LIST || !number_argument(run, call, 2, &timeout))
    return true;
  timeout = timeout > INT32_MAX ? INT32_MAX : timeout;
  for (int pass = 0; pass < 2; pass++) {
    for (const struct expression *e = list->first; e != NULL; e = e->next) {
      if (!number_of(run, member(e, "fd"), &fd) || !number_of(run, member(e, "events"), &asked))
        return true;
      const struct socket *socket = socket_of(run, fd);
      int64_t events = socket == NULL ? 32 : ready_for(run, socket) & (asked | ALWAYS);
      if (pass == 0)
        count += events != 0;
      else
        check_revents(run, e, events);
    }
    bool over = timeout == 0 || (timeout > 0 && run->now >= call->began + (uint64_t)timeout * 1000);
    if (pass == 0 && count == 0 && !over) {
      call->until = timeout < 0 ? UINT64_MAX : call->began + (uint64_t)timeout * 1000;
      return false;
    }
  }
  return returns(call, count);
}

/* --- */

static const struct {
  const char *name;
  bool (*attempt)(struct run *run, struct call *call);
  uint32_t least, most; /* arguments */
} calls[] = {
    {"socket", call_socket, 3, 3},
    {"bind", call_bind, 3, 3},
    {"listen", call_listen, 2, 2},
    {"accept", call_accept, 3, 3},
    {"accept4", call_accept, 4, 4},
    {"connect", call_connect, 3, 3},
    {"read", call_read, 3, 3},
    {"recv", call_read, 4, 4},
    {"recvfrom", call_read, 6, 6},
    {"readv", call_readv, 3, 3},
    {"recvmsg", call_readv, 3, 3},
    {"write", call_write, 3, 3},
    {"send", call_write, 4, 4},
    {"sendto", call_write, 6, 6},
    {"writev", call_writev, 3, 3},
    {"sendmsg", call_writev, 3, 3},
    {"close", call_close, 1, 1},
    {"shutdown", call_shutdown, 2, 2},
    {"poll", call_poll, 3, 3},
    {"fcntl", call_fcntl, 2, 3},
    {"ioctl", call_ioctl, 3, 3},
    {"getsockopt", call_getsockopt, 5, 5},
    {"setsockopt", call_setsockopt, 5, 5},
};

enum { CALLS = sizeof calls / sizeof *calls };

bool call_attempt(struct run *run, struct call *call)
{
  uint32_t count = members(call->spec->arguments);
  for (int i = 0; i < CALLS; i++) {
    if (strcmp(calls[i].name, call->spec->name) != 0)
      continue;
    if (count < calls[i].least || count > calls[i].most) {
      script_fail(run->script, VERDICT_UNREADABLE, call->event->line, "arguments",
                  "%s() has %u to %u arguments, not %u", call->spec->name, calls[i].least, calls[i].most, count);
      return true;
    }
    bool done = calls[i].attempt(run, call);
    call->begun = true;
    return done;
  }
  unsupported(run, call->event->line, "calls", "%s() is not a call that is known here", call->spec->name);
  return true;
}

static void call_text(char *out, size_t room, int64_t value, const char *error)
{
  snprintf(out, room, error != NULL ? "%lld %s" : "%lld", (long long)value, error);
}

void call_check(struct run *run, const struct call *call)
{
  const struct call_spec *spec = call->spec;
  char expected[64], actual[64];
  int64_t value;
  if (!going(run) || spec->result->kind == EXPRESSION_ANY || !number_of(run, spec->result, &value))
    return;
  if (spec->error != NULL && !is_error(spec->error)) {
    unsupported(run, call->event->line, "names", "%s is no error that is known here", spec->error);
    return;
  }
  bool same = value == call->value && (spec->error == NULL || same_error(spec->error, call->error));
  call_text(expected, sizeof expected, value, spec->error);
  call_text(actual, sizeof actual, call->value, call->error);
  if (same)
    return;
  add_row(run, "result", true, expected, actual);
  failed(run, call->event->line, "call", "%s() returns %s, not %s", spec->name, actual, expected);
}
