/* `vtcp replay script.pkt...`: scripts, one by one, and what became of them all. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "script_run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST = 1 << 24, DEEPEST = 16, REASONS = 256 };

struct tally {
  uint32_t verdicts[VERDICTS], lenient;
  struct reason {
    enum verdict verdict;
    char text[96];
    uint32_t count;
  } reasons[REASONS];
  uint32_t reason_count;
};

/* --- One script --- */

static char *read_file(const char *path, size_t *length)
{
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t room = 0;
  *length = 0;
  if (file == NULL)
    return NULL;
  for (;;) {
    if (*length == room) {
      room = room == 0 ? 1 << 16 : 2 * room;
      char *more = room <= 2 * LARGEST ? realloc(text, room) : NULL;
      if (more == NULL) {
        errno = EFBIG;
        break;
      }
      text = more;
    }
    size_t got = fread(text + *length, 1, room - *length, file);
    *length += got;
    if (got == 0 && !ferror(file)) {
      fclose(file);
      return text;
    }
    if (got == 0)
      break;
  }
  free(text);
  fclose(file);
  return NULL;
}

static void count(struct tally *tally, const struct script *script)
{
  const char *reason = script->reason;
  tally->verdicts[script->verdict]++;
  if (script->verdict == VERDICT_PASSED)
    return;
  for (uint32_t i = 0; i < tally->reason_count; i++)
    if (tally->reasons[i].verdict == script->verdict
        && strncmp(tally->reasons[i].text, reason, sizeof tally->reasons[i].text - 1) == 0) {
      tally->reasons[i].count++;
      return;
    }
  if (tally->reason_count == REASONS)
    return;
  struct reason *new = &tally->reasons[tally->reason_count++];
  new->verdict = script->verdict;
  new->count = 1;
  snprintf(new->text, sizeof new->text, "%s", reason);
}

/* A script that fails because of something that it asked for and did not get has not been put to the test. */
static void reconsider(struct run *run)
{
  struct script *script = run->script;
  if (script->verdict != VERDICT_FAILED || run->reservation == NULL)
    return;
  char message[MESSAGE];
  snprintf(message, sizeof message, "%.200s (line %u: %.150s)", run->reservation, script->line, script->message);
  memcpy(script->message, message, sizeof message);
  script->verdict = VERDICT_UNSUPPORTED;
  script->line = run->reservation_line;
  script->reason = run->reservation;
}

static void run_script(struct script *script, const struct script_options *options, struct tally *tally)
{
  struct run run = {.script = script, .settings = options->settings};
  if (script->verdict == VERDICT_PASSED)
    script_run(&run);
  reconsider(&run);
  report_run(&run, options);
  tally->lenient += script->verdict == VERDICT_PASSED && run.not_compared != 0;
  count(tally, script);
  world_free(&run);
}

static int replay_script(const char *path, const struct script_options *options, struct tally *tally)
{
  struct script script = {.path = path};
  size_t length;
  char *text = read_file(path, &length);
  if (text == NULL) {
    fprintf(stderr, "vtcp: %s: %s\n", path, strerror(errno));
    return EXIT_UNUSABLE;
  }
  for (uint32_t i = 0; i < options->define_count; i++)
    script_define(&script, options->defines[i]);
  script_parse(&script, text, length);
  run_script(&script, options, tally);
  enum verdict verdict = script.verdict;
  script_free(&script);
  free(text);
  return verdict == VERDICT_PASSED ? EXIT_FINE : verdict == VERDICT_FAILED ? EXIT_FINDING : EXIT_UNUSABLE;
}

/* Runs it for the edges of the state diagram that its sockets take; how it went, with a message in `said`. */
enum verdict script_edges(const char *path, uint16_t taken[STATES], char *said, size_t room)
{
  struct script script = {.path = path};
  struct run run = {.script = &script};
  size_t length;
  char *text = read_file(path, &length);
  if (text == NULL) {
    snprintf(said, room, "%s", strerror(errno));
    return VERDICT_UNREADABLE;
  }
  settings_default(&run.settings);
  script_parse(&script, text, length);
  if (script.verdict == VERDICT_PASSED)
    script_run(&run);
  for (int state = 0; state < STATES; state++)
    taken[state] |= run.taken[state];
  enum verdict verdict = script.verdict;
  snprintf(said, room, "line %u: %s", script.line, script.message);
  world_free(&run);
  script_free(&script);
  free(text);
  return verdict;
}

/* --- Directories --- */

static bool ends_in_pkt(const char *path)
{
  size_t length = strlen(path);
  return length > 4 && strcmp(path + length - 4, ".pkt") == 0;
}

static bool is_directory(const char *path)
{
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

bool is_script(const char *path)
{
  return ends_in_pkt(path) || is_directory(path);
}

static int wanted(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static int worse(int a, int b)
{
  return a > b ? a : b;
}

static uint32_t run_count(const struct tally *tally)
{
  uint32_t all = 0;
  for (int i = 0; i < VERDICTS; i++)
    all += tally->verdicts[i];
  return all;
}

static int replay_path(const char *path, const struct script_options *options, struct tally *tally, unsigned depth)
{
  struct dirent **entries;
  int status = EXIT_FINE;
  if (!is_directory(path))
    return replay_script(path, options, tally);
  uint32_t before = run_count(tally);
  int found = scandir(path, &entries, wanted, alphasort);
  if (found < 0) {
    fprintf(stderr, "vtcp: %s: %s\n", path, strerror(errno));
    return EXIT_UNUSABLE;
  }
  for (int i = 0; i < found; i++) {
    size_t room = strlen(path) + strlen(entries[i]->d_name) + 2;
    char *inner = malloc(room);
    if (inner != NULL) {
      snprintf(inner, room, "%s/%s", path, entries[i]->d_name);
      if (depth < DEEPEST && is_script(inner))
        status = worse(status, replay_path(inner, options, tally, depth + 1));
      free(inner);
    }
    free(entries[i]);
  }
  free(entries);
  if (depth == 0 && run_count(tally) == before) {
    fprintf(stderr, "vtcp: %s: is a directory, and holds no script\n", path);
    return EXIT_UNUSABLE;
  }
  return status;
}

static int by_count(const void *a, const void *b)
{
  const struct reason *left = a, *right = b;
  if (left->verdict != right->verdict)
    return left->verdict < right->verdict ? -1 : 1;
  if (left->count != right->count)
    return left->count > right->count ? -1 : 1;
  return strcmp(left->text, right->text);
}

static void print_tally(struct tally *tally)
{
  const uint32_t *v = tally->verdicts;
  printf("%u scripts: %u passed, %u failed, %u unsupported, %u unreadable\n", run_count(tally), v[VERDICT_PASSED],
         v[VERDICT_FAILED], v[VERDICT_UNSUPPORTED], v[VERDICT_UNREADABLE]);
  if (tally->lenient > 0)
    printf("  of those that passed, %u without comparing options that are not implemented\n", tally->lenient);
  qsort(tally->reasons, tally->reason_count, sizeof *tally->reasons, by_count);
  for (uint32_t i = 0; i < tally->reason_count; i++)
    printf("  %-12s %5u  %s\n", verdict_text(tally->reasons[i].verdict), tally->reasons[i].count,
           tally->reasons[i].text);
}

int replay_scripts(int argument_count, char **paths, const struct script_options *options)
{
  struct tally tally = {0};
  int status = EXIT_FINE;
  for (int i = 0; i < argument_count; i++)
    status = worse(status, replay_path(paths[i], options, &tally, 0));
  if (options->summary)
    print_tally(&tally);
  return status;
}
