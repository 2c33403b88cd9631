/* A counterexample as two lifelines: one row for each move, an arrow where a segment arrives or is lost, and the states
 * after it. SPDX-License-Identifier: MIT */
#include "explore.h"

#include <string.h>

enum { MIDDLE = 46 };

static uint32_t relative(const struct world *world, uint8_t end, uint32_t seq)
{
  return seq - world->base[end];
}

/* Flags and numbers, counted from where each end began. */
void segment_text(const struct world *world, const struct flying *f, char *out, size_t room)
{
  char flags[40];
  uint8_t from = !f->to;
  flags_text(&f->seg, flags, sizeof flags);
  bool zero = f->seg.rst && f->seg.seq == 0;
  size_t used = (size_t)snprintf(out, room, "%s seq=%u", flags, zero ? 0 : relative(world, from, f->seg.seq));
  if (f->seg.has_ack)
    used += (size_t)snprintf(out + used, room - used, " ack=%d", (int)relative(world, f->to, f->seg.ack));
  if (f->seg.len > 0)
    used += (size_t)snprintf(out + used, room - used, " len=%u", f->seg.len);
  if (!f->seg.rst)
    snprintf(out + used, room - used, " win=%u", f->seg.wnd);
}

static void repeat(FILE *to, const char *text, size_t count)
{
  while (count-- > 0)
    fputs(text, to);
}

static void print_arrow(const struct trace *trace, const struct flying *f, bool lost, bool ascii, FILE *to)
{
  char label[120];
  segment_text(trace->world, f, label, sizeof label);
  size_t length = strlen(label), rest = length + 6 < MIDDLE ? MIDDLE - length - 6 : 1, flown = lost ? rest / 2 : rest;
  const char *line = ascii ? "-" : "\u2500", *cross = ascii ? "X" : "\u2717";
  bool right = f->to == 1;
  const char *head = right ? (ascii ? ">" : "\u25b6") : (ascii ? "<" : "\u25c0");
  if (right) {
    repeat(to, line, 2);
    fprintf(to, " %s ", label);
    repeat(to, line, flown);
    fputs(lost ? cross : head, to);
    repeat(to, " ", rest - flown);
  } else {
    repeat(to, " ", rest - flown);
    fputs(lost ? cross : head, to);
    repeat(to, line, flown);
    fprintf(to, " %s ", label);
    repeat(to, line, 2);
  }
}

/* What happens at an end, on its side. */
static void print_act(uint8_t end, const char *text, FILE *to)
{
  if (end == 0)
    fprintf(to, "%-*s ", MIDDLE - 1, text);
  else
    fprintf(to, " %*s", MIDDLE - 1, text);
}

static uint32_t sent_before(const struct trace *trace, const struct flying *f, uint32_t at)
{
  for (uint32_t i = at; i > 0; i--) {
    const struct outcome *o = &trace->scenes[i - 1].outcome;
    for (uint32_t k = 0; k < o->sent_count; k++)
      if (same_flying(trace->world, &o->sent[k], f))
        return i;
  }
  return 0;
}

uint32_t sent_in(const struct trace *trace, uint32_t at)
{
  return sent_before(trace, &trace->scenes[at].outcome.came, at);
}

uint32_t flying_since(const struct trace *trace, const struct flying *f)
{
  return sent_before(trace, f, trace->count);
}

static void remark(char *out, size_t room, const char *text)
{
  size_t used = strlen(out);
  snprintf(out + used, room - used, "%s%s", used > 0 ? "; " : "", text);
}

void scene_remarks(const struct trace *trace, uint32_t at, char *out, size_t room)
{
  const struct scene *s = &trace->scenes[at];
  const struct outcome *o = &s->outcome;
  char line[80];
  bool flew = s->move.kind == MOVE_DELIVER || s->move.kind == MOVE_COPY || s->move.kind == MOVE_LOSE;
  out[0] = '\0';
  uint32_t from = flew ? sent_in(trace, at) : 0;
  if (flew && from == 0)
    remark(out, room, "of an earlier life");
  if (flew && from > 0 && from != at) {
    snprintf(line, sizeof line, "sent in %u", from);
    remark(out, room, line);
  }
  if (s->move.kind == MOVE_COPY)
    remark(out, room, "a copy of it follows");
  if (s->move.kind == MOVE_ATTACK)
    remark(out, room, "forged");
  if (o->no_number)
    remark(out, room, "not taken: no sequence number is left to answer with");
  if (o->acknowledged_for_peer)
    remark(out, room, "two-way: connected without an acknowledgment");
  if (o->closed_for_user)
    remark(out, room, "three segments: closed by its peer's FIN");
  if (o->no_wait)
    remark(out, room, "no TIME-WAIT");
  if (o->error != VTCP_OK) {
    snprintf(line, sizeof line, "error: %s", vtcp_error_name(o->error));
    remark(out, room, line);
  }
}

void scene_act(const struct trace *trace, uint32_t at, char *out, size_t room)
{
  static const char *const timers[] = {
      "", "retransmission timeout", "window probe", "override timeout", "2 MSL are over", "keep-alive"};
  const struct scene *s = &trace->scenes[at];
  const struct vtcp_conn *c = &s->before.conn[s->move.end];
  char call[40];
  switch (s->move.kind) {
  case MOVE_CALL:
    call_text(&trace->world->calls[s->move.end][s->before.user[s->move.end].call], call, sizeof call);
    snprintf(out, room, "%s", call);
    break;
  case MOVE_READ: snprintf(out, room, "read"); break;
  case MOVE_TIMEOUT: snprintf(out, room, "%s", timers[c->timer < 6 ? c->timer : 0]); break;
  case MOVE_GIVE_UP: snprintf(out, room, "gives up (R2)"); break;
  default: out[0] = '\0'; break;
  }
}

static void print_scene(const struct trace *trace, uint32_t at, bool ascii, FILE *to)
{
  const struct scene *s = &trace->scenes[at];
  char text[200];
  fprintf(to, "  %3u  %-12s ", at + 1, vtcp_state_name(s->after.conn[0].state));
  scene_act(trace, at, text, sizeof text);
  if (text[0] != '\0')
    print_act(s->move.end, text, to);
  else
    print_arrow(trace, &s->outcome.came, s->move.kind == MOVE_LOSE, ascii, to);
  fprintf(to, " %-12s", vtcp_state_name(s->after.conn[1].state));
  scene_remarks(trace, at, text, sizeof text);
  fprintf(to, "%s%s\n", text[0] != '\0' ? "  " : "", text);
}

void trace_verdict(const struct trace *trace, char *out, size_t room)
{
  const char *what = violation_text(trace->violation), *source = violation_source(trace->violation);
  if (trace->violation == ENDLESS)
    snprintf(out, room, "%s (%s)", what, source);
  else
    snprintf(out, room, "%c: %s (%s)", 'A' + trace->victim, what, source);
}

void trace_ladder(const struct trace *trace, bool ascii, FILE *to)
{
  fprintf(to, "       %-12s %*s %s\n", "A", MIDDLE, "", "B");
  for (uint32_t i = 0; i < trace->count; i++) {
    if (i == trace->cycle_from)
      fprintf(to, "       and from here round and round:\n");
    print_scene(trace, i, ascii, to);
  }
  const struct state *last = trace->count > 0 ? &trace->scenes[trace->count - 1].after : NULL;
  for (uint32_t i = 0; last != NULL && i < last->flying_count; i++) {
    char text[120];
    segment_text(trace->world, &last->flying[i], text, sizeof text);
    fprintf(to, "       still on its way to %c: %s\n", 'A' + last->flying[i].to, text);
  }
  char verdict[200];
  trace_verdict(trace, verdict, sizeof verdict);
  fprintf(to, "  %s\n", verdict);
}
