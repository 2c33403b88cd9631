/* Segments that leave, compared with what the script expects. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

void add_row(struct run *run, const char *what, bool differs, const char *expected, const char *actual)
{
  if (run->row_count == ROWS)
    return;
  struct row *row = &run->rows[run->row_count++];
  row->what = what;
  row->differs = differs;
  snprintf(row->expected, sizeof row->expected, "%s", expected);
  snprintf(row->actual, sizeof row->actual, "%s", actual);
}

static void flag_letters(uint8_t flags, char out[9])
{
  static const char letters[] = "FSRP.UEW";
  size_t used = 0;
  for (int i = 0; i < 8; i++)
    if ((flags >> i & 1) != 0)
      out[used++] = letters[i];
  out[used] = '\0';
}

static uint8_t flags_of(const struct vtcp_segment *seg)
{
  return (uint8_t)((seg->fin ? FLAG_FIN : 0) | (seg->syn ? FLAG_SYN : 0) | (seg->rst ? FLAG_RST : 0)
                   | (seg->psh ? FLAG_PSH : 0) | (seg->has_ack ? FLAG_ACK : 0) | (seg->urg ? FLAG_URG : 0)
                   | (seg->ece ? FLAG_ECE : 0) | (seg->cwr ? FLAG_CWR : 0));
}

static void needs_ecn(struct run *run, const struct script_event *event)
{
  unsupported(run, event->line, "ECN", "ECN: not implemented");
}

static bool compare_flags(struct run *run, const struct script_event *event, const struct vtcp_segment *seg)
{
  const struct packet_spec *spec = event->packet;
  char expected[9], actual[9];
  uint8_t flags = flags_of(seg);
  flag_letters(spec->flags, expected);
  flag_letters(flags, actual);
  if ((spec->flags & ~flags & (FLAG_ECE | FLAG_CWR)) != 0)
    needs_ecn(run, event);
  add_row(run, "flags", flags != spec->flags, expected, actual);
  return flags == spec->flags;
}

static bool compare_number(struct run *run, const char *what, bool given, uint32_t expected, uint32_t actual)
{
  char left[24] = "(any)", right[24];
  if (given)
    snprintf(left, sizeof left, "%u", expected);
  snprintf(right, sizeof right, "%u", actual);
  add_row(run, what, given && expected != actual, left, right);
  return !given || expected == actual;
}

static bool tos_fits(const struct packet_spec *spec, uint8_t tos)
{
  switch (spec->tos_check) {
  case TOS_ANY: return true;
  case TOS_ECN: return (tos & 3) == (spec->tos & 3);
  case TOS_ECT01: return (tos & 3) == 1 || (tos & 3) == 2;
  case TOS_DSCP: return tos >> 2 == spec->tos >> 2;
  case TOS_DSCP_ECT01: return tos >> 2 == spec->tos >> 2 && ((tos & 3) == 1 || (tos & 3) == 2);
  case TOS_WHOLE: return tos == spec->tos;
  }
  return false;
}

static bool compare_ip(struct run *run, const struct script_event *event, const struct trip *trip)
{
  const struct packet_spec *spec = event->packet;
  char expected[24], actual[24];
  bool same = tos_fits(spec, trip->tos);
  if (!same) {
    snprintf(expected, sizeof expected, spec->tos_check == TOS_ECT01 ? "ect01" : "%#x", spec->tos);
    snprintf(actual, sizeof actual, "%#x", trip->tos);
    add_row(run, "tos", true, expected, actual);
    if (tos_fits(spec, (uint8_t)(trip->tos | 1)) || tos_fits(spec, (uint8_t)(trip->tos | 2)))
      needs_ecn(run, event);
  }
  if (spec->ttl != 0 && spec->ttl != trip->ttl) {
    same = false;
    snprintf(expected, sizeof expected, "%u", spec->ttl);
    snprintf(actual, sizeof actual, "%u", trip->ttl);
    add_row(run, "ttl", true, expected, actual);
  }
  if (spec->source == 0 || (spec->source == trip->flow->local && spec->destination == trip->flow->remote))
    return same;
  snprintf(expected, sizeof expected, "%u>%u", spec->source, spec->destination);
  snprintf(actual, sizeof actual, "%u>%u", trip->flow->local, trip->flow->remote);
  add_row(run, "ports", true, expected, actual);
  return false;
}

void packet_out(struct run *run, const struct script_event *event, const struct trip *trip)
{
  const struct packet_spec *spec = event->packet;
  const struct vtcp_segment *seg = &trip->seg;
  struct flow *flow = trip->flow;
  if (seg->syn && spec->flags & FLAG_SYN && !spec->any_seq && !spec->absolute_seq && !flow->matched) {
    flow->local_base = seg->seq - spec->seq;
    flow->matched = true;
  }
  bool same = compare_flags(run, event, seg);
  uint32_t seq = spec->absolute_seq ? seg->seq : seg->seq - flow->local_base;
  same &= compare_number(run, "seq", !spec->any_seq, spec->seq, seq);
  same &= compare_number(run, "len", true, spec->len, seg->len);
  same &= compare_number(run, "ack", (spec->flags & FLAG_ACK) != 0, spec->ack,
                         seg->has_ack ? seg->ack - flow->remote_base : 0);
  same &= compare_number(run, "win", spec->window >= 0, (uint32_t)spec->window, seg->wnd);
  same &= compare_number(run, "urg", true, spec->up, seg->up);
  same &= compare_options(run, event, trip);
  same &= compare_ip(run, event, trip);
  if (!same)
    failed(run, event->line, "segment", "the segment that is sent is not the one that is expected");
}
