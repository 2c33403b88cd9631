/* Two programs that embed the core as README says: a client with a few sockets, and a server with a listener, children, and,
 * while it has no room, SYN cookies. Both have buffers with octets in them, keys, and a wire. The input is configurations,
 * keys, and a list of what the users call and what the wire does with a packet: it arrives, arrives twice, is lost, is
 * lost with an ICMP message, a bit of it is damaged, or it comes to another port. All calls are legal: time never runs
 * back, VTCP_TIMEOUT comes when it was asked for, VTCP_MORE as long as it is, what an action says is done. After every
 * step:
 *
 *   1. Every law of tests/laws.h, the account of both streams and the promises (endpoint.h).
 *   2. octets    what a user reads is, octet by octet, what the other wrote: through both buffers and the wire.
 *   3. wire      what the core sends can be written, is no longer than mms_s, and reads back the same; a damaged packet has
 *                a wrong checksum, one that is not damaged the right one.
 *   4. deadline  once a timeout was given at its time, the next is later.
 *   5. isn       initial sequence numbers of one connection grow by one in 4 microseconds (RFC 9293, 3.4.1).
 *   6. cookie    an ACK completes a cookie if and only if the server made it for this SYN, not too long ago, with an MSS that
 *                the SYN allows; the child is then ESTABLISHED, with the number that the cookie was. */
#include <string.h>

#include "endpoint.h"
#include "input.h"

enum { LONGEST = 1024, SOCKETS = 3, ROOM = 700, ON_THE_WIRE = 24, COOKIES = 64, NAME = 12 };
enum { CLIENT, SERVER };
#define HOLDS_FOR UINT64_C(134000000) /* a cookie: include/vtcp.h */
#define HOLDS_AT_MOST UINT64_C(202000000)
#define MOVE_TAKES UINT64_C(10000) /* in which ISNs grow by more than is ever sent */

struct socket {
  struct endpoint end;
  uint8_t snd[ROOM], rcv[ROOM];
  uint8_t port;
};

struct packet {
  uint8_t octets[60 + ROOM];
  uint32_t length;
  uint8_t to, port;
};

struct cookie {
  uint32_t iss, irs;
  uint64_t made;
  uint16_t mss; /* of the SYN */
  uint8_t port;
};

struct world {
  struct socket socket[2][SOCKETS]; /* the server's are in use while they are not CLOSED */
  struct vtcp_conn listener;
  struct packet wire[ON_THE_WIRE];
  unsigned packets;
  struct cookie cookies[COOKIES];
  unsigned cookies_made;
  uint8_t key[2][16], cookie_key[16];
  uint64_t now;
  bool is_full; /* the server has no room for more connections */
};

/* --- Octets --- */

/* The octet at a place of the stream that a side sends, in the incarnation that begins with `iss`. */
static uint8_t octet_of(unsigned side, uint32_t iss, uint64_t place)
{
  uint64_t mixed = (iss + place * 0x10001 + side) * UINT64_C(0x9E3779B97F4A7C15);

  return (uint8_t)(mixed >> 56);
}

static void name_of(uint8_t port, uint8_t name[NAME])
{
  static const uint8_t sockets[NAME] = {192, 0, 2, 1, 192, 0, 2, 2, 0, 80, 156};

  memcpy(name, sockets, NAME);
  name[NAME - 1] = port;
}

/* --- The wire --- */

static uint32_t pseudo_of(uint32_t length)
{
  return 2 * (0xc000u + 0x0200u) + 1 + 2 + 6 + length;
}

static void check_read_back(const struct packet *p, const struct vtcp_segment *sent)
{
  struct vtcp_segment seg;
  uint32_t text = 0;

  HOLDS("wire", vtcp_checksum(pseudo_of(p->length), p->octets, p->length) == 0);
  HOLDS("wire", vtcp_parse(p->octets, p->length, &seg, &text) == VTCP_WIRE_OK && text + sent->len == p->length);
  HOLDS("wire", segment_difference(&seg, sent) == NULL);
}

static void put_on_wire(struct world *w, unsigned from, uint8_t port, const struct vtcp_segment *seg,
                        const uint8_t *text)
{
  if (w->packets == ON_THE_WIRE)
    return; /* lost */
  struct packet *p = &w->wire[w->packets++];
  memset(p, 0, sizeof *p);
  uint32_t header = vtcp_emit(seg, p->octets, sizeof p->octets);
  HOLDS("wire", header >= 20 && header + seg->len <= sizeof p->octets);
  if (seg->len > 0)
    memcpy(p->octets + header, text, seg->len);
  p->length = header + seg->len;
  p->to = (uint8_t)!from;
  p->port = port;
  uint16_t sum = vtcp_checksum(pseudo_of(p->length), p->octets, p->length);
  p->octets[16] = (uint8_t)(sum >> 8);
  p->octets[17] = (uint8_t)(sum & 255);
  check_read_back(p, seg);
}

/* --- A step, and what it asks for --- */

/* Whether the peer may read so many octets: those that the other wrote there. */
static void check_octets(const struct socket *s, unsigned side, uint64_t from, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++)
    HOLDS("octets", s->rcv[i] == octet_of(!side, s->end.conn.irs, from + i));
}

static void obey(struct world *w, unsigned side, struct socket *s, const struct vtcp_actions *a, const uint8_t *text)
{
  const struct vtcp_conn *c = &s->end.conn;

  if (a->acked > 0)
    memmove(s->snd, s->snd + a->acked, ROOM - a->acked);
  if (a->store_len > 0)
    memcpy(s->rcv + a->store_at, text + a->store_from, a->store_len);
  if (a->consumed > 0) {
    check_octets(s, side, s->end.consumed - a->consumed, a->consumed);
    memmove(s->rcv, s->rcv + a->consumed, ROOM - a->consumed);
  }
  HOLDS("readable", c->state <= VTCP_LISTEN || a->readable == c->rcv_len);
  if (!a->send)
    return;
  HOLDS("wire", a->seg.len + 20u <= c->cfg.mms_s);
  for (uint32_t i = 0; i < a->seg.len; i++)
    HOLDS("octets", s->snd[a->text_at + i] == octet_of(side, c->iss, s->end.dropped + a->text_at + i));
  put_on_wire(w, side, s->port, &a->seg, s->snd + a->text_at);
}

static struct vtcp_actions takes(struct world *w, unsigned side, struct socket *s, struct vtcp_event e,
                                 const uint8_t *text)
{
  struct vtcp_actions first, more;

  e.now = w->now;
  lawful_step(&s->end, &e, &first);
  obey(w, side, s, &first, text);
  more = first;
  for (unsigned i = 0; more.more; i++) {
    HOLDS("more", i < ROOM);
    lawful_step(&s->end, &(struct vtcp_event){.now = w->now, .type = VTCP_MORE}, &more);
    obey(w, side, s, &more, NULL);
  }
  check_promises(&s->end, w->now);
  return first;
}

static void call(struct world *w, unsigned side, struct socket *s, uint8_t type, uint32_t len)
{
  (void)takes(w, side, s, (struct vtcp_event){.type = type, .len = len, .remote = true}, NULL);
}

/* --- The server --- */

static uint32_t isn_of(const struct world *w, unsigned side, uint8_t port)
{
  uint8_t name[NAME];

  name_of(port, name);
  uint32_t isn = vtcp_isn(w->key[side], name, NAME, w->now);
  HOLDS("isn", vtcp_isn(w->key[side], name, NAME, w->now + 4000) == isn + 1000);
  return isn;
}

static void becomes_child(struct world *w, struct socket *s, uint8_t port)
{
  memset(s, 0, sizeof *s);
  s->port = port;
  vtcp_child(&w->listener, &s->end.conn);
}

static void answers_with_cookie(struct world *w, uint8_t port, const struct vtcp_segment *syn)
{
  uint8_t name[NAME];
  uint16_t mss = syn->has_mss ? syn->mss : w->listener.cfg.default_mss;

  name_of(port, name);
  uint32_t iss = vtcp_cookie(w->cookie_key, name, NAME, syn->seq, mss, w->now);
  struct vtcp_segment answer = {.seq = iss, .ack = syn->seq + 1, .wnd = 100, .syn = true, .has_ack = true};
  answer.has_mss = true;
  answer.mss = w->listener.cfg.rcv_mss;
  put_on_wire(w, SERVER, port, &answer, NULL);
  w->cookies[w->cookies_made++ % COOKIES] = (struct cookie){iss, syn->seq, w->now, mss, port};
}

/* The cookie that this ACK brings back, made no more than so many microseconds ago; NULL if there is none. */
static const struct cookie *cookie_of(const struct world *w, uint8_t port, const struct vtcp_segment *ack, uint64_t age)
{
  for (unsigned i = 0; i < w->cookies_made && i < COOKIES; i++) {
    const struct cookie *c = &w->cookies[i];
    if (c->port == port && c->iss == ack->ack - 1 && c->irs == ack->seq - 1 && w->now - c->made <= age)
      return c;
  }
  return NULL;
}

/* An ACK that belongs to no connection. */
static bool completes_cookie(struct world *w, struct socket *s, uint8_t port, const struct vtcp_segment *ack,
                             const uint8_t *text)
{
  uint8_t name[NAME];
  uint16_t mss = 0;
  struct vtcp_event syn;

  name_of(port, name);
  bool accepted = vtcp_cookie_check(w->cookie_key, name, NAME, ack, w->now, &mss);
  bool is_ack = ack->has_ack && !ack->syn && !ack->rst;
  HOLDS("cookie", accepted || !is_ack || cookie_of(w, port, ack, HOLDS_FOR) == NULL);
  if (!accepted)
    return false;
  const struct cookie *made = cookie_of(w, port, ack, HOLDS_AT_MOST);
  HOLDS("cookie", made != NULL ? mss <= made->mss : w->cookies_made > COOKIES);
  becomes_child(w, s, port);
  vtcp_cookie_syn(ack, mss, w->now, &syn);
  struct vtcp_actions sent_long_ago;
  lawful_step(&s->end, &syn, &sent_long_ago);
  HOLDS("cookie", s->end.conn.state == VTCP_SYN_RECEIVED && s->end.conn.iss == ack->ack - 1);
  (void)takes(w, SERVER, s, (struct vtcp_event){.type = VTCP_ARRIVES, .seg = *ack}, text);
  HOLDS("cookie", s->end.conn.state == VTCP_ESTABLISHED || (ack->fin && s->end.conn.state == VTCP_CLOSE_WAIT));
  return true;
}

static void arrives_at_listener(struct world *w, struct socket *s, uint8_t port, const struct vtcp_segment *seg,
                                const uint8_t *text)
{
  struct vtcp_event e = {.now = w->now, .iss = isn_of(w, SERVER, port), .type = VTCP_ARRIVES, .seg = *seg};
  struct vtcp_actions a;

  if (completes_cookie(w, s, port, seg, text))
    return;
  const char *law = step_by_law(&w->listener, &e, &a);
  HOLDS(law == NULL ? "" : law, law == NULL && w->listener.state == VTCP_LISTEN);
  if (a.send)
    put_on_wire(w, SERVER, port, &a.seg, NULL);
  if (!a.spawn)
    return;
  if (w->is_full) {
    answers_with_cookie(w, port, seg);
    return;
  }
  becomes_child(w, s, port);
  (void)takes(w, SERVER, s, e, text);
  HOLDS("child", s->end.conn.state == VTCP_SYN_RECEIVED);
}

static void arrives(struct world *w, const struct packet *p, bool damaged)
{
  struct vtcp_segment seg;
  uint32_t text = 0;
  bool is_right = vtcp_checksum(pseudo_of(p->length), p->octets, p->length) == 0;

  HOLDS("wire", is_right != damaged);
  if (damaged)
    return;
  HOLDS("wire", vtcp_parse(p->octets, p->length, &seg, &text) == VTCP_WIRE_OK);
  struct socket *s = &w->socket[p->to][p->port];
  uint8_t *own = malloc(seg.len > 0 ? seg.len : 1); /* in a block of its own */
  HOLDS("memory", own != NULL);
  memcpy(own, p->octets + text, seg.len);
  if (p->to == SERVER && s->end.conn.state == VTCP_CLOSED)
    arrives_at_listener(w, s, p->port, &seg, own);
  else
    (void)takes(w, p->to, s, (struct vtcp_event){.type = VTCP_ARRIVES, .seg = seg}, own);
  free(own);
}

/* --- Users --- */

static void writes(struct world *w, unsigned side, struct socket *s, uint32_t some)
{
  const struct vtcp_conn *c = &s->end.conn;
  uint32_t room = vtcp_send_room(c);

  if (c->state <= VTCP_LISTEN)
    return;
  some = some < room ? some : room;
  for (uint32_t i = 0; i < some; i++)
    s->snd[c->snd_len + i] = octet_of(side, c->iss, s->end.put_in + i);
  call(w, side, s, VTCP_SEND, some);
}

static void opens(struct world *w, struct socket *s)
{
  if (s->end.conn.state != VTCP_CLOSED)
    return;
  struct vtcp_event e = {.type = VTCP_OPEN_ACTIVE, .iss = isn_of(w, CLIENT, s->port), .remote = true};
  (void)takes(w, CLIENT, s, e, NULL);
}

static void sets_nagle(struct world *w, unsigned side, struct socket *s, bool nagle)
{
  vtcp_set_nagle(&s->end.conn, nagle);
  if (s->end.conn.state != VTCP_CLOSED)
    call(w, side, s, VTCP_MORE, 0);
}

/* --- Time --- */

/* Every timeout that is due, the earliest first; `until`: of the clock. */
static bool one_expires(struct world *w, uint64_t until)
{
  unsigned which = 0;
  uint64_t first = NEVER;

  for (unsigned i = 0; i < 2 * SOCKETS; i++) {
    uint64_t deadline = vtcp_deadline(&w->socket[i / SOCKETS][i % SOCKETS].end.conn);
    which = deadline < first ? i : which;
    first = deadline < first ? deadline : first;
  }
  if (first == NEVER || first > until)
    return false;
  struct socket *s = &w->socket[which / SOCKETS][which % SOCKETS];
  w->now = first > w->now ? first : w->now;
  call(w, which / SOCKETS, s, VTCP_TIMEOUT, 0);
  HOLDS("deadline", vtcp_deadline(&s->end.conn) > w->now);
  return true;
}

static void time_passes(struct world *w, uint64_t until)
{
  for (unsigned i = 0; one_expires(w, until); i++)
    HOLDS("deadline", i < 10000);
  w->now = until;
}

/* --- What happens --- */

static struct packet taken_off(struct world *w, unsigned which)
{
  struct packet p = w->wire[which];

  w->packets--;
  memmove(w->wire + which, w->wire + which + 1, (w->packets - which) * sizeof *w->wire);
  return p;
}

static void is_damaged(struct input *in, struct packet *p)
{
  unsigned bit = next16(in) % (p->length * 8);

  p->octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* A router, or a receiver, sends back what it could not use. */
static void is_sent_back(struct world *w, const struct packet *p, uint8_t kind)
{
  unsigned sender = !p->to;
  struct vtcp_event e = {.type = VTCP_ICMP, .icmp = kind % 4, .len = p->length - 1};
  struct vtcp_segment seg;
  uint32_t text;

  HOLDS("wire", vtcp_parse(p->octets, p->length, &seg, &text) == VTCP_WIRE_OK);
  e.seg.seq = seg.seq;
  (void)takes(w, sender, &w->socket[sender][p->port], e, NULL);
}

/* What belongs to one connection comes to a port where there is none. */
static void is_misled(struct world *w, struct packet *p, uint8_t port)
{
  p->port = port % SOCKETS;
  if (p->to == SERVER && p->length == 20 && w->socket[SERVER][p->port].end.conn.state == VTCP_CLOSED)
    arrives(w, p, false);
}

static void wire_acts(struct input *in, struct world *w, unsigned how, unsigned which)
{
  uint8_t kind;

  if (w->packets == 0)
    return;
  struct packet p = how == 2 ? w->wire[which % w->packets] : taken_off(w, which % w->packets);
  switch (how) {
  case 3: break; /* lost */
  case 4:
    is_damaged(in, &p);
    arrives(w, &p, true);
    break;
  case 5:
    kind = next(in);
    kind & 4 ? is_misled(w, &p, kind >> 3) : is_sent_back(w, &p, kind);
    break;
  default: arrives(w, &p, false); break;
  }
}

/* The high half of an octet says what happens, the low half to which socket or packet. */
static void one_move(struct input *in, struct world *w)
{
  static const uint64_t steps[] = {1, 200000, 1000000, 3000000, 60000000, 130000000, 210000000, UINT64_C(7200000000)};
  uint8_t head = next(in);
  unsigned side = head & 1, which = (head >> 1 & 7) % SOCKETS;
  struct socket *s = &w->socket[side][which];

  time_passes(w, w->now + MOVE_TAKES);
  switch (head >> 4) {
  case 6: opens(w, &w->socket[CLIENT][which]); break;
  case 7: writes(w, side, s, next(in)); break;
  case 8: call(w, side, s, VTCP_RECEIVE, next(in)); break;
  case 9: call(w, side, s, VTCP_CLOSE, 0); break;
  case 10: call(w, side, s, next(in) & 1 ? VTCP_ABORT : VTCP_STATUS, 0); break;
  case 11: time_passes(w, w->now + steps[head & 7]); break;
  case 12: (void)one_expires(w, NEVER - 1); break;
  case 13: w->is_full = head & 1; break;
  case 14: sets_nagle(w, side, s, head & 8); break;
  case 15: /* all that is on its way */
    for (unsigned n = w->packets; n > 0 && w->packets > 0; n--)
      wire_acts(in, w, 0, 0);
    break;
  default: wire_acts(in, w, head >> 4, head & 15); break;
  }
}

static struct vtcp_config choose_buffers(struct input *in)
{
  static const uint16_t buffers[] = {600, 1, 7, 100, 400, ROOM};
  static const uint16_t sizes[] = {100, 1, 9, 536, 1460};
  struct vtcp_config cfg = vtcp_config_default();
  uint8_t what = next(in), flags = next(in);

  cfg.rcv_buf = buffers[(what & 15) % 6];
  cfg.snd_buf = buffers[(what >> 4) % 6];
  cfg.rcv_mss = sizes[(flags & 7) % 5];
  cfg.mms_s = flags & 8 ? 21 : flags & 16 ? 60 : 1480;
  cfg.keep_alive = flags & 32;
  cfg.rfc1337 = flags & 64;
  cfg.msl_ms = flags & 128 ? 1000 : 60000;
  HOLDS("config", vtcp_config_check(&cfg) == VTCP_CONFIG_OK);
  return cfg;
}

static void begins(struct world *w, struct input *in)
{
  struct vtcp_config client = choose_buffers(in), server = choose_buffers(in);
  struct vtcp_actions a;

  for (unsigned i = 0; i < 16; i++) {
    w->key[CLIENT][i] = next(in);
    w->key[SERVER][i] = (uint8_t)(w->key[CLIENT][i] + 1);
    w->cookie_key[i] = (uint8_t)(w->key[CLIENT][i] ^ 0x80);
  }
  w->now = (uint64_t)next16(in) << 24;
  for (uint8_t i = 0; i < SOCKETS; i++) {
    HOLDS("config", vtcp_init(&w->socket[CLIENT][i].end.conn, &client) == VTCP_CONFIG_OK);
    HOLDS("config", vtcp_init(&w->socket[SERVER][i].end.conn, &server) == VTCP_CONFIG_OK);
    w->socket[CLIENT][i].port = w->socket[SERVER][i].port = i;
  }
  server.listener = true;
  HOLDS("config", vtcp_init(&w->listener, &server) == VTCP_CONFIG_OK);
  HOLDS("listen",
        step_by_law(&w->listener, &(struct vtcp_event){.now = w->now, .type = VTCP_OPEN_PASSIVE}, &a) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct input in = {data, 0, size < LONGEST ? size : LONGEST};
  static struct world w;

  memset(&w, 0, sizeof w);
  begins(&w, &in);
  while (in.at < in.size)
    one_move(&in, &w);
  return 0;
}
