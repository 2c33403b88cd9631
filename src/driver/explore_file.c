/* Worlds as text: lines of `key value`, which are options, too. SPDX-License-Identifier: MIT */
#include "explore.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 400, WORDS = 40, LARGEST_WORLD = 1 << 16 };

struct words {
  char text[LINE];
  char *at[WORDS];
  unsigned count;
};

static bool fail(struct world_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct world_error *error, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  for (char *c = error->message; *c != '\0'; c++)
    if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
      *c = '?';
  return false;
}

static void split(const char *value, struct words *words)
{
  snprintf(words->text, sizeof words->text, "%s", value);
  words->count = 0;
  for (char *word = strtok(words->text, " \t,"); word != NULL && words->count < WORDS; word = strtok(NULL, " \t,"))
    words->at[words->count++] = word;
}

static bool read_number(const char *word, uint32_t least, uint32_t most, uint32_t *out)
{
  char *end;
  unsigned long long number = strtoull(word, &end, 10);
  if (*word < '0' || *word > '9' || *end != '\0' || strlen(word) > 10 || number < least || number > most)
    return false;
  *out = (uint32_t)number;
  return true;
}

static const char *found(const struct words *words, unsigned at)
{
  return at < words->count ? words->at[at] : "nothing";
}

/* --- Values --- */

static bool set_number(const char *value, uint32_t least, uint32_t most, uint32_t *out, struct world_error *error)
{
  struct words words;
  split(value, &words);
  if (words.count == 1 && read_number(words.at[0], least, most, out))
    return true;
  return fail(error, "expected a number, %u to %u, found %.60s", least, most, words.count == 0 ? "nothing" : value);
}

static bool set_bound(const char *value, uint8_t *out, struct world_error *error)
{
  uint32_t number;
  struct words words;
  split(value, &words);
  if (words.count == 1 && strcmp(words.at[0], "any") == 0) {
    *out = ANY;
    return true;
  }
  if (words.count != 1 || !read_number(words.at[0], 0, 200, &number))
    return fail(error, "expected a number, 0 to 200, or `any`, found %.60s", words.count == 0 ? "nothing" : value);
  *out = (uint8_t)number;
  return true;
}

/* One of two words. */
static bool set_choice(const char *value, const char *no, const char *yes, bool *out, struct world_error *error)
{
  struct words words;
  split(value, &words);
  if (words.count != 1 || (strcmp(words.at[0], no) != 0 && strcmp(words.at[0], yes) != 0))
    return fail(error, "expected `%s` or `%s`, found %.60s", no, yes, words.count == 0 ? "nothing" : value);
  *out = strcmp(words.at[0], yes) == 0;
  return true;
}

/* --- What the users do --- */

static const struct {
  const char *word, *after; /* `wait` has a second word */
  uint8_t kind;
  bool counted;
} call_words[] = {
    {"open", NULL, CALL_OPEN, false},
    {"listen", NULL, CALL_LISTEN, false},
    {"send", NULL, CALL_SEND, true},
    {"close", NULL, CALL_CLOSE, false},
    {"abort", NULL, CALL_ABORT, false},
    {"wait", "established", CALL_WAIT_ESTABLISHED, false},
    {"wait", "text", CALL_WAIT_TEXT, true},
    {"wait", "peer-closed", CALL_WAIT_PEER_CLOSED, false},
    {"wait", "closed", CALL_WAIT_CLOSED, false},
};

enum { CALL_WORDS = sizeof call_words / sizeof *call_words };

void call_text(const struct user_call *call, char *out, size_t room)
{
  for (unsigned i = 0; i < CALL_WORDS; i++) {
    if (call_words[i].kind != call->kind)
      continue;
    snprintf(out, room, "%s%s%s", call_words[i].word, call_words[i].after != NULL ? " " : "",
             call_words[i].after != NULL ? call_words[i].after : "");
    if (call_words[i].counted)
      snprintf(out + strlen(out), room - strlen(out), " %u", call->number);
    return;
  }
  snprintf(out, room, "?");
}

static bool read_call(const struct words *words, unsigned *at, struct user_call *out, struct world_error *error)
{
  for (unsigned i = 0; i < CALL_WORDS; i++) {
    const char *after = call_words[i].after;
    uint32_t number = 0;
    unsigned next = *at + 1 + (after != NULL);
    if (strcmp(words->at[*at], call_words[i].word) != 0)
      continue;
    if (after != NULL && (*at + 1 >= words->count || strcmp(words->at[*at + 1], after) != 0))
      continue;
    if (call_words[i].counted && (next >= words->count || !read_number(words->at[next], 1, MOST_TEXT, &number)))
      return fail(error, "expected how many octets, 1 to %d, after `%s`, found %.40s", MOST_TEXT,
                  after != NULL ? after : call_words[i].word, found(words, next));
    *out = (struct user_call){call_words[i].kind, (uint8_t)number};
    *at = next + call_words[i].counted;
    return true;
  }
  if (strcmp(words->at[*at], "wait") == 0)
    return fail(error, "expected `established`, `text`, `peer-closed` or `closed` after `wait`, found %.40s",
                found(words, *at + 1));
  return fail(error, "expected a call (open, listen, send, close, abort, wait), found %.40s", words->at[*at]);
}

static bool set_calls(struct world *world, int end, const char *value, struct world_error *error)
{
  struct words words;
  unsigned at = 0, text = 0;
  split(value, &words);
  world->call_count[end] = 0;
  while (at < words.count) {
    if (world->call_count[end] == MOST_CALLS)
      return fail(error, "expected at most %d calls, found more", MOST_CALLS);
    struct user_call *call = &world->calls[end][world->call_count[end]++];
    if (!read_call(&words, &at, call, error))
      return false;
    text += call->kind == CALL_SEND ? call->number : 0u;
  }
  return text <= MOST_TEXT ? true : fail(error, "expected at most %d octets to send, found %u", MOST_TEXT, text);
}

static bool set_numbers(struct world *world, const char *value, struct world_error *error)
{
  struct words words;
  split(value, &words);
  if (words.count < 2 || strlen(words.at[0]) != 1 || strchr("ab", words.at[0][0]) == NULL)
    return fail(error, "expected `a` or `b`, and its initial sequence numbers, found %.60s",
                words.count == 0 ? "nothing" : value);
  int end = words.at[0][0] - 'a';
  world->iss_count[end] = 0;
  for (unsigned i = 1; i < words.count; i++) {
    uint32_t number, least = i == 1 ? 0 : (uint32_t)world->iss[end][i - 2] + 1;
    if (world->iss_count[end] == MOST_BIRTHS)
      return fail(error, "expected at most %d initial sequence numbers, found more", MOST_BIRTHS);
    if (!read_number(words.at[i], least, 250, &number))
      return fail(error, "expected a number, %u to 250, found %.40s", least, words.at[i]);
    world->iss[end][world->iss_count[end]++] = (uint8_t)number;
  }
  return true;
}

/* --- Segments of an earlier life: `a syn seq 90`, `b text 2 seq 7 ack 9`... --- */

static bool read_old_part(const struct words *words, unsigned *at, struct vtcp_segment *seg, const uint32_t base[2],
                          struct world_error *error)
{
  const char *word = words->at[(*at)++];
  uint32_t number = 0;
  if (strcmp(word, "syn") == 0)
    return seg->syn = true;
  if (strcmp(word, "fin") == 0)
    return seg->fin = true;
  if (strcmp(word, "rst") == 0)
    return seg->rst = true;
  bool counted = strcmp(word, "text") == 0 || strcmp(word, "seq") == 0 || strcmp(word, "ack") == 0;
  if (!counted)
    return fail(error, "expected syn, fin, rst, text, seq or ack, found %.40s", word);
  if (*at >= words->count || !read_number(words->at[*at], 0, 250, &number))
    return fail(error, "expected a number, 0 to 250, after `%s`, found %.40s", word, found(words, *at));
  (*at)++;
  if (word[0] == 't')
    seg->len = (uint16_t)number;
  else if (word[0] == 's')
    seg->seq = base[0] + number;
  else
    seg->ack = base[1] + number, seg->has_ack = true;
  return true;
}

static bool add_old(struct world *world, const char *value, struct world_error *error)
{
  struct words words;
  split(value, &words);
  if (words.count < 2 || strlen(words.at[0]) != 1 || strchr("ab", words.at[0][0]) == NULL)
    return fail(error, "expected `a` or `b`, whose segment it was, and what it carries, found %.60s",
                words.count == 0 ? "nothing" : value);
  if (world->old_count == MOST_OLD)
    return fail(error, "expected at most %d old segments, found more", MOST_OLD);
  uint8_t from = words.at[0][0] == 'b';
  struct flying *old = &world->old[world->old_count++];
  *old = (struct flying){.to = !from};
  old->seg.seq = world->base[from];
  const uint32_t base[2] = {world->base[from], world->base[!from]};
  for (unsigned at = 1; at < words.count;)
    if (!read_old_part(&words, &at, &old->seg, base, error))
      return false;
  return true;
}

static bool set_attacks(struct world *world, const char *value, struct world_error *error)
{
  static const char *const names[ATTACKS] = {"reset", "syn", "text", "exact-reset"};
  struct words words;
  split(value, &words);
  memset(world->attack, 0, sizeof world->attack);
  if (words.count == 1 && strcmp(words.at[0], "none") == 0)
    return true;
  for (unsigned i = 0; i < words.count; i++) {
    int kind = 0;
    while (kind < ATTACKS && strcmp(words.at[i], names[kind]) != 0)
      kind++;
    if (kind == ATTACKS)
      return fail(error, "expected none, reset, syn, text or exact-reset, found %.40s", words.at[i]);
    world->attack[kind] = true;
  }
  return words.count > 0 ? true : fail(error, "expected none, reset, syn, text or exact-reset, found nothing");
}

/* --- Keys --- */

static const struct {
  const char *key, *help;
} keys[] = {
    {"about", "what it shows"},
    {"a, b", "what each user does: open, listen, send N, close, abort, wait established|text N|peer-closed|closed"},
    {"iss", "a|b N...: initial sequence numbers of each incarnation, counted from `base`"},
    {"base", "where sequence numbers begin (default 4294960000); nothing depends on it"},
    {"old", "a|b [syn] [fin] [rst] [text N] [seq N] [ack N]: a segment of an earlier life that is still on its way"},
    {"loses", "N|any: segments that are lost"},
    {"duplicates", "N|any: segments that arrive twice"},
    {"reorders", "yes|no: whether segments overtake each other"},
    {"holds", "N: segments that are on their way at once; what comes more is lost"},
    {"timeouts", "N|any: timers that expire"},
    {"gives-up", "yes|no: whether an end may come to R2"},
    {"outages", "short|long: whether all may be lost for as long as 2 MSL"},
    {"attacker", "none, or reset, syn, text, exact-reset: what somebody off the path forges"},
    {"attacks", "N|any: how often"},
    {"buffer", "N: octets that each receive buffer holds"},
    {"mss", "N: octets that a segment may carry"},
    {"reads", "at-once|later: when text that came is read"},
    {"nagle", "yes|no"},
    {"rfc1337", "yes|no: whether TIME-WAIT ignores resets"},
    {"handshake", "three-way|two-way: two-way is not RFC 9293"},
    {"close", "four-segments|three-segments: three is not RFC 9293"},
    {"time-wait", "2msl|zero: zero is not RFC 9293"},
};

void world_keys(FILE *to)
{
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    fprintf(to, "  %-12s %s\n", keys[i].key, keys[i].help);
}

static bool set_base(struct world *world, const char *value, struct world_error *error)
{
  uint32_t number, old[2] = {world->base[0], world->base[1]};
  if (!set_number(value, 0, UINT32_MAX, &number, error))
    return false;
  world->base[0] = number;
  world->base[1] = number + 40000;
  for (uint32_t i = 0; i < world->old_count; i++) {
    struct flying *f = &world->old[i];
    uint8_t from = !f->to;
    f->seg.seq += world->base[from] - old[from];
    if (f->seg.has_ack)
      f->seg.ack += world->base[!from] - old[!from];
  }
  return true;
}

static bool set_sizes(struct world *world, const char *key, const char *value, struct world_error *error)
{
  uint32_t number = 0;
  bool fine = true;
  if (strcmp(key, "holds") == 0) {
    fine = set_number(value, 1, MOST_FLYING, &number, error);
    world->holds = (uint8_t)number;
  } else if (strcmp(key, "buffer") == 0) {
    fine = set_number(value, 1, MOST_ROOM, &number, error);
    world->buffer = (uint8_t)number;
  } else {
    fine = set_number(value, 1, 1460, &number, error);
    world->mss = (uint16_t)number;
  }
  return fine;
}

static bool set_reads(struct world *world, const char *value, struct world_error *error)
{
  bool later = false;
  if (!set_choice(value, "at-once", "later", &later, error))
    return false;
  world->reads = later ? READS_LATER : READS_AT_ONCE;
  return true;
}

static bool set_about(struct world *world, const char *value, struct world_error *error)
{
  size_t length = strlen(value);
  if (length >= sizeof world->about)
    return fail(error, "expected at most %zu octets of text, found %zu", sizeof world->about - 1, length);
  memcpy(world->about, value, length + 1);
  for (char *c = world->about; *c != '\0'; c++)
    *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
  return true;
}

bool world_set(struct world *world, const char *key, const char *value, struct world_error *error)
{
  const struct {
    const char *key, *no, *yes;
    bool *to;
  } choices[] = {{"reorders", "no", "yes", &world->reorders},
                 {"gives-up", "no", "yes", &world->gives_up},
                 {"outages", "long", "short", &world->short_outages},
                 {"nagle", "no", "yes", &world->nagle},
                 {"rfc1337", "no", "yes", &world->rfc1337},
                 {"handshake", "three-way", "two-way", &world->two_way},
                 {"close", "four-segments", "three-segments", &world->three_segments},
                 {"time-wait", "2msl", "zero", &world->no_time_wait}};
  const struct {
    const char *key;
    uint8_t *to;
  } bounds[] = {{"loses", &world->loses},
                {"duplicates", &world->duplicates},
                {"timeouts", &world->timeouts},
                {"attacks", &world->attacks}};
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (strcmp(key, choices[i].key) == 0)
      return set_choice(value, choices[i].no, choices[i].yes, choices[i].to, error);
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
    if (strcmp(key, bounds[i].key) == 0)
      return set_bound(value, bounds[i].to, error);
  if (strcmp(key, "a") == 0 || strcmp(key, "b") == 0)
    return set_calls(world, key[0] - 'a', value, error);
  if (strcmp(key, "holds") == 0 || strcmp(key, "buffer") == 0 || strcmp(key, "mss") == 0)
    return set_sizes(world, key, value, error);
  if (strcmp(key, "iss") == 0)
    return set_numbers(world, value, error);
  if (strcmp(key, "base") == 0)
    return set_base(world, value, error);
  if (strcmp(key, "old") == 0)
    return add_old(world, value, error);
  if (strcmp(key, "attacker") == 0)
    return set_attacks(world, value, error);
  if (strcmp(key, "reads") == 0)
    return set_reads(world, value, error);
  if (strcmp(key, "about") == 0)
    return set_about(world, value, error);
  return fail(error, "expected a key (see `vtcp explore --help`), found %.40s", key);
}

/* --- Whole worlds --- */

void world_begin(struct world *world)
{
  memset(world, 0, sizeof *world);
  world->base[0] = 4294960000u;
  world->base[1] = 4294960000u + 40000u;
  for (int e = 0; e < 2; e++) {
    world->iss[e][0] = 0, world->iss[e][1] = 80, world->iss[e][2] = 160;
    world->iss_count[e] = 3;
  }
  world->buffer = 4;
  world->mss = 1460;
  world->holds = 4;
  world->loses = world->duplicates = world->timeouts = world->attacks = ANY;
  world->reorders = true;
  world->rfc1337 = true;
}

static bool read_line(struct world *world, const char *line, struct world_error *error)
{
  char key[32];
  size_t skip = strspn(line, " \t"), length = strcspn(line + skip, " \t");
  if (line[skip] == '\0')
    return true;
  snprintf(key, sizeof key, "%.*s", (int)(length < 31 ? length : 31), line + skip);
  const char *value = line + skip + length;
  return world_set(world, key, value + strspn(value, " \t"), error);
}

bool world_read(struct world *world, const char *path, const char *text, size_t length, struct world_error *error)
{
  error->path = path;
  error->line = 0;
  if (length > LARGEST_WORLD)
    return fail(error, "expected a world of at most %d octets, found %zu", LARGEST_WORLD, length);
  for (size_t at = 0; at < length;) {
    char line[LINE];
    const char *end = memchr(text + at, '\n', length - at);
    size_t whole = end != NULL ? (size_t)(end - text) - at : length - at;
    error->line++;
    if (memchr(text + at, '\0', whole) != NULL)
      return fail(error, "expected text, found an octet that is zero");
    const char *comment = memchr(text + at, '#', whole);
    size_t used = comment != NULL ? (size_t)(comment - (text + at)) : whole;
    while (used > 0 && strchr(" \t\r", text[at + used - 1]) != NULL)
      used--;
    if (used >= sizeof line)
      return fail(error, "expected a line of at most %d octets, found %zu", LINE - 1, used);
    memcpy(line, text + at, used);
    line[used] = '\0';
    if (!read_line(world, line, error))
      return false;
    at += whole + 1;
  }
  return true;
}

/* Whether both users do the same, so that the ends may change places. Not where 0, at which some resets stand wherever
 * numbers begin, is within reach. */
static bool is_symmetric(const struct world *world)
{
  for (int e = 0; e < 2; e++)
    if (0 - world->base[e] < 600)
      return false;
  if (world->call_count[0] != world->call_count[1] || world->iss_count[0] != world->iss_count[1]
      || world->old_count > 0)
    return false;
  for (int i = 0; i < world->call_count[0]; i++)
    if (world->calls[0][i].kind != world->calls[1][i].kind || world->calls[0][i].number != world->calls[1][i].number)
      return false;
  return memcmp(world->iss[0], world->iss[1], world->iss_count[0]) == 0;
}

bool world_finish(struct world *world, struct world_error *error)
{
  error->path = world->name;
  error->line = 0;
  if (world->call_count[0] == 0 && world->call_count[1] == 0)
    return fail(error, "expected calls of `a` or `b`, found none");
  if (world->old_count > world->holds)
    return fail(error, "expected room for %u old segments in the network, found %u", world->old_count, world->holds);
  for (int e = 0; e < 2; e++)
    if (world->iss_count[e] == 0)
      return fail(error, "expected initial sequence numbers of `%c`, found none", 'a' + e);
  world->config = vtcp_config_default();
  world->config.rcv_buf = world->buffer;
  world->config.snd_buf = 4 * MOST_TEXT;
  world->config.rcv_mss = world->mss;
  world->config.nagle = world->nagle;
  world->config.rfc1337 = world->rfc1337;
  world->symmetric = is_symmetric(world);
  return vtcp_config_check(&world->config) == VTCP_CONFIG_OK ? true : fail(error, "unusable configuration");
}

/* --- Back into text --- */

static void print_bound(FILE *to, const char *key, uint8_t bound)
{
  if (bound == ANY)
    fprintf(to, "%-12s any\n", key);
  else
    fprintf(to, "%-12s %u\n", key, bound);
}

static void print_ends(const struct world *world, FILE *to)
{
  for (int e = 0; e < 2; e++) {
    fprintf(to, "%-11c ", 'a' + e);
    for (int i = 0; i < world->call_count[e]; i++) {
      char text[40];
      call_text(&world->calls[e][i], text, sizeof text);
      fprintf(to, "%s%s", i > 0 ? ", " : "", text);
    }
    fprintf(to, "\n");
  }
  for (int e = 0; e < 2; e++) {
    fprintf(to, "%-12s %c", "iss", 'a' + e);
    for (int i = 0; i < world->iss_count[e]; i++)
      fprintf(to, " %u", world->iss[e][i]);
    fprintf(to, "\n");
  }
}

static void print_old(const struct world *world, FILE *to)
{
  for (int i = 0; i < world->old_count; i++) {
    const struct flying *f = &world->old[i];
    fprintf(to, "%-12s %c%s%s%s seq %u", "old", 'a' + !f->to, f->seg.syn ? " syn" : "", f->seg.fin ? " fin" : "",
            f->seg.rst ? " rst" : "", f->seg.seq - world->base[!f->to]);
    if (f->seg.has_ack)
      fprintf(to, " ack %u", f->seg.ack - world->base[f->to]);
    if (f->seg.len > 0)
      fprintf(to, " text %u", f->seg.len);
    fprintf(to, "\n");
  }
}

void world_print(const struct world *world, FILE *to)
{
  static const char *const attacks[ATTACKS] = {" reset", " syn", " text", " exact-reset"};
  if (world->about[0] != '\0')
    fprintf(to, "%-12s %s\n", "about", world->about);
  print_ends(world, to);
  print_old(world, to);
  fprintf(to, "%-12s %u\n", "base", world->base[0]);
  print_bound(to, "loses", world->loses);
  print_bound(to, "duplicates", world->duplicates);
  fprintf(to, "%-12s %s\n%-12s %u\n", "reorders", world->reorders ? "yes" : "no", "holds", world->holds);
  print_bound(to, "timeouts", world->timeouts);
  fprintf(to, "%-12s %s\n%-12s %s\n", "gives-up", world->gives_up ? "yes" : "no", "outages",
          world->short_outages ? "short" : "long");
  fprintf(to, "%-11s ", "attacker");
  bool any = false;
  for (int i = 0; i < ATTACKS; i++)
    if (world->attack[i])
      any = true, fputs(attacks[i], to);
  fprintf(to, "%s\n", any ? "" : " none");
  print_bound(to, "attacks", world->attacks);
  fprintf(to, "%-12s %u\n%-12s %u\n%-12s %s\n", "buffer", world->buffer, "mss", world->mss, "reads",
          world->reads == READS_LATER ? "later" : "at-once");
  fprintf(to, "%-12s %s\n%-12s %s\n", "nagle", world->nagle ? "yes" : "no", "rfc1337", world->rfc1337 ? "yes" : "no");
  fprintf(to, "%-12s %s\n%-12s %s\n%-12s %s\n", "handshake", world->two_way ? "two-way" : "three-way", "close",
          world->three_segments ? "three-segments" : "four-segments", "time-wait",
          world->no_time_wait ? "zero" : "2msl");
}
