/* Scripts in packetdrill's language, from arbitrary octets. The input is the script.
 *
 * Invariants:
 *   1. Nothing outside the text and the socket layer's buffers is read or written (ASan), and every run comes to an end.
 *   2. A script that does not pass has a message, a line of the text that it is about, and a reason; the endpoint never sends
 *      text that was not written at that place of the stream, and never delivers text that did not arrive there.
 *   3. The same script again does the same: the same verdict, message, segments, at the same times. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/driver/script_run.h"
#include "holds.h"

enum { LONGEST = 8192 };

struct outcome {
  enum verdict verdict;
  uint32_t line, trips;
  uint64_t sum;
  char message[MESSAGE];
};

/* Of all segments, with their times. */
static uint64_t sum_of(const struct run *run)
{
  uint64_t sum = 14695981039346656037u;
  for (uint32_t i = 0; i < run->trip_count; i++) {
    const struct trip *t = &run->trips[i];
    const uint64_t parts[] = {t->us, t->seg.seq, t->seg.ack, t->seg.wnd, t->seg.len, t->outbound, t->state};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
      sum = (sum ^ parts[k]) * 1099511628211u;
  }
  return sum;
}

static struct outcome outcome_of(const char *text, size_t size)
{
  struct script script = {.path = "input"};
  struct run run = {.script = &script};
  struct outcome outcome;
  memset(&outcome, 0, sizeof outcome);
  settings_default(&run.settings);
  script_parse(&script, text, size);
  if (script.verdict == VERDICT_PASSED)
    script_run(&run);
  outcome.verdict = script.verdict;
  outcome.line = script.line;
  outcome.trips = run.trip_count;
  outcome.sum = sum_of(&run);
  memcpy(outcome.message, script.message, sizeof outcome.message);
  HOLDS("reason", script.verdict == VERDICT_PASSED || (script.reason != NULL && script.message[0] != '\0'));
  HOLDS("text", script.reason == NULL || strcmp(script.reason, "text") != 0 || script.verdict == VERDICT_UNSUPPORTED);
  world_free(&run);
  script_free(&script);
  return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size > LONGEST)
    return 0;
  char *text = malloc(size + (size == 0));
  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  struct outcome first = outcome_of(text, size), second = outcome_of(text, size);
  uint32_t lines = 1;
  for (size_t i = 0; i < size; i++)
    lines += text[i] == '\n';
  HOLDS("line", first.verdict == VERDICT_PASSED || (first.line >= 1 && first.line <= lines));
  HOLDS("again", first.verdict == second.verdict && first.line == second.line && first.trips == second.trips
                     && first.sum == second.sum && strcmp(first.message, second.message) == 0);
  free(text);
  return 0;
}
