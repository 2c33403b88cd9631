/* What a segment may be, given what its sender had received by then. A real endpoint is allowed its freedom: when it
 * acknowledges, how much it sends, how large its windows are, the order of options. The capture may lack segments and may
 * have them slightly out of order: in doubt there is no finding. SPDX-License-Identifier: MIT */
#include "work.h"

#include <string.h>

enum { LOOK_BACK = 512, LOOK_AHEAD = 256, SLIP_US = 10000, STALE_US = 600 * 1000000 };

static const struct packet *packet_at(const struct connection *conn, uint32_t index)
{
  return &conn->packets[index];
}

static bool is_aside(const struct packet *p)
{
  return (p->marks & (MARK_FOREIGN | MARK_DUPLICATE | MARK_DAMAGED)) != 0;
}

/* Whether what the peer sent afterwards shows that the octets acknowledged had not been sent: its next new segment, or its
 * next bare acknowledgment (at SND.NXT), begins before them. If it begins behind them, the capture lacks them. */
bool acks_unsent(const struct connection *conn, const struct packet *ack)
{
  uint32_t index = (uint32_t)(ack - conn->packets);
  for (uint32_t i = index + 1, looked = 0; i < conn->count && looked < LOOK_AHEAD; i++, looked++) {
    const struct packet *p = packet_at(conn, i);
    uint32_t skipped = MARK_AGAIN | MARK_KEEP_ALIVE | MARK_PROBE | MARK_FOREIGN | MARK_DUPLICATE;
    if (p->from == ack->from || p->seg.rst || (p->marks & skipped) != 0)
      continue;
    if (p->start >= ack->ack)
      return false;
    if (p->us >= ack->us + SLIP_US)
      return true;
    if (p->end >= ack->ack)
      return false; /* captured a little late */
  }
  return false;
}

static void judge_flags(struct connection *conn, uint32_t index)
{
  const struct vtcp_segment *seg = &packet_at(conn, index)->seg;
  if (!seg->has_ack && !seg->rst && !seg->syn)
    finding(conn, index, VIOLATION, "3.1", "3.1", "ACK on every segment after the first SYN", "no ACK flag");
  if (seg->syn && seg->rst)
    finding(conn, index, ADVICE, "3.5.2", "3.5.2", "a reset without SYN", "SYN and RST in one segment");
  if (seg->syn && seg->fin)
    finding(conn, index, ADVICE, "3.5", "3.5", "a SYN that opens, a FIN that closes", "SYN and FIN in one segment");
  if (packet_at(conn, index)->wire == VTCP_WIRE_BAD_OPTION)
    finding(conn, index, VIOLATION, "MUST-68", "3.1", "options whose lengths fit the header",
            "an option has an illegal length");
}

static void judge_handshake_options(struct connection *conn, uint32_t index)
{
  const struct vtcp_segment *seg = &packet_at(conn, index)->seg;
  const struct stream *opener = &conn->side[0];
  if (!seg->has_ack || !conn->syn_first || !opener->offer.whole || packet_at(conn, index)->from == 0)
    return;
  if (seg->has_wscale && !opener->offer.wscale)
    finding(conn, index, VIOLATION, "RFC7323-2.2", "RFC 7323 2.2", "window scale only in answer to window scale",
            "SYN,ACK with window scale, but the SYN (#%llu) has none", (unsigned long long)opener->offer.number);
  if (seg->has_ts && !opener->offer.ts)
    finding(conn, index, VIOLATION, "RFC7323-3.2", "RFC 7323 3.2", "timestamps only in answer to timestamps",
            "SYN,ACK with timestamps, but the SYN (#%llu) has none", (unsigned long long)opener->offer.number);
}

static void judge_options(struct connection *conn, uint32_t index)
{
  const struct packet *p = packet_at(conn, index);
  const struct vtcp_segment *seg = &p->seg;
  if (seg->syn) {
    judge_handshake_options(conn, index);
    return;
  }
  if (seg->has_mss)
    finding(conn, index, VIOLATION, "MUST-65", "3.2", "MSS only on a SYN", "MSS option without SYN");
  if (seg->has_wscale)
    finding(conn, index, VIOLATION, "RFC7323-2.2", "RFC 7323 2.2", "window scale only on a SYN",
            "window scale option without SYN");
  if (seg->sack_permitted)
    finding(conn, index, VIOLATION, "RFC2018-2", "RFC 2018 2", "SACK-permitted only on a SYN",
            "SACK-permitted option without SYN");
  if (p->cut || p->wire != VTCP_WIRE_OK || !conn->handshake_whole)
    return;
  bool probe = (p->marks & (MARK_KEEP_ALIVE | MARK_PROBE)) != 0; /* macOS leaves the option out there */
  if (conn->ts_negotiated && !seg->has_ts && !seg->rst)
    finding(conn, index, probe ? ADVICE : VIOLATION, "RFC7323-3.2", "RFC 7323 3.2",
            "timestamps on every segment once both SYNs had them", "no timestamps option");
  if (!conn->ts_negotiated && seg->has_ts && !seg->rst)
    finding(conn, index, ADVICE, "RFC7323-3.2", "RFC 7323 3.2", "timestamps only when both SYNs had them",
            "timestamps that were not negotiated");
  if (!conn->sack_negotiated && seg->sack_count > 0)
    finding(conn, index, VIOLATION, "RFC2018-2", "RFC 2018 2", "SACK only to a peer whose SYN permits it",
            "SACK blocks that were not negotiated");
}

static void judge_syn(struct connection *conn, uint32_t index, struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  if (!p->seg.syn || p->seg.rst || !p->seg.has_ack)
    return;
  if (!conn->side[!p->from].isn_known)
    return;
  other->misanswered = p->ack < 1 || p->ack > (other->sent > 1 ? other->sent : 1);
  if (other->misanswered)
    finding(conn, index, VIOLATION, "3.10.7.2", "3.10.7.2", "the peer's initial sequence number + 1",
            "SYN,ACK acknowledges %+lld relative to the peer's initial sequence number", (long long)p->ack);
}

static void judge_ack(struct connection *conn, uint32_t index, struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  if (!p->seg.has_ack || p->seg.rst || p->seg.syn)
    return;
  if ((p->marks & MARK_UNSEEN) != 0 && acks_unsent(conn, p)) {
    conn->packets[index].marks &= ~(uint32_t)MARK_UNSEEN;
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "SEG.ACK at most what the peer had sent",
            "acknowledges octets up to %lld, which the peer had not sent", (long long)p->ack);
  }
  if (own->misanswered)
    finding(conn, index, VIOLATION, "3.10.7.3", "3.10.7.3", "<SEQ=SEG.ACK><CTL=RST>, and waiting on",
            "goes on with a connection whose SYN,ACK did not acknowledge its SYN");
  own->misanswered = false;
  bool newer = p->seg.has_ts && own->ts_seen && p->seg.tsval - own->tsval - 1 < 0x7fffffffu;
  if (p->ack < own->acked && newer)
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "RCV.NXT never recedes",
            "acknowledges %lld after having acknowledged %lld", (long long)p->ack, (long long)own->acked);
}

/* The highest edge that the peer offers within a moment: packets are not always captured in their order. */
static int64_t edge_soon(const struct connection *conn, uint32_t index, int64_t edge)
{
  const struct packet *p = packet_at(conn, index);
  for (uint32_t i = index + 1; i < conn->count && i < index + 64; i++) {
    const struct packet *q = packet_at(conn, i);
    if (q->us > p->us + SLIP_US / 5)
      break;
    if (q->from == p->from || !q->seg.has_ack || is_aside(q))
      continue;
    if (q->ack + q->window > edge)
      edge = q->ack + q->window;
  }
  return edge;
}

/* Sender: new text inside the offered window; one octet beyond it as a probe (3.8.6.1). If the receiver took it, the capture
 * may lack a window update. */
static void judge_window(struct connection *conn, uint32_t index, const struct book *own, const struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  int64_t text_end = p->end - p->seg.fin;
  if (p->seg.len == 0 || p->seg.rst || p->seg.syn || other->edge < 0 || !conn->side[!p->from].scale_known)
    return;
  if (text_end <= own->sent || text_end <= other->edge + 1)
    return;
  int64_t edge = edge_soon(conn, index, other->edge);
  if (text_end <= edge + 1)
    return;
  bool taken = p->arrives != NOWHERE;
  if (conn->gap_seen && taken)
    return;
  finding(conn, index, taken ? ADVICE : VIOLATION, "3.8.6", "3.8.6",
          "new text inside the window, or one octet as a probe", "text up to %lld, %lld beyond the right edge %lld%s",
          (long long)text_end, (long long)(text_end - edge), (long long)edge,
          taken ? "; but the receiver took it: a window update may not have been captured" : "");
}

/* Receiver: the right edge does not move to the left, but for the rounding of a scaled window. */
static void judge_edge(struct connection *conn, uint32_t index, struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  const struct stream *side = &conn->side[p->from];
  if (!p->seg.has_ack || p->seg.rst || p->seg.syn || !side->scale_known || own->receded)
    return;
  if (p->ack < own->acked || p->ack + p->window + (1 << side->scale) > own->edge)
    return;
  own->receded = true;
  finding(conn, index, ADVICE, "SHLD-14", "3.8.6", "a right edge that does not recede",
          "right edge %lld after %lld (first such segment of this side)", (long long)p->ack + p->window,
          (long long)own->edge);
}

static void judge_fin(struct connection *conn, uint32_t index, const struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  int64_t text_end = p->end - p->seg.fin;
  if (p->seg.rst)
    return;
  if (own->fin >= 0 && p->seg.len > 0 && text_end > own->fin)
    finding(conn, index, VIOLATION, "3.6", "3.6", "no new text after FIN", "text up to %lld after FIN at %lld",
            (long long)text_end, (long long)own->fin);
  if (p->seg.fin && own->fin >= 0 && text_end != own->fin)
    finding(conn, index, VIOLATION, "3.6", "3.6", "FIN at the same sequence number when sent again",
            "FIN at %lld after FIN at %lld", (long long)text_end, (long long)own->fin);
  if (p->seg.fin && own->fin < 0 && text_end < own->text)
    finding(conn, index, VIOLATION, "3.6", "3.6", "FIN after all text", "FIN at %lld, but text up to %lld was sent",
            (long long)text_end, (long long)own->text);
}

/* An octet that the peer has already acknowledged, or may have: the garbage of a keep-alive (3.8.4). */
static bool is_lone_octet(const struct packet *p)
{
  return p->seg.len == 1 || (p->marks & (MARK_KEEP_ALIVE | MARK_PROBE)) != 0;
}

static void judge_again(struct connection *conn, uint32_t index)
{
  const struct packet *p = packet_at(conn, index);
  if ((p->marks & MARK_AGAIN) == 0 || p->seg.len == 0 || is_lone_octet(p))
    return;
  if (p->text == NULL)
    conn->text_dropped = true;
  for (uint32_t i = index; i-- > 0 && index - i < LOOK_BACK && p->text != NULL && p->sum != SUM_WRONG;) {
    const struct packet *before = packet_at(conn, i);
    uint32_t from, to;
    if (before->from != p->from || is_aside(before) || before->sum == SUM_WRONG || before->seg.rst)
      continue;
    if (before->text == NULL || is_lone_octet(before) || p->us > before->us + STALE_US)
      continue;
    if (!text_differs(p->text, before->text, &from, &to))
      continue;
    int64_t at = p->start + (int32_t)(from - p->seg.seq);
    bool whole = p->sum != SUM_UNKNOWN && before->sum != SUM_UNKNOWN;
    finding(conn, index, whole ? VIOLATION : ADVICE, "3.10.8", "3.10.8", "the same octets at the same sequence numbers",
            "sends text again, but octets %lld to %lld are not those of #%llu%s", (long long)at,
            (long long)at + (int32_t)(to - from) - 1, (unsigned long long)before->number,
            whole ? "" : "; one of them may have been damaged: it was not captured whole");
    return;
  }
}

/* MUST-16, but a segment captured before the interface cut it up, or after it joined it, may be larger: it does not fit into
 * 1500 octets, or its checksum is not the final one. */
static void judge_mss(struct connection *conn, uint32_t index, const struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  bool is_v4 = conn->side[0].endpoint.version == 4, named = other->mss > 0;
  uint32_t options = p->header > 20 ? p->header - 20u : 0, mss = named ? other->mss : is_v4 ? 536 : 1220;
  if (!other->syn_whole || p->seg.syn || p->seg.rst || p->seg.len <= 1 || p->sum != SUM_RIGHT || p->cut)
    return;
  if ((uint32_t)p->seg.len + p->header > 1480 || p->seg.len + options <= mss)
    return;
  finding(conn, index, VIOLATION, named ? "MUST-16" : "MUST-15", "3.7.1", "text and options within the peer's MSS",
          "%u octets of text and %u of options, but the peer's MSS is %u%s", p->seg.len, options, mss,
          named ? "" : ", as it named none");
}

static void judge_sack(struct connection *conn, uint32_t index, int64_t peer_sent)
{
  const struct packet *p = packet_at(conn, index);
  if (!conn->sack_negotiated || conn->gap_seen || p->seg.syn || p->seg.rst)
    return;
  for (uint32_t i = 0; i < p->seg.sack_count && i < 4; i++) {
    uint32_t beyond = p->seg.sack[i].right - conn->side[!p->from].isn - (uint32_t)peer_sent;
    if (beyond == 0 || beyond >= 0x80000000u)
      continue;
    finding(conn, index, VIOLATION, "RFC2018-3", "RFC 2018 3", "blocks of octets that were received",
            "selectively acknowledges octets that the peer never sent");
    return;
  }
}

/* A challenge ACK is <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, whatever it answers. */
static void judge_challenge(struct connection *conn, uint32_t index, const struct book *own, const struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  if ((p->marks & MARK_CHALLENGE) == 0 || !conn->side[0].isn_known || !conn->side[1].isn_known || conn->gap_seen)
    return;
  if (p->start > own->sent || p->ack < own->acked || p->ack > other->sent)
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>",
            "challenge ACK with seq=%lld ack=%lld; SND.NXT is %lld", (long long)p->start, (long long)p->ack,
            (long long)own->sent);
}

static void judge_aside(struct connection *conn, uint32_t index)
{
  const struct packet *p = packet_at(conn, index);
  if ((p->marks & MARK_DAMAGED) != 0 && p->arrives != NOWHERE && p->end > p->start)
    finding(conn, index, VIOLATION, "MUST-3", "3.1", "a segment with a wrong checksum is discarded",
            "the checksum is wrong, but the receiver acknowledged the segment");
  else if ((p->marks & MARK_DAMAGED) != 0)
    finding(conn, index, ADVICE, "MUST-2", "3.1", "a checksum that fits the segment",
            "the checksum is wrong: damaged on its way, or not computed");
  if ((p->marks & MARK_FOREIGN) == 0 || p->seg.rst || (p->seg.syn && !p->seg.has_ack))
    return;
  if (p->seg.syn)
    finding(conn, index, ADVICE, "3.8.3", "3.8.3", "the same initial sequence number when a SYN is sent again",
            "SYN,ACK with another initial sequence number (SYN cookies do so)");
  else
    finding(conn, index, ADVICE, "3.4", "3.4", "a sequence number near SND.NXT",
            "sequence number %u belongs to no place of this connection", p->seg.seq);
}

static void enter(struct book *own, const struct packet *p)
{
  if (p->seg.rst)
    return;
  if (p->seg.syn && !p->cut)
    own->syn_whole = true;
  if (p->seg.syn && p->seg.has_mss && p->seg.mss > own->mss)
    own->mss = p->seg.mss;
  if (p->end > own->sent)
    own->sent = p->end;
  if (p->seg.len > 0 && p->end - p->seg.fin > own->text)
    own->text = p->end - p->seg.fin;
  if (p->seg.fin && own->fin < 0)
    own->fin = p->end - 1;
  if (!p->seg.has_ack)
    return;
  if (p->ack > own->acked)
    own->acked = p->ack;
  if (!p->seg.syn && p->ack + p->window > own->edge)
    own->edge = p->ack + p->window;
  if (p->seg.syn && own->edge < 0)
    own->edge = p->ack + p->window;
  if (p->seg.has_ts && (!own->ts_seen || p->seg.tsval - own->tsval < 0x80000000u)) {
    own->ts_seen = true;
    own->tsval = p->seg.tsval;
  }
}

static void judge_packet(struct connection *conn, uint32_t index)
{
  struct work *work = conn->work;
  struct packet *p = &conn->packets[index];
  struct book *own = &work->book[p->from], *other = &work->book[!p->from];
  if ((p->marks & MARK_DUPLICATE) != 0) {
    conn->duplicates++;
    return;
  }
  p->marks |= MARK_JUDGED;
  conn->judged++;
  judge_flags(conn, index);
  judge_options(conn, index);
  if (p->seg.rst)
    judge_reset(conn, index, own->sent);
  if (is_aside(p)) {
    conn->aside++;
    judge_aside(conn, index);
    return;
  }
  judge_syn(conn, index, other);
  judge_ack(conn, index, own);
  judge_window(conn, index, own, other);
  judge_edge(conn, index, own);
  judge_fin(conn, index, own);
  judge_again(conn, index);
  judge_mss(conn, index, other);
  judge_sack(conn, index, work->progress[!p->from].sent);
  judge_challenge(conn, index, own, other);
  enter(own, p);
}

void judge(struct connection *conn, uint32_t until)
{
  for (uint32_t i = conn->work->done; i < until; i++) {
    judge_packet(conn, i);
    conn->marks |= conn->packets[i].marks;
  }
}
