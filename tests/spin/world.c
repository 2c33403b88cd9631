/* SPDX-License-Identifier: MIT */
#include "../../src/driver/explore.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

unsigned char situation[ROOM];
static struct world world;
static int wrong;

static void keep(const struct state *state)
{
  unsigned char octets[MOST_PACKED];
  uint32_t length = pack(&world, state, octets);
  memset(situation, 0, sizeof situation);
  if (length == 0 || length > sizeof situation)
    wrong = 1;
  else
    memcpy(situation, octets, length);
}

void world_opens(void)
{
  const char *name = getenv("WORLD");
  struct world_error error = {0};
  struct state state;
  world_begin(&world);
  for (size_t i = 0; i < named_world_count; i++)
    if (name != NULL && strcmp(named_worlds[i].name, name) == 0)
      world_read(&world, name, named_worlds[i].text, strlen(named_worlds[i].text), &error);
  if (getenv("HANDSHAKE") != NULL)
    world_set(&world, "handshake", getenv("HANDSHAKE"), &error);
  if (!world_finish(&world, &error))
    wrong = 1;
  state_begin(&world, &state);
  keep(&state);
}

static bool make(int number, struct state *state, struct outcome *outcome)
{
  struct move all[MOST_MOVES];
  unpack(&world, situation, state);
  uint32_t count = moves(&world, state, all);
  if (count > MOVES)
    wrong = 1;
  if ((uint32_t)number >= count)
    return false;
  make_move(&world, state, all[number], outcome);
  return !is_left_out(&world, outcome);
}

int world_has(int number)
{
  struct state state;
  struct outcome outcome;
  return make(number, &state, &outcome);
}

void world_makes(int number)
{
  struct state state;
  struct outcome outcome;
  make(number, &state, &outcome);
  wrong = wrong || outcome.violation != NO_VIOLATION || outcome.unfit;
  keep(&state);
}

int world_is_wrong(void)
{
  return wrong;
}
