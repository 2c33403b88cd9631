/* What the RFCs leave free, as a table: a name, its bounds, each stack's default, and the field of the core's configuration
 * that it becomes. SPDX-License-Identifier: MIT */
#include "script_run.h"

#include <stdlib.h>
#include <string.h>

struct setting_row {
  const char *name;
  uint32_t least, most;
  uint32_t defaults[STACKS]; /* rfc, freebsd, linux */
  size_t offset, size;       /* of the field in struct vtcp_config; size 0: none */
  const char *help;
};

#define FIELD(name) offsetof(struct vtcp_config, name), sizeof(((struct vtcp_config *)0)->name)
#define NO_FIELD 0, 0

/* A new field of struct vtcp_config is one row here; which sysctl and which socket option set it, one row each in
 * script_shell.c and script_sockopt.c. */
static const struct setting_row rows[] = {
    {"stack", 0, STACKS - 1, {0, 1, 2}, NO_FIELD, "rfc 0, freebsd 1, linux 2: where these settings begin"},
    {"layout", 0, 2, {0, 0, 0}, NO_FIELD, "order and padding of options: 0 any, 1 as FreeBSD, 2 as Linux"},
    {"lenient", 0, 1, {0, 0, 0}, NO_FIELD, "1: options that are not implemented here are not compared"},
    {"complete", 0, 1, {0, 0, 0}, NO_FIELD, "1: a segment that no event expects is a failure"},
    {"ip_version", 4, 6, {4, 4, 4}, NO_FIELD, "4 or 6"},
    {"mtu", 68, 65535, {1500, 1500, 1500}, NO_FIELD, "octets that a packet may have"},
    {"ttl", 1, 255, {64, 64, 64}, NO_FIELD, "of what leaves"},
    {"tso", 0, 1, {0, 0, 1}, NO_FIELD, "1: segments that leave together may be expected as one"},
    {"bind_port", 1, 65535, {8080, 8080, 8080}, NO_FIELD, "our port where bind() names none"},
    {"connect_port", 1, 65535, {8080, 8080, 8080}, NO_FIELD, "the peer's port where connect() names none"},
    {"tolerance_usecs", 0, 4000000000u, {4000, 4000, 4000}, NO_FIELD, "how much sooner or later than told"},
    {"tcp_ts_tick_usecs", 0, 1000000, {0, 0, 0}, NO_FIELD, "compare timestamps: one tick; 0: do not"},
    {"iss", 0, UINT32_MAX, {4294967000u, 4294967000u, 4294967000u}, NO_FIELD, "our first initial sequence number"},
    {"irs", 0, UINT32_MAX, {4294963200u, 4294963200u, 4294963200u}, NO_FIELD, "added to what the peer sends"},
    {"rcvbuf", 1, 1u << 26, {65536, 65536, 131072}, FIELD(rcv_buf), "receive buffer"},
    {"rcvbuf_whole", 0, 1, {0, 1, 0}, NO_FIELD, "1: the receive buffer is rounded up to whole segments"},
    {"rcvbuf_spare", 0, 1u << 20, {0, 0, 0}, NO_FIELD, "octets that the receive buffer has beyond what SO_RCVBUF says"},
    {"buffers_doubled", 0, 1, {0, 0, 1}, NO_FIELD, "1: SO_RCVBUF and SO_SNDBUF set twice what they are told"},
    {"reset_unread", 0, 1, {1, 0, 1}, NO_FIELD, "1: close() with unread text resets (RFC 2525, 2.17)"},
    {"window_scale", 0, 1, {1, 1, 1}, NO_FIELD, "1: offered in our SYN (RFC 7323)"},
    {"timestamps", 0, 1, {1, 1, 1}, NO_FIELD, "1: offered in our SYN (RFC 7323)"},
    {"sack", 0, 1, {1, 1, 1}, NO_FIELD, "1: offered in our SYN (RFC 2018)"},
    {"ecn", 0, 2, {2, 2, 2}, NO_FIELD, "1: asked for in our SYN, 2: if the peer asks (RFC 3168)"},
    {"rcvbuf_most", 1, UINT32_MAX, {1u << 20, 2097152, 6291456}, NO_FIELD, "what the window scale must reach"},
    {"syn_text", 0, 1, {1, 0, 0}, NO_FIELD, "0: text on a SYN that a listener gets is left for its retransmission"},
    {"reset_told", 0, 1, {0, 1, 1}, NO_FIELD, "1: SO_ERROR tells of a reset after both ends have closed, too"},
    {"old_rst", 0, 1, {0, 0, 0}, NO_FIELD, "1: a reset anywhere in the window counts (not RFC 5961)"},
    {"old_syn", 0, 1, {0, 0, 0}, NO_FIELD, "1: a SYN in the window resets (not RFC 5961)"},
    {"window_is_buffer",
     0,
     1,
     {0, 1, 0},
     NO_FIELD,
     "1: for resets and SYNs, room in the buffer is window, told or not"},
    {"reset_ack", 0, 1, {0, 1, 1}, NO_FIELD, "1: resets by close() carry an acknowledgment"},
    {"drop_synfin", 0, 1, {0, 0, 0}, NO_FIELD, "1: segments with SYN and FIN are not looked at, but in TIME-WAIT"},
    {"sndbuf", 1, 1u << 30, {65536, 32768, 87040}, FIELD(snd_buf), "send buffer"},
    {"rto_initial", 1, 4000000, {1000, 1000, 1000}, FIELD(rto_initial_ms), "ms (RFC 6298, 2.1)"},
    {"rto_min", 1, 4000000, {1000, 230, 200}, FIELD(rto_min_ms), "ms (RFC 6298, 2.4)"},
    {"rto_max", 60000, 4000000, {60000, 64000, 120000}, FIELD(rto_max_ms), "ms (RFC 6298, 2.5)"},
    {"syn_slop", 0, 60000, {0, 200, 0}, NO_FIELD, "ms that a SYN sent for the third time, or later, is late"},
    {"r1", 3, 255, {3, 3, 3}, FIELD(r1), "retransmissions before IP is advised (RFC 9293, 3.8.3)"},
    {"r2", 1000, UINT32_MAX, {100000, 600000, 924600}, FIELD(r2_ms), "ms without progress until we give up"},
    {"r2_syn", 180000, UINT32_MAX, {180000, 180000, 180000}, FIELD(r2_syn_ms), "the same for a SYN"},
    {"user_timeout", 0, UINT32_MAX, {0, 0, 0}, FIELD(user_timeout_ms), "ms, in place of both; 0: none"},
    {"keepinit", 1000, UINT32_MAX, {75000, 75000, 75000}, NO_FIELD, "another value: ms until connect() gives up"},
    {"msl", 1, 3600000, {60000, 30000, 30000}, FIELD(msl_ms), "ms (RFC 9293, 3.4.2)"},
    {"default_mss", 1, 65495, {536, 536, 536}, FIELD(default_mss), "the peer's MSS if it names none"},
    {"mms_s", 21, 65535, {1480, 1480, 1480}, FIELD(mms_s), "largest segment that IP takes; follows mtu"},
    {"rcv_mss", 1, 65495, {1460, 1460, 1460}, FIELD(rcv_mss), "our MSS option; follows mtu"},
    {"challenge_acks", 1, 255, {100, 255, 255}, FIELD(challenge_acks), "a second (RFC 5961, section 7)"},
    {"icmp_hard", 0, 1, {1, 1, 1}, NO_FIELD, "0: hard ICMP errors are soft ones (SHLD-26)"},
    {"keep_alive", 0, 1, {0, 0, 0}, FIELD(keep_alive), "1: keep-alives (RFC 9293, 3.8.4)"},
    {"keep_alive_ms", 1, UINT32_MAX, {7200000, 7200000, 7200000}, FIELD(keep_alive_ms), "of silence before one"},
    {"keep_alive_probe_ms",
     1,
     UINT32_MAX,
     {75000, 75000, 75000},
     FIELD(keep_alive_probe_ms),
     "between those unanswered"},
    {"keep_alive_probes", 2, 255, {9, 8, 9}, FIELD(keep_alive_probes), "unanswered before the connection is given up"},
    {"nagle", 0, 1, {1, 1, 1}, FIELD(nagle), "1: small segments wait while something is in flight (RFC 9293, 3.7.4)"},
    {"rfc1337", 0, 1, {0, 1, 0}, FIELD(rfc1337), "1: a reset does not end TIME-WAIT"},
};

enum { COUNT = sizeof rows / sizeof *rows };
_Static_assert(sizeof rows / sizeof *rows <= (size_t)SETTINGS_MOST, "SETTINGS_MOST");

static int find(const char *name)
{
  for (int i = 0; i < COUNT; i++)
    if (strcmp(rows[i].name, name) == 0)
      return i;
  return -1;
}

uint32_t setting(const struct settings *settings, const char *name)
{
  int i = find(name);
  return i < 0 ? 0 : settings->values[i];
}

bool setting_chosen(const struct settings *settings, const char *name)
{
  int i = find(name);
  return i >= 0 && settings->chosen[i];
}

bool settings_put(struct settings *settings, const char *name, uint64_t value)
{
  int i = find(name);
  if (i < 0 || value < rows[i].least || value > rows[i].most)
    return false;
  if (!settings->chosen[i])
    settings->values[i] = (uint32_t)value;
  return true;
}

void settings_stack(struct settings *settings, enum stack stack)
{
  for (int i = 0; i < COUNT; i++)
    if (!settings->chosen[i])
      settings->values[i] = rows[i].defaults[stack];
}

void settings_default(struct settings *settings)
{
  memset(settings, 0, sizeof *settings);
  settings_stack(settings, STACK_RFC);
}

/* Words that stand for numbers. */
static const struct {
  const char *setting, *word;
  const char *value;
} words[] = {{"stack", "rfc", "0"},
             {"stack", "freebsd", "1"},
             {"stack", "linux", "2"},
             {"layout", "any", "0"},
             {"layout", "freebsd", "1"},
             {"layout", "linux", "2"},
             {"ip_version", "ipv4", "4"},
             {"ip_version", "ipv6", "6"},
             {"ip_version", "ipv4-mapped-ipv6", "4"},
             {"ip_version", "ipv4_mapped_ipv6", "4"}};

enum set_result settings_set(struct settings *settings, const char *name, const char *value, bool chosen)
{
  int i = find(name);
  char *end;
  for (size_t w = 0; w < sizeof words / sizeof *words; w++)
    if (strcmp(words[w].setting, name) == 0 && strcmp(words[w].word, value) == 0)
      value = words[w].value;
  unsigned long long number = strtoull(value, &end, 0);
  if (i < 0)
    return SET_UNKNOWN;
  if (*value < '0' || *value > '9' || *end != '\0' || number < rows[i].least || number > rows[i].most)
    return SET_BAD;
  if (strcmp(name, "stack") == 0)
    settings_stack(settings, (enum stack)number);
  if (chosen || !settings->chosen[i])
    settings->values[i] = (uint32_t)number;
  settings->chosen[i] |= chosen;
  return SET_DONE;
}

void settings_help(FILE *to)
{
  fprintf(to, "  %-18s %10s %10s %10s\n", "setting", "rfc", "freebsd", "linux");
  for (int i = 0; i < COUNT; i++)
    fprintf(to, "  %-18s %10u %10u %10u  %s\n", rows[i].name, rows[i].defaults[0], rows[i].defaults[1],
            rows[i].defaults[2], rows[i].help);
}

static void put_field(struct vtcp_config *config, const struct setting_row *row, uint32_t value)
{
  unsigned char *field = (unsigned char *)config + row->offset;
  uint16_t two = (uint16_t)value;
  uint8_t one = (uint8_t)value;
  if (row->size == 4)
    memcpy(field, &value, 4);
  else if (row->size == 2)
    memcpy(field, &two, 2);
  else
    memcpy(field, &one, 1);
}

struct vtcp_config settings_config(const struct settings *settings)
{
  struct vtcp_config config = vtcp_config_default();
  for (int i = 0; i < COUNT; i++)
    if (rows[i].size > 0)
      put_field(&config, &rows[i], settings->values[i]);
  return config;
}
