/* Findings, of a connection and over all of them; notes. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OF_A_KIND = 100 };

void note(struct connection *conn, const char *format, ...)
{
  char line[240];
  va_list arguments;
  if (conn->note_count == NOTES)
    return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  char *copy = malloc(strlen(line) + 1);
  if (copy == NULL)
    out_of_memory();
  conn->notes[conn->note_count++] = strcpy(copy, line);
}

/* One finding of a kind for a segment, and not more than so many of a kind for a connection. */
static bool said_before(struct connection *conn, uint64_t number, const char *id)
{
  uint32_t same = 0;
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    if (strcmp(conn->findings[i].id, id) != 0)
      continue;
    if (conn->findings[i].number == number)
      return true;
    if (++same >= MOST_OF_A_KIND)
      return conn->findings_dropped++, true;
  }
  return false;
}

void finding(struct connection *conn, uint32_t packet, enum severity severity, const char *id, const char *section,
             const char *expected, const char *format, ...)
{
  va_list arguments;
  uint64_t number = conn->packets[packet].number;
  if (said_before(conn, number, id))
    return;
  if (conn->finding_count == conn->finding_room)
    conn->findings = enlarged(conn->findings, &conn->finding_room, sizeof *conn->findings);
  struct finding *made = &conn->findings[conn->finding_count++];
  *made = (struct finding){.id = id, .section = section, .packet = packet, .number = number, .severity = severity};
  va_start(arguments, format);
  vsnprintf(made->found, sizeof made->found, format, arguments);
  va_end(arguments);
  snprintf(made->expected, sizeof made->expected, "%s", expected);
}

uint32_t violations(const struct connection *conn)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < conn->finding_count; i++)
    count += conn->findings[i].severity == VIOLATION;
  return count;
}

static bool same_kind(const struct kind *kind, const struct finding *f)
{
  return kind->severity == f->severity && strcmp(kind->id, f->id) == 0;
}

static struct kind *kind_of(struct totals *totals, const struct finding *f)
{
  for (uint32_t i = 0; i < totals->kind_count; i++)
    if (same_kind(&totals->kinds[i], f))
      return &totals->kinds[i];
  if (totals->kind_count == KINDS)
    return NULL;
  struct kind *made = &totals->kinds[totals->kind_count++];
  *made = (struct kind){.id = f->id, .section = f->section, .severity = f->severity};
  return made;
}

void count_findings(struct totals *totals, const struct connection *conn)
{
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    const struct finding *f = &conn->findings[i];
    struct kind *kind = kind_of(totals, f);
    if (kind == NULL)
      continue;
    bool first_here = true;
    for (uint32_t k = 0; k < i && first_here; k++)
      first_here = !same_kind(kind, &conn->findings[k]);
    kind->connections += first_here;
    if (kind->findings++ > 0 && f->number >= kind->first)
      continue;
    kind->first = f->number;
    memcpy(kind->found, f->found, sizeof kind->found);
  }
}
