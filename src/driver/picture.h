/* Pictures of what the ladder says (ladder.c): an SVG file, or an HTML page, that holds all it needs. The same numbers, states,
 * remarks and findings, drawn. SPDX-License-Identifier: MIT */
#ifndef PICTURE_H
#define PICTURE_H

#include "driver.h"

/* What is marked, beside its words. */
enum sign { SIGN_NONE, SIGN_LOST, SIGN_AGAIN, SIGN_ZERO, SIGN_SACK, SIGN_DEPARTS, SIGN_ADVICE, SIGN_OTHER };

/* Sizes in user units: a page is as narrow as a telephone, a lone SVG as wide as a page of text. */
struct look {
  double width, left, right; /* the two lifelines */
  double size;               /* of the type */
  uint32_t label, remark;    /* how much of each fits between the lifelines, in sizes of type */
  bool narrow;
};

struct limits {                    /* of what one picture holds */
  uint32_t connections, departing; /* and then so many more that depart */
  uint32_t rows, rows_of_one;
};

struct picture {
  const char *path;
  FILE *file; /* an SVG's body, until its height is known */
  bool html;
  const struct look *look;
  struct limits left;       /* to be spent */
  uint64_t from, to;        /* packets that it shows */
  bool to_scale;            /* rows where their times are */
  uint32_t said;            /* explanations */
  uint32_t ladders, graphs; /* drawn so far */
  uint32_t omitted;         /* connections of this file */
  double y;                 /* an SVG's height so far */
};

/* What is shown of a connection: its packets, and where they stand. */
struct rung {
  uint32_t index;            /* of the packet */
  uint32_t skipped;          /* segments left out before it */
  double top, arrow, bottom; /* of the drawing */
  uint32_t lessons;          /* said before it */
};

struct rungs {
  const struct connection *conn;
  const struct look *look;
  struct rung *row;
  uint32_t count, skipped_after, outside;
  uint32_t last; /* packet (an index) of the range */
  double height;
  bool explain;
};

/* picture.c */
struct pictures {
  const char *svg, *html; /* names, or NULL */
  uint64_t from, to;
  bool to_scale, all;
  struct picture made[2];
  uint32_t count;
};
bool pictures_open(struct pictures *pictures); /* false: said why */
bool pictures_close(struct pictures *pictures);
void pictures_title(struct pictures *pictures, const char *title, const char *line);
void pictures_line(struct pictures *pictures, const char *class, const char *text);
void pictures_connection(struct pictures *pictures, const struct connection *conn, uint32_t id, bool explain,
                         bool judged);
void pictures_end(struct pictures *pictures);

bool copy_file(FILE *from, FILE *to); /* all of it, from its beginning */
bool take_graph(struct picture *picture, const struct rungs *rows, uint8_t side);
void picture_line(struct picture *picture, const char *class, const char *text);
void put_left_out(struct picture *picture, const struct rungs *rows);

/* picture_page.c */
void page_begin(FILE *file);
void page_line(struct picture *picture, const char *tag, const char *class, const char *text);
void page_connection(struct picture *picture, struct rungs *rows, uint32_t id, uint32_t number, bool judged);

/* picture_text.c: numbers and words on paper. */
void put(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_text(FILE *file, const char *text); /* whatever it holds, as XML's character data or an attribute's value */
size_t xml_character(const unsigned char *s);
void put_style(FILE *file);
void put_diagram_style(FILE *file);
/* The next line, of a text that is broken between words: no wider than so many times its size. */
void take_line(const char **text, uint32_t ems, bool fixed, char *out, size_t room);
enum sign sign_of(uint32_t marks, bool sack);
void put_sign(FILE *file, enum sign sign, double x, double y);
const char *sign_text(enum sign sign);

/* picture_rows.c */
enum line_kind { LINE_LABEL, LINE_REMARK, LINE_FINDING, LINE_EXPECTED, LINE_LESSON };

struct line {
  enum line_kind kind;
  enum sign sign;
  char text[160];
};

enum { LINES = 128, PAD = 7, SLANT = 5, ELISION = 30, SEAM = 1 }; /* SEAM: parts overlap */
bool rows_choose(struct rungs *rows, const struct connection *conn, const struct picture *picture);
void rows_place(struct rungs *rows, uint32_t *said);
void rows_free(struct rungs *rows);
uint32_t lines_of(const struct rungs *rows, const struct rung *row, uint32_t *said, struct line *lines);
double leading(const struct look *look);

/* picture_ladder.c */
void rows_place_to_scale(struct rungs *rows);
void draw_rows(FILE *file, const struct rungs *rows, uint32_t id, uint32_t from, uint32_t to);
void draw_rows_to_scale(FILE *file, const struct rungs *rows);
void draw_head(FILE *file, char colour, double x0, double y0, double x1, double y1);
double names_height(const struct rungs *rows);
void draw_names(FILE *file, const struct rungs *rows, double y);

/* picture_graph.c: text over time of one direction. */
bool graph_wanted(const struct rungs *rows, uint8_t side);
double draw_graph(FILE *file, const struct rungs *rows, uint8_t side, double y);

#endif
