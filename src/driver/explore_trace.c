/* How a violation comes about: the moves that lead to it, made again one by one. SPDX-License-Identifier: MIT */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

static bool add_scene(struct trace *trace, const struct state *state, struct move move)
{
  struct scene *more = realloc(trace->scenes, (trace->count + 1) * sizeof *more);
  if (more == NULL)
    return false;
  trace->scenes = more;
  struct scene *scene = &more[trace->count++];
  memset(scene, 0, sizeof *scene);
  scene->move = move;
  scene->before = scene->after = *state;
  make_move(trace->world, &scene->after, move, &scene->outcome);
  return true;
}

/* The move that leads from this situation to one with these octets. */
static bool step_to(const struct search *search, struct trace *trace, struct state *state, uint32_t id, bool fair)
{
  struct move all[MOST_MOVES];
  uint8_t octets[MOST_PACKED];
  uint32_t length;
  const uint8_t *wanted = search_octets(search, id, &length);
  uint32_t count = fair ? fair_moves(search->world, state, all) : moves(search->world, state, all);
  for (uint32_t i = 0; i < count; i++) {
    struct state next = *state;
    struct outcome outcome;
    make_move(search->world, &next, all[i], &outcome);
    if (is_left_out(search->world, &outcome) || pack(search->world, &next, octets) != length
        || memcmp(octets, wanted, length) != 0)
      continue;
    if (!add_scene(trace, state, all[i]))
      return false;
    *state = trace->scenes[trace->count - 1].after;
    return true;
  }
  return false;
}

/* The move that violates, as it is called here: where the ends may change places, it is looked for. */
static bool step_last(const struct search *search, struct trace *trace, const struct state *state)
{
  struct move all[MOST_MOVES];
  uint32_t count = moves(search->world, state, all);
  for (uint32_t i = 0; i < count; i++) {
    struct state next = *state;
    struct outcome outcome;
    make_move(search->world, &next, all[i], &outcome);
    if (outcome.violation != search->violation)
      continue;
    trace->victim = outcome.victim;
    return add_scene(trace, state, all[i]);
  }
  return false;
}

bool trace_make(struct search *search, struct trace *trace)
{
  uint32_t length = 0, at = search->from, *path;
  struct state state;
  *trace = (struct trace){.world = search->world, .violation = search->violation, .victim = search->victim};
  for (uint32_t id = at; id != NO_STATE_ID; id = search_parent(search, id))
    length++;
  path = malloc(length * sizeof *path);
  if (path == NULL)
    return false;
  for (uint32_t i = length; i > 0; at = search_parent(search, at))
    path[--i] = at;
  state_begin(search->world, &state);
  bool fine = true;
  for (uint32_t i = 1; fine && i < length; i++)
    fine = step_to(search, trace, &state, path[i], false);
  free(path);
  if (fine && search->has_last)
    fine = step_last(search, trace, &state);
  trace->cycle_from = trace->count;
  for (uint32_t i = 1; fine && i <= search->cycle_length; i++)
    fine = step_to(search, trace, &state, search->cycle[i], true);
  if (search->cycle_length == 0)
    trace->cycle_from = trace->count;
  if (fine && !search->has_last && search->cycle_length == 0)
    at_rest(search->world, &state, &trace->victim);
  return fine;
}

void trace_free(struct trace *trace)
{
  free(trace->scenes);
}
