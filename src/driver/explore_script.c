/* A counterexample as a script in packetdrill's language, from the side of the end where it shows: its calls, what arrives
 * and what it answers, up to there. `vtcp replay` runs it. What a world did otherwise than RFC 9293 becomes an event of the
 * script: the acknowledgment that nobody sent, the close that nobody asked for.
 *
 * The end's steps are made again with a clock that goes: all is at once, until a timer expires.
 * SPDX-License-Identifier: MIT */
#include "explore.h"

#include <string.h>

struct writing {
  const struct trace *trace;
  FILE *to;
  uint8_t end;
  struct vtcp_conn conn; /* the end's, with a clock that goes */
  uint64_t now, told;    /* microseconds; told: of the last line */
  uint32_t irs, iss;     /* from which the script counts */
  unsigned sockets;      /* file descriptors so far: the next is 3 + sockets */
  unsigned fd, listening;
  struct vtcp_event waiting[4]; /* calls before accept(), which sockets cannot make */
  unsigned waiting_count;
};

/* A line begins with the time since the last one. */
static void say_time(struct writing *w)
{
  uint64_t since = w->now - w->told;
  w->told = w->now;
  fprintf(w->to, "+%llu", (unsigned long long)(since / 1000000));
  if (since % 1000000 != 0)
    fprintf(w->to, ".%06llu", (unsigned long long)(since % 1000000));
  fputc(' ', w->to);
}

static void say_segment(struct writing *w, const struct vtcp_segment *s, bool out)
{
  uint32_t own = out ? w->iss : w->irs, other = out ? w->irs : w->iss;
  uint32_t seq = s->rst && s->has_ack && s->seq == 0 && out ? 0 : s->seq - own;
  say_time(w);
  fprintf(w->to, "%c %s%s%s%s%s %u:%u(%u)", out ? '>' : '<', s->syn ? "S" : "", s->fin ? "F" : "", s->rst ? "R" : "",
          s->psh ? "P" : "", s->has_ack ? "." : "", seq, seq + s->len, s->len);
  if (s->has_ack)
    fprintf(w->to, " ack %u", s->ack - other);
  if (!s->rst)
    fprintf(w->to, " win %u", s->wnd);
  if (s->syn && s->has_mss)
    fprintf(w->to, " <mss %u>", s->mss);
  fputc('\n', w->to);
}

/* --- Calls --- */

static void listen_call(struct writing *w)
{
  if (w->listening != 0) {
    fprintf(w->to, "// it listens again: its socket never ceased to\n");
    return;
  }
  w->listening = 3 + w->sockets++;
  say_time(w);
  fprintf(w->to, "socket(..., SOCK_STREAM, IPPROTO_TCP) = %u\n+0 bind(%u, ..., ...) = 0\n+0 listen(%u, 5) = 0\n",
          w->listening, w->listening, w->listening);
}

static void open_call(struct writing *w)
{
  w->fd = 3 + w->sockets++;
  say_time(w);
  fprintf(w->to,
          "socket(..., SOCK_STREAM, IPPROTO_TCP) = %u\n+0 fcntl(%u, F_SETFL, O_RDWR | O_NONBLOCK) = 0\n"
          "+0 connect(%u, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n",
          w->fd, w->fd, w->fd);
}

static void call_before(struct writing *w, const struct vtcp_event *event)
{
  switch (event->type) {
  case VTCP_OPEN_PASSIVE: listen_call(w); break;
  case VTCP_OPEN_ACTIVE: open_call(w); break;
  case VTCP_CLOSE:
    say_time(w);
    fprintf(w->to, "shutdown(%u, SHUT_WR) = 0\n", w->fd);
    break;
  case VTCP_ABORT:
    say_time(w);
    fprintf(w->to, "setsockopt(%u, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0 close(%u) = 0\n", w->fd,
            w->fd);
    break;
  default: break;
  }
}

static void call_after(struct writing *w, const struct vtcp_event *event, const struct vtcp_actions *a)
{
  if (event->type == VTCP_SEND) {
    say_time(w);
    if (a->error == VTCP_OK)
      fprintf(w->to, "write(%u, ..., %u) = %u\n", w->fd, event->len, event->len);
    else
      fprintf(w->to, "write(%u, ..., %u) = -1 EPIPE (Broken pipe)\n", w->fd, event->len);
  }
  if (event->type == VTCP_RECEIVE && a->consumed > 0) {
    say_time(w);
    fprintf(w->to, "read(%u, ..., %u) = %u\n", w->fd, a->consumed, a->consumed);
  }
  if (a->established && w->conn.origin != VTCP_ACTIVE) {
    w->fd = 3 + w->sockets++;
    say_time(w);
    fprintf(w->to, "accept(%u, ..., ...) = %u\n", w->listening, w->fd);
  }
}

/* --- Steps --- */

static void follow(struct writing *w, const struct vtcp_event *event);

static bool must_wait(struct writing *w, const struct vtcp_event *event)
{
  bool call = event->type == VTCP_SEND || event->type == VTCP_CLOSE;
  if (!call || w->conn.state != VTCP_SYN_RECEIVED || w->conn.origin == VTCP_ACTIVE || w->waiting_count == 4)
    return false;
  fprintf(w->to, "// called before accept(), which a socket cannot: it follows\n");
  w->waiting[w->waiting_count++] = *event;
  return true;
}

static void follow_waiting(struct writing *w)
{
  unsigned count = w->waiting_count;
  w->waiting_count = 0;
  for (unsigned i = 0; i < count; i++)
    follow(w, &w->waiting[i]);
}

static void follow(struct writing *w, const struct vtcp_event *event)
{
  struct vtcp_event now = *event;
  struct vtcp_actions a;
  bool opens = w->conn.state <= VTCP_LISTEN;
  if (must_wait(w, event))
    return;
  if (event->type == VTCP_TIMEOUT) {
    uint64_t deadline = vtcp_deadline(&w->conn);
    w->now = deadline != UINT64_MAX && deadline > w->now ? deadline : w->now;
  }
  now.now = w->now;
  call_before(w, event);
  if (event->type == VTCP_ARRIVES)
    say_segment(w, &event->seg, false);
  vtcp_step(&w->conn, &now, &a);
  if (opens && w->conn.state > VTCP_LISTEN)
    w->iss = w->conn.iss;
  call_after(w, event, &a);
  for (struct vtcp_actions next = a;;
       vtcp_step(&w->conn, &(struct vtcp_event){.type = VTCP_MORE, .now = w->now}, &next)) {
    if (next.send)
      say_segment(w, &next.seg, true);
    if (!next.more)
      break;
  }
  if (a.established)
    follow_waiting(w);
}

static void follow_scene(struct writing *w, uint32_t at)
{
  const struct scene *s = &w->trace->scenes[at];
  if (s->move.kind == MOVE_LOSE || s->move.end != w->end)
    return;
  if (s->outcome.no_number)
    fprintf(w->to, "// a SYN arrives for which the world has no initial sequence number left\n");
  for (uint8_t i = 0; i < s->outcome.step_count; i++) {
    bool forged = s->outcome.acknowledged_for_peer && i == 1;
    if (forged)
      fprintf(w->to, "// two-way handshake: nobody sent this acknowledgment\n");
    if (s->outcome.closed_for_user && s->outcome.steps[i].type == VTCP_CLOSE)
      fprintf(w->to, "// three segments: nobody asked for this\n");
    if (s->outcome.no_wait && i + 1 == s->outcome.step_count)
      fprintf(w->to, "// no TIME-WAIT: it is over at once\n");
    else
      follow(w, &s->outcome.steps[i]);
  }
}

static void say_heading(const struct writing *w)
{
  const struct world *world = w->trace->world;
  fprintf(w->to, "// vtcp explore, %s, as %c sees it: %s (%s)\n", world->name, 'A' + w->end,
          violation_text(w->trace->violation), violation_source(w->trace->violation));
  fprintf(w->to, "--complete=1\n--rcvbuf=%u\n--rcv_mss=%u\n--irs=%u\n--iss=%u\n--nagle=%d\n--rfc1337=%d\n",
          world->buffer, world->mss, world->base[!w->end], world->base[w->end] + world->iss[w->end][0], world->nagle,
          world->rfc1337);
  fprintf(w->to, "--syn_text=1\n--r2=%u\n--msl=%u\n--challenge_acks=255\n--window_scale=0\n--timestamps=0\n--sack=0\n",
          world->config.r2_ms, world->config.msl_ms);
}

bool trace_script(const struct trace *trace, FILE *to)
{
  struct writing w = {.trace = trace, .to = to, .end = trace->victim, .now = 1000000, .told = 1000000};
  w.irs = trace->world->base[!w.end];
  w.iss = trace->world->base[w.end] + trace->world->iss[w.end][0];
  if (vtcp_init(&w.conn, &trace->world->config) != VTCP_CONFIG_OK)
    return false;
  say_heading(&w);
  for (uint32_t i = 0; i < trace->count; i++)
    follow_scene(&w, i);
  fprintf(to, "// here: %s\n", violation_text(trace->violation));
  return ferror(to) == 0;
}
