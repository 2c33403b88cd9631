/* Worlds of `vtcp explore`, from arbitrary octets: the input is the world, and its octets choose a way through it.
 *
 * Invariants:
 *   1. Nothing outside the text and the model is read or written (ASan), and reading comes to an end.
 *   2. A world that is refused has a message, and a line of the text unless it is about the whole; one that is not prints a
 *      world that prints the same.
 *   3. Every situation fits into its octets, is the same when it is read back, and has the same octets again; or the model
 *      says that it does not fit.
 *   4. Whatever the world, connections satisfy their invariant, send what they were given to send, store what arrived, and
 *      answer a segment once, and no reset with a reset. */
#define _DEFAULT_SOURCE
#include <stdbool.h>
#include <string.h>

#include "../src/driver/explore.h"
#include "holds.h"

enum { LONGEST = 4096, STEPS = 60 };

static char *printed(const struct world *world, size_t *length)
{
  char *text = NULL;
  FILE *file = open_memstream(&text, length);
  HOLDS("memory", file != NULL);
  world_print(world, file);
  HOLDS("memory", fclose(file) == 0);
  return text;
}

static void check_printed(const struct world *world)
{
  static struct world again;
  struct world_error error = {0};
  size_t length, other;
  char *text = printed(world, &length);
  world_begin(&again);
  HOLDS("printed", world_read(&again, "printed", text, length, &error) && world_finish(&again, &error));
  char *twice = printed(&again, &other);
  HOLDS("printed", length == other && memcmp(text, twice, length) == 0);
  free(text);
  free(twice);
}

static void check_outcome(const struct outcome *outcome)
{
  HOLDS("record", outcome->violation != BAD_RECORD);
  HOLDS("sent", outcome->violation != BAD_TEXT_SENT);
  HOLDS("stored", outcome->violation != BAD_STORE);
  HOLDS("one_answer", outcome->violation != MANY_ANSWERS);
  HOLDS("no_rst_for_rst", outcome->violation != RESET_ANSWERED);
}

/* False: it does not fit. */
static bool check_packed(const struct world *world, struct state *state)
{
  static struct state again;
  uint8_t octets[MOST_PACKED], twice[MOST_PACKED];
  uint32_t length = pack(world, state, octets);
  if (length == 0)
    return false;
  unpack(world, octets, &again);
  HOLDS("packed", pack(world, &again, twice) == length && memcmp(octets, twice, length) == 0);
  for (int e = 0; e < 2 && !world->symmetric; e++)
    HOLDS("whole", same_record(&again.conn[e], &state->conn[e]));
  *state = again;
  return true;
}

static void walk(const struct world *world, uint64_t seed)
{
  static struct state state;
  static struct outcome outcome;
  struct move all[MOST_MOVES];
  state_begin(world, &state);
  for (int i = 0; i < STEPS && check_packed(world, &state); i++) {
    uint32_t count = moves(world, &state, all);
    if (count == 0)
      return;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    make_move(world, &state, all[(seed >> 33) % count], &outcome);
    check_outcome(&outcome);
    if (outcome.unfit || outcome.violation != NO_VIOLATION || is_left_out(world, &outcome))
      return;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct world world;
  struct world_error error = {0};
  if (size > LONGEST)
    return 0;
  char *text = malloc(size + (size == 0));
  HOLDS("memory", text != NULL);
  memcpy(text, data, size);
  world_begin(&world);
  bool fine = world_read(&world, "input", text, size, &error);
  unsigned lines = 1;
  for (size_t i = 0; i < size; i++)
    lines += text[i] == '\n';
  HOLDS("line", fine || error.line <= lines);
  fine = fine && world_finish(&world, &error);
  HOLDS("message", fine || error.message[0] != '\0');
  free(text);
  if (!fine)
    return 0;
  check_printed(&world);
  uint64_t seed = 14695981039346656037u;
  for (size_t i = 0; i < size; i++)
    seed = (seed ^ data[i]) * 1099511628211u;
  walk(&world, seed);
  return 0;
}
