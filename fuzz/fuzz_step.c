/* The core. The input is a configuration and a list of events (fuzz/seeds writes such inputs, and describes them): calls,
 * segments and ICMP messages whose numbers stand where the connection's own variables are, or anywhere, and time that goes on
 * by any step or, against the rules, back. One connection takes them; of a listener, the child too. Invariants, after every
 * step:
 *
 *   1. Every law of tests/laws.h: vtcp_valid, the laws of spec/laws.acsl each under its name, the same result from the
 *      same input, every action written, the lengths of both buffers, and more.
 *   2. stream    since the connection began: SND.UNA stands behind our SYN, the octets that the send buffer was told to
 *                drop, and our FIN once it is acknowledged; RCV.NXT behind the peer's SYN, all octets from the first on
 *                that were stored without a gap, and its FIN; the send buffer holds what was put in and not dropped; unread is
 *                what came into order and was not consumed; what was stored beyond a gap is what the record says; and an
 *                octet is always stored where the octet of that number belongs.
 *   3. buffers   what the actions name lies inside both buffers and inside the segment that arrived.
 *   4. promises  vtcp_deadline is 0 if and only if VTCP_MORE sends text or FIN, and if not, it changes nothing;
 *                vtcp_send_room is what SEND takes.
 *   5. child     a listener's child is valid, and takes the event that made it.
 *
 * What the fuzzer sees beside the core's own branches is one basic block for each state, kind of event, and state after
 * it. `fuzz_step --coverage FILE...`, built with main.c, counts them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "events.h"

enum { LONGEST = 4096 };

void fuzz_report(void);

/* --- Blocks, one for each state, kind of event, and state after it --- */

enum { TRIPLES = KINDS_OF_STATES * KINDS_OF_EVENTS * KINDS_OF_STATES };
static unsigned long reached[TRIPLES];

#define BLOCK(n)                   \
  case (n):                        \
    __asm__ volatile("" ::"i"(n)); \
    break;
#define BLOCKS_4(n) BLOCK(n) BLOCK((n) + 1) BLOCK((n) + 2) BLOCK((n) + 3)
#define BLOCKS_20(n) BLOCKS_4(n) BLOCKS_4((n) + 4) BLOCKS_4((n) + 8) BLOCKS_4((n) + 12) BLOCKS_4((n) + 16)
#define BLOCKS_220(n)  \
  BLOCKS_20(n)         \
  BLOCKS_20((n) + 20)  \
  BLOCKS_20((n) + 40)  \
  BLOCKS_20((n) + 60)  \
  BLOCKS_20((n) + 80)  \
  BLOCKS_20((n) + 100) \
  BLOCKS_20((n) + 120) \
  BLOCKS_20((n) + 140) \
  BLOCKS_20((n) + 160) \
  BLOCKS_20((n) + 180) \
  BLOCKS_20((n) + 200)
#define BLOCKS_253(n) \
  BLOCKS_220(n) BLOCKS_20((n) + 220) BLOCKS_4((n) + 240) BLOCKS_4((n) + 244) BLOCKS_4((n) + 248) BLOCK((n) + 252)

static void reach(unsigned from, unsigned kind, unsigned to)
{
  unsigned triple = (from * KINDS_OF_EVENTS + kind) * KINDS_OF_STATES + to;

  reached[triple]++;
  switch (triple) {
    BLOCKS_253(0)
    BLOCKS_253(253)
    BLOCKS_253(506)
    BLOCKS_253(759)
    BLOCKS_253(1012)
    BLOCKS_253(1265)
    BLOCKS_253(1518)
    BLOCKS_253(1771)
    BLOCKS_253(2024)
    BLOCKS_253(2277)
    BLOCKS_253(2530)
  default: abort();
  }
}
_Static_assert(TRIPLES == 2783, "as many blocks as there are triples");

void fuzz_report(void)
{
  unsigned legal = 0, there = 0;

  for (unsigned i = 0; i < TRIPLES; i++) {
    uint8_t from = (uint8_t)(i / KINDS_OF_STATES / KINDS_OF_EVENTS), to = (uint8_t)(i % KINDS_OF_STATES);
    unsigned kind = i / KINDS_OF_STATES % KINDS_OF_EVENTS;
    if (!is_legal(from, kind, to))
      continue;
    legal++;
    there += reached[i] > 0;
    printf("%-11s %10lu  %-12s %-12s %s\n", reached[i] > 0 ? "reached" : "not reached", reached[i],
           vtcp_state_name(from), kind_name(kind), vtcp_state_name(to));
  }
  printf("%u of %u legal triples reached\n", there, legal);
}

/* --- The world --- */

struct world {
  struct endpoint ends[2]; /* the connection; a child of it */
  unsigned count;
  struct scene scene;
};

static void take(struct world *w, unsigned which, const struct vtcp_event *e, struct vtcp_actions *a)
{
  struct endpoint *end = &w->ends[which];
  uint8_t before = end->conn.state;

  lawful_step(end, e, a);
  reach(before, kind_of(e), end->conn.state);
  check_promises(end, w->scene.now);
  if (!a->spawn)
    return;
  struct vtcp_actions of_child;
  w->count = 2;
  vtcp_child(&end->conn, &w->ends[1].conn);
  HOLDS("child", which == 0 && vtcp_valid(&w->ends[1].conn) && !w->ends[1].conn.cfg.listener);
  take(w, 1, e, &of_child);
  HOLDS("child", w->ends[1].conn.state == VTCP_SYN_RECEIVED && of_child.send && of_child.seg.syn);
}

/* --- Events --- */

static void send_all(struct world *w, unsigned which)
{
  struct vtcp_event more = {.now = w->scene.now, .type = VTCP_MORE};
  struct vtcp_actions a = {.more = true};

  for (int i = 0; i < 100 && a.more; i++)
    take(w, which, &more, &a);
}

static void one_event(struct input *in, struct world *w, unsigned *which)
{
  struct vtcp_event e;
  struct vtcp_actions a;

  switch (choose_event(in, &w->scene, &w->ends[*which].conn, &e)) {
  case THE_OTHER: *which = w->count - 1 - *which; break;
  case ALL_MORE: send_all(w, *which); break;
  default: take(w, *which, &e, &a); break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input in = {data, 0, size < LONGEST ? size : LONGEST};
  struct vtcp_config cfg = choose_config(&in);
  struct world w;
  unsigned which = 0;

  memset(&w, 0, sizeof w);
  w.scene.iss = next32(&in);
  w.scene.peer_iss = next32(&in);
  w.scene.now = 1000000;
  w.count = 1;
  HOLDS("config", vtcp_init(&w.ends[0].conn, &cfg) == VTCP_CONFIG_OK && vtcp_valid(&w.ends[0].conn));
  while (in.at < in.size)
    one_event(&in, &w, &which);
  return 0;
}
