/* Two of our endpoints and a network that loses, duplicates and reorders: everything sent is delivered exactly and
 * once, the connection closes, and then there is rest: no acknowledgment is answered for ever (RFC 9293, 3.5, 3.6,
 * A.2).
 *
 * That the right octets come out is checked in exchange.c at every step of either side: octet k of the stream is
 * what is sent at SEQ ISS + k, and what is stored k places after the peer's ISS. */
#include "exchange.h"

#include <string.h>

enum { FLYING = 4096 };

/* What the network does, in percent, and how both users behave. */
struct weather {
  uint32_t loss, twice;
  uint64_t delay, jitter; /* a segment takes delay .. delay + jitter: jitter above the gap between segments reorders */
  uint32_t octets[2];     /* to be sent by either side */
  uint32_t rcv_buf[2];
  uint64_t deaf_until[2]; /* the user receives nothing before */
  uint64_t pause;         /* between two acts of a user, on average */
  uint32_t attack;        /* percent of segments followed by a forged one */
  unsigned patience;      /* deliveries without progress, call or timeout that are no war yet */
};

struct user {
  uint32_t unsent, received;
  bool closed, told_closed, done, established, gone;
  unsigned idle;
  uint64_t next;
};

struct world {
  struct endpoint end[2];
  struct user user[2];
  unsigned ends_count; /* 1: connected to itself */
  struct weather weather;
  struct {
    uint64_t when;
    unsigned to;
    bool forged;
    struct vtcp_segment seg;
  } flying[FLYING];
  unsigned flying_count;
  uint64_t now, seed;
  unsigned long segments, fruitless;
  bool stormy; /* losses go on */
};

static struct vtcp_config patient_config(uint32_t rcv_buf)
{
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = rcv_buf;
  cfg.snd_buf = 3000;
  cfg.r2_ms = UINT32_MAX;
  cfg.r2_syn_ms = UINT32_MAX;
  cfg.msl_ms = 3600000;
  cfg.rfc1337 = true; /* else an old segment may end TIME-WAIT while the user still reads */
  return cfg;
}

static void starts(struct world *w, const struct weather *weather, uint64_t seed)
{
  memset(w, 0, sizeof *w);
  w->weather = *weather;
  w->seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
  w->now = SECOND;
  w->ends_count = 2;
  w->stormy = true;
  for (unsigned i = 0; i < 2; i++) {
    struct vtcp_config cfg = patient_config(weather->rcv_buf[i]);
    begins_with(&w->end[i], cfg);
    w->end[i].lenient = true;
    w->end[i].iss = i == 0 ? base_iss : base_irs;
    w->end[i].irs = i == 0 ? base_irs : base_iss;
    w->user[i].unsent = weather->octets[i];
    w->user[i].next = w->now;
  }
}

static void flies(struct world *w, unsigned to, const struct vtcp_segment *seg)
{
  require(w->flying_count < FLYING, "the network bursts");
  w->flying[w->flying_count].when = w->now + w->weather.delay + choose(&w->seed, (uint32_t)w->weather.jitter + 1);
  w->flying[w->flying_count].to = to;
  w->flying[w->flying_count].forged = false;
  w->flying[w->flying_count].seg = *seg;
  w->flying_count++;
}

/* A segment of somebody who sees nothing of the connection but its addresses, and hits the window all the same:
 * never the exact number of a RST, never an acknowledgment that could be one. */
static void forges(struct world *w, unsigned to)
{
  const struct vtcp_conn *victim = &w->end[to].conn;
  struct vtcp_segment seg = {.wnd = (uint16_t)choose(&w->seed, 65536)};
  uint32_t anywhere = choose(&w->seed, 0x40000000), near = 1 + choose(&w->seed, 200);
  if (victim->state < VTCP_ESTABLISHED) {
    return;
  }
  switch (choose(&w->seed, 4)) {
  case 0:
    seg.rst = true;
    seg.seq = victim->rcv_nxt + near;
    break;
  case 1:
    seg.syn = true;
    seg.seq = victim->rcv_nxt + anywhere;
    break;
  case 2: /* text, acknowledging what was never sent */
    seg.has_ack = true;
    seg.seq = victim->rcv_nxt;
    seg.len = 10;
    seg.ack = victim->snd_nxt + 100000 + anywhere;
    break;
  default: /* a FIN, acknowledging what is long gone */
    seg.has_ack = seg.fin = true;
    seg.seq = victim->rcv_nxt;
    seg.ack = victim->iss - 100000 - anywhere;
    break;
  }
  flies(w, to, &seg);
  w->flying[w->flying_count - 1].forged = true;
}

/* Obeys what a step of endpoint i asked for, and goes on while it says `more`. */
static void follows(struct world *w, unsigned i)
{
  struct endpoint *t = &w->end[i];
  struct user *u = &w->user[i];
  for (;;) {
    const struct vtcp_actions *x = &t->out;
    u->received += x->consumed;
    require(!x->refused && !x->reset && !x->timed_out && !x->relisten, "the connection fails");
    require(!(x->established && u->established), "established twice");
    require(!(x->peer_closed && u->told_closed), "the peer closed twice");
    require(!(x->close_done && u->done), "the close is done twice");
    u->established = u->established || x->established;
    u->told_closed = u->told_closed || x->peer_closed;
    u->done = u->done || x->close_done;
    u->gone = u->gone || x->closed;
    if (x->send) {
      unsigned to = w->ends_count == 1 ? 0 : 1 - i;
      w->segments++;
      bool lost = w->stormy && choose(&w->seed, 100) < w->weather.loss;
      if (!lost) {
        flies(w, to, &x->seg);
        if (choose(&w->seed, 100) < w->weather.twice) {
          flies(w, to, &x->seg);
        }
      }
      if (choose(&w->seed, 100) < w->weather.attack) {
        forges(w, to);
      }
    }
    if (!x->more) {
      return;
    }
    step_at(t, (struct vtcp_event){.type = VTCP_MORE});
  }
}

static bool user_has_finished(const struct world *w, unsigned i)
{
  const struct user *u = &w->user[i];
  unsigned peer = w->ends_count == 1 ? 0 : 1 - i;
  return u->gone || (u->closed && u->received == w->weather.octets[peer]);
}

/* One act of a user: sends a little, receives a little, closes at the end of both. */
static void acts(struct world *w, unsigned i)
{
  struct endpoint *t = &w->end[i];
  struct user *u = &w->user[i];
  u->next = w->now + 1 + choose(&w->seed, (2 * (uint32_t)w->weather.pause) << u->idle);
  u->idle = u->idle < 8 ? u->idle + 1 : 8; /* who finds nothing to do comes back later */
  if (t->conn.state == VTCP_CLOSED || t->conn.state == VTCP_LISTEN) {
    return;
  }
  t->now = w->now;
  if (u->unsent > 0) {
    uint32_t room = vtcp_send_room(&t->conn), some = 1 + choose(&w->seed, 1500);
    some = some < room ? some : room;
    some = some < u->unsent ? some : u->unsent;
    if (some > 0) {
      step_at(t, (struct vtcp_event){.type = VTCP_SEND, .len = some, .remote = true});
      require(t->out.error == VTCP_OK, "SEND takes what there is room for");
      u->unsent -= some;
      u->idle = 0;
      follows(w, i);
    }
  }
  if (w->now >= w->weather.deaf_until[i] && t->conn.state >= VTCP_ESTABLISHED) {
    step_at(t, (struct vtcp_event){.type = VTCP_RECEIVE, .len = choose(&w->seed, 2000)});
    u->idle = t->out.consumed > 0 ? 0 : u->idle;
    follows(w, i);
  }
  /* a user that knows of the peer's FIN reads all before it closes: LAST-ACK may end at any time */
  bool may_close = !u->told_closed || t->out.readable == 0;
  if (u->unsent == 0 && !u->closed && may_close && choose(&w->seed, 3) == 0 && t->conn.state >= VTCP_SYN_RECEIVED) {
    step_at(t, (struct vtcp_event){.type = VTCP_CLOSE});
    require(t->out.error == VTCP_OK, "CLOSE is taken");
    u->closed = true;
    follows(w, i);
  }
}

static bool progressed(const struct vtcp_conn *before, const struct vtcp_conn *after)
{
  return before->state != after->state || before->snd_una != after->snd_una || before->rcv_nxt != after->rcv_nxt ||
         before->snd_nxt != after->snd_nxt;
}

/* Nobody sends beyond the right edge that the other has offered, save a window probe's one octet (3.8.6). */
static void stays_inside_the_offer(const struct world *w)
{
  for (unsigned i = 0; i < 2 && w->ends_count == 2; i++) {
    const struct vtcp_conn *from = &w->end[i].conn, *to = &w->end[1 - i].conn;
    if (from->state >= VTCP_ESTABLISHED && to->state >= VTCP_ESTABLISHED) {
      int32_t beyond = (int32_t)(from->snd_nxt - (to->rcv_nxt + to->rcv_wnd));
      require(beyond <= 1, "side %u sends %d octets beyond the offered window", i, (int)beyond);
    }
  }
}

/* Delivers, lets time pass and users act, until nothing is left to happen. */
static void runs(struct world *w)
{
  for (unsigned long steps = 0;; steps++) {
    require(steps < 400000, "no rest after %lu steps", steps);
    if (w->segments > 3000) {
      w->stormy = false;
    }
    enum { DELIVERY, TIMER, ACT, REST } what = REST;
    uint64_t when = NEVER;
    unsigned which = 0;
    for (unsigned i = 0; i < w->flying_count; i++) {
      if (w->flying[i].when < when) {
        when = w->flying[i].when;
        what = DELIVERY;
        which = i;
      }
    }
    for (unsigned i = 0; i < w->ends_count; i++) {
      uint64_t deadline = vtcp_deadline(&w->end[i].conn);
      if (deadline < when) {
        when = deadline;
        what = TIMER;
        which = i;
      }
      if (!user_has_finished(w, i) && w->user[i].next < when) {
        when = w->user[i].next;
        what = ACT;
        which = i;
      }
    }
    if (what == REST) {
      return;
    }
    if (when > w->now) {
      w->now = when;
    }
    if (what == DELIVERY) {
      struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = w->flying[which].seg};
      unsigned to = w->flying[which].to;
      bool lucky = w->flying[which].forged && event.seg.rst && event.seg.seq == w->end[to].conn.rcv_nxt;
      w->flying[which] = w->flying[--w->flying_count];
      if (lucky) {
        continue; /* the attacker has the exact number: RFC 5961 has nothing against that */
      }
      struct vtcp_conn before = w->end[to].conn;
      w->end[to].now = w->now;
      step_at(&w->end[to], event);
      if (w->end[to].out.spawn) { /* the child takes the listener's place */
        struct vtcp_conn child;
        vtcp_child(&w->end[to].conn, &child);
        w->end[to].conn = child;
        step_at(&w->end[to], event);
      }
      w->fruitless = progressed(&before, &w->end[to].conn) ? 0 : w->fruitless + 1;
      require(w->fruitless <= w->weather.patience, "an acknowledgment war: %lu segments to no end", w->fruitless);
      follows(w, to);
      stays_inside_the_offer(w);
    } else {
      w->fruitless = 0;
      if (what == ACT) {
        acts(w, which);
      } else {
        w->end[which].now = w->now;
        step_at(&w->end[which], (struct vtcp_event){.type = VTCP_TIMEOUT});
        follows(w, which);
      }
    }
  }
}

static void all_is_well(struct world *w)
{
  for (unsigned i = 0; i < w->ends_count; i++) {
    unsigned peer = w->ends_count == 1 ? 0 : 1 - i;
    expect_number("octets received", w->weather.octets[peer], w->user[i].received);
    require(w->end[i].conn.state == VTCP_CLOSED, "side %u is in %s", i, vtcp_state_name(w->end[i].conn.state));
    require(w->user[i].established && w->user[i].told_closed && w->user[i].done && w->user[i].gone,
            "side %u was not told all", i);
  }
  ends(&w->end[0]);
  ends(&w->end[1]);
}

enum opening { PASSIVELY, BY_A_CHILD, SIMULTANEOUSLY, ITSELF };

static void one_connection(const struct weather *weather, enum opening how, uint64_t seed)
{
  static struct world w;
  starts(&w, weather, seed);
  if (how == PASSIVELY || how == BY_A_CHILD) {
    if (how == BY_A_CHILD) {
      struct vtcp_config cfg = w.end[1].conn.cfg;
      cfg.listener = true;
      require(vtcp_init(&w.end[1].conn, &cfg) == VTCP_CONFIG_OK, "a listener's configuration");
    }
    step_at(&w.end[1], (struct vtcp_event){.type = VTCP_OPEN_PASSIVE});
  } else if (how == SIMULTANEOUSLY) {
    w.end[1].now = w.now;
    step_at(&w.end[1], (struct vtcp_event){.type = VTCP_OPEN_ACTIVE, .remote = true});
    follows(&w, 1);
  } else {
    w.ends_count = 1;
    w.end[0].irs = w.end[0].iss;
    w.weather.octets[1] = w.weather.octets[0];
  }
  w.end[0].now = w.now;
  step_at(&w.end[0], (struct vtcp_event){.type = VTCP_OPEN_ACTIVE, .remote = true});
  follows(&w, 0);
  runs(&w);
  all_is_well(&w);
}

static const struct weather fair = {.delay = 20000,
                                    .jitter = 0,
                                    .octets = {5000, 3000},
                                    .rcv_buf = {2000, 3000},
                                    .pause = 30000,
                                    .patience = 60};

static void in_fair_weather(void **unused)
{
  (void)unused;
  for (enum opening how = PASSIVELY; how <= ITSELF; how++) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
      one_connection(&fair, how, seed);
    }
  }
}

/* Nothing to say: open and close alone, in all the ways in which they can cross. */
static void without_a_word(void **unused)
{
  (void)unused;
  for (enum opening how = PASSIVELY; how <= ITSELF; how++) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
      struct weather weather = fair;
      weather.octets[0] = weather.octets[1] = 0;
      weather.pause = 1000 + 500 * seed;
      weather.patience = 12;
      one_connection(&weather, how, seed);
    }
  }
}

static void with_losses(void **unused)
{
  (void)unused;
  for (enum opening how = PASSIVELY; how <= ITSELF; how++) {
    for (uint64_t seed = 1; seed <= 240; seed++) {
      struct weather weather = fair;
      weather.loss = (uint32_t)(5 + seed % 40);
      one_connection(&weather, how, seed);
    }
  }
}

static void with_duplicates_and_out_of_order(void **unused)
{
  (void)unused;
  for (enum opening how = PASSIVELY; how <= ITSELF; how++) {
    for (uint64_t seed = 1; seed <= 240; seed++) {
      struct weather weather = fair;
      weather.twice = (uint32_t)(seed % 60);
      weather.jitter = 1000 * (seed % 100);
      weather.patience = 200;
      one_connection(&weather, how, seed);
    }
  }
}

static void in_a_storm(void **unused)
{
  (void)unused;
  for (enum opening how = PASSIVELY; how <= ITSELF; how++) {
    for (uint64_t seed = 1; seed <= 400; seed++) {
      struct weather weather = fair;
      weather.loss = (uint32_t)(seed % 30);
      weather.twice = (uint32_t)(seed % 25);
      weather.jitter = 900 * (seed % 200);
      weather.patience = 200;
      weather.octets[0] = (uint32_t)(seed * 77 % 6000);
      weather.octets[1] = (uint32_t)(seed * 191 % 6000);
      weather.rcv_buf[0] = (uint32_t)(1 + seed * 37 % 2500);
      weather.rcv_buf[1] = (uint32_t)(1 + seed * 71 % 2500);
      if (weather.rcv_buf[0] < 100 || weather.rcv_buf[1] < 100) {
        weather.octets[0] %= 300; /* octet by octet */
        weather.octets[1] %= 300;
      }
      one_connection(&weather, how, seed);
    }
  }
}

/* Both buffers full, both users deaf for an hour, both sides probing: each probe costs an answer and no more (A.2). */
static void crossing_window_probes(void **unused)
{
  (void)unused;
  for (uint64_t seed = 1; seed <= 240; seed++) {
    struct weather weather = fair;
    weather.rcv_buf[0] = weather.rcv_buf[1] = (uint32_t)(100 + seed % 60);
    weather.octets[0] = weather.octets[1] = 1000;
    weather.deaf_until[0] = weather.deaf_until[1] = 3600 * SECOND;
    weather.pause = 500000;
    weather.patience = 8;
    weather.loss = seed > 30 ? 20 : 0;
    one_connection(&weather, (enum opening)(seed % 3), seed);
  }
}

/* One user deaf, the other talking: half the probes. */
static void a_deaf_user(void **unused)
{
  (void)unused;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    struct weather weather = fair;
    weather.deaf_until[seed & 1] = 600 * SECOND;
    weather.pause = 200000;
    weather.loss = seed > 20 ? 15 : 0;
    one_connection(&weather, (enum opening)(seed % 4), seed);
  }
}

/* Somebody who cannot see the connection injects segments (RFC 5961): nothing is lost, nobody is reset. */
static void under_attack(void **unused)
{
  (void)unused;
  for (uint64_t seed = 1; seed <= 240; seed++) {
    struct weather weather = fair;
    weather.attack = 50;
    weather.jitter = 0;
    weather.loss = (uint32_t)(seed % 10);
    weather.patience = 400;
    one_connection(&weather, (enum opening)(seed % 3), seed);
  }
}

/* Both have filled the other's window, and of both the last segment was lost. Their empty ACKs then stand at
 * SND.NXT, the right edge of the window, and what they send again is old: if such an ACK is refused, neither ever
 * learns what was received (A.2: the sequence number validation must not prevent ACK fields from being processed). */
static void both_windows_full_and_both_tails_lost(void **unused)
{
  (void)unused;
  struct endpoint end[2];
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 1000;
  cfg.default_mss = 500;
  for (int i = 0; i < 2; i++) {
    begins_with(&end[i], cfg);
    end[i].lenient = true;
    end[i].peer_wnd = 1000;
  }
  end[1].iss = base_irs;
  end[1].irs = base_iss;
  in_established(&end[0]);
  in_established_passively(&end[1]);
  struct vtcp_segment head[2];
  for (int i = 0; i < 2; i++) {
    writes(&end[i], 1000);
    head[i] = end[i].out.seg;
    require(head[i].len == 500 && end[i].out.more, "the first half");
    goes_on(&end[i]);
    require(end[i].out.seg.len == 500 && !end[i].out.more, "the second half, which is lost");
  }
  struct {
    int to;
    struct vtcp_segment seg;
  } queue[64];
  unsigned first = 0, last = 0, timeouts = 0;
  for (int i = 0; i < 2; i++) {
    queue[last].to = 1 - i;
    queue[last++].seg = head[i];
  }
  while (end[0].conn.snd_len + end[1].conn.snd_len > 0) {
    int i;
    if (first < last) {
      i = queue[first % 64].to;
      struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = queue[first % 64].seg};
      first++;
      step_at(&end[i], event);
    } else {
      i = vtcp_deadline(&end[1].conn) < vtcp_deadline(&end[0].conn);
      require(++timeouts < 10, "no progress: each has %u octets unacknowledged", (unsigned)end[0].conn.snd_len);
      uint64_t when = vtcp_deadline(&end[i].conn);
      end[0].now = end[1].now = when > end[0].now ? when : end[0].now;
      step_at(&end[i], (struct vtcp_event){.type = VTCP_TIMEOUT});
    }
    for (;;) {
      if (end[i].out.send) {
        require(last - first < 64, "an acknowledgment war");
        queue[last % 64].to = 1 - i;
        queue[last++ % 64].seg = end[i].out.seg;
      }
      if (!end[i].out.more) {
        break;
      }
      step_at(&end[i], (struct vtcp_event){.type = VTCP_MORE});
    }
  }
  for (int i = 0; i < 2; i++) {
    expect_number("octets received", 1000, end[i].conn.rcv_len);
    ends(&end[i]);
  }
}

/* Figures 9 and 10 with two live ends: A forgets everything. Whoever speaks first, the half-open connection is found
 * out, and there is rest. */
static void after_a_crash(void **unused)
{
  (void)unused;
  for (int who = 0; who < 2; who++) {
    struct endpoint a, b;
    begins(&a);
    begins(&b);
    a.lenient = b.lenient = true;
    b.iss = base_irs;
    b.irs = base_iss;
    listens(&b);
    opens(&a);
    struct endpoint *from = &a, *to = &b;
    unsigned exchanged = 0;
    bool crashed = false;
    for (;;) {
      if (from->out.send) {
        require(++exchanged < 40, "no rest");
        struct vtcp_event event = {.type = VTCP_ARRIVES, .seg = from->out.seg};
        from->out.send = false;
        step_at(to, event);
        struct endpoint *swap = from;
        from = to;
        to = swap;
        continue;
      }
      if (crashed) {
        break;
      }
      crashed = true;
      in_state(&a, VTCP_ESTABLISHED);
      in_state(&b, VTCP_ESTABLISHED);
      struct vtcp_config cfg = a.conn.cfg;
      require(vtcp_init(&a.conn, &cfg) == VTCP_CONFIG_OK, "a new record");
      a.written = a.taken = 0;
      if (who == 0) { /* figure 9 */
        a.iss += 100000;
        opens(&a);
        from = &a;
        to = &b;
      } else { /* figure 10 */
        writes(&b, 10);
        from = &b;
        to = &a;
      }
    }
    in_state(&b, VTCP_CLOSED);
    in_state(&a, who == 0 ? VTCP_SYN_SENT : VTCP_CLOSED);
    ends(&a);
    ends(&b);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(in_fair_weather),
    cmocka_unit_test(without_a_word),
    cmocka_unit_test(with_losses),
    cmocka_unit_test(with_duplicates_and_out_of_order),
    cmocka_unit_test(in_a_storm),
    cmocka_unit_test(crossing_window_probes),
    cmocka_unit_test(a_deaf_user),
    cmocka_unit_test(under_attack),
    cmocka_unit_test(both_windows_full_and_both_tails_lost),
    cmocka_unit_test(after_a_crash),
  };
  return run_with_every_base("pair", tests);
}
