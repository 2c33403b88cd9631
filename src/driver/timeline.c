/* When each segment reached its receiver, read from what the receiver sent afterwards: every segment carries RCV.NXT
 * (RFC 9293, 3.10.7.4), so one that acknowledges less than the end of an earlier segment was sent before that segment
 * had arrived. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "work.h"

#include <stdlib.h>

/* What one side sent, in the capture's order. */
struct voice {
  uint32_t *at;     /* indices of its packets */
  int64_t *covered; /* the highest acknowledgment up to each, never falling */
  uint32_t count;
  uint32_t last_syn, last_fin; /* its last SYN and its last FIN, NOWHERE: none */
  int64_t fin_end;
  bool more; /* it may say more than is known */
};

static bool counts(const struct packet *p)
{
  return (p->marks & (MARK_FOREIGN | MARK_DUPLICATE)) == 0;
}

/* A reset answers for all that its sender had been sent. */
static int64_t covers(const struct packet *p, int64_t peer_sent)
{
  if (p->seg.rst)
    return peer_sent;
  return p->seg.has_ack ? p->ack : -1;
}

static bool listen_to(const struct connection *conn, struct voice voice[2], bool more)
{
  const struct work *work = conn->work;
  int64_t sent[2] = {work->said[0].sent, work->said[1].sent};
  uint32_t room = work->placed - work->base + 1;
  for (int side = 0; side < 2; side++) {
    voice[side] = (struct voice){.last_syn = NOWHERE, .last_fin = NOWHERE, .fin_end = -1, .more = more};
    voice[side].at = malloc(room * sizeof *voice[side].at);
    voice[side].covered = malloc(room * sizeof *voice[side].covered);
    if (voice[side].at == NULL || voice[side].covered == NULL)
      return false;
  }
  for (uint32_t i = work->base; i < work->placed; i++) {
    const struct packet *p = &conn->packets[i];
    if (!counts(p))
      continue;
    struct voice *mine = &voice[p->from];
    if (p->end > sent[p->from])
      sent[p->from] = p->end;
    int64_t before = mine->count > 0 ? mine->covered[mine->count - 1] : work->said[p->from].covered,
            now = covers(p, sent[!p->from]);
    mine->at[mine->count] = i;
    mine->covered[mine->count++] = now > before ? now : before;
    if (p->seg.syn && !p->seg.rst)
      mine->last_syn = i;
    if (p->seg.fin && !p->seg.rst)
      mine->last_fin = i, mine->fin_end = p->end;
  }
  return true;
}

/* The first entry of `voice` that covers `end`. */
static uint32_t first_cover(const struct voice *voice, int64_t end)
{
  uint32_t low = 0, high = voice->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (voice->covered[middle] >= end)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* The first entry of `voice` after the packet. */
static uint32_t first_after(const struct voice *voice, uint32_t index)
{
  uint32_t low = 0, high = voice->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (voice->at[middle] > index)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* Whether the peer says, before it acknowledges the segment or shortly after, that it has it: out of order, or twice
 * (RFC 2018; RFC 2883). */
static bool sacked(const struct connection *conn, const struct packet *p, const struct voice *peer, uint32_t from,
                   uint32_t cover)
{
  for (uint32_t k = from, looked = 0; k < peer->count && k <= cover + 2 && looked < 256; k++, looked++) {
    const struct vtcp_segment *seg = &conn->packets[peer->at[k]].seg;
    for (uint32_t b = 0; b < seg->sack_count && b < 4; b++) {
      uint32_t from_left = p->seg.seq - seg->sack[b].left, span = seg->sack[b].right - seg->sack[b].left;
      if (span < 0x80000000u && from_left < span)
        return true;
    }
  }
  return false;
}

static void never(struct packet *p, uint32_t mark)
{
  p->arrives = NOWHERE;
  p->marks |= mark;
}

/* A SYN is sent again by its timer, never sooner than this, or at once because the peer's SYN came again. */
static bool is_echo(const struct connection *conn, const struct packet *p, bool covered)
{
  return covered && p->seg.syn && conn->packets[p->resent].us < p->us + 100000;
}

/* A SYN,ACK that was still on its way when the peer sent its SYN again. */
static void place_syn_ack(struct packet *p, uint32_t index, const struct voice *peer)
{
  if (!p->seg.syn || !p->seg.has_ack || p->arrives == NOWHERE || p->ack < 1)
    return;
  if (peer->last_syn == NOWHERE || peer->last_syn <= index || peer->last_syn <= p->arrives)
    return;
  p->arrives = peer->last_syn;
  p->marks |= MARK_LATE;
}

/* For a segment that occupies sequence space. */
static void place_text(struct connection *conn, uint32_t index, const struct voice *peer)
{
  struct packet *p = &conn->packets[index];
  uint32_t after = first_after(peer, index), cover = first_cover(peer, p->end);
  bool covered = cover < peer->count;
  uint32_t next = cover > after ? cover : after;
  uint32_t mark = (p->marks & MARK_PROBE) != 0 ? MARK_REFUSED : MARK_LOST;
  p->arrives = index;
  if (peer->count == 0)
    return;
  if (after == peer->count && !covered) {
    if (p->resent != NOWHERE || (p->marks & MARK_AGAIN) != 0)
      never(p, p->resent != NOWHERE ? mark : MARK_IN_FLIGHT);
    return;
  }
  bool resent_first = p->resent != NOWHERE && (!covered || p->resent < peer->at[next]) && !is_echo(conn, p, covered);
  if (resent_first && !(covered && sacked(conn, p, peer, after, next))) {
    never(p, mark);
    return;
  }
  if (!covered && peer->more && mark != MARK_REFUSED)
    return;
  if (!covered) {
    never(p, mark == MARK_REFUSED ? mark : MARK_IN_FLIGHT);
    return;
  }
  if (next > after && peer->at[next - 1] > index) {
    p->arrives = peer->at[next - 1];
    p->marks |= MARK_LATE;
  }
}

/* An acknowledgment of a SYN or FIN that its sender sends again had not arrived by then. */
static void place_ack(struct connection *conn, uint32_t index, const struct voice *peer)
{
  struct packet *p = &conn->packets[index];
  p->arrives = index;
  if (!p->seg.has_ack)
    return;
  bool of_fin = peer->last_fin != NOWHERE && peer->last_fin > index && p->ack >= peer->fin_end;
  bool of_syn = peer->last_syn != NOWHERE && peer->last_syn > index && p->ack >= 1;
  if (of_fin || of_syn)
    never(p, MARK_LOST);
}

static void place_consuming(struct connection *conn, uint32_t index, const struct voice *peer)
{
  place_text(conn, index, peer);
  place_syn_ack(&conn->packets[index], index, peer);
}

/* A reset that its receiver had to heed ends what that receiver sends; one that it had not to heed gets an answer at
 * once, or none. */
/* The peer let retransmissions or keep-alives go unanswered: it is not there to see the reset either. */
static bool has_fallen_silent(const struct connection *conn, uint32_t index)
{
  uint32_t unanswered = 0;
  for (uint32_t i = index; i-- > 0 && index - i < 64 && conn->packets[i].from == conn->packets[index].from;)
    unanswered += (conn->packets[i].marks & (MARK_AGAIN | MARK_KEEP_ALIVE | MARK_PROBE)) != 0;
  return unanswered >= 2;
}

static void place_reset(struct connection *conn, uint32_t index, const struct voice *peer)
{
  struct packet *p = &conn->packets[index];
  uint32_t before = first_after(peer, index);
  int64_t expected = before > 0 ? peer->covered[before - 1] : -1;
  p->arrives = index;
  if (has_fallen_silent(conn, index) && first_after(peer, index) == peer->count) {
    never(p, MARK_IN_FLIGHT);
    return;
  }
  if (!goes_on(conn, index, !p->from) || p->start != expected || expected < 0)
    return;
  if (goes_on(conn, index, p->from)) {
    never(p, MARK_IGNORED);
    return;
  }
  p->arrives = conn->side[!p->from].last_speech;
  p->marks |= MARK_LATE;
}

static void keep_in_order(struct packet *p, uint32_t *latest)
{
  if (p->arrives == NOWHERE)
    return;
  if (p->end == p->start && !p->seg.rst && p->arrives < *latest)
    p->arrives = *latest;
  else if (p->arrives > *latest)
    *latest = p->arrives;
}

static bool is_damaged(const struct connection *conn, const struct packet *p)
{
  const struct stream *side = &conn->side[p->from];
  return p->sum == SUM_WRONG && side->right_sums > side->wrong_sums + side->partial_sums;
}

static void place_packet(struct connection *conn, uint32_t index, const struct voice voice[2])
{
  struct packet *p = &conn->packets[index];
  const struct voice *peer = &voice[!p->from];
  if (!counts(p))
    p->arrives = (p->marks & MARK_DUPLICATE) != 0 ? NOWHERE : index;
  else if (p->seg.rst)
    place_reset(conn, index, peer);
  else if (p->end > p->start)
    place_consuming(conn, index, peer);
  else
    place_ack(conn, index, peer);
  if (!is_damaged(conn, p))
    return;
  p->marks |= MARK_DAMAGED;
  bool taken = p->end > p->start && p->arrives != NOWHERE && first_cover(peer, p->end) < peer->count;
  if (!taken)
    p->arrives = NOWHERE;
}

void timeline(struct connection *conn, uint32_t until, bool more)
{
  struct voice voice[2] = {{0}, {0}};
  struct work *work = conn->work;
  if (!listen_to(conn, voice, more))
    out_of_memory();
  for (uint32_t i = work->done; i < until; i++) {
    place_packet(conn, i, voice);
    keep_in_order(&conn->packets[i], &work->latest[conn->packets[i].from]);
  }
  for (int side = 0; side < 2; side++) {
    free(voice[side].at);
    free(voice[side].covered);
  }
}
