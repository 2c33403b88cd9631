/* A counterexample as a connection that was recorded, for whoever draws those: its segments in the order in which they left,
 * where each arrives, and the states behind them. Calls and timeouts are not segments: the ladder has them.
 * SPDX-License-Identifier: MIT */
#include "explore.h"

#include <stdlib.h>

struct recording {
  const struct trace *trace;
  struct connection *conn;
  uint32_t room;
  uint32_t *scene; /* of each packet: the one after which it is on its way */
};

static bool record(struct recording *r, const struct flying *f, uint32_t scene)
{
  struct connection *conn = r->conn;
  if (conn->count == r->room) {
    uint32_t room = r->room == 0 ? 64 : 2 * r->room;
    struct packet *packets = realloc(conn->packets, room * sizeof *packets);
    conn->packets = packets != NULL ? packets : conn->packets;
    uint32_t *scenes = realloc(r->scene, room * sizeof *scenes);
    r->scene = scenes != NULL ? scenes : r->scene;
    if (packets == NULL || scenes == NULL)
      return false;
    r->room = room;
  }
  const struct world *world = r->trace->world;
  uint8_t from = !f->to;
  bool zero = f->seg.rst && f->seg.seq == 0;
  struct packet p = {.number = conn->count + 1, .us = (uint64_t)scene * 1000, .seg = f->seg, .from = from};
  p.start = zero ? 0 : (int32_t)(f->seg.seq - world->base[from]);
  p.end = p.start + f->seg.len + f->seg.syn + f->seg.fin;
  p.ack = f->seg.has_ack ? (int32_t)(f->seg.ack - world->base[f->to]) : 0;
  p.window = f->seg.wnd;
  p.arrives = p.resent = p.cause = NOWHERE;
  r->scene[conn->count] = scene;
  conn->packets[conn->count++] = p;
  conn->side[from].segments++;
  return true;
}

/* The packet that a scene is about: the last of its kind that has left and has not arrived. */
static struct packet *packet_of(struct recording *r, uint32_t scene)
{
  const struct outcome *o = &r->trace->scenes[scene].outcome;
  uint32_t best = NOWHERE;
  for (uint32_t i = 0; i < r->conn->count && r->scene[i] <= scene; i++) {
    struct flying f = {.seg = r->conn->packets[i].seg, .to = !r->conn->packets[i].from};
    f.birth = o->came.birth, f.text = o->came.text;
    if (r->conn->packets[i].arrives == NOWHERE && same_flying(r->trace->world, &f, &o->came))
      best = i;
  }
  return best == NOWHERE ? NULL : &r->conn->packets[best];
}

static bool record_scene(struct recording *r, uint32_t at)
{
  const struct scene *s = &r->trace->scenes[at];
  if (s->move.kind == MOVE_ATTACK && !record(r, &s->outcome.came, at))
    return false;
  bool flew = s->move.kind == MOVE_DELIVER || s->move.kind == MOVE_COPY || s->move.kind == MOVE_ATTACK;
  struct packet *p = flew ? packet_of(r, at) : NULL;
  if (p != NULL) {
    p->arrives = r->conn->count - 1;
    p->marks |= p->arrives > p - r->conn->packets ? (uint32_t)MARK_LATE : 0;
  }
  if (s->move.kind == MOVE_COPY) {
    uint32_t cause = p != NULL ? (uint32_t)(p - r->conn->packets) : NOWHERE;
    if (!record(r, &s->outcome.came, at + 1))
      return false;
    r->conn->packets[r->conn->count - 1].marks |= MARK_DUPLICATE;
    r->conn->packets[r->conn->count - 1].cause = cause;
  }
  for (uint32_t i = 0; i < s->outcome.sent_count; i++)
    if (!record(r, &s->outcome.sent[i], at + 1))
      return false;
  return true;
}

/* The states that both ends are in when the next segment leaves, or at the end. */
static void set_states(struct recording *r)
{
  for (uint32_t i = 0; i < r->conn->count; i++) {
    uint32_t scene = i + 1 < r->conn->count ? r->scene[i + 1] : r->trace->count;
    const struct state *state = scene > 0 ? &r->trace->scenes[scene - 1].after : &r->trace->scenes[0].before;
    r->conn->packets[i].state[0] = state->conn[0].state;
    r->conn->packets[i].state[1] = state->conn[1].state;
  }
}

bool trace_connection(const struct trace *trace, struct connection *conn)
{
  struct recording r = {.trace = trace, .conn = conn};
  *conn = (struct connection){.incarnation = 1};
  bool fine = trace->count > 0;
  for (uint32_t i = 0; fine && i < trace->world->old_count; i++)
    fine = record(&r, &trace->world->old[i], 0);
  for (uint32_t i = 0; fine && i < trace->count; i++)
    fine = record_scene(&r, i);
  if (fine)
    set_states(&r);
  for (int e = 0; e < 2; e++) {
    conn->side[e].endpoint = (struct endpoint){.address = {192, 0, 2, (uint8_t)(e + 1)}, .port = 7000, .version = 4};
    conn->side[e].isn = trace->world->base[e];
    conn->side[e].isn_known = conn->side[e].present = conn->side[e].scale_known = true;
    conn->side[e].fin = conn->side[e].fin_end = -1;
  }
  free(r.scene);
  return fine;
}
