/* What was found as JSON, for programs: pictures among them. SPDX-License-Identifier: MIT */
#include "explore.h"

static void print_string(const char *text, FILE *to)
{
  fputc('"', to);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\')
      fprintf(to, "\\%c", *c);
    else if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
      fprintf(to, "\\u%04x", (unsigned)(unsigned char)*c);
    else
      fputc(*c, to);
  }
  fputc('"', to);
}

static void print_segment(const struct world *world, const struct flying *f, FILE *to)
{
  char flags[40];
  flags_text(&f->seg, flags, sizeof flags);
  bool zero = f->seg.rst && f->seg.seq == 0;
  fprintf(to, "{\"from\":\"%c\",\"to\":\"%c\",\"flags\":\"%s\",\"seq\":%u", 'A' + !f->to, 'A' + f->to, flags,
          zero ? 0 : f->seg.seq - world->base[!f->to]);
  if (f->seg.has_ack)
    fprintf(to, ",\"ack\":%d", (int)(f->seg.ack - world->base[f->to]));
  fprintf(to, ",\"len\":%u,\"window\":%u}", f->seg.len, f->seg.wnd);
}

static void print_scene(const struct trace *trace, uint32_t at, FILE *to)
{
  static const char *const kinds[] = {"call", "read",    "arrives",  "arrives, a copy follows",
                                      "lost", "timeout", "gives up", "forged"};
  const struct scene *s = &trace->scenes[at];
  char text[200];
  fprintf(to, "%s{\"step\":%u,\"what\":\"%s\",\"end\":\"%c\"", at > 0 ? "," : "", at + 1, kinds[s->move.kind],
          'A' + s->move.end);
  scene_act(trace, at, text, sizeof text);
  if (text[0] != '\0') {
    fputs(",\"act\":", to);
    print_string(text, to);
  } else {
    fputs(",\"segment\":", to);
    print_segment(trace->world, &s->outcome.came, to);
    fprintf(to, ",\"sent_in\":%u", sent_in(trace, at));
  }
  fputs(",\"sends\":[", to);
  for (uint32_t i = 0; i < s->outcome.sent_count; i++) {
    fputs(i > 0 ? "," : "", to);
    print_segment(trace->world, &s->outcome.sent[i], to);
  }
  scene_remarks(trace, at, text, sizeof text);
  fprintf(to, "],\"a_state\":\"%s\",\"b_state\":\"%s\",\"remarks\":", vtcp_state_name(s->after.conn[0].state),
          vtcp_state_name(s->after.conn[1].state));
  print_string(text, to);
  fputc('}', to);
}

void trace_json(const struct search *search, const struct trace *trace, double seconds, FILE *to)
{
  bool exhaustive = search->violation == NO_VIOLATION && !search->bound && search->unfit == NULL;
  fputs("{\"vtcp\":\"" VTCP_VERSION "\",\"command\":\"explore\",\"world\":", to);
  print_string(search->world->name, to);
  fputs(",\"about\":", to);
  print_string(search->world->about, to);
  fprintf(to, ",\"states\":%llu,\"transitions\":%llu,\"depth\":%u,\"seconds\":%.2f,\"exhaustive\":%s,\"fair\":%s",
          (unsigned long long)search->states, (unsigned long long)search->transitions, search->depth, seconds,
          exhaustive ? "true" : "false", search->fair_done ? "true" : "false");
  if (search->violation == NO_VIOLATION || trace == NULL) {
    fputs(",\"violation\":null}\n", to);
    return;
  }
  fputs(",\"violation\":", to);
  print_string(violation_text(search->violation), to);
  fputs(",\"source\":", to);
  print_string(violation_source(search->violation), to);
  fprintf(to, ",\"victim\":\"%c\",\"cycle_from\":", 'A' + trace->victim);
  if (trace->cycle_from < trace->count)
    fprintf(to, "%u", trace->cycle_from + 1);
  else
    fputs("null", to);
  fputs(",\"steps\":[", to);
  for (uint32_t i = 0; i < trace->count; i++)
    print_scene(trace, i, to);
  fputs("]}\n", to);
}
