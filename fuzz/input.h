/* What a fuzz target reads its input with: octets, and zeros when they are used up. */
#ifndef VTCP_FUZZ_INPUT_H
#define VTCP_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
  const uint8_t *octets;
  size_t at, size;
};

static inline uint8_t next(struct input *in)
{
  return in->at < in->size ? in->octets[in->at++] : 0;
}

static inline uint16_t next16(struct input *in)
{
  uint8_t high = next(in);

  return (uint16_t)(high << 8 | next(in));
}

static inline uint32_t next32(struct input *in)
{
  uint32_t high = next16(in);

  return high << 16 | next16(in);
}

#endif
