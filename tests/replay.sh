#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/replay.sh PROGRAM: what `PROGRAM replay` says of every capture in tests/captures and of made ones that each break
# one rule.
#
# tests/captures/expected.tsv says what an expert sees in a capture: the exit status, the states that the left and the
# right endpoint go through (extended regular expressions; connections are divided by " | "; - for none), and what the
# output must contain. A capture that is not in it fails.

set -u
program=${1:?usage: tests/replay.sh PROGRAM}
captures=$(cd "$(dirname "$0")" && pwd)/captures
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() {
  failed=$((failed + 1))
  printf 'FAILED %s: %s\n' "$1" "$2"
}

# The states in the column of one endpoint, each once in a row: path 3 (left) or path 0 (right).
path() {
  awk -v left="$1" '
    /^Connection [0-9]+: / { if (seen++) all = all " |"; last = "" }
    /^ +[0-9]+\.[0-9][0-9][0-9][0-9][0-9][0-9] +[0-9]+ / {
      state = $3
      if (!left)
        for (i = 4; i <= NF; i++)
          if ($i ~ /^(\?|CLOSED|LISTEN|SYN-SENT|SYN-RECEIVED|ESTABLISHED|FIN-WAIT-[12]|CLOSE-WAIT|CLOSING|LAST-ACK|TIME-WAIT)$/) {
            state = $i
            break
          }
      if (state != last) all = all " " state
      last = state
    }
    END { print substr(all, 2) }' "$tmp/out"
}

# run NAME EXIT ARGUMENT...: its output and exit status; standard error is one line if the status is 2, else empty.
run() {
  local name=$1 status=$2 got lines
  shift 2
  "$program" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  got=$?
  lines=$(wc -l <"$tmp/err")
  cat "$tmp/out" "$tmp/err" >"$tmp/both"
  if [ "$got" -ne "$status" ]; then
    fail "$name" "exit status $got, not $status"
    return 1
  fi
  if [ "$status" -eq 2 ] && [ "$lines" -ne 1 ]; then
    fail "$name" "$lines lines on standard error, not one"
    return 1
  fi
  if [ "$status" -ne 2 ] && [ "$lines" -ne 0 ]; then
    fail "$name" "something on standard error"
    return 1
  fi
}

contains() {
  local name=$1 pattern
  shift
  for pattern; do
    if ! grep -Eq -- "$pattern" "$tmp/both"; then
      fail "$name" "nothing matches: $pattern"
      return 1
    fi
  done
}

states() {
  local name=$1 column=$2 expected=$3 got
  [ "$expected" = - ] && return 0
  got=$(path "$column")
  if ! printf '%s\n' "$got" | grep -Eqx -- "$expected"; then
    fail "$name" "states $got, not $expected"
    return 1
  fi
}

is_json() {
  [ -n "$python" ] || return 0
  "$program" replay --json "$2" 2>/dev/null >"$tmp/json"
  if [ $? -ne "$3" ] || ! "$python" -m json.tool <"$tmp/json" >"$tmp/tool" 2>&1; then
    fail "$1" "--json: another exit status, or not JSON"
    return 1
  fi
}

# 120 columns hold every line.
fits() {
  if awk 'length($0) > 120 && !/^ +(departs|advice)|^    expected|^vtcp:|^tests|^\// { exit 1 }' "$tmp/out"; then return 0; fi
  fail "$1" "a line is longer than 120 columns"
  return 1
}

one_capture() {
  local name=$1 status=$2 left=$3 right=$4
  shift 4
  run "$name" "$status" replay "$captures/$name" && contains "$name" "$@" && states "$name" 3 "$left" &&
    states "$name" 0 "$right" && fits "$name" && is_json "$name" "$captures/$name" "$status" && pass
}

recorded() {
  local fields file
  while IFS=$'\t' read -r -a fields; do
    [ "${fields[0]}" = file ] && continue
    if [ ! -e "$captures/${fields[0]}" ]; then
      fail "${fields[0]}" "there is no such capture"
      continue
    fi
    one_capture "${fields[@]}"
  done <"$captures/expected.tsv"
  for file in "$captures"/*.pcap* "$captures"/bad/*; do
    file=${file#"$captures"/}
    cut -f1 "$captures/expected.tsv" | grep -Fqx -- "$file" || fail "$file" "not in expected.tsv"
  done
}

# --- Captures that are made here: one segment a line, `DIRECTION FLAGS SEQ ACK LENGTH WINDOW [OPTION...]`, relative
# sequence numbers; `+N` lets N ms pass. ---

maker() {
  cat <<'END'
import struct, sys
ISN = {'>': 1000000, '<': 5000000}
FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16, 'U': 32}
def option(name, value, d):
    return {'mss': struct.pack('>BBH', 2, 4, value), 'ws': struct.pack('>BBB', 3, 3, value & 255),
            'ts': struct.pack('>BBII', 8, 10, value, 1), 'sackok': b'\4\2', 'zero': b'\x1e\0',
            'sack': struct.pack('>BBII', 5, 10, ISN[d] + value, ISN[d] + value + 10)}.get(name, b'')
def sum16(octets):
    octets += b'\0' * (len(octets) % 2)
    s = sum(struct.unpack('>%dH' % (len(octets) // 2), octets))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
def packet(d, flags, seq, ack, length, win, words):
    ends = [bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))]
    ports, other = (40000, 7000), '<'
    if d == '<': ends.reverse(); ports, other = (7000, 40000), '>'
    options = b''
    for w in words:
        name, _, value = w.partition('=')
        options += option(name, int(value or 0) & 0xffff, other)
    options += b'\1' * (-len(options) % 4)
    if 'absolute' not in words: seq, ack = ISN[d] + seq, ISN[other] + ack
    text = bytes((seq + i + (7 if 'other' in words else 0)) & 255 for i in range(length))
    tcp = struct.pack('>HHIIBBHHH', *ports, seq & 0xffffffff, ack & 0xffffffff if 'A' in flags else 0,
                      20 + len(options) << 2, sum(FLAGS.get(f, 0) for f in flags), win, 0, 0) + options + text
    s = sum16(ends[0] + ends[1] + struct.pack('>HH', 6, len(tcp)) + tcp) ^ (0x1234 if 'damaged' in words else 0)
    tcp = tcp[:16] + struct.pack('>H', s) + tcp[18:]
    return struct.pack('>BBHHHBBH', 69, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends[0] + ends[1] + tcp
out, now = sys.stdout.buffer, 1700000000000000
out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
for line in sys.stdin:
    w = line.split()
    if not w: continue
    if w[0][0] == '+': now += int(w[0][1:]) * 1000; continue
    now += 20000
    p = packet(w[0], w[1], *map(int, w[2:6]), w[6:])
    out.write(struct.pack('<IIII', now // 1000000, now % 1000000, len(p), len(p)) + p)
END
}

open_plain='> S 0 0 0 4000 mss=1000
< SA 0 1 0 4000 mss=1000
> A 1 1 0 4000'
open_full='> S 0 0 0 65535 mss=1460 ws=7 ts=5 sackok
< SA 0 1 0 65535 mss=1460 ws=7 ts=5 sackok
> A 1 1 0 512 ts=6'

# made NAME EXIT SEGMENTS PATTERN...
made() {
  local name=$1 status=$2
  [ -n "$python" ] || return 0
  printf '%s\n' "$3" | "$python" "$tmp/maker.py" >"$tmp/$name.pcap" || return 1
  shift 3
  run "$name" "$status" replay "$tmp/$name.pcap" && contains "$name" "$@" &&
    is_json "$name" "$tmp/$name.pcap" "$status" && pass
}

made_all() {
  made syn-ack-of-wrong-number 1 '> S 0 0 0 4000 mss=1000
    < SA 0 2 0 4000
    > R 2 0 0 0' 'departs #2 \[3\.10\.7\.2' 'RST seq=2 .*an answer to #2'
  made syn-ack-of-wrong-number-taken 1 '> S 0 0 0 4000 mss=1000
    < SA 0 2 0 4000
    > A 1 1 0 4000
    > A 1 1 10 4000' 'departs #2 \[3\.10\.7\.2' 'departs #3 \[3\.10\.7\.3'
  made keep-alive-first 0 '> A 100 200 0 4000
    < A 200 101 0 4000
    +15000
    > A 100 200 0 4000
    < A 200 101 0 4000
    > A 101 200 10 4000' 'ESTABLISHED +keep-alive' 'begins in the middle'
  made keep-alive-without-timestamps 0 "$open_full
    > A 0 1 0 512
    < A 1 1 0 512 ts=9" 'advice +#4 \[RFC7323-3\.2'
  made ack-of-unsent 1 "$open_plain
    < A 1 500 0 4000
    > A 1 1 0 4000
    > A 1 1 100 4000
    < A 1 101 0 4000" 'departs #4 \[3\.10\.7\.4.*up to 500'
  made ack-of-uncaptured 0 "$open_plain
    < A 1 500 0 4000
    > A 500 1 100 4000
    < A 1 600 0 4000" 'acknowledges what was not captured' 'the capture lacks segments' 'conforms'
  made beyond-window 1 "$open_plain
    > A 1 1 1000 4000
    > A 1001 1 1000 4000
    > A 2001 1 1000 4000
    > A 3001 1 1000 4000
    > A 4001 1 1000 4000
    < A 1 4001 0 1000" 'departs #8 \[3\.8\.6.*1000 beyond the right edge 4001'
  made window-probe 0 "> S 0 0 0 1000 mss=1000
    < SA 0 1 0 1000 mss=1000
    > A 1 1 0 1000
    > A 1 1 1000 4000
    < A 1 1001 0 0
    > A 1001 1 1 4000
    < A 1 1001 0 0
    +400
    > A 1001 1 1 4000
    < A 1 1001 0 0
    +100
    < A 1 1001 0 4000
    > A 1001 1 1000 4000
    < A 1 2001 0 3000" 'window probe' 'not taken: the window is closed' 'zero window' 'window update'
  made other-text-again 1 "$open_plain
    > A 1 1 100 4000
    +300
    > A 1 1 100 4000 other
    < A 1 101 0 4000" 'departs #5 \[3\.10\.8.*octets 1 to [0-9]+ are not those of #4'
  made same-text-again 0 "$open_plain
    > A 1 1 100 4000
    +300
    > A 1 1 150 4000
    < A 1 151 0 4000" 'retransmission of #4'
  made text-after-fin 1 "$open_plain
    > FA 1 1 100 4000
    < A 1 102 0 4000
    > A 102 1 10 4000
    < A 1 102 0 4000" 'departs #6 \[3\.6.*after FIN at 101'
  made fin-that-moves 1 "$open_plain
    > FA 1 1 100 4000
    +300
    > FA 1 1 90 4000
    < A 1 102 0 4000" 'departs #5 \[3\.6.*FIN at 91 after FIN at 101'
  made reset-of-reset 1 "$open_plain
    > R 1 0 0 0
    < RA 0 1000001 0 0 absolute" 'departs #5 \[3\.10\.7\.1.*in answer to the reset #4'
  made refused-wrongly 1 '> S 0 0 0 4000
    < RA 0 1000000 0 0 absolute' 'departs #2 \[3\.10\.7\.1.*acknowledges 1000000'
  made refused-without-ack 1 '> S 0 0 0 4000
    < R 0 0 0 0 absolute' 'departs #2 \[3\.10\.7\.1.*without ACK' 'SYN-SENT +<-+ RST'
  made reset-in-the-window 0 "$open_plain
    > R 100 0 0 0
    < A 1 1 0 4000
    > A 1 1 10 4000
    < A 1 11 0 4000" 'challenge ACK for #4' 'advice +#4 \[3\.5\.3'
  made syn-in-established 0 "$open_plain
    > S 77 0 0 4000
    < A 1 1 0 4000
    > A 1 1 10 4000
    < A 1 11 0 4000" 'challenge ACK for #4' 'ESTABLISHED +<-+ ACK seq=1 ack=11'
  made challenge-of-foreign-numbers 1 "$open_plain
    > S 77 0 0 4000
    < A 78 77 0 4000
    > A 1 1 10 4000
    < A 1 11 0 4000" 'departs #5 \[3\.10\.7\.4'
  made half-open-from-the-middle 0 '< A 5 5 0 100
    > S 0 0 0 100
    < A 5 5 0 100
    > R 5 0 0 0' 'challenge ACK for #2' 'CLOSED +<-+ RST .*-- SYN-SENT'
  made passive-close-of-both 0 "$open_plain
    < FA 1 1 0 4000
    > FA 1 1 0 4000
    < A 2 2 0 4000
    > A 2 2 0 4000" 'CLOSING' 'arrives after #5'
  made fin-in-syn-received 0 '> S 0 0 0 4000 mss=1000
    < SA 0 1 0 4000 mss=1000
    > FA 1 1 10 4000
    < A 1 12 0 4000' 'FIN-WAIT-1 +-- FIN,ACK .*> CLOSE-WAIT'
  made reset-in-syn-received 0 '> S 0 0 0 4000
    < SA 0 1 0 4000
    > R 1 0 0 0' 'CLOSED +-- RST seq=1 -+> LISTEN'
  made syn-of-another-connection 0 "$open_plain
    > R 1 0 0 0
    > S 9000 0 0 4000 mss=1000
    < SA 9000 9001 0 4000 mss=1000
    > A 9001 9001 0 4000" 'incarnation 2 of these sockets' '2 connections: 2 conform'
  made no-ack-flag 1 "$open_plain
    > P 1 0 10 4000
    < A 1 11 0 4000" 'departs #4 \[3\.1, '
  made no-timestamps 1 "$open_full
    > PA 1 1 100 512
    < A 1 101 0 512 ts=9" 'departs #4 \[RFC7323-3\.2'
  made reset-without-timestamps 0 "$open_full
    > R 1 0 0 0" 'conforms'
  made options-beside-syn 1 "$open_plain
    > PA 1 1 10 4000 mss=1000 ws=3 sackok" 'departs #4 \[MUST-65' 'departs #4 \[RFC7323-2\.2' 'departs #4 \[RFC2018-2'
  made scale-not-offered 1 '> S 0 0 0 4000 mss=1000
    < SA 0 1 0 4000 ws=7
    > A 1 1 0 4000' 'departs #2 \[RFC7323-2\.2'
  made larger-than-mss 1 "$open_plain
    > PA 1 1 1001 4000
    < A 1 1002 0 4000" 'departs #4 \[MUST-16'
  made larger-than-default-mss 1 '> S 0 0 0 4000 mss=1000
    < SA 0 1 0 4000
    > A 1 1 0 4000
    > PA 1 1 537 4000
    < A 1 538 0 4000' 'departs #4 \[MUST-15'
  made option-of-no-length 1 "$open_plain
    > PA 1 1 10 4000 zero
    < A 1 11 0 4000" 'departs #4 \[MUST-68'
  made edge-that-recedes 0 "$open_plain
    < A 1 1 0 100
    > A 1 1 10 4000
    < A 1 11 0 100
    > A 11 1 10 4000
    < A 1 21 0 100" 'advice +#4 \[SHLD-14'
  made sack-of-unsent 1 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 1 0 512 ts=8 sack=200
    > A 101 1 50 512 ts=9
    < A 1 151 0 512 ts=10" 'departs #5 \[RFC2018-3'
  made damaged-and-taken 0 "$open_plain
    > PA 1 1 10 4000 damaged
    < A 1 11 0 4000" 'advice +#4 \[MUST-3,'
  made damaged-and-discarded 0 "$open_plain
    > PA 1 1 10 4000 damaged
    +300
    > PA 1 1 10 4000
    < A 1 11 0 4000" 'advice +#4 \[MUST-2,' 'X +ESTABLISHED'
  made lost-last-ack 0 "$open_plain
    > FA 1 1 0 4000
    < FA 1 2 0 4000
    > A 2 2 0 4000
    +300
    < FA 1 2 0 4000
    > A 2 2 0 4000" 'lost or late: its peer sends again' 'TIME-WAIT +-- ACK .*X +LAST-ACK' 'TIME-WAIT +-- ACK .*> CLOSED'
  made syn-ack-not-captured 0 '> S 0 0 0 4000 mss=1000
    > A 1 1 0 4000
    > PA 1 1 10 4000
    < A 1 11 0 4000' 'ESTABLISHED +-- ACK seq=1 ack=1 .*> ESTABLISHED'
  made begins-with-syn-ack 0 '< SA 0 1 0 4000 mss=1000
    > A 1 1 0 4000' 'begins with the SYN,ACK' 'ESTABLISHED +-- ACK .*> ESTABLISHED'
}

usage() {
  run help 0 help && contains help '^usage: vtcp' replay && pass
  run version 0 --version && contains version '^vtcp [0-9]' && pass
  run replay--help 0 replay --help && contains replay--help 'usage: vtcp replay' 'JSON' && pass
  run unknown-command 2 repaly && pass
  run no-file 2 replay && pass
  run unknown-option 2 replay --nonsense "$captures/reset.pcap" && pass
  run option-behind 0 replay "$captures/refused.pcap" --no-explain && pass
  run missing-file 2 replay "$tmp/nothing.pcap" && contains missing-file '^vtcp: .*nothing\.pcap: No such file' && pass
  run directory 2 replay "$tmp" && contains directory 'is a directory' && pass
  run two-files 2 replay "$captures/reset.pcap" "$captures/bad/empty.pcap" && contains two-files 'conforms' && pass
}

python=$(command -v python3) || python=
if [ -n "$python" ]; then maker >"$tmp/maker.py"; else echo "no python3: made captures and JSON are not tested"; fi
recorded
made_all
usage
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
