/* What all pictures are made of: text that is safe in them, colours, signs. SPDX-License-Identifier: MIT */
#include "picture.h"

#include <stdarg.h>
#include <string.h>

void put(FILE *file, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vfprintf(file, format, arguments);
  va_end(arguments);
}

/* Length of the character at s; 0 for what XML has no place for, escaped or not (XML 1.0, 2.2), and for other controls. */
size_t xml_character(const unsigned char *s)
{
  size_t length = utf8_length(s);
  bool none = length == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe;
  bool control = *s < ' ' || *s == 0x7f || (length == 2 && s[0] == 0xc2 && s[1] < 0xa0);
  return none || control ? 0 : length;
}

void put_text(FILE *file, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  while (*s != '\0') {
    size_t length = xml_character(s);
    if (length == 0)
      fputs("\xef\xbf\xbd", file);
    else if (strchr("&<>\"'", *s) != NULL)
      put(file, "&#%d;", *s);
    else
      fwrite(s, 1, length, file);
    s += length == 0 ? 1 : length;
  }
}

static bool begins_character(char c)
{
  return ((unsigned char)c & 0xc0) != 0x80;
}

/* A guess, rather too wide, in hundredths of the size: which font there is, is not known. */
static uint32_t width_of(char c, bool fixed)
{
  if (!begins_character(c))
    return 0;
  if (fixed)
    return 61;
  if (strchr("iljtfrI.,;:'|![]() ", c) != NULL)
    return 38;
  return strchr("mwMW", c) != NULL ? 96 : c >= 'A' && c <= 'Z' ? 70 : 62;
}

void take_line(const char **text, uint32_t ems, bool fixed, char *out, size_t room)
{
  const char *s = *text;
  size_t length = 0, space = 0;
  uint32_t width = 0;
  while (s[length] != '\0' && length + 5 < room) {
    if (width + width_of(s[length], fixed) > 100 * ems && length > 0 && begins_character(s[length]))
      break;
    if (s[length] == ' ')
      space = length;
    width += width_of(s[length++], fixed);
  }
  if (s[length] != '\0' && s[length] != ' ' && space > 0)
    length = space;
  memcpy(out, s, length);
  out[length] = '\0';
  while (s[length] == ' ')
    length++;
  *text = s + length;
}

/* --- Colours: each has a name of one letter; `f` fills, `s` strokes. Nothing is told by colour alone. --- */

static const struct colour {
  char name;
  const char *light, *dark;
} colours[] = {
    {'g', "#ffffff", "#0d1117"}, /* ground */
    {'i', "#1b1f24", "#e6edf3"}, /* ink */
    {'m', "#57606a", "#9ea7b3"}, /* what is said aside */
    {'n', "#8c959f", "#6e7681"}, /* lines */
    {'b', "#f3f5f8", "#171d26"}, /* bands */
    {'l', "#0a57a8", "#79b8ff"}, /* the left endpoint's */
    {'r', "#7a3e00", "#f0b072"}, /* the right endpoint's */
    {'x', "#b3261e", "#ff8f86"}, /* departs; lost */
    {'w', "#7d4e00", "#e3b341"}, /* advice */
    {'o', "#1a6b30", "#5fd07a"}, /* conforms */
    {'k', "#6b3fa0", "#c9a2ff"}, /* SACK */
};

static void put_colours(FILE *file, bool dark)
{
  for (size_t i = 0; i < sizeof colours / sizeof *colours; i++) {
    const char *value = dark ? colours[i].dark : colours[i].light;
    put(file, ".f%c{fill:%s}.s%c{stroke:%s}", colours[i].name, value, colours[i].name, value);
    put(file, ".t%c{color:%s}", colours[i].name, value);
  }
  const struct colour *ground = &colours[0], *ink = &colours[1], *line = &colours[3], *band = &colours[4];
  put(file, ".page{background:%s;color:%s}.box{border-color:%s;background:%s}", dark ? ground->dark : ground->light,
      dark ? ink->dark : ink->light, dark ? line->dark : line->light, dark ? band->dark : band->light);
  put(file, ".page a{color:%s}", dark ? colours[5].dark : colours[5].light);
}

/* Paper is white whatever the screen was. */
void put_style(FILE *file)
{
  put_colours(file, false);
  fputs("\n@media screen and (prefers-color-scheme:dark){", file);
  put_colours(file, true);
  fputs("}\n"
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;stroke:none}"
        ".c{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
        ".h{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"
        ".d{font-weight:700}.e{text-anchor:end}.y{text-anchor:middle}"
        "line,path,polyline,rect.u,circle.u{fill:none;stroke-width:1.5px}"
        ".a{stroke-dasharray:6 3}.p{stroke-dasharray:2 3}.v{stroke-width:3px}.q{stroke-width:1px}\n",
        file);
}

/* Of what Graphviz draws: its colours are attributes, which a style overrides. */
static void put_edge_colour(FILE *file, const char *class, const char *colour)
{
  put(file, "%s path,%s polygon,%s polyline{stroke:%s}%s polygon{fill:%s}", class, class, class, colour, class, colour);
}

static void put_diagram_colours(FILE *file, bool dark)
{
  const char *value[sizeof colours / sizeof *colours];
  for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
    value[i] = dark ? colours[i].dark : colours[i].light;
  put(file, ".graph>polygon{fill:%s;stroke:%s}.node path,.node polygon{stroke:%s;fill:none}", value[0], value[3],
      value[2]);
  put(file, ".visited path,.visited polygon{stroke:%s}.graph text{fill:%s}.edge text{fill:%s}.taken text{fill:%s}\n",
      value[1], value[1], value[2], value[1]);
  put_edge_colour(file, ".edge", value[2]);
  put_edge_colour(file, ".left", value[5]);
  put_edge_colour(file, ".right", value[6]);
  put_edge_colour(file, ".both", value[1]);
  fputs(".edge a polygon{fill:none}\n", file);
}

void put_diagram_style(FILE *file)
{
  put_diagram_colours(file, false);
  fputs(".node text{font-weight:700}@media screen and (prefers-color-scheme:dark){", file);
  put_diagram_colours(file, true);
  fputs("}\n", file);
}

/* --- Signs, about ten units wide, each told by its shape --- */

enum sign sign_of(uint32_t marks, bool sack)
{
  if ((marks & (MARK_LOST | MARK_DAMAGED | MARK_REFUSED)) != 0)
    return SIGN_LOST;
  if ((marks & MARK_AGAIN) != 0)
    return SIGN_AGAIN;
  if ((marks & (MARK_ZERO_WINDOW | MARK_PROBE)) != 0)
    return SIGN_ZERO;
  return sack ? SIGN_SACK : SIGN_OTHER;
}

void put_sign(FILE *file, enum sign sign, double x, double y)
{
  static const char *const shapes[] = {
      [SIGN_NONE] = "",
      [SIGN_LOST] = "<path class=\"sx v\" d=\"M-4-4 4 4M-4 4 4-4\"/>",
      [SIGN_AGAIN] =
          "<path class=\"sw\" d=\"M3.5-2.5A4.3 4.3 0 1 0 4.3 1\"/><path class=\"sw\" d=\"M4.6-5.5V-1.8H.9\"/>",
      [SIGN_ZERO] = "<circle class=\"sx u\" r=\"4.3\"/><path class=\"sx\" d=\"M-3 3 3-3\"/>",
      [SIGN_SACK] = "<path class=\"sk\" d=\"M-2-4H-4.5V4H-2M2-4H4.5V4H2\"/>",
      [SIGN_DEPARTS] = ("<path class=\"fx\" style=\"stroke:none\" d=\"M0-6 6.5 5.5H-6.5Z\"/>"
                        "<path class=\"sg v\" style=\"stroke-width:1.6px\" d=\"M0-2V2M0 3.2V4.6\"/>"),
      [SIGN_ADVICE] = "<circle class=\"sw u\" r=\"5\"/><path class=\"sw\" d=\"M0-3V-1.6M0-.2V3.2\"/>",
      [SIGN_OTHER] = "<circle class=\"fm\" r=\"1.8\"/>",
  };
  if (sign != SIGN_NONE)
    put(file, "<g transform=\"translate(%.1f %.1f)\">%s</g>", x, y, shapes[sign]);
}

const char *sign_text(enum sign sign)
{
  switch (sign) {
  case SIGN_LOST: return "lost, or not taken";
  case SIGN_AGAIN: return "retransmission";
  case SIGN_ZERO: return "zero window";
  case SIGN_SACK: return "SACK";
  case SIGN_DEPARTS: return "departs from the RFC";
  case SIGN_ADVICE: return "advice";
  case SIGN_NONE:
  case SIGN_OTHER: break;
  }
  return "";
}
