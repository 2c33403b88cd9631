/* Configurations, names, and which records vtcp_valid refuses. */
#include "exchange.h"

#include <string.h>

/* --- Configurations: each limit from both sides --- */

#define REFUSED(field, value, reason)                                                                          \
  do {                                                                                                         \
    struct vtcp_config cfg = test_config();                                                                    \
    cfg.field = (value);                                                                                       \
    at(#field " = " #value, __LINE__);                                                                         \
    expect_number_at("reason", (reason), vtcp_config_check(&cfg));                                             \
    struct vtcp_conn conn, before;                                                                             \
    memset(&conn, 0x5A, sizeof conn);                                                                          \
    memset(&before, 0x5A, sizeof before);                                                                      \
    expect_number_at("reason", (reason), vtcp_init(&conn, &cfg));                                              \
    require(memcmp(&conn, &before, sizeof conn) == 0, "vtcp_init touched the record");                         \
  } while (0)

#define TAKEN(field, value)                                                                                    \
  do {                                                                                                         \
    struct vtcp_config cfg = test_config();                                                                    \
    cfg.field = (value);                                                                                       \
    at(#field " = " #value, __LINE__);                                                                         \
    expect_number_at("reason", VTCP_CONFIG_OK, vtcp_config_check(&cfg));                                       \
    struct vtcp_conn conn;                                                                                     \
    expect_number_at("reason", VTCP_CONFIG_OK, vtcp_init(&conn, &cfg));                                        \
    require(vtcp_valid(&conn) && conn.state == VTCP_CLOSED && conn.cfg.field == (value), "a new record");      \
  } while (0)

static void each_limit(void **unused)
{
  (void)unused;
  REFUSED(rcv_buf, 0, VTCP_CONFIG_RCV_BUF);
  TAKEN(rcv_buf, 1);
  TAKEN(rcv_buf, 1U << 30);
  REFUSED(rcv_buf, (1U << 30) + 1, VTCP_CONFIG_RCV_BUF);
  REFUSED(rcv_buf, UINT32_MAX, VTCP_CONFIG_RCV_BUF);
  REFUSED(snd_buf, 0, VTCP_CONFIG_SND_BUF);
  TAKEN(snd_buf, 1);
  TAKEN(snd_buf, 1U << 30);
  REFUSED(snd_buf, (1U << 30) + 1, VTCP_CONFIG_SND_BUF);
  REFUSED(snd_buf, UINT32_MAX, VTCP_CONFIG_SND_BUF);
  REFUSED(rcv_mss, 0, VTCP_CONFIG_RCV_MSS);
  TAKEN(rcv_mss, 1);
  TAKEN(rcv_mss, 65535);
  REFUSED(default_mss, 0, VTCP_CONFIG_SEND_MSS);
  TAKEN(default_mss, 1);
  TAKEN(default_mss, 65535);
  REFUSED(mms_s, 0, VTCP_CONFIG_MMS_S);
  REFUSED(mms_s, 20, VTCP_CONFIG_MMS_S);
  TAKEN(mms_s, 21);
  TAKEN(mms_s, 65535);
  REFUSED(rto_min_ms, 0, VTCP_CONFIG_RTO);
  TAKEN(rto_min_ms, 1);
  TAKEN(rto_min_ms, 1000);
  REFUSED(rto_min_ms, 1001, VTCP_CONFIG_RTO); /* above rto_initial */
  REFUSED(rto_initial_ms, 999, VTCP_CONFIG_RTO);
  REFUSED(rto_initial_ms, 0, VTCP_CONFIG_RTO);
  TAKEN(rto_initial_ms, 60000);
  REFUSED(rto_initial_ms, 60001, VTCP_CONFIG_RTO);
  REFUSED(rto_max_ms, 59999, VTCP_CONFIG_RTO); /* RFC 6298 (2.5) */
  TAKEN(rto_max_ms, 4000000);
  REFUSED(rto_max_ms, 4000001, VTCP_CONFIG_RTO);
  REFUSED(rto_max_ms, UINT32_MAX, VTCP_CONFIG_RTO);
  REFUSED(r1, 0, VTCP_CONFIG_R1);
  REFUSED(r1, 2, VTCP_CONFIG_R1);
  TAKEN(r1, 3);
  TAKEN(r1, 255);
  REFUSED(r2_ms, 0, VTCP_CONFIG_R2);
  REFUSED(r2_ms, 999, VTCP_CONFIG_R2);
  TAKEN(r2_ms, 1000);
  TAKEN(r2_ms, UINT32_MAX);
  REFUSED(r2_syn_ms, 0, VTCP_CONFIG_R2_SYN);
  REFUSED(r2_syn_ms, 179999, VTCP_CONFIG_R2_SYN); /* MUST-23 */
  TAKEN(r2_syn_ms, 180000);
  TAKEN(r2_syn_ms, UINT32_MAX);
  REFUSED(msl_ms, 0, VTCP_CONFIG_MSL);
  TAKEN(msl_ms, 1);
  TAKEN(msl_ms, 3600000);
  REFUSED(msl_ms, 3600001, VTCP_CONFIG_MSL);
  REFUSED(msl_ms, UINT32_MAX, VTCP_CONFIG_MSL);
  REFUSED(challenge_acks, 0, VTCP_CONFIG_CHALLENGE_ACKS);
  TAKEN(challenge_acks, 1);
  TAKEN(challenge_acks, 255);
  REFUSED(keep_alive_ms, 0, VTCP_CONFIG_KEEP_ALIVE);
  TAKEN(keep_alive_ms, 1);
  TAKEN(keep_alive_ms, UINT32_MAX);
  REFUSED(keep_alive_probe_ms, 0, VTCP_CONFIG_KEEP_ALIVE);
  TAKEN(keep_alive_probe_ms, 1);
  TAKEN(keep_alive_probe_ms, UINT32_MAX);
  REFUSED(keep_alive_probes, 0, VTCP_CONFIG_KEEP_ALIVE);
  REFUSED(keep_alive_probes, 1, VTCP_CONFIG_KEEP_ALIVE); /* MUST-29 */
  TAKEN(keep_alive_probes, 2);
  TAKEN(keep_alive_probes, 255);
  TAKEN(keep_alive, true);
  TAKEN(user_timeout_ms, 0);
  TAKEN(user_timeout_ms, 1);
  TAKEN(user_timeout_ms, UINT32_MAX);
  TAKEN(listener, true);
  TAKEN(rfc1337, true);
}

static void the_first_reason(void **unused)
{
  (void)unused;
  struct vtcp_config cfg;
  memset(&cfg, 0, sizeof cfg);
  static const enum vtcp_config_error order[] = {
    VTCP_CONFIG_RCV_BUF, VTCP_CONFIG_SND_BUF, VTCP_CONFIG_RCV_MSS, VTCP_CONFIG_SEND_MSS,
    VTCP_CONFIG_MMS_S,   VTCP_CONFIG_RTO,     VTCP_CONFIG_R1,      VTCP_CONFIG_R2,
    VTCP_CONFIG_R2_SYN,  VTCP_CONFIG_MSL,     VTCP_CONFIG_CHALLENGE_ACKS, VTCP_CONFIG_KEEP_ALIVE};
  struct vtcp_config good = test_config();
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    expect_number("reason", order[i], vtcp_config_check(&cfg));
    switch (order[i]) {
    case VTCP_CONFIG_RCV_BUF: cfg.rcv_buf = good.rcv_buf; break;
    case VTCP_CONFIG_SND_BUF: cfg.snd_buf = good.snd_buf; break;
    case VTCP_CONFIG_RCV_MSS: cfg.rcv_mss = good.rcv_mss; break;
    case VTCP_CONFIG_SEND_MSS: cfg.default_mss = good.default_mss; break;
    case VTCP_CONFIG_MMS_S: cfg.mms_s = good.mms_s; break;
    case VTCP_CONFIG_RTO:
      cfg.rto_min_ms = good.rto_min_ms;
      cfg.rto_initial_ms = good.rto_initial_ms;
      cfg.rto_max_ms = good.rto_max_ms;
      break;
    case VTCP_CONFIG_R1: cfg.r1 = good.r1; break;
    case VTCP_CONFIG_R2: cfg.r2_ms = good.r2_ms; break;
    case VTCP_CONFIG_R2_SYN: cfg.r2_syn_ms = good.r2_syn_ms; break;
    case VTCP_CONFIG_MSL: cfg.msl_ms = good.msl_ms; break;
    case VTCP_CONFIG_CHALLENGE_ACKS: cfg.challenge_acks = good.challenge_acks; break;
    case VTCP_CONFIG_KEEP_ALIVE:
      cfg.keep_alive_ms = good.keep_alive_ms;
      cfg.keep_alive_probe_ms = good.keep_alive_probe_ms;
      cfg.keep_alive_probes = good.keep_alive_probes;
      break;
    case VTCP_CONFIG_OK: break;
    }
  }
  expect_number("reason", VTCP_CONFIG_OK, vtcp_config_check(&cfg));
}

/* What the RFCs and the header say of the defaults. */
static void the_defaults(void **unused)
{
  (void)unused;
  struct vtcp_config cfg = vtcp_config_default();
  expect_number("check", VTCP_CONFIG_OK, vtcp_config_check(&cfg));
  expect_number("receive buffer", 65536, cfg.rcv_buf);
  expect_number("send buffer", 65536, cfg.snd_buf);
  expect_number("initial RTO (RFC 6298 (2.1))", 1000, cfg.rto_initial_ms);
  expect_number("least RTO (RFC 6298 (2.4))", 1000, cfg.rto_min_ms);
  require(cfg.rto_max_ms >= 60000, "RFC 6298 (2.5)");
  require(cfg.r1 >= 3, "SHLD-10");
  require(cfg.r2_ms >= 100000, "SHLD-11");
  require(cfg.r2_syn_ms >= 180000, "MUST-23");
  expect_number("MSL", 60000, cfg.msl_ms);
  expect_number("default MSS (MUST-15)", 536, cfg.default_mss);
  expect_number("MMS_S: 1500 - 20", 1480, cfg.mms_s);
  expect_number("MSS option: 1500 - 40 (MUST-67)", 1460, cfg.rcv_mss);
  require(!cfg.keep_alive, "MUST-25");
  require(cfg.keep_alive_ms >= 7200000, "MUST-28");
  expect_number("keep-alive", 7200000, cfg.keep_alive_ms);
  expect_number("keep-alive, not answered", 75000, cfg.keep_alive_probe_ms);
  require(cfg.keep_alive_probes >= 2, "MUST-29");
  require(!cfg.listener && !cfg.rfc1337 && cfg.user_timeout_ms == 0, "nothing out of the ordinary");
}

/* --- Names --- */

static void names(void **unused)
{
  (void)unused;
  static const char *const states[] = {"CLOSED",     "LISTEN",     "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED",
                                       "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",      "LAST-ACK",
                                       "TIME-WAIT"};
  for (uint8_t i = 0; i <= VTCP_TIME_WAIT; i++) {
    assert_string_equal(states[i], vtcp_state_name(i));
  }
  static const char *const events[] = {"OPEN",  "OPEN",   "SEND",            "RECEIVE", "CLOSE",
                                       "ABORT", "STATUS", "SEGMENT ARRIVES", "",      "",      "ICMP"};
  for (uint8_t i = 0; i <= VTCP_ICMP; i++) {
    require(strstr(vtcp_event_name(i), events[i]) != NULL, "event %u: %s", i, vtcp_event_name(i));
    for (uint8_t k = 0; k < i; k++) {
      require(strcmp(vtcp_event_name(i), vtcp_event_name(k)) != 0, "one name for two events");
    }
  }
  static const char *const errors[] = {"ok",
                                       "connection does not exist",
                                       "connection already exists",
                                       "remote socket unspecified",
                                       "insufficient resources",
                                       "connection closing",
                                       ""};
  for (uint8_t i = 0; i <= VTCP_BAD_EVENT; i++) {
    require(strstr(vtcp_error_name(i), errors[i]) != NULL, "error %u: %s", i, vtcp_error_name(i));
    require(strcmp(vtcp_error_name(i), "?") != 0, "error %u has no name", i);
  }
  for (uint8_t i = 0; i <= VTCP_CONFIG_KEEP_ALIVE; i++) {
    require(strcmp(vtcp_config_error_name(i), "?") != 0, "configuration error %u has no name", i);
    for (uint8_t k = 0; k < i; k++) {
      require(strcmp(vtcp_config_error_name(i), vtcp_config_error_name(k)) != 0, "one name for two errors");
    }
  }
  static const uint8_t unknown[] = {100, 127, 128, 255};
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal("?", vtcp_state_name(unknown[i]));
    assert_string_equal("?", vtcp_event_name(unknown[i]));
    assert_string_equal("?", vtcp_error_name(unknown[i]));
    assert_string_equal("?", vtcp_config_error_name(unknown[i]));
  }
  assert_string_equal("?", vtcp_state_name(VTCP_TIME_WAIT + 1));
  assert_string_equal("?", vtcp_event_name(VTCP_ICMP + 1));
  assert_string_equal("?", vtcp_error_name(VTCP_BAD_EVENT + 1));
  assert_string_equal("?", vtcp_config_error_name(VTCP_CONFIG_KEEP_ALIVE + 1));
}

/* --- vtcp_valid --- */

/* Records to break. */
enum sample {
  CLOSED,
  LISTENING,
  OPENING,         /* SYN-SENT */
  ANSWERING,       /* SYN-RECEIVED, passive */
  IDLE,            /* ESTABLISHED, 100 octets unread */
  SENDING,         /* ESTABLISHED, 200 octets outstanding, 100 acknowledged before */
  PROBING,         /* ESTABLISHED, SND.WND = 0, 50 octets waiting */
  FIN_OUT,         /* FIN-WAIT-1 */
  FIN_ACKED,       /* FIN-WAIT-2 */
  PEER_CLOSED,     /* CLOSE-WAIT */
  BOTH_CLOSED,     /* CLOSING */
  LAST,            /* LAST-ACK */
  WAITING,         /* TIME-WAIT */
  CLOSED_EARLY,    /* FIN-WAIT-1 entered from SYN-RECEIVED: SYN and FIN outstanding */
  CLOSE_QUEUED,    /* SYN-RECEIVED with 10 octets and a CLOSE queued */
  KEPT_ALIVE,      /* ESTABLISHED, idle, with keep-alives */
  ALIVE_SENDING    /* the same, 200 octets outstanding */
};

static struct vtcp_conn make(enum sample sample)
{
  struct endpoint t;
  begins(&t);
  t.lenient = true;
  switch (sample) {
  case CLOSED: break;
  case LISTENING: in_listen(&t); break;
  case OPENING: in_syn_sent(&t); break;
  case ANSWERING: in_syn_received(&t); break;
  case IDLE:
    in_established(&t);
    arrives(&t, ACK, .seq = 1, .ack = 1, .len = 100);
    break;
  case SENDING:
    in_established(&t);
    writes(&t, 100);
    arrives(&t, ACK, .seq = 1, .ack = 101);
    writes(&t, 200);
    break;
  case PROBING:
    in_established(&t);
    arrives(&t, ACK, .seq = 1, .ack = 1, .wnd = ZERO);
    writes(&t, 50);
    break;
  case FIN_OUT: in_fin_wait_1(&t); break;
  case FIN_ACKED: in_fin_wait_2(&t); break;
  case PEER_CLOSED: in_close_wait(&t); break;
  case BOTH_CLOSED: in_closing(&t); break;
  case LAST: in_last_ack(&t); break;
  case WAITING: in_time_wait(&t); break;
  case CLOSED_EARLY:
    in_syn_received(&t);
    closes(&t);
    break;
  case CLOSE_QUEUED:
    in_syn_received(&t);
    writes(&t, 10);
    closes(&t);
    break;
  case KEPT_ALIVE:
  case ALIVE_SENDING:
    t.conn.cfg.keep_alive = true;
    in_established(&t);
    writes(&t, sample == ALIVE_SENDING ? 200 : 0);
    break;
  }
  struct vtcp_conn conn = t.conn;
  ends(&t);
  return conn;
}

static unsigned survived;

static void judge(const struct vtcp_conn *conn, enum sample sample, const char *what, int line)
{
  if (vtcp_valid(conn)) {
    print_message("test_config.c:%d: still valid: sample %d, %s\n", line, (int)sample, what);
    survived++;
  }
}

#define BREAK(sample, change)                             \
  do {                                                    \
    struct vtcp_conn c = make(sample);                    \
    require(vtcp_valid(&c), #sample " is not valid");     \
    change;                                               \
    judge(&c, sample, #change, __LINE__);                 \
  } while (0)

static void valid_refuses_broken_records(void **unused)
{
  (void)unused;
  survived = 0;
  for (enum sample s = CLOSED; s <= ALIVE_SENDING; s++) {
    BREAK(s, c.state = 11);
    BREAK(s, c.state = 255);
    if (s != KEPT_ALIVE) {
      BREAK(s, c.timer = VTCP_KEEP_ALIVE);
    }
    BREAK(s, c.timer = VTCP_OVERRIDE);
    BREAK(s, c.timer = 6);
    BREAK(s, c.timer = 255);
    BREAK(s, c.origin = 3);
    BREAK(s, c.cfg.rcv_buf = 0);
    BREAK(s, c.cfg.snd_buf = UINT32_MAX);
    BREAK(s, c.cfg.rto_max_ms = 0);
    BREAK(s, c.cfg.challenge_acks = 0);
    BREAK(s, c.cfg.keep_alive_ms = 0);
    BREAK(s, c.cfg.keep_alive_probe_ms = 0);
    BREAK(s, c.cfg.keep_alive_probes = 1);
    BREAK(s, c.snd_len = c.cfg.snd_buf + 1);
    BREAK(s, c.rcv_len = c.cfg.rcv_buf + 1);
    BREAK(s, c.rcv_wnd = c.cfg.rcv_buf + 1);
    if (s > LISTENING) {
      BREAK(s, c.snd_mss = 0);
      BREAK(s, c.rto = 0);
    }
    BREAK(s, c.rto = UINT32_MAX);
    BREAK(s, c.snd_una = c.snd_nxt + 1);
    BREAK(s, c.snd_rtx = c.snd_nxt + 1);
    BREAK(s, c.snd_rtx = c.snd_una - 1);
    BREAK(s, c.challenges = (uint8_t)(c.cfg.challenge_acks + 1));
  }
  /* CLOSED and LISTEN hold nothing and wait for nothing */
  BREAK(CLOSED, c.timer = VTCP_RETRANSMISSION);
  BREAK(CLOSED, c.snd_len = 1);
  BREAK(CLOSED, c.rcv_len = 1);
  BREAK(CLOSED, c.fin_sent = true);
  BREAK(CLOSED, c.snd_mss = 536);
  BREAK(CLOSED, c.timer_at = 1);
  BREAK(CLOSED, c.progress_at = 1);
  BREAK(CLOSED, c.rtt_at = 1);
  BREAK(CLOSED, c.challenge_at = 1);
  BREAK(CLOSED, c.close_queued = true);
  BREAK(LISTENING, c.timer = VTCP_RETRANSMISSION);
  BREAK(LISTENING, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(LISTENING, c.snd_len = 1);
  BREAK(LISTENING, c.rcv_len = 1);
  BREAK(LISTENING, c.fin_sent = true);
  BREAK(LISTENING, c.syn_acked = true);
  /* half-open: SYN outstanding, with a limit */
  BREAK(OPENING, c.timer = VTCP_NO_TIMER);
  BREAK(OPENING, c.timer = VTCP_PERSIST);
  BREAK(OPENING, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(OPENING, c.syn_acked = true);
  BREAK(OPENING, c.snd_una++);
  BREAK(OPENING, c.snd_nxt++);
  BREAK(OPENING, c.iss++);
  BREAK(OPENING, c.fin_sent = true);
  BREAK(OPENING, c.close_queued = true);
  BREAK(ANSWERING, c.timer = VTCP_NO_TIMER);
  BREAK(ANSWERING, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(ANSWERING, c.syn_acked = true);
  BREAK(ANSWERING, c.snd_una++);
  BREAK(ANSWERING, c.snd_nxt++);
  BREAK(ANSWERING, c.fin_sent = true);
  BREAK(CLOSED_EARLY, c.timer = VTCP_NO_TIMER);
  BREAK(CLOSED_EARLY, c.snd_len = 1);
  BREAK(CLOSED_EARLY, c.snd_una++);
  BREAK(CLOSED_EARLY, c.snd_nxt++);
  BREAK(CLOSED_EARLY, c.syn_acked = true);
  BREAK(CLOSE_QUEUED, c.timer = VTCP_NO_TIMER);
  BREAK(CLOSE_QUEUED, c.fin_sent = true);
  BREAK(CLOSE_QUEUED, c.snd_len = 0);
  /* text: SND.NXT - SND.UNA is in the buffer; the window is in the buffer */
  BREAK(IDLE, c.syn_acked = false);
  BREAK(IDLE, c.fin_sent = true);
  BREAK(IDLE, c.close_queued = true);
  BREAK(IDLE, c.snd_nxt++);
  BREAK(IDLE, c.snd_una--);
  BREAK(IDLE, c.snd_una++);
  BREAK(IDLE, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(IDLE, c.timer = VTCP_RETRANSMISSION);
  BREAK(IDLE, c.timer = VTCP_PERSIST);
  BREAK(IDLE, c.rcv_wnd = c.cfg.rcv_buf - c.rcv_len + 1);
  BREAK(IDLE, c.rcv_len = c.cfg.rcv_buf - c.rcv_wnd + 1);
  BREAK(IDLE, c.snd_wnd = c.max_snd_wnd + 1);
  BREAK(SENDING, c.timer = VTCP_NO_TIMER);
  BREAK(SENDING, c.timer = VTCP_PERSIST);
  BREAK(SENDING, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(SENDING, c.snd_nxt++);
  BREAK(SENDING, c.snd_una--);
  BREAK(SENDING, c.snd_len--);
  BREAK(IDLE, c.rtt_running = true);
  BREAK(SENDING, c.rtt_seq = c.snd_nxt + 1);
  BREAK(SENDING, c.rtt_seq = c.snd_una);
  BREAK(SENDING, c.srtt = UINT32_MAX);
  BREAK(SENDING, c.rttvar = UINT32_MAX);
  BREAK(PROBING, c.timer = VTCP_NO_TIMER);
  BREAK(PROBING, c.timer = VTCP_TIME_WAIT_TIMER);
  /* keep-alives: asked for, and then whenever nothing is outstanding */
  BREAK(KEPT_ALIVE, c.timer = VTCP_NO_TIMER);
  BREAK(KEPT_ALIVE, c.timer = VTCP_RETRANSMISSION);
  BREAK(KEPT_ALIVE, c.timer = VTCP_PERSIST);
  BREAK(KEPT_ALIVE, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(KEPT_ALIVE, c.cfg.keep_alive = false);
  BREAK(IDLE, c.cfg.keep_alive = true);
  BREAK(FIN_ACKED, c.cfg.keep_alive = true);
  BREAK(PEER_CLOSED, c.cfg.keep_alive = true);
  BREAK(ALIVE_SENDING, c.timer = VTCP_NO_TIMER);
  /* our FIN: outstanding or acknowledged, by state */
  BREAK(FIN_OUT, c.timer = VTCP_NO_TIMER);
  BREAK(FIN_OUT, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(FIN_OUT, c.snd_una = c.snd_nxt);
  BREAK(FIN_OUT, c.close_queued = true);
  BREAK(FIN_OUT, c.snd_len = 1);
  BREAK(FIN_ACKED, c.fin_sent = false);
  BREAK(FIN_ACKED, c.snd_una--);
  BREAK(FIN_ACKED, c.snd_len = 1);
  BREAK(FIN_ACKED, c.timer = VTCP_RETRANSMISSION);
  BREAK(FIN_ACKED, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(PEER_CLOSED, c.fin_sent = true);
  BREAK(PEER_CLOSED, c.syn_acked = false);
  BREAK(PEER_CLOSED, c.close_queued = true);
  BREAK(BOTH_CLOSED, c.timer = VTCP_NO_TIMER);
  BREAK(BOTH_CLOSED, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(BOTH_CLOSED, c.snd_una = c.snd_nxt);
  BREAK(LAST, c.timer = VTCP_NO_TIMER);
  BREAK(LAST, c.timer = VTCP_TIME_WAIT_TIMER);
  BREAK(LAST, c.snd_una = c.snd_nxt);
  BREAK(LAST, c.syn_acked = false);
  /* TIME-WAIT: all is said, and 2 MSL run */
  BREAK(WAITING, c.timer = VTCP_NO_TIMER);
  BREAK(WAITING, c.timer = VTCP_RETRANSMISSION);
  BREAK(WAITING, c.timer = VTCP_PERSIST);
  BREAK(WAITING, c.fin_sent = false);
  BREAK(WAITING, c.snd_una--);
  BREAK(WAITING, c.snd_len = 1);
  /* the same record in another state */
  BREAK(IDLE, c.state = VTCP_CLOSED);
  BREAK(IDLE, c.state = VTCP_LISTEN);
  BREAK(IDLE, c.state = VTCP_SYN_SENT);
  BREAK(IDLE, c.state = VTCP_SYN_RECEIVED);
  BREAK(IDLE, c.state = VTCP_FIN_WAIT_2);
  BREAK(IDLE, c.state = VTCP_TIME_WAIT);
  BREAK(SENDING, c.state = VTCP_FIN_WAIT_2);
  BREAK(FIN_OUT, c.state = VTCP_ESTABLISHED);
  BREAK(FIN_OUT, c.state = VTCP_FIN_WAIT_2);
  BREAK(FIN_OUT, c.state = VTCP_TIME_WAIT);
  BREAK(FIN_ACKED, c.state = VTCP_FIN_WAIT_1);
  BREAK(FIN_ACKED, c.state = VTCP_CLOSING);
  BREAK(FIN_ACKED, c.state = VTCP_LAST_ACK);
  BREAK(FIN_ACKED, c.state = VTCP_TIME_WAIT);
  BREAK(WAITING, c.state = VTCP_ESTABLISHED);
  BREAK(WAITING, c.state = VTCP_LAST_ACK);
  require(survived == 0, "vtcp_valid takes %u broken records", survived);
}

/* Not one field of a CLOSED or LISTENing connection holds anything, but for configuration, state and origin. */
static void valid_refuses_whatever_is_left_over(void **unused)
{
  (void)unused;
  survived = 0;
  for (enum sample s = CLOSED; s <= LISTENING; s++) {
    BREAK(s, c.timer_at = 1);
    BREAK(s, c.progress_at = 1);
    BREAK(s, c.rtt_at = 1);
    BREAK(s, c.challenge_at = 1);
    BREAK(s, c.iss = 1);
    BREAK(s, c.snd_una = 1);
    BREAK(s, c.snd_nxt = 1);
    BREAK(s, c.snd_wnd = 1);
    BREAK(s, c.snd_wl1 = 1);
    BREAK(s, c.snd_wl2 = 1);
    BREAK(s, c.snd_rtx = 1);
    BREAK(s, c.max_snd_wnd = 1);
    BREAK(s, c.acked = 1);
    BREAK(s, c.snd_len = 1);
    BREAK(s, c.irs = 1);
    BREAK(s, c.rcv_nxt = 1);
    BREAK(s, c.rcv_wnd = 1);
    BREAK(s, c.rcv_len = 1);
    BREAK(s, c.fin_end = 1);
    for (unsigned i = 0; i < VTCP_RANGES; i++) {
      BREAK(s, c.held.at[i].from = 1);
      BREAK(s, c.held.at[i].to = 1);
    }
    BREAK(s, c.srtt = 1);
    BREAK(s, c.rttvar = 1);
    BREAK(s, c.rto = 1);
    BREAK(s, c.persist = 1);
    BREAK(s, c.rtt_seq = 1);
    BREAK(s, c.snd_mss = 1);
    BREAK(s, c.timer = VTCP_RETRANSMISSION);
    BREAK(s, c.retries = 1);
    BREAK(s, c.challenges = 1);
    BREAK(s, c.syn_acked = true);
    BREAK(s, c.fin_sent = true);
    BREAK(s, c.close_queued = true);
    BREAK(s, c.rtt_running = true);
    BREAK(s, c.rtt_known = true);
    BREAK(s, c.ack_owed = true);
    BREAK(s, c.resend = true);
    BREAK(s, c.syn_resent = true);
  }
  require(survived == 0, "vtcp_valid takes %u broken records", survived);
}

/* What is held beyond a gap: ranges behind RCV.NXT, inside the window, apart; and only where text is still received. */
static void valid_refuses_broken_ranges(void **unused)
{
  (void)unused;
  survived = 0;
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){0, 5}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){5, 5}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){6, 5}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){5, 0}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){5, c.rcv_wnd + 1}));
#if VTCP_RANGES > 1
  BREAK(IDLE, c.held.at[1] = ((struct vtcp_range){5, 9}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){5, 9}); c.held.at[1] = ((struct vtcp_range){9, 12}));
  BREAK(IDLE, c.held.at[0] = ((struct vtcp_range){9, 12}); c.held.at[1] = ((struct vtcp_range){5, 9}));
#endif
  BREAK(PEER_CLOSED, c.held.at[0] = ((struct vtcp_range){5, 9}));
  BREAK(PEER_CLOSED, c.fin_end = 5);
  BREAK(WAITING, c.held.at[0] = ((struct vtcp_range){5, 9}));
  BREAK(WAITING, c.fin_end = 5);
  require(survived == 0, "vtcp_valid takes %u broken records", survived);
}

/* The last value that a field may have, and the next. */
static void valid_knows_the_bounds(void **unused)
{
  (void)unused;
  survived = 0;
#define UP_TO(change, next)                                \
  do {                                                    \
    struct vtcp_conn c = make(SENDING);                   \
    change;                                               \
    require(vtcp_valid(&c), "%s is not valid", #change);  \
    next;                                                 \
    judge(&c, SENDING, #next, __LINE__);                  \
  } while (0)
  UP_TO(c.rto = c.cfg.rto_min_ms * 1000, c.rto--);
  UP_TO(c.rto = c.cfg.rto_max_ms * 1000, c.rto++);
  UP_TO(c.persist = c.cfg.rto_max_ms * 1000, c.persist++);
  UP_TO(c.srtt = 0x40000000, c.srtt++);
  UP_TO(c.rttvar = 0x40000000, c.rttvar++);
  UP_TO(c.snd_wnd = c.max_snd_wnd, c.snd_wnd++);
  UP_TO(c.max_snd_wnd = 0x40000000, c.max_snd_wnd++);
  UP_TO(c.snd_mss = 1, c.snd_mss--);
  UP_TO(c.challenges = c.cfg.challenge_acks, c.challenges++);
  UP_TO(c.origin = VTCP_CHILD, c.origin++);
  UP_TO(c.fin_end = c.rcv_wnd, c.fin_end++);
  UP_TO(c.fin_end = 2, c.fin_end--);
  UP_TO((c.held.at[0] = (struct vtcp_range){1, c.rcv_wnd}), c.held.at[0].to++);
  UP_TO(c.rcv_len = c.cfg.rcv_buf - c.rcv_wnd, c.rcv_len++);
  UP_TO(c.snd_len = c.cfg.snd_buf, c.snd_len++);
  UP_TO((c.cfg.rcv_buf = 70000, c.rcv_len = 0, c.rcv_wnd = 65535), c.rcv_wnd++);
#undef UP_TO
  require(survived == 0, "vtcp_valid takes %u broken records", survived);
}

/* A child is a listener's, in every field that matters. */
static void a_child_keeps_the_configuration(void **unused)
{
  (void)unused;
  struct endpoint t;
  struct vtcp_config cfg = test_config();
  struct vtcp_conn child;
  cfg.listener = true;
  cfg.rfc1337 = true;
  cfg.r1 = 7;
  cfg.keep_alive = true;
  cfg.keep_alive_ms = 77;
  cfg.keep_alive_probe_ms = 78;
  cfg.keep_alive_probes = 79;
  begins_with(&t, cfg);
  in_listen(&t);
  memset(&child, 0xA5, sizeof child);
  vtcp_child(&t.conn, &child);
  require(vtcp_valid(&child), "a child is valid");
  expect_number("state", VTCP_LISTEN, child.state);
  expect_number("origin", VTCP_CHILD, child.origin);
  expect_number("r1", 7, child.cfg.r1);
  expect_number("rfc1337", true, child.cfg.rfc1337);
  expect_number("keep-alives", true, child.cfg.keep_alive);
  expect_number("after", 77, child.cfg.keep_alive_ms);
  expect_number("between", 78, child.cfg.keep_alive_probe_ms);
  expect_number("how many", 79, child.cfg.keep_alive_probes);
  expect_number("receive buffer", cfg.rcv_buf, child.cfg.rcv_buf);
  expect_number("deadline", NEVER, vtcp_deadline(&child));
  ends(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_limit),
    cmocka_unit_test(the_first_reason),
    cmocka_unit_test(the_defaults),
    cmocka_unit_test(names),
    cmocka_unit_test(valid_refuses_broken_records),
    cmocka_unit_test(valid_refuses_whatever_is_left_over),
    cmocka_unit_test(valid_refuses_broken_ranges),
    cmocka_unit_test(valid_knows_the_bounds),
    cmocka_unit_test(a_child_keeps_the_configuration),
  };
  return run_with_every_base("config", tests);
}
