/* Shell commands that scripts use, understood and not executed: settings by sysctl, checks of socket states.
 * SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 64, WORD_ROOM = 512 };

/* --- sysctl --- */

struct sysctl_row {
  const char *name, *setting; /* NULL: no setting here */
  uint32_t unit;              /* of the value, in the setting's */
  const char *honoured;       /* values that change nothing here, between spaces; NULL: all */
};

static const struct sysctl_row rows[] = {
    {"net.inet.tcp.recvspace", "rcvbuf", 1, NULL},
    {"net.inet.tcp.sendspace", "sndbuf", 1, NULL},
    {"kern.ipc.maxsockbuf", "rcvbuf_most", 1, NULL},
    {"net.inet.tcp.rfc1323", "window_scale", 1, NULL},
    {"net.inet.tcp.rfc1323", "timestamps", 1, NULL},
    {"net.inet.tcp.sack.enable", "sack", 1, NULL},
    {"net.inet.tcp.ecn.enable", "ecn", 1, NULL},
    {"net.inet.tcp.rexmit_initial", "rto_initial", 1, NULL},
    {"net.inet.tcp.rexmit_min", "rto_min", 1, NULL},
    {"net.inet.tcp.msl", "msl", 1, NULL},
    {"net.inet.tcp.mssdflt", "default_mss", 1, NULL},
    {"net.inet.tcp.drop_synfin", "drop_synfin", 1, NULL},
    {"net.inet.tcp.blackhole", NULL, 0, " 0 "},
    {"net.inet.tcp.insecure_rst", "old_rst", 1, NULL},
    {"net.inet.tcp.insecure_syn", "old_syn", 1, NULL},
    {"net.inet.tcp.insecure_ack", NULL, 0, " 0 "},
    {"net.inet.tcp.icmp_may_rst", "icmp_hard", 1, NULL},
    {"net.inet.tcp.rexmit_slop", "syn_slop", 1, NULL},
    {"net.inet.tcp.rexmit_drop_options", NULL, 0, " 0 "},
    {"net.inet.tcp.keepinit", "keepinit", 1, NULL},
    {"net.inet.tcp.keepidle", "keep_alive_ms", 1, NULL},
    {"net.inet.tcp.keepintvl", "keep_alive_probe_ms", 1, NULL},
    {"net.inet.tcp.keepcnt", "keep_alive_probes", 1, NULL},
    {"net.inet.tcp.delacktime", NULL, 0, NULL},
    {"net.inet.tcp.delayed_ack", NULL, 0, " 0 "},
    {"net.inet.tcp.syncookies", NULL, 0, " 0 1 "},
    {"net.inet.tcp.syncookies_only", NULL, 0, " 0 "},
    {"net.inet.tcp.path_mtu_discovery", NULL, 0, " 0 1 "},
    {"net.inet.tcp.pmtud_blackhole_detection", NULL, 0, " 0 "},
    {"net.inet.tcp.pmtud_blackhole_mss", NULL, 0, NULL},
    {"net.inet.tcp.v6pmtud_blackhole_mss", NULL, 0, NULL},
    {"net.inet.tcp.v6mssdflt", NULL, 0, " 1220 "},
    {"net.inet.tcp.tolerate_missing_ts", NULL, 0, " 0 "},
    {"net.inet.tcp.ecn.maxretries", NULL, 0, " 1 "},
    {"net.inet.tcp.hostcache.purgenow", NULL, 0, NULL},
    {"net.inet.tcp.fastopen.client_enable", NULL, 0, " 0 "},
    {"net.inet.tcp.fastopen.server_enable", NULL, 0, " 0 "},
    {"net.inet.tcp.udp_tunneling_port", NULL, 0, " 0 "},
    {"net.inet.tcp.udp_tunneling_overhead", NULL, 0, NULL},
    {"net.inet.tcp.functions_default", NULL, 0, " freebsd "},
    {"net.inet.tcp.cc.algorithm", NULL, 0, " none "},
    {"net.ipv4.tcp_rmem", "rcvbuf", 1, NULL},
    {"net.ipv4.tcp_wmem", "sndbuf", 1, NULL},
    {"net.ipv4.tcp_window_scaling", "window_scale", 1, NULL},
    {"net.ipv4.tcp_timestamps", "timestamps", 1, NULL},
    {"net.ipv4.tcp_sack", "sack", 1, NULL},
    {"net.ipv4.tcp_ecn", "ecn", 1, NULL},
    {"net.ipv4.ip_default_ttl", "ttl", 1, NULL},
    {"net.inet.ip.ttl", "ttl", 1, NULL},
    {"net.ipv4.tcp_keepalive_time", "keep_alive_ms", 1000, NULL},
    {"net.ipv4.tcp_keepalive_intvl", "keep_alive_probe_ms", 1000, NULL},
    {"net.ipv4.tcp_keepalive_probes", "keep_alive_probes", 1, NULL},
    {"net.ipv4.tcp_rfc1337", "rfc1337", 1, NULL},
    {"net.ipv4.tcp_dsack", NULL, 0, " 0 "},
    {"net.ipv4.tcp_fack", NULL, 0, " 0 "},
    {"net.ipv4.tcp_recovery", NULL, 0, " 0 "},
    {"net.ipv4.tcp_early_retrans", NULL, 0, " 0 "},
    {"net.ipv4.tcp_frto", NULL, 0, " 0 "},
    {"net.ipv4.tcp_mtu_probing", NULL, 0, " 0 "},
    {"net.ipv4.tcp_no_metrics_save", NULL, 0, NULL},
    {"net.ipv4.tcp_moderate_rcvbuf", NULL, 0, " 0 "},
    {"net.ipv4.tcp_syncookies", NULL, 0, " 0 1 "},
    {"net.ipv4.tcp_tw_reuse", NULL, 0, NULL},
    {"net.ipv4.tcp_fastopen", NULL, 0, " 0 "},
    {"net.ipv4.tcp_ecn_fallback", NULL, 0, NULL},
    {"net.ipv4.tcp_min_tso_segs", NULL, 0, NULL},
    {"net.ipv4.tcp_tso_win_divisor", NULL, 0, NULL},
    {"net.ipv4.tcp_slow_start_after_idle", NULL, 0, " 0 "},
    {"net.ipv4.tcp_congestion_control", NULL, 0, " none "},
    {"net.ipv4.tcp_adv_win_scale", NULL, 0, " 0 "},
    {"net.ipv4.tcp_abort_on_overflow", NULL, 0, " 0 "},
    {"net.ipv4.tcp_notsent_lowat", NULL, 0, NULL},
    {"net.ipv4.tcp_limit_output_bytes", NULL, 0, NULL},
    {"net.ipv4.tcp_pacing_ss_ratio", NULL, 0, NULL},
    {"net.ipv4.tcp_pacing_ca_ratio", NULL, 0, NULL},
    {"net.ipv4.tcp_autocorking", NULL, 0, " 0 "},
    {"net.ipv4.tcp_reordering", NULL, 0, NULL},
    {"net.ipv4.tcp_max_reordering", NULL, 0, NULL},
    {"net.ipv4.tcp_thin_linear_timeouts", NULL, 0, " 0 "},
    {"net.ipv4.tcp_invalid_ratelimit", NULL, 0, " 0 "},
    {"net.ipv4.tcp_challenge_ack_limit", NULL, 0, NULL},
    {"net.ipv4.tcp_max_syn_backlog", NULL, 0, NULL},
    {"net.ipv4.tcp_retries1", NULL, 0, " 3 "},
    {"net.ipv4.tcp_retries2", NULL, 0, " 15 "},
    {"net.ipv4.tcp_syn_retries", NULL, 0, " 6 "},
    {"net.ipv4.tcp_synack_retries", NULL, 0, " 5 "},
    {"net.ipv4.tcp_fin_timeout", NULL, 0, " 60 "},
    {"net.ipv4.tcp_comp_sack_nr", NULL, 0, " 0 "},
    {"net.ipv4.tcp_shrink_window", NULL, 0, " 0 "},
    {"net.core.rmem_max", NULL, 0, NULL},
    {"net.core.wmem_max", NULL, 0, NULL},
    {"net.core.optmem_max", NULL, 0, NULL},
    {"net.core.somaxconn", NULL, 0, NULL},
    {"net.core.netdev_max_backlog", NULL, 0, NULL},
    {"net.core.default_qdisc", NULL, 0, NULL},
};

enum { SYSCTLS = sizeof rows / sizeof *rows };

static bool is_among(const char *value, const char *list)
{
  char padded[WORD_ROOM + 8];
  snprintf(padded, sizeof padded, " %s ", value);
  return strstr(list, padded) != NULL;
}

/* Of "low default high", the default. */
static const char *one_value(const char *value, char room[32])
{
  unsigned long low, usual;
  if (sscanf(value, "%lu %lu", &low, &usual) != 2)
    return value;
  snprintf(room, 32, "%lu", usual);
  return room;
}

/* A stack shows itself by the names of its settings. */
static void choose_stack(struct run *run, const char *name)
{
  enum stack stack =
      strncmp(name, "net.inet.", 9) == 0 || strncmp(name, "kern.ipc.", 9) == 0 ? STACK_FREEBSD : STACK_LINUX;
  if (!run->stack_known && !setting_chosen(&run->settings, "stack"))
    settings_stack(&run->settings, stack);
  run->stack_known = true;
}

static void set_one(struct run *run, uint32_t line, const struct sysctl_row *row, const char *value)
{
  char room[32], *end;
  const char *one = one_value(value, room);
  unsigned long long number = strtoull(one, &end, 0);
  if (row->setting == NULL) {
    if (row->honoured != NULL && !is_among(value, row->honoured))
      reserve(run, line, "%s=%s is not to be had here", row->name, value);
  } else if (*one < '0' || *one > '9' || *end != '\0') {
    unsupported(run, line, "sysctl", "%s=%s: a number is expected", row->name, value);
  } else if (!settings_put(&run->settings, row->setting, number > UINT32_MAX ? UINT32_MAX : number * row->unit)) {
    reserve(run, line, "%s=%s is out of this endpoint's range", row->name, value);
  }
}

static void set_sysctl(struct run *run, uint32_t line, const char *assignment)
{
  char name[128];
  const char *equals = strchr(assignment, '=');
  size_t length = equals != NULL ? (size_t)(equals - assignment) : 0;
  bool found = false;
  if (length == 0 || length >= sizeof name) {
    unsupported(run, line, "sysctl", "sysctl %.80s: name=value is expected", assignment);
    return;
  }
  memcpy(name, assignment, length);
  name[length] = '\0';
  if (strncmp(name, "/proc/sys/", 10) == 0) {
    memmove(name, name + 10, length - 9);
    for (char *c = name; *c != '\0'; c++)
      *c = *c == '/' ? '.' : *c;
  }
  choose_stack(run, name);
  for (int i = 0; i < SYSCTLS; i++)
    if (strcmp(rows[i].name, name) == 0) {
      set_one(run, line, &rows[i], equals + 1);
      found = true;
    }
  if (!found)
    unsupported(run, line, "sysctl", "sysctl %s is not known here", name);
}

/* --- Words of a command line --- */

struct words {
  char text[WORDS][WORD_ROOM];
  uint32_t count;
};

/* Words up to the end of one command of the line; what ended it, or 0. Quotes hold words together. */
static const char *split(const char *at, struct words *words, char *ended)
{
  words->count = 0;
  *ended = '\0';
  while (*at != '\0') {
    size_t used = 0;
    while (*at == ' ' || *at == '\t')
      at++;
    if (*at == '|' || *at == ';' || *at == '\n' || *at == '&') {
      *ended = *at;
      while (*at == '&' || *at == '|' || *at == ';' || *at == '\n' || *at == ' ')
        at++;
      return at;
    }
    if (words->count == WORDS)
      return NULL;
    char *word = words->text[words->count];
    while (*at != '\0' && strchr(" \t|;\n", *at) == NULL && !(*at == '&' && (used == 0 || word[used - 1] != '>'))) {
      char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
      do {
        if (*at == '\0' || used + 1 >= WORD_ROOM)
          break;
        if (quote != '\0' && *at == quote)
          break;
        word[used++] = *at++;
      } while (quote != '\0');
      if (quote != '\0' && *at++ != quote)
        return NULL;
      if (used + 1 >= WORD_ROOM)
        return NULL;
    }
    word[used] = '\0';
    words->count += used > 0;
  }
  return at;
}

static bool ends_with(const char *text, const char *end)
{
  size_t length = strlen(text), of_end = strlen(end);
  return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

static bool is_redirection(const char *word)
{
  return strncmp(word, ">/dev/null", 10) == 0 || strcmp(word, "2>&1") == 0 || strcmp(word, "/dev/null") == 0
         || strcmp(word, "2>/dev/null") == 0 || strcmp(word, "&>/dev/null") == 0;
}

/* --- Checks of socket states --- */

static bool has_state(const struct socket *socket, const char *name)
{
  static const struct {
    const char *name;
    uint8_t state;
  } names[] = {{"CLOSED", VTCP_CLOSED},         {"LISTEN", VTCP_LISTEN},           {"SYN_SENT", VTCP_SYN_SENT},
               {"SYN_RCVD", VTCP_SYN_RECEIVED}, {"ESTABLISHED", VTCP_ESTABLISHED}, {"CLOSE_WAIT", VTCP_CLOSE_WAIT},
               {"FIN_WAIT_1", VTCP_FIN_WAIT_1}, {"FIN_WAIT_2", VTCP_FIN_WAIT_2},   {"CLOSING", VTCP_CLOSING},
               {"LAST_ACK", VTCP_LAST_ACK},     {"TIME_WAIT", VTCP_TIME_WAIT},     {"SYN_RECEIVED", VTCP_SYN_RECEIVED}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].name, name) == 0)
      return socket->tcb.state == names[i].state;
  return false;
}

static bool is_state(const char *name)
{
  static const char list[] =
      " CLOSED LISTEN SYN_SENT SYN_RCVD SYN_RECEIVED ESTABLISHED CLOSE_WAIT FIN_WAIT_1 FIN_WAIT_2 "
      "CLOSING LAST_ACK TIME_WAIT ";
  return is_among(name, list);
}

struct question {
  uint16_t port; /* 0: any */
  bool owned;    /* by the script's process */
  char state[24];
  int64_t count; /* -1: not said */
};

static bool read_sockstat(const struct words *words, struct question *question)
{
  for (uint32_t i = 1; i < words->count; i++) {
    const char *word = words->text[i];
    if (strcmp(word, "-P") == 0)
      i++;
    else if (strcmp(word, "-p") == 0 && i + 1 < words->count)
      question->port = (uint16_t)strtoul(words->text[++i], NULL, 10);
    else if (strcmp(word, "-4") != 0 && strcmp(word, "-6") != 0 && strcmp(word, "-s") != 0 && strcmp(word, "-q") != 0)
      return false;
  }
  return true;
}

static bool read_grep(const struct words *words, struct question *question)
{
  if (strcmp(words->text[0], "grep") != 0)
    return false;
  if (words->count == 3 && strcmp(words->text[1], "-c") == 0 && is_state(words->text[2])) {
    snprintf(question->state, sizeof question->state, "%.20s", words->text[2]);
    return true;
  }
  if (words->count != 2)
    return false;
  if (strncmp(words->text[1], "packetdril", 10) == 0) {
    question->owned = true;
    return true;
  }
  char *end;
  question->count = strtol(words->text[1], &end, 10);
  return question->state[0] != '\0' && *end == '\0' && words->text[1][0] >= '0' && words->text[1][0] <= '9';
}

/* grep counts lines that hold the digits, so "1" is in "11" too: here it is the number. */
static void answer(struct run *run, uint32_t line, const struct question *question)
{
  char expected[64], actual[64];
  int64_t count = 0;
  for (const struct socket *s = run->sockets; s != NULL; s = s->next)
    count += has_state(s, question->state) && (!question->owned || s->has_fd)
             && (question->port == 0 || s->port == question->port);
  snprintf(expected, sizeof expected, "%lld in %s", (long long)question->count, question->state);
  snprintf(actual, sizeof actual, "%lld in %s", (long long)count, question->state);
  if (count == question->count)
    return;
  add_row(run, "sockets", true, expected, actual);
  failed(run, line, "state", "%s, not %s", actual, expected);
}

static void sockstat(struct run *run, uint32_t line, struct words *words, const char **rest, char *ended)
{
  struct question question = {.count = -1};
  bool understood = read_sockstat(words, &question);
  while (understood && *ended == '|') {
    *rest = split(*rest, words, ended);
    understood = *rest != NULL && words->count > 0 && read_grep(words, &question);
  }
  if (!understood || question.count < 0)
    unsupported(run, line, "commands", "sockstat: only counts of sockets in a state are understood");
  else
    answer(run, line, &question);
}

static void tcpdrop(struct run *run, uint32_t line, const struct words *words)
{
  if (words->count != 3 || strcmp(words->text[1], "-s") != 0 || !is_state(words->text[2])) {
    unsupported(run, line, "commands", "tcpdrop: only -s STATE is understood");
    return;
  }
  for (struct socket *s = run->sockets, *next; s != NULL; s = next) {
    next = s->next;
    if (!has_connection(s) || !has_state(s, words->text[2]))
      continue;
    world_step(run, s, (struct vtcp_event){.type = VTCP_ABORT}, NULL);
    if (!s->has_fd)
      forget(run, s);
  }
}

/* --- */

static void sysctl(struct run *run, uint32_t line, const struct words *words)
{
  uint32_t set = 0;
  for (uint32_t i = 1; i < words->count; i++) {
    if (words->text[i][0] == '-' || is_redirection(words->text[i]) || strcmp(words->text[i], ">") == 0)
      continue;
    set_sysctl(run, line, words->text[i]);
    set++;
  }
  if (set == 0)
    unsupported(run, line, "sysctl", "sysctl without an assignment");
}

/* Scripts for Linux begin with the stack's defaults, and end by restoring what they changed. */
static bool linux_script(struct run *run, uint32_t line, const struct words *words)
{
  const char *name = words->text[0];
  if (ends_with(name, "defaults.sh") && words->count == 1) {
    choose_stack(run, "net.ipv4.");
  } else if (ends_with(name, "set_sysctls.py") && words->count > 1) {
    for (uint32_t i = 1; i < words->count; i++)
      set_sysctl(run, line, words->text[i]);
  } else if (strncmp(name, "/tmp/sysctl_restore", 19) != 0) {
    return false;
  }
  return true;
}

static void simple_command(struct run *run, uint32_t line, struct words *words, const char **rest, char *ended)
{
  const char *name = words->text[0];
  if (strcmp(name, "sysctl") == 0)
    sysctl(run, line, words);
  else if (strcmp(name, "sockstat") == 0)
    sockstat(run, line, words, rest, ended);
  else if (strcmp(name, "tcpdrop") == 0)
    tcpdrop(run, line, words);
  else if (strcmp(name, "true") != 0 && strcmp(name, ":") != 0 && !linux_script(run, line, words))
    unsupported(run, line, "commands", "the command %.60s is not understood", name);
  if (going(run) && *ended == '|')
    unsupported(run, line, "commands", "what %.60s is piped into is not understood", name);
}

void shell_command(struct run *run, uint32_t line, const char *text)
{
  static struct words words;
  char ended = '\0';
  const char *at = text;
  while (*at != '\0' && going(run)) {
    at = split(at, &words, &ended);
    if (at == NULL) {
      unsupported(run, line, "commands", "a command line that is too long, or a quote that is not closed");
      return;
    }
    if (words.count > 0)
      simple_command(run, line, &words, &at, &ended);
    if (at == NULL)
      return;
  }
}
