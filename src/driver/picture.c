/* The two documents: an SVG, whose height is known when all is drawn, and an HTML page, written as it goes. What would make
 * them too large is left out, and they say so. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FOLD = 200, STRIP = 150, SCALED = 400, GRAPHS = 40, OPEN_LADDERS = 5 };

static const struct look narrow = {
    .width = 400, .left = 86, .right = 314, .size = 10.5, .label = 20, .remark = 20, .narrow = true};
static const struct look wide = {.width = 800, .left = 246, .right = 690, .size = 12, .label = 35, .remark = 37};

/* --- Opening and closing --- */

static bool say(const char *path, const char *why)
{
  fputs("vtcp: ", stderr);
  for (const char *c = path; *c != '\0'; c++)
    fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, stderr);
  fprintf(stderr, ": %s\n", why);
  return false;
}

static void begin_page(FILE *file)
{
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
        "<meta name=\"color-scheme\" content=\"light dark\"/>"
        "<title>TCP connections, drawn by vtcp</title>\n<style>\n",
        file);
  put_style(file);
  fputs("body{margin:0;padding:8px 12px 48px;font:16px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',"
        "'DejaVu Sans',sans-serif;overflow-wrap:anywhere}"
        "main{max-width:1120px;margin:0 auto}h1{font-size:1.35rem;margin:1rem 0 .3rem}h2{font-size:1.05rem;margin:0}"
        "p{margin:.35rem 0}section{margin:1rem 0}svg{display:block;width:100%;height:auto}"
        ".sides{display:grid;gap:8px 40px}.ladder{max-width:560px;margin:0 auto;width:100%}.sides>*{min-width:0}"
        ".facts{margin:.4rem 0;padding:.5rem .75rem;border:1px solid;border-radius:6px}.facts li{margin:.3rem 0}"
        ".facts ol{margin:.2rem "
        "0;padding-left:1.6rem}svg.mark{display:inline-block;width:1em;height:1em;vertical-align:-.12em}.strip{margin-"
        "bottom:-.6px}"
        "details>summary{cursor:pointer;padding:.5rem 0;font-weight:600}summary h2{display:inline}"
        "pre{overflow-x:auto;white-space:pre-wrap;font-size:.85rem}\n"
        "@media(max-width:979px){.aside{order:-1}}"
        "@media(max-width:600px){body{padding:4px 8px 32px;font-size:15px}}"
        "@media(min-width:980px){.two{grid-template-columns:minmax(0,540px) minmax(0,1fr)}"
        ".two>.aside{position:sticky;top:8px;align-self:start}}\n"
        "@media print{@page{margin:14mm}body{font-size:10pt;padding:0}.ladder{max-width:125mm}.aside{max-width:150mm}"
        "svg,.facts,li{break-inside:avoid}h1,h2,p,summary,svg.names{break-after:avoid}.two{display:block}}\n"
        "</style></head>\n<body class=\"page\"><main>\n",
        file);
}

static bool open_one(struct picture *picture)
{
  FILE *file = fopen(picture->path, "wb");
  if (file == NULL)
    return say(picture->path, strerror(errno));
  if (picture->html) {
    picture->file = file;
    begin_page(file);
    return true;
  }
  fclose(file); /* it can be written: what it will hold is collected first */
  picture->file = tmpfile();
  return picture->file != NULL || say("a temporary file", strerror(errno));
}

static struct limits limits_of(bool html, bool all)
{
  if (html)
    return all ? (struct limits){1000, 1000, 20000, 20000} : (struct limits){20, 20, 6000, 2000};
  return all ? (struct limits){100, 100, 2000, 2000} : (struct limits){20, 20, 400, FOLD};
}

bool pictures_open(struct pictures *pictures)
{
  const char *paths[2] = {pictures->svg, pictures->html};
  for (int i = 0; i < 2; i++) {
    if (paths[i] == NULL)
      continue;
    struct picture *picture = &pictures->made[pictures->count++];
    *picture = (struct picture){.path = paths[i], .html = i == 1, .look = i == 1 ? &narrow : &wide};
    picture->from = pictures->from;
    picture->to = pictures->to;
    picture->to_scale = pictures->to_scale;
    picture->left = limits_of(picture->html, pictures->all);
    if (!open_one(picture)) {
      pictures->count--;
      return false;
    }
  }
  return true;
}

/* All of it, from its beginning. */
bool copy_file(FILE *from, FILE *to)
{
  char part[65536];
  size_t got;
  if (fflush(from) != 0 || ferror(from) != 0)
    return false;
  rewind(from);
  while ((got = fread(part, 1, sizeof part, from)) > 0)
    if (fwrite(part, 1, got, to) != got)
      return false;
  return ferror(from) == 0;
}

static FILE *finish_svg(struct picture *picture)
{
  FILE *file = fopen(picture->path, "wb");
  double width = picture->look->width, height = ceil(picture->y + 10);
  if (file == NULL)
    return NULL;
  put(file,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
      "role=\"group\">"
      "<title>TCP connections, drawn by vtcp</title><style>\n",
      width, height, width, height);
  put_style(file);
  put(file,
      "</style>\n<rect class=\"fg sn\" x=\".5\" y=\".5\" width=\"%.0f\" height=\"%.0f\" "
      "rx=\"6\"/>\n",
      width - 1, height - 1);
  bool copied = copy_file(picture->file, file);
  fputs("</svg>\n", file);
  if (copied)
    return file;
  fclose(file);
  return NULL;
}

static bool close_one(struct picture *picture)
{
  FILE *file = picture->file;
  errno = 0;
  if (picture->html)
    fputs("</main></body></html>\n", file);
  else
    file = finish_svg(picture);
  bool written = file != NULL && fflush(file) == 0 && ferror(file) == 0;
  written = (file == NULL || fclose(file) == 0) && written;
  if (!picture->html)
    fclose(picture->file);
  return written || say(picture->path, errno != 0 ? strerror(errno) : "cannot be written");
}

bool pictures_close(struct pictures *pictures)
{
  bool written = true;
  for (uint32_t i = 0; i < pictures->count; i++)
    written = close_one(&pictures->made[i]) && written;
  pictures->count = 0;
  return written;
}

/* --- Lines of text --- */

static void svg_lines(struct picture *picture, const char *class, const char *text, double size)
{
  const char *at = text;
  uint32_t most = (uint32_t)((picture->look->width - 32) / size);
  char line[240];
  while (*at != '\0') {
    take_line(&at, most, false, line, sizeof line);
    picture->y += size * 1.45;
    put(picture->file, "<text class=\"%s\" x=\"16\" y=\"%.1f\" font-size=\"%.1f\">", class, picture->y, size);
    put_text(picture->file, line);
    fputs("</text>\n", picture->file);
  }
}

static void html_line(struct picture *picture, const char *tag, const char *class, const char *text)
{
  put(picture->file, "<%s class=\"%s\">", tag, class);
  put_text(picture->file, text);
  put(picture->file, "</%s>\n", tag);
}

void pictures_title(struct pictures *pictures, const char *title, const char *line)
{
  for (uint32_t i = 0; i < pictures->count; i++) {
    struct picture *picture = &pictures->made[i];
    if (picture->html) {
      html_line(picture, "h1", "ti", title);
      html_line(picture, "p", "tm", line);
      continue;
    }
    picture->y += picture->y > 0 ? 20 : 6;
    svg_lines(picture, "d fi", title, 15);
    svg_lines(picture, "fm", line, 12);
  }
}

static void picture_line(struct picture *picture, const char *class, const char *text)
{
  char own[16];
  snprintf(own, sizeof own, "%c%s", picture->html ? 't' : 'f', class);
  if (picture->html)
    html_line(picture, "p", own, text);
  else
    svg_lines(picture, own, text, 12);
}

void pictures_line(struct pictures *pictures, const char *class, const char *text)
{
  for (uint32_t i = 0; i < pictures->count; i++)
    picture_line(&pictures->made[i], class, text);
}

/* --- A connection in the SVG --- */

/* Opens a window on the drawing from `from` to `to`, at the picture's y, and moves below it. */
static void svg_window(struct picture *picture, double from, double to)
{
  put(picture->file, "<svg x=\"0\" y=\"%.1f\" width=\"%.0f\" height=\"%.1f\" viewBox=\"0 %.1f %.0f %.1f\">\n",
      picture->y, picture->look->width, to - from, from, picture->look->width, to - from);
  picture->y += to - from;
}

static void svg_ladder(struct picture *picture, struct rungs *rows, uint32_t id)
{
  draw_names(picture->file, rows, picture->y);
  picture->y += names_height(rows);
  if (picture->to_scale) {
    rows_place_to_scale(rows);
    svg_window(picture, 0, rows->height);
    draw_rows_to_scale(picture->file, rows);
  } else {
    rows_place(rows, &picture->said);
    svg_window(picture, 0, rows->height);
    draw_rows(picture->file, rows, id, 0, rows->count);
  }
  fputs("</svg>\n", picture->file);
}

static void put_left_out(struct picture *picture, const struct rungs *rows)
{
  char text[200];
  uint32_t skipped = rows->skipped_after;
  for (uint32_t i = 0; i < rows->count; i++)
    skipped += rows->row[i].skipped;
  if (rows->outside > 0) {
    snprintf(text, sizeof text, "%u segments of this connection lie outside of --packets.", rows->outside);
    picture_line(picture, "m", text);
  }
  if (skipped == 0)
    return;
  snprintf(text, sizeof text, "%u of %u segments are left out of the ladder: --packets=FROM-TO shows them%s.", skipped,
           rows->conn->count - rows->outside, picture->html ? "" : ", --html folds more of them than an SVG holds");
  picture_line(picture, "w", text);
}

static void svg_verdict(struct picture *picture, const struct connection *conn)
{
  char text[400];
  conclusion_text(conn, text, sizeof text);
  picture->y += 4;
  svg_lines(picture, violations(conn) > 0 ? "d fx" : "d fo", text, 12);
  for (uint32_t i = 0; i < conn->note_count; i++) {
    snprintf(text, sizeof text, "note: %s", conn->notes[i]);
    svg_lines(picture, "fm", text, 12);
  }
}

static void svg_connection(struct picture *picture, struct rungs *rows, uint32_t id, uint32_t number, bool judged)
{
  char text[240];
  picture->y += picture->ladders > 1 ? 18 : 0;
  heading_text(rows->conn, number, false, text, sizeof text);
  svg_lines(picture, "d fi", text, 12.5);
  syn_options_text(rows->conn, text, sizeof text);
  svg_lines(picture, "fm", text, 12);
  svg_ladder(picture, rows, id);
  put_left_out(picture, rows);
  if (judged)
    svg_verdict(picture, rows->conn);
  for (uint8_t side = 0; side < 2; side++)
    if (picture->graphs < GRAPHS && graph_wanted(rows, side)) {
      picture->graphs++;
      picture->y = draw_graph(picture->file, rows, side, picture->y + 8);
    }
}

/* --- A connection in the page --- */

static void html_window(FILE *file, const struct look *look, double from, double to, const char *what,
                        const char *class)
{
  const char *role = strcmp(class, "sequence") == 0 ? "img" : "group";
  put(file, "<svg class=\"%s\" viewBox=\"0 %.1f %.0f %.1f\" role=\"%s\" aria-label=\"%s\">\n", class, from, look->width,
      to - from, role, what);
}

/* In strips, so that a printed page ends between two rows. */
static void html_strips(FILE *file, const struct rungs *rows, uint32_t id, uint32_t from, uint32_t to)
{
  for (uint32_t i = from, end; i < to; i = end) {
    end = i + 1;
    while (end < to && rows->row[end].bottom <= rows->row[i].top + STRIP)
      end++;
    html_window(file, rows->look, rows->row[i].top, end < rows->count ? rows->row[end].top : rows->height, "Segments",
                "strip");
    draw_rows(file, rows, id, i, end);
    fputs("</svg>\n", file);
  }
}

static uint64_t number_of(const struct rungs *rows, uint32_t i)
{
  return rows->conn->packets[rows->row[i].index].number;
}

static void html_ladder(struct picture *picture, struct rungs *rows, uint32_t id)
{
  FILE *file = picture->file;
  rows_place(rows, &picture->said);
  fputs("<div class=\"ladder\">", file);
  html_window(file, rows->look, 0, names_height(rows), "The two endpoints", "names");
  draw_names(file, rows, 0);
  fputs("</svg>\n", file);
  for (uint32_t i = 0; i < rows->count; i += FOLD) {
    uint32_t end = i + FOLD < rows->count ? i + FOLD : rows->count;
    if (i > 0)
      put(file, "<details class=\"fold\"><summary>Segments #%llu to #%llu</summary>\n",
          (unsigned long long)number_of(rows, i), (unsigned long long)number_of(rows, end - 1));
    html_strips(file, rows, id, i, end);
    fputs(i > 0 ? "</details>\n" : "", file);
  }
  fputs("</div>\n", file);
}

static void html_scaled(struct picture *picture, struct rungs *rows)
{
  if (rows->count > SCALED || rows->count < 2) {
    if (rows->count > SCALED)
      html_line(picture, "p", "tm", "Time to scale: for at most 400 segments; --packets=FROM-TO chooses them.");
    return;
  }
  rows_place_to_scale(rows);
  put(picture->file, "<details%s><summary>Time to scale</summary>\n", picture->to_scale ? " open=\"open\"" : "");
  html_window(picture->file, rows->look, 0, rows->height, "The same, time to scale", "scaled");
  draw_rows_to_scale(picture->file, rows);
  fputs("</svg></details>\n", picture->file);
}

static bool is_shown(const struct rungs *rows, uint32_t index)
{
  uint32_t low = 0, high = rows->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (rows->row[middle].index < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low < rows->count && rows->row[low].index == index;
}

static void html_finding(FILE *file, const struct rungs *rows, const struct finding *f, uint32_t id)
{
  unsigned long long number = (unsigned long long)rows->conn->packets[f->packet].number;
  bool departs = f->severity == VIOLATION, shown = is_shown(rows, f->packet);
  put(file, "<li><b class=\"%s\"><svg class=\"mark\" viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">",
      departs ? "tx" : "tw");
  put_sign(file, departs ? SIGN_DEPARTS : SIGN_ADVICE, 0, 0);
  put(file, "</svg> %s</b> ", departs ? "departs" : "advice");
  if (shown)
    put(file, "<a href=\"#c%u-%u\">#%llu</a>", id, f->packet + 1, number);
  else
    put(file, "#%llu", number);
  put(file, " [%s, section %s]: ", f->id, f->section);
  put_text(file, f->found);
  fputs("<br/><span class=\"tm\">expected: ", file);
  put_text(file, f->expected);
  fputs("</span></li>\n", file);
}

static void put_note(FILE *file, const char *text)
{
  fputs("<p class=\"tm\">note: ", file);
  put_text(file, text);
  fputs("</p>\n", file);
}

static void html_verdict(struct picture *picture, const struct rungs *rows, uint32_t id)
{
  const struct connection *conn = rows->conn;
  char text[200];
  bool departs = violations(conn) > 0;
  conclusion_text(conn, text, sizeof text);
  put(picture->file, "<div class=\"facts box\"><p class=\"%s\"><b>%s %s</b></p>\n",
      departs             ? "tx"
      : conn->judged == 0 ? "tm"
                          : "to",
      departs             ? "\u25b2"
      : conn->judged == 0 ? "?"
                          : "\u2713",
      text);
  fputs(conn->finding_count > 0 ? "<ol>" : "", picture->file);
  for (uint32_t i = 0; i < conn->finding_count; i++)
    html_finding(picture->file, rows, &conn->findings[i], id);
  fputs(conn->finding_count > 0 ? "</ol>" : "", picture->file);
  for (uint32_t i = 0; i < conn->note_count; i++)
    put_note(picture->file, conn->notes[i]);
  fputs("</div>\n", picture->file);
}

static void html_graph(struct picture *picture, const struct rungs *rows, uint8_t side)
{
  char *drawn = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&drawn, &size);
  double height = file != NULL ? draw_graph(file, rows, side, 0) : 0;
  if (file == NULL || fclose(file) != 0)
    return;
  html_window(picture->file, rows->look, 0, height, "Time-sequence graph", "sequence");
  fwrite(drawn, 1, size, picture->file);
  fputs("</svg>\n", picture->file);
  free(drawn);
}

static void html_connection(struct picture *picture, struct rungs *rows, uint32_t id, uint32_t number, bool judged)
{
  const struct connection *conn = rows->conn;
  char text[240];
  bool open = picture->ladders <= OPEN_LADDERS || (judged && violations(conn) > 0);
  put(picture->file, "<section><details%s><summary><h2>", open ? " open=\"open\"" : "");
  heading_text(conn, number, false, text, sizeof text);
  put_text(picture->file, text);
  if (judged)
    put(picture->file, " <span class=\"%s\">%s</span>", violations(conn) > 0 ? "tx" : "to",
        violations(conn) > 0 ? "\u25b2 departs"
        : conn->judged == 0  ? "? not judged"
                             : "\u2713 conforms");
  fputs("</h2></summary>\n", picture->file);
  syn_options_text(conn, text, sizeof text);
  html_line(picture, "p", "tm", text);
  put_left_out(picture, rows);
  fputs("<div class=\"sides two\"><div>\n", picture->file);
  html_ladder(picture, rows, id);
  fputs("</div><div class=\"aside\">\n", picture->file);
  if (judged)
    html_verdict(picture, rows, id);
  for (uint8_t side = 0; side < 2; side++)
    if (picture->graphs < GRAPHS && graph_wanted(rows, side)) {
      picture->graphs++;
      html_graph(picture, rows, side);
    }
  html_scaled(picture, rows);
  fputs("</div></div></details></section>\n", picture->file);
}

static void draw_connection(struct picture *picture, const struct connection *conn, uint32_t number, bool explain,
                            bool judged)
{
  struct rungs rows;
  uint32_t *budget =
      violations(conn) > 0 && picture->left.connections == 0 ? &picture->left.departing : &picture->left.connections;
  if (*budget == 0 || !rows_choose(&rows, conn, picture)) {
    picture->omitted++;
    return;
  }
  --*budget;
  picture->left.rows -= rows.count;
  rows.explain = explain;
  uint32_t id = ++picture->ladders;
  if (picture->html)
    html_connection(picture, &rows, id, number, judged);
  else
    svg_connection(picture, &rows, id, number, judged);
  rows_free(&rows);
}

void pictures_connection(struct pictures *pictures, const struct connection *conn, uint32_t id, bool explain,
                         bool judged)
{
  for (uint32_t i = 0; i < pictures->count; i++)
    draw_connection(&pictures->made[i], conn, id, explain, judged);
}

/* What is said at the end of a file. */
void pictures_end(struct pictures *pictures)
{
  char text[120];
  for (uint32_t i = 0; i < pictures->count; i++) {
    struct picture *picture = &pictures->made[i];
    snprintf(text, sizeof text, "%u connection%s left out of this picture%s.", picture->omitted,
             picture->omitted == 1 ? " is" : "s are", pictures->all ? "" : ": --all holds more");
    if (picture->omitted > 0)
      picture_line(picture, "w", text);
    picture->omitted = 0;
  }
}
