/* Packets of a script that arrive: put together octet by octet, and read by the codec. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <string.h>

void put32(uint8_t *octets, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    octets[i] = (uint8_t)(value >> (24 - 8 * i));
}

uint32_t get32(const uint8_t *octets)
{
  return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static void put16(uint8_t *octets, uint32_t value)
{
  octets[0] = (uint8_t)(value >> 8);
  octets[1] = (uint8_t)value;
}

/* --- Timestamps: the script's numbers and those that were sent --- */

void learn_stamp(struct run *run, struct flow *flow, uint32_t said, uint32_t sent)
{
  struct stamp *stamp = arena_take(&run->script->arena, sizeof *stamp);
  *stamp = (struct stamp){said, sent, flow->stamps};
  flow->stamps = stamp;
}

/* A value that was never sent is as far from the nearest one as the script says. */
uint32_t sent_stamp(const struct flow *flow, uint32_t said)
{
  for (const struct stamp *s = flow->stamps; s != NULL; s = s->next)
    if (s->said == said)
      return s->sent;
  return flow->stamps != NULL ? flow->stamps->sent + (said - flow->stamps->said) : said;
}

/* --- What arrives --- */

/* Ports that the script does not tell are those of the connection that it is about. */
static struct flow *flow_of(struct run *run, const struct packet_spec *spec)
{
  uint16_t bind_port = (uint16_t)setting(&run->settings, "bind_port");
  bool opens = (spec->flags & FLAG_SYN) != 0 && (spec->flags & (FLAG_ACK | FLAG_RST)) == 0 && !spec->icmp;
  if (spec->source != 0 && spec->outbound)
    return run->flow = find_flow(run, spec->source, spec->destination);
  if (spec->source != 0)
    return run->flow = find_flow(run, spec->destination, spec->source);
  if (run->flow != NULL && !(opens && run->awaits_child))
    return run->flow;
  if (run->tested != NULL && run->tested->listening)
    bind_port = run->tested->port;
  if (opens)
    run->awaits_child = false;
  return run->flow = find_flow(run, bind_port, run->next_port++);
}

static uint32_t put_options(const struct flow *flow, const struct packet_spec *spec, uint8_t *octets)
{
  uint32_t at = 0;
  for (uint32_t i = 0; i < spec->option_count; i++) {
    const struct option_spec *option = &spec->options[i];
    memcpy(octets + at, option->octets, option->length);
    for (uint32_t k = 2; option->relative && k + 4 <= option->length; k += 4)
      put32(octets + at + k, get32(octets + at + k) + flow->local_base);
    bool stamp = option->length == 10 && option->octets[0] == 8;
    if (stamp && !option->absolute_ecr && get32(octets + at + 6) != 0)
      put32(octets + at + 6, sent_stamp(flow, get32(octets + at + 6)));
    at += option->length;
  }
  return at;
}

static uint32_t put_header(const struct flow *flow, const struct packet_spec *spec, uint8_t *octets)
{
  uint32_t options = put_options(flow, spec, octets + 20), length = 20 + options;
  bool has_ack = (spec->flags & FLAG_ACK) != 0;
  memset(octets, 0, 20);
  put16(octets, flow->remote);
  put16(octets + 2, flow->local);
  put32(octets + 4, spec->absolute_seq ? spec->seq : spec->seq + flow->remote_base);
  put32(octets + 8, has_ack ? spec->ack + flow->local_base : spec->ack);
  octets[12] = (uint8_t)(length / 4 << 4);
  octets[13] = spec->flags;
  put16(octets + 14, spec->window < 0 ? 0 : (uint32_t)spec->window);
  put16(octets + 18, spec->up);
  return length;
}

static void put_text(const struct flow *flow, const struct packet_spec *spec, const struct socket *socket,
                     uint8_t *octets)
{
  uint32_t seq = spec->absolute_seq ? spec->seq : spec->seq + flow->remote_base;
  uint32_t syn = (spec->flags & FLAG_SYN) != 0, irs = seq - !syn;
  if (socket != NULL && socket->tcb.state >= VTCP_SYN_RECEIVED)
    irs = socket->tcb.irs;
  for (uint32_t i = 0; i < spec->len; i++) {
    uint32_t place = seq + syn + i - irs - 1;
    octets[i] = stream_octet(place);
  }
}

static struct socket *connection_on(struct run *run, const struct flow *flow)
{
  for (struct socket *s = run->sockets; s != NULL; s = s->next)
    if (s->flow == flow && has_connection(s))
      return s;
  return NULL;
}

/* ICMP messages by what RFC 9293, 3.9.2.2, makes of them; those of IPv6 that say the same, too. */
static const struct {
  const char *type, *code; /* NULL: any other */
  uint8_t kind;
} messages[] = {
    {"unreachable", "frag_needed", VTCP_ICMP_TOO_BIG},
    {"unreachable", "protocol_unreachable", VTCP_ICMP_HARD},
    {"unreachable", "port_unreachable", VTCP_ICMP_HARD},
    {"unreachable", "net_prohibited", VTCP_ICMP_HARD},
    {"unreachable", "host_prohibited", VTCP_ICMP_HARD},
    {"unreachable", "packet_filtered", VTCP_ICMP_HARD},
    {"unreachable", "admin_prohibited", VTCP_ICMP_HARD},
    {"unreachable", NULL, VTCP_ICMP_SOFT},
    {"packet_too_big", NULL, VTCP_ICMP_TOO_BIG},
    {"time_exceeded", NULL, VTCP_ICMP_SOFT},
    {"parameter_problem", "unknown_next_header", VTCP_ICMP_HARD},
    {"parameter_problem", NULL, VTCP_ICMP_SOFT},
    {"source_quench", NULL, VTCP_ICMP_QUENCH},
};

static bool icmp_kind(const struct packet_spec *spec, uint8_t *kind)
{
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
    bool any = messages[i].code == NULL;
    if (strcmp(messages[i].type, spec->icmp_type) != 0
        || (!any && (spec->icmp_code == NULL || strcmp(messages[i].code, spec->icmp_code) != 0)))
      continue;
    *kind = messages[i].kind;
    return true;
  }
  return false;
}

static void icmp_in(struct run *run, const struct script_event *event)
{
  const struct packet_spec *spec = event->packet;
  struct vtcp_event icmp = {.type = VTCP_ICMP};
  struct flow *flow = flow_of(run, spec);
  struct socket *socket = connection_on(run, flow);
  uint32_t header = setting(&run->settings, "ip_version") == 6 ? 40 : 20;
  if (strcmp(spec->icmp_type, "redirect") == 0)
    return; /* for IP alone */
  if (!icmp_kind(spec, &icmp.icmp)) {
    unsupported(run, event->line, "ICMP", "ICMP %.40s is not known here", spec->icmp_type);
    return;
  }
  if (icmp.icmp == VTCP_ICMP_HARD && setting(&run->settings, "icmp_hard") == 0)
    icmp.icmp = VTCP_ICMP_SOFT;
  icmp.seg.seq = spec->absolute_seq ? spec->seq : spec->seq + flow->local_base;
  icmp.len = spec->mtu > header ? (uint32_t)spec->mtu - header : 0;
  if (socket != NULL)
    world_step(run, socket, icmp, NULL);
}

void packet_in(struct run *run, const struct script_event *event)
{
  const struct packet_spec *spec = event->packet;
  struct vtcp_segment seg;
  uint32_t text = 0;
  if (spec->icmp) {
    icmp_in(run, event);
    return;
  }
  if (spec->any_seq) {
    script_fail(run->script, VERDICT_UNREADABLE, event->line, "syntax", "...() is for outbound packets only");
    return;
  }
  struct flow *flow = flow_of(run, spec);
  struct socket *socket = connection_on(run, flow);
  uint32_t header = put_header(flow, spec, run->octets);
  put_text(flow, spec, socket, run->octets + header);
  if (vtcp_parse(run->octets, header + spec->len, &seg, &text) > VTCP_WIRE_BAD_OPTION) {
    failed(run, event->line, "codec", "the codec cannot read this segment");
    return;
  }
  add_trip(run, (struct trip){.us = run->now,
                              .flow = flow,
                              .seg = seg,
                              .expected = true,
                              .line = event->line,
                              .state = socket != NULL ? socket->tcb.state : NO_STATE});
  uint32_t index = run->trip_count - 1;
  bool timed_wait = socket != NULL && socket->tcb.state == VTCP_TIME_WAIT;
  if (setting(&run->settings, "drop_synfin") == 1 && seg.syn && seg.fin && !timed_wait)
    return;
  world_arrive(run, flow, &seg, run->octets + text, spec->tos_check == TOS_ANY ? 0 : spec->tos);
  socket = connection_on(run, flow);
  if (index < run->trip_count)
    run->trips[index].state = socket != NULL ? socket->tcb.state : VTCP_CLOSED;
}
