/* The worlds that come with the program. SPDX-License-Identifier: MIT */
#include "explore.h"

const struct named_world named_worlds[] = {
    {"old-syn", "about      an old duplicate SYN, and a user who wants a connection of its own, or none\n"
                "a          open, wait established, close\n"
                "b          listen, wait peer-closed, close\n"
                "old        a syn seq 240\n"
                "holds      3\n"},
    {"open", "about      a handshake over a network that does its worst, and text both ways\n"
             "a          open, send 1\n"
             "b          listen, send 1\n"
             "holds      3\n"
             "iss        b 0 80\n"},
    {"cross", "about      both open at once\n"
              "a          open, send 1\n"
              "b          open, send 1\n"
              "holds      3\n"},
    {"close", "about      one end closes while the other still has text to send\n"
              "a          open, wait established, close\n"
              "b          listen, wait peer-closed, send 1, close\n"
              "holds      3\n"
              "iss        b 0 80\n"},
    {"close-both", "about      both close, whenever they like\n"
                   "a          open, wait established, close\n"
                   "b          listen, wait established, close\n"
                   "holds      3\n"
                   "iss        b 0 80\n"},
    {"abort", "about      one end aborts: the other hears of it, or finds out when it sends\n"
              "a          open, wait established, send 1, abort\n"
              "b          listen, wait established, send 1, close\n"
              "holds      3\n"
              "iss        b 0 80\n"},
    {"last-ack", "about      the last ACK is lost\n"
                 "a          open, wait established, close\n"
                 "b          listen, wait peer-closed, close\n"
                 "loses      1\n"
                 "holds      6\n"
                 "iss        b 0 80\n"
                 "outages    short\n"},
    {"next-life", "about      text of one connection, and the next connection between the same ports\n"
                  "a          open, wait text 4, send 2, close, wait closed, open, send 2, close\n"
                  "b          listen, wait established, send 4, wait peer-closed, close, wait closed, "
                  "listen, wait established, send 4, wait peer-closed, close\n"
                  "iss        a 0 1\n"
                  "iss        b 0 2 100 200\n"
                  "loses      0\n"
                  "duplicates 1\n"
                  "timeouts   0\n"
                  "holds      4\n"},
    {"text", "about      text both ways in small segments, through a small window that is read when the user likes\n"
             "a          open, wait established, send 4, close\n"
             "b          listen, wait peer-closed, close\n"
             "buffer     2\n"
             "mss        1\n"
             "reads      later\n"
             "holds      3\n"
             "iss        b 0 80\n"},
    {"attack", "about      somebody off the path forges resets, SYNs and text while text goes both ways\n"
               "a          open, wait established, send 1, close\n"
               "b          listen, wait established, send 1, wait peer-closed, close\n"
               "attacker   reset syn text\n"
               "duplicates 0\n"
               "holds      3\n"
               "iss        b 0 80\n"},
};

const size_t named_world_count = sizeof named_worlds / sizeof *named_worlds;
