/* A connection as two lifelines, for people. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <arpa/inet.h>
#include <string.h>

enum { ARROW = 54, WIDE = 120, NARROW = 96, SHOWN = 400, SHOWN_LAST = 100, SHOWN_OF_A_KIND = 5 };

void endpoint_text(const struct endpoint *endpoint, char *out, size_t room)
{
  char address[INET6_ADDRSTRLEN] = "?";
  inet_ntop(endpoint->version == 4 ? AF_INET : AF_INET6, endpoint->address, address, sizeof address);
  snprintf(out, room, endpoint->version == 4 ? "%s:%u" : "[%s]:%u", address, endpoint->port);
}

void flags_text(const struct vtcp_segment *seg, char *out, size_t room)
{
  const struct {
    bool set;
    const char *name;
  } flags[] = {{seg->syn, "SYN"}, {seg->fin, "FIN"}, {seg->rst, "RST"}, {seg->psh, "PSH"},
               {seg->urg, "URG"}, {seg->ece, "ECE"}, {seg->cwr, "CWR"}, {seg->has_ack, "ACK"}};
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < sizeof flags / sizeof *flags && used + 5 < room; i++)
    if (flags[i].set)
      used += (size_t)snprintf(out + used, room - used, "%s%s", used > 0 ? "," : "", flags[i].name);
  if (used == 0)
    snprintf(out, room, "none");
}

const char *state_text(uint8_t state)
{
  return state == NO_STATE ? "?" : vtcp_state_name(state);
}

static unsigned long long number_at(const struct connection *conn, uint32_t index)
{
  return index < conn->count ? (unsigned long long)conn->packets[index].number : 0;
}

static void add(char *out, size_t room, const char *text)
{
  size_t used = strlen(out);
  snprintf(out + used, room - used, "%s%s", used > 0 ? "; " : "", text);
}

static void add_numbered(char *out, size_t room, const char *text, unsigned long long number)
{
  char line[160];
  snprintf(line, sizeof line, "%s #%llu", text, number);
  add(out, room, line);
}

static void annotate_fate(const struct connection *conn, const struct packet *p, char *out, size_t room)
{
  bool bare = p->end == p->start;
  if ((p->marks & MARK_LOST) != 0 && bare)
    add(out, room, "lost or late: its peer sends again");
  else if ((p->marks & MARK_LOST) != 0)
    add_numbered(out, room, "lost: sent again in", number_at(conn, p->resent));
  if ((p->marks & MARK_REFUSED) != 0)
    add(out, room, "not taken: the window is closed");
  if ((p->marks & MARK_IN_FLIGHT) != 0)
    add(out, room, p->seg.rst ? "its peer has fallen silent" : "not acknowledged in this capture");
  if ((p->marks & MARK_DAMAGED) != 0)
    add(out, room, "wrong checksum");
  if ((p->marks & MARK_LATE) != 0 && (p->seg.syn || p->seg.fin || p->seg.rst))
    add_numbered(out, room, "arrives after", number_at(conn, p->arrives));
}

static void annotate_sack(const struct connection *conn, const struct packet *p, char *out, size_t room)
{
  char line[64];
  uint32_t isn = conn->side[!p->from].isn;
  if (p->seg.sack_count == 0 || p->seg.rst)
    return;
  bool twice = p->seg.ack - p->seg.sack[0].left - 1 < 0x7fffffffu; /* RFC 2883: below the acknowledgment */
  snprintf(line, sizeof line, "%s %u-%u%s", twice ? "D-SACK" : "SACK", p->seg.sack[0].left - isn,
           p->seg.sack[0].right - isn, p->seg.sack_count > 1 ? " ..." : "");
  add(out, room, line);
}

/* What the marks of a packet say, in words. */
void annotations(const struct connection *conn, uint32_t index, char *out, size_t room)
{
  static const struct {
    uint32_t mark;
    const char *text;
    const char *link; /* before the number of the packet that it is about */
  } words[] = {
      {MARK_AGAIN, "retransmission", "of"},
      {MARK_DUPLICATE, "captured before", "as"},
      {MARK_OUT_OF_ORDER, "fills a gap", NULL},
      {MARK_GAP, "after a gap", NULL},
      {MARK_KEEP_ALIVE, "keep-alive", NULL},
      {MARK_PROBE, "window probe", NULL},
      {MARK_ZERO_WINDOW, "zero window", NULL},
      {MARK_WINDOW_UPDATE, "window update", NULL},
      {MARK_CHALLENGE, "challenge ACK", "for"},
      {MARK_DUPLICATE_ACK, "duplicate ACK", NULL},
      {MARK_FOREIGN, "not of this connection's numbers", NULL},
      {MARK_ANSWER, "an answer", "to"},
      {MARK_UNSEEN, "acknowledges what was not captured", NULL},
      {MARK_RESTART, "its sender has lost the connection", NULL},
      {MARK_IGNORED, "not heeded by anyone", NULL},
  };
  const struct packet *p = &conn->packets[index];
  out[0] = '\0';
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if ((p->marks & words[i].mark) == 0)
      continue;
    char line[96];
    snprintf(line, sizeof line, "%s %s", words[i].text, words[i].link != NULL ? words[i].link : "");
    if (words[i].link != NULL && p->cause < conn->count)
      add_numbered(out, room, line, number_at(conn, p->cause));
    else
      add(out, room, words[i].text);
  }
  annotate_sack(conn, p, out, room);
  annotate_fate(conn, p, out, room);
}

/* --- Arrows --- */

void label_text(const struct packet *p, char *out, size_t room)
{
  char flags[40];
  flags_text(&p->seg, flags, sizeof flags);
  size_t used = (size_t)snprintf(out, room, "%s ", flags);
  if ((p->marks & MARK_FOREIGN) != 0)
    used += (size_t)snprintf(out + used, room - used, "seq=(%u)", p->seg.seq);
  else
    used += (size_t)snprintf(out + used, room - used, "seq=%lld", (long long)p->start);
  if (p->seg.has_ack)
    used += (size_t)snprintf(out + used, room - used, " ack=%lld", (long long)p->ack);
  if (p->seg.len > 0)
    used += (size_t)snprintf(out + used, room - used, " len=%u", p->seg.len);
  if (!p->seg.rst)
    used += (size_t)snprintf(out + used, room - used, " win=%u", p->window);
  if (p->seg.has_mss)
    used += (size_t)snprintf(out + used, room - used, " mss=%u", p->seg.mss);
  if (p->seg.urg)
    snprintf(out + used, room - used, " up=%u", p->seg.up);
}

static void repeat(const char *text, size_t count)
{
  while (count-- > 0)
    fputs(text, stdout);
}

static size_t print_arrow(const struct packet *p, bool ascii)
{
  char label[160];
  label_text(p, label, sizeof label);
  size_t length = strlen(label), rest = length + 6 < ARROW ? ARROW - length - 6 : 1;
  const char *line = ascii ? "-" : "\u2500", *lost = ascii ? "X" : "\u2717";
  const char *head = p->from == 0 ? (ascii ? ">" : "\u25b6") : (ascii ? "<" : "\u25c0");
  bool gone = p->arrives == NOWHERE && (p->marks & MARK_DUPLICATE) == 0;
  size_t flown = gone ? rest / 2 : rest;
  if (p->from == 0) {
    repeat(line, 2);
    printf(" %s ", label);
    repeat(line, flown);
    fputs(gone ? lost : head, stdout);
    repeat(" ", rest - flown);
  } else {
    repeat(" ", rest - flown);
    fputs(gone ? lost : head, stdout);
    repeat(line, flown);
    printf(" %s ", label);
    repeat(line, 2);
  }
  return length + rest + 5;
}

/* Text behind a margin, broken between words. */
static void print_wrapped(const char *margin, size_t column, const char *text)
{
  size_t room = NARROW - column;
  while (*text != '\0') {
    size_t length = strlen(text), take = length;
    if (length > room) {
      take = room;
      while (take > 0 && text[take] != ' ')
        take--;
      if (take == 0)
        take = room;
    }
    printf("%s%.*s\n", margin, (int)take, text);
    text += take;
    while (*text == ' ')
      text++;
  }
}

static uint64_t began(const struct connection *conn)
{
  return conn->forgotten > 0 ? conn->began : conn->packets[0].us;
}

static void print_row(const struct connection *conn, uint32_t index, const struct options *options)
{
  const struct packet *p = &conn->packets[index];
  uint64_t us = p->us >= began(conn) ? p->us - began(conn) : 0;
  char remark[240];
  printf("%5llu.%06llu %6llu  %-12s ", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000),
         (unsigned long long)p->number, state_text(p->state[0]));
  size_t width = 33 + print_arrow(p, options->ascii) + 1;
  annotations(conn, index, remark, sizeof remark);
  size_t state = strlen(state_text(p->state[1]));
  printf(" %s", state_text(p->state[1]));
  if (remark[0] == '\0') {
    putchar('\n');
  } else if (width + 14 + strlen(remark) <= WIDE) {
    printf("%*s%s\n", state < 12 ? (int)(14 - state) : 2, "", remark);
  } else {
    printf("\n%34s(%s)\n", "", remark);
  }
}

static void print_explanations(const struct connection *conn, uint32_t index, const struct options *options,
                               uint32_t *said)
{
  const char *lines[EXPLANATIONS];
  uint32_t count = explanations(conn, index, said, lines);
  const char *margin = options->ascii ? "                    | " : "                    \u2502 ";
  for (uint32_t i = 0; i < count; i++)
    print_wrapped(margin, 22, lines[i]);
}

/* --- Around the ladder --- */

static const struct vtcp_segment *syn_of(const struct connection *conn, uint8_t side)
{
  for (uint32_t i = 0; i < conn->count; i++) {
    const struct packet *p = &conn->packets[i];
    if (p->from == side && p->seg.syn && (p->marks & MARK_FOREIGN) == 0)
      return &p->seg;
  }
  return NULL;
}

/* The options of both SYNs; empty if one was not captured. */
void syn_options_text(const struct connection *conn, char *out, size_t room)
{
  const struct vtcp_segment *syn[2] = {syn_of(conn, 0), syn_of(conn, 1)};
  char mss[2][16] = {"none", "none"}, scale[40] = "";
  out[0] = '\0';
  if (syn[0] == NULL || syn[1] == NULL)
    return;
  for (int side = 0; side < 2; side++)
    if (syn[side]->has_mss)
      snprintf(mss[side], sizeof mss[side], "%u", syn[side]->mss);
  if (syn[0]->has_wscale && syn[1]->has_wscale)
    snprintf(scale, sizeof scale, ", window scale %u / %u", syn[0]->wscale, syn[1]->wscale);
  snprintf(out, room, "options: MSS %s / %s%s%s%s", mss[0], mss[1], scale, conn->ts_negotiated ? ", timestamps" : "",
           conn->sack_negotiated ? ", SACK" : "");
}

void heading_text(const struct connection *conn, uint32_t id, bool ascii, char *out, size_t room)
{
  char left[64], right[64];
  uint64_t last = conn->packets[conn->count - 1].us, us = last > began(conn) ? last - began(conn) : 0;
  unsigned long long segments = (unsigned long long)conn->forgotten + conn->count;
  endpoint_text(&conn->side[0].endpoint, left, sizeof left);
  endpoint_text(&conn->side[1].endpoint, right, sizeof right);
  int used = snprintf(out, room, "Connection %u: %s %s %s, %llu segment%s in %llu.%06llu s", id, left,
                      ascii ? "<->" : "\u2194", right, segments, segments == 1 ? "" : "s",
                      (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
  if (conn->incarnation > 1 && used > 0 && (size_t)used < room)
    snprintf(out + used, room - (size_t)used, " (incarnation %u of these sockets)", conn->incarnation);
}

static void print_heading(const struct connection *conn, uint32_t id, const struct options *options)
{
  char left[64], right[64], line[240];
  endpoint_text(&conn->side[0].endpoint, left, sizeof left);
  endpoint_text(&conn->side[1].endpoint, right, sizeof right);
  heading_text(conn, id, options->ascii, line, sizeof line);
  printf("%s\n", line);
  syn_options_text(conn, line, sizeof line);
  if (line[0] != '\0')
    printf("  %s\n", line);
  printf("\n%12s %6s  %-*s %s\n", "time/s", "#", 67, left, right);
}

/* Of each kind the first few; a phenomenon often shows itself in every segment. */
static void print_findings(const struct connection *conn, bool all)
{
  uint32_t elided = 0;
  for (uint32_t i = 0; i < conn->finding_count; i++) {
    const struct finding *f = &conn->findings[i];
    uint32_t before = 0;
    for (uint32_t k = 0; k < i; k++)
      before += strcmp(conn->findings[k].id, f->id) == 0;
    if (before >= SHOWN_OF_A_KIND && !all) {
      elided++;
      continue;
    }
    printf("  %s #%llu [%s, section %s]: %s\n    expected: %s\n", f->severity == VIOLATION ? "departs" : "advice ",
           (unsigned long long)f->number, f->id, f->section, f->found, f->expected);
  }
  if (elided > 0)
    printf("  ... %u more findings of these kinds (--all shows them)\n", elided);
}

void conclusion_text(const struct connection *conn, char *out, size_t room)
{
  uint32_t wrong = violations(conn), advice = conn->finding_count - wrong;
  if (wrong > 0)
    snprintf(out, room, "departs: %u finding%s, %u advice, %llu segments judged", wrong, wrong == 1 ? "" : "s", advice,
             (unsigned long long)conn->judged);
  else if (conn->judged == 0)
    snprintf(out, room, "not judged: nothing of this connection could be judged");
  else
    snprintf(out, room, "conforms: %llu segment%s judged, nothing departs from RFC 9293%s",
             (unsigned long long)conn->judged, conn->judged == 1 ? "" : "s", advice > 0 ? " (see the advice)" : "");
}

static void print_verdict(const struct connection *conn, const struct options *options)
{
  char line[160];
  print_findings(conn, options->all);
  for (uint32_t i = 0; i < conn->note_count; i++)
    printf("  note: %s\n", conn->notes[i]);
  conclusion_text(conn, line, sizeof line);
  printf("  %s\n", line);
}

static void print_rows(const struct connection *conn, const struct options *options, uint32_t *said)
{
  bool elide = !options->all && conn->count > SHOWN;
  if (conn->forgotten > 0)
    printf("%12s %6s  ... %llu segments were judged, but not kept to be shown ...\n", "", "",
           (unsigned long long)conn->forgotten);
  for (uint32_t i = 0; i < conn->count; i++) {
    if (elide && i == SHOWN - SHOWN_LAST) {
      uint32_t until = conn->count - SHOWN_LAST;
      printf("%12s %6s  ... %u segments not shown (--all shows them) ...\n", "", "", until - i);
      i = until;
    }
    print_row(conn, i, options);
    if (options->explain)
      print_explanations(conn, i, options, said);
  }
}

void ladder_rows(const struct connection *conn, uint32_t id, const struct options *options)
{
  uint32_t said = 0;
  print_heading(conn, id, options);
  print_rows(conn, options, &said);
}

void ladder(const struct connection *conn, uint32_t id, const struct options *options, uint32_t *said)
{
  print_heading(conn, id, options);
  print_rows(conn, options, said);
  putchar('\n');
  print_verdict(conn, options);
  putchar('\n');
}
