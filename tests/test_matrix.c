/* States x segments x sequence positions x acknowledgment positions, against an oracle.
 *
 * The oracle below is RFC 9293, 3.10.7, read once more and written down apart from the core: in the RFC's order,
 * over unbounded integers that count from the initial sequence numbers, so that nothing in it can wrap. Where
 * spec/DEVIATIONS.md chooses a reading, its number stands beside the rule. */
#include "exchange.h"

#include <stdio.h>
#include <string.h>

/* --- What the oracle is told of a connection --- */

struct world {
  uint8_t state, origin;
  bool listener, rfc1337, syn_acked, fin_sent;
  int64_t una, nxt, wnd, wl1, wl2, max_wnd;
  int64_t rcv_nxt, rcv_wnd;
  int64_t held_from, held_to; /* received beyond a gap; none if equal */
  int64_t fin_at;             /* where the peer's FIN is, beyond a gap; 0: not known */
};

struct arrival {
  bool syn, ack_bit, fin, rst;
  int64_t seq, ack, len, wnd;
};

/* --- What it foretells --- */

enum answer { NOTHING, EMPTY_ACK, RESET, RESET_ACK, SYN_ACK };

struct verdict {
  uint8_t state;
  enum answer answer;
  int64_t seq, ack; /* of the answer; SEQ of RESET_ACK is the absolute 0 */
  unsigned signals;
  int64_t una, rcv_nxt, stored, from;
  bool rejected;    /* the record stays as it was, but for the budget */
  bool wnd_known;   /* the RFC leaves no doubt about SND.WND */
  int64_t wnd;
  bool restarts;    /* 2 MSL begin (again) */
};

static struct verdict as_before(const struct world *w)
{
  return (struct verdict){.state = w->state, .una = w->una, .rcv_nxt = w->rcv_nxt, .wnd = w->wnd, .wnd_known = true};
}

static struct verdict drop(const struct world *w)
{
  struct verdict v = as_before(w);
  v.rejected = true;
  return v;
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, and the segment is dropped. */
static struct verdict challenge(const struct world *w)
{
  struct verdict v = drop(w);
  v.answer = EMPTY_ACK;
  v.seq = w->nxt;
  v.ack = w->rcv_nxt;
  return v;
}

static struct verdict reset_answer(const struct world *w, const struct arrival *s)
{
  struct verdict v = drop(w);
  v.answer = RESET;
  v.seq = s->ack;
  return v;
}

static struct verdict ends_with(const struct world *w, uint8_t state, unsigned set)
{
  struct verdict v = as_before(w);
  v.state = state;
  v.signals = set;
  return v;
}

/* --- 3.10.7.1 to 3.10.7.3 --- */

static struct verdict in_closed(const struct world *w, const struct arrival *s)
{
  if (s->rst) {
    return drop(w);
  }
  if (s->ack_bit) {
    return reset_answer(w, s);
  }
  struct verdict v = drop(w);
  v.answer = RESET_ACK;
  v.ack = s->seq + s->len + s->syn + s->fin;
  return v;
}

static struct verdict becomes_syn_received(const struct world *w, const struct arrival *s)
{
  struct verdict v = as_before(w);
  v.state = VTCP_SYN_RECEIVED;
  v.stored = s->len < w->rcv_wnd ? s->len : w->rcv_wnd; /* deviation 1: text is kept, FIN is not */
  v.rcv_nxt = s->seq + 1 + v.stored;
  v.answer = SYN_ACK;
  v.ack = v.rcv_nxt;
  v.una = 0;
  v.wnd = s->wnd;
  return v;
}

static struct verdict in_listen_state(const struct world *w, const struct arrival *s)
{
  if (s->rst) {
    return drop(w);
  }
  if (s->ack_bit) {
    return reset_answer(w, s);
  }
  if (s->syn) {
    if (w->listener) {
      struct verdict v = drop(w);
      v.signals = IS_SPAWN;
      return v;
    }
    return becomes_syn_received(w, s);
  }
  return drop(w);
}

static struct verdict in_syn_sent_state(const struct world *w, const struct arrival *s)
{
  if (s->ack_bit && (s->ack <= 0 || s->ack > w->nxt)) {
    return s->rst ? drop(w) : reset_answer(w, s);
  }
  if (s->rst) {
    return s->ack_bit ? ends_with(w, VTCP_CLOSED, IS_RESET | IS_CLOSED) : drop(w);
  }
  if (!s->syn) {
    return drop(w);
  }
  if (!s->ack_bit) {
    return becomes_syn_received(w, s);
  }
  struct verdict v = as_before(w);
  v.state = VTCP_ESTABLISHED;
  v.signals = IS_ESTABLISHED;
  v.una = s->ack;
  v.wnd = s->wnd;
  v.stored = s->len < w->rcv_wnd ? s->len : w->rcv_wnd;
  v.rcv_nxt = s->seq + 1 + v.stored;
  if (s->fin && s->len < w->rcv_wnd) {
    v.state = VTCP_CLOSE_WAIT;
    v.signals |= IS_PEER_CLOSED;
    v.rcv_nxt++;
  }
  v.answer = EMPTY_ACK;
  v.seq = w->nxt;
  v.ack = v.rcv_nxt;
  return v;
}

/* --- 3.10.7.4 --- */

static bool in_window(const struct world *w, int64_t number)
{
  return w->rcv_nxt <= number && number < w->rcv_nxt + w->rcv_wnd;
}

/* Table 6. */
static bool is_acceptable(const struct world *w, int64_t seq, int64_t length)
{
  if (length == 0) {
    return w->rcv_wnd == 0 ? seq == w->rcv_nxt : in_window(w, seq);
  }
  return w->rcv_wnd != 0 && (in_window(w, seq) || in_window(w, seq + length - 1));
}

static struct verdict on_reset(const struct world *w, const struct arrival *s)
{
  if (w->state == VTCP_TIME_WAIT && w->rfc1337) {
    return drop(w); /* reading 8 */
  }
  if (s->seq != w->rcv_nxt) {
    return challenge(w); /* RFC 5961, section 3 */
  }
  switch (w->state) {
  case VTCP_SYN_RECEIVED:
    return w->origin == VTCP_PASSIVE ? ends_with(w, VTCP_LISTEN, IS_RELISTEN)
                                     : ends_with(w, VTCP_CLOSED, w->origin == VTCP_ACTIVE ? IS_REFUSED | IS_CLOSED
                                                                                         : IS_CLOSED);
  case VTCP_ESTABLISHED:
  case VTCP_FIN_WAIT_1:
  case VTCP_FIN_WAIT_2:
  case VTCP_CLOSE_WAIT: return ends_with(w, VTCP_CLOSED, IS_RESET | IS_CLOSED);
  default: return ends_with(w, VTCP_CLOSED, IS_CLOSED);
  }
}

static struct verdict on_syn(const struct world *w, const struct arrival *s)
{
  if (w->state == VTCP_SYN_RECEIVED && w->origin != VTCP_ACTIVE && in_window(w, s->seq)) { /* reading 5 */
    return w->origin == VTCP_PASSIVE ? ends_with(w, VTCP_LISTEN, IS_RELISTEN) : ends_with(w, VTCP_CLOSED, IS_CLOSED);
  }
  return challenge(w);
}

static struct verdict in_other_states(const struct world *w, struct arrival s)
{
  /* reading 1: the crossing SYN,ACK of figure 7 is the ACK that it carries */
  if (w->state == VTCP_SYN_RECEIVED && w->origin == VTCP_ACTIVE && s.syn && s.ack_bit && !s.rst && !s.fin &&
      s.len == 0 && s.seq == 0 && w->una < s.ack && s.ack <= w->nxt) {
    s.syn = false;
    s.seq = w->rcv_nxt;
  }
  int64_t length = s.rst ? 0 : s.len + s.syn + s.fin;
  int64_t edge = w->rcv_nxt + w->rcv_wnd;

  /* first; reading 1: an empty segment at the right edge counts for its acknowledgment */
  bool at_edge = !s.rst && length == 0 && (s.seq == edge || (w->rcv_wnd == 0 && s.seq == w->rcv_nxt + 1));
  if (!is_acceptable(w, s.seq, length) && !at_edge) {
    if (s.rst) {
      return drop(w);
    }
    struct verdict v = challenge(w);
    v.restarts = w->state == VTCP_TIME_WAIT && s.fin && s.seq + length == w->rcv_nxt; /* reading 8 */
    return v;
  }
  /* second */
  if (s.rst) {
    return on_reset(w, &s);
  }
  /* fourth */
  if (s.syn) {
    return on_syn(w, &s);
  }
  /* fifth */
  if (!s.ack_bit) {
    return drop(w);
  }
  bool is_new = w->una < s.ack && s.ack <= w->nxt;
  if (!w->syn_acked) { /* reading 6 */
    if (!is_new) {
      return w->state == VTCP_SYN_RECEIVED ? reset_answer(w, &s) : challenge(w);
    }
  } else {
    int64_t octets = w->una - 1; /* octets and FIN acknowledged, not the SYN */
    int64_t least = w->una - (w->max_wnd < octets ? w->max_wnd : octets);
    if (s.ack < least || s.ack > w->nxt) {
      return challenge(w);
    }
  }
  struct verdict v = as_before(w);
  if (is_new) {
    v.una = s.ack;
  }
  if (w->state == VTCP_SYN_RECEIVED) {
    v.state = VTCP_ESTABLISHED;
    v.signals = IS_ESTABLISHED;
    v.wnd = s.wnd;
  } else if (s.ack >= w->una) {
    int64_t trimmed = s.seq < w->rcv_nxt ? w->rcv_nxt : s.seq; /* "idealized" or not: the RFC can be read both ways */
    bool raw_moves = is_new || w->wl1 < s.seq || (w->wl1 == s.seq && w->wl2 <= s.ack); /* reading 12: is_new */
    bool ideal_moves = is_new || w->wl1 < trimmed || (w->wl1 == trimmed && w->wl2 <= s.ack);
    v.wnd_known = raw_moves == ideal_moves && w->syn_acked;
    v.wnd = raw_moves ? s.wnd : w->wnd;
  }
  bool ours_acked = w->fin_sent && v.una == w->nxt;
  if (ours_acked && w->una != w->nxt) {
    v.signals |= IS_CLOSE_DONE;
    switch (w->state) {
    case VTCP_FIN_WAIT_1: v.state = VTCP_FIN_WAIT_2; break;
    case VTCP_CLOSING:
      v.state = VTCP_TIME_WAIT;
      v.restarts = true;
      break;
    case VTCP_LAST_ACK:
      v.state = VTCP_CLOSED;
      v.signals |= IS_CLOSED;
      return v;
    default: break;
    }
  }
  /* seventh */
  bool receives = v.state == VTCP_ESTABLISHED || v.state == VTCP_FIN_WAIT_1 || v.state == VTCP_FIN_WAIT_2;
  if (receives) {
    int64_t limit = w->fin_at != 0 ? w->fin_at : edge; /* readings 2, 3 */
    int64_t from = s.seq < w->rcv_nxt ? w->rcv_nxt : s.seq, end = s.seq + s.len < limit ? s.seq + s.len : limit;
    if (end > from) {
      v.stored = end - from;
      v.from = from - s.seq;
      if (from == w->rcv_nxt) {
        v.rcv_nxt = w->held_from <= end && end < w->held_to ? w->held_to : end;
      }
    }
  }
  /* eighth */
  bool fin_inside = s.fin && v.rcv_nxt <= s.seq + s.len && s.seq + s.len < edge;
  if (receives && (fin_inside ? s.seq + s.len : w->fin_at) == v.rcv_nxt) {
    v.rcv_nxt++;
    v.signals |= IS_PEER_CLOSED;
    if (v.state == VTCP_ESTABLISHED) {
      v.state = VTCP_CLOSE_WAIT;
    } else if (v.state == VTCP_FIN_WAIT_1) {
      v.state = VTCP_CLOSING;
    } else {
      v.state = VTCP_TIME_WAIT;
      v.restarts = true;
    }
  }
  if (w->state == VTCP_TIME_WAIT && s.fin) {
    v.restarts = true; /* reading 8: any acceptable one */
  }
  if (length > 0) { /* whatever occupies sequence numbers is acknowledged at once */
    v.answer = EMPTY_ACK;
    v.seq = w->nxt;
    v.ack = v.rcv_nxt;
  }
  return v;
}

static struct verdict oracle(const struct world *w, const struct arrival *s)
{
  switch (w->state) {
  case VTCP_CLOSED: return in_closed(w, s);
  case VTCP_LISTEN: return in_listen_state(w, s);
  case VTCP_SYN_SENT: return in_syn_sent_state(w, s);
  default: return in_other_states(w, *s);
  }
}

/* --- The connections --- */

enum variety {
  V_CLOSED,
  V_LISTEN,
  V_LISTENER,
  V_CHILD_LISTEN,
  V_SYN_SENT,
  V_SYN_RECEIVED,
  V_SYN_RECEIVED_ACTIVELY,
  V_SYN_RECEIVED_CHILD,
  V_FIN_WAIT_1_SYN_OUT, /* CLOSE in SYN-RECEIVED */
  V_ESTABLISHED,        /* 40 octets outstanding */
  V_ESTABLISHED_IDLE,
  V_FIN_WAIT_1, /* 40 octets and the FIN outstanding */
  V_FIN_WAIT_1_FIN, /* the FIN outstanding */
  V_FIN_WAIT_2,
  V_CLOSE_WAIT,
  V_CLOSING,
  V_LAST_ACK,
  V_TIME_WAIT,
  V_TIME_WAIT_RFC1337,
  VARIETIES
};

struct scene {
  enum variety variety;
  int32_t peer_wnd; /* 400, or 60: less than was acknowledged so far */
  bool full;        /* our receive buffer is full: RCV.WND = 0 */
  int gap;          /* 1: text waits beyond a gap; 2: and a FIN, beyond another */
};

/* 100 octets acknowledged, 50 received; `full`: 1000 received. */
static void synchronized_part(struct endpoint *t, const struct scene *scene, bool with_fin, bool outstanding)
{
  in_established(t);
  for (int i = 0; i < 2; i++) {
    writes(t, 50);
    sends(t, ACK, .seq = 1 + 50 * i, .ack = 1, .len = 50);
    arrives(t, ACK, .seq = 1, .ack = 51 + 50 * i);
  }
  arrives(t, ACK, .seq = 1, .ack = 101, .len = 50);
  sends(t, ACK, .seq = 101, .ack = 51);
  if (scene->full && !with_fin) {
    arrives(t, ACK, .seq = 51, .ack = 101, .len = 950);
    sends(t, ACK, .seq = 101, .ack = 1001, .wnd = ZERO);
  }
  if (outstanding) {
    writes(t, 40);
    sends(t, ACK, .seq = 101, .ack = scene->full && !with_fin ? 1001 : 51, .len = 40);
  }
}

/* The peer's FIN, in the place of the last octet if the buffer is to be full. Returns RCV.NXT after it. */
static int64_t peer_closes(struct endpoint *t, const struct scene *scene, int64_t ack, int64_t nxt)
{
  uint16_t len = scene->full ? 949 : 0;
  arrives(t, FIN | ACK, .seq = 51, .ack = ack, .len = len);
  sends(t, ACK, .seq = nxt, .ack = 52 + len);
  signals(t, IS_PEER_CLOSED);
  return 52 + len;
}

static struct world build(struct endpoint *t, const struct scene *scene)
{
  struct vtcp_config cfg = test_config();
  cfg.rcv_buf = 1000;
  cfg.rcv_mss = 500;
  cfg.rfc1337 = scene->variety == V_TIME_WAIT_RFC1337;
  cfg.listener = scene->variety == V_LISTENER;
  begins_with(t, cfg);
  t->peer_wnd = scene->peer_wnd;
  int64_t rcv = scene->full ? 1001 : 51;
  struct world w = {.state = VTCP_CLOSED, .rcv_wnd = 1000, .listener = cfg.listener, .rfc1337 = cfg.rfc1337};
  switch (scene->variety) {
  case V_CLOSED: break;
  case V_LISTEN:
  case V_LISTENER:
    in_listen(t);
    w.state = VTCP_LISTEN;
    w.origin = VTCP_PASSIVE;
    break;
  case V_CHILD_LISTEN: {
    struct vtcp_conn child;
    ends(t);
    cfg.listener = true;
    begins_with(t, cfg);
    t->peer_wnd = scene->peer_wnd;
    in_listen(t);
    vtcp_child(&t->conn, &child);
    t->conn = child;
    w.state = VTCP_LISTEN;
    w.origin = VTCP_CHILD;
    break;
  }
  case V_SYN_SENT:
    in_syn_sent(t);
    w.state = VTCP_SYN_SENT;
    w.origin = VTCP_ACTIVE;
    w.nxt = 1;
    break;
  case V_SYN_RECEIVED:
    in_syn_received(t);
    w.state = VTCP_SYN_RECEIVED;
    w.origin = VTCP_PASSIVE;
    w.nxt = w.rcv_nxt = 1;
    break;
  case V_SYN_RECEIVED_ACTIVELY:
    in_syn_received_actively(t);
    w.state = VTCP_SYN_RECEIVED;
    w.origin = VTCP_ACTIVE;
    w.nxt = w.rcv_nxt = 1;
    break;
  case V_SYN_RECEIVED_CHILD:
    in_syn_received_as_child(t);
    w.state = VTCP_SYN_RECEIVED;
    w.origin = VTCP_CHILD;
    w.nxt = w.rcv_nxt = 1;
    break;
  case V_FIN_WAIT_1_SYN_OUT:
    in_syn_received(t);
    closes(t);
    sends(t, FIN | ACK, .seq = 1, .ack = 1);
    w.state = VTCP_FIN_WAIT_1;
    w.origin = VTCP_PASSIVE;
    w.nxt = 2;
    w.rcv_nxt = 1;
    w.fin_sent = true;
    break;
  case V_ESTABLISHED:
  case V_ESTABLISHED_IDLE:
    synchronized_part(t, scene, false, scene->variety == V_ESTABLISHED);
    w.state = VTCP_ESTABLISHED;
    w.una = 101;
    w.nxt = scene->variety == V_ESTABLISHED ? 141 : 101;
    w.rcv_nxt = rcv;
    break;
  case V_FIN_WAIT_1:
  case V_FIN_WAIT_1_FIN:
  case V_FIN_WAIT_2:
    w.nxt = scene->variety == V_FIN_WAIT_1 ? 142 : 102;
    synchronized_part(t, scene, false, scene->variety == V_FIN_WAIT_1);
    closes(t);
    sends(t, FIN | ACK, .seq = w.nxt - 1, .ack = rcv);
    w.state = VTCP_FIN_WAIT_1;
    w.una = 101;
    w.rcv_nxt = rcv;
    w.fin_sent = true;
    if (scene->variety == V_FIN_WAIT_2) {
      arrives(t, ACK, .seq = rcv, .ack = 102);
      signals(t, IS_CLOSE_DONE);
      w.state = VTCP_FIN_WAIT_2;
      w.una = 102;
    }
    break;
  case V_CLOSE_WAIT:
  case V_LAST_ACK:
    synchronized_part(t, scene, true, true);
    w.rcv_nxt = peer_closes(t, scene, 101, 141);
    w.state = VTCP_CLOSE_WAIT;
    w.una = 101;
    w.nxt = 141;
    if (scene->variety == V_LAST_ACK) {
      closes(t);
      sends(t, FIN | ACK, .seq = 141, .ack = w.rcv_nxt);
      w.state = VTCP_LAST_ACK;
      w.nxt = 142;
      w.fin_sent = true;
    }
    break;
  case V_CLOSING:
    synchronized_part(t, scene, true, true);
    closes(t);
    sends(t, FIN | ACK, .seq = 141, .ack = 51);
    w.rcv_nxt = peer_closes(t, scene, 101, 142);
    w.state = VTCP_CLOSING;
    w.una = 101;
    w.nxt = 142;
    w.fin_sent = true;
    break;
  case V_TIME_WAIT:
  case V_TIME_WAIT_RFC1337:
    synchronized_part(t, scene, true, true);
    closes(t);
    sends(t, FIN | ACK, .seq = 141, .ack = 51);
    arrives(t, ACK, .seq = 51, .ack = 142);
    signals(t, IS_CLOSE_DONE);
    w.rcv_nxt = peer_closes(t, scene, 142, 142);
    w.state = VTCP_TIME_WAIT;
    w.una = w.nxt = 142;
    w.fin_sent = true;
    break;
  case VARIETIES: break;
  }
  if (scene->gap > 0) {
    w.held_from = w.rcv_nxt + 20;
    w.held_to = w.rcv_nxt + 40;
    arrives(t, ACK, .seq = w.held_from, .ack = w.una, .len = 20);
    sends(t, ACK, .seq = w.nxt, .ack = w.rcv_nxt);
  }
  if (scene->gap > 1) {
    w.fin_at = w.rcv_nxt + 60;
    arrives(t, FIN | ACK, .seq = w.fin_at, .ack = w.una);
    sends(t, ACK, .seq = w.nxt, .ack = w.rcv_nxt);
  }
  if (w.state >= VTCP_ESTABLISHED && scene->variety != V_FIN_WAIT_1_SYN_OUT) {
    w.syn_acked = true;
    w.origin = VTCP_ACTIVE;
    bool fin = w.state == VTCP_CLOSE_WAIT || w.state == VTCP_CLOSING || w.state == VTCP_LAST_ACK || w.state == VTCP_TIME_WAIT;
    w.rcv_wnd = 1001 - w.rcv_nxt + (fin ? 1 : 0); /* the peer's FIN takes no room */
  }
  /* the numbers above are the script's; these the record's, as the input to the oracle */
  require(t->conn.state == w.state, "%s is expected", vtcp_state_name(w.state));
  if (w.state >= VTCP_SYN_SENT) {
    una_is(t, w.una);
    nxt_is(t, w.nxt);
  }
  if (w.state >= VTCP_SYN_RECEIVED) {
    rcv_nxt_is(t, w.rcv_nxt);
    rcv_wnd_is(t, w.rcv_wnd);
    w.wnd = scene->peer_wnd;
    w.max_wnd = scene->peer_wnd;
    snd_wnd_is(t, w.wnd);
    w.wl1 = (int32_t)(t->conn.snd_wl1 - t->irs);
    w.wl2 = (int32_t)(t->conn.snd_wl2 - t->iss);
  }
  return w;
}

/* --- The cells --- */

static unsigned long cells;

static const char *describe(const struct scene *scene, const struct world *w, const struct arrival *s)
{
  static char text[240];
  snprintf(text, sizeof text,
           "variety %d%s gap %d in %s (una %lld nxt %lld rcv %lld+%lld): <%s%s%s%s> seq %lld ack %lld len %lld wnd %lld",
           (int)scene->variety, scene->full ? " full" : "", scene->gap, vtcp_state_name(w->state), (long long)w->una,
           (long long)w->nxt, (long long)w->rcv_nxt, (long long)w->rcv_wnd, s->syn ? "S" : "", s->fin ? "F" : "",
           s->rst ? "R" : "", s->ack_bit ? "A" : "", (long long)s->seq, (long long)s->ack, (long long)s->len,
           (long long)s->wnd);
  return text;
}

#define must(condition, ...)                                            \
  do {                                                                  \
    if (!(condition)) {                                                 \
      print_message("%s\n", describe(scene, w, s));                     \
      fail_at(__FILE__, __LINE__, __VA_ARGS__);                         \
    }                                                                   \
  } while (0)

static void one_cell(const struct endpoint *t, const struct scene *scene, const struct world *w,
                     const struct arrival *s)
{
  struct verdict v = oracle(w, s);
  struct vtcp_conn conn = t->conn;
  struct vtcp_actions x;
  uint64_t before = vtcp_deadline(&conn);
  struct vtcp_event event = {.now = t->now + 100 * MS, .iss = t->iss, .type = VTCP_ARRIVES};
  event.seg = (struct vtcp_segment){.seq = t->irs + (uint32_t)s->seq,
                                    .ack = s->ack_bit ? t->iss + (uint32_t)s->ack : 0,
                                    .len = (uint16_t)s->len,
                                    .wnd = (uint16_t)s->wnd,
                                    .syn = s->syn,
                                    .fin = s->fin,
                                    .rst = s->rst,
                                    .has_ack = s->ack_bit};
  checked_step(&conn, &event, &x);
  cells++;

  must(conn.state == v.state, "%s is expected, not %s", vtcp_state_name(v.state), vtcp_state_name(conn.state));
  unsigned got = signals_of(&x);
  if (!w->syn_acked && w->state == VTCP_FIN_WAIT_1) {
    got &= ~(unsigned)IS_ESTABLISHED; /* whether it is told there is nobody's rule */
  }
  must(got == v.signals, "signals %#x are expected, not %#x", v.signals, got);
  must(x.error == VTCP_OK && !x.more, "an arriving segment is no call, and nothing waits to be sent");

  const struct vtcp_segment *a = &x.seg;
  must(x.send == (v.answer != NOTHING), v.answer == NOTHING ? "no answer is expected" : "an answer is expected");
  uint32_t seq = t->iss + (uint32_t)v.seq, ack = t->irs + (uint32_t)v.ack;
  switch (v.answer) {
  case NOTHING: break;
  case EMPTY_ACK:
    must(!a->syn && !a->fin && !a->rst && a->has_ack && a->len == 0, "an empty ACK is expected");
    must(a->seq == seq && a->ack == ack, "<SEQ=%lld><ACK=%lld> is expected", (long long)v.seq, (long long)v.ack);
    break;
  case RESET:
    must(a->rst && !a->has_ack, "<CTL=RST> is expected");
    must(a->seq == seq && a->ack == 0, "<SEQ=%lld> is expected", (long long)v.seq);
    break;
  case RESET_ACK:
    must(a->rst && a->has_ack, "<CTL=RST,ACK> is expected");
    must(a->seq == 0 && a->ack == ack, "<SEQ=0><ACK=%lld> is expected", (long long)v.ack);
    break;
  case SYN_ACK:
    must(a->syn && a->has_ack && !a->rst, "<CTL=SYN,ACK> is expected");
    must(a->seq == seq && a->ack == ack, "<SEQ=%lld><ACK=%lld> is expected", (long long)v.seq, (long long)v.ack);
    break;
  }

  must(x.store_len == v.stored, "%lld octets are to be stored, not %u", (long long)v.stored, (unsigned)x.store_len);
  must(v.stored == 0 || x.store_from == v.from, "from octet %lld, not %u", (long long)v.from, (unsigned)x.store_from);
  if (v.rejected) { /* R28: nothing but the budget */
    conn.challenges = t->conn.challenges;
    conn.challenge_at = t->conn.challenge_at;
    if (v.restarts) {
      must(vtcp_deadline(&conn) == event.now + 120 * SECOND, "2 MSL begin again");
      conn.timer_at = t->conn.timer_at;
    }
    must(same_conn(&conn, &t->conn), "a refused segment changed %s", first_difference(&conn, &t->conn));
    must(vtcp_deadline(&conn) == before, "a refused segment moved the deadline");
    return;
  }
  if (v.state == VTCP_CLOSED || v.state == VTCP_LISTEN) {
    return; /* the laws say how the record looks */
  }
  must(conn.snd_una == t->iss + (uint32_t)v.una, "SND.UNA %lld is expected", (long long)v.una);
  must(conn.snd_nxt == t->iss + (uint32_t)w->nxt || w->state <= VTCP_LISTEN, "SND.NXT stays");
  must(conn.rcv_nxt == t->irs + (uint32_t)v.rcv_nxt, "RCV.NXT %lld is expected", (long long)v.rcv_nxt);
  must(!v.wnd_known || conn.snd_wnd == v.wnd, "SND.WND %lld is expected", (long long)v.wnd);
  if (v.state == VTCP_TIME_WAIT) {
    must(vtcp_deadline(&conn) == (v.restarts ? event.now + 120 * SECOND : before), "2 MSL %s",
         v.restarts ? "begin again" : "go on");
  }
  if (x.acked > 0 || v.una != w->una) { /* text acknowledged: SYN and FIN are no octets */
    int64_t text_from = w->una < 1 ? 1 : w->una, fin = w->fin_sent ? w->nxt - 1 : w->nxt;
    int64_t text_to = v.una < fin ? v.una : fin;
    must(x.acked == (text_to > text_from ? text_to - text_from : 0), "octets acknowledged");
  }
}

/* Runs every arrival at one connection. */
static void one_scene(const struct scene *scene)
{
  struct endpoint t;
  struct world world = build(&t, scene);
  const struct world *w = &world;
  static const int64_t lengths[] = {0, 1, 20, 960, 1200};
  static const int64_t windows[] = {300, 0, 65535};
  for (unsigned flags = 0; flags < 16; flags++) {
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
      struct arrival s = {.syn = flags & SYN, .ack_bit = flags & ACK, .fin = flags & FIN, .rst = flags & RST};
      s.len = lengths[l];
      int64_t occupied = s.len + s.syn + s.fin;
      int64_t n = w->rcv_nxt, edge = n + w->rcv_wnd;
      /* below, at, inside and beyond, by the first and by the last number */
      int64_t seqs[] = {n - 100000, n - 1000, n - 2, n - 1, n, n + 1, n + 2, n + 20, edge - 2, edge - 1, edge, edge + 1,
                        edge + 100000, n + 39, n + 40, n + 60, n + 61, n - occupied - 1, n - occupied, n - occupied + 1, edge - occupied - 1,
                        edge - occupied, edge - occupied + 1, 0};
      int64_t acks[] = {-100000, -1, 0, 1, 2, w->una - 61, w->una - 60, w->una - 59, w->una - 1, w->una, w->una + 1,
                        (w->una + w->nxt) / 2, w->nxt - 1, w->nxt, w->nxt + 1, w->nxt + 100000};
      size_t seq_count = sizeof seqs / sizeof seqs[0], ack_count = s.ack_bit ? sizeof acks / sizeof acks[0] : 1;
      for (size_t i = 0; i < seq_count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++) {
          seen = seen || seqs[k] == seqs[i];
        }
        for (size_t j = 0; j < ack_count && !seen; j++) {
          bool known = false;
          for (size_t k = 0; k < j; k++) {
            known = known || acks[k] == acks[j];
          }
          for (size_t m = 0; m < 3 && !known; m++) {
            s.seq = seqs[i];
            s.ack = acks[j];
            s.wnd = windows[m];
            one_cell(&t, scene, w, &s);
          }
        }
      }
    }
  }
  ends(&t);
}

static void every_cell(void **unused)
{
  (void)unused;
  cells = 0;
  for (enum variety v = V_CLOSED; v < VARIETIES; v++) {
    for (int narrow = 0; narrow < 2; narrow++) {
      for (int full = 0; full < (v >= V_ESTABLISHED ? 2 : 1); full++) {
        bool receives = v >= V_ESTABLISHED && v <= V_FIN_WAIT_2 && !full;
        for (int gap = 0; gap < (receives ? 3 : 1); gap++) {
          struct scene scene = {.variety = v, .peer_wnd = narrow ? 60 : 400, .full = full, .gap = gap};
          one_scene(&scene);
        }
      }
    }
  }
  print_message("%lu cells agree with the oracle\n", cells);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_cell),
  };
  return run_with_every_base("matrix", tests);
}
