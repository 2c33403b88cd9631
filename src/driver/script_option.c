/* TCP options in scripts: <mss 1460,nop,wscale 6>, <...>, <0204...> and exp-, gen- and the like, turned into octets.
 * SPDX-License-Identifier: MIT */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static void put(struct option_spec *option, uint64_t value, unsigned octets)
{
  while (octets-- > 0 && option->length < OPTIONS_ROOM)
    option->octets[option->length++] = (uint8_t)(value >> 8 * octets);
}

static void put_head(struct option_spec *option, uint8_t kind, uint8_t length)
{
  put(option, kind, 1);
  put(option, length, 1);
}

static uint64_t take_number(struct script *script, uint64_t most, const char *what)
{
  int64_t number = script->token.integer;
  if (script->token.kind != TOKEN_INTEGER) {
    syntax_error(script, what);
    return 0;
  }
  if (number < 0 || (uint64_t)number > most)
    script_fail(script, VERDICT_UNREADABLE, script->token.line, "out of range", "%s out of range: %s", what,
                script->token.text);
  next_token(script);
  return (uint64_t)number;
}

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if ((c | 32) >= 'a' && (c | 32) <= 'f')
    return (c | 32) - 'a' + 10;
  return -1;
}

/* Octets as hexadecimal digits, with 0x before them or not. */
static void take_octets(struct script *script, struct option_spec *option)
{
  const char *text = script->token.text;
  if (script->token.kind != TOKEN_WORD && script->token.kind != TOKEN_INTEGER)
    return;
  if (text[0] == '0' && text[1] == 'x')
    text += 2;
  for (; *text != '\0' && option->length < OPTIONS_ROOM; text += 2) {
    int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
    if (low < 0) {
      syntax_error(script, "pairs of hexadecimal digits");
      return;
    }
    put(option, (uint64_t)(high << 4 | low), 1);
  }
  if (*text != '\0')
    script_fail(script, VERDICT_UNREADABLE, script->token.line, "out of range", "more than 40 octets of options");
  next_token(script);
}

static void with_octets(struct script *script, struct option_spec *option, uint8_t kind)
{
  put_head(option, kind, 0);
  take_octets(script, option);
  option->octets[1] = option->length;
}

static void experimental(struct script *script, struct option_spec *option, uint16_t id)
{
  put_head(option, 254, 0);
  put(option, id, 2);
  take_octets(script, option);
  option->octets[1] = option->length;
}

static void sack_blocks(struct script *script, struct option_spec *option)
{
  put_head(option, 5, 0);
  option->relative = true;
  while (script->token.kind == TOKEN_INTEGER && option->length + 8 <= OPTIONS_ROOM) {
    put(option, take_number(script, UINT32_MAX, "left edge"), 4);
    expect_token(script, ':');
    put(option, take_number(script, UINT32_MAX, "right edge"), 4);
  }
  option->octets[1] = option->length;
  if (option->length == 2)
    syntax_error(script, "a block, left:right,");
}

static void timestamps(struct script *script, struct option_spec *option)
{
  put_head(option, 8, 10);
  if (!accept_word(script, "val"))
    syntax_error(script, "val");
  option->any_value = script->token.kind == TOKEN_ELLIPSIS;
  if (option->any_value) {
    next_token(script);
    put(option, 0, 4);
  } else {
    put(option, take_number(script, UINT32_MAX, "timestamp"), 4);
  }
  if (!accept_word(script, "ecr"))
    syntax_error(script, "ecr");
  put(option, take_number(script, UINT32_MAX, "timestamp"), 4);
  option->absolute_ecr = accept_token(script, '!');
}

/* Accurate ECN (RFC 9768): up to three counters, in this order. */
static void accurate_ecn(struct script *script, struct option_spec *option, const char *const names[3])
{
  for (int i = 0; i < 3 && accept_word(script, names[i]); i++)
    put(option, take_number(script, 0xffffff, "counter"), 3);
  option->octets[1] = option->length;
}

static bool accurate_ecn_option(struct script *script, struct option_spec *option)
{
  static const char *const zero[] = {"ee0b", "eceb", "ee1b"}, *const one[] = {"ee1b", "eceb", "ee0b"};
  if (accept_word(script, "AccECN0")) {
    put_head(option, 172, 0);
    accurate_ecn(script, option, zero);
  } else if (accept_word(script, "AccECN1")) {
    put_head(option, 174, 0);
    accurate_ecn(script, option, one);
  } else if (accept_word(script, "exp-AccECN0")) {
    put_head(option, 254, 0);
    put(option, 0xacc0, 2);
    accurate_ecn(script, option, zero);
  } else if (accept_word(script, "exp-AccECN1")) {
    put_head(option, 254, 0);
    put(option, 0xacc1, 2);
    accurate_ecn(script, option, one);
  } else if (accept_word(script, "ECN")) {
    static const char *const first_zero[] = {"e0b", "ceb", "e1b"}, *const first_one[] = {"e1b", "ceb", "e0b"};
    bool is_one = token_is_word(script, "e1b");
    put_head(option, is_one ? 174 : 172, 0);
    accurate_ecn(script, option, is_one ? first_one : first_zero);
  } else {
    return false;
  }
  return true;
}

static void md5(struct script *script, struct option_spec *option)
{
  if (token_is_word(script, "valid"))
    script_fail(script, VERDICT_UNSUPPORTED, script->token.line, "TCP MD5 signatures",
                "TCP MD5 signatures (RFC 2385) are not implemented");
  with_octets(script, option, 19);
}

static bool common_option(struct script *script, struct option_spec *option)
{
  if (accept_word(script, "nop")) {
    put(option, 1, 1);
  } else if (accept_word(script, "eol")) {
    put(option, 0, 1);
  } else if (accept_word(script, "mss")) {
    put_head(option, 2, 4);
    put(option, take_number(script, UINT16_MAX, "MSS"), 2);
  } else if (accept_word(script, "wscale")) {
    put_head(option, 3, 3);
    put(option, take_number(script, UINT8_MAX, "window scale"), 1);
  } else if (accept_word(script, "sackOK")) {
    put_head(option, 4, 2);
  } else if (accept_word(script, "sack")) {
    sack_blocks(script, option);
  } else if (accept_word(script, "TS")) {
    timestamps(script, option);
  } else {
    return false;
  }
  return true;
}

static bool numbered_option(struct script *script, struct option_spec *option)
{
  const char *text = script->token.text;
  if (script->token.kind != TOKEN_WORD)
    return false;
  if (strncmp(text, "gen-", 4) == 0) {
    unsigned long kind = strtoul(text + 4, NULL, 10);
    if (kind > UINT8_MAX)
      script_fail(script, VERDICT_UNREADABLE, script->token.line, "out of range", "option kind out of range: %s", text);
    next_token(script);
    with_octets(script, option, (uint8_t)kind);
  } else if (strncmp(text, "exp-", 4) == 0) {
    unsigned long id = strtoul(text + 4, NULL, 16);
    if (id > UINT16_MAX)
      script_fail(script, VERDICT_UNREADABLE, script->token.line, "out of range", "experiment out of range: %s", text);
    next_token(script);
    experimental(script, option, (uint16_t)id);
  } else {
    return false;
  }
  return true;
}

static void parse_option(struct script *script, struct option_spec *option)
{
  if (common_option(script, option) || accurate_ecn_option(script, option))
    return;
  if (accept_word(script, "md5")) {
    md5(script, option);
  } else if (accept_word(script, "FO")) {
    with_octets(script, option, 34);
  } else if (accept_word(script, "FOEXP") || accept_word(script, "exp-FO") || accept_word(script, "EXP-FO")) {
    experimental(script, option, 0xf989);
  } else if (accept_word(script, "exp-tarr")) {
    put_head(option, 254, 4);
    put(option, 0xac10, 2);
    if (script->token.kind == TOKEN_INTEGER) {
      put(option, take_number(script, 127, "rate") << 1, 1);
      option->octets[1] = option->length;
    }
  } else if (!numbered_option(script, option)) {
    syntax_error(script, "a TCP option");
  }
}

static bool is_raw(const struct script *script)
{
  const char *text = script->token.text;
  if (script->token.kind == TOKEN_INTEGER)
    return true;
  for (; script->token.kind == TOKEN_WORD && hex_digit(*text) >= 0; text++)
    ;
  return script->token.kind == TOKEN_WORD && *text == '\0';
}

void parse_tcp_options(struct script *script, struct packet_spec *packet)
{
  uint32_t line = script->token.line;
  size_t length = 0;
  if (script->token.kind == TOKEN_ELLIPSIS) {
    packet->any_options = true;
    if (!packet->outbound)
      script_fail(script, VERDICT_UNREADABLE, line, "syntax", "<...> is for outbound packets only");
    next_token(script);
  } else if (is_raw(script)) {
    take_octets(script, &packet->options[packet->option_count++]);
  } else {
    do {
      if (packet->option_count < OPTIONS_MOST)
        parse_option(script, &packet->options[packet->option_count++]);
      else
        script_fail(script, VERDICT_UNREADABLE, line, "out of range", "more than 40 options");
    } while (accept_token(script, ',') && script->verdict == VERDICT_PASSED);
  }
  for (uint32_t i = 0; i < packet->option_count; i++)
    length += packet->options[i].length;
  if (length > OPTIONS_ROOM || (length % 4 != 0 && !packet->any_options))
    script_fail(script, VERDICT_UNREADABLE, line, "out of range", "%zu octets of options: not a multiple of 4 up to 40",
                length);
  expect_token(script, '>');
}
