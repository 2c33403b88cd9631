/* Calls that send and receive. SPDX-License-Identifier: MIT */
#include "script_calls.h"

#include <string.h>

enum { MOST_WRITTEN = 1 << 24, MOST_SAID = 1 << 26 };

/* --- Sending --- */

static void say(struct socket *socket, const char *text, uint64_t from, uint32_t length)
{
  size_t told = text != NULL ? strlen(text) : 0;
  for (uint32_t i = 0; i < length; i++) {
    uint8_t octet = from + i < told ? (uint8_t)text[from + i] : stream_octet(socket->said.length);
    buffer_add(&socket->out, &octet, 1);
    buffer_add(&socket->said, &octet, 1);
  }
}

static bool cannot_send(struct run *run, struct socket *socket, struct call *call)
{
  if (socket->error != NULL)
    return fails(call, pending_error(socket));
  switch ((enum vtcp_state)socket->tcb.state) {
  case VTCP_CLOSED:
  case VTCP_LISTEN:
    return fails(call, socket->ready || setting(&run->settings, "stack") == STACK_LINUX ? "EPIPE" : "ENOTCONN");
  case VTCP_SYN_SENT:
  case VTCP_SYN_RECEIVED:
  case VTCP_ESTABLISHED:
  case VTCP_CLOSE_WAIT: return false;
  case VTCP_FIN_WAIT_1:
  case VTCP_FIN_WAIT_2:
  case VTCP_CLOSING:
  case VTCP_LAST_ACK:
  case VTCP_TIME_WAIT: return fails(call, "EPIPE");
  }
  return false;
}

/* As much as there is room for, until all is taken. */
static bool send_text(struct run *run, struct call *call, const char *text, uint64_t length, bool nonblocking)
{
  struct socket *socket = call->socket;
  if (cannot_send(run, socket, call)) {
    if (call->done > 0)
      return returns(call, (int64_t)call->done);
    return true;
  }
  if (socket->connecting)
    return blocks(call, nonblocking, setting(&run->settings, "stack") == STACK_FREEBSD ? "ENOTCONN" : "EAGAIN");
  if (length == 0)
    return returns(call, 0);
  while (call->done < length) {
    uint64_t room = vtcp_send_room(&socket->tcb), rest = length - call->done;
    uint32_t take = (uint32_t)(rest < room ? rest : room);
    if (take == 0)
      return call->done > 0 && nonblocking ? returns(call, (int64_t)call->done) : blocks(call, nonblocking, "EAGAIN");
    if (socket->said.length > MOST_SAID) {
      unsupported(run, call->event->line, "arguments", "more than %d octets on one connection", MOST_SAID);
      return true;
    }
    say(socket, text, call->done, take);
    struct vtcp_event send = {.type = VTCP_SEND, .len = take, .remote = true, .push = true};
    struct vtcp_actions actions = world_step(run, socket, send, NULL);
    if (actions.error != VTCP_OK)
      return fails(call, actions.error == VTCP_CONNECTION_CLOSING ? "EPIPE" : "ENOTCONN");
    call->done += take;
  }
  return returns(call, (int64_t)call->done);
}

static bool send_flags(struct run *run, const struct call *call, uint32_t index, bool *dont_wait)
{
  int64_t flags = 0, names[3] = {0};
  static const struct expression wait = {.kind = EXPRESSION_WORD, .text = "MSG_DONTWAIT"};
  static const struct expression signal = {.kind = EXPRESSION_WORD, .text = "MSG_NOSIGNAL"};
  static const struct expression record = {.kind = EXPRESSION_WORD, .text = "MSG_EOR"};
  if (!number_argument(run, call, index, &flags) || !number_of(run, &wait, &names[0])
      || !number_of(run, &signal, &names[1]) || !number_of(run, &record, &names[2]))
    return false;
  *dont_wait = (flags & names[0]) != 0;
  if ((flags & ~(names[0] | names[1] | names[2])) == 0)
    return true;
  unsupported(run, call->event->line, "flags", "%s(): only MSG_DONTWAIT, MSG_NOSIGNAL and MSG_EOR", call->spec->name);
  return false;
}

bool call_write(struct run *run, struct call *call)
{
  int64_t length;
  bool dont_wait = false;
  struct socket *socket = socket_argument(run, call);
  const struct expression *data = argument(call, 1);
  if (socket == NULL || !number_argument(run, call, 2, &length) || data == NULL)
    return true;
  if (strcmp(call->spec->name, "write") != 0 && !send_flags(run, call, 3, &dont_wait))
    return true;
  if (!untold(run, call, 4) || !untold(run, call, 5))
    return true;
  if (length < 0 || length > MOST_WRITTEN) {
    unsupported(run, call->event->line, "arguments", "%s(): at most %d octets", call->spec->name, MOST_WRITTEN);
    return true;
  }
  return send_text(run, call, data->kind == EXPRESSION_STRING ? data->text : NULL, (uint64_t)length,
                   socket->nonblocking || dont_wait);
}

/* --- Vectors --- */

static bool vector_length(struct run *run, const struct expression *vector, uint64_t *length)
{
  *length = 0;
  if (vector == NULL || vector->kind != EXPRESSION_LIST) {
    unsupported(run, run->event->line, "arguments", "a list of buffers is expected");
    return false;
  }
  for (const struct expression *e = vector->first; e != NULL; e = e->next) {
    const struct expression *of = member(e, "iov_len");
    int64_t number;
    if (of == NULL && e->kind == EXPRESSION_RECORD && e->first != NULL)
      of = e->first->next;
    if (!number_of(run, of, &number))
      return false;
    *length += number >= 0 && number <= MOST_WRITTEN ? (uint64_t)number : MOST_WRITTEN + 1;
  }
  if (*length <= MOST_WRITTEN)
    return true;
  unsupported(run, run->event->line, "arguments", "buffers of more than %d octets", MOST_WRITTEN);
  return false;
}

bool call_writev(struct run *run, struct call *call)
{
  uint64_t length;
  bool dont_wait = false, message = strcmp(call->spec->name, "sendmsg") == 0;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || (message && !send_flags(run, call, 2, &dont_wait)))
    return true;
  const struct expression *vector = message ? member(argument(call, 1), "msg_iov") : argument(call, 1);
  if (!vector_length(run, vector, &length))
    return true;
  return send_text(run, call, NULL, length, socket->nonblocking || dont_wait);
}

/* --- Receiving --- */

/* What is read is what the peer sent at that place of its stream. */
static void check_received(struct run *run, const struct socket *socket, const struct expression *told, uint64_t length)
{
  for (uint64_t i = 0; i < length; i++)
    if (socket->in.octets[i] != stream_octet(socket->taken + i)) {
      failed(run, run->event->line, "text", "octet %llu of the stream is not the one that was sent",
             (unsigned long long)(socket->taken + i));
      return;
    }
  if (told != NULL && told->kind == EXPRESSION_STRING)
    unsupported(run, run->event->line, "text", "the text of arriving segments is not told by scripts");
}

static bool cannot_receive(struct run *run, struct socket *socket, struct call *call)
{
  if (socket->error != NULL)
    return fails(call, pending_error(socket));
  if (socket->shut_read || socket->at_end)
    return returns(call, 0);
  if (!has_connection(socket) || (socket->connecting && setting(&run->settings, "stack") == STACK_LINUX))
    return fails(call, "ENOTCONN");
  return false;
}

static bool take_text(struct run *run, struct call *call, uint64_t length, bool peek, bool nonblocking, bool all)
{
  struct socket *socket = call->socket;
  const struct expression *told = argument(call, 1);
  uint64_t there = socket->readable;
  bool over = socket->error != NULL || socket->shut_read || socket->at_end;
  if (there == 0 || (length == 0 && over)) {
    if (cannot_receive(run, socket, call))
      return true;
    return length == 0 ? returns(call, 0) : blocks(call, nonblocking, "EAGAIN");
  }
  if (all && there < length && !over && !nonblocking)
    return false;
  uint32_t take = (uint32_t)(there < length ? there : length);
  check_received(run, socket, told, take);
  if (peek)
    return returns(call, take);
  if (has_connection(socket)) {
    struct vtcp_event receive = {.type = VTCP_RECEIVE, .len = take};
    uint32_t before = socket->readable;
    buffer_drop(&socket->in, take);
    socket->taken += take;
    world_step(run, socket, receive, NULL);
    if (socket->tcb.state == VTCP_CLOSED)
      socket->readable = before - take;
  } else {
    buffer_drop(&socket->in, take);
    socket->taken += take;
    socket->readable -= take;
  }
  return returns(call, take);
}

static bool receive_flags(struct run *run, const struct call *call, uint32_t index, int64_t known[3], int64_t *flags)
{
  static const struct expression names[] = {{.kind = EXPRESSION_WORD, .text = "MSG_PEEK"},
                                            {.kind = EXPRESSION_WORD, .text = "MSG_DONTWAIT"},
                                            {.kind = EXPRESSION_WORD, .text = "MSG_WAITALL"}};
  int64_t all = 0;
  if (!number_argument(run, call, index, flags))
    return false;
  for (int i = 0; i < 3; i++) {
    if (!number_of(run, &names[i], &known[i]))
      return false;
    all |= known[i];
  }
  if ((*flags & ~all) == 0)
    return true;
  unsupported(run, call->event->line, "flags", "%s(): only MSG_PEEK, MSG_DONTWAIT and MSG_WAITALL", call->spec->name);
  return false;
}

bool call_read(struct run *run, struct call *call)
{
  int64_t length, flags = 0, known[3] = {0};
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || !number_argument(run, call, 2, &length))
    return true;
  if (strcmp(call->spec->name, "read") != 0 && !receive_flags(run, call, 3, known, &flags))
    return true;
  if (!untold(run, call, 4) || !untold(run, call, 5))
    return true;
  return take_text(run, call, length < 0 ? 0 : (uint64_t)length, (flags & known[0]) != 0,
                   socket->nonblocking || (flags & known[1]) != 0, (flags & known[2]) != 0);
}

bool call_readv(struct run *run, struct call *call)
{
  uint64_t length;
  int64_t flags = 0, known[3] = {0};
  bool message = strcmp(call->spec->name, "recvmsg") == 0;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || (message && !receive_flags(run, call, 2, known, &flags)))
    return true;
  const struct expression *vector = message ? member(argument(call, 1), "msg_iov") : argument(call, 1);
  const struct expression *control = message ? member(argument(call, 1), "msg_control") : NULL;
  if (!vector_length(run, vector, &length))
    return true;
  const struct expression *after = message ? member(argument(call, 1), "msg_flags") : NULL;
  int64_t told = 0;
  if (after != NULL && after->kind != EXPRESSION_ANY && (!number_of(run, after, &told) || told != 0)) {
    unsupported(run, call->event->line, "arguments", "recvmsg(): msg_flags other than 0");
    return true;
  }
  if (control != NULL && control->kind == EXPRESSION_LIST && control->first != NULL) {
    unsupported(run, call->event->line, "arguments", "recvmsg(): control messages");
    return true;
  }
  return take_text(run, call, length, (flags & known[0]) != 0, socket->nonblocking || (flags & known[1]) != 0,
                   (flags & known[2]) != 0);
}
