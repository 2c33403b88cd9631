/* Keep-alives: RFC 9293, 3.8.4. */
#include "exchange.h"

static const uint64_t interval = 7200 * SECOND, between = 75 * SECOND; /* as test_config has them */
enum { PROBES = 9 };

static struct vtcp_config alive_config(void)
{
  struct vtcp_config cfg = test_config();
  cfg.keep_alive = true;
  return cfg;
}

static void begins_alive(struct endpoint *t)
{
  begins_with(t, alive_config());
}

/* Where nothing of ours is outstanding, and somebody is there: here keep-alives belong. */
static const uint8_t idle_states[] = {VTCP_ESTABLISHED, VTCP_FIN_WAIT_2, VTCP_CLOSE_WAIT};
enum { IDLE_STATES = 3 };

static int64_t nxt_of(const struct endpoint *t)
{
  return (int64_t)(uint32_t)(t->conn.snd_nxt - t->iss);
}

static int64_t rcv_of(const struct endpoint *t)
{
  return (int64_t)(uint32_t)(t->conn.rcv_nxt - t->irs);
}

/* <SEQ=SND.NXT-1><ACK=RCV.NXT><CTL=ACK>, and nothing moves by it. */
static void sends_a_keep_alive_at(struct endpoint *t, const struct vtcp_conn *before)
{
  sends_expected(t, (struct packet){.flags = ACK, .seq = nxt_of(t) - 1, .ack = rcv_of(t)});
  require(!t->out.seg.psh && !t->out.seg.has_mss && !t->out.more, "nothing but an ACK");
  expect_number_at("window", before->rcv_wnd, t->out.seg.wnd);
  signals_at(t, 0);
  struct vtcp_conn after = t->conn;
  after.timer_at = before->timer_at;
  after.retries = before->retries;
  require(same_conn(before, &after), "%s changed", first_difference(before, &after));
}

/* Nothing happens until `us` have passed; then exactly a keep-alive. */
static void asks_after_at(struct endpoint *t, uint64_t us)
{
  struct vtcp_conn before = t->conn;
  deadline_at(t, t->now + us);
  waits_at(t, us - 1);
  silent_at(t);
  require(same_conn(&before, &t->conn), "%s changed before its time", first_difference(&before, &t->conn));
  waits_at(t, 1);
  sends_a_keep_alive_at(t, &before);
}
#define asks_after(t, us) (at(__FILE__, __LINE__), asks_after_at((t), (us)))

/* The peer's answer to a keep-alive. */
static void answers_it_at(struct endpoint *t)
{
  arrives_at(t, (struct packet){.flags = ACK, .seq = rcv_of(t), .ack = nxt_of(t)});
  silent_at(t);
}
#define answers_it(t) (at(__FILE__, __LINE__), answers_it_at(t))

/* --- Off and on (MUST-24, MUST-25, MUST-27) --- */

static void off_unless_asked_for(void **unused)
{
  (void)unused;
  for (int i = 0; i < IDLE_STATES; i++) {
    struct endpoint t;
    begins(&t);
    reaches(&t, idle_states[i]);
    struct vtcp_conn before = t.conn;
    deadline_is(&t, NEVER);
    for (int k = 0; k < 100; k++) {
      waits(&t, interval);
      silent(&t);
    }
    require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
    ends(&t);
  }
}

static void on_if_asked_for(void **unused)
{
  (void)unused;
  for (int i = 0; i < IDLE_STATES; i++) {
    struct endpoint t;
    begins_alive(&t);
    reaches(&t, idle_states[i]);
    for (int k = 0; k < 20; k++) {
      asks_after(&t, interval);
      in_state(&t, idle_states[i]);
      t.now += 30 * MS;
      answers_it(&t);
    }
    ends(&t);
  }
}

static void of_whoever_opened(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established_passively(&t);
  asks_after(&t, interval);
  ends(&t);
  begins_alive(&t);
  in_syn_received_actively(&t);
  t.now += 3 * SECOND;
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  asks_after(&t, interval);
  ends(&t);
}

/* A child asks as its listener was told to. */
static void of_a_child(void **unused)
{
  (void)unused;
  for (int on = 0; on < 2; on++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.keep_alive = on;
    cfg.keep_alive_ms = 5000;
    begins_with(&t, cfg);
    in_syn_received_as_child(&t);
    arrives(&t, ACK, .seq = 1, .ack = 1);
    signals(&t, IS_ESTABLISHED);
    if (on) {
      asks_after(&t, 5 * SECOND);
    } else {
      deadline_is(&t, NEVER);
    }
    ends(&t);
  }
}

static void any_interval(void **unused)
{
  (void)unused;
  static const uint32_t intervals[] = {1, 2, 999, 60000, 7200000, 86400000, UINT32_MAX};
  for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
    struct endpoint t;
    struct vtcp_config cfg = alive_config();
    cfg.keep_alive_ms = intervals[i];
    cfg.keep_alive_probe_ms = intervals[sizeof intervals / sizeof intervals[0] - 1 - i];
    begins_with(&t, cfg);
    in_established(&t);
    asks_after(&t, cfg.keep_alive_ms * MS);
    asks_after(&t, cfg.keep_alive_probe_ms * MS);
    answers_it(&t);
    asks_after(&t, cfg.keep_alive_ms * MS);
    ends(&t);
  }
}

/* --- What is a sign of life (MUST-26) --- */

static void an_answer_begins_the_interval_anew(void **unused)
{
  (void)unused;
  for (int asked = 0; asked <= PROBES; asked++) {
    struct endpoint t;
    begins_alive(&t);
    in_established(&t);
    for (int k = 0; k < asked; k++) {
      asks_after(&t, k == 0 ? interval : between);
    }
    t.now += 74 * SECOND; /* not a moment too soon, after the last */
    answers_it(&t);
    deadline_is(&t, t.now + interval);
    for (int k = 0; k < PROBES; k++) { /* and all of them go out again */
      asks_after(&t, k == 0 ? interval : between);
    }
    in_state(&t, VTCP_ESTABLISHED);
    ends(&t);
  }
}

static void arriving_text_begins_it_anew(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  waits(&t, interval - 1);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101);
  asks_after(&t, interval);
  asks_after(&t, between);
  arrives(&t, ACK, .seq = 101, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 201);
  asks_after(&t, interval);
  ends(&t);
}

static void any_acknowledgment_begins_it_anew(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  for (int k = 0; k < 50; k++) { /* window updates, all within the interval: never a keep-alive */
    waits(&t, interval - 1);
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000 + k);
    silent(&t);
    deadline_is(&t, t.now + interval);
  }
  arrives(&t, ACK, .seq = 11, .ack = 1, .len = 10); /* beyond a gap, but the acknowledgment is one */
  sends(&t, ACK, .seq = 1, .ack = 1);
  asks_after(&t, interval);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 1);
  sends(&t, ACK, .seq = 1, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  asks_after(&t, interval);
  ends(&t);
}

/* Somebody off the path could send these (RFC 5961): nobody lives by them. Nor by what we do ourselves. */
static void what_is_no_sign_of_life(void **unused)
{
  (void)unused;
  for (int asked = 0; asked < 3; asked++) {
    struct endpoint t;
    begins_alive(&t);
    in_established(&t);
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
    sends(&t, ACK, .seq = 1, .ack = 101);
    for (int k = 0; k < asked; k++) {
      asks_after(&t, k == 0 ? interval : between);
    }
    uint64_t due = vtcp_deadline(&t.conn);
    t.now += 10 * SECOND;
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100); /* all old */
    sends(&t, ACK, .seq = 1, .ack = 101);
    arrives(&t, ACK, .seq = 20000, .ack = 1); /* outside the window */
    sends(&t, ACK, .seq = 1, .ack = 101);
    arrives(&t, ACK, .seq = 101, .ack = 2); /* of what was never sent */
    sends(&t, ACK, .seq = 1, .ack = 101);
    arrives(&t, NONE, .seq = 101, .len = 10);
    silent(&t);
    arrives(&t, SYN, .seq = 101);
    sends(&t, ACK, .seq = 1, .ack = 101);
    arrives(&t, RST, .seq = 102);
    sends(&t, ACK, .seq = 1, .ack = 101);
    reads(&t, 100);
    consumed(&t, 100);
    asks_status(&t);
    goes_on(&t);
    writes(&t, 0);
    icmp(&t, VTCP_ICMP_SOFT, 0, 0);
    deadline_is(&t, due);
    asks_after(&t, due - t.now);
    ends(&t);
  }
}

/* --- Only when nothing is outstanding (MUST-26) --- */

static struct vtcp_config hasty_config(void)
{
  struct vtcp_config cfg = alive_config();
  cfg.keep_alive_ms = 500; /* before any retransmission */
  cfg.keep_alive_probe_ms = 300;
  return cfg;
}

static void not_while_octets_are_in_flight(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_with(&t, hasty_config());
  in_established(&t);
  asks_after(&t, 500 * MS);
  asks_after(&t, 300 * MS);
  t.now += 100 * MS;
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  uint64_t rto = SECOND, since = t.now;
  for (int i = 1; i <= 5; i++) { /* 1 + 2 + 4 + 8 + 16 s */
    deadline_is(&t, t.now + rto);
    waits(&t, 600 * MS);
    silent(&t);
    waits(&t, rto - 600 * MS);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
    signals(&t, i == 3 ? IS_EXCESSIVE : 0); /* keep-alives are not retransmissions */
    rto *= 2;
  }
  require(t.now - since == 31 * SECOND, "the retransmissions took %.3f s", (double)(t.now - since) / 1e6);
  t.now += 400 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 11);
  acked(&t, 10);
  silent(&t);
  asks_after(&t, 500 * MS); /* again, all of it */
  asks_after(&t, 300 * MS);
  ends(&t);
}

/* R2 ends a connection with octets in flight, whatever was asked before; and never counts the quiet time. */
static void r2_is_not_touched(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_with(&t, alive_config());
  in_established(&t);
  asks_after(&t, interval);
  asks_after(&t, between);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  uint64_t since = t.now;
  t.lenient = true;
  while (t.conn.state != VTCP_CLOSED) {
    expires(&t);
    require(t.out.timed_out || (t.out.send && t.out.seg.len == 10), "not a retransmission");
  }
  require(t.now - since == 100 * SECOND, "R2 came after %.3f s", (double)(t.now - since) / 1e6);
  ends(&t);
}

static void not_while_the_window_is_closed(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_with(&t, hasty_config());
  in_established(&t);
  asks_after(&t, 500 * MS);
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
  asks_after(&t, 500 * MS); /* closed, but nothing waits: idle */
  writes(&t, 100);
  silent(&t);
  uint64_t wait = SECOND;
  for (int i = 0; i < 6; i++) {
    deadline_is(&t, t.now + wait);
    waits(&t, 600 * MS);
    silent(&t);
    waits(&t, wait - 600 * MS);
    sends(&t, ACK, .seq = 1, .ack = 1, .len = 1);
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    silent(&t);
    wait *= 2;
  }
  arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = 4000);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  t.now += 10 * MS;
  arrives(&t, ACK, .seq = 1, .ack = 101);
  acked(&t, 100);
  asks_after(&t, 500 * MS);
  ends(&t);
}

/* Where something of ours is unacknowledged, or nobody is there to ask, every segment is one that was sent before. */
static void not_in_other_states(void **unused)
{
  (void)unused;
  static const uint8_t states[] = {VTCP_CLOSED,     VTCP_LISTEN,  VTCP_SYN_SENT, VTCP_SYN_RECEIVED,
                                   VTCP_FIN_WAIT_1, VTCP_CLOSING, VTCP_LAST_ACK, VTCP_TIME_WAIT};
  for (size_t i = 0; i < sizeof states; i++) {
    struct endpoint t;
    struct vtcp_config cfg = alive_config();
    cfg.keep_alive_ms = cfg.keep_alive_probe_ms = 1;
    cfg.keep_alive_probes = 2;
    begins_with(&t, cfg);
    reaches(&t, states[i]);
    waits(&t, 500 * MS);
    silent(&t);
    in_state(&t, states[i]);
    if (states[i] <= VTCP_LISTEN) {
      deadline_is(&t, NEVER);
      ends(&t);
      continue;
    }
    uint64_t since = t.now - 500 * MS;
    t.lenient = true;
    while (t.conn.state != VTCP_CLOSED) {
      in_state(&t, states[i]);
      expires(&t);
      require(!t.out.send || t.out.seg.syn || t.out.seg.fin, "a keep-alive");
    }
    bool half_open = states[i] == VTCP_SYN_SENT || states[i] == VTCP_SYN_RECEIVED;
    uint64_t lasts = (half_open ? 180 : states[i] == VTCP_TIME_WAIT ? 120 : 100) * SECOND;
    require(t.now - since == lasts, "the end came after %.3f s", (double)(t.now - since) / 1e6);
    ends(&t);
  }
}

/* Through a whole connection: each state has its own timer. */
static void on_the_way_to_the_end(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  asks_after(&t, interval);
  closes(&t);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  deadline_is(&t, t.now + SECOND);
  waits(&t, SECOND);
  sends(&t, FIN | ACK, .seq = 1, .ack = 1);
  arrives(&t, ACK, .seq = 1, .ack = 2);
  signals(&t, IS_CLOSE_DONE);
  asks_after(&t, interval); /* FIN-WAIT-2: at the number of the FIN */
  asks_after(&t, between);
  arrives(&t, FIN | ACK, .seq = 1, .ack = 2);
  sends(&t, ACK, .seq = 2, .ack = 2);
  signals(&t, IS_PEER_CLOSED);
  in_state(&t, VTCP_TIME_WAIT);
  deadline_is(&t, t.now + 120 * SECOND);
  waits(&t, 120 * SECOND);
  signals(&t, IS_CLOSED);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* --- The end of a connection whose peer is gone (MUST-29) --- */

static void given_up_after_so_many(void **unused)
{
  (void)unused;
  static const uint8_t counts[] = {2, 3, PROBES, 255};
  for (size_t i = 0; i < sizeof counts; i++) {
    for (int s = 0; s < IDLE_STATES; s++) {
      struct endpoint t;
      struct vtcp_config cfg = alive_config();
      cfg.keep_alive_probes = counts[i];
      begins_with(&t, cfg);
      reaches(&t, idle_states[s]);
      for (int k = 0; k < counts[i]; k++) {
        asks_after(&t, k == 0 ? interval : between);
        in_state(&t, idle_states[s]);
      }
      waits(&t, between - 1); /* the last, too, has time to be answered */
      silent(&t);
      in_state(&t, idle_states[s]);
      waits(&t, 1);
      silent(&t);
      signals(&t, IS_TIMED_OUT | IS_CLOSED);
      in_state(&t, VTCP_CLOSED);
      deadline_is(&t, NEVER);
      ends(&t);
    }
  }
}

/* One that is lost, or whose answer is, does no harm: any answer saves the connection. */
static void one_answer_is_enough(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = alive_config();
  cfg.keep_alive_probes = 2;
  begins_with(&t, cfg);
  in_established(&t);
  for (int k = 0; k < 30; k++) {
    asks_after(&t, interval);
    asks_after(&t, between);
    t.now += between - 1;
    answers_it(&t);
    in_state(&t, VTCP_ESTABLISHED);
  }
  ends(&t);
}

/* The timer may be served late: one keep-alive, and the peer has its time to answer it. */
static void a_late_timeout(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  for (int k = 0; k < PROBES; k++) {
    struct vtcp_conn before = t.conn;
    waits(&t, 10 * interval);
    sends_a_keep_alive_at(&t, &before);
    deadline_is(&t, t.now + between);
  }
  waits(&t, 10 * interval);
  signals(&t, IS_TIMED_OUT | IS_CLOSED);
  ends(&t);
}

/* A peer that has forgotten the connection resets it (figure 9). */
static void a_peer_that_has_crashed(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  asks_after(&t, interval);
  arrives(&t, RST, .seq = 1); /* SEG.ACK of the keep-alive */
  signals(&t, IS_RESET | IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  ends(&t);
}

static void abort_while_asking(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  in_established(&t);
  asks_after(&t, interval);
  aborts(&t);
  sends(&t, RST, .seq = 1);
  signals(&t, IS_CLOSED);
  ends(&t);
}

/* --- Numbers --- */

/* SND.NXT - 1 and RCV.NXT on either side of 2^32, and of 2^31. */
static void at_the_wrap_around(void **unused)
{
  (void)unused;
  static const uint32_t bases[] = {0xFFFFFFFC, 0x7FFFFFFC};
  for (size_t b = 0; b < 2; b++) {
    for (uint16_t sent = 0; sent < 6; sent++) {
      struct endpoint t;
      begins_alive(&t);
      t.iss = t.irs = bases[b];
      in_established(&t);
      if (sent > 0) {
        writes(&t, sent);
        sends(&t, ACK, .seq = 1, .ack = 1, .len = sent);
        arrives(&t, ACK, .seq = 1, .ack = 1 + sent, .len = sent);
        sends(&t, ACK, .seq = 1 + sent, .ack = 1 + sent);
        acked(&t, sent);
      }
      asks_after(&t, interval);
      expect_number("SEQ", (uint32_t)(bases[b] + sent), t.out.seg.seq);
      expect_number("ACK", (uint32_t)(bases[b] + 1 + sent), t.out.seg.ack);
      answers_it(&t);
      asks_after(&t, interval);
      ends(&t);
    }
  }
}

/* Time ends. */
static void at_the_end_of_time(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins_alive(&t);
  t.now = UINT64_MAX - interval - 2 * SECOND;
  in_established(&t);
  t.now += SECOND;
  asks_after(&t, interval - SECOND);
  deadline_is(&t, NEVER);
  ends(&t);
}

/* --- Two of ours --- */

/* Carries what each sends to the other until nobody answers; returns how many segments that took. */
static unsigned carries(struct endpoint *end, unsigned from)
{
  unsigned segments = 0;
  while (end[from].out.send) {
    struct vtcp_segment seg = end[from].out.seg;
    segments++;
    require(segments < 20, "they answer each other for ever");
    require(!end[from].out.more, "one segment at a time");
    from = 1 - from;
    step_at(&end[from], (struct vtcp_event){.type = VTCP_ARRIVES, .seg = seg});
  }
  return segments;
}

static void two_ends_established(struct endpoint *end, bool first, bool second)
{
  for (unsigned i = 0; i < 2; i++) {
    struct vtcp_config cfg = test_config();
    cfg.keep_alive = i == 0 ? first : second;
    begins_with(&end[i], cfg);
    end[i].lenient = true;
    end[i].iss = i == 0 ? base_iss : base_irs;
    end[i].irs = i == 0 ? base_irs : base_iss;
  }
  step_at(&end[1], (struct vtcp_event){.type = VTCP_OPEN_PASSIVE});
  step_at(&end[0], (struct vtcp_event){.type = VTCP_OPEN_ACTIVE, .remote = true});
  expect_number("segments to open", 3, carries(end, 0));
  in_state(&end[0], VTCP_ESTABLISHED);
  in_state(&end[1], VTCP_ESTABLISHED);
}

/* Lets whoever's time has come have it; returns how many segments that took. */
static unsigned time_passes(struct endpoint *end)
{
  uint64_t first = vtcp_deadline(&end[0].conn), second = vtcp_deadline(&end[1].conn);
  unsigned which = first <= second ? 0 : 1;
  require(first != NEVER || second != NEVER, "nobody asks");
  end[0].now = end[1].now = which == 0 ? first : second;
  step_at(&end[which], (struct vtcp_event){.type = VTCP_TIMEOUT});
  return carries(end, which);
}

static void one_answer_and_rest(void **unused)
{
  (void)unused;
  struct endpoint end[2];
  two_ends_established(end, true, false);
  uint64_t since = end[0].now;
  for (uint64_t day = 1; day <= 12; day++) {
    expect_number("segments", 2, time_passes(end));
    expect_number("time", since + day * interval, end[0].now);
  }
  /* half closed: the one that asks has sent its FIN */
  step_at(&end[0], (struct vtcp_event){.type = VTCP_CLOSE});
  carries(end, 0);
  in_state(&end[0], VTCP_FIN_WAIT_2);
  in_state(&end[1], VTCP_CLOSE_WAIT);
  for (int k = 0; k < 5; k++) {
    expect_number("segments", 2, time_passes(end));
  }
  ends(&end[0]);
  ends(&end[1]);
}

/* ... the same with the window of the one that is asked closed, and with it in FIN-WAIT-2. */
static void one_answer_whatever_the_window(void **unused)
{
  (void)unused;
  struct endpoint end[2];
  two_ends_established(end, true, false);
  for (uint32_t sent = 0; sent < 10000; sent += 5000) {
    step_at(&end[0], (struct vtcp_event){.type = VTCP_SEND, .len = 5000, .remote = true});
    for (;;) {
      bool more = end[0].out.more;
      struct vtcp_segment seg = end[0].out.seg;
      require(end[0].out.send, "nothing is sent");
      step_at(&end[1], (struct vtcp_event){.type = VTCP_ARRIVES, .seg = seg});
      seg = end[1].out.seg;
      require(end[1].out.send, "text is acknowledged");
      if (!more) {
        break;
      }
      step_at(&end[0], (struct vtcp_event){.type = VTCP_MORE});
    }
    step_at(&end[0], (struct vtcp_event){.type = VTCP_ARRIVES, .seg = end[1].out.seg});
  }
  rcv_wnd_is(&end[1], 0);
  snd_wnd_is(&end[0], 0);
  for (int k = 0; k < 5; k++) {
    expect_number("segments", 2, time_passes(end));
  }
  step_at(&end[1], (struct vtcp_event){.type = VTCP_CLOSE});
  carries(end, 1);
  in_state(&end[0], VTCP_CLOSE_WAIT);
  in_state(&end[1], VTCP_FIN_WAIT_2);
  for (int k = 0; k < 5; k++) {
    expect_number("segments", 2, time_passes(end));
  }
  ends(&end[0]);
  ends(&end[1]);
}

/* Both ask: never more than a question and an answer at a time, and nobody gives up. */
static void both_ask(void **unused)
{
  (void)unused;
  struct endpoint end[2];
  two_ends_established(end, true, true);
  uint64_t since = end[0].now;
  unsigned segments = 0;
  while (end[0].now < since + 100 * interval) {
    unsigned some = time_passes(end);
    expect_number("segments", 2, some);
    segments += some;
    in_state(&end[0], VTCP_ESTABLISHED);
    in_state(&end[1], VTCP_ESTABLISHED);
  }
  require(segments <= 404, "%u segments in 100 intervals", segments);
  ends(&end[0]);
  ends(&end[1]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(off_unless_asked_for),
    cmocka_unit_test(on_if_asked_for),
    cmocka_unit_test(of_whoever_opened),
    cmocka_unit_test(of_a_child),
    cmocka_unit_test(any_interval),
    cmocka_unit_test(an_answer_begins_the_interval_anew),
    cmocka_unit_test(arriving_text_begins_it_anew),
    cmocka_unit_test(any_acknowledgment_begins_it_anew),
    cmocka_unit_test(what_is_no_sign_of_life),
    cmocka_unit_test(not_while_octets_are_in_flight),
    cmocka_unit_test(r2_is_not_touched),
    cmocka_unit_test(not_while_the_window_is_closed),
    cmocka_unit_test(not_in_other_states),
    cmocka_unit_test(on_the_way_to_the_end),
    cmocka_unit_test(given_up_after_so_many),
    cmocka_unit_test(one_answer_is_enough),
    cmocka_unit_test(a_late_timeout),
    cmocka_unit_test(a_peer_that_has_crashed),
    cmocka_unit_test(abort_while_asking),
    cmocka_unit_test(at_the_wrap_around),
    cmocka_unit_test(at_the_end_of_time),
    cmocka_unit_test(one_answer_and_rest),
    cmocka_unit_test(one_answer_whatever_the_window),
    cmocka_unit_test(both_ask),
  };
  return run_with_every_base("keep-alive", tests);
}
