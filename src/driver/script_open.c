/* Calls that open and close: socket, bind, listen, accept, connect, shutdown, close. SPDX-License-Identifier: MIT */
#include "script_calls.h"

#include <string.h>

enum { PORT_OF_CONNECT = 20001 };

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

bool call_socket(struct run *run, struct call *call)
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

bool call_bind(struct run *run, struct call *call)
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

bool call_listen(struct run *run, struct call *call)
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
struct socket *waiting_child(struct run *run, const struct socket *listener)
{
  struct socket *child = NULL;
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->listener == listener && s->child && s->ready && !s->has_fd && !s->orphan)
      child = s;
  return child;
}

bool call_accept(struct run *run, struct call *call)
{
  int64_t flags = 0;
  struct socket *socket = socket_argument(run, call);
  if (socket == NULL)
    return true;
  if (!socket->listening)
    return fails(call, "EINVAL");
  if (!untold(run, call, 1) || !untold(run, call, 2))
    return true;
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

bool call_connect(struct run *run, struct call *call)
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

/* --- Closing --- */

bool call_shutdown(struct run *run, struct call *call)
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

bool call_close(struct run *run, struct call *call)
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
