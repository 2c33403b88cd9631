/* Somebody off the path, who sees nothing and guesses well: for each field the numbers at the edges of what RFC 5961 tells
 * apart. Only what is synchronized is attacked: what opens is the handshake's matter. SPDX-License-Identifier: MIT */
#include "explore.h"

/* A sequence number counted from RCV.NXT, with the window between, and an acknowledgment. */
enum place { AT_NEXT, INSIDE, LAST_INSIDE, RIGHT_EDGE, LEFT_EDGE };
enum answer { NO_ACK, ACK_UNSENT, ACK_TOO_OLD };

static const struct forgery {
  enum attack kind;
  enum place place;
  enum answer answer;
  bool rst, syn, fin;
  uint16_t len;
} forgeries[] = {
    {.kind = ATTACK_RESET, .place = INSIDE, .rst = true},
    {.kind = ATTACK_RESET, .place = LAST_INSIDE, .rst = true},
    {.kind = ATTACK_RESET, .place = RIGHT_EDGE, .rst = true},
    {.kind = ATTACK_RESET, .place = LEFT_EDGE, .rst = true},
    {.kind = ATTACK_SYN, .place = AT_NEXT, .syn = true},
    {.kind = ATTACK_SYN, .place = INSIDE, .syn = true},
    {.kind = ATTACK_SYN, .place = RIGHT_EDGE, .syn = true},
    {.kind = ATTACK_SYN, .place = AT_NEXT, .syn = true, .answer = ACK_UNSENT},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = ACK_UNSENT, .len = 1},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = ACK_TOO_OLD, .len = 1},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = NO_ACK, .len = 1},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = ACK_UNSENT, .fin = true},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = ACK_TOO_OLD, .fin = true},
    {.kind = ATTACK_TEXT, .place = AT_NEXT, .answer = ACK_UNSENT},
    {.kind = ATTACK_TEXT, .place = RIGHT_EDGE, .answer = ACK_UNSENT, .len = 1},
    {.kind = ATTACK_EXACT, .place = AT_NEXT, .rst = true},
};

enum { FORGERIES = sizeof forgeries / sizeof *forgeries };

uint32_t attack_count(const struct world *world, const struct state *state, uint8_t end)
{
  bool any = world->attack[ATTACK_RESET] || world->attack[ATTACK_SYN] || world->attack[ATTACK_TEXT]
             || world->attack[ATTACK_EXACT];
  if (!any || state->conn[end].state < VTCP_ESTABLISHED)
    return 0;
  return world->attacks == ANY || state->attacks < world->attacks ? FORGERIES : 0;
}

static uint32_t place_of(const struct vtcp_conn *c, enum place place)
{
  switch (place) {
  case AT_NEXT: return 0;
  case INSIDE: return 1;
  case LAST_INSIDE: return c->rcv_wnd > 0 ? c->rcv_wnd - 1 : UINT32_MAX;
  case RIGHT_EDGE: return c->rcv_wnd;
  case LEFT_EDGE: return UINT32_MAX;
  }
  return 0;
}

/* Forged segment number `at`; its kind is ATTACKS if this world or this moment has none of that number. */
enum attack forge(const struct world *world, const struct state *state, uint8_t end, uint32_t at, struct flying *out)
{
  const struct forgery *f = &forgeries[at];
  const struct vtcp_conn *c = &state->conn[end];
  uint32_t place = place_of(c, f->place);
  bool inside = f->place == INSIDE || f->place == LAST_INSIDE;
  if (!world->attack[f->kind] || (inside && (place == 0 || place >= c->rcv_wnd)))
    return ATTACKS;
  if (f->kind == ATTACK_RESET && place == 0)
    return ATTACKS; /* that would be the exact number */
  *out = (struct flying){.to = end, .birth = FORGED};
  out->seg.seq = c->rcv_nxt + place;
  out->seg.rst = f->rst;
  out->seg.syn = f->syn;
  out->seg.fin = f->fin;
  out->seg.len = f->len;
  out->seg.wnd = world->buffer;
  out->seg.has_ack = f->answer != NO_ACK;
  if (f->answer == ACK_UNSENT)
    out->seg.ack = c->snd_nxt + 1;
  else if (f->answer == ACK_TOO_OLD)
    out->seg.ack = c->snd_una - (c->max_snd_wnd < c->acked ? c->max_snd_wnd : c->acked) - 1;
  return f->kind;
}
