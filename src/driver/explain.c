/* For a student: what the segments of the handshake and of the close do, said once. SPDX-License-Identifier: MIT */
#include "driver.h"

enum topic {
  TOPIC_SYN = 1 << 0,
  TOPIC_SYN_ACK = 1 << 1,
  TOPIC_ESTABLISHED = 1 << 2,
  TOPIC_FIN = 1 << 3,
  TOPIC_HALF_CLOSED = 1 << 4,
  TOPIC_SECOND_FIN = 1 << 5,
  TOPIC_LAST_ACK = 1 << 6,
  TOPIC_TIME_WAIT = 1 << 7,
  TOPIC_CROSSING_SYNS = 1 << 8,
  TOPIC_CROSSING_FINS = 1 << 9,
  TOPIC_RESET = 1 << 10,
  TOPIC_REFUSED = 1 << 11,
  TOPIC_FIN_WITH_ACK = 1 << 12
};

struct lesson {
  uint32_t topic;
  const char *text;
};

static const struct lesson lessons[] = {
    {TOPIC_SYN,
     "Handshake, 1 of 3. SYN: \"my octets are numbered from here\". The number is new for every connection, so that "
     "segments of an older one are not mistaken for this one's. The SYN itself takes one number, so that it can be "
     "acknowledged, and sent again if it is lost. [RFC 9293, 3.4.1, 3.5]"},
    {TOPIC_SYN_ACK,
     "Handshake, 2 of 3. SYN,ACK: the ACK says \"I have your number\" (it names the next octet expected: SYN + 1), "
     "the SYN gives the other side's own number. Each side's SYN needs an ACK, four messages in all; the middle "
     "two travel together, and so three segments do it. [3.5]"},
    {TOPIC_ESTABLISHED,
     "Handshake, 3 of 3. ACK of the second SYN. Not until now does the passive side know that its peer is there "
     "and meant to open: an old duplicate SYN would have been answered with a reset here. Therefore two "
     "segments are not enough. [3.5, figure 8]"},
    {TOPIC_CROSSING_SYNS,
     "Both sides opened at once: each SYN arrives where a SYN was sent, not at a listener. Each is acknowledged, "
     "and one connection results, not two. [3.5, figure 7; MUST-10]"},
    {TOPIC_FIN,
     "Close, 1 of 4. FIN: \"I have nothing more to send\". It takes the number after the last octet, so it is "
     "acknowledged like text, and cannot overtake it. It closes one direction only: its sender goes on receiving. "
     "[3.6]"},
    {TOPIC_HALF_CLOSED,
     "Close, 2 of 4. The ACK of that FIN. The connection is half closed: the other direction stays open for as long "
     "as that side has something to send. [3.6, 3.6.1]"},
    {TOPIC_SECOND_FIN,
     "Close, 3 of 4. The other direction's FIN. There are two directions, each closes with a FIN and an ACK of its "
     "own: four segments. [3.6]"},
    {TOPIC_FIN_WITH_ACK,
     "Close, 2 and 3 of 4, in one segment: the ACK of the first FIN, and the other direction's own FIN. The side "
     "that received the first FIN had nothing left to send; otherwise these are two segments, with text "
     "between them. [3.6]"},
    {TOPIC_CROSSING_FINS,
     "Both sides closed at once: each FIN was sent before the other's had arrived. Each has to be acknowledged "
     "still. [3.6, figure 13]"},
    {TOPIC_LAST_ACK,
     "Close, 4 of 4. The ACK of the second FIN. Who receives it is done; who sends it cannot know whether it "
     "arrived. [3.6]"},
    {TOPIC_TIME_WAIT,
     "TIME-WAIT, on the side that closed first, lasts twice the maximum segment lifetime: if the last ACK is lost, "
     "the FIN comes again and someone must answer it; and old segments of this connection die out before the "
     "same pair of sockets is used anew. [3.6.1, MUST-13]"},
    {TOPIC_REFUSED,
     "Nobody listens there: the reset acknowledges the SYN, so its receiver can tell that it is meant. [3.10.7.1]"},
    {TOPIC_RESET, "RST: the connection is gone at once, in both directions; text on its way is lost. A reset is "
                  "neither acknowledged "
                  "nor answered. [3.5.2, 3.5.3]"},
};

static uint8_t before(const struct connection *conn, uint32_t index, uint8_t side)
{
  return index == 0 ? (uint8_t)NO_STATE : conn->packets[index - 1].state[side];
}

static bool moved(const struct connection *conn, uint32_t index, uint8_t side, uint8_t from, uint8_t to)
{
  return before(conn, index, side) == from && conn->packets[index].state[side] == to;
}

static bool other_closed(const struct connection *conn, uint32_t index)
{
  for (uint32_t i = 0; i < index; i++)
    if (conn->packets[i].from != conn->packets[index].from && conn->packets[i].seg.fin)
      return true;
  return false;
}

static uint32_t topics_of_states(const struct connection *conn, uint32_t index)
{
  uint32_t topics = 0;
  for (uint8_t side = 0; side < 2; side++) {
    const uint8_t state = conn->packets[index].state[side], was = before(conn, index, side);
    if (moved(conn, index, side, VTCP_SYN_RECEIVED, VTCP_ESTABLISHED) && side == 1)
      topics |= TOPIC_ESTABLISHED;
    if (moved(conn, index, side, VTCP_SYN_SENT, VTCP_SYN_RECEIVED))
      topics |= TOPIC_CROSSING_SYNS;
    if (moved(conn, index, side, VTCP_FIN_WAIT_1, VTCP_FIN_WAIT_2))
      topics |= TOPIC_HALF_CLOSED;
    if (moved(conn, index, side, VTCP_FIN_WAIT_1, VTCP_CLOSING))
      topics |= TOPIC_CROSSING_FINS;
    if (moved(conn, index, side, VTCP_LAST_ACK, VTCP_CLOSED))
      topics |= TOPIC_LAST_ACK;
    bool leaves = conn->packets[index].from == side || index + 1 == conn->count;
    if (state == VTCP_TIME_WAIT && leaves)
      topics |= TOPIC_TIME_WAIT;
    if (was == VTCP_FIN_WAIT_1 && state == VTCP_TIME_WAIT)
      topics |= TOPIC_FIN_WITH_ACK;
  }
  return topics;
}

static uint32_t topics_of(const struct connection *conn, uint32_t index)
{
  const struct packet *p = &conn->packets[index];
  uint32_t topics = 0;
  if ((p->marks & (MARK_DUPLICATE | MARK_FOREIGN)) == 0 && !p->seg.rst) {
    if (p->seg.syn)
      topics |= p->seg.has_ack ? TOPIC_SYN_ACK : TOPIC_SYN;
    if (p->seg.fin)
      topics |= other_closed(conn, index) ? TOPIC_SECOND_FIN : TOPIC_FIN;
  }
  topics |= topics_of_states(conn, index);
  if ((topics & TOPIC_FIN_WITH_ACK) != 0)
    topics &= ~(uint32_t)TOPIC_SECOND_FIN;
  if ((topics & TOPIC_CROSSING_SYNS) != 0)
    topics &= ~(uint32_t)TOPIC_SYN_ACK;
  if (p->seg.rst && before(conn, index, 0) == VTCP_SYN_SENT)
    return TOPIC_REFUSED;
  if (p->seg.rst && (p->marks & MARK_IGNORED) == 0)
    return TOPIC_RESET;
  return topics;
}

uint32_t explanations(const struct connection *conn, uint32_t index, uint32_t *said, const char *lines[EXPLANATIONS])
{
  uint32_t fresh = topics_of(conn, index) & ~*said, count = 0;
  for (size_t i = 0; i < sizeof lessons / sizeof *lessons && count < EXPLANATIONS; i++)
    if ((fresh & lessons[i].topic) != 0)
      lines[count++] = lessons[i].text;
  *said |= fresh;
  return count;
}
