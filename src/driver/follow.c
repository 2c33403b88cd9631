/* A connection is judged piece by piece, so that what is kept of it stays bounded: each packet with LOOK packets before it in
 * view and at least LOOK behind it, which tell what came of it. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "work.h"

#include <stdlib.h>
#include <string.h>

enum { NEAR = 64 };

static struct work *work_of(struct connection *conn)
{
  if (conn->work != NULL)
    return conn->work;
  conn->work = calloc(1, sizeof *conn->work);
  if (conn->work == NULL)
    out_of_memory();
  for (int side = 0; side < 2; side++) {
    conn->work->progress[side].acked = conn->work->said[side].covered = -1;
    conn->work->book[side] = (struct book){.fin = -1, .acked = -1, .acked_with_text = -1, .edge = -1};
  }
  return conn->work;
}

/* Judges the packets before `until`; those behind it are looked at. */
static void follow_until(struct connection *conn, uint32_t until, bool more)
{
  struct work *work = work_of(conn);
  uint32_t placed = more && conn->count > until + NEAR ? conn->count - NEAR : conn->count;
  if (until <= work->done || conn->count == 0)
    return;
  places(conn, placed);
  if (!more && work->progress[0].hole_count + work->progress[1].hole_count > 0)
    conn->gap_seen = true;
  timeline(conn, until, more);
  replay(conn, until);
  judge(conn, until);
  work->done = until;
}

bool follow_is_due(const struct connection *conn)
{
  uint32_t done = conn->work != NULL ? conn->work->done : 0;
  return conn->count - done >= 2 * LOOK + NEAR;
}

bool follow_may_part(const struct connection *conn, uint32_t index)
{
  return conn->work == NULL || index >= conn->work->placed;
}

void follow_on(struct connection *conn)
{
  if (follow_is_due(conn))
    follow_until(conn, work_of(conn)->done + LOOK, true);
}

void follow_to_the_end(struct connection *conn, bool more)
{
  follow_until(conn, conn->count, more);
}

void follow_unjudged(struct connection *conn)
{
  struct work *work = work_of(conn);
  places(conn, conn->count);
  timeline(conn, conn->count, false);
  free(work);
  conn->work = NULL;
}

static void rebase(uint32_t *index, uint32_t by)
{
  if (*index != NOWHERE)
    *index = *index >= by ? *index - by : NOWHERE;
}

static void remember(struct work *work, const struct packet *p)
{
  struct said *said = &work->said[p->from];
  if ((p->marks & (MARK_FOREIGN | MARK_DUPLICATE)) != 0)
    return;
  if (p->end > said->sent)
    said->sent = p->end;
  int64_t covered = p->seg.rst ? work->said[!p->from].sent : p->seg.has_ack ? p->ack : -1;
  if (covered > said->covered)
    said->covered = covered;
}

/* Judged packets are no longer looked at, but for the last `keep` and those that may still be delivered. */
static void look_away(struct connection *conn, uint32_t keep)
{
  struct work *work = conn->work;
  for (; work->base + keep < work->done; work->base++) {
    const struct packet *p = &conn->packets[work->base];
    if (p->arrives != NOWHERE && p->arrives >= work->done)
      return;
    remember(work, p);
  }
}

static void drop_text(struct packet *p, uint64_t *text_kept)
{
  if (p->text != NULL)
    *text_kept -= text_size(p->text);
  free(p->text);
  p->text = NULL;
}

static void rebase_machine(struct machine *m, uint32_t by)
{
  uint32_t left = 0;
  for (uint32_t i = 0; i < m->held_count; i++)
    if (m->held[i] >= by)
      m->held[left++] = m->held[i] - by;
  m->held_count = left;
  rebase(&m->answered, by);
}

static void rebase_all(struct connection *conn, uint32_t by)
{
  struct work *work = conn->work;
  for (uint32_t i = 0; i < conn->count; i++) {
    struct packet *p = &conn->packets[i];
    uint32_t *indices[] = {&p->arrives, &p->resent, &p->cause, &p->first_arrival, &p->last_arrival, &p->next_arrival};
    for (size_t k = 0; k < sizeof indices / sizeof *indices; k++)
      rebase(indices[k], by);
  }
  for (uint32_t i = 0; i < conn->finding_count; i++)
    conn->findings[i].packet = conn->findings[i].packet > by ? conn->findings[i].packet - by : 0;
  for (int side = 0; side < 2; side++) {
    rebase(&conn->side[side].last_speech, by);
    rebase_machine(&work->run.side[side], by);
    work->latest[side] = work->latest[side] > by ? work->latest[side] - by : 0;
  }
  rebase(&conn->second_syn, by);
}

/* Judged packets: of all but the last `keep` the text goes, and the packets themselves if they are not to be shown. How many. */
uint32_t follow_forget(struct connection *conn, uint32_t keep, uint64_t *text_kept)
{
  struct work *work = conn->work;
  if (work == NULL)
    return 0;
  look_away(conn, keep);
  uint32_t gone = work->base;
  for (; work->texts < gone; work->texts++)
    drop_text(&conn->packets[work->texts], text_kept);
  if (conn->kept_whole || gone == 0)
    return 0;
  conn->count -= gone;
  memmove(conn->packets, conn->packets + gone, conn->count * sizeof *conn->packets);
  if (conn->count == 0) {
    free(conn->packets);
    conn->packets = NULL;
    conn->room = 0;
  }
  conn->forgotten += gone;
  work->placed -= gone;
  work->done -= gone;
  work->base = work->texts = 0;
  rebase_all(conn, gone);
  return gone;
}

/* What is only needed to go on. */
void follow_free(struct connection *conn, uint64_t *text_kept)
{
  for (uint32_t i = 0; i < conn->count; i++)
    drop_text(&conn->packets[i], text_kept);
  if (conn->work != NULL)
    for (int side = 0; side < 2; side++)
      free(conn->work->run.side[side].held);
  free(conn->work);
  conn->work = NULL;
}
