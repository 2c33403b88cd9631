/* How a script went, for people: the message, what was expected beside what came, and the ladder up to there.
 * SPDX-License-Identifier: MIT */
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

static void print_ladder(const struct run *run, const struct flow *flow, uint32_t id, const struct options *options)
{
  struct connection conn = {.count = 0, .incarnation = 1};
  conn.packets = calloc(run->trip_count, sizeof *conn.packets);
  if (conn.packets == NULL)
    return;
  for (uint32_t i = 0; i < run->trip_count; i++)
    if (run->trips[i].flow == flow)
      conn.packets[conn.count++] = packet_of(&run->trips[i], run->trips[i].line);
  bool six = setting(&run->settings, "ip_version") == 6;
  static const uint8_t ours[16] = {192, 0, 2, 1}, theirs[16] = {192, 0, 2, 2};
  static const uint8_t ours6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, theirs6[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
  conn.side[0].endpoint = (struct endpoint){.port = flow->local, .version = six ? 6 : 4};
  conn.side[1].endpoint = (struct endpoint){.port = flow->remote, .version = six ? 6 : 4};
  memcpy(conn.side[0].endpoint.address, six ? ours6 : ours, 16);
  memcpy(conn.side[1].endpoint.address, six ? theirs6 : theirs, 16);
  if (conn.count > 0)
    ladder_rows(&conn, id, options);
  free(conn.packets);
}

static void print_ladders(const struct run *run, const struct script_options *options)
{
  struct options chosen = {.ascii = options->ascii};
  uint32_t id = 0;
  for (uint32_t i = 0; i < run->trip_count; i++) {
    const struct flow *flow = run->trips[i].flow;
    uint32_t first = 0;
    while (run->trips[first].flow != flow)
      first++;
    if (first != i)
      continue;
    printf("\n");
    print_ladder(run, flow, ++id, &chosen);
  }
}

static void print_reservation(const struct run *run)
{
  if (run->reservation != NULL)
    printf("  line %u: %s\n", run->reservation_line, run->reservation);
}

void report_run(struct run *run, const struct script_options *options)
{
  const struct script *script = run->script;
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
