/* The options of segments that leave: as a stack lays them out, and compared with what the script expects.
 * SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

/* The first option of a kind, or NULL. */
const uint8_t *find_option(const uint8_t *octets, uint32_t length, uint8_t kind)
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

/* The timestamp that was sent, unless it is too far from what those before it let expect. */
static uint32_t expected_stamp(struct run *run, struct flow *flow, uint32_t said, uint32_t sent)
{
  uint32_t tick = setting(&run->settings, "tcp_ts_tick_usecs"), tolerance = setting(&run->settings, "tolerance_usecs");
  uint32_t should = sent_stamp(flow, said), apart = should - sent < 0x80000000u ? should - sent : sent - should;
  bool far = flow->stamps != NULL && tick > 0 && (uint64_t)apart * tick > (uint64_t)tolerance + tick;
  learn_stamp(run, flow, said, sent);
  return far ? should : sent;
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
    if (stamp && option->any_value)
      memcpy(octets + at + 2, actual + 2, 4);
    else if (stamp)
      put32(octets + at + 2, expected_stamp(run, flow, get32(option->octets + 2), get32(actual + 2)));
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

bool compare_options(struct run *run, const struct script_event *event, const struct trip *trip)
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
  if (!same && setting(&run->settings, "lenient") == 0)
    check_missing(run, event, expected, told, actual, length);
  add_row(run, "options", !same, expected_text, actual_text);
  return same;
}
