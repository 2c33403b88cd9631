/* Two of our endpoints and a hostile network. The input is a configuration and a list of moves: the network delivers any of
 * the segments on their way, again if it likes, or loses them; it brings segments of earlier incarnations; time passes; users
 * send, receive, close, abort, and open again. Whatever is left out of that is delay. After every step:
 *
 *   1. Every law of tests/laws.h, and the account of both streams (endpoint.h).
 *   2. prefix    what an endpoint stores is what the other put at that place of its stream, in the incarnation that it is
 *                connected to: what is delivered is a prefix of what was sent.
 *   3. inside    nobody sends more than one octet beyond the right edge that the other offers: a window probe.
 *
 * When the moves are used up, the network becomes fair: it delivers all segments in their order. Users send a little more,
 * read what there is, and close. Then:
 *
 *   4. quiet     both come to rest: nothing on its way, and no timer. Few segments in a row change nothing. Where an old SYN
 *                crossed ours and the other has closed in SYN-RECEIVED, only R2 brings that about: it is an hour at most.
 *   5. progress  where no user gave up and none was told of a failure, all octets have arrived, and both ends are CLOSED;
 *                if fair weather comes within a minute, before any of that, nobody gives up for want of answers; where one
 *                was, no end is left in any state but CLOSED, LISTEN, and the FIN-WAIT-2 of RFC 9293. */
#include <string.h>

#include "endpoint.h"
#include "input.h"

enum { LONGEST = 1024, FLYING = 48, MOST_OCTETS = 800, PATIENCE = 3 * FLYING, REST = 20000 };
#define DELAY UINT64_C(20000)
#define BEGINNING UINT64_C(1000000)
#define MINUTE UINT64_C(60000000) /* far below R2 */
#define FARTHER UINT32_C(70000)   /* than a window: so far do ISNs grow in 0.3 s (RFC 9293, 3.4.1) */

struct flight {
  struct vtcp_segment seg;
  uint64_t place; /* of its text, in the stream of its sender */
  uint64_t arrives;
  uint32_t iss; /* of its sender: the incarnation */
  unsigned to;
};

struct side {
  struct endpoint end;
  struct vtcp_conn listener;
  uint32_t iss; /* of the next incarnation: far beyond all numbers ever used */
  uint64_t sent, received;
  bool listens;
};

struct world {
  struct side side[2];
  struct flight flying[FLYING];
  unsigned flying_count, fruitless;
  uint64_t now;
  bool failed, fair;
  bool calm; /* fair before anything was given up, or could be soon */
};

/* --- Steps --- */

static void flies(struct world *w, unsigned from, const struct vtcp_actions *a)
{
  const struct endpoint *end = &w->side[from].end;

  if (w->flying_count == FLYING) { /* the oldest is lost */
    HOLDS("quiet", !w->fair || w->fruitless <= PATIENCE);
    memmove(w->flying, w->flying + 1, (FLYING - 1) * sizeof *w->flying);
    w->flying_count--;
  }
  w->flying[w->flying_count++] = (struct flight){.seg = a->seg,
                                                 .place = end->dropped + a->text_at,
                                                 .arrives = w->now + DELAY,
                                                 .iss = end->conn.iss,
                                                 .to = 1 - from};
}

/* Nobody sends beyond the right edge that the other has offered (RFC 9293, 3.8.6), if they are connected to each other. */
static void check_inside(const struct world *w)
{
  for (unsigned i = 0; i < 2; i++) {
    const struct vtcp_conn *from = &w->side[i].end.conn, *to = &w->side[1 - i].end.conn;
    if (from->state >= VTCP_ESTABLISHED && to->state >= VTCP_ESTABLISHED && from->irs == to->iss
        && to->irs == from->iss)
      HOLDS("inside", relative(from->snd_nxt, to->rcv_nxt + to->rcv_wnd) <= 1 + has_our_fin_acked(from->state));
  }
}

static void notice(struct world *w, unsigned i, const struct vtcp_event *e, const struct vtcp_actions *a,
                   uint8_t before)
{
  struct side *s = &w->side[i];
  bool over = a->refused || a->reset || a->timed_out || a->relisten;

  s->sent += e->type == VTCP_SEND && a->error == VTCP_OK ? e->len : 0;
  s->received += a->delivered;
  w->failed = w->failed || over || (a->closed && before <= VTCP_SYN_RECEIVED) || (a->closed && e->type == VTCP_ABORT);
  HOLDS("progress", !w->calm || !a->timed_out);
  if (a->send)
    flies(w, i, a);
  if (s->end.conn.state == VTCP_CLOSED && s->listens)
    s->end.conn = s->listener;
}

static void takes_one(struct world *w, unsigned i, const struct vtcp_event *e, struct vtcp_actions *a)
{
  struct side *s = &w->side[i];
  uint8_t before = s->end.conn.state;

  lawful_step(&s->end, e, a);
  if (s->end.conn.state > VTCP_LISTEN)
    s->iss = s->end.conn.snd_nxt + FARTHER;
  check_inside(w);
  notice(w, i, e, a, before);
}

/* What a step asks for, to the end of it. */
static void takes(struct world *w, unsigned i, struct vtcp_event e, struct vtcp_actions *a)
{
  struct side *s = &w->side[i];
  struct vtcp_actions more;

  e.now = w->now;
  e.iss = s->iss;
  takes_one(w, i, &e, a);
  if (a->spawn) { /* the child takes the listener's place, until it is over */
    s->listener = s->end.conn;
    vtcp_child(&s->listener, &s->end.conn);
    s->listens = true;
    takes_one(w, i, &e, a);
  }
  more.more = a->more;
  for (unsigned k = 0; more.more; k++) {
    HOLDS("quiet", k <= 2 * MOST_OCTETS);
    takes_one(w, i, &(struct vtcp_event){.now = w->now, .type = VTCP_MORE}, &more);
  }
}

static void check_prefix(const struct endpoint *end, const struct flight *f, const struct vtcp_actions *a,
                         uint64_t consumed)
{
  if (a->store_len == 0)
    return;
  HOLDS("prefix", f->iss == end->conn.irs);
  HOLDS("prefix", f->place + a->store_from == consumed + a->store_at);
}

static void arrives(struct world *w, const struct flight *f)
{
  struct endpoint *end = &w->side[f->to].end;
  struct vtcp_conn before = end->conn;
  uint64_t consumed = before.state <= VTCP_LISTEN ? 0 : end->consumed;
  struct vtcp_actions a;

  takes(w, f->to, (struct vtcp_event){.type = VTCP_ARRIVES, .seg = f->seg}, &a);
  check_prefix(end, f, &a, consumed);
  const struct vtcp_conn *c = &end->conn;
  bool fruitful = before.state != c->state || before.snd_una != c->snd_una || before.rcv_nxt != c->rcv_nxt
                  || before.snd_nxt != c->snd_nxt || a.store_len > 0;
  w->fruitless = fruitful ? 0 : w->fruitless + 1;
  HOLDS("quiet", !w->fair || w->fruitless <= PATIENCE);
}

static struct flight taken_out(struct world *w, unsigned which)
{
  struct flight f = w->flying[which];

  w->flying_count--;
  memmove(w->flying + which, w->flying + which + 1, (w->flying_count - which) * sizeof *w->flying);
  return f;
}

/* --- The storm --- */

/* Of an earlier incarnation: its numbers end before ours begin, on both sides, and so do the windows it had. */
static void old_segment(struct input *in, struct world *w, unsigned to)
{
  const struct vtcp_conn *c = &w->side[to].end.conn, *from = &w->side[1 - to].end.conn;
  uint8_t bits = next(in);
  uint16_t length = bits & 32 ? next(in) : 0;
  uint32_t before = FARTHER + next16(in), acked = FARTHER + next16(in);
  struct flight f = {.to = to};

  f.seg.fin = bits & 1;
  f.seg.syn = bits & 2;
  f.seg.rst = bits & 4;
  f.seg.has_ack = bits & 16;
  f.seg.wnd = bits & 64 ? 0 : 4000;
  f.seg.len = length;
  f.seg.seq = (from->state > VTCP_LISTEN ? from->iss : w->side[1 - to].iss) - before - length - f.seg.syn - f.seg.fin;
  f.seg.ack = f.seg.has_ack ? (c->state > VTCP_LISTEN ? c->iss : w->side[to].iss) - acked : 0;
  f.iss = f.seg.syn ? f.seg.seq : f.seg.seq + UINT32_C(0x80000000);
  arrives(w, &f);
}

static void sends(struct world *w, unsigned i, uint32_t some)
{
  struct side *s = &w->side[i];
  uint32_t room = vtcp_send_room(&s->end.conn);
  struct vtcp_actions a;

  some = some < room ? some : room;
  some = some < MOST_OCTETS - s->end.put_in ? some : (uint32_t)(MOST_OCTETS - s->end.put_in);
  if (some > 0 && s->end.conn.state != VTCP_LISTEN)
    takes(w, i, (struct vtcp_event){.type = VTCP_SEND, .len = some, .remote = true}, &a);
}

static void calls(struct world *w, unsigned i, uint8_t type, uint32_t len)
{
  struct vtcp_actions a;

  takes(w, i, (struct vtcp_event){.type = type, .len = len, .remote = true}, &a);
}

/* A new incarnation, when the last is over. */
static void opens_again(struct world *w, unsigned i, bool actively)
{
  struct side *s = &w->side[i];

  if (s->end.conn.state != VTCP_CLOSED)
    return;
  w->failed = true;
  calls(w, i, actively ? VTCP_OPEN_ACTIVE : VTCP_OPEN_PASSIVE, 0);
}

static void time_passes(struct world *w, unsigned how)
{
  static const uint64_t steps[] = {1, 1000, 20000, 200000, 1000000, 3000000, 60000000, UINT64_C(3600000000)};

  w->now += steps[how % 8];
}

static void expires(struct world *w, unsigned i)
{
  uint64_t deadline = vtcp_deadline(&w->side[i].end.conn);

  if (deadline == NEVER)
    return;
  w->now = deadline > w->now ? deadline : w->now;
  calls(w, i, VTCP_TIMEOUT, 0);
}

/* The high half of an octet says what happens, the low half to whom or to which segment. */
static void one_move(struct input *in, struct world *w)
{
  uint8_t head = next(in);
  unsigned i = head & 1, which = w->flying_count == 0 ? 0 : (head & 15) % w->flying_count;
  struct flight f = {0};

  if (head >> 4 <= 3 && w->flying_count == 0)
    return;
  switch (head >> 4) {
  case 0:
  case 1:
    f = taken_out(w, which);
    arrives(w, &f);
    break;
  case 2:
    f = w->flying[which];
    arrives(w, &f);
    break; /* and once more, later */
  case 3: (void)taken_out(w, which); break;
  case 4: expires(w, i); break;
  case 5: time_passes(w, head & 15); break;
  case 6: old_segment(in, w, i); break;
  case 7: sends(w, i, head & 8 ? next16(in) : next(in)); break;
  case 8: calls(w, i, VTCP_RECEIVE, head & 8 ? UINT16_MAX : next(in)); break;
  case 9: calls(w, i, VTCP_CLOSE, 0); break;
  case 10: head & 8 ? calls(w, i, VTCP_ABORT, 0) : calls(w, i, VTCP_STATUS, 0); break;
  case 11: opens_again(w, i, head & 2); break;
  default: /* all that is on its way, in order */
    for (unsigned n = w->flying_count; n > 0 && w->flying_count > 0; n--) {
      f = taken_out(w, 0);
      arrives(w, &f);
    }
  }
}

/* --- Fair weather --- */

static void user_acts(struct world *w, unsigned i)
{
  struct side *s = &w->side[i];
  const struct vtcp_conn *c = &s->end.conn;

  if (c->state >= VTCP_ESTABLISHED && c->rcv_len > 0)
    calls(w, i, VTCP_RECEIVE, c->rcv_len);
  if (c->state == VTCP_ESTABLISHED || c->state == VTCP_CLOSE_WAIT) {
    sends(w, i, 50);
    calls(w, i, VTCP_CLOSE, 0);
  }
}

/* The next that happens: a segment arrives, or a timer expires. False: nothing ever will. */
static bool goes_on(struct world *w)
{
  uint64_t first = vtcp_deadline(&w->side[0].end.conn), second = vtcp_deadline(&w->side[1].end.conn);
  uint64_t timer = first < second ? first : second;

  if (w->flying_count > 0 && w->flying[0].arrives <= timer) {
    struct flight f = taken_out(w, 0);
    w->now = f.arrives > w->now ? f.arrives : w->now;
    arrives(w, &f);
    return true;
  }
  if (timer == NEVER)
    return false;
  w->fruitless = 0;
  expires(w, first < second ? 0 : 1);
  return true;
}

/* Whether both know of each other what is so, if they know anything. */
static bool is_in_accord(const struct world *w)
{
  for (unsigned i = 0; i < 2; i++) {
    const struct vtcp_conn *c = &w->side[i].end.conn, *other = &w->side[1 - i].end.conn;
    if (c->state == VTCP_CLOSED || (c->state >= VTCP_SYN_RECEIVED && c->irs != other->iss))
      return false;
  }
  return true;
}

static void becomes_fair(struct world *w)
{
  unsigned steps = 0;

  w->fair = true;
  w->calm = !w->failed && w->now < BEGINNING + MINUTE && is_in_accord(w);
  w->fruitless = 0;
  for (unsigned i = 0; i < w->flying_count; i++)
    w->flying[i].arrives = w->now + DELAY;
  do {
    user_acts(w, 0);
    user_acts(w, 1);
    HOLDS("quiet", steps++ < REST);
  } while (goes_on(w));
}

static void check_progress(const struct world *w)
{
  for (unsigned i = 0; i < 2; i++) {
    uint8_t state = w->side[i].end.conn.state;
    bool rests = state <= VTCP_LISTEN;
    HOLDS("progress", rests || (state == VTCP_FIN_WAIT_2 && w->failed));
    HOLDS("progress", w->failed || w->side[i].received == w->side[1 - i].sent);
  }
}

/* --- The beginning --- */

static struct vtcp_config choose_ends_config(struct input *in)
{
  static const uint32_t buffers[] = {3000, 1, 2, 10, 100, 536, 1460, 65535};
  static const uint16_t sizes[] = {536, 1, 20, 100, 1460, 65535, 3, 7};
  struct vtcp_config cfg = vtcp_config_default();
  uint8_t of_buffers = next(in), of_sizes = next(in), flags = next(in);

  cfg.rcv_buf = buffers[of_buffers & 7];
  cfg.snd_buf = buffers[of_buffers >> 3 & 7];
  cfg.rcv_mss = sizes[of_sizes & 7];
  cfg.default_mss = sizes[of_sizes >> 3 & 7];
  cfg.mms_s = of_sizes & 64 ? 25 : 1480;
  cfg.nagle = flags & 1;
  cfg.rfc1337 = flags & 2;
  cfg.keep_alive = flags & 4;
  cfg.msl_ms = flags & 8 ? 500 : 60000;
  cfg.r2_ms = flags & 16 ? 3600000 : 300000;
  cfg.r2_syn_ms = flags & 16 ? 3600000 : 180000;
  cfg.rto_min_ms = flags & 32 ? 10 : 1000;
  cfg.challenge_acks = flags & 64 ? 1 : 10;
  return cfg;
}

static void begins(struct world *w, struct input *in)
{
  uint8_t how = next(in);

  w->now = BEGINNING;
  for (unsigned i = 0; i < 2; i++) {
    struct vtcp_config cfg = choose_ends_config(in);
    cfg.listener = i == 1 && how % 3 == 1;
    w->side[i].iss = next32(in);
    HOLDS("config", vtcp_init(&w->side[i].end.conn, &cfg) == VTCP_CONFIG_OK);
  }
  calls(w, 1, how % 3 == 2 ? VTCP_OPEN_ACTIVE : VTCP_OPEN_PASSIVE, 0);
  calls(w, 0, VTCP_OPEN_ACTIVE, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input in = {data, 0, size < LONGEST ? size : LONGEST};
  static struct world w;

  memset(&w, 0, sizeof w);
  begins(&w, &in);
  while (in.at < in.size)
    one_move(&in, &w);
  becomes_fair(&w);
  check_progress(&w);
  return 0;
}
