/* Every user call in every state (RFC 9293, 3.10.1 to 3.10.6), with its answer, its next state and what it sends. */
#include "exchange.h"

#include <stdio.h>

enum { STATES = 11 };

/* What a call comes to: the answer, the next state, and the control bits of the segment sent (NONE: none). */
struct outcome {
  uint8_t error, next;
  unsigned flags;
};

#define C VTCP_CLOSED
#define L VTCP_LISTEN
#define SS VTCP_SYN_SENT
#define SR VTCP_SYN_RECEIVED
#define E VTCP_ESTABLISHED
#define F1 VTCP_FIN_WAIT_1
#define F2 VTCP_FIN_WAIT_2
#define CW VTCP_CLOSE_WAIT
#define CG VTCP_CLOSING
#define LA VTCP_LAST_ACK
#define TW VTCP_TIME_WAIT
#define STAYS(error) \
  {error, C, 0}, {error, L, 0}, {error, SS, 0}, {error, SR, 0}, {error, E, 0}, {error, F1, 0}, {error, F2, 0}, \
  {error, CW, 0}, {error, CG, 0}, {error, LA, 0}, {error, TW, 0}

static const struct {
  const char *name;
  uint8_t type;
  bool remote;
  uint32_t len;
  struct outcome in[STATES];
} calls[] = {
  /* 3.10.1 */
  {"OPEN active", VTCP_OPEN_ACTIVE, true, 0,
   {{VTCP_OK, SS, SYN}, {VTCP_OK, SS, SYN},
    {VTCP_ALREADY_EXISTS, SS, 0}, {VTCP_ALREADY_EXISTS, SR, 0}, {VTCP_ALREADY_EXISTS, E, 0},
    {VTCP_ALREADY_EXISTS, F1, 0}, {VTCP_ALREADY_EXISTS, F2, 0}, {VTCP_ALREADY_EXISTS, CW, 0},
    {VTCP_ALREADY_EXISTS, CG, 0}, {VTCP_ALREADY_EXISTS, LA, 0}, {VTCP_ALREADY_EXISTS, TW, 0}}},
  {"OPEN active, nobody named", VTCP_OPEN_ACTIVE, false, 0,
   {{VTCP_REMOTE_UNSPECIFIED, C, 0}, {VTCP_REMOTE_UNSPECIFIED, L, 0},
    {VTCP_ALREADY_EXISTS, SS, 0}, {VTCP_ALREADY_EXISTS, SR, 0}, {VTCP_ALREADY_EXISTS, E, 0},
    {VTCP_ALREADY_EXISTS, F1, 0}, {VTCP_ALREADY_EXISTS, F2, 0}, {VTCP_ALREADY_EXISTS, CW, 0},
    {VTCP_ALREADY_EXISTS, CG, 0}, {VTCP_ALREADY_EXISTS, LA, 0}, {VTCP_ALREADY_EXISTS, TW, 0}}},
  {"OPEN passive", VTCP_OPEN_PASSIVE, false, 0,
   {{VTCP_OK, L, 0}, {VTCP_ALREADY_EXISTS, L, 0},
    {VTCP_ALREADY_EXISTS, SS, 0}, {VTCP_ALREADY_EXISTS, SR, 0}, {VTCP_ALREADY_EXISTS, E, 0},
    {VTCP_ALREADY_EXISTS, F1, 0}, {VTCP_ALREADY_EXISTS, F2, 0}, {VTCP_ALREADY_EXISTS, CW, 0},
    {VTCP_ALREADY_EXISTS, CG, 0}, {VTCP_ALREADY_EXISTS, LA, 0}, {VTCP_ALREADY_EXISTS, TW, 0}}},
  /* 3.10.2 */
  {"SEND 10", VTCP_SEND, true, 10,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_OK, SS, SYN}, {VTCP_OK, SS, 0}, {VTCP_OK, SR, 0}, {VTCP_OK, E, ACK},
    {VTCP_CONNECTION_CLOSING, F1, 0}, {VTCP_CONNECTION_CLOSING, F2, 0}, {VTCP_OK, CW, ACK},
    {VTCP_CONNECTION_CLOSING, CG, 0}, {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  {"SEND 10, nobody named", VTCP_SEND, false, 10,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_REMOTE_UNSPECIFIED, L, 0}, {VTCP_OK, SS, 0}, {VTCP_OK, SR, 0}, {VTCP_OK, E, ACK},
    {VTCP_CONNECTION_CLOSING, F1, 0}, {VTCP_CONNECTION_CLOSING, F2, 0}, {VTCP_OK, CW, ACK},
    {VTCP_CONNECTION_CLOSING, CG, 0}, {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  {"SEND one octet too many", VTCP_SEND, true, 10001,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_INSUFFICIENT_RESOURCES, L, 0}, {VTCP_INSUFFICIENT_RESOURCES, SS, 0},
    {VTCP_INSUFFICIENT_RESOURCES, SR, 0}, {VTCP_INSUFFICIENT_RESOURCES, E, 0},
    {VTCP_CONNECTION_CLOSING, F1, 0}, {VTCP_CONNECTION_CLOSING, F2, 0}, {VTCP_INSUFFICIENT_RESOURCES, CW, 0},
    {VTCP_CONNECTION_CLOSING, CG, 0}, {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  {"SEND 2^32 - 1", VTCP_SEND, true, UINT32_MAX,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_INSUFFICIENT_RESOURCES, L, 0}, {VTCP_INSUFFICIENT_RESOURCES, SS, 0},
    {VTCP_INSUFFICIENT_RESOURCES, SR, 0}, {VTCP_INSUFFICIENT_RESOURCES, E, 0},
    {VTCP_CONNECTION_CLOSING, F1, 0}, {VTCP_CONNECTION_CLOSING, F2, 0}, {VTCP_INSUFFICIENT_RESOURCES, CW, 0},
    {VTCP_CONNECTION_CLOSING, CG, 0}, {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  /* 3.10.3, nothing there to receive */
  {"RECEIVE", VTCP_RECEIVE, true, 10,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_OK, L, 0}, {VTCP_OK, SS, 0}, {VTCP_OK, SR, 0}, {VTCP_OK, E, 0},
    {VTCP_OK, F1, 0}, {VTCP_OK, F2, 0}, {VTCP_CONNECTION_CLOSING, CW, 0}, {VTCP_CONNECTION_CLOSING, CG, 0},
    {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  /* 3.10.4 */
  {"CLOSE", VTCP_CLOSE, true, 0,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_OK, C, 0}, {VTCP_OK, C, 0}, {VTCP_OK, F1, FIN | ACK}, {VTCP_OK, F1, FIN | ACK},
    {VTCP_CONNECTION_CLOSING, F1, 0}, {VTCP_CONNECTION_CLOSING, F2, 0}, {VTCP_OK, LA, FIN | ACK},
    {VTCP_CONNECTION_CLOSING, CG, 0}, {VTCP_CONNECTION_CLOSING, LA, 0}, {VTCP_CONNECTION_CLOSING, TW, 0}}},
  /* 3.10.5 */
  {"ABORT", VTCP_ABORT, true, 0,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_OK, C, 0}, {VTCP_OK, C, 0}, {VTCP_OK, C, RST}, {VTCP_OK, C, RST},
    {VTCP_OK, C, RST}, {VTCP_OK, C, RST}, {VTCP_OK, C, RST}, {VTCP_OK, C, 0}, {VTCP_OK, C, 0}, {VTCP_OK, C, 0}}},
  /* 3.10.6 */
  {"STATUS", VTCP_STATUS, true, 0,
   {{VTCP_NO_CONNECTION, C, 0}, {VTCP_OK, L, 0}, {VTCP_OK, SS, 0}, {VTCP_OK, SR, 0}, {VTCP_OK, E, 0}, {VTCP_OK, F1, 0},
    {VTCP_OK, F2, 0}, {VTCP_OK, CW, 0}, {VTCP_OK, CG, 0}, {VTCP_OK, LA, 0}, {VTCP_OK, TW, 0}}},
  /* not calls, but nobody may be harmed by them out of season */
  {"MORE", VTCP_MORE, true, 0, {STAYS(VTCP_OK)}},
  {"TIMEOUT with nothing due", VTCP_TIMEOUT, true, 0, {STAYS(VTCP_OK)}},
  {"no such event", VTCP_ICMP + 1, true, 10, {STAYS(VTCP_BAD_EVENT)}},
  {"no such event", 255, true, 10, {STAYS(VTCP_BAD_EVENT)}},
};

/* SND.NXT in each state as exchange.h reaches it. */
static const int64_t nxt_in[STATES] = {0, 0, 1, 1, 1, 2, 2, 1, 2, 2, 2};
static const int64_t rcv_nxt_in[STATES] = {0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2};

static void every_call_in_every_state(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    for (uint8_t state = 0; state < STATES; state++) {
      struct endpoint t;
      const struct outcome *o = &calls[i].in[state];
      begins(&t);
      reaches(&t, state);
      struct vtcp_conn before = t.conn;
      at(calls[i].name, state);
      call_at(&t, calls[i].type, calls[i].len, calls[i].remote);
      answers_at(&t, o->error);
      in_state_at(&t, o->next);
      signals_at(&t, o->next == VTCP_CLOSED && state != VTCP_CLOSED ? IS_CLOSED : 0);
      int64_t nxt = nxt_in[state];
      if (o->flags == NONE) {
        silent_at(&t);
      } else if (o->flags == SYN) {
        sends_expected(&t, (struct packet){.flags = SYN, .seq = 0, .mss = 1460, .wnd = 10000});
      } else if (o->flags == RST) {
        sends_expected(&t, (struct packet){.flags = RST, .seq = nxt});
      } else {
        uint16_t len = calls[i].type == VTCP_SEND ? 10 : 0;
        sends_expected(&t, (struct packet){.flags = o->flags, .seq = nxt, .ack = rcv_nxt_in[state], .len = len});
      }
      if (o->next == state && calls[i].type != VTCP_SEND && o->error == VTCP_OK && o->flags == NONE) {
        require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
      }
      ends(&t);
    }
  }
}

/* vtcp_send_room tells exactly what SEND takes. */
static void send_room_is_what_send_takes(void **unused)
{
  (void)unused;
  for (uint8_t state = 0; state < STATES; state++) {
    for (uint32_t queued = 0; queued <= 10000; queued += 5000) {
      struct endpoint t;
      begins(&t);
      reaches(&t, state);
      t.lenient = true;
      if (calls[3].in[state].error == VTCP_OK && state != VTCP_LISTEN) {
        writes(&t, queued);
      }
      at("send room", state);
      uint32_t room = vtcp_send_room(&t.conn);
      struct vtcp_conn conn = t.conn;
      call_at(&t, VTCP_SEND, room + 1, true);
      require(t.out.error != VTCP_OK, "more than the room was taken in %s", vtcp_state_name(state));
      t.conn = conn;
      call_at(&t, VTCP_SEND, room, true);
      require(t.out.error == VTCP_OK || room == 0, "not all the room was taken in %s", vtcp_state_name(state));
      ends(&t);
    }
  }
}

static void open_sends_a_syn_with_our_window_and_mss(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  opens(&t);
  sends(&t, SYN, .seq = 0, .wnd = 10000, .mss = 1460);
  in_state(&t, VTCP_SYN_SENT);
  una_is(&t, 0);
  nxt_is(&t, 1);
  ends(&t);
}

/* The window field has 16 bits (S16): a large buffer offers 65535. */
static void a_large_buffer_offers_what_the_field_holds(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 1U << 20;
  begins_with(&t, cfg);
  opens(&t);
  sends(&t, SYN, .seq = 0, .wnd = 65535);
  ends(&t);
}

/* 3.10.2 LISTEN: SEND turns a passive open into an active one; its octets go after the handshake. */
static void send_in_listen_opens_actively(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_listen(&t);
  writes(&t, 10);
  sends(&t, SYN, .seq = 0);
  in_state(&t, VTCP_SYN_SENT);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  sends_rest(&t, 1, 11, false);
  arrives(&t, ACK, .seq = 1, .ack = 11);
  acked(&t, 10);
  ends(&t);
}

/* MUST-11: how it was opened is remembered, and OPEN or SEND in LISTEN makes it active. */
static void a_converted_listen_is_refused_like_an_active_open(void **unused)
{
  (void)unused;
  for (int by_send = 0; by_send < 2; by_send++) {
    struct endpoint t;
    begins(&t);
    in_listen(&t);
    if (by_send) {
      writes(&t, 1);
    } else {
      opens(&t);
    }
    sends(&t, SYN, .seq = 0);
    arrives(&t, SYN, .seq = 0);
    sends(&t, SYN | ACK, .seq = 0, .ack = 1);
    arrives(&t, RST, .seq = 1);
    signals(&t, IS_REFUSED | IS_CLOSED);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* 3.10.2: queued before ESTABLISHED, sent after. */
static void send_in_syn_sent_is_queued(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  writes(&t, 10);
  writes(&t, 20);
  arrives(&t, SYN | ACK, .seq = 0, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  sends_rest(&t, 1, 31, false);
  ends(&t);
}

static void send_in_syn_received_is_queued(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 30);
  arrives(&t, ACK, .seq = 1, .ack = 1);
  signals(&t, IS_ESTABLISHED);
  sends_rest(&t, 1, 31, false);
  ends(&t);
}

static void send_takes_all_or_nothing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_sent(&t);
  writes(&t, 9000);
  writes(&t, 1001);
  answers(&t, VTCP_INSUFFICIENT_RESOURCES);
  expect_number("room", 1000, vtcp_send_room(&t.conn));
  writes(&t, 1000);
  expect_number("room", 0, vtcp_send_room(&t.conn));
  writes(&t, 1);
  answers(&t, VTCP_INSUFFICIENT_RESOURCES);
  ends(&t);
}

/* T17: a SEND of nothing does nothing, not even to the timers. */
static void send_of_nothing_does_nothing(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  t.now += 500 * MS;
  struct vtcp_conn before = t.conn;
  writes(&t, 0);
  require(same_conn(&before, &t.conn), "%s changed", first_difference(&before, &t.conn));
  ends(&t);
}

static void receive_takes_what_there_is(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  sends(&t, ACK, .seq = 1, .ack = 101);
  readable(&t, 100);
  asks_status(&t);
  readable(&t, 100);
  reads(&t, 30);
  consumed(&t, 30);
  readable(&t, 70);
  reads(&t, 1000);
  consumed(&t, 70);
  readable(&t, 0);
  reads(&t, 1000);
  consumed(&t, 0);
  ends(&t);
}

/* 3.10.3: what the peer sent before its FIN is still handed over; then "connection closing". DEVIATIONS 2: also in
 * CLOSING, LAST-ACK and TIME-WAIT. */
static void receive_after_the_peers_fin(void **unused)
{
  (void)unused;
  for (int state = VTCP_CLOSE_WAIT; state <= VTCP_TIME_WAIT; state++) {
    struct endpoint t;
    begins(&t);
    in_established(&t);
    if (state == VTCP_CLOSING || state == VTCP_TIME_WAIT) {
      closes(&t);
      sends(&t, FIN | ACK, .seq = 1, .ack = 1);
    }
    bool ours_acked = state == VTCP_TIME_WAIT;
    bool closed = state == VTCP_CLOSING || ours_acked;
    arrives(&t, FIN | ACK, .seq = 1, .ack = ours_acked ? 2 : 1, .len = 50);
    sends(&t, ACK, .seq = closed ? 2 : 1, .ack = 52);
    signals(&t, IS_PEER_CLOSED | (ours_acked ? IS_CLOSE_DONE : 0));
    readable(&t, 50);
    if (state == VTCP_LAST_ACK) {
      closes(&t);
      sends(&t, FIN | ACK, .seq = 1, .ack = 52);
    }
    in_state(&t, (uint8_t)state);
    reads(&t, 20);
    consumed(&t, 20);
    readable(&t, 30);
    reads(&t, 50);
    consumed(&t, 30);
    readable(&t, 0);
    reads(&t, 50);
    answers(&t, VTCP_CONNECTION_CLOSING);
    in_state(&t, (uint8_t)state);
    ends(&t);
  }
}

/* 3.10.4: one CLOSE waits for ESTABLISHED at most (SYN-RECEIVED with data queued). */
static void calls_after_a_queued_close(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_syn_received(&t);
  writes(&t, 10);
  closes(&t);
  in_state(&t, VTCP_SYN_RECEIVED);
  closes(&t);
  answers(&t, VTCP_CONNECTION_CLOSING);
  writes(&t, 1);
  answers(&t, VTCP_CONNECTION_CLOSING);
  expect_number("room", 0, vtcp_send_room(&t.conn));
  asks_status(&t);
  aborts(&t);
  sends(&t, RST, .seq = 1);
  signals(&t, IS_CLOSED);
  ends(&t);
}

/* 3.10.5: everything queued is flushed; the RST stands at SND.NXT, behind what is outstanding. */
static void abort_with_data_outstanding(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 100);
  arrives(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  sends(&t, ACK, .seq = 101, .ack = 11);
  aborts(&t);
  sends(&t, RST, .seq = 101);
  signals(&t, IS_CLOSED);
  in_state(&t, VTCP_CLOSED);
  readable(&t, 0);
  deadline_is(&t, NEVER);
  ends(&t);
}

static void abort_with_data_unsent(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  t.peer_wnd = 50;
  in_established(&t);
  writes(&t, 100);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 50);
  closes(&t);
  in_state(&t, VTCP_FIN_WAIT_1);
  aborts(&t);
  sends(&t, RST, .seq = 51);
  signals(&t, IS_CLOSED);
  ends(&t);
}

static void abort_a_half_open_connection(void **unused)
{
  (void)unused;
  for (int origin = 0; origin < 3; origin++) {
    struct endpoint t;
    begins(&t);
    if (origin == 0) {
      in_syn_received(&t);
    } else if (origin == 1) {
      in_syn_received_actively(&t);
    } else {
      in_syn_received_as_child(&t);
    }
    aborts(&t);
    sends(&t, RST, .seq = 1);
    signals(&t, IS_CLOSED);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* After the end a record is as new: OPEN works again. */
static void a_closed_record_opens_again(void **unused)
{
  (void)unused;
  struct endpoint t;
  begins(&t);
  in_established(&t);
  aborts(&t);
  sends(&t, RST, .seq = 1);
  signals(&t, IS_CLOSED);
  t.iss += 1000000;
  t.irs -= 5000;
  in_established(&t);
  writes(&t, 10);
  sends(&t, ACK, .seq = 1, .ack = 1, .len = 10);
  ends(&t);
}

/* A listener's calls: it stays a listener. */
static void close_and_abort_of_a_listener(void **unused)
{
  (void)unused;
  for (int abort_it = 0; abort_it < 2; abort_it++) {
    struct endpoint t;
    struct vtcp_config cfg = test_config();
    cfg.listener = true;
    begins_with(&t, cfg);
    in_listen(&t);
    listens(&t);
    answers(&t, VTCP_ALREADY_EXISTS);
    if (abort_it) {
      aborts(&t);
    } else {
      closes(&t);
    }
    signals(&t, IS_CLOSED);
    in_state(&t, VTCP_CLOSED);
    ends(&t);
  }
}

/* Errors are answers to calls: an odd remote, length or flag on other events is ignored. */
static void fields_that_an_event_does_not_name_are_ignored(void **unused)
{
  (void)unused;
  for (uint8_t state = 0; state < STATES; state++) {
    for (uint8_t type = VTCP_OPEN_ACTIVE; type <= VTCP_ICMP; type++) {
      if (type == VTCP_ARRIVES) {
        continue;
      }
      struct endpoint t;
      begins(&t);
      reaches(&t, state);
      t.lenient = true;
      struct vtcp_conn plain = t.conn;
      struct vtcp_event event = {.now = t.now, .iss = t.iss, .type = type, .remote = true, .len = 5};
      if (type == VTCP_ICMP) {
        event.icmp = VTCP_ICMP_HARD;
        event.seg.seq = t.conn.snd_una;
      }
      struct vtcp_actions first, second;
      checked_step(&plain, &event, &first);
      uint32_t quoted = event.seg.seq;
      event.seg = (struct vtcp_segment){.seq = type == VTCP_ICMP ? quoted : 77, .ack = 78, .len = 79, .syn = true, .rst = true, .has_ack = true};
      if (type != VTCP_OPEN_ACTIVE && type != VTCP_SEND) {
        event.remote = false;
        event.iss = 80;
      }
      if (type != VTCP_ICMP) {
        event.icmp = VTCP_ICMP_HARD;
      }
      if (type != VTCP_SEND && type != VTCP_RECEIVE) {
        event.len = 81;
        event.push = event.urgent = true;
      }
      checked_step(&t.conn, &event, &second);
      require(same_conn(&plain, &t.conn), "%s depends on a field that is not named",
              first_difference(&plain, &t.conn));
      require(first.error == second.error && signals_of(&first) == signals_of(&second) && first.send == second.send,
              "the actions depend on a field that is not named");
      ends(&t);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_call_in_every_state),
    cmocka_unit_test(send_room_is_what_send_takes),
    cmocka_unit_test(open_sends_a_syn_with_our_window_and_mss),
    cmocka_unit_test(a_large_buffer_offers_what_the_field_holds),
    cmocka_unit_test(send_in_listen_opens_actively),
    cmocka_unit_test(a_converted_listen_is_refused_like_an_active_open),
    cmocka_unit_test(send_in_syn_sent_is_queued),
    cmocka_unit_test(send_in_syn_received_is_queued),
    cmocka_unit_test(send_takes_all_or_nothing),
    cmocka_unit_test(send_of_nothing_does_nothing),
    cmocka_unit_test(receive_takes_what_there_is),
    cmocka_unit_test(receive_after_the_peers_fin),
    cmocka_unit_test(calls_after_a_queued_close),
    cmocka_unit_test(abort_with_data_outstanding),
    cmocka_unit_test(abort_with_data_unsent),
    cmocka_unit_test(abort_a_half_open_connection),
    cmocka_unit_test(a_closed_record_opens_again),
    cmocka_unit_test(close_and_abort_of_a_listener),
    cmocka_unit_test(fields_that_an_event_does_not_name_are_ignored),
  };
  return run_with_every_base("calls", tests);
}
