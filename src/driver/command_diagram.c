/* `vtcp diagram`: the state diagram of RFC 9293, figure 5, for Graphviz. The edges are those of the specification's law: its
 * text is compiled here (tools/diagram). Only the words on them are the figure's. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "picture.h"
#include "script_run.h"

#include "diagram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: vtcp diagram [--svg FILE] [CAPTURE | SCRIPT.pkt]...\n"
    "\n"
    "Draws the state diagram (RFC 9293, figure 5) from the law that every step is proven to obey (spec/laws.acsl), as "
    "a\n"
    "description for Graphviz. Of captures and scripts, it marks the edges that the endpoints took: of a capture each\n"
    "with the side that took it, `left` having opened the connection; of a script this endpoint's.\n"
    "\n"
    "  --svg FILE     draws it: runs `dot` of Graphviz\n"
    "\n"
    "Exit status: 0, or 2 if a file cannot be used or written, or Graphviz is missing.\n";

/* --- The edges --- */

enum cause { BY_CALL = 1, BY_SEGMENT = 2, BY_ABORT = 4, BY_RESET = 8, BY_TIMEOUT = 16, BY_ICMP = 32 };

static bool admits(uint8_t from, const struct vtcp_event *event, uint8_t to)
{
  return law_diagram((struct vtcp_conn){.state = from}, *event, (struct vtcp_conn){.state = to});
}

static unsigned cause_of(const struct vtcp_event *event)
{
  switch (event->type) {
  case VTCP_ABORT: return BY_ABORT;
  case VTCP_TIMEOUT: return BY_TIMEOUT;
  case VTCP_ICMP: return BY_ICMP;
  case VTCP_ARRIVES: return event->seg.rst ? BY_RESET : BY_SEGMENT;
  default: return BY_CALL;
  }
}

/* All that can lead from one state to another, as the law has it. */
static unsigned causes(uint8_t from, uint8_t to)
{
  unsigned found = 0;
  for (unsigned type = 0; type <= VTCP_ICMP && from != to; type++)
    for (unsigned bits = 0; bits < 16; bits++) {
      struct vtcp_event event = {.type = (uint8_t)type, .icmp = VTCP_ICMP_HARD};
      event.seg.syn = bits & 1;
      event.seg.fin = bits >> 1 & 1;
      event.seg.has_ack = bits >> 2 & 1;
      event.seg.rst = bits >> 3 & 1;
      if (admits(from, &event, to))
        found |= cause_of(&event);
    }
  return found;
}

/* The words of figure 5; and for edges that it leaves out, like words. */
static const struct words {
  uint8_t from, to;
  bool in_figure;
  const char *event, *action;
} words[] = {
    {VTCP_CLOSED, VTCP_LISTEN, true, "passive OPEN", "create TCB"},
    {VTCP_CLOSED, VTCP_SYN_SENT, true, "active OPEN", "create TCB, snd SYN"},
    {VTCP_LISTEN, VTCP_CLOSED, true, "CLOSE", "delete TCB"},
    {VTCP_LISTEN, VTCP_SYN_SENT, true, "SEND or active OPEN", "snd SYN"},
    {VTCP_LISTEN, VTCP_SYN_RECEIVED, true, "rcv SYN", "snd SYN,ACK"},
    {VTCP_SYN_SENT, VTCP_CLOSED, true, "CLOSE", "delete TCB"},
    {VTCP_SYN_SENT, VTCP_SYN_RECEIVED, true, "rcv SYN", "snd SYN,ACK"},
    {VTCP_SYN_SENT, VTCP_ESTABLISHED, true, "rcv SYN,ACK", "snd ACK"},
    {VTCP_SYN_SENT, VTCP_CLOSE_WAIT, false, "rcv SYN,ACK and FIN", "snd ACK"},
    {VTCP_SYN_RECEIVED, VTCP_LISTEN, true, "rcv RST (note 1)", "x"},
    {VTCP_SYN_RECEIVED, VTCP_ESTABLISHED, true, "rcv ACK of SYN", "x"},
    {VTCP_SYN_RECEIVED, VTCP_FIN_WAIT_1, true, "CLOSE", "snd FIN"},
    {VTCP_SYN_RECEIVED, VTCP_CLOSE_WAIT, false, "rcv ACK of SYN and FIN", "snd ACK"},
    {VTCP_SYN_RECEIVED, VTCP_CLOSING, false, "rcv ACK of SYN and FIN", "after CLOSE: snd ACK"},
    {VTCP_ESTABLISHED, VTCP_FIN_WAIT_1, true, "CLOSE", "snd FIN"},
    {VTCP_ESTABLISHED, VTCP_CLOSE_WAIT, true, "rcv FIN", "snd ACK"},
    {VTCP_FIN_WAIT_1, VTCP_FIN_WAIT_2, true, "rcv ACK of FIN", "x"},
    {VTCP_FIN_WAIT_1, VTCP_CLOSING, true, "rcv FIN", "snd ACK"},
    {VTCP_FIN_WAIT_1, VTCP_TIME_WAIT, false, "rcv FIN and ACK of FIN", "snd ACK (note 2)"},
    {VTCP_FIN_WAIT_2, VTCP_TIME_WAIT, true, "rcv FIN", "snd ACK"},
    {VTCP_CLOSE_WAIT, VTCP_LAST_ACK, true, "CLOSE", "snd FIN"},
    {VTCP_CLOSING, VTCP_TIME_WAIT, true, "rcv ACK of FIN", "x"},
    {VTCP_LAST_ACK, VTCP_CLOSED, true, "rcv ACK of FIN", "x"},
    {VTCP_TIME_WAIT, VTCP_CLOSED, true, "Timeout=2MSL", "delete TCB"},
};

static const struct words *words_of(uint8_t from, uint8_t to)
{
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (words[i].from == from && words[i].to == to)
      return &words[i];
  return NULL;
}

/* --- The description --- */

struct diagram {
  FILE *file;
  uint16_t taken[2][STATES];
  bool marked, scripts;
  char caption[400];
};

/* As text of a description: dot knows quotes, backslashes and XML's entities. */
static void put_quoted(FILE *file, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  while (*s != '\0') {
    size_t length = xml_character(s);
    if (*s == '\n')
      fputs("\\l", file);
    else if (length == 0)
      fputs("\xef\xbf\xbd", file);
    else if (*s == '&')
      fputs("&amp;", file);
    else if (*s == '"' || *s == '\\')
      put(file, "\\%c", *s);
    else
      fwrite(s, 1, length, file);
    s += length == 0 ? 1 : length;
  }
}

/* CLOSED stands at both ends, as in the figure. */
static bool is_last(uint8_t state)
{
  return state == VTCP_TIME_WAIT || state == VTCP_LAST_ACK;
}

static const char *node(uint8_t state, bool end)
{
  return end && state == VTCP_CLOSED ? "END" : vtcp_state_name(state);
}

static void draw_node(const struct diagram *diagram, const char *name, const char *label, bool visited)
{
  put(diagram->file, "  \"%s\" [label=\"%s\", class=\"%s\"%s];\n", name, label, visited ? "visited" : "state",
      visited ? ", penwidth=2.4" : "");
}

static void draw_nodes(const struct diagram *diagram)
{
  uint32_t reached = 0, ended = 0;
  for (uint8_t state = 0; state < STATES; state++) {
    uint32_t after = diagram->taken[0][state] | diagram->taken[1][state];
    bool last = is_last(state);
    reached |= (after & ~(1u << ENDED)) | (after != 0 ? 1u << state : 0u);
    ended |= (after >> ENDED & 1u) | (last ? after >> VTCP_CLOSED & 1u : 0u);
  }
  for (uint8_t state = 0; state < STATES; state++)
    draw_node(diagram, vtcp_state_name(state), vtcp_state_name(state), (reached >> state & 1u) != 0);
  draw_node(diagram, "END", "CLOSED", ended != 0);
}

/* Who took it: two letters of a set. */
static unsigned takers(const struct diagram *diagram, uint8_t from, unsigned bit)
{
  return (diagram->taken[0][from] >> bit & 1u) | (diagram->taken[1][from] >> bit & 1u) << 1;
}

static const char *takers_text(const struct diagram *diagram, unsigned who)
{
  static const char *const names[] = {"", "left", "right", "left and right"};
  return diagram->scripts && who != 0 ? "taken" : names[who];
}

static const char *class_of(unsigned who)
{
  static const char *const classes[] = {"edge", "taken left", "taken right", "taken both"};
  return classes[who];
}

static void draw_edge(const struct diagram *diagram, uint8_t from, uint8_t to, const struct words *w, bool end)
{
  unsigned who = takers(diagram, from, to);
  FILE *file = diagram->file;
  put(file,
      "  \"%s\" -> \"%s\" [class=\"%s%s\"%s%s,\n    label=<<table border=\"0\" cellspacing=\"0\" cellpadding=\"2\">",
      node(from, false), node(to, end), class_of(who), w->in_figure ? "" : " composite", who != 0 ? ", penwidth=3" : "",
      w->in_figure ? "" : ", style=dashed");
  put(file, "<tr><td border=\"1\" sides=\"b\">%s</td></tr><tr><td>%s</td></tr>", w->event, w->action);
  if (who != 0)
    put(file, "<tr><td><b>\u25b6 %s</b></td></tr>", takers_text(diagram, who));
  fputs("</table>>];\n", file);
}

/* How a connection ends before its time, in one edge of each state. */
static void draw_end(const struct diagram *diagram, uint8_t from, unsigned by)
{
  static const struct {
    unsigned cause;
    const char *name;
  } names[] = {
      {BY_ABORT, "ABORT"}, {BY_RESET, "rcv RST"}, {BY_SEGMENT, "rcv SYN"}, {BY_TIMEOUT, "Timeout"}, {BY_ICMP, "ICMP"}};
  unsigned who = takers(diagram, from, ENDED), said = 0;
  put(diagram->file, "  \"%s\" -> \"END\" [class=\"%s end\", style=%s, label=\"", vtcp_state_name(from),
      who != 0 ? "taken" : "edge", who != 0 ? "\"dotted,bold\", penwidth=3" : "dotted");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if ((by & names[i].cause) != 0)
      put(diagram->file, "%s%s", said++ > 0 ? "\\n" : "", names[i].name);
  if (who != 0)
    put(diagram->file, "\\n\u25b6 %s", takers_text(diagram, who));
  fputs("\"];\n", diagram->file);
}

static void draw_edges(const struct diagram *diagram)
{
  const unsigned ends = BY_ABORT | BY_RESET | BY_TIMEOUT | BY_ICMP;
  for (uint8_t from = 0; from < STATES; from++)
    for (uint8_t to = 0; to < STATES; to++) {
      unsigned by = causes(from, to);
      const struct words *w = words_of(from, to);
      struct words none = {from, to, false, "an event", "see spec/laws.acsl"};
      bool last = is_last(from);
      unsigned early = from == VTCP_TIME_WAIT ? ends & ~(unsigned)BY_TIMEOUT : ends;
      if (w != NULL && by != 0)
        draw_edge(diagram, from, to, w, last);
      else if (to != VTCP_CLOSED && by != 0)
        draw_edge(diagram, from, to, &none, last);
      if (to == VTCP_CLOSED && (by & ends) != 0)
        draw_end(diagram, from, by & (early | (w == NULL ? (unsigned)BY_SEGMENT : 0u)));
    }
}

static void describe(const struct diagram *diagram)
{
  FILE *file = diagram->file;
  put(file, "digraph TCP {\n"
            "  graph [pad=0.15, fontname=\"Helvetica,Arial,sans-serif\", fontsize=13, nodesep=0.25, ranksep=0.4, "
            "labelloc=b, "
            "labeljust=l,\n    label=\"");
  put_quoted(file, diagram->caption);
  put(file,
      "\\l\"];\n"
      "  node [shape=box, style=rounded, fontname=\"Helvetica-Bold,Arial,sans-serif\", fontsize=14.5, height=0.4];\n"
      "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=12.5, arrowsize=0.9];\n");
  draw_nodes(diagram);
  draw_edges(diagram);
  fputs("}\n", file);
}

/* --- What was taken --- */

static bool follow_capture(struct diagram *diagram, const char *path)
{
  struct flows flows;
  struct report report = {.path = path};
  bool usable = read_capture(&flows, &report, true);
  for (uint32_t i = 0; i < flows.count; i++)
    for (int side = 0; side < 2; side++)
      for (int state = 0; state < STATES; state++)
        diagram->taken[side][state] |= flows.all[i]->taken[side][state];
  flows_free(&flows);
  return usable || complain(path, report.error);
}

static bool follow(struct diagram *diagram, const char *path)
{
  char said[MESSAGE + 32];
  diagram->marked = true;
  if (!is_script(path))
    return follow_capture(diagram, path);
  diagram->scripts = true;
  return script_edges(path, diagram->taken[0], said, sizeof said) == VERDICT_PASSED || complain(path, said);
}

static void write_caption(struct diagram *diagram, int files, char **paths)
{
  snprintf(diagram->caption, sizeof diagram->caption,
           "TCP's states (RFC 9293, figure 5), from the law that every step obeys. Dashed: two edges at once. "
           "Dotted: an end before its time.%s%.120s%s",
           files > 0 ? "\n\u25b6 Thick: taken in " : "", files > 0 ? paths[0] : "", files > 1 ? " and others." : "");
}

/* --- Graphviz --- */

/* dot's output, from the description, or NULL. The pipe is read while dot writes; it reads from a file. */
static FILE *run_dot(FILE *description, pid_t *child)
{
  int ends[2];
  if (fflush(description) != 0 || fseek(description, 0, SEEK_SET) != 0 || pipe(ends) != 0)
    return NULL;
  lseek(fileno(description), 0, SEEK_SET);
  fflush(NULL);
  *child = fork();
  if (*child == 0) {
    dup2(fileno(description), STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execlp("dot", "dot", "-Tsvg", (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  if (*child < 0) {
    close(ends[0]);
    return NULL;
  }
  return fdopen(ends[0], "r");
}

/* The colours come with the drawing, after the tag that opens it; so does the description, for who wants to know. */
static void put_own(FILE *to, FILE *description)
{
  int c;
  fputs("<title>TCP's state diagram</title>\n<style>\n", to);
  put_diagram_style(to);
  fputs("</style>\n<metadata>\n", to);
  rewind(description);
  while ((c = getc(description)) != EOF) {
    char one[2] = {(char)c, '\0'};
    if (c == '<' || c == '>' || c == '&')
      put_text(to, one);
    else
      putc(c, to);
  }
  fputs("</metadata>\n", to);
}

static void copy_drawing(FILE *from, FILE *to, FILE *description)
{
  char line[4096];
  bool opening = false, opened = false;
  while (fgets(line, sizeof line, from) != NULL) {
    opening = opening || (!opened && strstr(line, "<svg") != NULL);
    fputs(line, to);
    if (opening && strchr(line, '>') != NULL) {
      put_own(to, description);
      opening = false;
      opened = true;
    }
  }
}

/* What dot makes of the description, with what comes with it, in a file without a name; NULL: said why. */
static FILE *drawing_of(FILE *description)
{
  FILE *made = tmpfile();
  pid_t child = -1;
  int status = -1;
  FILE *drawn = made != NULL ? run_dot(description, &child) : NULL;
  if (drawn != NULL) {
    copy_drawing(drawn, made, description);
    fclose(drawn);
  }
  if (child > 0)
    waitpid(child, &status, 0);
  if (status == 0 && drawn != NULL)
    return made;
  bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
  complain("dot", missing ? "not found: --svg needs Graphviz (Debian: apt-get install graphviz); without --svg the "
                            "description for it is printed"
                          : "Graphviz could not draw the diagram");
  if (made != NULL)
    fclose(made);
  return NULL;
}

static bool write_drawing(const char *path, FILE *drawing)
{
  FILE *file = fopen(path, "wb");
  if (file == NULL)
    return complain(path, strerror(errno));
  bool written = copy_file(drawing, file) && fflush(file) == 0;
  int error = errno;
  if (fclose(file) == 0 && written)
    return true;
  return complain(path, strerror(written ? errno : error));
}

static int draw(struct diagram *diagram, const char *path)
{
  bool written = false;
  diagram->file = tmpfile();
  if (diagram->file == NULL)
    return complain("a temporary file", strerror(errno)), EXIT_UNUSABLE;
  describe(diagram);
  FILE *drawing = drawing_of(diagram->file);
  if (drawing != NULL) {
    written = write_drawing(path, drawing);
    fclose(drawing);
  }
  fclose(diagram->file);
  return written ? EXIT_FINE : EXIT_UNUSABLE;
}

/* --- The command --- */

static int read_arguments(int count, char **arguments, const char **svg)
{
  int files = 0;
  bool ended = false;
  for (int i = 0; i < count; i++) {
    if (!ended && strcmp(arguments[i], "--") == 0)
      ended = true;
    else if (ended || arguments[i][0] != '-' || arguments[i][1] == '\0')
      arguments[files++] = arguments[i];
    else if (strncmp(arguments[i], "--svg=", 6) == 0 && arguments[i][6] != '\0')
      *svg = arguments[i] + 6;
    else if (strcmp(arguments[i], "--svg") == 0 && i + 1 < count)
      *svg = arguments[++i];
    else
      return fprintf(stderr, "vtcp diagram: unknown option %s (see `vtcp diagram --help`)\n", arguments[i]), -1;
  }
  return files;
}

int command_diagram(int count, char **arguments)
{
  struct diagram diagram = {.file = stdout};
  const char *svg = NULL;
  for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
    if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
      return fputs(help, stdout), EXIT_FINE;
  int files = read_arguments(count, arguments, &svg);
  if (files < 0)
    return EXIT_UNUSABLE;
  if (is_input(svg, files, arguments))
    return complain("--svg", "names the file that is written: not a capture, a script or a directory"), EXIT_UNUSABLE;
  bool usable = true;
  for (int i = 0; i < files; i++)
    usable = follow(&diagram, arguments[i]) && usable;
  write_caption(&diagram, files, arguments);
  if (!usable)
    return EXIT_UNUSABLE;
  if (svg != NULL)
    return draw(&diagram, svg);
  describe(&diagram);
  return EXIT_FINE;
}
