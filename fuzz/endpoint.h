/* One endpoint whose caller keeps account of both streams, apart from the core: what fuzz_step, fuzz_pair and fuzz_embedding
 * check after every step. Behind tests/laws.c. */
#ifndef VTCP_FUZZ_ENDPOINT_H
#define VTCP_FUZZ_ENDPOINT_H

#include "../include/vtcp.h"
#include "../tests/laws.c"
#include "holds.h"

/* Octets of a stream, counted from its first. */
struct stretch {
  uint64_t from, to;
};

/* One endpoint, and what its caller could have counted. Numbers of octets since the connection began. */
struct endpoint {
  struct vtcp_conn conn;
  uint64_t put_in, dropped, delivered, consumed;
  struct stretch beyond[VTCP_RANGES + 1]; /* stored beyond a gap; no two touch */
  unsigned gaps;
};

static inline void check_actions(const struct endpoint *end, const struct vtcp_conn *p, const struct vtcp_event *e,
                                 const struct vtcp_actions *a)
{
  const struct vtcp_conn *q = &end->conn;

  HOLDS("buffers", a->acked <= p->snd_len && a->consumed <= p->rcv_len);
  HOLDS("buffers", !a->send || (uint64_t)a->text_at + a->seg.len <= q->snd_len);
  if (a->store_len == 0)
    return;
  HOLDS("buffers", (uint64_t)a->store_from + a->store_len <= e->seg.len);
  HOLDS("buffers", (uint64_t)a->store_at + a->store_len <= q->cfg.rcv_buf);
  HOLDS("stream", text_begins(&e->seg) + a->store_from == q->irs + 1 + (uint32_t)(end->consumed + a->store_at));
}

/* Octets are stored, and join what they touch. */
static inline void store(struct endpoint *end, struct stretch s)
{
  for (unsigned i = 0; i < end->gaps;) {
    struct stretch *one = &end->beyond[i];
    if (one->to < s.from || s.to < one->from) {
      i++;
      continue;
    }
    s.from = one->from < s.from ? one->from : s.from;
    s.to = one->to > s.to ? one->to : s.to;
    *one = end->beyond[--end->gaps];
  }
  end->beyond[end->gaps++] = s;
}

/* What is in order, if the first that is not begins at `next`. */
static inline uint64_t in_order(struct endpoint *end, uint64_t next)
{
  for (unsigned i = 0; i < end->gaps; i++) {
    if (end->beyond[i].from > next)
      continue;
    next = end->beyond[i].to;
    end->beyond[i] = end->beyond[--end->gaps];
  }
  return next;
}

static inline void check_held(const struct endpoint *end)
{
  const struct vtcp_held *held = &end->conn.held;

  HOLDS("stream", end->gaps <= VTCP_RANGES);
  for (unsigned i = 0; i < VTCP_RANGES; i++) {
    bool is_one = held->at[i].from == 0 && held->at[i].to == 0 && i >= end->gaps;
    for (unsigned k = 0; k < end->gaps; k++)
      is_one = is_one
               || (end->beyond[k].from == end->delivered + held->at[i].from
                   && end->beyond[k].to == end->delivered + held->at[i].to);
    HOLDS("stream", is_one);
  }
}

static inline void check_stream(struct endpoint *end, const struct vtcp_conn *p, const struct vtcp_event *e,
                                const struct vtcp_actions *a)
{
  const struct vtcp_conn *q = &end->conn;

  if (p->state <= VTCP_LISTEN || q->state <= VTCP_LISTEN)
    end->put_in = end->dropped = end->delivered = end->consumed = end->gaps = 0;
  if (q->state <= VTCP_LISTEN)
    return;
  check_actions(end, p, e, a);
  end->put_in += e->type == VTCP_SEND && a->error == VTCP_OK ? e->len : 0;
  end->dropped += a->acked;
  if (a->store_len > 0)
    store(end, (struct stretch){end->consumed + a->store_at, end->consumed + a->store_at + a->store_len});
  uint64_t next = in_order(end, end->delivered);
  HOLDS("stream", next == end->delivered + a->delivered);
  end->delivered = next;
  if (has_peers_fin(q->state))
    end->gaps = 0;
  check_held(end);
  end->consumed += a->consumed;
  bool fin_acked = q->fin_sent && q->snd_una == q->snd_nxt;
  HOLDS("stream", q->snd_len == end->put_in - end->dropped);
  HOLDS("stream", q->rcv_len == end->delivered - end->consumed);
  HOLDS("stream", q->snd_una == q->iss + q->syn_acked + fin_acked + (uint32_t)end->dropped);
  HOLDS("stream",
        q->state == VTCP_SYN_SENT || q->rcv_nxt == q->irs + 1 + (uint32_t)end->delivered + has_peers_fin(q->state));
}

/* A step, its laws, and the account. */
static inline void lawful_step(struct endpoint *end, const struct vtcp_event *e, struct vtcp_actions *a)
{
  struct vtcp_conn before = end->conn;
  const char *law = step_by_law(&end->conn, e, a);

  if (law != NULL) {
    fprintf(stderr, "%s\n", law);
    abort();
  }
  check_stream(end, &before, e, a);
}

static inline void check_promises(const struct endpoint *end, uint64_t now)
{
  const struct vtcp_conn *q = &end->conn;
  struct vtcp_conn twin = *q;
  struct vtcp_event more = {.now = now, .type = VTCP_MORE};
  struct vtcp_actions a;

  vtcp_step(&twin, &more, &a);
  HOLDS("promises", (vtcp_deadline(q) == 0) == (a.send && (a.seg.len > 0 || a.seg.fin)));
  HOLDS("promises", vtcp_deadline(q) == 0 || same_conn(&twin, q));
  HOLDS("promises", a.error == VTCP_OK && a.acked == 0 && a.store_len == 0 && a.delivered == 0 && signals_of(&a) == 0);
  uint32_t room = vtcp_send_room(q);
  HOLDS("promises", room <= q->cfg.snd_buf - q->snd_len);
  struct vtcp_event send = {.now = now, .iss = 1, .len = room, .type = VTCP_SEND, .remote = true};
  twin = *q;
  vtcp_step(&twin, &send, &a);
  HOLDS("promises", room == 0 || a.error == VTCP_OK);
  send.len = room + 1;
  twin = *q;
  vtcp_step(&twin, &send, &a);
  HOLDS("promises", a.error != VTCP_OK && same_conn(&twin, q));
}

#endif
