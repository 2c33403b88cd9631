/* vtcp: commands and usage. SPDX-License-Identifier: MIT */
#include "explore.h"

#include <string.h>

struct command {
  const char *name;
  int (*run)(int count, char **arguments);
  const char *summary;
};

static const struct command commands[] = {
    {"replay", command_replay, "what the TCP connections of a capture did, and where they leave RFC 9293"},
    {"diagram", command_diagram, "the state diagram, and the way that a capture or a script took through it"},
    {"explore", command_explore, "every behaviour of two connections over a bad network, and what goes wrong in it"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *to)
{
  fputs("usage: vtcp COMMAND [ARGUMENT...]\n\n", to);
  for (int i = 0; i < COMMANDS; i++)
    fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
  fputs("  help       this text\n\n`vtcp COMMAND --help` says more. Exit status: 0 fine, 1 a finding, 2 unusable input "
        "or "
        "usage.\n",
        to);
}

static int run(int count, char **arguments)
{
  if (count < 2) {
    usage(stderr);
    return EXIT_UNUSABLE;
  }
  const char *name = arguments[1];
  if (strcmp(name, "help") == 0 && count > 2) {
    char *to_help[] = {(char[]){"--help"}, NULL};
    for (int i = 0; i < COMMANDS; i++)
      if (strcmp(arguments[2], commands[i].name) == 0)
        return commands[i].run(1, to_help);
    name = arguments[2];
  } else if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    usage(stdout);
    return EXIT_FINE;
  }
  if (strcmp(name, "--version") == 0) {
    puts("vtcp " VTCP_VERSION);
    return EXIT_FINE;
  }
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(name, commands[i].name) == 0)
      return commands[i].run(count - 2, arguments + 2);
  fprintf(stderr, "vtcp: unknown command %s (see `vtcp help`)\n", name);
  return EXIT_UNUSABLE;
}

int main(int count, char **arguments)
{
  int status = run(count, arguments);
  if (fflush(stdout) == 0 && !ferror(stdout))
    return status;
  fputs("vtcp: cannot write the output\n", stderr);
  return EXIT_UNUSABLE;
}
