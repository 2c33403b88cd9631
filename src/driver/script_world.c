/* Sockets over the core: their buffers, who gets which segment, and what a step's actions do.
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "script_run.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TRIPS = 1 << 18, FIRST_REMOTE_PORT = 40001, SEGMENT_ROOM = 65536 + 64, MOST_STEPS = 1 << 20 };

/* --- Buffers --- */

static void *grown(void *octets, size_t size)
{
  void *more = realloc(octets, size);
  if (more == NULL) {
    fputs("vtcp: out of memory\n", stderr);
    exit(EXIT_UNUSABLE);
  }
  return more;
}

static void buffer_reach(struct buffer *buffer, size_t length)
{
  if (length <= buffer->room)
    return;
  buffer->room = length < 4096 ? 4096 : 2 * length;
  buffer->octets = grown(buffer->octets, buffer->room);
}

void buffer_add(struct buffer *buffer, const uint8_t *octets, size_t length)
{
  if (length == 0)
    return;
  buffer_reach(buffer, buffer->length + length);
  memcpy(buffer->octets + buffer->length, octets, length);
  buffer->length += length;
}

void buffer_drop(struct buffer *buffer, size_t length)
{
  if (length > buffer->length)
    length = buffer->length;
  if (length == 0)
    return;
  memmove(buffer->octets, buffer->octets + length, buffer->length - length);
  buffer->length -= length;
}

static void buffer_store(struct buffer *buffer, size_t at, const uint8_t *octets, size_t length)
{
  if (length == 0)
    return;
  buffer_reach(buffer, at + length);
  if (at > buffer->length)
    memset(buffer->octets + buffer->length, 0, at - buffer->length);
  memcpy(buffer->octets + at, octets, length);
  if (at + length > buffer->length)
    buffer->length = at + length;
}

/* The text of both streams, where the script gives none: it tells every octet from its neighbours. */
uint8_t stream_octet(uint64_t place)
{
  return (uint8_t)(place * 167 + (place >> 8) * 13 + 1);
}

/* --- Opening and closing --- */

void world_open(struct run *run)
{
  run->start = run->now = UINT64_C(1000000000);
  run->next_port = FIRST_REMOTE_PORT;
  run->octets = grown(NULL, SEGMENT_ROOM);
}

static void free_socket(struct socket *socket)
{
  free(socket->out.octets);
  free(socket->in.octets);
  free(socket->said.octets);
  free(socket);
}

void world_free(struct run *run)
{
  while (run->sockets != NULL) {
    struct socket *next = run->sockets->next;
    free_socket(run->sockets);
    run->sockets = next;
  }
  free(run->trips);
  free(run->octets);
}

struct socket *new_socket(struct run *run)
{
  struct socket *socket = grown(NULL, sizeof *socket);
  struct vtcp_config config = settings_config(&run->settings);
  memset(socket, 0, sizeof *socket);
  socket->settings = run->settings;
  socket->fd = -1;
  if (vtcp_init(&socket->tcb, &config) != VTCP_CONFIG_OK) {
    config = vtcp_config_default();
    vtcp_init(&socket->tcb, &config);
  }
  socket->next = run->sockets;
  run->sockets = socket;
  return socket;
}

/* A socket that neither the user nor the core needs any more. */
void forget(struct run *run, struct socket *socket)
{
  struct socket **at = &run->sockets;
  while (*at != NULL && *at != socket)
    at = &(*at)->next;
  if (*at == NULL)
    return;
  *at = socket->next;
  if (run->tested == socket)
    run->tested = NULL;
  if (run->is_pending && run->pending.socket == socket)
    run->pending.socket = NULL;
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->listener == socket)
      s->listener = NULL;
  free_socket(socket);
}

bool has_connection(const struct socket *socket)
{
  return socket->tcb.state != VTCP_CLOSED && socket->tcb.state != VTCP_LISTEN;
}

struct flow *find_flow(struct run *run, uint16_t local, uint16_t remote)
{
  for (struct flow *flow = run->flows; flow != NULL; flow = flow->next)
    if (flow->local == local && flow->remote == remote)
      return flow;
  struct flow *flow = arena_take(&run->script->arena, sizeof *flow);
  flow->local = local;
  flow->remote = remote;
  flow->remote_base = setting(&run->settings, "irs");
  flow->next = run->flows;
  run->flows = flow;
  return flow;
}

/* --- Steps --- */

void add_trip(struct run *run, struct trip trip)
{
  if (run->trip_count == MOST_TRIPS) {
    failed(run, trip.line, "endless", "more than %d segments", MOST_TRIPS);
    return;
  }
  if (run->trip_count == run->trip_room) {
    run->trip_room = run->trip_room < 64 ? 64 : 2 * run->trip_room;
    run->trips = grown(run->trips, run->trip_room * sizeof *run->trips);
  }
  run->trips[run->trip_count++] = trip;
}

/* What leaves is what was written at that place of the stream. */
static void check_text(struct run *run, const struct socket *socket, const struct vtcp_actions *actions)
{
  uint32_t place = actions->seg.seq - socket->tcb.iss - !actions->seg.syn;
  if (actions->seg.len == 0)
    return;
  if ((uint64_t)actions->text_at + actions->seg.len > socket->out.length
      || (uint64_t)place + actions->seg.len > socket->said.length
      || memcmp(socket->out.octets + actions->text_at, socket->said.octets + place, actions->seg.len) != 0)
    failed(run, run->event != NULL ? run->event->line : 0, "text",
           "the endpoint sends text that was not written at that place of the stream");
}

static void send_segment(struct run *run, struct socket *socket, const struct vtcp_actions *actions)
{
  struct trip trip = {.us = run->now, .seg = actions->seg, .outbound = true, .tos = socket->tos};
  check_text(run, socket, actions);
  trip.ttl = socket->ttl != 0 ? socket->ttl : (uint8_t)setting(&socket->settings, "ttl");
  trip.flow = socket->flow;
  trip.state = socket->tcb.state;
  if (actions->seg.syn && !socket->flow->matched)
    socket->flow->local_base = actions->seg.seq;
  add_trip(run, trip);
}

/* To connect(), a reset is a refusal, whatever state it found (POSIX). */
static void take_signals(struct socket *socket, const struct vtcp_actions *actions)
{
  if (actions->established) {
    socket->ready = true;
    socket->connecting = false;
  }
  if (actions->refused)
    socket->error = "ECONNREFUSED";
  if (actions->reset)
    socket->error = socket->connecting ? "ECONNREFUSED" : "ECONNRESET";
  if (actions->timed_out)
    socket->error = "ETIMEDOUT";
  if (actions->peer_closed)
    socket->at_end = true;
  if (actions->closed) {
    socket->connecting = false;
    socket->at_end = true;
    buffer_drop(&socket->out, socket->out.length);
  }
}

static void obey(struct run *run, struct socket *socket, const struct vtcp_actions *actions, const uint8_t *text)
{
  buffer_drop(&socket->out, actions->acked);
  if (text != NULL)
    buffer_store(&socket->in, actions->store_at, text + actions->store_from, actions->store_len);
  take_signals(socket, actions);
  if (!actions->closed)
    socket->readable = actions->readable;
  if (actions->send)
    send_segment(run, socket, actions);
}

static void spawn(struct run *run, struct socket *listener, const struct vtcp_event *event, const uint8_t *text,
                  struct flow *flow);

static void one_step(struct run *run, struct vtcp_conn *tcb, const struct vtcp_event *event,
                     struct vtcp_actions *actions)
{
  uint8_t was = tcb->state;
  vtcp_step(tcb, event, actions);
  take_edge(run->taken, was, tcb->state, event);
}

/* One step, and all that follows from it at once; the answer to the first. */
struct vtcp_actions world_step(struct run *run, struct socket *socket, struct vtcp_event event, const uint8_t *text)
{
  struct vtcp_actions first, next;
  event.now = run->now;
  uint32_t rcv_nxt = socket->tcb.rcv_nxt;
  bool synchronized = socket->tcb.state > VTCP_SYN_SENT;
  one_step(run, &socket->tcb, &event, &first);
  if (event.type == VTCP_ABORT && first.send && synchronized && setting(&run->settings, "reset_ack") == 1) {
    first.seg.has_ack = true;
    first.seg.ack = rcv_nxt;
  }
  obey(run, socket, &first, text);
  next = first;
  for (uint32_t i = 0; next.more && i < MOST_STEPS; i++) {
    struct vtcp_event more = {.type = VTCP_MORE, .now = run->now};
    one_step(run, &socket->tcb, &more, &next);
    obey(run, socket, &next, NULL);
  }
  return first;
}

/* --- Who gets a segment --- */

static uint32_t fresh_iss(struct run *run)
{
  return setting(&run->settings, "iss") + (run->connections++ << 20);
}

static struct socket *connection_of(struct run *run, const struct flow *flow)
{
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->flow == flow && has_connection(s))
      return s;
  return NULL;
}

static struct socket *listener_of(struct run *run, uint16_t port)
{
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->listening && s->port == port && s->tcb.state == VTCP_LISTEN)
      return s;
  return NULL;
}

/* The receive buffer, in whole segments where the stack rounds it so. */
uint32_t whole_buffer(const struct settings *settings, uint32_t mss)
{
  uint32_t room = setting(settings, "rcvbuf"), own = setting(settings, "rcv_mss");
  uint32_t unit = mss > 0 && mss < own ? mss : own;
  bool whole = setting(settings, "rcvbuf_whole") == 1 && room <= (1u << 30) - unit;
  return whole ? (room + unit - 1) / unit * unit : room;
}

/* And what the core is told of it. */
uint32_t real_buffer(const struct settings *settings, uint32_t mss)
{
  uint32_t whole = whole_buffer(settings, mss), spare = setting(settings, "rcvbuf_spare");
  return whole <= (1u << 30) - spare ? whole + spare : whole;
}

static void spawn(struct run *run, struct socket *listener, const struct vtcp_event *event, const uint8_t *text,
                  struct flow *flow)
{
  uint32_t waiting = 0;
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    waiting += s->listener == listener && s->ready && !s->has_fd;
  if (waiting > listener->backlog)
    return;
  struct socket *child = new_socket(run);
  child->settings = listener->settings;
  struct vtcp_conn passive = listener->tcb;
  struct vtcp_config config = settings_config(&child->settings);
  struct vtcp_event open = {.type = VTCP_OPEN_PASSIVE, .now = run->now};
  struct vtcp_actions ignored;
  config.listener = true;
  config.rcv_buf = real_buffer(&child->settings, event->seg.has_mss ? event->seg.mss : config.default_mss);
  if (vtcp_init(&passive, &config) == VTCP_CONFIG_OK)
    vtcp_step(&passive, &open, &ignored);
  else
    passive = listener->tcb;
  vtcp_child(&passive, &child->tcb);
  child->listener = listener;
  child->child = true;
  child->flow = flow;
  flow->matched = false;
  child->port = listener->port;
  child->tos = listener->tos;
  child->ttl = listener->ttl;
  child->linger = listener->linger;
  child->linger_seconds = listener->linger_seconds;
  run->tested = child;
  world_step(run, child, *event, text);
  flow->connections++;
}

/* No connection is there: the core's CLOSED state answers, with what a socket on that port has chosen of IP. */
static void nobody(struct run *run, struct flow *flow, struct vtcp_event event)
{
  struct vtcp_config config = settings_config(&run->settings);
  struct vtcp_conn closed;
  struct vtcp_actions actions;
  const struct socket *bound = NULL;
  for (const struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->has_fd && s->bound && s->port == flow->local)
      bound = s;
  if (vtcp_init(&closed, &config) != VTCP_CONFIG_OK)
    return;
  vtcp_step(&closed, &event, &actions);
  struct trip trip = {.us = run->now, .flow = flow, .seg = actions.seg, .outbound = true, .state = VTCP_CLOSED};
  trip.ttl = bound != NULL && bound->ttl != 0 ? bound->ttl : (uint8_t)setting(&run->settings, "ttl");
  trip.tos = bound != NULL ? bound->tos : 0;
  if (actions.send)
    add_trip(run, trip);
}

/* Nobody will read what arrives after close() (RFC 9293, 3.6.1; SHLD-3), nor look at a connection that is over. */
static void close_unwanted(struct run *run, struct socket *socket, const struct vtcp_actions *actions)
{
  bool awaited = socket->child && socket->ready && socket->listener != NULL && !socket->orphan;
  if (socket->orphan && actions->store_len > 0 && has_connection(socket))
    world_step(run, socket, (struct vtcp_event){.type = VTCP_ABORT}, NULL);
  if (socket->tcb.state == VTCP_CLOSED && !socket->has_fd && !awaited)
    forget(run, socket);
}

void world_arrive(struct run *run, struct flow *flow, const struct vtcp_segment *seg, const uint8_t *text, uint8_t tos)
{
  struct vtcp_event event = {.type = VTCP_ARRIVES, .now = run->now, .seg = *seg};
  struct socket *socket = connection_of(run, flow), *listener = listener_of(run, flow->local);
  (void)tos; /* congestion is not looked at yet */
  if (socket == NULL && listener != NULL) {
    event.iss = fresh_iss(run);
    if (seg->syn && !seg->has_ack && !seg->rst && setting(&run->settings, "syn_text") == 0)
      event.seg.len = 0;
  }
  if (socket == NULL && listener == NULL) {
    nobody(run, flow, event);
    return;
  }
  if (socket == NULL) {
    struct vtcp_actions actions = {0};
    listener->flow = flow;
    one_step(run, &listener->tcb, &event, &actions);
    if (actions.send)
      send_segment(run, listener, &actions);
    if (actions.spawn)
      spawn(run, listener, &event, text, flow);
    return;
  }
  if (old_rules(run, socket, &event.seg)) {
    close_unwanted(run, socket, &(struct vtcp_actions){0});
    return;
  }
  struct vtcp_actions actions = world_step(run, socket, event, text);
  if (seg->rst && actions.closed && socket->error == NULL && setting(&run->settings, "reset_told") == 1)
    socket->error = "ECONNRESET";
  close_unwanted(run, socket, &actions);
}

/* --- Time --- */

/* When a socket's time has come. Some stacks add to the timer of a SYN when they back off: being late is no fault. */
static uint64_t deadline(const struct socket *socket)
{
  const struct vtcp_conn *c = &socket->tcb;
  uint64_t at = vtcp_deadline(c), slop = (uint64_t)setting(&socket->settings, "syn_slop") * 1000;
  uint64_t limit =
      c->progress_at + (uint64_t)(c->cfg.user_timeout_ms > 0 ? c->cfg.user_timeout_ms : c->cfg.r2_syn_ms) * 1000;
  bool backs_off = (c->state == VTCP_SYN_SENT || c->state == VTCP_SYN_RECEIVED) && c->timer == VTCP_RETRANSMISSION;
  if (!backs_off || c->retries == 0 || at >= limit)
    return at;
  return at + slop < limit ? at + slop : limit;
}

uint64_t world_deadline(const struct run *run, struct socket **whose)
{
  uint64_t first = UINT64_MAX;
  for (struct socket *s = run->sockets; s != NULL; s = s->next) {
    uint64_t at = deadline(s);
    if (at < first)
      first = at, *whose = s;
  }
  return first;
}
