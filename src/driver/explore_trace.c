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

/* --- Copies that nobody needs --- */

/* The same move in a situation where segments may lie elsewhere. */
static bool find_again(const struct trace *trace, const struct state *state, const struct scene *scene,
                       struct move *out)
{
  *out = scene->move;
  if (scene->move.kind != MOVE_DELIVER && scene->move.kind != MOVE_COPY && scene->move.kind != MOVE_LOSE)
    return true;
  for (uint8_t i = 0; i < state->flying_count; i++)
    if (same_flying(trace->world, &state->flying[i], &scene->outcome.came)) {
      out->at = i;
      return true;
    }
  return false;
}

static bool can_make(const struct world *world, const struct state *state, struct move move)
{
  struct move all[MOST_MOVES];
  uint32_t count = moves(world, state, all);
  for (uint32_t i = 0; i < count; i++)
    if (all[i].kind == move.kind && all[i].end == move.end && all[i].at == move.at)
      return true;
  return false;
}

static bool is_wrong_still(const struct trace *trace, const struct state *state, const struct outcome *outcome)
{
  struct move all[MOST_MOVES];
  uint8_t victim = 0;
  if (outcome->violation != NO_VIOLATION)
    return outcome->violation == trace->violation && outcome->victim == trace->victim;
  return fair_moves(trace->world, state, all) == 0 && at_rest(trace->world, state, &victim) == trace->violation
         && victim == trace->victim;
}

/* The same way, but that this copy is none: whether it ends the same. */
static bool goes_without(const struct trace *trace, uint32_t copy, struct trace *simpler)
{
  struct state state = trace->scenes[0].before;
  *simpler = *trace;
  simpler->scenes = NULL;
  simpler->count = 0;
  for (uint32_t i = 0; i < trace->count; i++) {
    struct move move;
    if (!find_again(trace, &state, &trace->scenes[i], &move))
      return false;
    move.kind = i == copy ? MOVE_DELIVER : move.kind;
    if (!can_make(trace->world, &state, move) || !add_scene(simpler, &state, move))
      return false;
    const struct scene *made = &simpler->scenes[i];
    bool last = i + 1 == trace->count;
    if (is_left_out(trace->world, &made->outcome) || (!last && made->outcome.violation != NO_VIOLATION))
      return false;
    state = made->after;
  }
  return is_wrong_still(trace, &state, &simpler->scenes[simpler->count - 1].outcome);
}

static void simplify(struct trace *trace)
{
  for (uint32_t i = 0; i < trace->count; i++) {
    struct trace simpler;
    if (trace->scenes[i].move.kind != MOVE_COPY)
      continue;
    if (goes_without(trace, i, &simpler)) {
      simpler.cycle_from = simpler.count;
      trace_free(trace);
      *trace = simpler;
    } else {
      trace_free(&simpler);
    }
  }
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
  if (fine && search->cycle_length == 0)
    simplify(trace);
  return fine;
}

void trace_free(struct trace *trace)
{
  free(trace->scenes);
}
