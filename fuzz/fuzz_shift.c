/* The core does not know where on the circle its numbers lie, nor when time began. The input is fuzz_step's. The same events,
 * moved, go to the same connection three times:
 *
 *   1. numbers   our sequence numbers moved by one constant and the peer's by another: the record and the actions are those
 *                of the connection that was not moved, moved. What means no number stays: the zeros of a record that holds
 *                nothing, and of a reset that answers a segment without ACK (RFC 9293, 3.10.7.1).
 *   2. times     the clock moved: all times are moved, and nothing else. What means no time stays: zeros of a record that
 *                never took one, and UINT64_MAX, for never. Only where no time reaches the end of the clock.
 *   3. fresh     a connection that has ended and begins again is like one that begins for the first time.
 *
 * Both constants come from the input, so that one of the connections can stand at the edge of the circle. */
#include <stdbool.h>
#include <string.h>

#include "../include/vtcp.h"
#include "../tests/laws.c"
#include "events.h"
#include "holds.h"

enum { LONGEST = 4096 };
#define BEGINNING (UINT64_C(1) << 40) /* so far that no clock that runs back comes near the zero of a record */
#define LATEST (UINT64_MAX / 4)

struct move {
  uint32_t ours, peers;
  uint64_t time;
};

static uint64_t later_by(uint64_t time, uint64_t by)
{
  return time == 0 || time == NEVER ? time : time + by;
}

static void move_times(struct vtcp_conn *c, uint64_t by)
{
  c->timer_at = later_by(c->timer_at, by);
  c->progress_at = later_by(c->progress_at, by);
  c->rtt_at = later_by(c->rtt_at, by);
  c->challenge_at = later_by(c->challenge_at, by);
}

static struct vtcp_conn moved(const struct vtcp_conn *from, const struct move *by)
{
  struct vtcp_conn c = *from;

  if (c.state <= VTCP_LISTEN)
    return c;
  move_times(&c, by->time);
  c.iss += by->ours;
  c.snd_una += by->ours;
  c.snd_nxt += by->ours;
  c.snd_rtx += by->ours;
  c.rtt_seq += c.rtt_at != 0 ? by->ours : 0; /* something was measured, once */
  if (c.state == VTCP_SYN_SENT)
    return c;
  c.snd_wl1 += by->peers;
  c.snd_wl2 += by->ours;
  c.irs += by->peers;
  c.rcv_nxt += by->peers;
  return c;
}

static struct vtcp_event moved_event(const struct vtcp_event *from, const struct move *by)
{
  struct vtcp_event e = *from;

  e.now += by->time;
  e.iss += by->ours;
  if (e.type == VTCP_ICMP)
    e.seg.seq += by->ours;
  if (e.type != VTCP_ARRIVES)
    return e;
  e.seg.seq += by->peers;
  e.seg.ack += e.seg.has_ack ? by->ours : 0;
  return e;
}

static struct vtcp_actions moved_actions(const struct vtcp_actions *from, const struct vtcp_event *e,
                                         const struct move *by)
{
  struct vtcp_actions a = *from;
  bool without_number = a.seg.rst && e->type == VTCP_ARRIVES && !e->seg.has_ack;

  if (!a.send)
    return a;
  a.seg.seq += without_number ? 0 : by->ours;
  a.seg.ack += a.seg.has_ack ? by->peers : 0;
  return a;
}

static void stop_at(const char *law, const char *what, const char *field)
{
  fprintf(stderr, "%s does not hold: %s differs in the %s\n", law, field, what);
  abort();
}

/* Where `c` went with `e`, its twin goes, moved. */
static void follows(const char *law, const struct move *by, const struct vtcp_event *e, const struct vtcp_conn *c,
                    const struct vtcp_actions *a, struct vtcp_conn *twin)
{
  struct vtcp_event of_twin = moved_event(e, by);
  struct vtcp_actions made, expected = moved_actions(a, e, by);
  struct vtcp_conn meant = moved(c, by);

  vtcp_step(twin, &of_twin, &made);
  const char *field = actions_difference(&expected, &made);
  if (field != NULL)
    stop_at(law, "actions", field);
  field = first_difference(&meant, twin);
  if (field != NULL)
    stop_at(law, "record", field);
}

struct world {
  struct vtcp_conn conn, elsewhere, later;
  struct vtcp_config cfg;
  struct move numbers, times;
  struct scene scene;
};

/* Over: what a later connection finds here must be what a first one finds. */
static void check_over(const struct world *w)
{
  struct vtcp_conn fresh;

  memset(&fresh, 0xa5, sizeof fresh);
  HOLDS("fresh", vtcp_init(&fresh, &w->cfg) == VTCP_CONFIG_OK);
  const char *field = first_difference(&fresh, &w->conn);
  if (field != NULL)
    stop_at("fresh", "record", field);
}

static void takes(struct world *w, const struct vtcp_event *e, struct vtcp_actions *a)
{
  vtcp_step(&w->conn, e, a);
  follows("numbers", &w->numbers, e, &w->conn, a, &w->elsewhere);
  follows("times", &w->times, e, &w->conn, a, &w->later);
  if (w->conn.state == VTCP_CLOSED)
    check_over(w);
}

static void becomes_child(struct world *w, const struct vtcp_event *e)
{
  struct vtcp_conn child;
  struct vtcp_actions a;

  vtcp_child(&w->conn, &child);
  w->conn = w->elsewhere = w->later = child;
  w->cfg = child.cfg;
  takes(w, e, &a);
}

static void send_all(struct world *w)
{
  struct vtcp_event more = {.now = w->scene.now, .type = VTCP_MORE};
  struct vtcp_actions a = {.more = true};

  for (int i = 0; i < 100 && a.more; i++)
    takes(w, &more, &a);
}

static void one_event(struct input *in, struct world *w)
{
  struct vtcp_event e;
  struct vtcp_actions a = {0};
  unsigned kind = choose_event(in, &w->scene, &w->conn, &e);

  if (w->scene.now > LATEST)
    return;
  if (kind == ALL_MORE) {
    send_all(w);
    return;
  }
  if (kind == THE_OTHER)
    return;
  struct vtcp_conn listener = w->conn;
  takes(w, &e, &a);
  if (a.spawn && same_conn(&listener, &w->conn))
    becomes_child(w, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input in = {data, 0, size < LONGEST ? size : LONGEST};
  struct world w;

  memset(&w, 0, sizeof w);
  w.cfg = choose_config(&in);
  w.scene.iss = next32(&in);
  w.scene.peer_iss = next32(&in);
  w.scene.now = BEGINNING;
  /* from just below the edge, where seeds begin, to the middle and beyond */
  w.numbers.ours = UINT32_C(0x80000123) - w.scene.iss;
  w.numbers.peers = UINT32_C(0x7ffffff0) + (uint32_t)size * UINT32_C(0x9e3779b9);
  w.times.time = LATEST / (1 + size % 7) + size;
  HOLDS("config", vtcp_init(&w.conn, &w.cfg) == VTCP_CONFIG_OK);
  w.elsewhere = w.later = w.conn;
  while (in.at < in.size && w.scene.now <= LATEST)
    one_event(&in, &w);
  return 0;
}
