/* Packets in scripts: `> S. 0:0(0) ack 1 win 65535 <mss 1460>`, `< icmp unreachable port_unreachable [1:1(0)]`.
 * SPDX-License-Identifier: MIT */
#include "script.h"

#include <string.h>

static uint32_t take_number(struct script *script, uint32_t most, const char *what)
{
  int64_t number = script->token.integer;
  if (script->token.kind != TOKEN_INTEGER) {
    syntax_error(script, what);
    return 0;
  }
  if (number < 0 || number > most)
    script_fail(script, VERDICT_UNREADABLE, script->token.line, "out of range", "%s out of range: %s", what,
                script->token.text);
  next_token(script);
  return (uint32_t)number;
}

/* --- What IP carries --- */

static uint8_t take_dscp(struct script *script)
{
  static const struct {
    const char *name;
    uint8_t value;
  } names[] = {{"cs0", 0},   {"cs1", 8},   {"cs2", 16},  {"cs3", 24},  {"cs4", 32},        {"cs5", 40},
               {"cs6", 48},  {"cs7", 56},  {"af11", 10}, {"af12", 12}, {"af13", 14},       {"af21", 18},
               {"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30},       {"af41", 34},
               {"af42", 36}, {"af43", 38}, {"ef", 46},   {"le", 1},    {"voice-admit", 44}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (accept_word(script, names[i].name))
      return names[i].value;
  return (uint8_t)take_number(script, 63, "dscp");
}

/* The ECN field by name; false if the word is none. */
static bool take_ecn(struct script *script, struct packet_spec *packet)
{
  static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};
  for (uint8_t value = 0; value < 4; value++) {
    if (!accept_word(script, names[value]))
      continue;
    packet->tos_check = packet->tos_check == TOS_DSCP ? TOS_WHOLE : TOS_ECN;
    packet->tos = (uint8_t)((packet->tos & 0xfc) | value);
    return true;
  }
  if (!token_is_word(script, "ect01"))
    return false;
  if (!packet->outbound)
    script_fail(script, VERDICT_UNREADABLE, script->token.line, "syntax", "ect01 is for outbound packets only");
  packet->tos_check = packet->tos_check == TOS_DSCP ? TOS_DSCP_ECT01 : TOS_ECT01;
  next_token(script);
  return true;
}

static void take_dscp_field(struct script *script, struct packet_spec *packet)
{
  uint8_t dscp = take_dscp(script);
  if (packet->tos_check == TOS_ECN)
    packet->tos_check = TOS_WHOLE;
  else if (packet->tos_check == TOS_ECT01)
    packet->tos_check = TOS_DSCP_ECT01;
  else
    packet->tos_check = TOS_DSCP;
  packet->tos = (uint8_t)(dscp << 2 | (packet->tos & 3));
}

static void parse_ip_field(struct script *script, struct packet_spec *packet)
{
  if (accept_word(script, "ttl") || accept_word(script, "hlim")) {
    packet->ttl = (uint8_t)take_number(script, 255, "ttl");
  } else if (accept_word(script, "tos") || accept_word(script, "class")) {
    packet->tos_check = TOS_WHOLE;
    packet->tos = (uint8_t)take_number(script, 255, "tos");
  } else if (accept_word(script, "dscp")) {
    take_dscp_field(script, packet);
  } else if (accept_word(script, "flowlabel")) {
    uint32_t label = take_number(script, 0xfffff, "flowlabel");
    if (packet->outbound && label != 0)
      script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "IPv6 flow labels",
                  "IPv6 flow labels are below this endpoint");
  } else {
    accept_word(script, "ecn");
    if (!take_ecn(script, packet))
      syntax_error(script, "ttl, hlim, tos, class, dscp, flowlabel, ecn, or an ECN value");
  }
}

static void parse_ip(struct script *script, struct packet_spec *packet)
{
  char close = token_is(script, '(') ? ')' : ']';
  if (!accept_token(script, '(') && !accept_token(script, '['))
    return;
  do
    parse_ip_field(script, packet);
  while (accept_token(script, ','));
  expect_token(script, close);
}

/* --- TCP --- */

static void add_flags(struct script *script, struct packet_spec *packet, const char *word)
{
  static const char letters[] = "FSRP.UEW";
  for (; *word != '\0'; word++) {
    const char *letter = strchr(letters, *word);
    if ((*word >= '0' && *word <= '7' && word[1] == '\0') || *word == 'A') {
      script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "accurate ECN",
                  "accurate ECN (RFC 9768) is not implemented");
    } else if (letter == NULL || *letter == '\0') {
      script_fail(script, VERDICT_UNREADABLE, script->token.line, "syntax", "no TCP flag: %c (of FSRP.UEW)", *word);
    } else {
      uint8_t flag = (uint8_t)(1u << (letter - letters));
      if ((packet->flags & flag) != 0)
        script_fail(script, VERDICT_UNREADABLE, script->token.line, "syntax", "TCP flag %c twice", *word);
      packet->flags |= flag;
    }
  }
}

static void parse_flags(struct script *script, struct packet_spec *packet)
{
  bool any = accept_token(script, '-');
  while (!any || token_is(script, '.') || script->token.kind == TOKEN_WORD || script->token.kind == TOKEN_FLOAT) {
    any = true;
    if (token_is(script, '.'))
      add_flags(script, packet, ".");
    else if (script->token.kind == TOKEN_WORD)
      add_flags(script, packet, script->token.text);
    else if (script->token.kind == TOKEN_FLOAT)
      script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "accurate ECN",
                  "accurate ECN (RFC 9768) is not implemented");
    else
      syntax_error(script, "TCP flags");
    next_token(script);
  }
}

static void parse_sequence(struct script *script, struct packet_spec *packet)
{
  uint32_t line = script->token.line, end = 0;
  if (script->token.kind == TOKEN_ELLIPSIS) {
    packet->any_seq = true;
    next_token(script);
  } else {
    packet->seq = take_number(script, UINT32_MAX, "a sequence number");
    expect_token(script, ':');
    end = take_number(script, UINT32_MAX, "a sequence number");
  }
  expect_token(script, '(');
  packet->len = (uint16_t)take_number(script, UINT16_MAX, "the text's length");
  expect_token(script, ')');
  packet->absolute_seq = accept_token(script, '!');
  if (!packet->any_seq && (uint32_t)(packet->seq + packet->len) != end)
    script_fail(script, VERDICT_UNREADABLE, line, "out of range", "%u:%u(%u): the numbers do not fit the length",
                packet->seq, end, packet->len);
}

static void parse_tcp(struct script *script, struct packet_spec *packet)
{
  parse_flags(script, packet);
  parse_sequence(script, packet);
  if (accept_word(script, "ack"))
    packet->ack = take_number(script, UINT32_MAX, "acknowledgment");
  if (accept_word(script, "win"))
    packet->window = (int32_t)take_number(script, UINT16_MAX, "window");
  if (accept_word(script, "urg"))
    packet->up = (uint16_t)take_number(script, UINT16_MAX, "urgent pointer");
  if (accept_token(script, '<'))
    parse_tcp_options(script, packet);
  if (token_is(script, '['))
    script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "reset diagnostics",
                "diagnostic payload of resets is not implemented");
  if (token_is(script, '/'))
    script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "TCP in UDP", "TCP inside UDP is not implemented");
}

/* --- ICMP --- */

static void parse_icmp(struct script *script, struct packet_spec *packet)
{
  packet->icmp = true;
  packet->icmp_type = script->token.text;
  if (script->token.kind != TOKEN_WORD)
    syntax_error(script, "an ICMP type");
  next_token(script);
  if (script->token.kind == TOKEN_WORD && !token_is_word(script, "mtu") && !token_is_word(script, "id")) {
    packet->icmp_code = script->token.text;
    next_token(script);
  }
  if (accept_word(script, "mtu"))
    packet->mtu = take_number(script, UINT16_MAX, "mtu");
  if (accept_word(script, "id"))
    take_number(script, UINT16_MAX, "id");
  if (!accept_token(script, '['))
    return;
  if (script->token.kind == TOKEN_WORD)
    script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "not TCP", "an ICMP message about %.20s",
                script->token.text);
  else
    parse_sequence(script, packet);
  expect_token(script, ']');
}

/* --- */

static bool other_protocol(struct script *script)
{
  static const char *const names[] = {"udp", "udplite", "sctp", "gre", "GREv0", "mpls", "ipv4", "ipv6", "encap"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!token_is_word(script, names[i]))
      continue;
    script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "not TCP", "%s: only TCP directly in IP, and ICMP",
                names[i]);
    return true;
  }
  return false;
}

/* The direction is the token that is looked at. */
struct packet_spec *parse_packet(struct script *script)
{
  struct packet_spec *packet = arena_take(&script->arena, sizeof *packet);
  packet->outbound = token_is(script, '>');
  packet->window = -1;
  packet->mtu = -1;
  next_token(script);
  if (other_protocol(script))
    return packet;
  parse_ip(script, packet);
  if (other_protocol(script))
    return packet;
  if (script->token.kind == TOKEN_INTEGER) {
    packet->source = (uint16_t)take_number(script, UINT16_MAX, "port");
    expect_token(script, '>');
    packet->destination = (uint16_t)take_number(script, UINT16_MAX, "port");
    if (other_protocol(script))
      return packet;
  }
  if (accept_word(script, "icmp"))
    parse_icmp(script, packet);
  else
    parse_tcp(script, packet);
  return packet;
}
