/* Calls of the socket layer. Each function tries its call once more, and says whether it has returned; a call that blocks
 * is tried again after everything that happens. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

enum { PORT_OF_CONNECT = 20001, MOST_WRITTEN = 1 << 24 };

static bool returns(struct call *call, int64_t value)
{
  call->value = value;
  call->error = NULL;
  return true;
}

static bool fails(struct call *call, const char *error)
{
  call->value = -1;
  call->error = error;
  return true;
}

/* Would block: at once an error if the socket does not block. */
static bool blocks(struct call *call, bool nonblocking, const char *error)
{
  return nonblocking ? fails(call, error) : false;
}

/* The socket that the first argument names; if there is none, the call has failed. */
static struct socket *socket_argument(struct run *run, struct call *call)
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

/* SO_ERROR is told once. */
static const char *pending_error(struct socket *socket)
{
  const char *error = socket->error;
  socket->error = NULL;
  return error;
}

/* --- socket, bind, listen, accept, connect --- */

static void take_fd(struct run *run, struct call *call, struct socket *socket)
{
  int64_t fd = 3;
  const struct expression *result = call->spec->result;
  if (result->kind == EXPRESSION_INTEGER && result->integer >= 0)
    fd = result->integer;
  while (socket_of(run, fd) != NULL)
    fd++;
  socket->fd = fd;
  socket->has_fd = true;
  returns(call, fd);
}

static bool call_socket(struct run *run, struct call *call)
{
  int64_t family = 2, type, protocol;
  const struct expression *domain = argument(call, 0);
  if (domain == NULL || (domain->kind != EXPRESSION_ANY && !number_of(run, domain, &family)))
    return true;
  if (!number_argument(run, call, 1, &type) || !number_argument(run, call, 2, &protocol))
    return true;
  int64_t flags = type & ~(int64_t)0xff;
  if ((type & 0xff) != 1 || (protocol != 6 && protocol != 0)) {
    unsupported(run, call->event->line, "not TCP", "socket(): only SOCK_STREAM with IPPROTO_TCP");
    return true;
  }
  struct socket *socket = new_socket(run);
  socket->nonblocking = (flags & 0x20000800) != 0;
  run->tested = socket;
  take_fd(run, call, socket);
  return true;
}

/* A port that a socket address names, or 0. */
static uint16_t port_argument(struct run *run, const struct call *call, uint32_t index)
{
  const struct expression *port = member(argument(call, index), "sin_port");
  int64_t number = 0;
  if (port != NULL && number_of(run, port, &number) && number > 0 && number <= 65535)
    return (uint16_t)number;
  return 0;
}

static bool port_taken(const struct run *run, const struct socket *socket, uint16_t port)
{
  for (const struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s != socket && s->port == port && s->bound && (!s->reuse || !socket->reuse || s->listening))
      return true;
  return false;
}

static bool call_bind(struct run *run, struct call *call)
{
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return true;
  uint16_t port = port_argument(run, call, 1);
  if (port == 0)
    port = (uint16_t)setting(&run->settings, "bind_port");
  if (socket->bound || has_connection(socket))
    return fails(call, "EINVAL");
  if (port_taken(run, socket, port))
    return fails(call, "EADDRINUSE");
  socket->bound = true;
  socket->port = port;
  return returns(call, 0);
}

static void make_listener(struct run *run, struct socket *socket)
{
  struct vtcp_config config = settings_config(&socket->settings);
  config.listener = true;
  if (vtcp_init(&socket->tcb, &config) != VTCP_CONFIG_OK) {
    unsupported(run, run->event->line, "configuration", "%s",
                vtcp_config_error_name((uint8_t)vtcp_config_check(&config)));
    return;
  }
  world_step(run, socket, (struct vtcp_event){.type = VTCP_OPEN_PASSIVE}, NULL);
  socket->listening = true;
  run->awaits_child = true;
}

static bool call_listen(struct run *run, struct call *call)
{
  int64_t backlog;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || !number_argument(run, call, 1, &backlog))
    return true;
  if (has_connection(socket) || socket->connecting)
    return fails(call, "EINVAL");
  socket->backlog = backlog < 0 ? 0 : backlog > 65535 ? 65535 : (uint32_t)backlog;
  if (!socket->bound)
    socket->port = (uint16_t)setting(&run->settings, "bind_port");
  socket->bound = true;
  if (!socket->listening)
    make_listener(run, socket);
  return returns(call, 0);
}

/* The child that has waited longest: new sockets are put in front. */
static struct socket *waiting_child(struct run *run, const struct socket *listener)
{
  struct socket *child = NULL;
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->listener == listener && s->child && s->ready && !s->has_fd && !s->orphan)
      child = s;
  return child;
}

static bool call_accept(struct run *run, struct call *call)
{
  int64_t flags = 0;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return true;
  if (!socket->listening)
    return fails(call, "EINVAL");
  if (strcmp(call->spec->name, "accept4") == 0 && !number_argument(run, call, 3, &flags))
    return true;
  struct socket *child = waiting_child(run, socket);
  if (child == NULL)
    return blocks(call, socket->nonblocking, "EAGAIN");
  child->nonblocking = (flags & 0x20000800) != 0
                       || (setting(&run->settings, "stack") == STACK_FREEBSD && socket->nonblocking
                           && strcmp(call->spec->name, "accept") == 0);
  run->tested = child;
  take_fd(run, call, child);
  return true;
}

static void open_connection(struct run *run, struct socket *socket, uint16_t remote)
{
  struct vtcp_config config = settings_config(&socket->settings);
  config.rcv_buf = real_buffer(&socket->settings, setting(&socket->settings, "rcv_mss"));
  if (config.user_timeout_ms == 0 && setting(&socket->settings, "keepinit") != 75000)
    config.user_timeout_ms = setting(&socket->settings, "keepinit");
  if (vtcp_init(&socket->tcb, &config) != VTCP_CONFIG_OK) {
    unsupported(run, run->event->line, "configuration", "%s",
                vtcp_config_error_name((uint8_t)vtcp_config_check(&config)));
    return;
  }
  if (!socket->bound)
    socket->port = (uint16_t)(PORT_OF_CONNECT + run->connections);
  socket->flow = run->flow = find_flow(run, socket->port, remote);
  socket->flow->matched = false;
  run->awaits_child = false;
  run->tested = socket;
  socket->connecting = true;
  struct vtcp_event open = {.type = VTCP_OPEN_ACTIVE, .remote = true};
  open.iss = setting(&run->settings, "iss") + (run->connections++ << 20);
  world_step(run, socket, open, NULL);
}

static bool call_connect(struct run *run, struct call *call)
{
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return true;
  if (call->begun) {
    if (socket->error != NULL)
      return fails(call, pending_error(socket));
    return socket->connecting ? false : returns(call, 0);
  }
  if (socket->listening)
    return fails(call, "EOPNOTSUPP");
  if (socket->connecting)
    return fails(call, "EALREADY");
  if (socket->error != NULL)
    return fails(call, pending_error(socket));
  if (has_connection(socket))
    return fails(call, "EISCONN");
  uint16_t remote = port_argument(run, call, 1);
  open_connection(run, socket, remote != 0 ? remote : (uint16_t)setting(&run->settings, "connect_port"));
  return blocks(call, socket->nonblocking, "EINPROGRESS");
}

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

static bool call_write(struct run *run, struct call *call)
{
  int64_t length;
  bool dont_wait = false;
  struct socket *socket = socket_argument(run, call);
  const struct expression *data = argument(call, 1);
  if (socket == NULL || !number_argument(run, call, 2, &length) || data == NULL)
    return true;
  if (strcmp(call->spec->name, "write") != 0 && !send_flags(run, call, 3, &dont_wait))
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
    if (!number_of(run, of, &number) || number < 0 || number > MOST_WRITTEN)
      return false;
    *length += (uint64_t)number;
  }
  return *length <= MOST_WRITTEN;
}

static bool call_writev(struct run *run, struct call *call)
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

static bool call_read(struct run *run, struct call *call)
{
  int64_t length, flags = 0, known[3] = {0};
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || !number_argument(run, call, 2, &length))
    return true;
  if (strcmp(call->spec->name, "read") != 0 && !receive_flags(run, call, 3, known, &flags))
    return true;
  return take_text(run, call, length < 0 ? 0 : (uint64_t)length, (flags & known[0]) != 0,
                   socket->nonblocking || (flags & known[1]) != 0, (flags & known[2]) != 0);
}

static bool call_readv(struct run *run, struct call *call)
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
  if (control != NULL && control->kind == EXPRESSION_LIST && control->first != NULL) {
    unsupported(run, call->event->line, "arguments", "recvmsg(): control messages");
    return true;
  }
  return take_text(run, call, length, (flags & known[0]) != 0, socket->nonblocking || (flags & known[1]) != 0,
                   (flags & known[2]) != 0);
}

/* --- Closing --- */

static bool call_shutdown(struct run *run, struct call *call)
{
  int64_t how;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL || !number_argument(run, call, 1, &how))
    return true;
  if (how < 0 || how > 2)
    return fails(call, "EINVAL");
  if (!has_connection(socket) || (socket->connecting && setting(&run->settings, "stack") != STACK_LINUX))
    return fails(call, "ENOTCONN");
  if (how != 1)
    socket->shut_read = true;
  if (how != 0)
    world_step(run, socket, (struct vtcp_event){.type = VTCP_CLOSE}, NULL);
  return returns(call, 0);
}

static void close_listener(struct run *run, struct socket *listener)
{
  world_step(run, listener, (struct vtcp_event){.type = VTCP_CLOSE}, NULL);
  for (struct socket *s = run->sockets, *next; s != NULL; s = next) {
    next = s->next;
    if (s->listener != listener || s->has_fd)
      continue;
    s->orphan = true;
    world_step(run, s, (struct vtcp_event){.type = VTCP_ABORT}, NULL);
    forget(run, s);
  }
  run->awaits_child = false;
}

static bool close_lingers(const struct socket *socket)
{
  return socket->linger && socket->linger_seconds > 0
         && (socket->tcb.state == VTCP_FIN_WAIT_1 || socket->tcb.state == VTCP_CLOSING
             || socket->tcb.state == VTCP_LAST_ACK || socket->tcb.state == VTCP_SYN_RECEIVED);
}

static bool call_close(struct run *run, struct call *call)
{
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return call->begun ? returns(call, 0) : true;
  if (call->begun)
    return close_lingers(socket) ? false : returns(call, 0);
  bool unread = socket->readable > 0 && setting(&run->settings, "reset_unread") == 1;
  bool abort = (socket->linger && socket->linger_seconds == 0) || unread;
  socket->has_fd = false;
  socket->fd = -1;
  socket->orphan = true;
  if (socket->listening)
    close_listener(run, socket);
  else if (has_connection(socket))
    world_step(run, socket, (struct vtcp_event){.type = abort ? VTCP_ABORT : VTCP_CLOSE}, NULL);
  if (socket->tcb.state == VTCP_CLOSED) {
    forget(run, socket);
    call->socket = NULL;
    return returns(call, 0);
  }
  return close_lingers(socket) && !socket->nonblocking ? false : returns(call, 0);
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

static void check_out(struct run *run, const char *what, const struct expression *told, int64_t actual)
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
