/* `vtcp explore`: all behaviours of two connections. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "explore.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: vtcp explore [OPTION...] [WORLD | FILE] [--KEY VALUE...]\n"
    "\n"
    "Visits every situation that two connections and the network between them can come to, breadth first, and says "
    "that\n"
    "nothing ever goes wrong in this world, or how it does: the shortest way there, as a ladder. Then asks what "
    "becomes\n"
    "of each situation once the network is fair. Both ends are the shipped core.\n"
    "\n"
    "  --list         the worlds that come with the program (default: old-syn)\n"
    "  --print        the world as text: save it, change it, and name the file\n"
    "  --script FILE  the counterexample as a script for `vtcp replay`\n"
    "  --svg FILE     the counterexample as a picture\n"
    "  --json         the result as one JSON object\n"
    "  --ascii        no line drawing (default: by locale)\n"
    "  --threads N    1 to 64 (default: 1); the result is the same\n"
    "  --memory MB    end when more is needed (default: 1024)\n"
    "  --progress     show progress (default: if standard error is a terminal)\n"
    "  --no-fair      do not ask what becomes of situations in a fair network\n"
    "\n"
    "A world is a file of lines `key value`, # begins a comment; each key is an option, too (--handshake two-way):\n"
    "\n";

static const char exits[] =
    "\n"
    "JSON: {vtcp, command, world, about, states, transitions, depth, seconds, exhaustive, fair, violation, source, "
    "victim,\n"
    "cycle_from, steps: [{step, what, end, act or segment: {from, to, flags, seq, ack, len, window}, sent_in, sends: "
    "[...],\n"
    "a_state, b_state, remarks}]}. Numbers count from where each end began; sent_in 0 is an earlier life.\n"
    "\n"
    "Exit status: 0 every situation was seen and nothing is wrong, 1 a counterexample, 2 the "
    "memory was not enough, or\n"
    "the world cannot be used.\n";

struct explore_options {
  const char *script, *svg;
  unsigned threads;
  uint32_t memory;
  bool json, ascii, progress, no_fair, print;
};

static int unusable(const char *why, const char *about)
{
  fprintf(stderr, "vtcp explore: %s%s\n", why, about);
  return EXIT_UNUSABLE;
}

static int bad_world(const struct world_error *error)
{
  fputs("vtcp explore: ", stderr);
  for (const char *c = error->path != NULL ? error->path : "options"; *c != '\0'; c++)
    fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, stderr);
  if (error->line > 0)
    fprintf(stderr, ":%u", error->line);
  fprintf(stderr, ": %s\n", error->message);
  return EXIT_UNUSABLE;
}

/* --- Which world --- */

static const struct named_world *named(const char *name)
{
  for (size_t i = 0; i < named_world_count; i++)
    if (strcmp(named_worlds[i].name, name) == 0)
      return &named_worlds[i];
  return NULL;
}

static void list_worlds(void)
{
  for (size_t i = 0; i < named_world_count; i++) {
    const char *about = named_worlds[i].text + strcspn(named_worlds[i].text, " ");
    about += strspn(about, " ");
    printf("  %-12s %.*s\n", named_worlds[i].name, (int)strcspn(about, "\n"), about);
  }
}

static int read_file(struct world *world, const char *path, struct world_error *error)
{
  static char text[(1 << 16) + 2];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "vtcp explore: no world %s: %s (see `vtcp explore --list`)\n", path, strerror(errno));
    return EXIT_UNUSABLE;
  }
  size_t length = fread(text, 1, sizeof text, file);
  bool failed = ferror(file) != 0;
  fclose(file);
  if (failed)
    return unusable(path, ": cannot be read");
  return world_read(world, path, text, length, error) ? EXIT_FINE : bad_world(error);
}

static int choose_world(struct world *world, const char *name, struct world_error *error)
{
  const struct named_world *known = named(name);
  world_begin(world);
  snprintf(world->name, sizeof world->name, "%s", name);
  if (known == NULL)
    return read_file(world, name, error);
  return world_read(world, known->name, known->text, strlen(known->text), error) ? EXIT_FINE : bad_world(error);
}

/* --- What was found --- */

static void print_counts(const struct search *search, double seconds, FILE *to)
{
  fprintf(to, "  %llu states, %llu transitions, depth %u, %.2f s, %.0f MB\n", (unsigned long long)search->states,
          (unsigned long long)search->transitions, search->depth, seconds, (double)search->used / 1e6);
  if (search->fair_done)
    fprintf(to, "  fair network: %llu moves, %llu rests\n", (unsigned long long)search->fair_edges,
            (unsigned long long)search->rests);
  if (search->full > 0)
    fprintf(to, "  note: %llu moves found the network full (it holds %u): %s\n", (unsigned long long)search->full,
            search->world->holds, search->world->loses == ANY ? "what they sent was lost" : "they were left out");
  if (search->no_number > 0)
    fprintf(to, "  note: %llu SYNs found no initial sequence number left, and were not taken\n",
            (unsigned long long)search->no_number);
}

static bool is_fair_asked(const struct world *world, const struct explore_options *options)
{
  return !options->no_fair && world->timeouts == ANY;
}

static void print_verdict(const struct search *search, const struct explore_options *options)
{
  const struct world *world = search->world;
  if (search->violation != NO_VIOLATION)
    printf("  violation\n");
  else if (search->unfit != NULL)
    printf("  not exhaustive: %s\n", search->unfit);
  else if (search->bound)
    printf("  not exhaustive: %u MB are not enough (--memory)\n", options->memory);
  else if (search->fair_done)
    printf("  no violation, exhaustively: whatever happens, and in the end if the network is fair\n");
  else
    printf("  no violation, exhaustively; a fair network was not asked about%s\n",
           world->timeouts != ANY ? " (timeouts are bounded)" : "");
}

static int write_script(const struct trace *trace, const char *path)
{
  FILE *file = fopen(path, "w");
  bool fine = file != NULL && trace_script(trace, file);
  if (file != NULL && fclose(file) != 0)
    fine = false;
  if (fine)
    return EXIT_FINE;
  fprintf(stderr, "vtcp explore: %s: %s\n", path, strerror(errno));
  return EXIT_UNUSABLE;
}

static int tell(struct search *search, const struct explore_options *options, double seconds)
{
  struct trace trace = {0};
  bool violated = search->violation != NO_VIOLATION;
  int status = violated ? EXIT_FINDING : search->bound || search->unfit != NULL ? EXIT_UNUSABLE : EXIT_FINE;
  if (violated && !trace_make(search, &trace)) {
    trace_free(&trace);
    return unusable("the way to the violation cannot be found again", "");
  }
  if (options->json) {
    trace_json(search, violated ? &trace : NULL, seconds, stdout);
  } else {
    printf("%s: %s\n", search->world->name, search->world->about);
    print_counts(search, seconds, stdout);
    print_verdict(search, options);
    if (violated)
      putchar('\n'), trace_ladder(&trace, options->ascii, stdout);
  }
  fflush(stdout);
  if (status == EXIT_UNUSABLE)
    unusable("not every situation was seen", "");
  if (violated && options->script != NULL && write_script(&trace, options->script) != EXIT_FINE)
    status = EXIT_UNUSABLE;
  if (violated && options->svg != NULL && !trace_picture(&trace, options->svg))
    status = EXIT_UNUSABLE;
  trace_free(&trace);
  return status;
}

static int explore(const struct world *world, const struct explore_options *options)
{
  struct search search = {.world = world, .threads = options->threads, .progress = options->progress};
  struct timespec a, b;
  search.memory = (uint64_t)options->memory << 20;
  clock_gettime(CLOCK_MONOTONIC, &a);
  if (!search_all(&search)) {
    search_free(&search);
    return unusable("no memory", "");
  }
  if (search.violation == NO_VIOLATION && !search.bound && search.unfit == NULL && is_fair_asked(world, options))
    search_fair(&search);
  clock_gettime(CLOCK_MONOTONIC, &b);
  int status = tell(&search, options, (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec));
  search_free(&search);
  return status;
}

/* --- Options --- */

static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
  char *end;
  unsigned long long number = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || number < least || number > most)
    return false;
  *out = (uint32_t)number;
  return true;
}

/* 1: done, 0: not one of these, -1: wrong. */
static int read_flag(const char *option, struct explore_options *options)
{
  const struct {
    const char *name;
    bool *to;
  } flags[] = {{"--json", &options->json},
               {"--ascii", &options->ascii},
               {"--progress", &options->progress},
               {"--no-fair", &options->no_fair},
               {"--print", &options->print}};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
    if (strcmp(option, flags[i].name) == 0)
      return *flags[i].to = true;
  return 0;
}

static int read_setting(const char *key, const char *value, struct explore_options *options)
{
  uint32_t number = 0;
  const struct {
    const char *name;
    const char **to;
  } files[] = {{"script", &options->script}, {"svg", &options->svg}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (strcmp(key, files[i].name) == 0) {
      *files[i].to = value;
      return 1;
    }
  if (strcmp(key, "threads") != 0 && strcmp(key, "memory") != 0)
    return 0;
  bool threads = key[0] == 't';
  if (!read_number(value, 1, threads ? 64 : 1 << 20, &number)) {
    fprintf(stderr, "vtcp explore: --%s: expected a number, 1 to %d, found %.40s\n", key, threads ? 64 : 1 << 20,
            value);
    return -1;
  }
  if (threads)
    options->threads = number;
  else
    options->memory = number;
  return 1;
}

struct pairs {
  char *key[64], *value[64];
  unsigned count;
};

/* `--key value` or `--key=value`. What belongs to the world is kept for later. */
static bool read_pair(int count, char **arguments, int *at, struct explore_options *options, struct pairs *pairs)
{
  char *key = arguments[*at] + 2, *equals = strchr(key, '='), *value;
  if (equals != NULL) {
    *equals = '\0';
    value = equals + 1;
  } else if (*at + 1 < count) {
    value = arguments[++*at];
  } else {
    fprintf(stderr, "vtcp explore: --%s: expected a value, found the end (see `vtcp explore --help`)\n", key);
    return false;
  }
  int done = read_setting(key, value, options);
  if (done == 0 && pairs->count < 64) {
    pairs->key[pairs->count] = key;
    pairs->value[pairs->count++] = value;
  }
  return done >= 0;
}

static int run(const char *name, const struct explore_options *options, const struct pairs *pairs)
{
  static struct world world;
  struct world_error error = {0};
  int status = choose_world(&world, name, &error);
  if (status != EXIT_FINE)
    return status;
  for (unsigned i = 0; i < pairs->count; i++) {
    char where[48];
    snprintf(where, sizeof where, "--%.40s", pairs->key[i]);
    error = (struct world_error){.path = where};
    if (!world_set(&world, pairs->key[i], pairs->value[i], &error))
      return bad_world(&error);
  }
  if (!world_finish(&world, &error))
    return bad_world(&error);
  if (options->print) {
    world_print(&world, stdout);
    return EXIT_FINE;
  }
  return explore(&world, options);
}

int command_explore(int count, char **arguments)
{
  struct explore_options options = {.threads = 1, .memory = 1024, .progress = isatty(STDERR_FILENO) != 0};
  struct pairs pairs = {.count = 0};
  const char *name = NULL;
  setlocale(LC_CTYPE, "");
  options.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
  for (int i = 0; i < count; i++) {
    if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
      fputs(help, stdout);
      world_keys(stdout);
      fputs(exits, stdout);
      return EXIT_FINE;
    }
    if (strcmp(arguments[i], "--list") == 0) {
      list_worlds();
      return EXIT_FINE;
    }
    if (strncmp(arguments[i], "--", 2) != 0) {
      if (name != NULL)
        return unusable("expected one world, found also ", arguments[i]);
      name = arguments[i];
    } else if (!read_flag(arguments[i], &options) && !read_pair(count, arguments, &i, &options, &pairs)) {
      return EXIT_UNUSABLE;
    }
  }
  return run(name != NULL ? name : "old-syn", &options, &pairs);
}
