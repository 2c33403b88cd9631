/* What a fuzz target states, and how it ends when that is not so. */
#ifndef VTCP_FUZZ_HOLDS_H
#define VTCP_FUZZ_HOLDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HOLDS(law, condition)                                     \
  do {                                                            \
    if (!(condition)) {                                           \
      fprintf(stderr, "%s does not hold: %s\n", law, #condition); \
      abort();                                                    \
    }                                                             \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
