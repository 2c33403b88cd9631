/* The same for programs: one JSON object, described in `vtcp replay --help`. SPDX-License-Identifier: MIT */
#include "driver.h"

#include <string.h>

/* Length of the UTF-8 sequence at `s`, 0 if there is none (RFC 3629). */
size_t utf8_length(const unsigned char *s)
{
  size_t length = s[0] < 0x80                   ? 1
                  : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
                  : (s[0] & 0xf0) == 0xe0       ? 3
                  : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                                : 0;
  for (size_t i = 1; i < length; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0))
    return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
    return 0;
  return length;
}

static void print_string(const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  putchar('"');
  while (*s != '\0') {
    size_t length = utf8_length(s);
    if (length == 0)
      fputs("\\ufffd", stdout);
    else if (*s == '"' || *s == '\\')
      printf("\\%c", *s);
    else if (*s < ' ' || *s == 0x7f)
      printf("\\u%04x", *s);
    else
      fwrite(s, 1, length, stdout);
    s += length == 0 ? 1 : length;
  }
  putchar('"');
}

static void print_member(const char *name, const char *value)
{
  printf("\"%s\":", name);
  if (value == NULL || value[0] == '\0')
    fputs("null", stdout);
  else
    print_string(value);
}

static void print_state(const char *name, uint8_t state)
{
  print_member(name, state == NO_STATE ? NULL : state_text(state));
}

static void print_endpoint(const char *name, const struct endpoint *endpoint)
{
  char text[64];
  endpoint_text(endpoint, text, sizeof text);
  char *colon = strrchr(text, ':');
  if (colon != NULL)
    *colon = '\0';
  size_t length = strlen(text);
  char *address = text;
  if (length > 1 && text[0] == '[') {
    text[length - 1] = '\0';
    address++;
  }
  printf("\"%s\":{", name);
  print_member("address", address);
  printf(",\"port\":%u}", endpoint->port);
}

static void print_remarks(const struct connection *conn, uint32_t index)
{
  char remarks[240], *at = remarks;
  annotations(conn, index, remarks, sizeof remarks);
  fputs("\"remarks\":[", stdout);
  while (*at != '\0') {
    char *end = strstr(at, "; ");
    if (end != NULL)
      *end = '\0';
    if (at != remarks)
      putchar(',');
    print_string(at);
    at = end != NULL ? end + 2 : at + strlen(at);
  }
  putchar(']');
}

static void print_segment(const struct connection *conn, uint32_t index)
{
  const struct packet *p = &conn->packets[index];
  char flags[40];
  flags_text(&p->seg, flags, sizeof flags);
  printf("%s\n    {\"packet\":%llu,\"time_us\":%llu,\"from\":\"%s\",", index == 0 ? "" : ",",
         (unsigned long long)p->number, (unsigned long long)(p->us >= conn->began ? p->us - conn->began : 0),
         p->from == 0 ? "left" : "right");
  print_member("flags", flags);
  if ((p->marks & MARK_FOREIGN) != 0)
    fputs(",\"seq\":null", stdout);
  else
    printf(",\"seq\":%lld", (long long)p->start);
  if (p->seg.has_ack)
    printf(",\"ack\":%lld", (long long)p->ack);
  else
    fputs(",\"ack\":null", stdout);
  printf(",\"raw_seq\":%u,\"raw_ack\":%u,\"len\":%u,\"window\":%u,\"received\":%s,", p->seg.seq, p->seg.ack, p->seg.len,
         p->window, p->arrives != NOWHERE ? "true" : "false");
  print_state("left_state", p->state[0]);
  putchar(',');
  print_state("right_state", p->state[1]);
  putchar(',');
  print_remarks(conn, index);
  putchar('}');
}

static void print_finding(const struct finding *f)
{
  putchar('{');
  print_member("id", f->id);
  putchar(',');
  print_member("section", f->section);
  printf(",\"severity\":\"%s\",\"packet\":%llu,", f->severity == VIOLATION ? "violation" : "advice",
         (unsigned long long)f->number);
  print_member("found", f->found);
  putchar(',');
  print_member("expected", f->expected);
  putchar('}');
}

static void print_connection(const struct connection *conn, bool first)
{
  printf("%s\n  {\"id\":%u,\"incarnation\":%u,", first ? "" : ",", conn->id, conn->incarnation);
  print_endpoint("left", &conn->side[0].endpoint);
  putchar(',');
  print_endpoint("right", &conn->side[1].endpoint);
  printf(",\"start_us\":%llu,\"timestamps\":%s,\"sack\":%s,", (unsigned long long)conn->began,
         conn->ts_negotiated ? "true" : "false", conn->sack_negotiated ? "true" : "false");
  if (conn->unscaled_middle)
    fputs("\"window_scale\":null,", stdout);
  else
    printf("\"window_scale\":[%u,%u],", conn->side[0].scale, conn->side[1].scale);
  fputs("\"segments\":[", stdout);
  for (uint32_t i = 0; i < conn->count; i++)
    print_segment(conn, i);
  fputs("],\n   ", stdout);
  print_state("left_final", conn->final[0]);
  putchar(',');
  print_state("right_final", conn->final[1]);
  printf(",\"segments_forgotten\":%llu,\"duplicates\":%llu,\"aside\":%llu,\"judged\":%llu,\"verdict\":\"%s\","
         "\"findings\":[",
         (unsigned long long)conn->forgotten, (unsigned long long)conn->duplicates, (unsigned long long)conn->aside,
         (unsigned long long)conn->judged,
         violations(conn) > 0 ? "departs"
         : conn->judged > 0   ? "conforms"
                              : "not judged");
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    if (i > 0)
      putchar(',');
    print_finding(&conn->findings[i]);
  }
  fputs("],\"notes\":[", stdout);
  for (uint32_t i = 0; i < conn->note_count; i++) {
    if (i > 0)
      putchar(',');
    print_string(conn->notes[i]);
  }
  fputs("]}", stdout);
}

void json_open(void)
{
  printf("{\"vtcp\":\"%s\",\"command\":\"replay\",\"files\":[", VTCP_VERSION);
}

void json_file(const struct report *report, const struct flows *flows, bool first)
{
  printf("%s\n {", first ? "" : ",");
  print_member("file", report->path);
  putchar(',');
  print_member("link", report->link);
  printf(",\"packets\":%llu,\"tcp\":%llu,\"not_tcp\":%llu,\"fragments\":%llu,\"tunnels\":%llu,\"encrypted\":%llu,"
         "\"malformed\":%llu,\"headless\":%llu,"
         "\"unusable\":%llu,\"snapped\":%llu,\"complete\":%s,",
         (unsigned long long)report->packets, (unsigned long long)report->tcp, (unsigned long long)report->not_tcp,
         (unsigned long long)report->fragments, (unsigned long long)report->tunnels,
         (unsigned long long)report->encrypted, (unsigned long long)report->malformed,
         (unsigned long long)report->headless, (unsigned long long)report->unusable,
         (unsigned long long)report->snapped, flows->full || report->error[0] != '\0' ? "false" : "true");
  print_member("error", report->error);
  fputs(",\"connections\":[", stdout);
  for (uint32_t i = 0; i < flows->count; i++)
    print_connection(flows->all[i], i == 0);
  fputs("]}", stdout);
}

void json_close(int status)
{
  printf("],\n\"exit\":%d}\n", status);
}
