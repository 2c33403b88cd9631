/* Resets: their form (RFC 9293, 3.5.2 and 3.10.7.1), and that none answers another. SPDX-License-Identifier: MIT */
#include "work.h"

enum { LOOK_BACK = 256 };

static uint32_t length_of(const struct vtcp_segment *seg)
{
  return (uint32_t)seg->len + seg->syn + seg->fin;
}

/* <SEQ=SEG.ACK><CTL=RST>, or <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> when the offending segment has no ACK. */
static bool answers(const struct vtcp_segment *reset, const struct vtcp_segment *seg)
{
  if (seg->has_ack)
    return reset->seq == seg->ack;
  return reset->has_ack && reset->ack == seg->seq + (seg->rst ? 0 : length_of(seg)) && reset->seq == 0;
}

/* The segment that the reset answers. A SYN without ACK that its receiver went on to speak with is not one. */
static uint32_t offending(const struct connection *conn, uint32_t index, bool resets)
{
  const struct packet *p = &conn->packets[index];
  bool spoke = false;
  for (uint32_t i = index; i-- > 0 && index - i < LOOK_BACK;) {
    const struct packet *q = &conn->packets[i];
    if (q->from == p->from) {
      spoke = spoke || !q->seg.rst;
      continue;
    }
    if (q->seg.rst == resets && answers(&p->seg, &q->seg) && (q->seg.has_ack || resets || !spoke))
      return i;
  }
  return NOWHERE;
}

static const struct packet *last_of_peer(const struct connection *conn, uint32_t index)
{
  const struct packet *p = &conn->packets[index];
  for (uint32_t i = index; i-- > 0 && index - i < LOOK_BACK;)
    if (conn->packets[i].from != p->from)
      return &conn->packets[i];
  return NULL;
}

/* The answer to a SYN where there is no connection. */
static void judge_refusal(struct connection *conn, uint32_t index, const struct packet *syn)
{
  const struct vtcp_segment *seg = &conn->packets[index].seg;
  uint32_t off = seg->ack - syn->seg.seq - length_of(&syn->seg);
  bool far = seg->has_ack && off + FAR > 2 * FAR;
  if (seg->seq != 0 && (!seg->has_ack || off != 0))
    return; /* it may end a connection of which only the SYN was captured */
  if (far)
    return; /* and this one may answer another SYN */
  if (!seg->has_ack)
    finding(conn, index, VIOLATION, "3.10.7.1", "3.10.7.1", "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>",
            "a reset without ACK in answer to the SYN #%llu, whose sender has to ignore it",
            (unsigned long long)syn->number);
  else if (seg->ack != syn->seg.seq + length_of(&syn->seg))
    finding(conn, index, VIOLATION, "3.10.7.1", "3.10.7.1", "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>",
            "a reset that acknowledges %u in answer to the SYN #%llu; SEG.SEQ+SEG.LEN is %u", seg->ack,
            (unsigned long long)syn->number, syn->seg.seq + length_of(&syn->seg));
  else
    finding(conn, index, ADVICE, "3.10.7.1", "3.10.7.1", "<SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>",
            "sequence number %u in a reset that answers the SYN #%llu", seg->seq, (unsigned long long)syn->number);
}

void judge_reset(struct connection *conn, uint32_t index, int64_t sent_max)
{
  struct packet *p = &conn->packets[index];
  if ((p->marks & MARK_ANSWER) != 0)
    return;
  if ((p->marks & MARK_IGNORED) != 0) {
    finding(conn, index, ADVICE, "3.5.3", "3.5.3", "the end of the connection",
            "a reset with the right number, but both sides go on: lost, or sent by another in its sender's name");
    return;
  }
  uint32_t cause = offending(conn, index, false);
  if (cause != NOWHERE) {
    p->cause = cause;
    if (!p->seg.has_ack)
      p->marks |= MARK_ANSWER;
    if (!p->seg.has_ack && index > 0 && conn->packets[index - 1].state[p->from] == VTCP_ESTABLISHED)
      p->marks |= MARK_RESTART;
    return;
  }
  if (conn->side[p->from].isn_known || sent_max > 0)
    if ((p->marks & MARK_FOREIGN) == 0 && p->start >= 0 && p->start <= sent_max)
      return;
  const struct packet *last = last_of_peer(conn, index);
  if (last == NULL)
    return;
  uint32_t reset = offending(conn, index, true);
  if (reset != NOWHERE && last->seg.rst) {
    bool closed =
        p->seg.seq == 0 && p->seg.has_ack; /* in this form only CLOSED answers; other resets may have crossed */
    finding(conn, index, closed && !conn->gap_seen ? VIOLATION : ADVICE, "3.10.7.1", "3.10.7.1",
            "silence: a reset is never answered by a reset", "a reset in answer to the reset #%llu",
            (unsigned long long)conn->packets[reset].number);
    return;
  }
  if (last->seg.syn && !last->seg.has_ack && !last->seg.rst) {
    judge_refusal(conn, index, last);
    return;
  }
  bool just_ahead = (p->marks & MARK_FOREIGN) == 0 && p->start > sent_max && p->start - sent_max < 65536;
  if (!conn->side[p->from].isn_known || conn->gap_seen || (just_ahead && !goes_on(conn, index, p->from)))
    return; /* text before it may not have been captured */
  finding(conn, index, ADVICE, "3.5.3", "3.5.3", "<SEQ=SND.NXT>: only that resets the peer (RFC 5961)",
          "a reset at %lld, but its side has sent up to %lld: not its own, or not acceptable", (long long)p->start,
          (long long)sent_max);
}
