/* The laws of laws.h. */
#include "laws.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

long long relative(uint32_t number, uint32_t base)
{
  int64_t distance = (int64_t)(uint32_t)(number - base);
  return distance >= INT64_C(0x80000000) ? distance - INT64_C(0x100000000) : distance;
}

/* --- Records, field by field (their padding is nobody's) --- */

#define EACH_FIELD(FIELD)                                                                                             \
  FIELD(cfg.rcv_buf) FIELD(cfg.snd_buf) FIELD(cfg.rto_initial_ms) FIELD(cfg.rto_min_ms) FIELD(cfg.rto_max_ms)         \
  FIELD(cfg.r2_ms) FIELD(cfg.r2_syn_ms) FIELD(cfg.user_timeout_ms) FIELD(cfg.msl_ms) FIELD(cfg.default_mss)           \
  FIELD(cfg.mms_s) FIELD(cfg.rcv_mss) FIELD(cfg.r1) FIELD(cfg.challenge_acks) FIELD(cfg.listener) FIELD(cfg.rfc1337)  \
  FIELD(cfg.keep_alive_ms) FIELD(cfg.keep_alive_probe_ms) FIELD(cfg.keep_alive_probes) FIELD(cfg.keep_alive)          \
  FIELD(cfg.nagle)                                                                                                      \
  FIELD(timer_at) FIELD(progress_at) FIELD(rtt_at) FIELD(challenge_at) FIELD(iss) FIELD(snd_una) FIELD(snd_nxt)       \
  FIELD(snd_wnd) FIELD(snd_wl1) FIELD(snd_wl2) FIELD(snd_rtx) FIELD(max_snd_wnd) FIELD(acked) FIELD(snd_len)          \
  FIELD(irs) FIELD(rcv_nxt) FIELD(rcv_wnd) FIELD(rcv_len) FIELD(fin_end) FIELD(srtt) FIELD(rttvar) FIELD(rto) FIELD(persist)         \
  FIELD(rtt_seq) FIELD(snd_mss) FIELD(state) FIELD(timer) FIELD(origin) FIELD(retries) FIELD(challenges)              \
  FIELD(syn_acked) FIELD(fin_sent) FIELD(close_queued) FIELD(rtt_running) FIELD(rtt_known) FIELD(ack_owed)            \
  FIELD(resend) FIELD(syn_resent)

const char *first_difference(const struct vtcp_conn *a, const struct vtcp_conn *b)
{
#define COMPARE(field)         \
  if (a->field != b->field) {  \
    return #field;             \
  }
  EACH_FIELD(COMPARE)
  for (int i = 0; i < VTCP_RANGES; i++) {
    COMPARE(held.at[i].from) COMPARE(held.at[i].to)
  }
#undef COMPARE
  return NULL;
}

bool same_conn(const struct vtcp_conn *a, const struct vtcp_conn *b)
{
  return first_difference(a, b) == NULL;
}

static const char *segment_difference(const struct vtcp_segment *a, const struct vtcp_segment *b)
{
#define COMPARE(field)         \
  if (a->field != b->field) {  \
    return #field;             \
  }
  COMPARE(seq) COMPARE(ack) COMPARE(tsval) COMPARE(tsecr) COMPARE(wnd) COMPARE(up) COMPARE(len) COMPARE(mss)
  COMPARE(uto) COMPARE(fin) COMPARE(syn) COMPARE(rst) COMPARE(psh) COMPARE(has_ack) COMPARE(urg) COMPARE(ece)
  COMPARE(cwr) COMPARE(has_mss) COMPARE(has_wscale) COMPARE(sack_permitted) COMPARE(has_ts) COMPARE(has_uto)
  COMPARE(wscale) COMPARE(sack_count)
  for (int i = 0; i < 4; i++) {
    COMPARE(sack[i].left) COMPARE(sack[i].right)
  }
#undef COMPARE
  return NULL;
}

static const char *actions_difference(const struct vtcp_actions *a, const struct vtcp_actions *b)
{
#define COMPARE(field)         \
  if (a->field != b->field) {  \
    return #field;             \
  }
  COMPARE(error) COMPARE(spawn) COMPARE(established) COMPARE(refused) COMPARE(reset) COMPARE(timed_out)
  COMPARE(relisten) COMPARE(peer_closed) COMPARE(close_done) COMPARE(closed) COMPARE(excessive)
  COMPARE(soft_error) COMPARE(pushed)
  COMPARE(send) COMPARE(more) COMPARE(acked) COMPARE(store_from) COMPARE(store_len) COMPARE(store_at)
  COMPARE(delivered) COMPARE(consumed) COMPARE(readable) COMPARE(text_at)
#undef COMPARE
  return segment_difference(&a->seg, &b->seg);
}

unsigned signals_of(const struct vtcp_actions *x)
{
  return (x->spawn ? IS_SPAWN : 0U) | (x->established ? IS_ESTABLISHED : 0U) | (x->refused ? IS_REFUSED : 0U) |
         (x->reset ? IS_RESET : 0U) | (x->timed_out ? IS_TIMED_OUT : 0U) | (x->relisten ? IS_RELISTEN : 0U) |
         (x->peer_closed ? IS_PEER_CLOSED : 0U) | (x->close_done ? IS_CLOSE_DONE : 0U) | (x->closed ? IS_CLOSED : 0U) |
         (x->excessive ? IS_EXCESSIVE : 0U) | (x->soft_error ? IS_SOFT_ERROR : 0U);
}

/* --- What is broken --- */

static char broken[400]; /* the first law that is */

static void breaks(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void breaks(const char *format, ...)
{
  va_list arguments;
  if (broken[0] != '\0') {
    return;
  }
  va_start(arguments, format);
  vsnprintf(broken, sizeof broken, format, arguments);
  va_end(arguments);
}

#define law(condition, name, ...)          \
  do {                                     \
    if (!(condition)) {                    \
      breaks(name " is broken: " __VA_ARGS__); \
    }                                      \
  } while (0)

static bool recedes(uint32_t from, uint32_t to)
{
  return relative(to, from) < 0;
}

static bool synchronized(uint8_t state)
{
  return state >= VTCP_ESTABLISHED;
}

/* --- The diagram (figure 5) --- */

unsigned kind_of(const struct vtcp_event *event)
{
  static const uint8_t kinds[] = {
    [VTCP_OPEN_ACTIVE] = BY_OPEN_ACTIVE, [VTCP_OPEN_PASSIVE] = BY_OPEN_PASSIVE, [VTCP_SEND] = BY_SEND,
    [VTCP_RECEIVE] = BY_RECEIVE, [VTCP_CLOSE] = BY_CLOSE, [VTCP_ABORT] = BY_ABORT, [VTCP_STATUS] = BY_STATUS,
    [VTCP_TIMEOUT] = BY_TIMEOUT, [VTCP_MORE] = BY_MORE,
  };
  const struct vtcp_segment *s = &event->seg;
  if (event->type > VTCP_ICMP) {
    return BY_NO_EVENT;
  }
  if (event->type == VTCP_ICMP) {
    return event->icmp == VTCP_ICMP_HARD ? BY_ICMP_HARD
           : event->icmp == VTCP_ICMP_TOO_BIG ? BY_ICMP_TOO_BIG : BY_ICMP;
  }
  if (event->type != VTCP_ARRIVES) {
    return kinds[event->type];
  }
  if (s->rst) {
    return s->has_ack ? BY_RST_ACK : BY_RST;
  }
  return BY_NOTHING + (s->fin ? 1U : 0U) + (s->syn ? 2U : 0U) + (s->has_ack ? 4U : 0U);
}

const char *kind_name(unsigned kind)
{
  static const char *const names[] = {
    "OPEN_ACTIVE", "OPEN_PASSIVE", "SEND", "RECEIVE", "CLOSE", "ABORT", "STATUS", "TIMEOUT", "MORE", "ICMP",
    "ICMP-hard", "ICMP-too-big", "no-event", "none", "FIN", "SYN", "SYN,FIN", "ACK", "FIN,ACK", "SYN,ACK", "SYN,FIN,ACK", "RST", "RST,ACK",
  };
  return kind < KINDS_OF_EVENTS ? names[kind] : "?";
}

#define BY(name) (1U << BY_##name)
#define BY_ANY_RST (BY(RST) | BY(RST_ACK))
#define BY_ANY_SYN (BY(SYN) | BY(SYN_FIN) | BY(SYN_ACK) | BY(SYN_FIN_ACK))

static const struct {
  uint8_t from, to;
  unsigned kinds;
} edges[] = {
  {VTCP_CLOSED, VTCP_LISTEN, BY(OPEN_PASSIVE)},
  {VTCP_CLOSED, VTCP_SYN_SENT, BY(OPEN_ACTIVE)},
  {VTCP_LISTEN, VTCP_SYN_SENT, BY(OPEN_ACTIVE) | BY(SEND)},
  {VTCP_LISTEN, VTCP_SYN_RECEIVED, BY(SYN) | BY(SYN_FIN)},
  {VTCP_LISTEN, VTCP_CLOSED, BY(CLOSE) | BY(ABORT)},
  {VTCP_SYN_SENT, VTCP_SYN_RECEIVED, BY(SYN) | BY(SYN_FIN)},
  {VTCP_SYN_SENT, VTCP_ESTABLISHED, BY(SYN_ACK) | BY(SYN_FIN_ACK)}, /* the FIN is outside the window */
  {VTCP_SYN_SENT, VTCP_CLOSE_WAIT, BY(SYN_FIN_ACK)},
  {VTCP_SYN_SENT, VTCP_CLOSED, BY(CLOSE) | BY(ABORT) | BY(TIMEOUT) | BY(RST_ACK) | BY(ICMP_HARD)},
  {VTCP_SYN_RECEIVED, VTCP_ESTABLISHED, BY(ACK) | BY(FIN_ACK) | BY(SYN_ACK)}, /* SYN,ACK: simultaneous open */
  {VTCP_SYN_RECEIVED, VTCP_CLOSE_WAIT, BY(FIN_ACK)},
  {VTCP_SYN_RECEIVED, VTCP_FIN_WAIT_1, BY(CLOSE) | BY(ACK) | BY(FIN_ACK) | BY(SYN_ACK)}, /* CLOSE was waiting */
  {VTCP_SYN_RECEIVED, VTCP_CLOSING, BY(FIN_ACK)},
  {VTCP_SYN_RECEIVED, VTCP_LISTEN, BY_ANY_RST | BY_ANY_SYN | BY(ICMP_HARD)},
  {VTCP_SYN_RECEIVED, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST | BY_ANY_SYN | BY(ICMP_HARD)}, /* SYN: a child */
  {VTCP_ESTABLISHED, VTCP_FIN_WAIT_1, BY(CLOSE)},
  {VTCP_ESTABLISHED, VTCP_CLOSE_WAIT, BY(FIN_ACK) | BY(ACK)}, /* ACK: text closes the gap before a FIN that waits */
  {VTCP_ESTABLISHED, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST},
  {VTCP_FIN_WAIT_1, VTCP_FIN_WAIT_2, BY(ACK) | BY(FIN_ACK)},
  {VTCP_FIN_WAIT_1, VTCP_CLOSING, BY(FIN_ACK) | BY(ACK)},
  {VTCP_FIN_WAIT_1, VTCP_TIME_WAIT, BY(FIN_ACK) | BY(ACK)},
  {VTCP_FIN_WAIT_1, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST},
  {VTCP_FIN_WAIT_2, VTCP_TIME_WAIT, BY(FIN_ACK) | BY(ACK)},
  {VTCP_FIN_WAIT_2, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST}, /* TIMEOUT: of keep-alives */
  {VTCP_CLOSE_WAIT, VTCP_LAST_ACK, BY(CLOSE)},
  {VTCP_CLOSE_WAIT, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST},
  {VTCP_CLOSING, VTCP_TIME_WAIT, BY(ACK) | BY(FIN_ACK)},
  {VTCP_CLOSING, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST},
  {VTCP_LAST_ACK, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY(ACK) | BY(FIN_ACK) | BY_ANY_RST},
  {VTCP_TIME_WAIT, VTCP_CLOSED, BY(ABORT) | BY(TIMEOUT) | BY_ANY_RST},
};

/* What cannot leave the state as it is. */
static const struct {
  uint8_t state;
  unsigned kinds;
} movers[KINDS_OF_STATES] = {
  {VTCP_CLOSED, BY(OPEN_PASSIVE)},
  {VTCP_LISTEN, BY(CLOSE) | BY(ABORT)},
  {VTCP_SYN_SENT, BY(CLOSE) | BY(ABORT) | BY(SYN) | BY(SYN_FIN)},
  {VTCP_SYN_RECEIVED, BY(ABORT)},
  {VTCP_ESTABLISHED, BY(ABORT) | BY(CLOSE)},
  {VTCP_FIN_WAIT_1, BY(ABORT)},
  {VTCP_FIN_WAIT_2, BY(ABORT)},
  {VTCP_CLOSE_WAIT, BY(ABORT) | BY(CLOSE)},
  {VTCP_CLOSING, BY(ABORT)},
  {VTCP_LAST_ACK, BY(ABORT)},
  {VTCP_TIME_WAIT, BY(ABORT)},
};

bool is_legal(uint8_t from, unsigned kind, uint8_t to)
{
  if (from >= KINDS_OF_STATES || kind >= KINDS_OF_EVENTS) {
    return false;
  }
  if (from == to) {
    return !(movers[from].kinds >> kind & 1U);
  }
  for (unsigned i = 0; i < sizeof edges / sizeof edges[0]; i++) {
    if (edges[i].from == from && edges[i].to == to) {
      return edges[i].kinds >> kind & 1U;
    }
  }
  return false;
}

/* --- The laws of spec/laws.acsl: the connection before (p), the event (e), the connection after (q), the actions (a) --- */

static bool one_of(uint8_t state, unsigned set)
{
  return set >> state & 1U;
}
#define OF(name) (1U << VTCP_##name)

static bool has_peers_fin(uint8_t state)
{
  return one_of(state, OF(CLOSE_WAIT) | OF(CLOSING) | OF(LAST_ACK) | OF(TIME_WAIT));
}

static bool has_our_fin_acked(uint8_t state)
{
  return one_of(state, OF(FIN_WAIT_2) | OF(TIME_WAIT));
}

static bool lasts(const struct vtcp_conn *p, const struct vtcp_conn *q)
{
  return p->state >= VTCP_SYN_RECEIVED && q->state >= VTCP_SYN_RECEIVED;
}

static uint32_t in_flight(const struct vtcp_conn *c)
{
  return c->snd_nxt - c->snd_una;
}

/* SEG.LEN; the first number of the text; whether a number lies in the receive window (3.4). */
static uint32_t seg_len(const struct vtcp_segment *s)
{
  return s->rst ? 0 : (uint32_t)s->len + s->syn + s->fin;
}

static uint32_t text_begins(const struct vtcp_segment *s)
{
  return s->seq + s->syn;
}

static bool in_window(const struct vtcp_conn *c, uint32_t seq)
{
  return (uint32_t)(seq - c->rcv_nxt) < c->rcv_wnd;
}

static bool advances(const struct vtcp_conn *c, uint32_t ack)
{
  return ack != c->snd_una && (uint32_t)(ack - c->snd_una) <= in_flight(c);
}

/* The SYN,ACK of a simultaneous open (DEVIATIONS.md, reading 1). */
static bool is_crossing(const struct vtcp_conn *c, const struct vtcp_segment *s)
{
  return c->state == VTCP_SYN_RECEIVED && c->origin == VTCP_ACTIVE && s->seq == c->irs && s->syn && s->has_ack && !s->rst &&
         !s->fin && s->len == 0 && advances(c, s->ack);
}

/* Table 6, and the two allowances of reading 1. */
static bool is_acceptable(const struct vtcp_conn *c, const struct vtcp_segment *s)
{
  uint32_t length = seg_len(s), right = c->rcv_nxt + c->rcv_wnd;
  if (is_crossing(c, s)) {
    return true;
  }
  if (length == 0 && !s->rst && (s->seq == right || (c->rcv_wnd == 0 && s->seq == right + 1))) {
    return true;
  }
  if (length == 0 && c->rcv_wnd == 0) {
    return s->seq == c->rcv_nxt;
  }
  return in_window(c, s->seq) || (length > 0 && in_window(c, s->seq + length - 1));
}

/* RFC 5961 section 5, and ghost ACKs (reading 6). */
static bool is_ack_taken(const struct vtcp_conn *c, uint32_t ack)
{
  uint32_t back = c->max_snd_wnd < c->acked ? c->max_snd_wnd : c->acked;
  return advances(c, ack) || (c->syn_acked && (uint32_t)(c->snd_una - ack) <= back);
}

/* The field that changed beside the challenge budget and the time of the timer, NULL if none. */
static const char *what_changed(const struct vtcp_conn *p, const struct vtcp_conn *q)
{
  struct vtcp_conn other = *q;
  other.challenge_at = p->challenge_at;
  other.challenges = p->challenges;
  other.timer_at = p->timer_at;
  return first_difference(p, &other);
}

/* How many octets, and FIN, could leave at once (3.8.6): from where sending stands, inside the window. */
static uint64_t ready_to_leave(const struct vtcp_conn *c)
{
  unsigned closing = OF(FIN_WAIT_1) | OF(CLOSING) | OF(LAST_ACK);
  if (!one_of(c->state, closing | OF(ESTABLISHED) | OF(CLOSE_WAIT)) || c->snd_rtx != c->snd_nxt) {
    return 0;
  }
  int64_t stands = (int64_t)(uint32_t)(c->snd_rtx - c->snd_una) - (c->syn_acked ? 0 : 1);
  int64_t left = (int64_t)c->snd_len - stands, room = (int64_t)c->snd_wnd - stands;
  if (stands < 0 || left < 0 || room <= 0) {
    return 0; /* left < 0: the FIN is out */
  }
  int64_t text = left < room ? left : room;
  if (text > c->snd_mss) {
    return c->snd_mss;
  }
  return (uint64_t)text + (one_of(c->state, closing) && text == left && text < room ? 1U : 0U);
}

static void laws_of_answers(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                            const struct vtcp_actions *a)
{
  const struct vtcp_segment *s = &a->seg;
  law(!e->seg.rst || !a->send || !s->rst, "law_no_rst_for_rst", "a RST answers a RST");
  law(!a->more || (!q->ack_owed && !q->resend && ready_to_leave(q) > 0), "law_one_answer",
      "there is more, but neither text nor FIN");
  bool stopped = !is_acceptable(p, &e->seg) || e->seg.rst || (e->seg.syn && !is_crossing(p, &e->seg));
  if (p->state >= VTCP_SYN_RECEIVED && a->send && stopped) {
    law(s->seq == p->snd_nxt && s->ack == p->rcv_nxt && s->wnd == p->rcv_wnd && s->has_ack, "law_challenge_form",
        "not <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>");
    law(!s->syn && !s->fin && !s->rst && !s->psh && !s->urg && s->len == 0 && !s->has_mss, "law_challenge_form",
        "more than an ACK");
  }
}

static void laws_of_numbers(const struct vtcp_conn *p, const struct vtcp_conn *q)
{
  if (!lasts(p, q)) {
    return;
  }
  uint32_t una = q->snd_una - p->snd_una, nxt = q->rcv_nxt - p->rcv_nxt;
  law(una <= in_flight(p), "law_una", "SND.UNA moves by %u, %u are in flight", (unsigned)una, (unsigned)in_flight(p));
  law(in_flight(p) <= (uint64_t)una + in_flight(q), "law_nxt", "SND.NXT recedes");
  law(nxt <= p->rcv_wnd, "law_rcv_nxt", "RCV.NXT moves by %u, RCV.WND is %u", (unsigned)nxt, (unsigned)p->rcv_wnd);
  law((uint64_t)nxt + q->rcv_wnd >= p->rcv_wnd, "law_edge", "the right edge recedes");
}

static void laws_of_opening(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q)
{
  bool segment = e->type == VTCP_ARRIVES;
  if (!p->syn_acked && q->syn_acked) {
    law(segment && e->seg.has_ack && !e->seg.rst && p->state >= VTCP_SYN_SENT, "law_handshake",
        "no acknowledgment of our SYN");
    law(e->seg.ack != p->iss && (uint32_t)(e->seg.ack - p->iss) <= (uint32_t)(p->snd_nxt - p->iss), "law_handshake",
        "the acknowledgment is not of our SYN");
  }
  law(q->state < VTCP_ESTABLISHED || q->state == VTCP_FIN_WAIT_1 || q->syn_acked, "law_established",
      "our SYN is not acknowledged");
  if (segment && p->syn_acked && e->seg.syn && !e->seg.rst) {
    const char *field = what_changed(p, q);
    law(field == NULL, "law_old_syn", "%s changed", field);
  }
  if (segment && p->state == VTCP_LISTEN && q->state != VTCP_LISTEN) {
    law(q->state == VTCP_SYN_RECEIVED && e->seg.syn && !e->seg.rst && !e->seg.has_ack && !q->syn_acked, "law_listen",
        "one segment leads too far");
  }
}

/* A FIN of the peer's ends at this number: this segment's, or one that was known. */
static bool is_peers_fin(const struct vtcp_conn *p, const struct vtcp_event *e, uint32_t end)
{
  bool now = e->type == VTCP_ARRIVES && e->seg.fin && !e->seg.rst && end == text_begins(&e->seg) + e->seg.len + 1;
  return now || (p->fin_end != 0 && end == p->rcv_nxt + p->fin_end);
}

static void laws_of_closing(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q)
{
  const struct vtcp_segment *s = &e->seg;
  bool segment = e->type == VTCP_ARRIVES, acked = segment && s->has_ack && p->fin_sent && s->ack == p->snd_nxt;
  if (!has_peers_fin(p->state) && has_peers_fin(q->state)) {
    law(segment && !s->rst && is_peers_fin(p, e, q->rcv_nxt), "law_peer_fin", "without a FIN");
  }
  if (lasts(p, q) && q->fin_end != 0) {
    law(is_peers_fin(p, e, q->rcv_nxt + q->fin_end), "law_fin_known", "no FIN ends there");
  }
  if (!has_our_fin_acked(p->state) && has_our_fin_acked(q->state)) {
    law(acked, "law_our_fin", "without an acknowledgment of our FIN");
  }
  if (p->state == VTCP_LAST_ACK && q->state == VTCP_CLOSED && segment && !s->rst) {
    law(acked, "law_last_ack", "without an acknowledgment of our FIN");
  }
  if (p->state == VTCP_TIME_WAIT && q->state != VTCP_TIME_WAIT) {
    law(q->state == VTCP_CLOSED, "law_time_wait", "to another state than CLOSED");
    law((e->type == VTCP_TIMEOUT && p->timer_at <= e->now) || e->type == VTCP_ABORT ||
          (segment && s->rst && s->seq == p->rcv_nxt && !p->cfg.rfc1337),
        "law_time_wait", "before its time");
  }
}

/* So many microseconds from then on, or never: time does not wrap. */
static uint64_t after(uint64_t then, uint64_t us)
{
  return then <= UINT64_MAX - us ? then + us : UINT64_MAX;
}

static void laws_of_time(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                         const struct vtcp_actions *a)
{
  bool open = q->state > VTCP_LISTEN && q->state != VTCP_TIME_WAIT;
  bool fin_waits = one_of(q->state, OF(FIN_WAIT_1) | OF(CLOSING) | OF(LAST_ACK)) && !q->fin_sent;
  if (open && (q->snd_una != q->snd_nxt || q->snd_len > 0 || fin_waits)) {
    bool waits = q->timer == VTCP_OVERRIDE && q->snd_una == q->snd_nxt && q->snd_wnd > 0;
    law(q->timer == VTCP_RETRANSMISSION || q->timer == VTCP_PERSIST || waits, "law_timer", "%s waits for ever",
        vtcp_state_name(q->state));
  }
  if (q->timer == VTCP_OVERRIDE && q->timer_at > after(e->now, 1000000)) {
    law(p->timer == VTCP_OVERRIDE && q->timer_at == p->timer_at, "law_override", "it waits for more than a second");
  }
  if (e->type == VTCP_TIMEOUT && p->timer == VTCP_OVERRIDE && p->timer_at <= e->now) {
    law(a->send && (a->seg.len > 0 || a->seg.fin), "law_override", "the time has come and nothing goes");
  }
  law((q->timer == VTCP_TIME_WAIT_TIMER) == (q->state == VTCP_TIME_WAIT), "law_timer", "2 MSL in %s",
      vtcp_state_name(q->state));
  if (e->type == VTCP_TIMEOUT && p->state != q->state && p->state != VTCP_TIME_WAIT && p->timer != VTCP_KEEP_ALIVE) {
    uint64_t r2 = p->cfg.user_timeout_ms ? p->cfg.user_timeout_ms : p->syn_acked ? p->cfg.r2_ms : p->cfg.r2_syn_ms;
    law(p->timer != VTCP_NO_TIMER && e->now >= after(p->progress_at, r2 * 1000), "law_r2", "given up before its time");
    law(p->timer != VTCP_PERSIST || p->retries > 0, "law_probes", "given up though every probe was answered");
  }
  if (q->state == VTCP_TIME_WAIT && !(p->state == VTCP_TIME_WAIT && q->timer_at == p->timer_at)) {
    law(e->type == VTCP_ARRIVES && q->timer_at == after(e->now, (uint64_t)2000 * p->cfg.msl_ms), "law_2msl",
        "TIME-WAIT does not last 2 MSL");
  }
}

/* Nothing of ours is unacknowledged or waits to be sent, and the connection is open: "idle", but for the time (3.8.4). */
static bool rests(const struct vtcp_conn *c)
{
  return one_of(c->state, OF(ESTABLISHED) | OF(FIN_WAIT_2) | OF(CLOSE_WAIT)) && c->snd_una == c->snd_nxt && c->snd_len == 0;
}

/* <SEQ=SND.NXT-1><ACK=RCV.NXT><CTL=ACK>, without text (3.8.4). */
static bool is_probe(const struct vtcp_conn *p, const struct vtcp_actions *a)
{
  const struct vtcp_segment *s = &a->seg;
  return a->send && s->seq == p->snd_nxt - 1 && s->has_ack && s->ack == p->rcv_nxt && s->len == 0 && !s->syn && !s->fin &&
         !s->rst && !s->psh && !s->urg && !s->has_mss && s->wnd == p->rcv_wnd;
}

/* A segment in the window, with an acknowledgment neither of what was never sent nor too old. */
static bool shows_life(const struct vtcp_conn *p, const struct vtcp_event *e)
{
  const struct vtcp_segment *s = &e->seg;
  return e->type == VTCP_ARRIVES && s->has_ack && !s->rst && !s->syn && is_acceptable(p, s) && is_ack_taken(p, s->ack);
}

static uint64_t idle_until(const struct vtcp_conn *c, uint64_t now)
{
  return after(now, (uint64_t)1000 * c->cfg.keep_alive_ms);
}

static void laws_of_idleness(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                             const struct vtcp_actions *a)
{
  const struct vtcp_segment *s = &a->seg;
  bool due = e->type == VTCP_TIMEOUT && p->timer == VTCP_KEEP_ALIVE && p->timer_at <= e->now;
  if (due) {
    law(p->cfg.keep_alive && p->snd_una == p->snd_nxt, "law_keep_alive", "not asked for, or something is outstanding");
  }
  if (due && p->retries < p->cfg.keep_alive_probes) {
    law(is_probe(p, a) && q->state == p->state, "law_keep_alive", "not <SEQ=SND.NXT-1><ACK=RCV.NXT><CTL=ACK>");
  } else if (due) {
    law(p->retries >= 2, "law_keep_alive", "given up after %u keep-alives", (unsigned)p->retries);
    law(q->state == VTCP_CLOSED && a->timed_out && a->closed && !a->send, "law_keep_alive", "not given up");
  } else {
    law(e->type != VTCP_TIMEOUT || p->timer != VTCP_KEEP_ALIVE || q->state == p->state, "law_keep_alive",
        "given up before its time");
    law(!a->send || s->len > 0 || s->syn || s->fin || s->rst || s->seq == q->snd_nxt, "law_empty_sent", "not at SND.NXT");
  }
  if (q->timer == VTCP_KEEP_ALIVE) {
    bool begins = p->timer != VTCP_KEEP_ALIVE || shows_life(p, e);
    uint64_t until = begins ? idle_until(q, e->now)
                     : due  ? after(e->now, (uint64_t)1000 * q->cfg.keep_alive_probe_ms)
                            : p->timer_at;
    law(q->cfg.keep_alive, "law_idle", "keep-alives that nobody asked for");
    law(q->timer_at == until && q->retries == (begins ? 0 : due ? p->retries + 1 : p->retries), "law_idle", "%s",
        begins ? "not a whole interval" : due ? "not until the next one" : "the timer moved");
  }
}

/* The peer's keep-alive, without text, has its answer. */
static void law_of_life_shown(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_actions *a)
{
  const struct vtcp_segment *s = &e->seg;
  if (synchronized(p->state) && p->syn_acked && s->has_ack && !s->rst && !s->syn && !s->fin && s->len == 0 &&
      s->seq == p->rcv_nxt - 1 && is_ack_taken(p, s->ack)) {
    law(a->send && a->seg.seq == p->snd_nxt && a->seg.ack == p->rcv_nxt && a->seg.wnd == p->rcv_wnd && a->seg.has_ack &&
          !a->seg.syn && !a->seg.fin && !a->seg.rst && a->seg.len == 0,
        "law_life_shown", "a keep-alive is not answered");
  }
}

/* SND.UNA =< SEQ < SND.NXT: what the message quotes is in flight (RFC 5927, section 4.1). */
static bool quotes_flight(const struct vtcp_conn *c, uint32_t seq)
{
  return c->state >= VTCP_SYN_SENT && (uint32_t)(seq - c->snd_una) < in_flight(c);
}

static void laws_of_icmp(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                         const struct vtcp_actions *a)
{
  const char *field = first_difference(p, q);
  if (e->type != VTCP_ICMP) {
    return;
  }
  bool hard = e->icmp == VTCP_ICMP_HARD && !synchronized(p->state), too_big = e->icmp == VTCP_ICMP_TOO_BIG;
  if (e->icmp == VTCP_ICMP_QUENCH || !quotes_flight(p, e->seg.seq)) {
    law(field == NULL, "law_icmp", "%s changed by what is to be discarded", field);
    law(!a->send && signals_of(a) == 0, "law_icmp", "what is to be discarded is answered or told");
  } else if (!hard && !too_big) {
    law(field == NULL, "law_icmp", "%s changed by what is only told", field);
    law(!a->send && signals_of(a) == IS_SOFT_ERROR, "law_icmp", "a soft error is not told");
  }
  law(!synchronized(p->state) || (q->state == p->state && q->snd_una == p->snd_una && q->rcv_nxt == p->rcv_nxt),
      "law_icmp", "a synchronized connection changed");
  if (q->state > VTCP_LISTEN && q->snd_mss != p->snd_mss) {
    uint32_t text = p->snd_nxt - e->seg.seq - (one_of(p->state, OF(FIN_WAIT_1) | OF(CLOSING) | OF(LAST_ACK)) && p->fin_sent);
    law(too_big && p->syn_acked && q->snd_mss == e->len - 20 && q->snd_mss >= 28, "law_icmp", "the MSS is now %u",
        (unsigned)q->snd_mss);
    law(q->snd_mss < p->snd_mss, "law_icmp", "the MSS grew to %u", (unsigned)q->snd_mss);
    law(q->snd_mss < text, "law_icmp", "no segment of %u octets can have been too big", (unsigned)text);
  }
}

static void laws_off_the_path(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                              const struct vtcp_actions *a)
{
  const struct vtcp_segment *s = &e->seg;
  const char *field = what_changed(p, q);
  bool exact = p->state >= VTCP_SYN_RECEIVED ? s->seq == p->rcv_nxt
               : p->state == VTCP_SYN_SENT   ? s->has_ack && s->ack == p->snd_nxt
                                             : false;
  if (s->rst && !exact) {
    law(field == NULL && q->timer_at == p->timer_at, "law_rst_exact", "%s changed", field == NULL ? "timer_at" : field);
  }
  if (p->state < VTCP_SYN_RECEIVED) {
    return;
  }
  if (!is_acceptable(p, s)) {
    bool repeats = p->state == VTCP_TIME_WAIT && s->fin && !s->rst && s->seq + seg_len(s) == p->rcv_nxt;
    law(field == NULL, "law_unacceptable", "%s changed", field);
    law(q->timer_at == p->timer_at || repeats, "law_unacceptable", "the timer changed");
    law(a->store_len == 0 && a->delivered == 0 && a->acked == 0 && signals_of(a) == 0, "law_unacceptable",
        "something is told");
  }
  if (s->has_ack && !s->rst && !is_ack_taken(p, s->ack) && q->state != VTCP_CLOSED && q->state != VTCP_LISTEN) {
    law(q->snd_una == p->snd_una && q->rcv_nxt == p->rcv_nxt, "law_ghost_ack", "something is taken");
  }
  if (s->has_ack && !s->rst && !is_ack_taken(p, s->ack)) {
    law(a->store_len == 0 && a->delivered == 0 && a->acked == 0, "law_ghost_ack", "something is told");
  }
}

static bool is_held(const struct vtcp_conn *c, uint64_t place)
{
  for (int i = 0; i < VTCP_RANGES && c->held.at[i].to != 0; i++) {
    if (c->held.at[i].from <= place && place < c->held.at[i].to) {
      return true;
    }
  }
  return false;
}

/* A place counted from the old RCV.NXT: was the octet there held, or is it stored now? And where RCV.NXT has passed, or now? */
static void law_reassembly_at(const struct vtcp_conn *p, const struct vtcp_conn *q, const struct vtcp_actions *a, uint64_t x)
{
  uint64_t place = p->rcv_len + x;
  bool there = is_held(p, x) || (a->store_at <= place && place < (uint64_t)a->store_at + a->store_len);
  if (x < a->delivered) {
    law(there, "law_reassembly", "place %u is delivered and never came", (unsigned)x);
  } else if (x == a->delivered) {
    law(!there, "law_reassembly", "place %u came and is not delivered", (unsigned)x);
  } else if (a->peer_closed) {
    law(!is_held(q, x - a->delivered - 1), "law_reassembly", "something is held beyond the FIN");
  } else {
    law(is_held(q, x - a->delivered) == there, "law_reassembly", "place %u %s", (unsigned)x,
        there ? "is lost" : "never came");
  }
}

/* Membership changes at the ends of ranges only, so that it is enough to look there, and beside them. */
static void law_reassembly(const struct vtcp_conn *p, const struct vtcp_conn *q, const struct vtcp_actions *a)
{
  uint64_t ends[4 * VTCP_RANGES + 4] = {0, a->delivered};
  int count = 2;
  for (int i = 0; i < VTCP_RANGES && (p->held.at[i].to != 0 || q->held.at[i].to != 0); i++) {
    ends[count++] = p->held.at[i].from;
    ends[count++] = p->held.at[i].to;
    ends[count++] = (uint64_t)q->held.at[i].from + a->delivered;
    ends[count++] = (uint64_t)q->held.at[i].to + a->delivered;
  }
  if (a->store_len > 0) {
    ends[count++] = a->store_at - p->rcv_len;
    ends[count++] = (uint64_t)a->store_at - p->rcv_len + a->store_len;
  }
  for (int i = 0; i < count; i++) {
    if (ends[i] > 0) {
      law_reassembly_at(p, q, a, ends[i] - 1);
    }
    law_reassembly_at(p, q, a, ends[i]);
    law_reassembly_at(p, q, a, ends[i] + 1);
  }
}

/* What is stored of an acceptable segment (law_kept): all that arrived inside the window and before a FIN that is known. It is
 * refused only if it would be one range more than there can be. */
static void law_kept(const struct vtcp_conn *b, const struct vtcp_segment *s, const struct vtcp_actions *x, bool receives)
{
  int64_t limit = b->fin_end != 0 ? b->fin_end - 1 : b->rcv_wnd;
  int64_t from = relative(s->seq, b->rcv_nxt), to = from + s->len < limit ? from + s->len : limit;
  int64_t skipped = from < 0 ? -from : 0;
  from += skipped;
  if (!receives || to <= from) {
    law(x->store_len == 0, "law_kept", "%u octets are stored, none are new", (unsigned)x->store_len);
    return;
  }
  if (x->store_len > 0) {
    law(x->store_len == to - from && x->store_from == skipped && x->store_at == b->rcv_len + from, "law_kept",
        "%u octets are stored, %u are new", (unsigned)x->store_len, (unsigned)(to - from));
    return;
  }
  law(b->held.at[VTCP_RANGES - 1].to != 0 && from > 0, "law_kept", "refused though there is room");
  for (int i = 0; i < VTCP_RANGES; i++) {
    law(b->held.at[i].to < from || to < b->held.at[i].from, "law_kept", "refused though it touches what is held");
  }
}

/* Where a FIN that is known ends, beside a segment that delivers so much; 1: it is next, and taken. */
static uint32_t fin_end_after(const struct vtcp_conn *b, const struct vtcp_segment *s, uint32_t delivered, bool receives)
{
  int64_t place = relative(s->seq, b->rcv_nxt) + s->len;
  if (receives && s->fin && place >= delivered && place < b->rcv_wnd) {
    return (uint32_t)(place + 1 - delivered);
  }
  return b->fin_end > delivered ? b->fin_end - delivered : 0;
}

static void laws_of_text(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                         const struct vtcp_actions *a)
{
  if (p->state >= VTCP_SYN_RECEIVED && a->store_len > 0) {
    law(e->type == VTCP_ARRIVES && (uint64_t)a->store_from + a->store_len <= e->seg.len, "law_delivery",
        "more than arrived");
    law(a->store_at >= p->rcv_len && (uint64_t)a->store_at + a->store_len <= (uint64_t)p->rcv_len + p->rcv_wnd,
        "law_delivery", "outside the window");
    law(text_begins(&e->seg) + a->store_from == p->rcv_nxt + (a->store_at - p->rcv_len), "law_delivery",
        "not where its number belongs");
    law(q->rcv_len == p->rcv_len + a->delivered, "law_delivery", "unread octets");
  }
  if (p->state < VTCP_SYN_RECEIVED && a->store_len > 0) {
    law(e->type == VTCP_ARRIVES && e->seg.syn && q->irs == e->seg.seq && a->store_from == 0 && a->store_at == 0 &&
          q->rcv_len == a->store_len && a->delivered == a->store_len,
        "law_syn_text", "not the first octets");
    law(a->store_len <= e->seg.len && a->store_len <= p->cfg.rcv_buf, "law_syn_text", "more than there is");
    law(q->rcv_nxt == q->irs + 1 + a->store_len + a->peer_closed, "law_syn_text", "RCV.NXT");
  }
  if (lasts(p, q)) {
    uint64_t all = (uint64_t)p->acked + (uint32_t)(q->snd_una - p->snd_una) - (!p->syn_acked && q->syn_acked);
    law(q->acked == (all < UINT32_MAX ? all : UINT32_MAX), "law_acked_count", "%u", (unsigned)q->acked);
    law(q->rcv_nxt == p->rcv_nxt + a->delivered + a->peer_closed, "law_received",
        "RCV.NXT moves over what is not told");
    law_reassembly(p, q, a);
  }
  law(a->acked == 0 || q->state == VTCP_CLOSED || p->snd_len == q->snd_len + a->acked, "law_acked",
      "%u octets are acknowledged, %u of %u remain", (unsigned)a->acked, (unsigned)q->snd_len, (unsigned)p->snd_len);
  if (a->send) {
    law(a->seg.has_mss == a->seg.syn, "law_syn_sent", "MSS belongs on every SYN, there alone");
    law(!a->seg.syn || (a->seg.seq == q->iss && a->seg.mss == q->cfg.rcv_mss && !q->syn_acked && a->seg.len == 0 &&
                        !a->seg.fin && !a->seg.rst && (!a->seg.has_ack || a->seg.ack == q->rcv_nxt)),
        "law_syn_sent", "not the SYN at ISS, alone");
  }
  if (a->send && (a->seg.len > 0 || a->seg.fin)) {
    uint64_t end = (uint64_t)a->text_at + a->seg.len;
    law(end <= q->snd_len && a->seg.len <= q->snd_mss, "law_text_sent", "not of the send buffer, or too large");
    law(end + a->seg.fin <= q->snd_wnd || (q->snd_wnd == 0 && a->text_at == 0 && a->seg.len + a->seg.fin == 1),
        "law_text_sent", "beyond the peer's window");
    law((uint32_t)(a->seg.seq - q->snd_una) == a->text_at + !q->syn_acked, "law_text_sent",
        "SEQ is not that of its first octet");
  }
}

static void laws_of_small_segments(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                                   const struct vtcp_actions *a)
{
  bool fin_follows = one_of(q->state, OF(FIN_WAIT_1) | OF(FIN_WAIT_2) | OF(CLOSING) | OF(LAST_ACK) | OF(TIME_WAIT));
  bool small = a->seg.len < q->snd_mss;
  bool queued = e->type == VTCP_MORE || (e->type == VTCP_SEND && a->error == VTCP_OK);
  bool waits = one_of(q->state, OF(ESTABLISHED) | OF(CLOSE_WAIT)) && q->snd_rtx == q->snd_nxt
               && (uint32_t)(q->snd_nxt - q->snd_una) < q->snd_len && q->snd_len <= q->snd_wnd;
  law(!queued || !waits || q->cfg.nagle || a->more, "law_nagle_off", "%u octets queued, %u in flight, and no more to send",
      (unsigned)q->snd_len, (unsigned)(q->snd_nxt - q->snd_una));
  if (p->state < VTCP_SYN_SENT || !a->send || a->seg.len == 0 || a->seg.seq != p->snd_nxt) {
    return; /* nothing new leaves */
  }
  if (small && q->snd_wnd > 0) {
    bool all = a->text_at + a->seg.len == q->snd_len, half = 2U * a->seg.len >= q->max_snd_wnd;
    bool override = e->type == VTCP_TIMEOUT && p->timer == VTCP_OVERRIDE && p->timer_at <= e->now;
    law(all || half || override, "law_silly_window", "%u octets of %u leave into a window that was %u",
        (unsigned)a->seg.len, (unsigned)(q->snd_len - a->text_at), (unsigned)q->max_snd_wnd);
  }
  law(!small || !q->cfg.nagle || a->seg.seq == q->snd_una || fin_follows, "law_nagle", "%u octets while %u are in flight",
      (unsigned)a->seg.len, (unsigned)(a->seg.seq - q->snd_una));
}

static void laws_of_spec(const struct vtcp_conn *p, const struct vtcp_event *e, const struct vtcp_conn *q,
                         const struct vtcp_actions *a)
{
  law(is_legal(p->state, kind_of(e), q->state), "law_diagram", "%s to %s by %s", vtcp_state_name(p->state),
      vtcp_state_name(q->state), kind_name(kind_of(e)));
  if (e->type == VTCP_ARRIVES) {
    laws_of_answers(p, e, q, a);
    law_of_life_shown(p, e, a);
    laws_off_the_path(p, e, q, a);
  }
  laws_of_numbers(p, q);
  laws_of_opening(p, e, q);
  laws_of_closing(p, e, q);
  laws_of_idleness(p, e, q, a);
  laws_of_icmp(p, e, q, a);
  laws_of_time(p, e, q, a);
  laws_of_text(p, e, q, a);
  laws_of_small_segments(p, e, q, a);
}

/* --- What else a caller relies on --- */

/* What is acceptable is taken: the core could keep most laws by refusing everything. */
static void law_taken(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                      const struct vtcp_actions *x)
{
  const struct vtcp_segment *s = &e->seg;
  unsigned receiving = OF(SYN_RECEIVED) | OF(ESTABLISHED) | OF(FIN_WAIT_1) | OF(FIN_WAIT_2);
  if (b->state < VTCP_SYN_RECEIVED || !is_acceptable(b, s)) {
    return;
  }
  if (s->rst) {
    bool ignored = s->seq != b->rcv_nxt || (b->state == VTCP_TIME_WAIT && b->cfg.rfc1337);
    law(ignored || a->state <= VTCP_LISTEN, "taken", "the exact RST does not reset");
    return;
  }
  if (s->syn || !s->has_ack || !is_ack_taken(b, s->ack)) {
    return;
  }
  law(!advances(b, s->ack) || a->snd_una == s->ack || a->state == VTCP_CLOSED, "taken", "the acknowledgment is not");
  bool receives = one_of(b->state, receiving);
  law_kept(b, s, x, receives);
  uint32_t fin_end = fin_end_after(b, s, x->delivered, receives);
  law(x->peer_closed == (fin_end == 1), "taken", "the FIN");
  law(a->fin_end == (fin_end == 1 ? 0 : fin_end), "taken", "the FIN's place");
}

/* The guards of the edges that an acknowledgment or a FIN opens. */
static void law_guards(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a)
{
  if (a->state == b->state) {
    return;
  }
  bool segment = e->type == VTCP_ARRIVES;
  if (a->state == VTCP_ESTABLISHED || (!synchronized(b->state) && a->state == VTCP_CLOSE_WAIT)) {
    law(segment && e->seg.has_ack && !e->seg.rst && relative(e->seg.ack, a->iss) >= 1, "guards",
        "ESTABLISHED without an acknowledgment of our SYN");
  }
  if (a->state == VTCP_FIN_WAIT_2 || (a->state == VTCP_TIME_WAIT && b->state != VTCP_FIN_WAIT_2)) {
    law(segment && a->fin_sent && a->snd_una == a->snd_nxt && e->seg.ack == a->snd_nxt, "guards",
        "%s without an acknowledgment of our FIN", vtcp_state_name(a->state));
  }
  if (a->state == VTCP_CLOSE_WAIT || a->state == VTCP_CLOSING || a->state == VTCP_TIME_WAIT) {
    law(segment && (e->seg.fin || b->fin_end != 0 || b->state == VTCP_CLOSING), "guards", "%s without the peer's FIN",
        vtcp_state_name(a->state));
  }
}

/* Who is idle, and nobody else, waits for a keep-alive; and a keep-alive is nothing but that. */
static void law_alive(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                      const struct vtcp_actions *x)
{
  law((a->timer == VTCP_KEEP_ALIVE) == (a->cfg.keep_alive && rests(a)), "alive", "%s", vtcp_state_name(a->state));
  if (b->timer != VTCP_KEEP_ALIVE) {
    return;
  }
  if (e->type == VTCP_TIMEOUT && e->now >= b->timer_at) {
    struct vtcp_conn asked = *b;
    asked.timer_at = a->timer_at;
    asked.retries = a->retries;
    law(a->state == VTCP_CLOSED || same_conn(a, &asked), "alive", "a keep-alive changed %s", first_difference(a, &asked));
    return;
  }
  law(!x->timed_out, "alive", "given up before its time");
}

/* What an ICMP message does: the core could keep law_icmp by ignoring all. */
static void law_reported(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                         const struct vtcp_actions *x)
{
  bool ours = e->type == VTCP_ICMP && quotes_flight(b, e->seg.seq), soft = ours;
  if (ours && (e->icmp == VTCP_ICMP_QUENCH || e->icmp == VTCP_ICMP_TOO_BIG)) {
    soft = false;
  }
  if (ours && e->icmp == VTCP_ICMP_HARD && !synchronized(b->state)) {
    soft = false;
    bool from_listen = b->state == VTCP_SYN_RECEIVED && b->origin != VTCP_ACTIVE;
    bool back = from_listen && b->origin == VTCP_PASSIVE && !b->close_queued; /* CLOSE was called: no way back */
    unsigned told = back ? IS_RELISTEN : from_listen ? IS_CLOSED : IS_REFUSED | IS_CLOSED;
    law(a->state == (back ? VTCP_LISTEN : VTCP_CLOSED) && !x->send, "reported", "a hard error leads to %s",
        vtcp_state_name(a->state));
    law(signals_of(x) == told, "reported", "a hard error tells %#x", signals_of(x));
  } else if (e->type == VTCP_ICMP) {
    law(signals_of(x) == (soft ? IS_SOFT_ERROR : 0U), "reported", "signals %#x", signals_of(x));
  }
  law(e->type == VTCP_ICMP || !x->soft_error, "reported", "a soft error without ICMP");
  if (ours && e->icmp == VTCP_ICMP_HARD && synchronized(b->state)) {
    law(same_conn(a, b) && !x->send, "reported", "a hard error changed %s", first_difference(b, a));
  }
  if (e->type != VTCP_ICMP || e->icmp != VTCP_ICMP_TOO_BIG) {
    return;
  }
  uint32_t fin = b->fin_sent && !has_our_fin_acked(b->state);
  bool smaller = ours && b->syn_acked && e->len >= 48 && e->len - 20 < b->snd_mss && e->len - 20 < b->snd_nxt - e->seg.seq - fin;
  law(smaller || (same_conn(a, b) && !x->send), "reported", "%s changed by what is not smaller", first_difference(b, a));
  law(!smaller || a->snd_mss == e->len - 20, "reported", "MSS %u", (unsigned)a->snd_mss);
  if (smaller && b->timer != VTCP_RETRANSMISSION) {
    struct vtcp_conn only = *b;
    only.snd_mss = a->snd_mss;
    law(same_conn(a, &only) && !x->send, "reported", "more than the MSS changed");
  } else if (smaller) {
    law(x->send && x->seg.seq == b->snd_una && (x->seg.len > 0 || x->seg.fin), "reported",
        "nothing is sent again, from SND.UNA");
    law(!a->rtt_running && a->retries == b->retries && a->rto == b->rto && a->timer_at == b->timer_at, "reported",
        "what the path does is taken for loss, or measured");
  }
}

static void law_form(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                     const struct vtcp_actions *x)
{
  static const struct vtcp_segment nothing;
  const struct vtcp_segment *s = &x->seg;
  if (!x->send) {
    const char *field = segment_difference(s, &nothing);
    law(field == NULL && x->text_at == 0, "form", "no segment, but seg.%s is set", field ? field : "text_at");
    return;
  }
  law(!s->has_wscale && !s->has_ts && !s->sack_permitted && s->sack_count == 0 && !s->has_uto, "form",
      "an option that was not negotiated");
  law(s->syn == s->has_mss && (!s->syn || s->mss == a->cfg.rcv_mss), "form", "MSS belongs on every SYN, there alone");
  if (s->rst) {
    law(!s->syn && !s->fin && s->len == 0 && !s->psh && !s->urg, "form", "a RST carries nothing else");
    law(!synchronized(b->state) || e->type == VTCP_ABORT, "form", "a RST from a synchronized state without ABORT");
    return;
  }
  law(a->state != VTCP_CLOSED && a->state != VTCP_LISTEN, "form", "%s sends only RSTs", vtcp_state_name(a->state));
  law(s->wnd == (a->rcv_wnd < 65535 ? a->rcv_wnd : 65535), "form", "window %u, RCV.WND %u", (unsigned)s->wnd,
      (unsigned)a->rcv_wnd);
  law(s->has_ack == (a->state != VTCP_SYN_SENT), "form", "ACK is on every segment save the first SYN");
  law(!s->has_ack || s->ack == a->rcv_nxt, "form", "ACK is not RCV.NXT");
  law(!s->has_ack || a->irs == b->irs || b->state <= VTCP_SYN_SENT, "form", "IRS changed");
  if (s->syn) {
    law(s->seq == a->iss && !a->syn_acked && !s->fin && s->len == 0, "form", "a SYN that is not the SYN at ISS");
    return;
  }
  law(s->len <= a->snd_mss, "form", "%u octets beyond Eff.snd.MSS %u", (unsigned)s->len, (unsigned)a->snd_mss);
  law(x->text_at <= a->snd_len && s->len <= a->snd_len - x->text_at, "form", "text beyond the send buffer");
  law(s->psh == (s->len > 0 && x->text_at + s->len == a->snd_len), "form", "PSH is on what empties the send buffer");
  if (s->len > 0) {
    uint32_t first = a->snd_una + (a->syn_acked ? 0U : 1U);
    law(s->seq == first + x->text_at, "form", "SEQ is not that of its first octet");
  }
  if (s->fin) {
    law(a->fin_sent && (a->state == VTCP_FIN_WAIT_1 || a->state == VTCP_CLOSING || a->state == VTCP_LAST_ACK), "form",
        "a FIN in %s", vtcp_state_name(a->state));
    law(s->seq + s->len + 1 == a->snd_nxt, "form", "a FIN that is not the last");
  }
  if (s->len == 0 && !s->fin && !(e->type == VTCP_TIMEOUT && b->timer == VTCP_KEEP_ALIVE)) {
    law(s->seq == a->snd_nxt, "form", "SEQ of an empty ACK is not SND.NXT");
  }
}

static void law_window(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                       const struct vtcp_actions *x)
{
  if (!synchronized(a->state) || b->state <= VTCP_SYN_SENT || a->snd_nxt == b->snd_nxt) {
    return;
  }
  law(x->send && x->seg.seq + x->seg.len + (x->seg.fin ? 1U : 0U) == a->snd_nxt, "window",
      "SND.NXT moved without the segment that moves it");
  law(b->state == VTCP_SYN_RECEIVED || x->seg.seq == b->snd_nxt || recedes(b->snd_nxt, x->seg.seq), "window",
      "octets skipped");
  /* the window on a SYN begins behind ours, whether or not that one is acknowledged yet */
  if (recedes(a->snd_nxt, a->snd_una + (a->syn_acked ? 0U : 1U) + a->snd_wnd)) {
    bool probe = e->type == VTCP_TIMEOUT && b->timer == VTCP_PERSIST && a->snd_nxt - b->snd_nxt == 1;
    law(probe, "window", "new octets beyond the peer's window");
  }
}

static void law_account(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                        const struct vtcp_actions *x)
{
  bool taken = e->type == VTCP_SEND && x->error == VTCP_OK;
  law(x->acked <= b->snd_len, "account", "%u acknowledged of %u", (unsigned)x->acked, (unsigned)b->snd_len);
  law(x->consumed == 0 || (e->type == VTCP_RECEIVE && x->consumed <= e->len && x->consumed <= b->rcv_len), "account",
      "consumed %u", (unsigned)x->consumed);
  law(x->store_len == 0 || e->type == VTCP_ARRIVES, "account", "stores nothing that arrived");
  law(x->store_from <= e->seg.len || x->store_len == 0, "account", "stores beyond the text");
  law(x->store_len == 0 || x->store_len <= e->seg.len - x->store_from, "account", "stores beyond the text");
  law(x->readable == (a->syn_acked ? a->rcv_len : 0), "account", "readable %u", (unsigned)x->readable);
  if (a->state == VTCP_CLOSED || x->relisten) {
    law(a->snd_len == 0 && a->rcv_len == 0, "account", "buffers of a connection that is over");
    return;
  }
  law(a->snd_len == b->snd_len + (taken ? e->len : 0U) - x->acked, "account", "send buffer %u", (unsigned)a->snd_len);
  law(a->snd_len <= a->cfg.snd_buf, "account", "send buffer overrun");
  law(a->rcv_len == b->rcv_len + x->delivered - x->consumed, "account", "receive buffer %u", (unsigned)a->rcv_len);
  law(a->rcv_len <= a->cfg.rcv_buf, "account", "receive buffer overrun");
  if (b->state >= VTCP_SYN_RECEIVED) {
    law(a->rcv_nxt - b->rcv_nxt == x->delivered + (x->peer_closed ? 1U : 0U), "account",
        "RCV.NXT moves over what is delivered and over the FIN");
    law(!synchronized(a->state) || relative(a->snd_una, b->snd_una) ==
          (long long)x->acked + (a->syn_acked && !b->syn_acked ? 1 : 0) +
          (a->fin_sent && a->snd_una == a->snd_nxt && !(b->fin_sent && b->snd_una == b->snd_nxt) ? 1 : 0),
        "account", "SND.UNA moves over what is acknowledged, our SYN and our FIN");
  }
}

static void law_timer(const struct vtcp_conn *b, const struct vtcp_conn *a, const struct vtcp_actions *x)
{
  uint64_t deadline = vtcp_deadline(a);
  /* what an earlier step said already need not be repeated */
  law(x->more == (deadline == 0) || (vtcp_deadline(b) == 0 && !x->more), "timer", "more is %d, deadline is %s", x->more,
      deadline == 0 ? "0" : "later");
  if (a->timer_at == NEVER) {
    return; /* time is up */
  }
  bool idle = a->state == VTCP_CLOSED || a->state == VTCP_LISTEN;
  bool open = a->state == VTCP_ESTABLISHED || a->state == VTCP_FIN_WAIT_2 || a->state == VTCP_CLOSE_WAIT;
  bool owes = a->snd_len > 0 || a->snd_una != a->snd_nxt;
  law((deadline == NEVER) == (idle || (open && !owes && !a->cfg.keep_alive)), "timer", "%s with %s", vtcp_state_name(a->state),
      deadline == NEVER ? "no deadline" : "a deadline");
}

static void laws(const struct vtcp_conn *b, const struct vtcp_event *e, const struct vtcp_conn *a,
                 const struct vtcp_actions *x)
{
  bool segment = e->type == VTCP_ARRIVES;
  law(vtcp_valid(a), "valid", "the record is not valid");
  laws_of_spec(b, e, a, x);
  law_guards(b, e, a);
  law(x->closed == (b->state != VTCP_CLOSED && a->state == VTCP_CLOSED), "over", "closed is %d", x->closed);
  if (a->state == VTCP_CLOSED) {
    struct vtcp_conn fresh;
    law(vtcp_init(&fresh, &b->cfg) == VTCP_CONFIG_OK, "valid", "the configuration is not valid");
    law(same_conn(a, &fresh), "over", "%s is not as vtcp_init leaves it", first_difference(a, &fresh));
  }
  if (x->relisten) {
    struct vtcp_conn fresh;
    struct vtcp_actions opened;
    struct vtcp_event open = {.now = e->now, .type = VTCP_OPEN_PASSIVE};
    law(vtcp_init(&fresh, &b->cfg) == VTCP_CONFIG_OK, "valid", "the configuration is not valid");
    vtcp_step(&fresh, &open, &opened);
    law(same_conn(a, &fresh), "over", "%s is not as OPEN leaves it", first_difference(a, &fresh));
  }
  law(!(x->refused || x->reset || x->timed_out) || x->closed, "over", "an end that is no end");
  law(!x->relisten || (a->state == VTCP_LISTEN && b->state == VTCP_SYN_RECEIVED), "over", "relisten");
  law(x->relisten == (b->state == VTCP_SYN_RECEIVED && a->state == VTCP_LISTEN), "over", "LISTEN without relisten");
  law(!x->spawn || (b->state == VTCP_LISTEN && same_conn(a, b) && !x->send), "over", "spawn");
  if (x->error != VTCP_OK) {
    law(same_conn(a, b), "error", "%s changed", first_difference(a, b));
    law(!x->send && signals_of(x) == 0 && !x->consumed && !x->acked, "error", "something else happened");
  }
  if (e->type == VTCP_TIMEOUT && e->now < vtcp_deadline(b)) {
    law(same_conn(a, b) && !x->send && signals_of(x) == 0, "early", "%s changed",
        same_conn(a, b) ? "nothing" : first_difference(a, b));
  }
  if (segment) {
    law_taken(b, e, a, x);
  }
  if (e->type == VTCP_TIMEOUT && e->now >= b->timer_at && b->timer == VTCP_RETRANSMISSION && a->state != VTCP_CLOSED) {
    uint32_t most = b->cfg.rto_max_ms * 1000;
    law(a->rto == (b->rto <= most / 2 ? 2 * b->rto : most) && !a->rtt_running, "back_off", "RTO %u", (unsigned)a->rto);
  }
  if (segment && e->seg.rst && x->send) {
    law(!x->seg.rst && !x->seg.syn && !x->seg.fin && x->seg.len == 0, "rst_rst", "a RST was answered");
  }
  if (b->state >= VTCP_SYN_RECEIVED && a->state >= VTCP_SYN_RECEIVED) {
    law(a->iss == b->iss && a->irs == b->irs, "recede", "an initial sequence number changed");
    law(!recedes(b->snd_una, a->snd_una), "recede", "SND.UNA");
    law(!recedes(b->snd_nxt, a->snd_nxt), "recede", "SND.NXT");
    law(!recedes(b->rcv_nxt, a->rcv_nxt), "recede", "RCV.NXT");
    law(!recedes(b->rcv_nxt + b->rcv_wnd, a->rcv_nxt + a->rcv_wnd), "recede", "the advertised right edge");
    law(!recedes(a->snd_una, a->snd_nxt), "recede", "SND.UNA is beyond SND.NXT");
  }
  law_alive(b, e, a, x);
  law_reported(b, e, a, x);
  law_form(b, e, a, x);
  law_window(b, e, a, x);
  law_account(b, e, a, x);
  law_timer(b, a, x);
}

const char *step_by_law(struct vtcp_conn *conn, const struct vtcp_event *event, struct vtcp_actions *actions)
{
  struct vtcp_conn before = *conn, twin = *conn;
  struct vtcp_actions other;
  broken[0] = '\0';
  memset(actions, 0xA5, sizeof *actions);
  memset(&other, 0x5A, sizeof other);
  vtcp_step(conn, event, actions);
  vtcp_step(&twin, event, &other);
  law(same_conn(conn, &twin), "pure", "%s differs between two runs", first_difference(conn, &twin));
  const char *action = actions_difference(actions, &other);
  law(action == NULL, "pure", "%s is not written", action);
  laws(&before, event, conn, actions);
  return broken[0] == '\0' ? NULL : broken;
}
