/* A script's events, one after another, in virtual time. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

enum { MOST_AT_ONCE = 100000 };
static const uint64_t LONGEST_WAIT = UINT64_C(86400000000); /* for a segment that may come at any time: a day */

uint64_t script_time(const struct run *run)
{
  return run->now - run->start;
}

struct socket *socket_of(struct run *run, int64_t fd)
{
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->has_fd && s->fd == fd)
      return s;
  return NULL;
}

/* --- Time passes --- */

static uint64_t tolerance(const struct run *run)
{
  return setting(&run->settings, "tolerance_usecs");
}

static void time_text(uint64_t us, char out[32])
{
  snprintf(out, 32, "%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
}

static void check_end(struct run *run, const struct call *call)
{
  char expected[32], actual[32];
  uint64_t end = call->spec->end + run->start;
  uint64_t apart = end > run->now ? end - run->now : run->now - end;
  if (!call->spec->blocking || apart <= tolerance(run))
    return;
  time_text(call->spec->end, expected);
  time_text(script_time(run), actual);
  add_row(run, "returns at", true, expected, actual);
  failed(run, call->event->line, "time", "%s() returns at %s, not at %s", call->spec->name, actual, expected);
}

/* The call that is under way is tried again. */
static void settle(struct run *run)
{
  if (!run->is_pending || !going(run))
    return;
  const struct script_event *event = run->event;
  run->event = run->pending.event;
  if (call_attempt(run, &run->pending)) {
    run->is_pending = false;
    call_check(run, &run->pending);
    if (going(run))
      check_end(run, &run->pending);
  }
  if (going(run))
    run->event = event;
}

static uint64_t next_deadline(const struct run *run, struct socket **whose)
{
  uint64_t at = world_deadline(run, whose);
  if (run->is_pending && run->pending.until < at) {
    *whose = NULL;
    at = run->pending.until;
  }
  return at;
}

static void time_out(struct run *run, struct socket *socket, uint64_t at)
{
  if (at > run->now)
    run->now = at;
  if (run->is_pending && run->pending.until <= run->now)
    run->pending.until = UINT64_MAX;
  if (socket != NULL) {
    world_step(run, socket, (struct vtcp_event){.type = VTCP_TIMEOUT}, NULL);
    if (socket->tcb.state == VTCP_CLOSED && !socket->has_fd && !(socket->child && socket->ready))
      forget(run, socket);
  }
  settle(run);
}

static void pass_until(struct run *run, uint64_t until)
{
  struct socket *whose = NULL;
  uint64_t at = next_deadline(run, &whose), last = run->now;
  for (uint32_t steps = 0; at <= until && going(run); at = next_deadline(run, &whose)) {
    steps = run->now == last ? steps + 1 : 0;
    last = run->now;
    if (steps > MOST_AT_ONCE) {
      failed(run, run->event->line, "endless", "timers expire without end");
      return;
    }
    time_out(run, whose, at);
  }
  if (until > run->now)
    run->now = until;
}

/* Until something leaves that no event has expected yet, no longer than `until`. */
static const struct trip *next_out(struct run *run, uint64_t until)
{
  for (uint32_t steps = 0; steps < MOST_AT_ONCE; steps++) {
    struct socket *whose = NULL;
    for (; run->next_out < run->trip_count; run->next_out++)
      if (run->trips[run->next_out].outbound)
        return &run->trips[run->next_out];
    uint64_t at = next_deadline(run, &whose);
    if (at > until || !going(run))
      return NULL;
    time_out(run, whose, at);
  }
  return NULL;
}

/* --- Events --- */

static bool is_relative(const struct script_event *event)
{
  return event->time == TIME_RELATIVE || event->time == TIME_RELATIVE_RANGE;
}

static void wait_for(struct run *run, const struct script_event *event)
{
  uint64_t at = event->from + (is_relative(event) ? script_time(run) : 0);
  char expected[32], actual[32];
  if (script_time(run) > at + tolerance(run)) {
    time_text(at, expected);
    time_text(script_time(run), actual);
    add_row(run, "time", true, expected, actual);
    failed(run, event->line, "time", "it is %s already, and the event is to be at %s", actual, expected);
  }
  pass_until(run, run->start + at);
}

static void span_text(uint64_t from, uint64_t to, char out[96])
{
  char first[32], last[32];
  time_text(from, first);
  time_text(to, last);
  snprintf(out, 96, from == to ? "%s" : "%s~%s", first, last);
}

/* A stack whose interface cuts segments shows them uncut: what leaves at once and follows on is one segment. */
static void join_burst(struct run *run, const struct packet_spec *spec, struct trip *burst)
{
  for (; run->next_out < run->trip_count && burst->seg.len < spec->len; run->next_out++) {
    struct trip *next = &run->trips[run->next_out];
    bool plain = !burst->seg.fin && !burst->seg.syn && !burst->seg.rst && !next->seg.syn && !next->seg.rst;
    bool follows = next->outbound && next->us == burst->us && next->flow == burst->flow && burst->seg.len > 0
                   && next->seg.len > 0 && next->seg.seq == (uint32_t)(burst->seg.seq + burst->seg.len);
    if (!plain || !follows || burst->seg.len + next->seg.len > spec->len)
      return;
    burst->seg.len = (uint16_t)(burst->seg.len + next->seg.len);
    burst->seg.psh = next->seg.psh;
    burst->seg.fin = next->seg.fin;
    next->expected = true;
  }
}

static void expect_out(struct run *run, const struct script_event *event)
{
  uint64_t origin = is_relative(event) ? script_time(run) : 0, from = event->from + origin, to = event->to + origin;
  char expected[96], actual[32];
  if (event->time == TIME_ANY)
    from = script_time(run), to = from + LONGEST_WAIT;
  span_text(from, to, expected);
  const struct trip *trip = next_out(run, run->start + to + tolerance(run));
  if (!going(run))
    return;
  if (trip == NULL) {
    pass_until(run, run->start + (event->time == TIME_ANY ? from : to + tolerance(run)));
    add_row(run, "segment", true, event->said, "(none)");
    failed(run, event->line, "nothing sent", "nothing is sent%s%s", event->time == TIME_ANY ? "" : " at ",
           event->time == TIME_ANY ? "" : expected);
    return;
  }
  struct trip found = *trip;
  run->trips[run->next_out].expected = true;
  run->trips[run->next_out].line = event->line;
  run->next_out++;
  if (setting(&run->settings, "tso") == 1)
    join_burst(run, event->packet, &found);
  time_text(found.us - run->start, actual);
  bool early = found.us + tolerance(run)<run->start + from, late = found.us> run->start + to + tolerance(run);
  bool wrong = (early || late) && event->time != TIME_ANY;
  add_row(run, "time", wrong, event->time == TIME_ANY ? "*" : expected, actual);
  packet_out(run, event, &found);
  if (wrong)
    failed(run, event->line, "time", "the segment is sent at %s, not at %s", actual, expected);
  if (going(run))
    run->row_count = 0;
}

static void make_call(struct run *run, const struct script_event *event)
{
  struct call call = {.event = event, .spec = event->call, .began = run->now, .until = UINT64_MAX};
  if (run->is_pending) {
    failed(run, event->line, "call", "%s() of line %u has not returned yet", run->pending.spec->name,
           run->pending.event->line);
    return;
  }
  bool done = call_attempt(run, &call);
  if (!going(run))
    return;
  if (done) {
    call_check(run, &call);
    if (going(run) && call.spec->blocking)
      check_end(run, &call);
  } else if (!call.spec->blocking) {
    add_row(run, "result", true, "returns at once", "blocks");
    failed(run, event->line, "call", "%s() blocks", call.spec->name);
  } else {
    run->pending = call;
    run->is_pending = true;
  }
}

static void one_event(struct run *run, const struct script_event *event)
{
  if (script_time(run) > UINT64_C(1000000000000000000)) {
    script_fail(run->script, VERDICT_UNREADABLE, event->line, "out of range", "the script takes too long");
    return;
  }
  run->event = event;
  run->row_count = 0;
  if (event->kind == EVENT_PACKET && event->packet->outbound) {
    if (event->packet->icmp)
      unsupported(run, event->line, "ICMP", "this endpoint sends no ICMP messages");
    else
      expect_out(run, event);
    return;
  }
  wait_for(run, event);
  if (!going(run))
    return;
  switch (event->kind) {
  case EVENT_PACKET: packet_in(run, event); break;
  case EVENT_CALL: make_call(run, event); break;
  case EVENT_COMMAND: shell_command(run, event->line, event->text); break;
  case EVENT_CODE: code_block(run, event->line, event->text); break;
  }
  settle(run);
}

/* --- Before and after --- */

/* Options of the script's own that mean something elsewhere only. */
static bool is_elsewhere(const char *name)
{
  static const char *const names[] = {"define",
                                      "local_ip",
                                      "remote_ip",
                                      "gateway_ip",
                                      "netmask_ip",
                                      "speed",
                                      "verbose",
                                      "non_fatal",
                                      "debug",
                                      "init_scripts",
                                      "code_command",
                                      "code_format",
                                      "code_sockopt",
                                      "dry_run",
                                      "so_filename",
                                      "so_flags",
                                      "check_fd",
                                      "tun_dev",
                                      "persistent_tun_dev",
                                      "prefix",
                                      "local_linklocal_ip",
                                      "send_omit_free"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

static void take_options(struct run *run)
{
  for (const struct script_option *o = run->script->options; o != NULL; o = o->next) {
    switch (is_elsewhere(o->name) ? SET_DONE : settings_set(&run->settings, o->name, o->value, true)) {
    case SET_DONE: break;
    case SET_UNKNOWN: unsupported(run, o->line, "options", "--%s is not known here", o->name); break;
    case SET_BAD:
      script_fail(run->script, VERDICT_UNREADABLE, o->line, "options", "--%s=%s is out of range", o->name, o->value);
      break;
    }
  }
}

/* What our segments may have follows from the MTU. */
static void follow_mtu(struct run *run)
{
  bool six = setting(&run->settings, "ip_version") == 6;
  uint32_t mtu = setting(&run->settings, "mtu"), ip = six ? 40 : 20;
  settings_put(&run->settings, "mms_s", mtu - ip);
  settings_put(&run->settings, "rcv_mss", mtu - ip - 20);
  if (six)
    settings_put(&run->settings, "default_mss", 1220);
}

static void finish(struct run *run)
{
  if (run->is_pending && going(run)) {
    run->event = run->pending.event;
    pass_until(run, run->pending.spec->end + run->start + tolerance(run));
    if (run->is_pending)
      failed(run, run->pending.event->line, "call", "%s() has not returned at the end", run->pending.spec->name);
  }
  for (uint32_t i = run->next_out; i < run->trip_count && setting(&run->settings, "complete") == 1; i++)
    if (run->trips[i].outbound)
      failed(run, run->event->line, "not expected", "a segment is sent that no event expects");
  if (run->script->cleanup != NULL && going(run))
    shell_command(run, run->script->cleanup_line, run->script->cleanup);
}

void script_run(struct run *run)
{
  struct script *script = run->script;
  world_open(run);
  take_options(run);
  if (script->init != NULL && going(run))
    shell_command(run, script->init_line, script->init);
  for (const struct script_event *event = script->events; event != NULL && going(run); event = event->next) {
    follow_mtu(run);
    one_event(run, event);
  }
  if (going(run))
    finish(run);
}
