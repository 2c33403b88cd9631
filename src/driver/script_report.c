/* How a script went, for people: the message, what was expected beside what came, and the ladder up to there.
 * SPDX-License-Identifier: MIT */
#include "picture.h"
#include "script_run.h"

#include <stdlib.h>
#include <string.h>

const char *verdict_text(enum verdict verdict)
{
  switch (verdict) {
  case VERDICT_PASSED: return "passed";
  case VERDICT_FAILED: return "failed";
  case VERDICT_UNSUPPORTED: return "unsupported";
  case VERDICT_UNREADABLE: return "unreadable";
  case VERDICTS: break;
  }
  return "?";
}

static void print_rows(const struct run *run)
{
  size_t width = strlen("expected");
  for (uint32_t i = 0; i < run->row_count; i++)
    if (strlen(run->rows[i].expected) > width)
      width = strlen(run->rows[i].expected);
  if (run->row_count == 0)
    return;
  printf("\n    %-10s %-*s  actual\n", "", (int)width, "expected");
  for (uint32_t i = 0; i < run->row_count; i++) {
    const struct row *row = &run->rows[i];
    printf("  %s %-10s %-*s  %s\n", row->differs ? "*" : " ", row->what, (int)width, row->expected, row->actual);
  }
}

/* --- The ladder: each pair of sockets is a connection of its own --- */

static int64_t place(uint32_t relative)
{
  return relative < 0x80000000u ? (int64_t)relative : (int64_t)relative - ((int64_t)1 << 32);
}

static struct packet packet_of(const struct trip *trip, uint64_t number)
{
  const struct flow *flow = trip->flow;
  struct packet packet = {.number = number, .us = trip->us, .seg = trip->seg};
  uint32_t own = trip->outbound ? flow->local_base : flow->remote_base;
  uint32_t other = trip->outbound ? flow->remote_base : flow->local_base;
  packet.start = place(trip->seg.seq - own);
  packet.end = packet.start + trip->seg.len + trip->seg.syn + trip->seg.fin;
  packet.ack = place(trip->seg.ack - other);
  packet.window = trip->seg.wnd;
  packet.resent = packet.cause = NOWHERE;
  packet.arrives = 0;
  packet.from = !trip->outbound;
  packet.state[0] = trip->state;
  packet.state[1] = NO_STATE;
  return packet;
}

/* What the segments are, as in captures: marks, not numbers, which stay those of the script. */
static void mark_packets(struct connection *conn)
{
  struct connection copy = {.count = conn->count};
  copy.side[0].endpoint = conn->side[0].endpoint;
  copy.side[1].endpoint = conn->side[1].endpoint;
  copy.packets = malloc(conn->count * sizeof *copy.packets);
  if (copy.packets == NULL)
    return;
  memcpy(copy.packets, conn->packets, conn->count * sizeof *copy.packets);
  for (uint32_t i = 0; i < copy.count; i++)
    copy.packets[i].arrives = NOWHERE;
  follow_unjudged(&copy);
  for (uint32_t i = 0; i < copy.count; i++) {
    struct packet *p = &conn->packets[i];
    if ((copy.packets[i].marks & (MARK_FOREIGN | MARK_DUPLICATE)) != 0)
      continue;
    p->marks = copy.packets[i].marks;
    p->arrives = copy.packets[i].arrives;
    p->resent = copy.packets[i].resent;
    p->cause = copy.packets[i].cause;
  }
  free(copy.packets);
}

/* The segments of one flow, for the caller to free; false if there is no memory. */
static bool connection_of(const struct run *run, const struct flow *flow, struct connection *conn)
{
  *conn = (struct connection){.count = 0, .incarnation = 1};
  conn->packets = calloc(run->trip_count, sizeof *conn->packets);
  if (conn->packets == NULL)
    return false;
  for (uint32_t i = 0; i < run->trip_count; i++)
    if (run->trips[i].flow == flow)
      conn->packets[conn->count++] = packet_of(&run->trips[i], run->trips[i].line);
  bool six = setting(&run->settings, "ip_version") == 6;
  static const uint8_t ours[16] = {192, 0, 2, 1}, theirs[16] = {192, 0, 2, 2};
  static const uint8_t ours6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, theirs6[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
  conn->side[0].endpoint = (struct endpoint){.port = flow->local, .version = six ? 6 : 4};
  conn->side[1].endpoint = (struct endpoint){.port = flow->remote, .version = six ? 6 : 4};
  memcpy(conn->side[0].endpoint.address, six ? ours6 : ours, 16);
  memcpy(conn->side[1].endpoint.address, six ? theirs6 : theirs, 16);
  mark_packets(conn);
  return true;
}

/* Each flow once, printed or drawn. */
static void show_flows(const struct run *run, const struct script_options *options, bool draw)
{
  struct options chosen = {.ascii = options->ascii};
  struct connection conn;
  uint32_t id = 0;
  for (uint32_t i = 0; i < run->trip_count; i++) {
    const struct flow *flow = run->trips[i].flow;
    uint32_t first = 0;
    while (run->trips[first].flow != flow)
      first++;
    if (first != i || !connection_of(run, flow, &conn))
      continue;
    if (draw) {
      pictures_connection(options->pictures, &conn, ++id, false, false);
    } else {
      printf("\n");
      ladder_rows(&conn, ++id, &chosen);
    }
    free(conn.packets);
  }
}

static void print_ladders(const struct run *run, const struct script_options *options)
{
  show_flows(run, options, false);
}

static void draw_run(const struct run *run, const struct script_options *options)
{
  const struct script *script = run->script;
  char line[MESSAGE + 160];
  bool passed = script->verdict == VERDICT_PASSED;
  pictures_title(options->pictures, script->path,
                 "a script, run against this endpoint, which stands on the left; # is the line");
  snprintf(line, sizeof line, "%s%s%s", verdict_text(script->verdict), passed ? "" : ": ",
           passed ? "" : script->message);
  pictures_line(options->pictures, passed ? "o" : "x", line);
  if (!passed && run->event != NULL) {
    snprintf(line, sizeof line, "line %u: %.400s", script->line, run->event->said);
    pictures_line(options->pictures, "i", line);
  }
  for (uint32_t i = 0; i < run->row_count; i++) {
    const struct row *row = &run->rows[i];
    snprintf(line, sizeof line, "%s %s: expected %s, was %s", row->differs ? "\u2260" : "=", row->what, row->expected,
             row->actual);
    pictures_line(options->pictures, row->differs ? "i" : "m", line);
  }
  show_flows(run, options, true);
  pictures_end(options->pictures);
}

static void print_reservation(const struct run *run)
{
  if (run->reservation != NULL)
    printf("  line %u: %s\n", run->reservation_line, run->reservation);
}

void report_run(struct run *run, const struct script_options *options)
{
  const struct script *script = run->script;
  if (options->pictures != NULL)
    draw_run(run, options);
  if (script->verdict == VERDICT_PASSED) {
    printf("%s: passed%s\n", script->path,
           run->not_compared != 0 ? " (options that are not implemented were not compared)" : "");
    if (options->ladder)
      print_ladders(run, options);
    return;
  }
  fflush(stdout);
  fprintf(script->verdict == VERDICT_FAILED || options->summary ? stdout : stderr, "%s:%u: %s: %s\n", script->path,
          script->line, verdict_text(script->verdict), script->message);
  if (options->summary || script->verdict == VERDICT_UNREADABLE)
    return;
  if (run->event != NULL)
    printf("    %s\n", run->event->said);
  print_reservation(run);
  print_rows(run);
  if (script->verdict == VERDICT_FAILED || run->row_count > 0 || options->ladder)
    print_ladders(run, options);
  printf("\n");
}
