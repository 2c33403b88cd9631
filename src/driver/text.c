/* What is kept of a segment's text, to compare it when it is sent again: of each whole block of 64 sequence numbers a digest of
 * 32 bits, of what lies before the first and behind the last the octets themselves. So text may be cut up otherwise the second
 * time. Digests that differ prove that the octets do; equal ones prove nothing, and nothing is said then.
 * SPDX-License-Identifier: MIT */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

struct text {
  uint32_t seq, have;
  uint16_t head, blocks; /* octets before the first whole block; whole blocks */
  uint8_t octets[];      /* head, digests, tail */
};

static uint32_t digest(const uint8_t *octets)
{
  uint64_t lane[2] = {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu};
  for (uint32_t i = 0; i < BLOCK; i += 8) {
    uint64_t word;
    memcpy(&word, octets + i, sizeof word);
    uint64_t *mine = &lane[i / 8 % 2];
    *mine = (*mine ^ word) * 0xff51afd7ed558ccdu;
    *mine ^= *mine >> 32;
  }
  uint64_t both = (lane[0] ^ lane[1] << 1) * 0xc4ceb9fe1a85ec53u;
  return (uint32_t)(both >> 32);
}

struct text *text_keep(uint32_t seq, const uint8_t *octets, uint32_t have)
{
  uint32_t head = (uint32_t)(-seq) % BLOCK;
  if (head > have)
    head = have;
  uint32_t blocks = (have - head) / BLOCK, tail = have - head - blocks * BLOCK;
  struct text *text = malloc(sizeof *text + head + blocks * sizeof(uint32_t) + tail);
  if (text == NULL)
    return NULL;
  *text = (struct text){.seq = seq, .have = have, .head = (uint16_t)head, .blocks = (uint16_t)blocks};
  uint8_t *at = text->octets;
  memcpy(at, octets, head);
  at += head;
  for (uint32_t i = 0; i < blocks; i++, at += sizeof(uint32_t)) {
    uint32_t of_block = digest(octets + head + i * BLOCK);
    memcpy(at, &of_block, sizeof of_block);
  }
  memcpy(at, octets + head + blocks * BLOCK, tail);
  return text;
}

size_t text_size(const struct text *text)
{
  uint32_t tail = text->have - text->head - (uint32_t)text->blocks * BLOCK;
  return sizeof *text + text->head + text->blocks * sizeof(uint32_t) + tail;
}

/* The octet at this offset, or NULL where only a digest is kept. */
static const uint8_t *octet_at(const struct text *text, uint32_t offset)
{
  uint32_t behind = text->head + (uint32_t)text->blocks * BLOCK;
  if (offset < text->head)
    return text->octets + offset;
  if (offset < behind)
    return NULL;
  return text->octets + text->head + text->blocks * sizeof(uint32_t) + (offset - behind);
}

static uint32_t digest_at(const struct text *text, uint32_t offset)
{
  uint32_t of_block;
  memcpy(&of_block, text->octets + text->head + (offset - text->head) / BLOCK * sizeof of_block, sizeof of_block);
  return of_block;
}

/* Whether the two differ where they overlap: then somewhere in the sequence numbers [*from, *to). */
bool text_differs(const struct text *a, const struct text *b, uint32_t *from, uint32_t *to)
{
  uint32_t ahead = b->seq - a->seq;
  if (ahead >= 0x80000000u)
    return text_differs(b, a, from, to);
  if (ahead >= a->have)
    return false;
  uint32_t overlap = a->have - ahead < b->have ? a->have - ahead : b->have;
  for (uint32_t i = 0; i < overlap;) {
    const uint8_t *left = octet_at(a, ahead + i), *right = octet_at(b, i);
    uint32_t to_block = BLOCK - (b->seq + i) % BLOCK, step = 1;
    if (left == NULL || right == NULL)
      step = to_block;
    bool both_digests = left == NULL && right == NULL && to_block == BLOCK;
    bool differ =
        left != NULL && right != NULL ? *left != *right : both_digests && digest_at(a, ahead + i) != digest_at(b, i);
    *from = b->seq + i;
    *to = b->seq + i + step;
    if (differ)
      return true;
    i += step;
  }
  return false;
}
