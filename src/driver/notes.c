/* What the reader must know about what the capture lacks. SPDX-License-Identifier: MIT */
#include "driver.h"

static bool has_mark(const struct connection *conn, uint32_t mark)
{
  return (conn->marks & mark) != 0;
}

static bool is_over(uint8_t state)
{
  return state == VTCP_CLOSED || state == VTCP_TIME_WAIT || state == VTCP_LISTEN || state == NO_STATE;
}

static void note_begin(struct connection *conn)
{
  if (conn->begins == BEGINS_WITH_SYN)
    return;
  if (conn->begins == BEGINS_WITH_SYN_ACK)
    note(conn, "begins with the SYN,ACK: the SYN was not captured");
  else if (conn->begins == BEGINS_WITH_RESET)
    note(conn, "begins with a reset: what it answers was not captured");
  else
    note(conn, "begins in the middle: the handshake was not captured; sequence numbers count from the first ones seen");
}

static void note_silence(struct connection *conn)
{
  for (int side = 0; side < 2; side++) {
    char name[64];
    if (conn->side[side].present)
      continue;
    endpoint_text(&conn->side[side].endpoint, name, sizeof name);
    if (conn->side[0].acknowledges || conn->side[1].acknowledges)
      note(conn, "one direction is missing: nothing that %s sent was captured; states are what the other side proves",
           name);
    else if (conn->side[!side].last_speech != NOWHERE || conn->syn_first)
      note(conn, "%s never answers, or its answers were not captured; its state is unknown", name);
  }
}

static void note_end(struct connection *conn)
{
  if (is_over(conn->final[0]) && is_over(conn->final[1]))
    return;
  if (conn->has_reset || !conn->side[0].present || !conn->side[1].present)
    return;
  note(conn, "cut off: the capture ends before the connection does");
}

static void note_sums(struct connection *conn)
{
  for (int side = 0; side < 2; side++) {
    const struct stream *own = &conn->side[side];
    const char *name = side == 0 ? "left" : "right";
    if (own->partial_sums > 0)
      note(conn, "%s: checksum not filled in on %u of %u segments (offload)", name, own->partial_sums, own->segments);
    if (own->wrong_sums > 0 && own->right_sums <= own->wrong_sums + own->partial_sums)
      note(conn, "%s: checksum wrong on %u of %u segments; taken for the work of the interface (offload)", name,
           own->wrong_sums, own->segments);
  }
}

void notes(struct connection *conn)
{
  note_begin(conn);
  note_silence(conn);
  if (conn->unscaled_middle && conn->side[0].present && conn->side[1].present && conn->has_text)
    note(conn, "windows are shown unscaled and not judged: the window scale options were not captured");
  bool both = conn->side[0].present && conn->side[1].present;
  if (both && (conn->gap_seen || has_mark(conn, MARK_UNSEEN)))
    note(conn, "the capture lacks segments of this connection");
  if (has_mark(conn, MARK_DUPLICATE))
    note(conn, "some packets are in the capture twice; the second is not judged");
  if (conn->any_cut)
    note(conn, "truncated by snaplen: options were not captured whole");
  if (conn->text_cut)
    note(conn, "truncated by snaplen: of text only what was captured was compared");
  else if (conn->text_dropped)
    note(conn, "text that was sent again was not captured or not kept: not compared");
  if (conn->findings_dropped > 0)
    note(conn, "%u more findings of the same kinds were dropped", conn->findings_dropped);
  if (conn->given_up)
    note(conn, "so much is missing that the states could not be followed");
  note_sums(conn);
  note_end(conn);
}
