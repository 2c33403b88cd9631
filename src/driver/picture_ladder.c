/* The ladder, drawn: a row for each segment, both lifelines with their states, an arrow that ends where and when its receiver
 * had it, and under it what is remarked, found and explained. SPDX-License-Identifier: MIT */
#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Lifelines --- */

/* How alive an endpoint is shows in its line: dotted before and after, dashed while it opens, bold while it is open. */
static const char *line_class(uint8_t state)
{
  switch (state) {
  case VTCP_SYN_SENT:
  case VTCP_SYN_RECEIVED: return "a";
  case VTCP_ESTABLISHED: return "v";
  case VTCP_FIN_WAIT_1:
  case VTCP_FIN_WAIT_2:
  case VTCP_CLOSE_WAIT:
  case VTCP_CLOSING:
  case VTCP_LAST_ACK: return "z";
  default: return "p";
  }
}

static void draw_life(FILE *file, const struct look *look, uint8_t side, uint8_t state, double from, double to)
{
  double x = side == 0 ? look->left : look->right;
  if (to > from)
    put(file, "<line class=\"s%c %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", side == 0 ? 'l' : 'r',
        line_class(state), x, from, x, to);
}

/* States are those after the segment: they begin at its arrow. */
static void draw_lives(FILE *file, const struct rungs *rows, uint32_t from, uint32_t to)
{
  for (uint8_t side = 0; side < 2; side++) {
    double since = rows->row[from].top;
    uint32_t first = rows->row[from].index;
    uint8_t state = first > 0 ? rows->conn->packets[first - 1].state[side] : (uint8_t)NO_STATE;
    for (uint32_t i = from; i < to; i++) {
      uint8_t next = rows->conn->packets[rows->row[i].index].state[side];
      if (next == state)
        continue;
      draw_life(file, rows->look, side, state, since, rows->row[i].arrow);
      since = rows->row[i].arrow;
      state = next;
    }
    draw_life(file, rows->look, side, state, since, to < rows->count ? rows->row[to].top + SEAM : rows->height);
  }
}

static void draw_state(FILE *file, const struct rungs *rows, uint32_t index, uint8_t side, double y)
{
  const struct look *look = rows->look;
  const struct packet *p = &rows->conn->packets[index];
  bool moved = index == 0 || p->state[side] != (p - 1)->state[side];
  double x = side == 0 ? look->left : look->right;
  if (moved)
    put(file, "<circle class=\"f%c\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", side == 0 ? 'l' : 'r', x, y);
  put(file, "<text class=\"c %s %s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%s</text>", side == 0 ? "e" : "",
      moved ? "fi d" : "fm", x + (side == 0 ? -8 : 8), y + look->size * 0.36, look->size, state_text(p->state[side]));
}

/* --- Arrows --- */

/* What crosses another segment, where that is remarked; for text it is no more than a guess (timeline.c). */
static bool crosses(const struct packet *p, uint32_t index)
{
  bool remarked = (p->marks & MARK_LATE) != 0 && (p->seg.syn || p->seg.fin || p->seg.rst);
  return remarked && p->arrives != NOWHERE && p->arrives > index;
}

static double arrival(const struct rungs *rows, uint32_t i)
{
  const struct packet *p = &rows->conn->packets[rows->row[i].index];
  if (!crosses(p, rows->row[i].index))
    return rows->row[i].arrow + SLANT;
  uint32_t k = i;
  while (k < rows->count && rows->row[k].index < p->arrives)
    k++;
  return k < rows->count ? rows->row[k].arrow + SLANT + 3 : rows->height;
}

/* A head whose tip is at (x, y), for an arrow that comes from (x0, y0). */
void draw_head(FILE *file, char colour, double x0, double y0, double x, double y)
{
  double length = hypot(x - x0, y - y0), dx = length > 0 ? (x - x0) / length : 1,
         dy = length > 0 ? (y - y0) / length : 0;
  double bx = x - 9 * dx, by = y - 9 * dy;
  put(file, "<path class=\"f%c\" style=\"fill-opacity:1;stroke:none\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"/>", colour,
      x, y, bx - 4 * dy, by + 4 * dx, bx + 4 * dy, by - 4 * dx);
}

static void draw_arrow(FILE *file, const struct look *look, const struct packet *p, double from, double to)
{
  bool gone = p->arrives == NOWHERE && (p->marks & MARK_DUPLICATE) == 0;
  double x0 = p->from == 0 ? look->left : look->right, x1 = p->from == 0 ? look->right : look->left;
  char colour = gone ? 'x' : p->from == 0 ? 'l' : 'r';
  const char *style = (p->marks & MARK_DUPLICATE) != 0 ? "p" : gone || (p->marks & MARK_AGAIN) != 0 ? "a" : "";
  double part = gone ? 0.62 : 1, x = x0 + (x1 - x0) * part, y = from + (to - from) * part;
  put(file, "<line class=\"s%c %s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", colour, style, x0, from,
      gone ? x : x - (x1 > x0 ? 6 : -6), y);
  if (gone)
    put_sign(file, SIGN_LOST, x, y);
  else
    draw_head(file, colour, x0, from, x, y);
}

/* --- Rows --- */

static void put_time(FILE *file, const struct connection *conn, const struct packet *p)
{
  uint64_t us = p->us >= conn->packets[0].us ? p->us - conn->packets[0].us : 0;
  put(file, "%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
}

/* The row in words, for those who hear it or point at it. */
static void put_words(FILE *file, const struct rungs *rows, uint32_t index)
{
  const struct packet *p = &rows->conn->packets[index];
  char text[240];
  label_text(p, text, sizeof text);
  put(file, "<title>#%llu at ", (unsigned long long)p->number);
  put_time(file, rows->conn, p);
  put(file, " s, %s: %s; then left %s, right %s", p->from == 0 ? "left to right" : "right to left", text,
      state_text(p->state[0]), state_text(p->state[1]));
  annotations(rows->conn, index, text, sizeof text);
  fputs(text[0] != '\0' ? "; " : "", file);
  put_text(file, text);
  fputs("</title>", file);
}

static void draw_number(FILE *file, const struct rungs *rows, const struct rung *row)
{
  const struct look *look = rows->look;
  const struct packet *p = &rows->conn->packets[row->index];
  double small = look->size * 0.9, y = look->narrow ? row->arrow - look->size * 0.9 : row->arrow + look->size * 0.36;
  put(file, "<text class=\"c e fm\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">#%llu</text>",
      look->narrow ? look->left - 8 : 144, y, small, (unsigned long long)p->number);
  put(file, "<text class=\"c %s fm\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">", look->narrow ? "" : "e",
      look->narrow ? look->right + 8 : 78, y, small);
  put_time(file, rows->conn, p);
  fputs("</text>", file);
}

static void draw_label(FILE *file, const struct line *line, bool first, bool left, const struct look *look, double y)
{
  const char *flags_end = first ? strchr(line->text, ' ') : NULL;
  put(file, "<text class=\"c h sg fi %s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">", left ? "" : "e",
      left ? look->left + 12 : look->right - 12, y, look->size);
  if (flags_end != NULL)
    put(file, "<tspan class=\"d\">%.*s</tspan>", (int)(flags_end - line->text), line->text);
  put_text(file, flags_end != NULL ? flags_end : line->text);
  fputs("</text>", file);
}

static void draw_remark(FILE *file, const struct line *line, bool left, const struct look *look, double y)
{
  bool starts = left || line->kind != LINE_REMARK, wide = line->kind != LINE_REMARK && line->kind != LINE_LESSON;
  double indent = 12 + (line->kind != LINE_LESSON ? 15 : 0), x = starts ? look->left + indent : look->right - indent;
  const char *colour = line->kind == LINE_FINDING ? "fi" : "fm";
  put_sign(file, line->sign, starts ? look->left + 18 : look->right - 18, y - look->size * 0.33);
  put(file, "<text class=\"h %s %s%s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">", wide ? "sb" : "sg", colour,
      starts ? "" : " e", x, y, look->size * 0.95);
  put_text(file, line->text);
  fputs("</text>", file);
}

static void draw_band(FILE *file, const struct look *look, enum sign sign, double y, double height)
{
  put(file, "<rect class=\"fb\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", look->left + 6, y,
      look->right - look->left - 12, height);
  put(file, "<line class=\"s%c v\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", sign == SIGN_DEPARTS ? 'x' : 'w',
      look->left + 7.5, y, look->left + 7.5, y + height);
}

/* Under what was found, a band as high as it is long. */
static void draw_bands(FILE *file, const struct rungs *rows, const struct line *lines, uint32_t count, double y)
{
  double step = leading(rows->look);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t end = i + 1;
    if (lines[i].kind != LINE_FINDING || lines[i].sign == SIGN_NONE)
      continue;
    while (end < count && lines[end].sign == SIGN_NONE && lines[end].kind != LINE_LESSON)
      end++;
    draw_band(file, rows->look, lines[i].sign, y + i * step + 4, (end - i) * step);
  }
}

static void draw_elision(FILE *file, const struct rungs *rows, uint32_t skipped, double y)
{
  const struct look *look = rows->look;
  put(file, "<rect class=\"fb\" x=\"4\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\"/>", y + 4, look->width - 8,
      ELISION - 8.0);
  put(file,
      "<text class=\"y fi\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">\u22ef %u segments are left out here "
      "\u22ef</text>",
      look->width / 2, y + ELISION / 2.0 + look->size * 0.36, look->size, skipped);
}

static void draw_row(FILE *file, const struct rungs *rows, uint32_t id, uint32_t i)
{
  const struct rung *row = &rows->row[i];
  const struct packet *p = &rows->conn->packets[row->index];
  struct line lines[LINES];
  uint32_t said = row->lessons, count = lines_of(rows, row, &said, lines), labels = 0;
  double step = leading(rows->look);
  put(file, "<g class=\"row\" role=\"img\" id=\"c%u-%u\">", id, row->index + 1);
  put_words(file, rows, row->index);
  while (labels < count && lines[labels].kind == LINE_LABEL)
    labels++;
  double below = row->arrow + SLANT + 2;
  draw_bands(file, rows, lines + labels, count - labels, below);
  draw_arrow(file, rows->look, p, row->arrow, arrival(rows, i));
  for (uint32_t k = 0; k < labels; k++)
    draw_label(file, &lines[k], k == 0, p->from == 0, rows->look, row->arrow - 5 - (labels - 1 - k) * step);
  for (uint32_t k = labels; k < count; k++)
    draw_remark(file, &lines[k], p->from == 0, rows->look, below + (k - labels + 1) * step - 1);
  draw_number(file, rows, row);
  for (uint8_t side = 0; side < 2; side++)
    draw_state(file, rows, row->index, side, row->arrow);
  fputs("</g>\n", file);
}

/* Arrows that began above and end here. */
static void draw_comers(FILE *file, const struct rungs *rows, uint32_t from)
{
  enum { LOOK_BACK = 256 };
  for (uint32_t i = from > LOOK_BACK ? from - LOOK_BACK : 0; i < from; i++)
    if (arrival(rows, i) > rows->row[from].top)
      draw_arrow(file, rows->look, &rows->conn->packets[rows->row[i].index], rows->row[i].arrow, arrival(rows, i));
}

void draw_rows(FILE *file, const struct rungs *rows, uint32_t id, uint32_t from, uint32_t to)
{
  draw_lives(file, rows, from, to);
  draw_comers(file, rows, from);
  for (uint32_t i = from; i < to; i++) {
    if (rows->row[i].skipped > 0)
      draw_elision(file, rows, rows->row[i].skipped, rows->row[i].top);
    draw_row(file, rows, id, i);
  }
  if (to == rows->count && rows->skipped_after > 0)
    draw_elision(file, rows, rows->skipped_after, rows->height - ELISION);
}

/* --- The head of a ladder --- */

double names_height(const struct rungs *rows)
{
  return 2 * leading(rows->look) + 8;
}

static void draw_name(FILE *file, const struct rungs *rows, uint8_t side, double y)
{
  const struct look *look = rows->look;
  char name[64];
  endpoint_text(&rows->conn->side[side].endpoint, name, sizeof name);
  bool fits = (double)strlen(name) * 0.61 * look->size <= 2 * look->left - 8;
  double line = side == 0 ? look->left : look->right;
  double x = fits ? line : side == 0 ? 4 : look->width - 4;
  put(file, "<text class=\"c d f%c %s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">", side == 0 ? 'l' : 'r',
      fits        ? "y"
      : side == 0 ? ""
                  : "e",
      x, y + (fits || side == 1 ? 2 : 1) * leading(look), look->size);
  put_text(file, name);
  fputs("</text>", file);
}

void draw_names(FILE *file, const struct rungs *rows, double y)
{
  for (uint8_t side = 0; side < 2; side++)
    draw_name(file, rows, side, y);
}

/* --- Time to scale --- */

static const double SCALED_LEAST = 360, SCALED_MOST = 9000, SCALED_TOP = 16;

static uint64_t since(const struct rungs *rows, const struct rung *row)
{
  uint64_t first = rows->conn->packets[rows->row[0].index].us, us = rows->conn->packets[row->index].us;
  return us > first ? us - first : 0;
}

/* So high that the rows would have room, were they spread evenly. A clock that was set back draws no row upwards. */
void rows_place_to_scale(struct rungs *rows)
{
  double height = rows->count * 3 * rows->look->size;
  uint64_t whole = 1, latest = 0;
  height = height < SCALED_LEAST ? SCALED_LEAST : height > SCALED_MOST ? SCALED_MOST : height;
  for (uint32_t i = 0; i < rows->count; i++)
    whole = since(rows, &rows->row[i]) > whole ? since(rows, &rows->row[i]) : whole;
  for (uint32_t i = 0; i < rows->count; i++) {
    struct rung *row = &rows->row[i];
    latest = since(rows, row) > latest ? since(rows, row) : latest;
    row->arrow = row->top = row->bottom = SCALED_TOP + height * (double)latest / (double)whole;
  }
  rows->height = SCALED_TOP + height + 2 * SCALED_TOP;
}

static void draw_scaled_text(FILE *file, const struct rungs *rows, uint32_t i)
{
  const struct rung *row = &rows->row[i];
  const struct packet *p = &rows->conn->packets[row->index];
  struct line line = {.kind = LINE_LABEL};
  char text[240];
  const char *at = text;
  label_text(p, text, sizeof text);
  take_line(&at, rows->look->label - 2, true, line.text, sizeof line.text);
  enum sign sign = p->marks != 0 ? sign_of(p->marks, p->seg.sack_count > 0) : SIGN_NONE;
  struct look look = *rows->look;
  if (sign != SIGN_NONE && sign != SIGN_OTHER) {
    put_sign(file, sign, p->from == 0 ? look.left + 16 : look.right - 16, row->arrow - 8);
    look.left += 12;
    look.right -= 12;
  }
  draw_label(file, &line, true, p->from == 0, &look, row->arrow - 4);
}

static void draw_tick(FILE *file, const struct rungs *rows, const struct rung *row)
{
  const struct look *look = rows->look;
  put(file, "<text class=\"c fm\" x=\"2\" y=\"%.1f\" font-size=\"%.1f\">", row->arrow + look->size * 0.36,
      look->size * 0.9);
  put_time(file, rows->conn, &rows->conn->packets[row->index]);
  fputs("</text>", file);
}

static bool moves(const struct rungs *rows, uint32_t i, uint8_t side)
{
  const struct packet *p = &rows->conn->packets[rows->row[i].index];
  return rows->row[i].index == 0 || p->state[side] != (p - 1)->state[side];
}

/* Whether a new state of the left endpoint needs the place. */
static bool state_follows(const struct rungs *rows, uint32_t i, double room)
{
  for (uint32_t k = i; k < rows->count && rows->row[k].arrow < rows->row[i].arrow + room; k++)
    if (moves(rows, k, 0))
      return true;
  return false;
}

/* What would cover the text before it is left to its title. */
void draw_rows_to_scale(FILE *file, const struct rungs *rows)
{
  double label = -100, tick = -100, state[2] = {-100, -100}, room = rows->look->size * 1.2;
  draw_lives(file, rows, 0, rows->count);
  for (uint32_t i = 0; i < rows->count; i++) {
    const struct rung *row = &rows->row[i];
    const struct packet *p = &rows->conn->packets[row->index];
    fputs("<g class=\"at\" role=\"img\">", file);
    put_words(file, rows, row->index);
    draw_arrow(file, rows->look, p, row->arrow, crosses(p, row->index) ? arrival(rows, i) : row->arrow + 2);
    if (row->arrow - label >= room) {
      draw_scaled_text(file, rows, i);
      label = row->arrow;
    }
    for (uint8_t side = 0; side < 2; side++) {
      if (!moves(rows, i, side) || row->arrow - state[side] < room)
        continue;
      draw_state(file, rows, row->index, side, row->arrow);
      state[side] = row->arrow;
    }
    if (row->arrow - tick >= 1.5 * room && row->arrow - state[0] >= room && !state_follows(rows, i, room)) {
      draw_tick(file, rows, row);
      tick = row->arrow;
    }
    fputs("</g>\n", file);
  }
}
