/* What becomes of every situation once the network is fair: nothing is lost or doubled any more, what is on its way arrives
 * before a timer expires, and users do what they have to do. Two things must not be: an exchange that goes round for ever
 * (new text would change the situation, so no round brings any), and a rest that leaves somebody waiting.
 *
 * The fair moves make a graph. Its ends are judged by at_rest(). Its rounds are found as strongly connected components
 * (Tarjan), first without timeouts: segments that answer each other for ever. Then with them: a round in which a timer runs
 * all the time and never expires is none, for timers do. The component nearest to the beginning is shown.
 * SPDX-License-Identifier: MIT */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

enum { STRIDE = 4096, FAIR_MOST = MOST_FLYING + 4 };

struct graph {
  struct search *search;
  uint64_t count;              /* situations */
  uint64_t offset[SHARDS + 1]; /* a situation's place: its shard's, and its index */
  uint64_t *first;             /* its first edge; count + 1 of them */
  uint32_t *edges;             /* places */
  uint8_t *clock;              /* of each situation: which timers */
  uint32_t *low, *number, *stack, *path;
  uint64_t *next;
  bool with_timeouts;
};

/* Of a situation: its moves are timeouts, of this end or that (in this order); whose timer runs; it is not judged. */
enum { EXPIRES = 1, RUNS = 4, SPENT = 16, BOTH = 3 };

static uint64_t place_of(const struct graph *g, uint32_t id)
{
  return g->offset[id % SHARDS] + id / SHARDS;
}

static uint32_t id_of(const struct graph *g, uint64_t place)
{
  uint32_t shard = 0;
  while (place >= g->offset[shard + 1])
    shard++;
  return (uint32_t)(place - g->offset[shard]) * SHARDS + shard;
}

/* --- Edges --- */

struct stretch {
  struct graph *graph;
  uint32_t (*found)[FAIR_MOST];
  uint8_t *counts;
  uint64_t begin, end;
};

static bool is_running(const struct vtcp_conn *c)
{
  return c->timer == VTCP_RETRANSMISSION || c->timer == VTCP_PERSIST || c->timer == VTCP_OVERRIDE;
}

static uint32_t follow(const struct graph *g, uint32_t id, uint32_t out[FAIR_MOST], uint8_t *clock)
{
  const struct world *world = g->search->world;
  struct state here, there;
  struct move all[MOST_MOVES];
  struct outcome outcome;
  uint8_t octets[MOST_PACKED];
  uint32_t length, used = 0;
  unpack(world, search_octets(g->search, id, &length), &here);
  uint32_t count = fair_moves(world, &here, all);
  *clock = (uint8_t)(RUNS * is_running(&here.conn[0]) + 2 * RUNS * is_running(&here.conn[1]) + SPENT * here.spent);
  for (uint32_t i = 0; i < count; i++) {
    if (all[i].kind == MOVE_TIMEOUT)
      *clock |= (uint8_t)(EXPIRES << all[i].end);
    there = here;
    make_move(world, &there, all[i], &outcome);
    if (is_left_out(world, &outcome)) {
      *clock |= SPENT;
      continue;
    }
    length = pack(world, &there, octets);
    uint32_t found = search_find(g->search, octets, length);
    if (found != NO_STATE_ID && used < FAIR_MOST)
      out[used++] = (uint32_t)place_of(g, found);
  }
  return used;
}

enum { TASK = 64 };

static void follow_task(void *context, uint32_t number)
{
  struct stretch *s = context;
  uint64_t from = s->begin + (uint64_t)number * TASK, to = from + TASK < s->end ? from + TASK : s->end;
  for (uint64_t place = from; place < to; place++)
    s->counts[place - s->begin] =
        (uint8_t)follow(s->graph, id_of(s->graph, place), s->found[place - s->begin], &s->graph->clock[place]);
}

/* Whether so many octets more are to be had. */
static bool afford(struct search *search, uint64_t octets)
{
  if (search->used + octets > search->memory)
    return false;
  search->used += octets;
  return true;
}

static bool take_stretch(struct graph *g, struct stretch *s, uint64_t *room)
{
  in_parallel(g->search->threads, (uint32_t)((s->end - s->begin + TASK - 1) / TASK), follow_task, s);
  for (uint64_t i = 0; i < s->end - s->begin; i++) {
    uint64_t used = g->first[s->begin + i];
    if (used + s->counts[i] > *room) {
      uint64_t more = *room + *room / 2 + FAIR_MOST;
      uint32_t *edges =
          afford(g->search, (more - *room) * sizeof *edges) ? realloc(g->edges, more * sizeof *edges) : NULL;
      if (edges == NULL)
        return false;
      g->edges = edges;
      *room = more;
    }
    if (s->counts[i] > 0)
      memcpy(g->edges + used, s->found[i], s->counts[i] * sizeof *g->edges);
    g->first[s->begin + i + 1] = used + s->counts[i];
  }
  return true;
}

static bool find_edges(struct graph *g)
{
  struct stretch s = {.graph = g};
  uint64_t room = 0;
  bool fine = true;
  s.found = malloc(STRIDE * sizeof *s.found);
  s.counts = malloc(STRIDE);
  for (s.begin = 0; fine && s.found != NULL && s.counts != NULL && s.begin < g->count; s.begin = s.end) {
    s.end = s.begin + STRIDE < g->count ? s.begin + STRIDE : g->count;
    fine = take_stretch(g, &s, &room);
    show_progress(g->search, "states made fair", s.end, false);
  }
  fine = fine && s.found != NULL && s.counts != NULL;
  free(s.found);
  free(s.counts);
  g->search->fair_edges = fine ? g->first[g->count] : 0;
  return fine;
}

/* --- Which situation lies nearest to the beginning --- */

static uint32_t depth_of(const struct search *search, uint32_t id)
{
  uint32_t depth = 0;
  for (; search_parent(search, id) != NO_STATE_ID; id = search_parent(search, id))
    depth++;
  return depth;
}

struct nearest {
  uint32_t id, depth;
};

static void propose(const struct search *search, struct nearest *best, uint32_t id)
{
  uint32_t depth = depth_of(search, id);
  if (best->id == NO_STATE_ID || depth < best->depth)
    *best = (struct nearest){id, depth};
}

/* --- Ends --- */

static void judge_ends(struct graph *g)
{
  struct search *search = g->search;
  struct nearest best = {NO_STATE_ID, 0};
  for (uint64_t place = 0; place < g->count; place++) {
    struct state state;
    uint32_t length;
    uint8_t victim;
    if (g->first[place] != g->first[place + 1] || (g->clock[place] & SPENT) != 0)
      continue;
    search->rests++;
    uint32_t id = id_of(g, place);
    unpack(search->world, search_octets(search, id, &length), &state);
    if (at_rest(search->world, &state, &victim) != NO_VIOLATION)
      propose(search, &best, id);
  }
  if (best.id != NO_STATE_ID) {
    struct state state;
    uint32_t length;
    unpack(search->world, search_octets(search, best.id, &length), &state);
    search->violation = at_rest(search->world, &state, &search->victim);
    search->from = best.id;
  }
}

/* --- Rounds --- */

enum { UNSEEN = 0 };
#define DONE UINT32_MAX

/* The edges that count: without timeouts, those of a situation whose moves are timeouts do not. */
static uint64_t edges_end(const struct graph *g, uint32_t place)
{
  bool none = !g->with_timeouts && (g->clock[place] & BOTH) != 0;
  return none ? g->first[place] : g->first[place + 1];
}

/* Ends whose timer does not run here, or expires with this edge. */
static uint8_t idle(const struct graph *g, uint32_t place)
{
  return (uint8_t)(~(g->clock[place] / RUNS) & BOTH);
}

static uint8_t expiring(const struct graph *g, uint32_t place, uint64_t edge)
{
  uint8_t expires = g->clock[place] & BOTH;
  if (expires == BOTH)
    return edge == g->first[place] ? 1 : 2;
  return expires;
}

/* Whether a component goes round; its situations lie on the stack, and have this number on, down to `place`. */
static bool goes_round(const struct graph *g, uint32_t place, uint32_t stacked)
{
  uint32_t first = stacked - 1;
  uint8_t mask = g->with_timeouts ? 0 : BOTH;
  bool any = false;
  while (g->stack[first] != place)
    first--;
  for (uint32_t i = first; i < stacked; i++) {
    uint32_t member = g->stack[i];
    mask |= idle(g, member);
    for (uint64_t e = g->first[member]; e < edges_end(g, member); e++) {
      uint32_t to = g->edges[e];
      if (g->number[to] == DONE || g->number[to] < g->number[place])
        continue;
      any = true;
      mask |= expiring(g, member, e);
    }
  }
  return any && mask == BOTH && (g->clock[place] & SPENT) == 0;
}

static uint32_t close_component(struct graph *g, uint32_t place, uint32_t stacked, struct nearest *best)
{
  bool round = goes_round(g, place, stacked);
  for (;;) {
    uint32_t member = g->stack[--stacked];
    g->number[member] = DONE;
    if (round)
      propose(g->search, best, id_of(g, member));
    if (member == place)
      return stacked;
  }
}

static void enter(struct graph *g, uint32_t place, uint32_t *depth, uint32_t *stacked, uint32_t *counter)
{
  g->number[place] = g->low[place] = ++*counter;
  g->next[place] = g->first[place];
  g->path[(*depth)++] = g->stack[(*stacked)++] = place;
}

/* Tarjan's algorithm, with a path of its own instead of recursion. */
static void visit(struct graph *g, uint32_t root, uint32_t *counter, struct nearest *best)
{
  uint32_t depth = 0, stacked = 0;
  enter(g, root, &depth, &stacked, counter);
  while (depth > 0) {
    uint32_t place = g->path[depth - 1];
    if (g->next[place] < edges_end(g, place)) {
      uint32_t to = g->edges[g->next[place]++];
      if (g->number[to] == UNSEEN)
        enter(g, to, &depth, &stacked, counter);
      else if (g->number[to] != DONE && g->number[to] < g->low[place])
        g->low[place] = g->number[to];
      continue;
    }
    if (g->low[place] == g->number[place])
      stacked = close_component(g, place, stacked, best);
    depth--;
    if (depth > 0 && g->number[place] != DONE && g->low[place] < g->low[g->path[depth - 1]])
      g->low[g->path[depth - 1]] = g->low[place];
  }
}

/* --- The shortest way round from a situation to itself, past a rest or an expiry of each timer: breadth first --- */

struct walk {
  uint32_t *queue, *before; /* a situation's place, four times, with what was passed */
  uint64_t used;
};

static void keep_round(struct graph *g, const struct walk *w, uint32_t start, uint32_t last)
{
  uint32_t length = 1;
  for (uint32_t n = last; n != start; n = w->before[n])
    length++;
  g->search->cycle = malloc((length + 1) * sizeof *g->search->cycle);
  if (g->search->cycle == NULL)
    return;
  g->search->cycle_length = length;
  g->search->cycle[length] = id_of(g, start / 4);
  for (uint32_t n = last; length > 0; n = w->before[n])
    g->search->cycle[--length] = id_of(g, n / 4);
}

static void walk_round(struct graph *g, struct walk *w, uint32_t place)
{
  uint32_t start = 4 * place + (g->with_timeouts ? idle(g, place) : BOTH);
  w->queue[w->used++] = start;
  for (uint64_t at = 0; at < w->used && g->search->cycle == NULL; at++) {
    uint32_t from = w->queue[at] / 4;
    for (uint64_t e = g->first[from]; e < edges_end(g, from); e++) {
      uint32_t to = g->edges[e], mask = (w->queue[at] | expiring(g, from, e) | idle(g, to)) & BOTH;
      if (to == place && mask == BOTH) {
        keep_round(g, w, start, w->queue[at]);
        break;
      }
      if (w->before[4 * to + mask] == DONE) {
        w->before[4 * to + mask] = w->queue[at];
        w->queue[w->used++] = 4 * to + mask;
      }
    }
  }
}

static bool find_round(struct graph *g, uint32_t id)
{
  struct walk w = {.used = 0};
  if (g->count < UINT32_MAX / 4 && afford(g->search, g->count * 8 * sizeof *w.queue)) {
    w.queue = malloc((g->count * 4 + 1) * sizeof *w.queue);
    w.before = malloc(g->count * 4 * sizeof *w.before);
  }
  if (w.queue != NULL && w.before != NULL) {
    memset(w.before, 0xff, g->count * 4 * sizeof *w.before);
    walk_round(g, &w, (uint32_t)place_of(g, id));
  }
  free(w.queue);
  free(w.before);
  return g->search->cycle != NULL;
}

static bool find_rounds(struct graph *g)
{
  struct nearest best = {NO_STATE_ID, 0};
  uint32_t counter = 0;
  memset(g->number, 0, g->count * sizeof *g->number);
  for (uint64_t place = 0; place < g->count; place++)
    if (g->number[place] == UNSEEN)
      visit(g, (uint32_t)place, &counter, &best);
  if (best.id == NO_STATE_ID)
    return true;
  g->search->violation = ENDLESS;
  g->search->from = best.id;
  return find_round(g, best.id);
}

static bool find_all_rounds(struct graph *g)
{
  for (int timeouts = 0; timeouts < 2; timeouts++) {
    g->with_timeouts = timeouts == 1;
    if (!find_rounds(g))
      return false;
    if (g->search->violation != NO_VIOLATION)
      return true;
  }
  return true;
}

static bool take_memory(struct graph *g)
{
  if (!afford(g->search, g->count * (4 * sizeof(uint32_t) + 2 * sizeof(uint64_t) + 1)))
    return false;
  g->first = calloc(g->count + 1, sizeof *g->first);
  g->next = malloc(g->count * sizeof *g->next);
  g->number = malloc(g->count * sizeof *g->number);
  g->low = malloc(g->count * sizeof *g->low);
  g->stack = malloc(g->count * sizeof *g->stack);
  g->path = malloc(g->count * sizeof *g->path);
  g->clock = calloc(g->count, 1);
  return g->first != NULL && g->next != NULL && g->number != NULL && g->low != NULL && g->stack != NULL
         && g->path != NULL && g->clock != NULL;
}

bool search_fair(struct search *search)
{
  struct graph g = {.search = search, .count = search_count(search)};
  for (uint32_t s = 0; s < SHARDS; s++)
    g.offset[s + 1] = g.offset[s] + shard_size(search, s);
  bool fine = take_memory(&g) && find_edges(&g);
  if (fine)
    judge_ends(&g);
  if (fine && search->violation == NO_VIOLATION)
    fine = find_all_rounds(&g);
  search->fair_done = fine;
  search->bound = search->bound || !fine;
  show_progress(search, "states made fair", g.count, true);
  free(g.first);
  free(g.next);
  free(g.number);
  free(g.low);
  free(g.stack);
  free(g.path);
  free(g.clock);
  free(g.edges);
  return fine;
}
