/* What a segment may be, given what its sender had received by then. A real endpoint is allowed its freedom: when it
 * acknowledges, how much it sends, how large its windows are, the order of options. The capture may lack segments and may
 * have them slightly out of order: in doubt there is no finding. SPDX-License-Identifier: MIT */
#include "work.h"

#include <string.h>

enum { LOOK_BACK = 512, LOOK_AHEAD = 256, SLIP_US = 10000, REORDER_US = 1000000, STALE_US = 600 * 1000000 };

/* Whether what the peer of a segment's sender sent afterwards shows that it had not sent the octets before this place: its
 * next new segment, or its next bare acknowledgment (at SND.NXT), begins before it. If it begins behind it, the capture lacks
 * them; if it ends there, or the capture has lost segments, it may be a repetition. One octet may be a keep-alive. */
bool is_unsent(const struct connection *conn, uint32_t index, int64_t place)
{
  const struct packet *by = packet_at(conn, index);
  if (conn->gap_proven)
    return false;
  for (uint32_t i = index + 1, looked = 0; i < conn->count && looked < LOOK_AHEAD; i++, looked++) {
    const struct packet *p = packet_at(conn, i);
    uint32_t skipped =
        MARK_AGAIN | MARK_OUT_OF_ORDER | MARK_OLD | MARK_KEEP_ALIVE | MARK_PROBE | MARK_FOREIGN | MARK_DUPLICATE;
    if (p->from == by->from || p->seg.rst || (p->marks & skipped) != 0)
      continue;
    if (p->start >= place || p->end == place)
      return false;
    if (p->start == place - 1 && p->end - p->start <= 1)
      continue;
    if (p->us >= by->us + SLIP_US)
      return true;
    if (p->end >= place)
      return false; /* captured a little late */
  }
  return false;
}

static void judge_syn(struct connection *conn, uint32_t index, struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  if (!p->seg.syn || p->seg.rst || !p->seg.has_ack)
    return;
  if (!conn->side[!p->from].isn_known)
    return;
  bool wrong = p->ack < 1 || p->ack > (other->sent > 1 ? other->sent : 1);
  bool far = p->ack < -UINT16_MAX || p->ack > other->sent + UINT16_MAX; /* it may answer a SYN that was not captured */
  other->misanswered = wrong && !far;
  if (wrong)
    finding(conn, index, far ? ADVICE : VIOLATION, "3.10.7.2", "3.10.7.2", "the peer's initial sequence number + 1",
            "SYN,ACK acknowledges %+lld relative to the peer's initial sequence number", (long long)p->ack);
}

static void judge_ack(struct connection *conn, uint32_t index, struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  if (!p->seg.has_ack || p->seg.rst || p->seg.syn)
    return;
  if ((p->marks & MARK_UNSEEN) != 0 && is_unsent(conn, index, p->ack)) {
    conn->packets[index].marks &= ~(uint32_t)MARK_UNSEEN;
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "SEG.ACK at most what the peer had sent",
            "acknowledges octets up to %lld, which the peer had not sent", (long long)p->ack);
  }
  if (own->misanswered)
    finding(conn, index, VIOLATION, "3.10.7.3", "3.10.7.3", "<SEQ=SEG.ACK><CTL=RST>, and waiting on",
            "goes on with a connection whose SYN,ACK did not acknowledge its SYN");
  own->misanswered = false;
  bool newer = p->seg.has_ts && own->ts_seen && p->seg.tsval - own->tsval - 1 < 0x7fffffffu;
  bool new_text = p->seg.len > 0 && p->start >= own->sent && (p->marks & MARK_GAP) == 0;
  int64_t before = newer ? own->acked : new_text ? own->acked_with_text : -1;
  if (before >= 0 && p->ack < before && p->ack > before - FAR)
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "RCV.NXT never recedes",
            "acknowledges %lld after having acknowledged %lld", (long long)p->ack, (long long)before);
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

/* Edges do not recede: if all that the peer sends for a second shows them below this place, none beyond it was offered. */
static bool edge_was_below(const struct connection *conn, uint32_t index, int64_t end)
{
  const struct packet *p = packet_at(conn, index);
  bool any = false;
  for (uint32_t i = index + 1; i < conn->count && i < index + LOOK_AHEAD; i++) {
    const struct packet *q = packet_at(conn, i);
    if (q->from == p->from || !q->seg.has_ack || q->seg.rst || q->seg.syn || is_aside(q))
      continue;
    if (any && q->us > p->us + REORDER_US)
      break;
    if (q->ack + q->window >= end)
      return false;
    any = true;
  }
  return any;
}

/* Sender: new text inside the offered window; one octet beyond it as a probe (3.8.6.1). If the receiver took it, or the
 * capture lost segments, it may lack a window update. */
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
  bool taken = p->arrives != NOWHERE, proven = edge_was_below(conn, index, text_end);
  if (conn->gap_seen && !proven)
    return;
  taken = taken && !proven;
  finding(conn, index, taken ? ADVICE : VIOLATION, "3.8.6", "3.8.6",
          "new text inside the window, or one octet as a probe", "text up to %lld, %lld beyond the right edge %lld%s",
          (long long)text_end, (long long)(text_end - edge), (long long)edge,
          taken ? "; but the receiver took it: a window update may not have been captured" : "");
}

/* Whether the edge stays below this place: an acknowledgment that was overtaken shows an old one for once. */
static bool edge_stays_below(const struct connection *conn, uint32_t index, int64_t place)
{
  uint32_t seen = 0;
  for (uint32_t i = index + 1; i < conn->count && i < index + LOOK_AHEAD && seen < 3; i++) {
    const struct packet *q = packet_at(conn, i);
    if (q->from != packet_at(conn, index)->from || !q->seg.has_ack || q->seg.rst || is_aside(q))
      continue;
    if (q->ack + q->window >= place)
      return false;
    seen++;
  }
  return seen > 0;
}

/* Receiver: the right edge does not move to the left, but for the rounding of a scaled window. */
static void judge_edge(struct connection *conn, uint32_t index, struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  const struct stream *side = &conn->side[p->from];
  int64_t least = own->edge - (1 << side->scale);
  if (!p->seg.has_ack || p->seg.rst || p->seg.syn || !side->scale_known || own->receded)
    return;
  if (p->ack < own->acked || p->ack + p->window >= least || !edge_stays_below(conn, index, least))
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
  bool near = text_end < own->fin + FAR && p->us < own->fin_us + STALE_US; /* or another incarnation's */
  near = near && p->start <= own->fin + 1;
  if (own->fin >= 0 && p->seg.len > 0 && text_end > own->fin && near)
    finding(conn, index, VIOLATION, "3.6", "3.6", "no new text after FIN", "text up to %lld after FIN at %lld",
            (long long)text_end, (long long)own->fin);
  if (p->seg.fin && own->fin >= 0 && text_end != own->fin && near)
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

/* A challenge ACK is <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, whatever it answers; judge_ack() looks at RCV.NXT. */
static void judge_challenge(struct connection *conn, uint32_t index, const struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  if ((p->marks & MARK_CHALLENGE) == 0 || !conn->side[p->from].isn_known || p->start <= own->sent)
    return;
  for (uint32_t i = index + 1; i < conn->count && i < index + LOOK_AHEAD; i++) {
    const struct packet *q = packet_at(conn, i);
    if (q->from != p->from || q->seg.rst || q->end <= own->sent || is_aside(q))
      continue;
    if (q->start > own->sent || q->us < p->us + SLIP_US)
      return; /* what lies before it may not have been captured */
    break;
  }
  if (!conn->gap_proven)
    finding(conn, index, VIOLATION, "3.10.7.4", "3.10.7.4", "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>",
            "challenge ACK with seq=%lld ack=%lld; SND.NXT is %lld", (long long)p->start, (long long)p->ack,
            (long long)own->sent);
}

static void judge_aside(struct connection *conn, uint32_t index)
{
  const struct packet *p = packet_at(conn, index);
  if ((p->marks & MARK_DAMAGED) != 0 && p->arrives != NOWHERE && p->end > p->start)
    finding(
        conn, index, ADVICE, "MUST-3", "3.1", "a segment with a wrong checksum is discarded",
        "the checksum is wrong, but the receiver acknowledged the segment: it is not checked, or not the one received");
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
    own->fin = p->end - 1, own->fin_us = p->us;
  if (!p->seg.has_ack)
    return;
  if (p->seg.len > 0 && (p->marks & (MARK_AGAIN | MARK_OUT_OF_ORDER)) == 0 && p->ack > own->acked_with_text)
    own->acked_with_text = p->ack;
  if (p->ack > own->acked)
    own->acked = p->ack;
  if (!p->seg.syn && p->ack + p->window > own->edge)
    own->edge = p->ack + p->window;
  if (p->seg.syn && own->edge < 0)
    own->edge = p->ack + p->window;
  if (p->seg.has_ts && !p->seg.syn && (!own->ts_seen || p->seg.tsval - own->tsval < 0x80000000u)) {
    own->ts_us = own->ts_seen && own->tsval == p->seg.tsval ? own->ts_us : p->us;
    own->ts_seen = true;
    own->tsval = p->seg.tsval;
  }
}

/* A reset of its own ends what a side sends (3.10.5, 3.5.2); one in its name, from the path, does not. */
static void judge_after_reset(struct connection *conn, uint32_t index, struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  if (p->seg.rst) {
    bool its_own =
        (p->marks & (MARK_ANSWER | MARK_IGNORED | MARK_FOREIGN | MARK_DAMAGED)) == 0 && p->start == own->sent;
    if (its_own && !own->reset_sent)
      own->reset_sent = true, own->reset_us = p->us, own->reset_ttl = p->ttl, own->reset_number = p->number;
    return;
  }
  bool more = !p->seg.syn && p->end > own->sent && !is_aside(p);
  if (!own->reset_sent || !more || p->us < own->reset_us + SLIP_US || p->us > own->reset_us + STALE_US)
    return;
  bool forged = own->reset_ttl != p->ttl;
  finding(conn, index, forged ? ADVICE : VIOLATION, "3.10.5", "3.10.5", "nothing after its reset: CLOSED",
          "sends up to %lld after its reset #%llu%s", (long long)p->end, (unsigned long long)own->reset_number,
          forged ? "; but that came from elsewhere: its TTL is another" : "");
  own->reset_sent = !forged;
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
  judge_options(conn, index, own);
  if (p->seg.rst)
    judge_reset(conn, index, own->sent);
  judge_after_reset(conn, index, own);
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
  judge_timestamps(conn, index, own, other);
  judge_challenge(conn, index, own);
  enter(own, p);
}

void judge(struct connection *conn, uint32_t until)
{
  for (uint32_t i = conn->work->done; i < until; i++) {
    judge_packet(conn, i);
    conn->marks |= conn->packets[i].marks;
  }
}
