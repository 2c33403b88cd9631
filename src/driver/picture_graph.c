/* One direction as a time-sequence graph: what was sent, and when, between what was acknowledged and what the window
 * allowed. What falls on the same spot is drawn once, so a picture is no larger for a long connection.
 * SPDX-License-Identifier: MIT */
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST = 4, MOST_MARKS = 20000 };

struct graph {
  FILE *file;
  const struct rungs *rows;
  uint8_t side;
  double left, top, width, height; /* of the plot */
  double begin;                    /* of the connection, in microseconds */
  double us0, us, low, high;       /* what it shows */
  uint32_t marks, dropped;
  uint32_t seen; /* signs, as bits */
};

static const struct packet *packet_at(const struct graph *graph, uint32_t i)
{
  return &graph->rows->conn->packets[i];
}

static bool counts(const struct packet *p)
{
  return (p->marks & (MARK_FOREIGN | MARK_DUPLICATE)) == 0;
}

bool graph_wanted(const struct rungs *rows, uint8_t side)
{
  uint32_t text = 0;
  for (uint32_t i = rows->row[0].index; i <= rows->last && text < FEWEST; i++) {
    const struct packet *p = &rows->conn->packets[i];
    text += p->from == side && p->seg.len > 0 && counts(p);
  }
  return text == FEWEST;
}

/* --- Scales --- */

static double x_of(const struct graph *graph, const struct packet *p)
{
  double us = (double)p->us - graph->us0;
  return graph->left + graph->width * fmin(fmax(us / graph->us, -2), 2);
}

static double y_of(const struct graph *graph, int64_t place)
{
  return graph->top + graph->height * (1 - ((double)place - graph->low) / (graph->high - graph->low));
}

static int64_t edge_of(const struct packet *p)
{
  return p->ack + p->window;
}

static bool tells_window(const struct packet *p)
{
  return p->seg.has_ack && !p->seg.rst && counts(p);
}

/* From the first text to the last, and its acknowledgment; all there is, where that is not much more. */
static void find_time(struct graph *graph)
{
  const uint32_t begin = graph->rows->row[0].index, end = graph->rows->last;
  double first = (double)packet_at(graph, begin)->us, last = first, from = 0, to = 0;
  int64_t acked = -1, sent = -1;
  for (uint32_t i = begin; i <= end; i++) {
    const struct packet *p = packet_at(graph, i);
    bool text = p->from == graph->side && p->seg.len > 0 && counts(p);
    bool answers = p->from != graph->side && tells_window(p) && p->ack > acked && acked < sent;
    last = fmax(last, (double)p->us);
    if (text && sent < 0)
      from = (double)p->us;
    if (text || answers)
      to = fmax(to, (double)p->us);
    if (text && p->end > sent)
      sent = p->end;
    if (answers)
      acked = p->ack;
  }
  bool whole = last - first <= 3 * (to - from);
  graph->begin = first;
  graph->us0 = whole ? first : from - 0.04 * (to - from);
  graph->us = fmax(whole ? (last - first) * 1.02 : 1.08 * (to - from), 1);
}

/* All that was sent, a part of the window above it, and no more: it may be a thousand times as large. */
static void find_places(struct graph *graph)
{
  double edge = -1e18;
  graph->low = 1e18;
  graph->high = -1e18;
  for (uint32_t i = graph->rows->row[0].index; i <= graph->rows->last; i++) {
    const struct packet *p = packet_at(graph, i);
    if (p->from != graph->side && tells_window(p))
      edge = fmax(edge, (double)edge_of(p));
    if (p->from != graph->side || !counts(p) || p->seg.rst)
      continue;
    graph->low = fmin(graph->low, (double)p->start);
    graph->high = fmax(graph->high, (double)p->end);
  }
  double span = fmax(graph->high - graph->low, 1);
  graph->high = fmin(fmax(edge, graph->high), graph->high + span / 4) + span * 0.04;
  graph->low -= span * 0.03;
}

static double nice_step(double span, double most)
{
  double step = pow(10, floor(log10(span / most)));
  return step * (span / step <= most ? 1 : span / step <= 2 * most ? 2 : span / step <= 5 * most ? 5 : 10);
}

/* --- Axes --- */

/* Seconds since the connection began, in a unit that suits the step. */
static void draw_time_axis(const struct graph *graph)
{
  const struct look *look = graph->rows->look;
  double seconds = graph->us / 1e6, since = (graph->us0 - graph->begin) / 1e6;
  double step = nice_step(seconds, look->narrow ? 4 : 7), bottom = graph->top + graph->height;
  double unit = step >= 0.5 ? 1 : step >= 0.0005 ? 1e3 : 1e6, at = ceil(since / step) * step;
  for (uint32_t i = 0; at <= since + seconds && i < 32; i++, at += step) {
    double x = graph->left + graph->width * (at - since) / seconds;
    put(graph->file, "<line class=\"sb\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x, graph->top, x, bottom);
    if (x > look->width - 24)
      continue;
    put(graph->file, "<text class=\"y fm\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%.10g%s</text>", x,
        bottom + look->size * 1.3, look->size * 0.95, round(at * unit * 100) / 100,
        unit > 1e5   ? " \u00b5s"
        : unit > 1e2 ? " ms"
                     : " s");
  }
}

static void draw_axes(const struct graph *graph)
{
  const struct look *look = graph->rows->look;
  double step = fmax(nice_step(graph->high - graph->low, 5), 1), y = ceil(graph->low / step) * step;
  double unit = step >= 1e6 ? 1e6 : step >= 1e4 ? 1e3 : 1;
  put(graph->file, "<rect class=\"u sn q\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", graph->left,
      graph->top, graph->width, graph->height);
  for (int i = 0; y <= graph->high && i < 32; i++, y += step) {
    double at = y_of(graph, (int64_t)y);
    put(graph->file, "<line class=\"sb\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", graph->left, at,
        graph->left + graph->width, at);
    put(graph->file, "<text class=\"e fm\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%lld%s</text>", graph->left - 5,
        at + look->size * 0.34, look->size * 0.95, (long long)(y / unit),
        unit > 1e5   ? " M"
        : unit > 1e2 ? " k"
                     : "");
  }
  draw_time_axis(graph);
}

/* --- Lines: what the receiver acknowledges, and how far it lets its peer go --- */

static void draw_steps(struct graph *graph, bool edge, const char *class)
{
  double last_x = 0, last_y = 0, highest = -1e18;
  bool begun = false;
  for (uint32_t i = graph->rows->row[0].index; i <= graph->rows->last; i++) {
    const struct packet *p = packet_at(graph, i);
    if (p->from == graph->side || !tells_window(p))
      continue;
    highest = edge ? (double)edge_of(p) : fmax(highest, (double)p->ack);
    double x = x_of(graph, p), y = y_of(graph, (int64_t)highest);
    if (begun && fabs(y - last_y) < 0.2)
      continue;
    if (graph->marks++ >= MOST_MARKS) {
      graph->dropped++;
      continue;
    }
    if (!begun)
      put(graph->file, "<path class=\"%s\" d=\"M%.1f %.1f", class, x, y);
    else
      put(graph->file, "H%.1fV%.1f", x, y);
    begun = true;
    last_x = x;
    last_y = y;
  }
  if (begun)
    put(graph->file, "H%.1f\"/>", fmax(last_x, graph->left + graph->width));
}

/* --- Segments --- */

struct bar { /* segments of a kind that touch, on the same spot */
  double x, low, high;
  uint32_t kind;
};

enum { BAR_NONE, BAR_NEW, BAR_AGAIN, BAR_SACK };

static void flush_bar(struct graph *graph, struct bar *bar)
{
  static const char *const shapes[] = {
      [BAR_NEW] = "<path class=\"s%c\" d=\"M%.1f %.1fV%.1fm-2 0h4M%.1f %.1fm-2 0h4\"/>",
      [BAR_AGAIN] = "<path class=\"s%c v\" d=\"M%.1f %.1fV%.1fm-3.5 0h7M%.1f %.1fm-3.5 0h7\"/>",
      [BAR_SACK] = "<path class=\"s%c\" d=\"M%.1f %.1fV%.1fm0 0h4M%.1f %.1fm0 0h4\"/>",
  };
  char colour = bar->kind == BAR_SACK ? 'k' : bar->kind == BAR_AGAIN ? 'w' : graph->side == 0 ? 'l' : 'r';
  if (bar->kind != BAR_NONE && graph->marks++ < MOST_MARKS)
    put(graph->file, shapes[bar->kind], colour, bar->x, bar->low, bar->high, bar->x, bar->low);
  else
    graph->dropped += bar->kind != BAR_NONE;
  bar->kind = BAR_NONE;
}

static void add_bar(struct graph *graph, struct bar *bar, uint32_t kind, double x, int64_t from, int64_t to)
{
  double low = y_of(graph, from), high = y_of(graph, to);
  bool touches = bar->kind == kind && fabs(x - bar->x) < 0.5 && low >= bar->high - 0.5 && high <= bar->low + 0.5;
  if (touches) {
    bar->low = fmax(bar->low, low);
    bar->high = fmin(bar->high, high);
    return;
  }
  flush_bar(graph, bar);
  *bar = (struct bar){.x = x, .low = low, .high = high, .kind = kind};
}

static void draw_segments(struct graph *graph)
{
  struct bar fresh = {.kind = BAR_NONE}, again = {.kind = BAR_NONE};
  for (uint32_t i = graph->rows->row[0].index; i <= graph->rows->last; i++) {
    const struct packet *p = packet_at(graph, i);
    if (p->from != graph->side || !counts(p) || p->end == p->start)
      continue;
    if ((p->marks & MARK_AGAIN) != 0)
      add_bar(graph, &again, BAR_AGAIN, x_of(graph, p), p->start, p->end);
    else
      add_bar(graph, &fresh, BAR_NEW, x_of(graph, p), p->start, p->end);
  }
  flush_bar(graph, &fresh);
  flush_bar(graph, &again);
}

static void draw_sacks(struct graph *graph)
{
  struct bar bar = {.kind = BAR_NONE};
  uint32_t isn = graph->rows->conn->side[graph->side].isn;
  for (uint32_t i = graph->rows->row[0].index; i <= graph->rows->last; i++) {
    const struct packet *p = packet_at(graph, i);
    if (p->from == graph->side || !counts(p) || p->seg.rst)
      continue;
    for (uint32_t k = 0; k < p->seg.sack_count && k < 4; k++) {
      int64_t from = p->ack + (int32_t)(p->seg.sack[k].left - isn - (uint32_t)p->ack);
      uint32_t length = p->seg.sack[k].right - p->seg.sack[k].left;
      if (length < 1u << 30)
        add_bar(graph, &bar, BAR_SACK, x_of(graph, p), from, from + length);
    }
  }
  flush_bar(graph, &bar);
}

/* --- Signs, no two of a kind on the same spot --- */

struct spot {
  double x, y;
};

static void draw_sign(struct graph *graph, struct spot *last, enum sign sign, double x, double y)
{
  bool outside = x < graph->left || x > graph->left + graph->width;
  if (outside || (fabs(x - last[sign].x) < 5 && fabs(y - last[sign].y) < 5))
    return;
  if (graph->marks++ >= MOST_MARKS) {
    graph->dropped++;
    return;
  }
  last[sign] = (struct spot){x, y};
  graph->seen |= 1u << sign;
  put_sign(graph->file, sign, x, y);
}

static void draw_word(struct graph *graph, const struct packet *p)
{
  const char *word = p->seg.syn ? "SYN" : p->seg.fin ? "FIN" : "RST";
  double x = x_of(graph, p), y = y_of(graph, p->end), size = graph->rows->look->size * 0.9;
  bool end = x > graph->left + graph->width - 40;
  if (!p->seg.syn && !p->seg.fin && !p->seg.rst)
    return;
  if (x < graph->left || x > graph->left + graph->width || graph->marks++ >= MOST_MARKS)
    return;
  y = fmin(fmax(y, graph->top + size), graph->top + graph->height - 3);
  put(graph->file, "<text class=\"h sg d f%c %s\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%s</text>",
      graph->side == 0 ? 'l' : 'r', end ? "e" : "", end ? x - 5 : x + 5, y, size, word);
}

static void draw_signs(struct graph *graph)
{
  const struct connection *conn = graph->rows->conn;
  struct spot last[SIGN_OTHER + 1];
  for (size_t i = 0; i < sizeof last / sizeof *last; i++)
    last[i] = (struct spot){-1e9, -1e9};
  for (uint32_t i = graph->rows->row[0].index; i <= graph->rows->last; i++) {
    const struct packet *p = packet_at(graph, i);
    if (!counts(p))
      continue;
    if (p->from == graph->side && (p->marks & (MARK_LOST | MARK_DAMAGED)) != 0 && p->end > p->start)
      draw_sign(graph, last, SIGN_LOST, x_of(graph, p), y_of(graph, (p->start + p->end) / 2));
    if (p->from != graph->side && (p->marks & MARK_ZERO_WINDOW) != 0)
      draw_sign(graph, last, SIGN_ZERO, x_of(graph, p), y_of(graph, p->ack) - 8);
    if (p->from == graph->side)
      draw_word(graph, p);
  }
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    const struct packet *p = packet_at(graph, conn->findings[i].packet);
    bool shown = conn->findings[i].packet >= graph->rows->row[0].index && conn->findings[i].packet <= graph->rows->last;
    if (shown && p->from == graph->side && counts(p))
      draw_sign(graph, last, conn->findings[i].severity == VIOLATION ? SIGN_DEPARTS : SIGN_ADVICE, x_of(graph, p),
                graph->top + 10);
  }
}

/* --- Around it --- */

static double legend_entry(const struct graph *graph, double *x, double y, const char *shape, enum sign sign,
                           const char *text, uint32_t letters)
{
  const struct look *look = graph->rows->look;
  double width = 30 + letters * look->size * 0.58;
  if (*x + width > look->width - 4) {
    *x = look->narrow ? 6 : graph->left;
    y += look->size * 1.5;
  }
  put(graph->file, "<g transform=\"translate(%.1f %.1f)\">%s</g>", *x + 9, y - look->size * 0.34, shape);
  put_sign(graph->file, sign, *x + 9, y - look->size * 0.34);
  put(graph->file, "<text class=\"fm\" x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\">%s</text>", *x + 21, y,
      look->size * 0.95, text);
  *x += width;
  return y;
}

static double draw_legend(const struct graph *graph, double y)
{
  static const struct {
    const char *shape, *text;
    uint32_t letters;
  } lines[] = {
      {"<path class=\"s%c\" d=\"M0-5V5m-2 0h4M0-5m-2 0h4\"/>", "a segment", 9},
      {"<path class=\"s%c v\" d=\"M0-5V5m-3.5 0h7M0-5m-3.5 0h7\"/>", "sent again", 10},
      {"<path class=\"s%c\" d=\"M-8 3H0V-3H8\"/>", "acknowledged", 12},
      {"<path class=\"s%c p\" d=\"M-8 3H0V-3H8\"/>", "end of the window", 17},
      {"<path class=\"s%c\" d=\"M-2-5V5m0 0h4M-2-5m0 0h4\"/>", "SACK", 4},
  };
  const char colours[] = {graph->side == 0 ? 'l' : 'r', 'w', graph->side == 0 ? 'r' : 'l', 'm', 'k'};
  double x = graph->rows->look->narrow ? 6 : graph->left;
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    char shape[96];
    snprintf(shape, sizeof shape, lines[i].shape, colours[i]);
    y = legend_entry(graph, &x, y, shape, SIGN_NONE, lines[i].text, lines[i].letters);
  }
  for (enum sign sign = SIGN_LOST; sign < SIGN_OTHER; sign++)
    if ((graph->seen >> sign & 1) != 0)
      y = legend_entry(graph, &x, y, "", sign, sign_text(sign), 20);
  return y + graph->rows->look->size * 0.8;
}

static double draw_title(const struct graph *graph, double y)
{
  const struct look *look = graph->rows->look;
  char from[64], to[64], text[200], line[160];
  const char *at = text;
  endpoint_text(&graph->rows->conn->side[graph->side].endpoint, from, sizeof from);
  endpoint_text(&graph->rows->conn->side[!graph->side].endpoint, to, sizeof to);
  snprintf(text, sizeof text, "Sequence numbers over time, from %s to %s", from, to);
  while (*at != '\0') {
    take_line(&at, look->narrow ? 33 : 58, false, line, sizeof line);
    y += look->size * 1.4;
    put(graph->file, "<text class=\"d fi\" x=\"%d\" y=\"%.1f\" font-size=\"%.1f\">", look->narrow ? 6 : 16, y,
        look->size * 1.1);
    put_text(graph->file, line);
    fputs("</text>", graph->file);
  }
  return y;
}

/* Draws at y; where it ends. */
double draw_graph(FILE *file, const struct rungs *rows, uint8_t side, double y)
{
  const struct look *look = rows->look;
  struct graph graph = {.file = file, .rows = rows, .side = side};
  char ack[8] = {'s', side == 0 ? 'r' : 'l', '\0'};
  graph.left = look->narrow ? 58 : 84;
  graph.width = look->width - graph.left - (look->narrow ? 10 : 24);
  graph.height = look->narrow ? 230 : 300;
  find_time(&graph);
  find_places(&graph);
  fputs("<g class=\"graph\"><title>Sequence numbers over time</title>", file);
  graph.top = draw_title(&graph, y) + look->size;
  draw_axes(&graph);
  put(file, "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" viewBox=\"%.1f %.1f %.1f %.1f\">", graph.left,
      graph.top, graph.width, graph.height, graph.left, graph.top, graph.width, graph.height);
  draw_steps(&graph, true, "sm p");
  draw_steps(&graph, false, ack);
  draw_sacks(&graph);
  draw_segments(&graph);
  draw_signs(&graph);
  fputs("</svg>", file);
  y = draw_legend(&graph, graph.top + graph.height + 3.6 * look->size);
  if (graph.dropped > 0) {
    y += look->size;
    put(file,
        "<text class=\"fi\" x=\"6\" y=\"%.1f\" font-size=\"%.1f\">%u marks are left out: there are too many</text>", y,
        look->size, graph.dropped);
  }
  fputs("</g>\n", file);
  return y + look->size;
}
