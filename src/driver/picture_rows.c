/* What a picture shows of a connection, what it says of each segment, and where that stands. SPDX-License-Identifier: MIT */
#include "picture.h"

#include <stdlib.h>

/* --- Which rows --- */

static bool in_range(const struct picture *picture, const struct packet *p)
{
  return p->number >= picture->from && p->number <= picture->to;
}

/* Of more than fit, most are the first, and some the last. */
bool rows_choose(struct rungs *rows, const struct connection *conn, const struct picture *picture)
{
  uint32_t most = picture->left.rows < picture->left.rows_of_one ? picture->left.rows : picture->left.rows_of_one;
  uint32_t wanted = 0, passed = 0;
  *rows = (struct rungs){.conn = conn, .look = picture->look};
  for (uint32_t i = 0; i < conn->count; i++)
    wanted += in_range(picture, &conn->packets[i]);
  rows->outside = conn->count - wanted;
  rows->row = wanted > 0 && most > 0 ? calloc(wanted < most ? wanted : most, sizeof *rows->row) : NULL;
  if (rows->row == NULL)
    return false;
  uint32_t skipped = wanted > most ? wanted - most : 0, head = wanted > most ? most - most / 4 : wanted;
  for (uint32_t i = 0; i < conn->count; i++) {
    if (!in_range(picture, &conn->packets[i]))
      continue;
    uint32_t nth = passed++;
    rows->last = i;
    if (nth >= head && nth < head + skipped)
      continue;
    struct rung *row = &rows->row[rows->count++];
    row->index = i;
    row->skipped = nth == head + skipped ? skipped : 0;
  }
  if (rows->count == head)
    rows->skipped_after = skipped;
  return true;
}

void rows_free(struct rungs *rows)
{
  free(rows->row);
}

/* --- What a row says --- */

static uint32_t add_lines(struct line *lines, uint32_t count, enum line_kind kind, enum sign sign, const char *text,
                          uint32_t most)
{
  while (*text != '\0' && count < LINES) {
    struct line *line = &lines[count++];
    line->kind = kind;
    line->sign = sign;
    take_line(&text, most, kind == LINE_LABEL, line->text, sizeof line->text);
    sign = SIGN_NONE;
  }
  return count;
}

static uint32_t first_finding(const struct connection *conn, uint32_t index)
{
  uint32_t low = 0, high = conn->finding_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (conn->findings[middle].packet < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static uint32_t add_findings(const struct rungs *rows, uint32_t index, struct line *lines, uint32_t count)
{
  const struct connection *conn = rows->conn;
  for (uint32_t i = first_finding(conn, index); i < conn->finding_count && conn->findings[i].packet == index; i++) {
    const struct finding *f = &conn->findings[i];
    bool departs = f->severity == VIOLATION;
    char text[240];
    snprintf(text, sizeof text, "%s [%s, section %s]: %s", departs ? "departs" : "advice", f->id, f->section, f->found);
    count = add_lines(lines, count, LINE_FINDING, departs ? SIGN_DEPARTS : SIGN_ADVICE, text, rows->look->remark - 1);
    snprintf(text, sizeof text, "expected: %s", f->expected);
    count = add_lines(lines, count, LINE_EXPECTED, SIGN_NONE, text, rows->look->remark - 1);
  }
  return count;
}

uint32_t lines_of(const struct rungs *rows, const struct rung *row, uint32_t *said, struct line *lines)
{
  const struct packet *p = &rows->conn->packets[row->index];
  const char *lessons[EXPLANATIONS];
  char text[240];
  uint32_t count = 0;
  label_text(p, text, sizeof text);
  count = add_lines(lines, count, LINE_LABEL, SIGN_NONE, text, rows->look->label);
  annotations(rows->conn, row->index, text, sizeof text);
  count = add_lines(lines, count, LINE_REMARK, sign_of(p->marks, p->seg.sack_count > 0), text, rows->look->remark);
  count = add_findings(rows, row->index, lines, count);
  uint32_t found = rows->explain ? explanations(rows->conn, row->index, said, lessons) : 0;
  for (uint32_t i = 0; i < found; i++)
    count = add_lines(lines, count, LINE_LESSON, SIGN_NONE, lessons[i], rows->look->remark);
  return count;
}

double leading(const struct look *look)
{
  return look->size * 1.32;
}

void rows_place(struct rungs *rows, uint32_t *said)
{
  struct line lines[LINES];
  double y = 0;
  for (uint32_t i = 0; i < rows->count; i++) {
    struct rung *row = &rows->row[i];
    row->lessons = *said;
    uint32_t count = lines_of(rows, row, said, lines), labels = 0;
    while (labels < count && lines[labels].kind == LINE_LABEL)
      labels++;
    row->top = y;
    y += row->skipped > 0 ? ELISION : 0;
    row->arrow = y + PAD + labels * leading(rows->look);
    y = row->bottom = row->arrow + SLANT + PAD + (count - labels) * leading(rows->look);
  }
  rows->height = y + (rows->skipped_after > 0 ? ELISION : 0);
}
