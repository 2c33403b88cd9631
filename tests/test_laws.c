/* Whatever happens, in whatever order: the laws of laws.h hold after every step, and adding a constant to all
 * sequence numbers changes nothing (RFC 9293, 3.4: all arithmetic is modulo 2^32; nobody is near an edge).
 *
 * Random events, calls and segments, hostile and not, drive one connection from four pairs of initial numbers in
 * lockstep. */
#include "exchange.h"

#include <string.h>

enum { TWINS = 4, EPISODES = 1500, LENGTH = 120 };

static const uint32_t isses[TWINS] = {0, 0xFFFFFFC0, 0x7FFFFFC0, 0x12345678};
static const uint32_t irses[TWINS] = {0, 0xFFFFFFE0, 0x80000000, 0xFEDCBA98};

/* A number near one that matters, or anywhere. */
static uint32_t near(uint64_t *seed, uint32_t number, uint32_t width)
{
  switch (choose(seed, 12)) {
  case 0: return number - 1;
  case 1: return number + 1;
  case 2: return number + width;
  case 3: return number + width - 1;
  case 4: return number + choose(seed, width + 2);
  case 5: return number - choose(seed, 3000);
  case 6: return choose(seed, 10) == 0 ? number + 2 * choose(seed, 0x7FFFFFFF) : number;
  default: return number;
  }
}

static struct vtcp_segment some_segment(uint64_t *seed, const struct vtcp_conn *c)
{
  static const unsigned kinds[] = {ACK, ACK, ACK, ACK, ACK, ACK, FIN | ACK, FIN | ACK, SYN, SYN | ACK, RST, RST | ACK,
                                   NONE, SYN | FIN, FIN, SYN | RST, SYN | FIN | ACK};
  unsigned kind = kinds[choose(seed, sizeof kinds / sizeof kinds[0])];
  struct vtcp_segment s = {.syn = kind & SYN, .fin = kind & FIN, .rst = kind & RST, .has_ack = kind & ACK};
  bool knows = c->state >= VTCP_SYN_RECEIVED;
  if (c->state == VTCP_SYN_SENT && choose(seed, 2)) {
    s.syn = true; /* else nothing would ever open */
  }
  s.seq = near(seed, knows ? c->rcv_nxt : c->state < VTCP_SYN_SENT ? 0 : choose(seed, 3), c->rcv_wnd);
  if (!knows) {
    s.seq = choose(seed, 5);
  }
  if (s.has_ack) {
    s.ack = near(seed, choose(seed, 2) ? c->snd_nxt : c->snd_una, c->snd_nxt - c->snd_una);
  }
  s.psh = choose(seed, 4) == 0;
  s.urg = choose(seed, 16) == 0;
  s.up = (uint16_t)choose(seed, 65536);
  uint32_t size = choose(seed, 8);
  s.len = (uint16_t)(size < 4 ? 0 : size == 4 ? 1 : choose(seed, size == 5 ? 20000 : 600));
  uint32_t window = choose(seed, 6);
  s.wnd = (uint16_t)(window == 0 ? 0 : window == 1 ? choose(seed, 50) : window == 2 ? 65535 : 4000);
  if (s.syn && choose(seed, 2)) {
    s.has_mss = true;
    s.mss = (uint16_t)choose(seed, choose(seed, 2) ? 1500 : 65536);
  }
  return s;
}

static struct vtcp_event some_event(uint64_t *seed, const struct vtcp_conn *c, uint64_t *now)
{
  struct vtcp_event e;
  memset(&e, 0, sizeof e);
  uint32_t what = choose(seed, 100);
  if (c->state <= VTCP_LISTEN && what < 50) {
    e.type = (uint8_t)(choose(seed, 2) ? VTCP_OPEN_ACTIVE : VTCP_OPEN_PASSIVE);
    e.remote = choose(seed, 8) != 0;
  } else if (what < 60) {
    e.type = VTCP_ARRIVES;
    e.seg = some_segment(seed, c);
  } else if (what < 70) {
    e.type = VTCP_SEND;
    e.len = choose(seed, choose(seed, 3) ? 900 : 12000);
    e.remote = choose(seed, 2);
    e.push = choose(seed, 2);
    e.urgent = choose(seed, 8) == 0;
  } else if (what < 78) {
    e.type = VTCP_RECEIVE;
    e.len = choose(seed, 3000);
  } else if (what < 82) {
    e.type = VTCP_CLOSE;
  } else if (what == 82) {
    e.type = VTCP_ABORT;
  } else if (what < 85) {
    e.type = (uint8_t)(choose(seed, 4) ? VTCP_STATUS : VTCP_ICMP + 1 + choose(seed, 245));
  } else if (what < 87) {
    e.type = VTCP_ICMP;
    e.icmp = (uint8_t)choose(seed, 6);
    e.seg.seq = near(seed, choose(seed, 2) ? c->snd_una : c->snd_nxt - 1, c->snd_nxt - c->snd_una);
    e.len = choose(seed, 4) == 0 ? c->snd_mss + 18U + choose(seed, 4) : choose(seed, 1500);
  } else if (what < 94) {
    e.type = VTCP_TIMEOUT;
    uint64_t deadline = vtcp_deadline(c);
    if (deadline != NEVER && deadline > *now && choose(seed, 3)) {
      *now = deadline + choose(seed, 2) * choose(seed, 1000000);
    } else {
      *now += choose(seed, 3000000);
    }
  } else {
    e.type = VTCP_MORE;
  }
  *now += choose(seed, 4) == 0 ? choose(seed, 500000) : 0;
  e.now = *now;
  return e;
}

/* What may differ is told apart by what it counts from. */
static void compare(const struct vtcp_conn *a, const struct vtcp_actions *x, const struct vtcp_conn *b,
                    const struct vtcp_actions *y, unsigned i)
{
  struct vtcp_conn shifted = *b;
  uint32_t iss = isses[i] - isses[0], irs = irses[i] - irses[0];
  if (b->state >= VTCP_SYN_SENT) {
    shifted.iss -= iss;
    shifted.snd_una -= iss;
    shifted.snd_nxt -= iss;
    shifted.snd_rtx -= iss;
  }
  shifted.snd_wl2 = a->state >= VTCP_ESTABLISHED && a->syn_acked ? b->snd_wl2 - iss : a->snd_wl2;
  shifted.rtt_seq = a->rtt_running ? b->rtt_seq - iss : a->rtt_seq;
  if (b->state >= VTCP_SYN_RECEIVED) {
    shifted.irs -= irs;
    shifted.rcv_nxt -= irs;
    shifted.snd_wl1 -= irs;
  }
  require(same_conn(a, &shifted), "with other initial numbers %s differs", first_difference(a, &shifted));
  require(signals_of(x) == signals_of(y) && x->error == y->error && x->send == y->send && x->more == y->more &&
            x->acked == y->acked && x->store_from == y->store_from && x->store_len == y->store_len &&
            x->store_at == y->store_at && x->consumed == y->consumed && x->readable == y->readable &&
            x->pushed == y->pushed && x->text_at == y->text_at,
          "with other initial numbers the actions differ");
  const struct vtcp_segment *s = &x->seg, *r = &y->seg;
  require(s->syn == r->syn && s->fin == r->fin && s->rst == r->rst && s->has_ack == r->has_ack && s->len == r->len &&
            s->wnd == r->wnd && s->mss == r->mss && s->psh == r->psh,
          "with other initial numbers the segment differs");
  bool absolute = s->rst && s->has_ack;
  require(!x->send || s->seq == (absolute ? r->seq : r->seq - iss), "with other initial numbers SEQ differs");
  require(!x->send || s->ack == (s->has_ack ? r->ack - irs : r->ack), "with other initial numbers ACK differs");
}

static void any_events_from_any_numbers(void **unused)
{
  (void)unused;
  unsigned long steps = 0, visits[11] = {0};
  for (uint64_t episode = 1; episode <= EPISODES; episode++) {
    uint64_t seed = episode * UINT64_C(0x9E3779B97F4A7C15), now = SECOND;
    struct vtcp_conn conn[TWINS];
    struct vtcp_actions x[TWINS];
    struct vtcp_config cfg = test_config();
    cfg.rcv_buf = choose(&seed, 3) ? 10000 : choose(&seed, 200) + 1;
    cfg.snd_buf = choose(&seed, 3) ? 10000 : choose(&seed, 200) + 1;
    cfg.user_timeout_ms = choose(&seed, 4) ? 0 : 30000;
    cfg.listener = choose(&seed, 8) == 0;
    cfg.rfc1337 = choose(&seed, 2);
    cfg.keep_alive = choose(&seed, 2);
    cfg.keep_alive_ms = choose(&seed, 2) ? 7200000 : 1 + choose(&seed, 5000);
    cfg.keep_alive_probe_ms = 1 + choose(&seed, 5000);
    cfg.keep_alive_probes = (uint8_t)(2 + choose(&seed, 3));
    cfg.rcv_mss = (uint16_t)(1 + choose(&seed, 1460));
    cfg.mms_s = (uint16_t)(21 + choose(&seed, 1460));
    for (unsigned i = 0; i < TWINS; i++) {
      require(vtcp_init(&conn[i], &cfg) == VTCP_CONFIG_OK, "the configuration is in order");
    }
    for (unsigned k = 0; k < LENGTH; k++) {
      struct vtcp_event event = some_event(&seed, &conn[0], &now);
      for (unsigned i = 0; i < TWINS; i++) {
        struct vtcp_event e = event;
        e.iss = isses[i];
        if (e.type == VTCP_ICMP) {
          e.seg.seq += isses[i] - isses[0];
        }
        if (e.type == VTCP_ARRIVES) {
          e.seg.seq += irses[i] - irses[0];
          e.seg.ack += e.seg.has_ack ? isses[i] - isses[0] : 0;
        }
        checked_step(&conn[i], &e, &x[i]);
        if (x[i].spawn) {
          struct vtcp_conn child;
          vtcp_child(&conn[i], &child);
          conn[i] = child;
          checked_step(&conn[i], &e, &x[i]);
        }
        if (i > 0) {
          compare(&conn[0], &x[0], &conn[i], &x[i], i);
        }
        steps++;
      }
      visits[conn[0].state]++;
    }
  }
  for (uint8_t state = 0; state < 11; state++) {
    require(visits[state] > 100, "%s was hardly ever visited", vtcp_state_name(state));
  }
  print_message("%lu steps\n", steps);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(any_events_from_any_numbers),
  };
  return cmocka_run_group_tests_name("laws", tests, NULL, NULL);
}
