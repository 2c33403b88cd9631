/* A counterexample as a picture: two lifelines, and a row for each move. A segment flies from the row in which it left to
 * the one in which it arrives, so that one which is late crosses what was sent after it. SPDX-License-Identifier: MIT */
#include "explore.h"
#include "picture.h"

#include <errno.h>
#include <string.h>

enum { WIDTH = 860, LEFT = 150, RIGHT = 710, ROW = 38, REMARK = 14, SIZE = 12 };

struct drawing {
  const struct trace *trace;
  FILE *file;
  double y[MOST_ROWS + 2]; /* of the rows, from 1; of what was there before, and of what is behind the last */
};

static double lifeline(uint8_t end)
{
  return end == 0 ? LEFT : RIGHT;
}

/* That it was sent in an earlier row is seen. */
static void remarks_of(const struct trace *trace, uint32_t at, char *out, size_t room)
{
  char all[200];
  scene_remarks(trace, at, all, sizeof all);
  const char *rest = strncmp(all, "sent in ", 8) == 0 ? strstr(all, "; ") : all;
  snprintf(out, room, "%s", rest == NULL ? "" : rest == all ? all : rest + 2);
  if (at == trace->cycle_from)
    snprintf(out, room, "from here round and round");
}

static void place(struct drawing *d)
{
  char text[200];
  double y = 92;
  d->y[0] = y;
  for (uint32_t i = 0; i < d->trace->count; i++) {
    y += ROW;
    d->y[i + 1] = y;
    remarks_of(d->trace, i, text, sizeof text);
    y += text[0] != '\0' ? REMARK : 0;
  }
  d->y[d->trace->count + 1] = y + ROW;
}

static void words(const struct drawing *d, const char *class, double x, double y, const char *text)
{
  put(d->file, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%d\">", class, x, y, SIZE);
  put_text(d->file, text);
  fputs("</text>\n", d->file);
}

/* From where it left to where it arrives: of one that is lost a part of the way, of a forged one the end. */
static void draw_flight(const struct drawing *d, const struct flying *f, uint32_t from, uint32_t to, bool lost,
                        bool forged)
{
  uint8_t sender = !f->to;
  char colour = lost || forged ? 'x' : sender == 0 ? 'l' : 'r';
  double part = lost ? 0.62 : 1, x0 = forged ? (LEFT + RIGHT) / 2.0 : lifeline(sender), y0 = d->y[from];
  double x = x0 + (lifeline(f->to) - x0) * part, y = y0 + (d->y[to] - y0) * part;
  put(d->file, "<line class=\"s%c%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", colour, lost ? " a" : "", x0,
      y0, x, y);
  if (lost)
    put_sign(d->file, SIGN_LOST, x, y);
  else
    draw_head(d->file, colour, x0, y0, x, y);
}

/* At the end where it arrives. */
static void name_flight(const struct drawing *d, const struct flying *f, uint32_t to)
{
  char label[120];
  segment_text(d->trace->world, f, label, sizeof label);
  words(d, f->to == 1 ? "h sg c e fi" : "h sg c fi", lifeline(f->to) + (f->to == 1 ? -12 : 12), d->y[to] - 13, label);
}

/* What nobody has received yet: the beginning of its way. */
static void draw_start(const struct drawing *d, const struct flying *f)
{
  char label[200];
  uint8_t sender = !f->to;
  uint32_t since = flying_since(d->trace, f);
  remarks_of(d->trace, since > 0 ? since - 1 : 0, label, sizeof label);
  double drop = since > 0 && label[0] != '\0' ? REMARK + 18 : 16; /* a remark has its place below the row */
  double y = d->y[since], x = lifeline(sender), to = x + (lifeline(f->to) - x) * 0.45;
  put(d->file, "<line class=\"s%c a\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", sender == 0 ? 'l' : 'r', x, y,
      to, y + drop);
  segment_text(d->trace->world, f, label, sizeof label);
  snprintf(label + strlen(label), sizeof label - strlen(label), ", on its way");
  words(d, f->to == 1 ? "h sg c fm" : "h sg c e fm", to + (f->to == 1 ? 6 : -6), y + drop + 4, label);
}

static void draw_state(const struct drawing *d, uint32_t at, uint8_t end)
{
  const struct scene *s = &d->trace->scenes[at];
  bool changed = at == 0 || s->before.conn[end].state != s->after.conn[end].state;
  double x = lifeline(end), y = d->y[at + 1];
  if (changed)
    put(d->file, "<circle class=\"f%c\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", end == 0 ? 'l' : 'r', x, y);
  words(d, end == 0 ? (changed ? "d e fi" : "e fm") : (changed ? "d fi" : "fm"), x + (end == 0 ? -10 : 10), y + 4,
        vtcp_state_name(s->after.conn[end].state));
}

static bool is_flight(const struct drawing *d, uint32_t at)
{
  char text[200];
  scene_act(d->trace, at, text, sizeof text);
  return text[0] == '\0';
}

static void draw_move(const struct drawing *d, uint32_t at)
{
  const struct scene *s = &d->trace->scenes[at];
  bool forged = s->move.kind == MOVE_ATTACK;
  if (is_flight(d, at))
    draw_flight(d, &s->outcome.came, forged ? at : sent_in(d->trace, at), at + 1, s->move.kind == MOVE_LOSE, forged);
}

static void name_move(const struct drawing *d, uint32_t at)
{
  const struct scene *s = &d->trace->scenes[at];
  uint8_t end = is_flight(d, at) ? s->outcome.came.to : s->move.end;
  double inside = lifeline(end) + (end == 0 ? 12 : -12);
  char text[200];
  scene_act(d->trace, at, text, sizeof text);
  if (text[0] != '\0')
    words(d, end == 0 ? "h sg d fi" : "h sg d e fi", inside, d->y[at + 1] - 5, text);
  else
    name_flight(d, &s->outcome.came, at + 1);
  remarks_of(d->trace, at, text, sizeof text);
  words(d, end == 0 ? "h sg fm" : "h sg e fm", inside, d->y[at + 1] + REMARK, text);
  snprintf(text, sizeof text, "%u", at + 1);
  words(d, "c fm", 12, d->y[at + 1] + 4, text);
  for (end = 0; end < 2; end++)
    draw_state(d, at, end);
}

static void draw_ends(const struct drawing *d)
{
  static const char *const names[] = {"A", "B"};
  for (uint8_t end = 0; end < 2; end++) {
    words(d, end == 0 ? "d y fl" : "d y fr", lifeline(end), d->y[0] - 12, names[end]);
    put(d->file, "<line class=\"s%c\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", end == 0 ? 'l' : 'r',
        lifeline(end), d->y[0] - 6, lifeline(end), d->y[d->trace->count + 1]);
  }
}

static void draw_all(struct drawing *d)
{
  char verdict[200];
  double height = d->y[d->trace->count + 1] + 40;
  put(d->file,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" role=\"group\">",
      WIDTH, height, WIDTH, height);
  fputs("<title>", d->file);
  trace_verdict(d->trace, verdict, sizeof verdict);
  put_text(d->file, verdict);
  fputs("</title><style>\n", d->file);
  put_style(d->file);
  put(d->file, "</style>\n<rect class=\"fg sn\" x=\".5\" y=\".5\" width=\"%d\" height=\"%.0f\" rx=\"6\"/>\n", WIDTH - 1,
      height - 1);
  words(d, "d fi", 16, 24, d->trace->world->name);
  words(d, "fm", 16, 42, d->trace->world->about);
  draw_ends(d);
  for (uint32_t i = 0; i < d->trace->count; i++)
    draw_move(d, i);
  const struct state *last = &d->trace->scenes[d->trace->count - 1].after;
  for (uint32_t i = 0; i < last->flying_count; i++)
    draw_start(d, &last->flying[i]);
  for (uint32_t i = 0; i < d->trace->count; i++)
    name_move(d, i);
  words(d, "d fx", 16, height - 14, verdict);
  fputs("</svg>\n", d->file);
}

bool trace_picture(const struct trace *trace, const char *path)
{
  static struct drawing d;
  d = (struct drawing){.trace = trace};
  if (trace->count == 0 || trace->count > MOST_ROWS) {
    fprintf(stderr, "vtcp explore: %s: a picture holds 1 to %u moves, and these are %u\n", path, MOST_ROWS,
            trace->count);
    return false;
  }
  d.file = fopen(path, "wb");
  if (d.file != NULL) {
    place(&d);
    draw_all(&d);
  }
  bool fine = d.file != NULL && ferror(d.file) == 0;
  if (d.file != NULL && fclose(d.file) != 0)
    fine = false;
  if (!fine)
    fprintf(stderr, "vtcp explore: %s: %s\n", path, strerror(errno));
  return fine;
}
