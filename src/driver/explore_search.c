/* All situations of a world, breadth first. What is found does not depend on the number of threads: situations are divided
 * into shards by a hash, a level is taken in batches of a fixed size, threads work out what follows from each part of a
 * batch, and then each shard takes up what is its own, in the order of the batch. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "explore.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 1 << 20, BLOCKS = 4096, PART = 64, PARTS = 64, SHARD_BITS = 4 };

struct slot {
  uint32_t hash, index; /* index + 1; 0: empty */
};

struct shard {
  uint8_t *blocks[BLOCKS];
  uint32_t block_count, block_used;
  uint32_t *at;     /* where the octets are: two for their length, then they */
  uint32_t *parent; /* the situation that it was first reached from */
  uint32_t count, room;
  struct slot *slots;
  uint32_t slot_mask;
  uint32_t level; /* first of the present level */
  uint64_t used;
  bool broke; /* no memory */
};

/* What follows from a part of a batch: records of hash, parent, length, octets. */
struct part {
  uint8_t *octets;
  size_t length, room;
  uint64_t transitions, full, no_number;
  bool broke;
  enum violation violation;
  uint8_t victim;
  uint32_t from;
  struct move last;
  const char *unfit;
};

struct record {
  uint64_t hash;
  uint32_t parent, length;
};

struct batch {
  struct search *search;
  uint32_t shard, first, count; /* of the situations that it takes */
  struct part parts[PARTS];
};

/* --- Threads --- */

struct pool {
  void (*task)(void *context, uint32_t number);
  void *context;
  uint32_t tasks;
  atomic_uint next;
};

static void *work(void *argument)
{
  struct pool *pool = argument;
  for (;;) {
    uint32_t number = atomic_fetch_add(&pool->next, 1);
    if (number >= pool->tasks)
      return NULL;
    pool->task(pool->context, number);
  }
}

void in_parallel(unsigned threads, uint32_t tasks, void (*task)(void *context, uint32_t number), void *context)
{
  struct pool pool = {.task = task, .context = context, .tasks = tasks};
  pthread_t started[64];
  unsigned count = 0;
  atomic_init(&pool.next, 0);
  while (count + 1 < threads && count + 1 < tasks && count < 64
         && pthread_create(&started[count], NULL, work, &pool) == 0)
    count++;
  work(&pool);
  for (unsigned i = 0; i < count; i++)
    pthread_join(started[i], NULL);
}

/* --- One shard --- */

static uint64_t hash_of(const uint8_t *octets, uint32_t length)
{
  uint64_t h = 0x9E3779B97F4A7C15u ^ length;
  for (uint32_t i = 0; i < length; i++)
    h = (h ^ octets[i]) * 0x100000001B3u;
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

static const uint8_t *octets_at(const struct shard *s, uint32_t index, uint32_t *length)
{
  const uint8_t *octets = s->blocks[s->at[index] / BLOCK] + s->at[index] % BLOCK;
  *length = (uint32_t)octets[0] | (uint32_t)octets[1] << 8;
  return octets + 2;
}

static bool is_it(const struct shard *s, uint32_t index, const uint8_t *octets, uint32_t length)
{
  uint32_t other;
  const uint8_t *own = octets_at(s, index, &other);
  return other == length && memcmp(own, octets, length) == 0;
}

/* Its slot, or the empty one where it belongs. */
static struct slot *slot_of(const struct shard *s, uint64_t hash, const uint8_t *octets, uint32_t length)
{
  uint32_t short_hash = (uint32_t)(hash >> 32);
  for (uint32_t i = (uint32_t)(hash >> SHARD_BITS) & s->slot_mask;; i = (i + 1) & s->slot_mask) {
    struct slot *slot = &s->slots[i];
    if (slot->index == 0 || (slot->hash == short_hash && is_it(s, slot->index - 1, octets, length)))
      return slot;
  }
}

static bool grow_slots(struct shard *s)
{
  uint32_t count = s->slots == NULL ? 1024 : 2 * (s->slot_mask + 1);
  struct slot *slots = calloc(count, sizeof *slots), *old = s->slots;
  uint32_t old_count = old == NULL ? 0 : s->slot_mask + 1;
  if (slots == NULL)
    return false;
  s->slots = slots;
  s->slot_mask = count - 1;
  for (uint32_t i = 0; i < old_count; i++) {
    uint32_t length;
    if (old[i].index == 0)
      continue;
    const uint8_t *octets = octets_at(s, old[i].index - 1, &length);
    *slot_of(s, hash_of(octets, length), octets, length) = old[i];
  }
  free(old);
  s->used += (uint64_t)(count - old_count) * sizeof *slots;
  return true;
}

static bool grow_lists(struct shard *s)
{
  uint32_t room = s->room == 0 ? 1024 : s->room + s->room / 2;
  uint32_t *at = realloc(s->at, room * sizeof *at);
  s->at = at != NULL ? at : s->at;
  uint32_t *parent = realloc(s->parent, room * sizeof *parent);
  s->parent = parent != NULL ? parent : s->parent;
  if (at == NULL || parent == NULL)
    return false;
  s->used += (uint64_t)(room - s->room) * 2 * sizeof *at;
  s->room = room;
  return true;
}

static bool keep_octets(struct shard *s, const uint8_t *octets, uint32_t length)
{
  if (s->block_count == 0 || s->block_used + length + 2 > BLOCK) {
    if (s->block_count == BLOCKS || (s->blocks[s->block_count] = malloc(BLOCK)) == NULL)
      return false;
    s->block_count++;
    s->block_used = 0;
    s->used += BLOCK;
  }
  uint8_t *to = s->blocks[s->block_count - 1] + s->block_used;
  s->at[s->count] = (s->block_count - 1) * (uint32_t)BLOCK + s->block_used;
  to[0] = (uint8_t)length;
  to[1] = (uint8_t)(length >> 8);
  memcpy(to + 2, octets, length);
  s->block_used += length + 2;
  return true;
}

static void take_up(struct shard *s, const struct record *record, const uint8_t *octets)
{
  bool ready = !s->broke && (s->slots != NULL || grow_slots(s));
  if (!ready || ((uint64_t)s->count * 4 >= (uint64_t)s->slot_mask * 3 && !grow_slots(s))) {
    s->broke = true;
    return;
  }
  struct slot *slot = slot_of(s, record->hash, octets, record->length);
  if (slot->index != 0)
    return;
  if ((s->count == s->room && !grow_lists(s)) || s->count >= UINT32_MAX / SHARDS - 1
      || !keep_octets(s, octets, record->length)) {
    s->broke = true;
    return;
  }
  s->parent[s->count++] = record->parent;
  *slot = (struct slot){(uint32_t)(record->hash >> 32), s->count};
}

/* --- What follows from a situation --- */

static void add_record(struct part *part, const struct record *record, const uint8_t *octets)
{
  size_t size = sizeof *record + record->length;
  if (part->length + size > part->room) {
    size_t room = 2 * part->room + size + 4096;
    uint8_t *more = realloc(part->octets, room);
    if (more == NULL) {
      part->broke = true;
      return;
    }
    part->octets = more;
    part->room = room;
  }
  memcpy(part->octets + part->length, record, sizeof *record);
  memcpy(part->octets + part->length + sizeof *record, octets, record->length);
  part->length += size;
}

/* Reading the octets back gives the situation, apart from the order of segments: nothing was left out of them. */
static bool packs_whole(const struct world *world, const struct state *state, const uint8_t *octets, uint32_t length)
{
  struct state again;
  uint8_t twice[MOST_PACKED];
  unpack(world, octets, &again);
  bool same = pack(world, &again, twice) == length && memcmp(octets, twice, length) == 0;
  if (world->symmetric)
    return same;
  for (int e = 0; e < 2; e++)
    same = same && same_record(&again.conn[e], &state->conn[e]);
  for (uint32_t i = 0; i < state->flying_count; i++)
    same = same && !state->flying[i].seg.has_ts && !state->flying[i].seg.has_uto && !state->flying[i].seg.urg;
  return same;
}

static void follow(struct search *search, uint32_t id, struct part *part)
{
  const struct world *world = search->world;
  struct state here, there;
  struct move all[MOST_MOVES];
  struct outcome outcome;
  uint8_t octets[MOST_PACKED];
  uint32_t length;
  unpack(world, search_octets(search, id, &length), &here);
  uint32_t count = moves(world, &here, all);
  for (uint32_t i = 0; i < count && part->violation == NO_VIOLATION && part->unfit == NULL; i++) {
    there = here;
    make_move(world, &there, all[i], &outcome);
    part->transitions++;
    part->full += outcome.full;
    part->no_number += outcome.no_number;
    if (is_left_out(world, &outcome))
      continue;
    if (outcome.violation != NO_VIOLATION) {
      part->violation = outcome.violation;
      part->victim = outcome.victim;
      part->from = id;
      part->last = all[i];
      return;
    }
    struct record record = {.parent = id, .length = pack(world, &there, octets)};
    if (outcome.unfit)
      part->unfit = outcome.unfit_why;
    else if (record.length == 0 || !packs_whole(world, &there, octets, record.length))
      part->unfit = "a situation holds something that this model has no place for";
    record.hash = hash_of(octets, record.length);
    if (part->unfit == NULL)
      add_record(part, &record, octets);
  }
}

static void follow_part(void *context, uint32_t number)
{
  struct batch *batch = context;
  struct part *part = &batch->parts[number];
  uint32_t first = number * PART, last = first + PART < batch->count ? first + PART : batch->count;
  for (uint32_t i = first; i < last && part->violation == NO_VIOLATION && part->unfit == NULL && !part->broke; i++)
    follow(batch->search, (batch->first + i) * SHARDS + batch->shard, part);
}

static void take_up_part(void *context, uint32_t shard)
{
  struct batch *batch = context;
  for (uint32_t p = 0; p < PARTS; p++) {
    const struct part *part = &batch->parts[p];
    for (size_t at = 0; at < part->length;) {
      struct record record;
      memcpy(&record, part->octets + at, sizeof record);
      at += sizeof record;
      if (record.hash % SHARDS == shard)
        take_up(&batch->search->shards[shard], &record, part->octets + at);
      at += record.length;
    }
  }
}

/* The first part that has something to say has the say. False: the search is over. */
static bool sum_up(struct batch *batch)
{
  struct search *search = batch->search;
  for (uint32_t p = 0; p < PARTS; p++) {
    struct part *part = &batch->parts[p];
    search->transitions += part->transitions;
    search->full += part->full;
    search->no_number += part->no_number;
    search->bound = search->bound || part->broke;
    if (part->unfit != NULL)
      search->unfit = part->unfit;
    if (part->violation != NO_VIOLATION) {
      search->violation = part->violation;
      search->victim = part->victim;
      search->from = part->from;
      search->last = part->last;
      search->has_last = true;
    }
    if (part->unfit != NULL || part->violation != NO_VIOLATION)
      break;
  }
  search->states = search_count(search);
  search->used = 0;
  for (uint32_t s = 0; s < SHARDS; s++) {
    search->used += search->shards[s].used;
    search->bound = search->bound || search->shards[s].broke;
  }
  search->bound = search->bound || search->used > search->memory;
  return search->violation == NO_VIOLATION && search->unfit == NULL && !search->bound;
}

static bool take_batch(struct batch *batch)
{
  struct search *search = batch->search;
  for (uint32_t p = 0; p < PARTS; p++) {
    struct part *part = &batch->parts[p];
    uint8_t *octets = part->octets;
    size_t room = part->room;
    *part = (struct part){.octets = octets, .room = room};
  }
  unsigned threads = batch->count > PART ? search->threads : 1;
  in_parallel(threads, (batch->count + PART - 1) / PART, follow_part, batch);
  in_parallel(threads, SHARDS, take_up_part, batch);
  show_progress(search, "states", search_count(search), false);
  return sum_up(batch);
}

static bool take_level(struct batch *batch, const uint32_t *ends)
{
  for (batch->shard = 0; batch->shard < SHARDS; batch->shard++) {
    uint32_t level = batch->search->shards[batch->shard].level;
    for (batch->first = level; batch->first < ends[batch->shard]; batch->first += batch->count) {
      uint32_t left = ends[batch->shard] - batch->first;
      batch->count = left < PART * PARTS ? left : PART * PARTS;
      if (!take_batch(batch))
        return false;
    }
  }
  return true;
}

static void begin(struct search *search)
{
  struct state state;
  uint8_t octets[MOST_PACKED];
  state_begin(search->world, &state);
  struct record record = {.parent = NO_STATE_ID, .length = pack(search->world, &state, octets)};
  record.hash = hash_of(octets, record.length);
  take_up(&search->shards[record.hash % SHARDS], &record, octets);
}

/* False: no memory to begin with. */
bool search_all(struct search *search)
{
  struct batch *batch = calloc(1, sizeof *batch);
  search->shards = calloc(SHARDS, sizeof *search->shards);
  if (batch == NULL || search->shards == NULL) {
    free(batch);
    return false;
  }
  batch->search = search;
  begin(search);
  for (bool more = true; more;) {
    uint32_t ends[SHARDS];
    uint64_t before = search_count(search);
    for (uint32_t s = 0; s < SHARDS; s++)
      ends[s] = search->shards[s].count;
    if (!take_level(batch, ends))
      break;
    for (uint32_t s = 0; s < SHARDS; s++)
      search->shards[s].level = ends[s];
    more = search_count(search) > before;
    search->depth += more;
  }
  search->states = search_count(search);
  show_progress(search, "states", search->states, true);
  for (uint32_t p = 0; p < PARTS; p++)
    free(batch->parts[p].octets);
  free(batch);
  return true;
}

void search_free(struct search *search)
{
  for (uint32_t s = 0; search->shards != NULL && s < SHARDS; s++) {
    struct shard *shard = &search->shards[s];
    for (uint32_t i = 0; i < shard->block_count; i++)
      free(shard->blocks[i]);
    free(shard->at);
    free(shard->parent);
    free(shard->slots);
  }
  free(search->shards);
  free(search->cycle);
}

/* --- Questions --- */

uint64_t search_count(const struct search *search)
{
  uint64_t count = 0;
  for (uint32_t s = 0; s < SHARDS; s++)
    count += search->shards[s].count;
  return count;
}

uint32_t shard_size(const struct search *search, uint32_t shard)
{
  return search->shards[shard].count;
}

const uint8_t *search_octets(const struct search *search, uint32_t id, uint32_t *length)
{
  return octets_at(&search->shards[id % SHARDS], id / SHARDS, length);
}

uint32_t search_parent(const struct search *search, uint32_t id)
{
  return search->shards[id % SHARDS].parent[id / SHARDS];
}

uint32_t search_find(const struct search *search, const uint8_t *octets, uint32_t length)
{
  uint64_t hash = hash_of(octets, length);
  uint32_t shard = (uint32_t)(hash % SHARDS);
  const struct shard *s = &search->shards[shard];
  if (s->slots == NULL)
    return NO_STATE_ID;
  const struct slot *slot = slot_of(s, hash, octets, length);
  return slot->index == 0 ? NO_STATE_ID : (slot->index - 1) * SHARDS + shard;
}

/* One line that is written over, at most four times a second. */
void show_progress(struct search *search, const char *what, uint64_t done, bool last)
{
  static struct timespec shown, started;
  struct timespec present;
  if (!search->progress)
    return;
  clock_gettime(CLOCK_MONOTONIC, &present);
  if (started.tv_sec == 0)
    started = present;
  double since = (double)(present.tv_sec - shown.tv_sec) + 1e-9 * (double)(present.tv_nsec - shown.tv_nsec);
  double all = (double)(present.tv_sec - started.tv_sec) + 1e-9 * (double)(present.tv_nsec - started.tv_nsec);
  if (!last && since < 0.25)
    return;
  shown = present;
  fprintf(stderr, "\r  %12llu %s, depth %u, %.0f MB, %.0f s%s", (unsigned long long)done, what, search->depth,
          (double)search->used / 1e6, all, last ? "\r\033[K" : " ");
  fflush(stderr);
}
