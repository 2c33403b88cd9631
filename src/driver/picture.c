/* The two documents: an SVG, whose height is known when all is drawn, and an HTML page, written as it goes. What would make
 * them too large is left out, and they say so. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GRAPHS = 40 };

static const struct look narrow = {
    .width = 400, .left = 86, .right = 314, .size = 10.5, .label = 20, .remark = 20, .narrow = true};
static const struct look wide = {.width = 800, .left = 246, .right = 690, .size = 12, .label = 35, .remark = 37};

/* --- Opening and closing --- */

static bool open_one(struct picture *picture)
{
  FILE *file = fopen(picture->path, "wb");
  if (file == NULL)
    return complain(picture->path, strerror(errno));
  if (picture->html) {
    picture->file = file;
    page_begin(file);
    return true;
  }
  fclose(file); /* it can be written: what it will hold is collected first */
  picture->file = tmpfile();
  return picture->file != NULL || complain("a temporary file", strerror(errno));
}

static struct limits limits_of(bool html, bool all)
{
  if (html)
    return all ? (struct limits){1000, 1000, 20000, 20000} : (struct limits){20, 20, 6000, 2000};
  return all ? (struct limits){100, 100, 2000, 2000} : (struct limits){20, 20, 400, 200};
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
  return written || complain(picture->path, errno != 0 ? strerror(errno) : "cannot be written");
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

void pictures_title(struct pictures *pictures, const char *title, const char *line)
{
  for (uint32_t i = 0; i < pictures->count; i++) {
    struct picture *picture = &pictures->made[i];
    if (picture->html) {
      page_line(picture, "h1", "ti", title);
      page_line(picture, "p", "tm", line);
      continue;
    }
    picture->y += picture->y > 0 ? 20 : 6;
    svg_lines(picture, "d fi", title, 15);
    svg_lines(picture, "fm", line, 12);
  }
}

void picture_line(struct picture *picture, const char *class, const char *text)
{
  char own[16];
  snprintf(own, sizeof own, "%c%s", picture->html ? 't' : 'f', class);
  if (picture->html)
    page_line(picture, "p", own, text);
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

bool take_graph(struct picture *picture, const struct rungs *rows, uint8_t side)
{
  bool wanted = picture->graphs < MOST_GRAPHS && graph_wanted(rows, side);
  picture->graphs += wanted;
  return wanted;
}

void put_left_out(struct picture *picture, const struct rungs *rows)
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
    if (take_graph(picture, rows, side)) {
      picture->y = draw_graph(picture->file, rows, side, picture->y + 8);
    }
}

/* --- Either --- */

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
    page_connection(picture, &rows, id, number, judged);
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
