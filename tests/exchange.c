/* The vocabulary of exchange.h. */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t base_iss = 0xFFFFFFF0, base_irs = 0xFFFFFFF8;

/* --- What is printed when something fails --- */

enum { KEPT = 24 };

static struct {
  struct vtcp_event event;
  struct vtcp_actions actions;
  struct vtcp_conn before, after;
} kept[KEPT];
static unsigned steps_kept;
static const char *place_file = "?";
static int place_line;
static uint32_t shown_iss, shown_irs;

void at(const char *file, int line)
{
  place_file = file;
  place_line = line;
}

static void print_segment(const struct vtcp_segment *seg, uint32_t seq_base, uint32_t ack_base)
{
  print_message("<SEQ=%lld>", relative(seg->seq, seq_base));
  if (seg->has_ack) {
    print_message("<ACK=%lld>", relative(seg->ack, ack_base));
  }
  print_message("<%s%s%s%s%s%s><WND=%u>", seg->syn ? "S" : "", seg->fin ? "F" : "", seg->rst ? "R" : "",
                seg->psh ? "P" : "", seg->has_ack ? "A" : "", seg->urg ? "U" : "", (unsigned)seg->wnd);
  if (seg->len > 0) {
    print_message("<%u octets>", (unsigned)seg->len);
  }
  if (seg->has_mss) {
    print_message("<MSS=%u>", (unsigned)seg->mss);
  }
}

static void print_signals(unsigned set)
{
  static const char *const names[] = {"spawn",    "established", "refused",    "reset",  "timed_out",
                                      "relisten", "peer_closed", "close_done", "closed", "excessive", "soft_error"};
  for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (set & (1U << i)) {
      print_message(" %s", names[i]);
    }
  }
}

static void print_kept(void)
{
  unsigned first = steps_kept > KEPT ? steps_kept - KEPT : 0;
  for (unsigned i = first; i < steps_kept; i++) {
    const struct vtcp_event *e = &kept[i % KEPT].event;
    const struct vtcp_actions *x = &kept[i % KEPT].actions;
    const struct vtcp_conn *b = &kept[i % KEPT].before, *a = &kept[i % KEPT].after;
    print_message("  %10.6f %-12s %s", (double)e->now / 1e6, vtcp_state_name(b->state), vtcp_event_name(e->type));
    if (e->type == VTCP_SEND || e->type == VTCP_RECEIVE) {
      print_message(" %u", (unsigned)e->len);
    }
    if (e->type == VTCP_ARRIVES) {
      print_message(" ");
      print_segment(&e->seg, shown_irs, shown_iss);
    }
    if (e->type == VTCP_ICMP) {
      print_message(" kind %u of SEQ=%lld, %u", (unsigned)e->icmp, relative(e->seg.seq, shown_iss), (unsigned)e->len);
    }
    if (x->send) {
      print_message("  sends ");
      print_segment(&x->seg, shown_iss, shown_irs);
    }
    if (x->error != VTCP_OK) {
      print_message("  error: %s", vtcp_error_name(x->error));
    }
    print_signals(signals_of(x));
    print_message("%s -> %s una %lld nxt %lld wnd %u rcv %lld+%u snd_len %u unread %u\n", x->more ? " more" : "",
                  vtcp_state_name(a->state), relative(a->snd_una, shown_iss), relative(a->snd_nxt, shown_iss),
                  (unsigned)a->snd_wnd, relative(a->rcv_nxt, shown_irs), (unsigned)a->rcv_wnd, (unsigned)a->snd_len,
                  (unsigned)a->rcv_len);
  }
}

void fail_at(const char *file, int line, const char *format, ...)
{
  va_list arguments;
  char text[512];
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  print_message("%s:%d: %s (checked at %s:%d; ISS %#x, IRS %#x)\n", place_file, place_line, text, file, line,
                (unsigned)shown_iss, (unsigned)shown_irs);
  print_kept();
  steps_kept = 0;
  _fail(place_file, place_line);
  abort();
}

void checked_step(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions)
{
  struct vtcp_conn before = *conn;
  const char *broken = step_by_law(conn, event, actions);
  unsigned slot = steps_kept % KEPT;
  kept[slot].event = *event;
  kept[slot].actions = *actions;
  kept[slot].before = before;
  kept[slot].after = *conn;
  steps_kept++;
  if (broken != NULL) {
    fail_at(__FILE__, __LINE__, "law %s", broken);
  }
}

/* --- Beginning and end --- */

struct vtcp_config test_config(void)
{
  return (struct vtcp_config){
    .rcv_buf = 10000,
    .snd_buf = 10000,
    .rto_initial_ms = 1000,
    .rto_min_ms = 1000,
    .rto_max_ms = 60000,
    .r2_ms = 100000,
    .r2_syn_ms = 180000,
    .user_timeout_ms = 0,
    .msl_ms = 60000,
    .keep_alive_ms = 7200000,
    .keep_alive_probe_ms = 75000,
    .default_mss = 536,
    .mms_s = 1480,
    .rcv_mss = 1460,
    .r1 = 3,
    .challenge_acks = 10,
    .keep_alive_probes = 9,
    .keep_alive = false,
    .listener = false,
    .rfc1337 = false,
  };
}

static void begins_from(struct endpoint *t, const struct vtcp_conn *conn)
{
  memset(t, 0, sizeof *t);
  t->conn = *conn;
  t->now = SECOND;
  t->iss = base_iss;
  t->irs = base_irs;
  t->peer_wnd = 4000;
  t->snd = calloc(conn->cfg.snd_buf, sizeof *t->snd);
  t->rcv = calloc(conn->cfg.rcv_buf, sizeof *t->rcv);
  steps_kept = 0;
  shown_iss = t->iss;
  shown_irs = t->irs;
}

void begins_with(struct endpoint *t, struct vtcp_config cfg)
{
  struct vtcp_conn conn;
  memset(&conn, 0xA5, sizeof conn);
  enum vtcp_config_error error = vtcp_init(&conn, &cfg);
  require(error == VTCP_CONFIG_OK, "configuration refused: %s", vtcp_config_error_name((uint8_t)error));
  begins_from(t, &conn);
}

void begins(struct endpoint *t)
{
  begins_with(t, test_config());
}

/* What the test did not name would have gone unnoticed. */
static void nothing_left_open(struct endpoint *t)
{
  if (t->lenient) {
    return;
  }
  require(!t->segment_open, "the step before this sent a segment that the test does not expect");
  require(!t->signals_open, "the step before this gave signals that the test does not expect");
  require(!t->error_open, "the step before this was answered: %s", vtcp_error_name(t->out.error));
}

void ends_at(struct endpoint *t)
{
  nothing_left_open(t);
  free(t->snd);
  free(t->rcv);
  t->snd = t->rcv = NULL;
}

int with_every_base(const char *name, const struct CMUnitTest *tests, size_t count)
{
  static const struct {
    uint32_t iss, irs;
  } bases[] = {{0xFFFFFFF0, 0xFFFFFFF8}, {0, 0}, {0x7FFFFFF0, 0x80000000}, {1000, 3000000000}};
  int failures = 0;
  for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
    char group[80];
    base_iss = bases[i].iss;
    base_irs = bases[i].irs;
    snprintf(group, sizeof group, "%s (ISS %#x, IRS %#x)", name, (unsigned)base_iss, (unsigned)base_irs);
    failures += _cmocka_run_group_tests(group, tests, count, NULL, NULL);
  }
  return failures;
}

/* --- Events --- */

/* The caller's part: obey the actions, and check that the octets are the right ones. */
static void obey(struct endpoint *t, const struct vtcp_event *e)
{
  const struct vtcp_actions *x = &t->out;
  if (x->relisten || x->closed) {
    t->written = t->taken = 0;
  }
  uint32_t dropped = x->acked, held = t->conn.snd_len;
  if (dropped > 0) {
    memmove(t->snd, t->snd + dropped, held * sizeof *t->snd);
  }
  if (x->store_len > 0) {
    uint32_t place = e->seg.seq - t->irs - (e->seg.syn ? 0U : 1U) + x->store_from;
    require(x->store_at <= t->conn.cfg.rcv_buf && x->store_len <= t->conn.cfg.rcv_buf - x->store_at,
            "text is stored outside the receive buffer");
    require(place == t->taken + x->store_at, "octet %u of the stream is stored in the place of %u", (unsigned)place,
            (unsigned)(t->taken + x->store_at));
    for (uint32_t i = 0; i < x->store_len; i++) {
      t->rcv[x->store_at + i] = place + i + 1;
    }
  }
  if (x->consumed > 0) {
    for (uint32_t i = 0; i < x->consumed; i++) {
      require(t->rcv[i] == t->taken + i + 1, "the user gets octet %u of the stream in the place of %u",
              (unsigned)t->rcv[i], (unsigned)(t->taken + i + 1));
    }
    t->taken += x->consumed;
    memmove(t->rcv, t->rcv + x->consumed, (t->conn.cfg.rcv_buf - x->consumed) * sizeof *t->rcv);
  }
  for (uint32_t i = 0; x->send && i < x->seg.len; i++) {
    require(t->snd[x->text_at + i] == x->seg.seq - t->conn.iss + i, "the wrong octets are sent");
  }
}

void step_at(struct endpoint *t, struct vtcp_event event)
{
  nothing_left_open(t);
  event.now = t->now;
  event.iss = t->iss;
  shown_iss = t->iss;
  shown_irs = t->irs;
  if (event.type == VTCP_SEND) {
    uint32_t room = t->conn.cfg.snd_buf - t->conn.snd_len;
    for (uint32_t i = 0; i < event.len && i < room; i++) {
      t->snd[t->conn.snd_len + i] = t->written + i + 1; /* so that octet k of the stream is SEQ k */
    }
  }
  checked_step(&t->conn, &event, &t->out);
  if (event.type == VTCP_SEND && t->out.error == VTCP_OK) {
    t->written += event.len;
  }
  obey(t, &event);
  t->segment_open = t->out.send;
  t->signals_open = signals_of(&t->out) != 0;
  t->error_open = t->out.error != VTCP_OK;
}

void call_at(struct endpoint *t, uint8_t type, uint32_t len, bool remote)
{
  step_at(t, (struct vtcp_event){.type = type, .len = len, .remote = remote});
}

void arrives_at(struct endpoint *t, struct packet p)
{
  struct vtcp_segment seg = {
    .seq = t->irs + (uint32_t)p.seq,
    .len = p.len,
    .up = p.up,
    .syn = (p.flags & SYN) != 0,
    .fin = (p.flags & FIN) != 0,
    .rst = (p.flags & RST) != 0,
    .psh = (p.flags & PSH) != 0,
    .urg = (p.flags & URG) != 0,
    .has_ack = (p.flags & ACK) != 0,
    .has_mss = p.mss != 0,
  };
  int32_t wnd = p.wnd == 0 ? t->peer_wnd : p.wnd;
  seg.wnd = (uint16_t)(wnd == ZERO ? 0 : wnd);
  seg.mss = (uint16_t)(p.mss > 0 ? p.mss : 0);
  if (seg.has_ack) {
    seg.ack = t->iss + (uint32_t)p.ack;
  }
  step_at(t, (struct vtcp_event){.type = VTCP_ARRIVES, .seg = seg});
}

void icmp_at(struct endpoint *t, uint8_t kind, int64_t quoted, uint32_t len)
{
  step_at(t, (struct vtcp_event){.type = VTCP_ICMP, .icmp = kind, .len = len, .seg.seq = t->iss + (uint32_t)quoted});
}

void waits_at(struct endpoint *t, uint64_t us)
{
  t->now += us;
  step_at(t, (struct vtcp_event){.type = VTCP_TIMEOUT});
}

void expires_at(struct endpoint *t)
{
  uint64_t deadline = vtcp_deadline(&t->conn);
  require(deadline != NEVER, "no timer runs");
  if (deadline > t->now) {
    t->now = deadline;
  }
  step_at(t, (struct vtcp_event){.type = VTCP_TIMEOUT});
}

/* --- Expectations --- */

static unsigned flags_of(const struct vtcp_segment *s)
{
  return (s->syn ? SYN : 0U) | (s->has_ack ? ACK : 0U) | (s->fin ? FIN : 0U) | (s->rst ? RST : 0U) |
         (s->urg ? URG : 0U);
}

void sends_expected(struct endpoint *t, struct packet p)
{
  const struct vtcp_segment *s = &t->out.seg;
  require(t->out.send, "a segment is expected, nothing is sent");
  require(flags_of(s) == p.flags, "other control bits are expected");
  /* SEQ=0 of a RST that answers a segment without ACK is absolute (3.10.7.1) */
  bool absolute = (p.flags & RST) && (p.flags & ACK);
  uint32_t seq = absolute ? (uint32_t)p.seq : t->iss + (uint32_t)p.seq;
  require(s->seq == seq, "SEQ=%lld is expected", (long long)p.seq);
  uint32_t ack = p.flags & ACK ? t->irs + (uint32_t)p.ack : 0;
  require(s->ack == ack, "ACK=%lld is expected", (long long)p.ack);
  require(s->len == p.len, "%u octets are expected", (unsigned)p.len);
  require(p.wnd == 0 || s->wnd == (p.wnd == ZERO ? 0 : p.wnd), "WND=%d is expected", (int)p.wnd);
  require(p.mss <= 0 || (s->has_mss && s->mss == p.mss), "MSS=%d is expected", (int)p.mss);
  t->segment_open = false;
}

void sends_rest_at(struct endpoint *t, int64_t from, int64_t to, bool fin)
{
  int64_t next = from;
  for (;;) {
    const struct vtcp_segment *s = &t->out.seg;
    require(t->out.send, "octets from %lld on are expected, nothing is sent", (long long)next);
    require(!s->syn && !s->rst && s->has_ack, "text is expected");
    require(s->seq == t->iss + (uint32_t)next, "SEQ=%lld is expected", (long long)next);
    require(s->len > 0 || s->fin, "text or FIN is expected");
    next += s->len;
    require(next <= to && (!s->fin || (fin && next == to)), "octets up to %lld are expected", (long long)to);
    t->segment_open = false;
    if (s->fin || !t->out.more) {
      require(next == to && s->fin == fin, "more is expected: up to %lld%s, not %lld%s", (long long)to,
              fin ? " and FIN" : "", (long long)next, s->fin ? " and FIN" : "");
      require(!t->out.more, "nothing more is expected");
      return;
    }
    call_at(t, VTCP_MORE, 0, true);
  }
}

void silent_at(struct endpoint *t)
{
  require(!t->out.send, "nothing should be sent");
}

void signals_at(struct endpoint *t, unsigned set)
{
  unsigned got = signals_of(&t->out);
  if (got != set) {
    print_message("expected signals:");
    print_signals(set);
    print_message("\n");
  }
  require(got == set, "other signals are expected");
  t->signals_open = false;
}

void answers_at(struct endpoint *t, uint8_t error)
{
  require(t->out.error == error, "the answer \"%s\" is expected, not \"%s\"", vtcp_error_name(error),
          vtcp_error_name(t->out.error));
  t->error_open = false;
}

void in_state_at(struct endpoint *t, uint8_t state)
{
  require(t->conn.state == state, "%s is expected, not %s", vtcp_state_name(state), vtcp_state_name(t->conn.state));
}

void deadline_at(struct endpoint *t, uint64_t when)
{
  uint64_t deadline = vtcp_deadline(&t->conn);
  require(deadline == when, "a deadline at %.6f s is expected, not at %.6f s", (double)when / 1e6,
          (double)deadline / 1e6);
}

void expect_number_at(const char *what, uint64_t expected, uint64_t got)
{
  require(expected == got, "%s: %lld is expected, not %lld", what, (long long)expected, (long long)got);
}

/* --- Ways into each state --- */

void in_listen(struct endpoint *t)
{
  listens(t);
  answers(t, VTCP_OK);
  silent(t);
  in_state(t, VTCP_LISTEN);
}

void in_syn_sent(struct endpoint *t)
{
  opens(t);
  sends(t, SYN, .seq = 0);
  in_state(t, VTCP_SYN_SENT);
}

void in_syn_received(struct endpoint *t)
{
  in_listen(t);
  arrives(t, SYN, .seq = 0);
  sends(t, SYN | ACK, .seq = 0, .ack = 1);
  in_state(t, VTCP_SYN_RECEIVED);
}

void in_syn_received_actively(struct endpoint *t)
{
  in_syn_sent(t);
  arrives(t, SYN, .seq = 0);
  sends(t, SYN | ACK, .seq = 0, .ack = 1);
  in_state(t, VTCP_SYN_RECEIVED);
}

void in_syn_received_as_child(struct endpoint *t)
{
  struct vtcp_config cfg = t->conn.cfg;
  struct vtcp_conn listener, child;
  int32_t peer_wnd = t->peer_wnd;
  cfg.listener = true;
  ends(t);
  begins_with(t, cfg);
  t->peer_wnd = peer_wnd;
  listens(t);
  in_state(t, VTCP_LISTEN);
  arrives(t, SYN, .seq = 0);
  silent(t);
  signals(t, IS_SPAWN);
  listener = t->conn;
  vtcp_child(&listener, &child);
  ends(t);
  begins_from(t, &child);
  t->peer_wnd = peer_wnd;
  require(vtcp_valid(&child), "a child is valid");
  in_state(t, VTCP_LISTEN);
  arrives(t, SYN, .seq = 0);
  sends(t, SYN | ACK, .seq = 0, .ack = 1);
  in_state(t, VTCP_SYN_RECEIVED);
}

void in_established(struct endpoint *t)
{
  in_syn_sent(t);
  arrives(t, SYN | ACK, .seq = 0, .ack = 1);
  sends(t, ACK, .seq = 1, .ack = 1);
  signals(t, IS_ESTABLISHED);
  in_state(t, VTCP_ESTABLISHED);
}

void in_established_passively(struct endpoint *t)
{
  in_syn_received(t);
  arrives(t, ACK, .seq = 1, .ack = 1);
  silent(t);
  signals(t, IS_ESTABLISHED);
  in_state(t, VTCP_ESTABLISHED);
}

void in_fin_wait_1(struct endpoint *t)
{
  in_established(t);
  closes(t);
  sends(t, FIN | ACK, .seq = 1, .ack = 1);
  in_state(t, VTCP_FIN_WAIT_1);
}

void in_fin_wait_2(struct endpoint *t)
{
  in_fin_wait_1(t);
  arrives(t, ACK, .seq = 1, .ack = 2);
  silent(t);
  signals(t, IS_CLOSE_DONE);
  in_state(t, VTCP_FIN_WAIT_2);
}

void in_close_wait(struct endpoint *t)
{
  in_established(t);
  arrives(t, FIN | ACK, .seq = 1, .ack = 1);
  sends(t, ACK, .seq = 1, .ack = 2);
  signals(t, IS_PEER_CLOSED);
  in_state(t, VTCP_CLOSE_WAIT);
}

void in_closing(struct endpoint *t)
{
  in_fin_wait_1(t);
  arrives(t, FIN | ACK, .seq = 1, .ack = 1);
  sends(t, ACK, .seq = 2, .ack = 2);
  signals(t, IS_PEER_CLOSED);
  in_state(t, VTCP_CLOSING);
}

void in_last_ack(struct endpoint *t)
{
  in_close_wait(t);
  closes(t);
  sends(t, FIN | ACK, .seq = 1, .ack = 2);
  in_state(t, VTCP_LAST_ACK);
}

void in_time_wait(struct endpoint *t)
{
  in_fin_wait_2(t);
  arrives(t, FIN | ACK, .seq = 1, .ack = 2);
  sends(t, ACK, .seq = 2, .ack = 2);
  signals(t, IS_PEER_CLOSED);
  in_state(t, VTCP_TIME_WAIT);
}

void reaches(struct endpoint *t, uint8_t state)
{
  switch (state) {
  case VTCP_CLOSED: break;
  case VTCP_LISTEN: in_listen(t); break;
  case VTCP_SYN_SENT: in_syn_sent(t); break;
  case VTCP_SYN_RECEIVED: in_syn_received(t); break;
  case VTCP_ESTABLISHED: in_established(t); break;
  case VTCP_FIN_WAIT_1: in_fin_wait_1(t); break;
  case VTCP_FIN_WAIT_2: in_fin_wait_2(t); break;
  case VTCP_CLOSE_WAIT: in_close_wait(t); break;
  case VTCP_CLOSING: in_closing(t); break;
  case VTCP_LAST_ACK: in_last_ack(t); break;
  case VTCP_TIME_WAIT: in_time_wait(t); break;
  default: fail_at(__FILE__, __LINE__, "no such state");
  }
}

uint32_t choose(uint64_t *seed, uint32_t below)
{
  uint64_t x = *seed;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  *seed = x;
  return (uint32_t)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}
