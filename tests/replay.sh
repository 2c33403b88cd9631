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
tests=$(cd "$(dirname "$0")" && pwd)
captures=$tests/captures
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

# --- Captures that are made here, by tests/capture.py ---

open_plain='> S 0 0 0 4000 mss=1000
< SA 0 1 0 4000 mss=1000
> A 1 1 0 4000'
open_full='> S 0 0 0 65535 mss=1460 ws=7 ts=5 sackok
< SA 0 1 0 65535 mss=1460 ws=7 ts=5 sackok
> A 1 1 0 512 ts=6'

# made NAME EXIT SEGMENTS PATTERN...: twice, the second time with sequence numbers that wrap
made() {
  local name=$1 status=$2 segments=$3 left right
  [ -n "$python" ] || return 0
  shift 3
  for isns in '1000000 5000000' '4294967290 4294967295'; do
    [ "$isns" != '1000000 5000000' ] && [[ $segments == *absolute* ]] && continue
    read -r left right <<<"$isns"
    printf '%s\n' "$segments" | "$python" "$tests/capture.py" "$left" "$right" >"$tmp/$name.pcap" || return 1
    run "$name" "$status" replay "$tmp/$name.pcap" && contains "$name" "$@" &&
      is_json "$name" "$tmp/$name.pcap" "$status" && pass
  done
}

# mutated CAPTURE EXIT PACKET CHANGE PATTERN...: a recorded capture with one packet changed, checksum right: seq+N, ack+N,
# text (its last octet), flags=N, window=N. The capture itself conforms: expected.tsv.
changer() {
  cat <<'END'
import struct, sys
octets, packet, change = bytearray(open(sys.argv[1], 'rb').read()), int(sys.argv[2]), sys.argv[3]
at = 24
for _ in range(packet - 1): at += 16 + struct.unpack_from('<I', octets, at + 8)[0]
ip = at + 16 + 14
tcp = ip + (octets[ip] & 15) * 4
end = ip + struct.unpack_from('>H', octets, ip + 2)[0]
def add(where, n): struct.pack_into('>I', octets, where, (struct.unpack_from('>I', octets, where)[0] + n) & 0xffffffff)
if change == 'text': octets[end - 1] ^= 1
elif change[:4] in ('seq+', 'ack+'): add(tcp + (4 if change[0] == 's' else 8), int(change[4:]))
elif change[:6] == 'flags=': octets[tcp + 13] = int(change[6:])
elif change[:7] == 'window=': struct.pack_into('>H', octets, tcp + 14, int(change[7:]))
octets[tcp + 16:tcp + 18] = b'\0\0'
summed = octets[ip + 12:ip + 20] + struct.pack('>HH', 6, end - tcp) + octets[tcp:end]
summed += b'\0' * (len(summed) % 2)
s = sum(struct.unpack('>%dH' % (len(summed) // 2), summed))
while s >> 16: s = (s & 0xffff) + (s >> 16)
struct.pack_into('>H', octets, tcp + 16, ~s & 0xffff)
sys.stdout.buffer.write(octets)
END
}

mutated() {
  local name=$1-$3-$4 status=$2
  [ -n "$python" ] || return 0
  "$python" "$tmp/changer.py" "$captures/$1" "$3" "$4" >"$tmp/$name" || return 1
  shift 4
  run "$name" "$status" replay "$tmp/$name" && contains "$name" "$@" && pass
}

mutated_all() {
  mutated lost-data.pcap 1 21 text 'departs #21 \[3\.10\.8'
  mutated lost-data.pcap 1 12 ack+20000 'departs #12 \[3\.10\.7\.4'
  mutated lost-data.pcap 1 4 flags=0 'departs #4 \[3\.1,'
  mutated lost-data.pcap 0 12 window=200 'conforms'
  mutated handshake-close.pcap 1 2 ack+1 'departs #2 \[3\.10\.7\.2'
  mutated handshake-close.pcap 1 5 ack+1 'departs #6 \[3\.10\.7\.4'
  mutated refused.pcap 1 2 ack+1 'departs #2 \[3\.10\.7\.1'
  mutated refused.pcap 0 2 seq+0 'conforms'
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
  made text-after-reset 1 "$open_plain
    > RA 1 1 0 0
    > A 1 1 10 4000" 'departs #5 \[3\.10\.5.*after its reset #4'
  made text-after-a-reset-from-elsewhere 0 "$open_plain
    > RA 1 1 0 0 ttl=44
    > A 1 1 10 4000" 'advice +#5 \[3\.10\.5.*TTL'
  made clock-that-recedes 1 "$open_full
    > A 1 1 10 512 ts=2000000
    > A 11 1 10 512 ts=7
    < A 1 21 0 512 ts=9" 'departs #5 \[RFC7323-5\.4'
  made clock-that-wraps 0 "$open_full
    > A 1 1 10 512 ts=2000000000
    > A 11 1 10 512 ts=4000000000
    > A 21 1 10 512 ts=5
    < A 1 31 0 512 ts=9" 'conforms'
  made echo-of-the-future 1 "$open_full
    > A 1 1 10 512 ts=7
    < A 1 11 0 512 ts=9 echo=9000
    > A 11 1 10 512 ts=8" 'departs #5 \[RFC7323-3\.2.*TSecr 9000'
  made echo-of-uncaptured 0 "$open_full
    > A 1 1 10 512 ts=7
    < A 1 11 0 512 ts=9 echo=9000
    > A 11 1 10 512 ts=9001" 'conforms'
  made scale-of-15 1 '> S 0 0 0 4000 mss=1000 ws=15
    < SA 0 1 0 4000 ws=7
    > A 1 1 0 4000' 'departs #1 \[RFC7323-2\.3'
  made ack-that-recedes 1 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 101 0 512 ts=8
    < A 1 51 0 512 ts=9" 'departs #6 \[3\.10\.7\.4.*51 after having acknowledged 101'
  made ack-that-was-overtaken 0 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 101 0 512 ts=9
    < A 1 51 0 512 ts=8" 'conforms'
  made ack-that-recedes-with-text 1 "$open_plain
    > A 1 1 100 4000
    < A 1 101 10 4000
    < A 11 51 10 4000" 'departs #6 \[3\.10\.7\.4'
  made block-of-nothing 1 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 1 0 512 ts=8 nothing=50" 'departs #5 \[RFC2018-3.*without octets'
  made block-of-a-duplicate 0 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 101 0 512 ts=8
    +300
    > A 1 1 100 512 ts=9
    < A 1 101 0 512 ts=10 sack=91" 'conforms'
  made block-of-uncaptured 0 "$open_full
    > A 1 1 100 512 ts=7
    < A 1 101 0 512 ts=8 sack=201
    > A 211 1 50 512 ts=9
    < A 1 261 0 512 ts=10" 'conforms' 'the capture lacks segments'
  made garbage-in-a-keep-alive 0 "$open_plain
    > A 1 1 100 4000
    < A 1 101 0 4000
    +15000
    > A 100 1 1 4000 other
    < A 1 101 0 4000" 'keep-alive' 'conforms'
  made beyond-window-for-sure 1 "$open_plain
    > A 1 1 1000 4000
    > A 1001 1 1000 4000
    > A 2001 1 1000 4000
    > A 3001 1 1000 4000
    > A 4001 1 1000 4000
    < A 1 4001 0 500
    < A 1 4001 0 500" 'departs #8 \[3\.8\.6'
  made opening-in-the-midst 0 "$open_plain
    > A 1 1 100 4000
    < A 1 101 0 4000
    > S 700000 0 0 4000 mss=1000
    < SA 900000 700001 0 4000 mss=1000
    > A 700001 900001 0 4000" 'incarnation 2 of these sockets' '2 connections: 2 conform'
  made opening-not-captured 0 "$open_plain
    > FA 1 1 0 4000
    < FA 1 2 0 4000
    > A 2 2 0 4000
    > A 70000 90000 10 4000
    < A 90000 70010 0 4000" 'incarnation 2 of these sockets' 'begins in the middle' '2 connections: 2 conform'
  made in-ip 0 '> S 0 0 0 4000 mss=1000 ipip
    < SA 0 1 0 4000 mss=1000 gre
    > A 1 1 0 4000 ipip' 'conforms: 3 segments'
  made in-what-is-not-followed 0 "$open_plain
    > A 1 1 10 4000 esp
    > A 1 1 10 4000 vxlan" '1 encrypted packets' '1 packets of tunnels' 'conforms: 3 segments'
  made begins-with-syn-ack 0 '< SA 0 1 0 4000 mss=1000
    > A 1 1 0 4000' 'begins with the SYN,ACK' 'ESTABLISHED +-- ACK .*> ESTABLISHED'
}

# Of many connections only those that depart are shown; a table says what was found, and counts what was judged.
crowd() {
  [ -n "$python" ] || return 0
  "$python" - >"$tmp/crowd.pcap" <<'END'
import struct, sys
sys.stdout.buffer.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
now = 1700000000000000
def send(port, forth, flags, seq, ack, text=b''):
    global now
    now += 1000
    ends, ports = [b'\xc0\0\2\1', b'\xc0\0\2\2'], (port, 7000)
    if not forth: ends.reverse(); ports = ports[::-1]
    tcp = struct.pack('>HHIIBBHHH', *ports, seq, ack, 80, flags, 4000, 0, 0) + text
    ip = struct.pack('>BBHHHBBH', 69, 0, 20 + len(tcp), now // 1000 & 0xffff, 0, 64, 6, 0) + ends[0] + ends[1] + tcp
    sys.stdout.buffer.write(struct.pack('<IIII', now // 1000000, now % 1000000, len(ip), len(ip)) + ip)
for block in range(0, 3000, 100):
    ports = range(10000 + block, 10100 + block)
    for p in ports: send(p, 1, 2, 0xffffffff, 0)
    for p in ports: send(p, 0, 18, 100, 0)
    for p in ports: send(p, 1, 16, 0, 101)
    for p in ports: send(p, 1, 24, 0, 101, b'text')
    for p in ports: send(p, 0, 16, 101, 4)
    for p in ports:
        if p % 1000 == 7: send(p, 1, 24, 0, 101, b'tent')
        send(p, 1, 17, 4, 101)
        send(p, 0, 17, 101, 5)
        send(p, 1, 16, 5, 102)
END
  run crowd 1 replay "$tmp/crowd.pcap" && contains crowd '3000 TCP connections' '2997 connections not shown' \
    'departs \[3\.10\.8, section 3\.10\.8\]: 3 in 3 connections, first #' '24003 segments judged' \
    '3000 connections: 2997 conform, 3 depart' && pass
  [ "$(grep -c '^Connection ' "$tmp/out")" -eq 3 ] || fail crowd "not three connections are shown"
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
if [ -n "$python" ]; then changer >"$tmp/changer.py"; else echo "no python3: made captures and JSON are not tested"; fi
recorded
made_all
mutated_all
crowd
usage
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
