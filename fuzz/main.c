/* One main for every fuzz target, all of which are a LLVMFuzzerTestOneInput.
 *   AFL++      afl-clang-fast: persistent mode, test case in shared memory
 *   libFuzzer  not linked: it brings its own main
 *   otherwise  runs the files given as arguments, to replay what a fuzzer found; with --coverage before them it says
 *              then what the target has reached, if it keeps count */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_report(void) __attribute__((weak));

#ifdef __AFL_COMPILER
__AFL_FUZZ_INIT();

int main(void)
{
  __AFL_INIT();

  unsigned char *octets = __AFL_FUZZ_TESTCASE_BUF; /* after the initialisation, before the loop */
  while (__AFL_LOOP(100000))
    LLVMFuzzerTestOneInput(octets, (size_t)__AFL_FUZZ_TESTCASE_LEN);
  return 0;
}
#else
static int run_file(const char *name, int quiet)
{
  static uint8_t octets[1 << 20];
  FILE *file = fopen(name, "rb");

  if (file == NULL) {
    perror(name);
    return 1;
  }
  size_t size = fread(octets, 1, sizeof octets, file);
  fclose(file);
  LLVMFuzzerTestOneInput(octets, size);
  if (!quiet)
    printf("%s: %zu octets, holds\n", name, size);
  return 0;
}

int main(int argc, char **argv)
{
  int failed = 0, coverage = argc > 1 && strcmp(argv[1], "--coverage") == 0;

  for (int i = 1 + coverage; i < argc; i++)
    failed |= run_file(argv[i], coverage);
  if (coverage && fuzz_report)
    fuzz_report();
  return failed;
}
#endif
