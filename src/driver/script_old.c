/* What RFC 793 made of resets and SYNs in the window, before RFC 5961, and what some stacks make of a window that is larger
 * than 16 bits can tell: beside the core, which knows neither. Only settings ask for it. SPDX-License-Identifier: MIT */
#include "script_run.h"

/* How far the socket looks beyond RCV.NXT: the window, or the room of its buffer, while it has one. */
static uint32_t reach(const struct run *run, const struct socket *socket)
{
  const struct vtcp_conn *c = &socket->tcb;
  uint32_t room = whole_buffer(&socket->settings, c->snd_mss);
  room = room > socket->readable ? room - socket->readable : 0;
  bool has_buffer = c->state != VTCP_TIME_WAIT && (!socket->child || c->state > VTCP_SYN_RECEIVED);
  return has_buffer && setting(&run->settings, "window_is_buffer") == 1 && room > c->rcv_wnd ? room : c->rcv_wnd;
}

/* A SYN in the window ended a connection, and was answered by a reset (RFC 793, page 71). */
static void end_by_syn(struct run *run, struct socket *socket)
{
  const struct vtcp_conn *c = &socket->tcb;
  struct trip trip = {.us = run->now, .flow = socket->flow, .outbound = true, .tos = socket->tos, .state = VTCP_CLOSED};
  struct vtcp_event abort = {.type = VTCP_ABORT, .now = run->now};
  struct vtcp_actions ignored;
  trip.seg = (struct vtcp_segment){.seq = c->snd_nxt, .ack = c->rcv_nxt, .rst = true, .has_ack = true};
  trip.ttl = socket->ttl != 0 ? socket->ttl : (uint8_t)setting(&socket->settings, "ttl");
  add_trip(run, trip);
  take_edge(run->taken, c->state, VTCP_CLOSED, &abort);
  vtcp_step(&socket->tcb, &abort, &ignored);
  socket->error = socket->connecting ? "ECONNREFUSED" : "ECONNRESET";
  socket->connecting = false;
  socket->at_end = true;
}

/* Whether nothing is left for the core to do. May move the segment's number to where the core takes the old view of it. */
bool old_rules(struct run *run, struct socket *socket, struct vtcp_segment *seg)
{
  const struct vtcp_conn *c = &socket->tcb;
  uint32_t ahead = seg->seq - c->rcv_nxt;
  bool bare = (seg->rst || seg->syn) && seg->len == 0;
  if (c->state < VTCP_SYN_RECEIVED || (c->state == VTCP_TIME_WAIT && seg->rst) || !bare || ahead >= reach(run, socket))
    return false;
  if (seg->rst && setting(&run->settings, "old_rst") == 1) {
    seg->seq = c->rcv_nxt;
  } else if (!seg->rst && setting(&run->settings, "old_syn") == 1 && c->state >= VTCP_ESTABLISHED) {
    end_by_syn(run, socket);
    return true;
  } else if (seg->rst && ahead >= c->rcv_wnd && c->rcv_wnd > 1) {
    seg->seq = c->rcv_nxt + c->rcv_wnd - 1;
  }
  return false;
}
