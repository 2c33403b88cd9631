/* The rules for flags and options: RFC 9293, 3.1 and 3.7.1; RFC 7323; RFC 2018 and RFC 2883. SPDX-License-Identifier: MIT */
#include "work.h"

enum { REORDER_US = 1000000, LOOK_AHEAD = 256, FEW_TICKS = 5000, MOST_TICKS = 500000 };

void judge_flags(struct connection *conn, uint32_t index)
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

void judge_options(struct connection *conn, uint32_t index, const struct book *own)
{
  const struct packet *p = packet_at(conn, index);
  const struct vtcp_segment *seg = &p->seg;
  if (p->scale_sent > 14)
    finding(conn, index, VIOLATION, "RFC7323-2.3", "RFC 7323 2.3", "a window scale of at most 14", "window scale %u",
            p->scale_sent);
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
  /* macOS leaves the option out of keep-alives, which cannot always be told from other bare acknowledgments. */
  bool news = p->ack > own->acked && p->start >= own->sent && !conn->gap_seen;
  bool probe = p->seg.len <= 1 && !p->seg.fin && !news;
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

/* MUST-16, but a segment captured before the interface cut it up, or after it joined it, may be larger: it does not fit into
 * 1500 octets, or its checksum is not the final one. */
void judge_mss(struct connection *conn, uint32_t index, const struct book *other)
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

/* What is wrong with a block, in places of the peer's stream, or NULL. The first may report a duplicate (RFC 2883, section 4):
 * below the acknowledgment, or within the second. */
static const char *wrong_block(const struct packet *p, uint32_t which, int64_t left, int64_t right, int64_t peer_sent)
{
  if (left >= right)
    return "a block without octets";
  if (right > peer_sent)
    return "selectively acknowledges octets that the peer never sent";
  if (left < p->ack && right > p->ack)
    return "a block across the acknowledgment, which would have to be beyond it";
  if (which > 0 && right <= p->ack)
    return "a block that is acknowledged already, and is not the first";
  return NULL;
}

/* Firewalls that renumber a stream are known to leave the blocks as they were: those lie somewhere else. */
void judge_sack(struct connection *conn, uint32_t index, int64_t peer_sent)
{
  const struct packet *p = packet_at(conn, index);
  if (!conn->sack_negotiated || conn->gap_seen || p->seg.syn || p->seg.rst || !p->seg.has_ack
      || p->wire != VTCP_WIRE_OK)
    return;
  for (uint32_t i = 0; i < p->seg.sack_count && i < 4; i++) {
    int64_t left = p->ack + (int32_t)(p->seg.sack[i].left - p->seg.ack);
    int64_t right = p->ack + (int32_t)(p->seg.sack[i].right - p->seg.ack);
    const char *wrong = wrong_block(p, i, left, right, peer_sent);
    bool far = left < p->ack - FAR || right > p->ack + FAR || right < p->ack - FAR;
    bool proven = left >= right || right > peer_sent;
    if (wrong == NULL || (right > peer_sent && !far && !is_unsent(conn, index, right)))
      continue;
    finding(conn, index, far || !proven ? ADVICE : VIOLATION, "RFC2018-3", "RFC 2018 3",
            "blocks of octets that were received", "%s (%lld to %lld)%s", wrong, (long long)left, (long long)right,
            far ? ": another numbering" : "");
    return;
  }
}

/* Whether the peer's clock had not come so far: all that follows of it shows less, and some of that was certainly sent later,
 * or much less (RFC 7323, section 5.4: it never recedes). */
static bool clock_was_below(const struct connection *conn, uint32_t index, uint32_t tsval)
{
  const struct packet *p = packet_at(conn, index);
  for (uint32_t i = index + 1; i < conn->count && i < index + LOOK_AHEAD; i++) {
    const struct packet *q = packet_at(conn, i);
    if (q->from == p->from || !q->seg.has_ts || is_aside(q))
      continue;
    uint32_t below = tsval - q->seg.tsval;
    if (below - 1 >= 0x7fffffffu)
      return false;
    if (below > FEW_TICKS || q->us >= p->us + REORDER_US)
      return true;
  }
  return false;
}

/* RFC 7323, sections 3.2 and 5.4: TSval comes from a clock that does not recede, TSecr repeats a TSval of the peer. Segments
 * overtake each other; so much must have passed, or the peer's clock be known not to have come so far. */
void judge_timestamps(struct connection *conn, uint32_t index, const struct book *own, const struct book *other)
{
  const struct packet *p = packet_at(conn, index);
  if (!conn->ts_negotiated || !p->seg.has_ts || p->seg.syn || p->seg.rst)
    return;
  bool news = p->end > own->sent || p->ack > own->acked;
  uint32_t back = own->tsval - p->seg.tsval;
  bool receded = own->ts_seen && back - 1 < 0x7fffffffu && (back > MOST_TICKS || p->us > own->ts_us + REORDER_US);
  if (receded && news)
    finding(conn, index, VIOLATION, "RFC7323-5.4", "RFC 7323 5.4", "TSval from a clock that does not recede",
            "TSval %u after %u", p->seg.tsval, own->tsval);
  bool beyond = other->ts_seen && p->seg.tsecr - other->tsval - 1 < 0x7fffffffu;
  if (p->seg.has_ack && beyond && clock_was_below(conn, index, p->seg.tsecr))
    finding(conn, index, VIOLATION, "RFC7323-3.2", "RFC 7323 3.2", "TSecr: a TSval that the peer has sent",
            "TSecr %u, but the peer's clock had not come further than %u", p->seg.tsecr, other->tsval);
}
