/* A world of `vtcp explore` for SPIN: the situation as octets that SPIN keeps and compares, and its moves by number.
 * SPDX-License-Identifier: MIT */
#ifndef SPIN_WORLD_H
#define SPIN_WORLD_H

enum { ROOM = 160, MOVES = 40 };
extern unsigned char situation[ROOM];

void world_opens(void);   /* the world that the environment's variable WORLD names */
int world_has(int move);  /* whether this move can be made */
void world_makes(int move);
int world_is_wrong(void); /* a move violated a property, or the model has no room for the situation or its moves */

#endif
