/* The HTML page: ladders in strips, folded where they are long, beside what was found. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "picture.h"

#include <stdlib.h>
#include <string.h>

enum { FOLD = 200, STRIP = 150, SCALED = 400, OPEN_LADDERS = 5 };

void page_begin(FILE *file)
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
        "bottom:-1px}"
        "details>summary{cursor:pointer;padding:.5rem 0;font-weight:600}summary h2{display:inline}"
        "@media(max-width:979px){.aside{order:-1}}"
        "@media(max-width:600px){body{padding:4px 8px 32px;font-size:15px}}"
        "@media(min-width:980px){.two{grid-template-columns:minmax(0,540px) minmax(0,1fr)}"
        ".two>.aside{position:sticky;top:8px;align-self:start}}\n"
        "@media print{@page{margin:14mm}body{font-size:10pt;padding:0}.ladder{max-width:125mm}.aside{max-width:150mm}"
        "svg,.facts,li{break-inside:avoid}h1,h2,p,summary,svg.names{break-after:avoid}.two{display:block}}\n"
        "</style></head>\n<body class=\"page\"><main>\n",
        file);
}

void page_line(struct picture *picture, const char *tag, const char *class, const char *text)
{
  put(picture->file, "<%s class=\"%s\">", tag, class);
  put_text(picture->file, text);
  put(picture->file, "</%s>\n", tag);
}

static void page_window(FILE *file, const struct look *look, double from, double to, const char *what,
                        const char *class)
{
  const char *role = strcmp(class, "sequence") == 0 ? "img" : "group";
  put(file, "<svg class=\"%s\" viewBox=\"0 %.1f %.0f %.1f\" role=\"%s\" aria-label=\"%s\">\n", class, from, look->width,
      to - from, role, what);
}

/* In strips, so that a printed page ends between two rows. */
static void page_strips(FILE *file, const struct rungs *rows, uint32_t id, uint32_t from, uint32_t to)
{
  for (uint32_t i = from, end; i < to; i = end) {
    end = i + 1;
    while (end < to && rows->row[end].bottom <= rows->row[i].top + STRIP)
      end++;
    double below = end < rows->count ? rows->row[end].top + SEAM : rows->height;
    page_window(file, rows->look, rows->row[i].top, below, "Segments", "strip");
    draw_rows(file, rows, id, i, end);
    fputs("</svg>\n", file);
  }
}

static uint64_t number_of(const struct rungs *rows, uint32_t i)
{
  return rows->conn->packets[rows->row[i].index].number;
}

static void page_ladder(struct picture *picture, struct rungs *rows, uint32_t id)
{
  FILE *file = picture->file;
  rows_place(rows, &picture->said);
  fputs("<div class=\"ladder\">", file);
  page_window(file, rows->look, 0, names_height(rows), "The two endpoints", "names");
  draw_names(file, rows, 0);
  fputs("</svg>\n", file);
  for (uint32_t i = 0; i < rows->count; i += FOLD) {
    uint32_t end = i + FOLD < rows->count ? i + FOLD : rows->count;
    if (i > 0)
      put(file, "<details class=\"fold\"><summary>Segments #%llu to #%llu</summary>\n",
          (unsigned long long)number_of(rows, i), (unsigned long long)number_of(rows, end - 1));
    page_strips(file, rows, id, i, end);
    fputs(i > 0 ? "</details>\n" : "", file);
  }
  fputs("</div>\n", file);
}

static void page_scaled(struct picture *picture, struct rungs *rows)
{
  if (rows->count > SCALED || rows->count < 2) {
    if (rows->count > SCALED)
      page_line(picture, "p", "tm", "Time to scale: for at most 400 segments; --packets=FROM-TO chooses them.");
    return;
  }
  rows_place_to_scale(rows);
  put(picture->file, "<details%s><summary>Time to scale</summary>\n", picture->to_scale ? " open=\"open\"" : "");
  page_window(picture->file, rows->look, 0, rows->height, "The same, time to scale", "scaled");
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

static void page_finding(FILE *file, const struct rungs *rows, const struct finding *f, uint32_t id)
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

static void page_verdict(struct picture *picture, const struct rungs *rows, uint32_t id)
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
    page_finding(picture->file, rows, &conn->findings[i], id);
  fputs(conn->finding_count > 0 ? "</ol>" : "", picture->file);
  for (uint32_t i = 0; i < conn->note_count; i++)
    put_note(picture->file, conn->notes[i]);
  fputs("</div>\n", picture->file);
}

static void page_graph(struct picture *picture, const struct rungs *rows, uint8_t side)
{
  char *drawn = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&drawn, &size);
  double height = file != NULL ? draw_graph(file, rows, side, 0) : 0;
  if (file == NULL || fclose(file) != 0)
    return;
  page_window(picture->file, rows->look, 0, height, "Time-sequence graph", "sequence");
  fwrite(drawn, 1, size, picture->file);
  fputs("</svg>\n", picture->file);
  free(drawn);
}

void page_connection(struct picture *picture, struct rungs *rows, uint32_t id, uint32_t number, bool judged)
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
  page_line(picture, "p", "tm", text);
  put_left_out(picture, rows);
  fputs("<div class=\"sides two\"><div>\n", picture->file);
  page_ladder(picture, rows, id);
  fputs("</div><div class=\"aside\">\n", picture->file);
  if (judged)
    page_verdict(picture, rows, id);
  for (uint8_t side = 0; side < 2; side++)
    if (take_graph(picture, rows, side))
      page_graph(picture, rows, side);
  page_scaled(picture, rows);
  fputs("</div></div></details></section>\n", picture->file);
}
