/* What must be so when nothing is left to happen; and all that can be wrong, in words. SPDX-License-Identifier: MIT */
#include "explore.h"

static bool has_finished(const struct world *world, const struct state *state, uint8_t end)
{
  const struct user *u = &state->user[end];
  if (u->call >= world->call_count[end] || state->conn[end].state == VTCP_LISTEN)
    return true;
  return world->calls[end][u->call].kind == CALL_OPEN && u->births >= world->iss_count[end];
}

static bool are_connected(const struct state *state, uint8_t end)
{
  const struct user *u = &state->user[end], *peer = &state->user[!end];
  return state->conn[!end].state >= VTCP_ESTABLISHED && u->partner[u->births] == peer->births
         && peer->partner[peer->births] == u->births;
}

/* Both users have done all they wanted; an end is closed, or listens, or is connected with the other; and all text came. */
enum violation at_rest(const struct world *world, const struct state *state, uint8_t *victim)
{
  if (state->cut || state->spent)
    return NO_VIOLATION;
  for (uint8_t e = 0; e < 2; e++) {
    *victim = e;
    if (!has_finished(world, state, e))
      return STUCK;
    if (state->conn[e].state <= VTCP_LISTEN)
      continue;
    if (state->conn[e].state < VTCP_ESTABLISHED)
      return STUCK;
    if (!are_connected(state, e))
      return HALF_OPEN;
    if (received(state, e) != state->user[!e].given[state->user[!e].births])
      return TEXT_MISSING;
  }
  return NO_VIOLATION;
}

/* --- In words --- */

static const struct {
  const char *text, *source;
} words[VIOLATIONS] = {
    [NO_VIOLATION] = {"nothing is wrong", ""},
    [BAD_RECORD] = {"its record breaks the invariant of every connection", "vtcp_wf"},
    [BAD_TEXT_SENT] = {"it sends text that its user did not give for that place of the stream", "RFC 9293, 3.7"},
    [BAD_STORE] = {"it stores text outside its receive buffer, or text that did not arrive", "RFC 9293, 3.10.7.4"},
    [BAD_TEXT] = {"it delivers an octet that its peer did not send at that place of this connection",
                  "RFC 9293, 3.4.1 and 3.4.2"},
    [OPENED_BY_NOBODY] = {"it is connected, and nobody is there who wanted this connection", "RFC 9293, 3.5"},
    [OPENED_ALONE] = {"it is connected, and its peer has never known its sequence number", "RFC 9293, 3.5"},
    [FIN_BEFORE_TEXT] = {"it is told that its peer has closed before all text is there", "RFC 9293, 3.10.7.4"},
    [CLOSED_BEFORE_TEXT] = {"its close is answered before its peer has all text", "RFC 9293, 3.6"},
    [SEND_REFUSED] = {"its user has text to send and has not closed, and must not send any more", "RFC 9293, 3.6"},
    [MANY_ANSWERS] = {"it answers one segment with more than one", "RFC 9293, 3.10.7.4"},
    [RESET_ANSWERED] = {"it answers a reset with a reset", "RFC 9293, 3.10.7.1"},
    [ATTACK_WORKED] = {"a forged segment changes its connection", "RFC 5961"},
    [RESET_IN_PEACE] = {"its connection is reset, though nobody aborted", "RFC 9293, 3.6"},
    [STUCK] = {"its user waits for ever, though the network is fair", "RFC 9293, 3.6 and 3.8"},
    [HALF_OPEN] = {"it stays connected with a peer that is not connected with it", "RFC 9293, 3.5"},
    [TEXT_MISSING] = {"text that was sent never arrives, though the network is fair", "RFC 9293, 3.8"},
    [ENDLESS] = {"the exchange goes on for ever without new text, though the network is fair", "RFC 9293, A.2"},
};

const char *violation_text(enum violation violation)
{
  return words[violation < VIOLATIONS ? violation : NO_VIOLATION].text;
}

const char *violation_source(enum violation violation)
{
  return words[violation < VIOLATIONS ? violation : NO_VIOLATION].source;
}
