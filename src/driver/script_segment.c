/* Packets of a script: those that arrive are put together, octet by octet, and read by the codec; those that leave are
 * compared with what the script expects. SPDX-License-Identifier: MIT */
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

static void put32(uint8_t *octets, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    octets[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *octets)
{
  return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static void put16(uint8_t *octets, uint32_t value)
{
  octets[0] = (uint8_t)(value >> 8);
  octets[1] = (uint8_t)value;
}

/* --- Timestamps: the script's numbers and those that were sent --- */

static void learn_stamp(struct run *run, struct flow *flow, uint32_t said, uint32_t sent)
{
  struct stamp *stamp = arena_take(&run->script->arena, sizeof *stamp);
  *stamp = (struct stamp){said, sent, flow->stamps};
  flow->stamps = stamp;
}

/* A value that was never sent is as far from the nearest one as the script says. */
static uint32_t sent_stamp(const struct flow *flow, uint32_t said)
{
  for (const struct stamp *s = flow->stamps; s != NULL; s = s->next)
    if (s->said == said)
      return s->sent;
  return flow->stamps != NULL ? flow->stamps->sent + (said - flow->stamps->said) : said;
}

/* --- What arrives --- */

/* Ports that the script does not tell are those of the connection that it is about. */
static struct flow *flow_of(struct run *run, const struct packet_spec *spec)
{
  uint16_t bind_port = (uint16_t)setting(&run->settings, "bind_port");
  bool opens = (spec->flags & FLAG_SYN) != 0 && (spec->flags & (FLAG_ACK | FLAG_RST)) == 0 && !spec->icmp;
  if (spec->source != 0 && spec->outbound)
    return run->flow = find_flow(run, spec->source, spec->destination);
  if (spec->source != 0)
    return run->flow = find_flow(run, spec->destination, spec->source);
  if (run->flow != NULL && !(opens && run->awaits_child))
    return run->flow;
  if (run->tested != NULL && run->tested->listening)
    bind_port = run->tested->port;
  if (opens)
    run->awaits_child = false;
  return run->flow = find_flow(run, bind_port, run->next_port++);
}

static uint32_t put_options(const struct flow *flow, const struct packet_spec *spec, uint8_t *octets)
{
  uint32_t at = 0;
  for (uint32_t i = 0; i < spec->option_count; i++) {
    const struct option_spec *option = &spec->options[i];
    memcpy(octets + at, option->octets, option->length);
    for (uint32_t k = 2; option->relative && k + 4 <= option->length; k += 4)
      put32(octets + at + k, get32(octets + at + k) + flow->local_base);
    bool stamp = option->length == 10 && option->octets[0] == 8;
    if (stamp && !option->absolute_ecr && get32(octets + at + 6) != 0)
      put32(octets + at + 6, sent_stamp(flow, get32(octets + at + 6)));
    at += option->length;
  }
  return at;
}

static uint32_t put_header(const struct flow *flow, const struct packet_spec *spec, uint8_t *octets)
{
  uint32_t options = put_options(flow, spec, octets + 20), length = 20 + options;
  bool has_ack = (spec->flags & FLAG_ACK) != 0;
  memset(octets, 0, 20);
  put16(octets, flow->remote);
  put16(octets + 2, flow->local);
  put32(octets + 4, spec->absolute_seq ? spec->seq : spec->seq + flow->remote_base);
  put32(octets + 8, has_ack ? spec->ack + flow->local_base : spec->ack);
  octets[12] = (uint8_t)(length / 4 << 4);
  octets[13] = spec->flags;
  put16(octets + 14, spec->window < 0 ? 0 : (uint32_t)spec->window);
  put16(octets + 18, spec->up);
  return length;
}

static void put_text(const struct flow *flow, const struct packet_spec *spec, const struct socket *socket,
                     uint8_t *octets)
{
  uint32_t seq = spec->absolute_seq ? spec->seq : spec->seq + flow->remote_base;
  uint32_t syn = (spec->flags & FLAG_SYN) != 0, irs = seq - !syn;
  if (socket != NULL && socket->tcb.state >= VTCP_SYN_RECEIVED)
    irs = socket->tcb.irs;
  for (uint32_t i = 0; i < spec->len; i++) {
    uint32_t place = seq + syn + i - irs - 1;
    octets[i] = stream_octet(place);
  }
}

static struct socket *connection_on(struct run *run, const struct flow *flow)
{
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->flow == flow && has_connection(s))
      return s;
  return NULL;
}

static void icmp_in(struct run *run, const struct script_event *event)
{
  unsupported(run, event->line, "ICMP", "ICMP messages do not reach this endpoint yet (RFC 9293, 3.9.2.2)");
}

void packet_in(struct run *run, const struct script_event *event)
{
  const struct packet_spec *spec = event->packet;
  struct vtcp_segment seg;
  uint32_t text = 0;
  if (spec->icmp) {
    icmp_in(run, event);
    return;
  }
  if (spec->any_seq) {
    script_fail(run->script, VERDICT_UNREADABLE, event->line, "syntax", "...() is for outbound packets only");
    return;
  }
  struct flow *flow = flow_of(run, spec);
  struct socket *socket = connection_on(run, flow);
  uint32_t header = put_header(flow, spec, run->octets);
  put_text(flow, spec, socket, run->octets + header);
  if (vtcp_parse(run->octets, header + spec->len, &seg, &text) > VTCP_WIRE_BAD_OPTION) {
    failed(run, event->line, "codec", "the codec cannot read this segment");
    return;
  }
  add_trip(run, (struct trip){.us = run->now,
                              .flow = flow,
                              .seg = seg,
                              .expected = true,
                              .line = event->line,
                              .state = socket != NULL ? socket->tcb.state : NO_STATE});
  uint32_t index = run->trip_count - 1;
  if (setting(&run->settings, "drop_synfin") == 1 && seg.syn && seg.fin)
    return;
  world_arrive(run, flow, &seg, run->octets + text, spec->tos_check == TOS_ANY ? 0 : spec->tos);
  socket = connection_on(run, flow);
  if (index < run->trip_count)
    run->trips[index].state = socket != NULL ? socket->tcb.state : VTCP_CLOSED;
}

/* --- What leaves --- */

/* The first option of a kind, or NULL. */
static const uint8_t *find_option(const uint8_t *octets, uint32_t length, uint8_t kind)
{
  for (uint32_t at = 0; at < length;) {
    uint32_t size = octets[at] < 2 || at + 1 == length ? 1 : octets[at + 1];
    if (octets[at] == 0 || size == 0 || at + size > length)
      return NULL;
    if (octets[at] == kind)
      return octets + at;
    at += size;
  }
  return NULL;
}

/* The options as octets, in the order and with the padding of a stack: NOPs before each option until it lies where that
 * stack aligns it, zeros at the end. */
static uint32_t lay_out(const struct vtcp_segment *seg, enum layout layout, uint8_t octets[OPTIONS_ROOM])
{
  static const uint8_t order[][5] = {{2, 3, 4, 8, 5}, {2, 4, 8, 3, 5}};
  uint8_t header[60];
  uint32_t length = vtcp_emit(seg, header, sizeof header), at = 0;
  length = length > 20 ? length - 20 : 0;
  if (layout == LAYOUT_ANY) {
    memcpy(octets, header + 20, length);
    return length;
  }
  for (int i = 0; i < 5; i++) {
    uint8_t kind = order[layout == LAYOUT_LINUX][i];
    const uint8_t *option = find_option(header + 20, length, kind);
    uint32_t align = kind == 3 ? 1 : kind == 2 || (kind == 4 && (seg->has_ts || layout == LAYOUT_FREEBSD)) ? 0 : 2;
    if (option == NULL)
      continue;
    while (at % 4 != align && at < OPTIONS_ROOM)
      octets[at++] = 1;
    if (at + option[1] > OPTIONS_ROOM)
      return at;
    memcpy(octets + at, option, option[1]);
    at += option[1];
  }
  while (at % 4 != 0 && at < OPTIONS_ROOM)
    octets[at++] = 0;
  return at;
}

/* Our numbers in a list of options, as the script writes them. */
static void make_relative(const struct flow *flow, uint8_t *octets, uint32_t length)
{
  for (uint32_t at = 0; at < length;) {
    uint32_t size = octets[at] < 2 || at + 1 == length ? 1 : octets[at + 1];
    if (size == 0 || at + size > length)
      return;
    for (uint32_t k = 2; octets[at] == 5 && k + 4 <= size; k += 4)
      put32(octets + at + k, get32(octets + at + k) - flow->remote_base);
    at += size;
  }
}

static void option_text(const uint8_t *o, uint32_t size, char *out, size_t room)
{
  size_t used = 0;
  if (o[0] < 2)
    snprintf(out, room, o[0] == 1 ? "nop" : "eol");
  else if (o[0] == 2 && size == 4)
    snprintf(out, room, "mss %u", (unsigned)(o[2] << 8 | o[3]));
  else if (o[0] == 3 && size == 3)
    snprintf(out, room, "wscale %u", o[2]);
  else if (o[0] == 4 && size == 2)
    snprintf(out, room, "sackOK");
  else if (o[0] == 8 && size == 10)
    snprintf(out, room, "TS val %u ecr %u", get32(o + 2), get32(o + 6));
  else if (o[0] == 5 && size >= 10)
    for (uint32_t k = 2; k + 8 <= size && used + 24 < room; k += 8)
      used +=
          (size_t)snprintf(out + used, room - used, "%s%u:%u", k == 2 ? "sack " : " ", get32(o + k), get32(o + k + 4));
  else
    snprintf(out, room, "kind %u", o[0]);
}

static void options_text(const uint8_t *octets, uint32_t length, char *out, size_t room)
{
  char text[100];
  size_t used = 0;
  out[0] = '\0';
  for (uint32_t at = 0; at < length;) {
    uint32_t size = octets[at] < 2 || at + 1 == length ? 1 : octets[at + 1];
    size = size == 0 || at + size > length ? length - at : size;
    option_text(octets + at, size, text, sizeof text);
    if (used + strlen(text) + 2 < room)
      used += (size_t)snprintf(out + used, room - used, "%s%s", at > 0 ? "," : "", text);
    at += size;
  }
}

/* What the script expects, with the timestamps that it does not fix filled in from what was sent. */
static uint32_t expected_options(struct run *run, struct flow *flow, const struct packet_spec *spec,
                                 const uint8_t *sent, uint32_t sent_length, uint8_t octets[OPTIONS_ROOM])
{
  uint32_t at = 0;
  const uint8_t *actual = find_option(sent, sent_length, 8);
  for (uint32_t i = 0; i < spec->option_count; i++) {
    const struct option_spec *option = &spec->options[i];
    if (at + option->length > OPTIONS_ROOM)
      break;
    memcpy(octets + at, option->octets, option->length);
    bool stamp = option->length == 10 && option->octets[0] == 8 && actual != NULL;
    uint32_t said = get32(octets + at + 2 <= octets + OPTIONS_ROOM - 4 ? octets + at + 2 : octets);
    if (stamp && !option->any_value) {
      uint32_t tick = setting(&run->settings, "tcp_ts_tick_usecs"),
               tolerance = setting(&run->settings, "tolerance_usecs");
      uint32_t should = sent_stamp(flow, said), is = get32(actual + 2);
      uint32_t apart = should - is < 0x80000000u ? should - is : is - should;
      bool fixed = flow->stamps != NULL && tick > 0 && (uint64_t)apart * tick > (uint64_t)tolerance + tick;
      put32(octets + at + 2, fixed ? should : is);
      learn_stamp(run, flow, said, is);
    } else if (stamp) {
      memcpy(octets + at + 2, actual + 2, 4);
    }
    at += option->length;
  }
  return at;
}

/* Kinds of option that this endpoint never sends, because it has not what they are for. */
static bool not_implemented(uint8_t kind)
{
  static const uint8_t sent[] = {0, 1, 2};
  for (size_t i = 0; i < sizeof sent; i++)
    if (sent[i] == kind)
      return false;
  return true;
}

static const char *kind_name(uint8_t kind, char room[16])
{
  snprintf(room, 16, "option %u", kind);
  return kind == 3                    ? "window scale"
         : kind == 4                  ? "SACK-permitted"
         : kind == 5                  ? "SACK"
         : kind == 8                  ? "timestamps"
         : kind == 34                 ? "fast open"
         : kind == 172 || kind == 174 ? "accurate ECN"
         : kind == 19                 ? "MD5"
                                      : room;
}

/* Same options, whatever their order and padding. */
static bool same_set(struct run *run, const uint8_t *a, uint32_t a_length, const uint8_t *b, uint32_t b_length)
{
  for (uint32_t at = 0; at < a_length;) {
    uint32_t size = a[at] < 2 || at + 1 == a_length ? 1 : a[at + 1];
    if (size == 0 || at + size > a_length)
      return false;
    const uint8_t *other = a[at] > 1 ? find_option(b, b_length, a[at]) : NULL;
    bool free_shift = a[at] == 3 && other != NULL; /* the core chooses its own */
    bool skipped = setting(&run->settings, "lenient") == 1 && (free_shift || (not_implemented(a[at]) && other == NULL));
    if (skipped)
      run->not_compared |= 1u << (a[at] & 31);
    else if (a[at] > 1 && (other == NULL || memcmp(other, a + at, size) != 0))
      return false;
    if (a[at] == 0)
      return true;
    at += size;
  }
  return true;
}

static void check_missing(struct run *run, const struct script_event *event, const uint8_t *expected, uint32_t length,
                          const uint8_t *actual, uint32_t actual_length)
{
  char room[16];
  for (uint32_t at = 0; at < length;) {
    uint32_t size = expected[at] < 2 || at + 1 == length ? 1 : expected[at + 1];
    if (size == 0 || at + size > length)
      return;
    if (not_implemented(expected[at]) && find_option(actual, actual_length, expected[at]) == NULL)
      unsupported(run, event->line, kind_name(expected[at], room), "%s: not implemented",
                  kind_name(expected[at], room));
    at += size;
  }
}

static bool compare_options(struct run *run, const struct script_event *event, const struct trip *trip)
{
  const struct packet_spec *spec = event->packet;
  uint8_t actual[OPTIONS_ROOM] = {0}, expected[OPTIONS_ROOM] = {0};
  enum layout layout = (enum layout)setting(&run->settings, "layout");
  char expected_text[96], actual_text[96];
  uint32_t length = lay_out(&trip->seg, layout, actual);
  make_relative(trip->flow, actual, length);
  options_text(actual, length, actual_text, sizeof actual_text);
  uint32_t told = expected_options(run, trip->flow, spec, actual, length, expected);
  if (spec->any_options) {
    add_row(run, "options", false, "...", actual_text);
    return true;
  }
  options_text(expected, told, expected_text, sizeof expected_text);
  bool same = layout == LAYOUT_ANY
                  ? same_set(run, expected, told, actual, length) && same_set(run, actual, length, expected, told)
                  : told == length && memcmp(expected, actual, length) == 0;
  if (!same)
    check_missing(run, event, expected, told, actual, length);
  add_row(run, "options", !same, expected_text, actual_text);
  return same;
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
