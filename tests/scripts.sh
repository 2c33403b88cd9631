#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/scripts.sh PROGRAM: what `PROGRAM replay` makes of scripts in packetdrill's language. Those in tests/scripts pass; those
# made here fail, or are refused, each for its reason.

set -u
program=${1:?usage: tests/scripts.sh PROGRAM}
scripts=$(cd "$(dirname "$0")" && pwd)/scripts
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() {
  failed=$((failed + 1))
  printf 'FAILED %s: %s\n' "$1" "$2"
}

# run NAME EXIT ARGUMENT...: its output and exit status.
run() {
  local name=$1 status=$2 got
  shift 2
  "$program" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  got=$?
  cat "$tmp/out" "$tmp/err" >"$tmp/both"
  [ "$got" -eq "$status" ] && return
  fail "$name" "exit status $got, not $status: $(head -n 1 "$tmp/both")"
  return 1
}

contains() {
  local name=$1 pattern
  shift
  for pattern; do
    grep -Eq -- "$pattern" "$tmp/both" && continue
    fail "$name" "nothing matches: $pattern"
    return 1
  done
}

# made EXIT TEXT PATTERN...: of a script with this text.
made() {
  local status=$1 text=$2
  shift 2
  printf '%b' "$text" >"$tmp/made.pkt"
  run "$text" "$status" replay "$tmp/made.pkt" && contains "$text" "$@" && pass
}

# The same, behind a handshake; the first line of the text is the script's ninth.
opened() {
  local status=$1 text=$2
  shift 2
  made "$status" "--complete=1
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 4000 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+0 < . 1:1(0) ack 1 win 4000
+0 accept(3, ..., ...) = 4
$text" "$@"
}

recorded() {
  local file
  for file in "$scripts"/*.pkt; do
    run "${file##*/}" 0 replay "$file" && contains "${file##*/}" ': passed$' && pass
    run "${file##*/}, again" 0 replay --ladder "$file" && cp "$tmp/out" "$tmp/first"
    run "${file##*/}, again" 0 replay --ladder "$file" && cmp -s "$tmp/out" "$tmp/first" && pass
  done
  run directory 0 replay --summary "$scripts" && contains directory ' scripts: .* passed, 0 failed, 0 unsupported, 0 unreadable' && pass
}

unreadable() {
  made 2 '' 'made\.pkt:1: unreadable: no event'
  made 2 '0 nothing' ':1: unreadable: \( expected, found the end'
  made 2 '0 read(3, ..., 1)' ':1: unreadable: = expected, found the end'
  made 2 '0 read(3 ..., 1) = 1' ':1: unreadable: \) expected, found \.\.\.'
  made 2 '\n\n/* never ends' ':3: unreadable: comment without \*/'
  made 2 '0 read(3, "never ends' 'unreadable: " without its end'
  made 2 '0 `never ends' 'unreadable: ` without its end'
  made 2 '0 %{ never ends' 'unreadable: %\{ without \}%'
  made 2 '#ifdef X\n0 close(3) = 0' 'unreadable: #ifdef without #endif'
  made 2 '0 close(3) = 0\n#endif' ':2: unreadable: #endif without #ifdef'
  made 2 '#ifdef 3\n#endif' 'unreadable: #ifdef must be followed by a name'
  made 2 '0 > X 0:0(0)' 'unreadable: no TCP flag: X'
  made 2 '0 > SS 0:0(0)' 'unreadable: TCP flag S twice'
  made 2 '0 > S 0:5(0)' ':1: unreadable: 0:5\(0\): the numbers do not fit the length'
  made 2 '0 > S 0:70000(70000)' 'unreadable: the text.s length out of range: 70000'
  made 2 '0 > . 0:0(0) ack 4294967296' 'unreadable: acknowledgment out of range'
  made 2 '0 > S 0:0(0) win 65536' 'unreadable: window out of range: 65536'
  made 2 '0 > S 0:0(0) <mss 65536>' 'unreadable: MSS out of range'
  made 2 '0 > S 0:0(0) <nothing 3>' 'unreadable: a TCP option expected, found nothing'
  made 2 '0 > S 0:0(0) <mss 1460,nop>' 'unreadable: 5 octets of options'
  made 2 '0 > S 0:0(0) <mss 1460' 'unreadable: > expected, found the end'
  made 2 '0 > S 0:0(0) <012>' 'unreadable: pairs of hexadecimal digits'
  made 2 '0 < S 0:0(0) <...>' 'unreadable: <\.\.\.> is for outbound packets only'
  made 2 '0 < [ect01] S 0:0(0)' 'unreadable: ect01 is for outbound packets only'
  made 2 '0 > [tos 0x1ff] S 0:0(0)' 'unreadable: tos out of range'
  made 2 '0 > [colour 3] S 0:0(0)' 'unreadable: ttl, hlim'
  made 2 '* close(3) = 0' 'unreadable: \* is for outbound packets only'
  made 2 '1~2 < S 0:0(0)' 'unreadable: a range of time is for outbound packets only'
  made 2 '2~1 > S 0:0(0)' 'unreadable: the time range is backwards'
  made 2 '-1 > S 0:0(0)' 'unreadable: negative time|unreadable: an event expected'
  made 2 '+x > S 0:0(0)' 'unreadable: a time expected, found x'
  made 2 '--mtu=3\n0 close(3) = 0' ':1: unreadable: --mtu=3 is out of range'
  made 2 '0 close(3, 4) = 0' 'unreadable: close\(\) has 1 to 1 arguments, not 2'
  made 2 '0 close(3) = 0 garbage garbage' ':1: unreadable: an event expected, found garbage'
  made 2 'a\0b' 'unreadable: not a text'
}

unsupported() {
  made 2 '--colour=3\n0 close(3) = 0' ':1: unsupported: --colour is not known here'
  made 2 '0 > sctp: INIT[]' 'unsupported: sctp: only TCP'
  made 2 '0 > udp (1000)' 'unsupported: udp: only TCP'
  made 2 '0 < S 0:0(0) win 100 <md5 valid>' 'unsupported: TCP MD5'
  made 2 '0 > S.5 0:0(0)' 'unsupported: accurate ECN'
  made 2 '0 epoll_create(1) = 3' ':1: unsupported: epoll_create\(\) is not a call that is known here'
  made 2 '0 socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) = 3' 'unsupported: socket\(\): only SOCK_STREAM'
  made 2 '0 `rm -rf /nowhere`' 'unsupported: the command rm is not understood'
  made 2 '0 `sysctl net.nothing=1`' 'unsupported: sysctl net.nothing is not known here'
  made 2 '0 `sysctl net.inet.tcp.blackhole`' 'unsupported: sysctl net.inet.tcp.blackhole: name=value'
  made 2 '0 `sysctl net.inet.tcp.msl=1 | cat`' 'unsupported: what sysctl is piped into'
  made 2 '0 `sockstat -4 | wc -l`' 'unsupported: sockstat: only counts'
  made 2 '0 `"`' 'unsupported: a command line that is too long, or a quote'
  opened 2 '+0 %{ print(tcpi_state) }%' ':9: unsupported: only assertions on tcp_info are understood, not: print'
  opened 2 '+0 %{ assert tcpi_nothing == 1 }%' ':9: unsupported: tcpi_nothing is not known here'
  opened 2 '+0 %{ assert NOTHING == 1 }%' 'unsupported: NOTHING is not known here'
  opened 2 '+0 %{ assert tcpi_rto == 1.5 }%' 'unsupported: only assertions'
  opened 2 '+0 setsockopt(4, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) = 0' ':9: unsupported: socket option TCP_CONGESTION'
  opened 2 '+0 setsockopt(4, IPPROTO_TCP, TCP_CORK, [1], 4) = 0' 'unsupported: TCP_CORK: only 0 here, not 1'
  opened 2 '+0 setsockopt(4, SOL_SOCKET, SO_RCVBUF, [5000], 4) = 0' 'unsupported: SO_RCVBUF on a connection'
  opened 2 '+0 accept(3, {sa_family=AF_INET}, [16]) = 5' 'unsupported: accept\(\): argument 2 is not looked at'
  opened 2 '+0 writev(4, [{..., -1}], 1) = 5' 'unsupported: buffers of more than'
  opened 2 '+0 send(4, ..., 1, MSG_OOB) = 1' 'unsupported: send\(\): only MSG_DONTWAIT'
  opened 2 '+0 fcntl(4, F_GETFD) = 0' 'unsupported: fcntl\(\): only F_GETFL'
  opened 2 '+0 ioctl(4, SIOCATMARK, [0]) = 0' 'unsupported: ioctl\(\): SIOCATMARK'
  opened 2 '+0 close(4) = -1 ENOTHING (no such error)' 'unsupported: ENOTHING is no error that is known here'
  opened 2 '+0 < P. 1:11(10) ack 1 win 4000\n+0 > . 1:1(0) ack 11 <nop,nop,sack 5:11>' 'unsupported: SACK: not implemented'
}

mismatches() {
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1' ':10: failed: the segment that is sent' \
    '^  \* len +11 +10$' '^    ack +1 +1$' '^ +expected +actual$' 'ESTABLISHED +-- PSH,ACK seq=1 ack=1 len=10'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1' '^  \* flags +\. +P\.$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1' '^  \* seq +2 +1$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2' '^  \* ack +2 +1$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 7' '^  \* win +7 +65535$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 urg 3' '^  \* urg +3 +0$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <mss 5>' '^  \* options +mss 5 *$'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > [ttl 7] P. 1:11(10) ack 1' '^  \* ttl +7 +64'
  opened 0 '+0 setsockopt(4, IPPROTO_IP, IP_TTL, [7], 4) = 0\n+0 write(4, ..., 10) = 10\n+0 > [ttl 7] P. 1:11(10) ack 1' passed
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > [dscp cs1] P. 1:11(10) ack 1' '^  \* tos +0x20 +0'
  opened 2 '+0 write(4, ..., 10) = 10\n+0 > [ect0] P. 1:11(10) ack 1' 'unsupported: ECN: not implemented'
  made 2 '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n0...1 connect(3, ..., ...) = 0\n+0 > SEW 0:0(0) <...>' 'unsupported: ECN: not'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > 1>2 P. 1:11(10) ack 1' '^  \* ports +1>2 +8080>40001'
  opened 1 '+0 write(4, ..., 10) = 10\n+1 > P. 1:11(10) ack 1' ':10: failed: the segment is sent at 0.000000, not at 1.000000'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0.5 > P. 1:11(10) ack 1' 'failed: nothing is sent at 0.500000'
  opened 1 '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0.9~+0.95 > P. 1:11(10) ack 1' 'nothing is sent at 0.900000~0.950000'
  opened 1 '* > P. 1:11(10) ack 1' 'failed: nothing is sent'
  opened 1 '+0 write(4, ..., 10) = 10' ':9: failed: a segment is sent that no event expects'
  opened 1 '+0 write(4, ..., 10) = 9' 'failed: write\(\) returns 10, not 9' '^  \* result +9 +10$'
  opened 1 '+0 read(4, ..., 10) = 10' 'failed: read\(\) blocks'
  opened 1 '+0...1 read(4, ..., 10) = 10' 'failed: read\(\) has not returned at the end'
  opened 1 '+0...1 read(4, ..., 10) = 10\n+2 < P. 1:11(10) ack 1 win 4000' 'failed: read\(\) returns at 2.000000, not at 1.000000'
  opened 1 '+0...1 read(4, ..., 10) = 10\n+0 close(3) = 0' 'close\(\) of line|read\(\) of line 9 has not returned yet'
  opened 1 '+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n+0 read(4, ..., 10) = -1 EPIPE (x)' 'read\(\) returns -1 EAGAIN, not -1 EPIPE'
  opened 1 '+0 close(7) = 0' 'close\(\) returns -1 EBADF, not 0'
  opened 1 '+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [EPIPE], [4]) = 0' 'SO_ERROR is 0, not EPIPE'
  opened 1 '+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [5]) = 0' 'length is 4, not 5'
  opened 1 '+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [7], [4]) = 0' 'SO_RCVBUF is 65536, not 7'
  opened 1 '+0 ioctl(4, SIOCINQ, [7]) = 0' 'SIOCINQ is 0, not 7'
  opened 1 '+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1' 'revents is 4, not 1'
  opened 1 '+0 %{ assert tcpi_state == TCPI_CLOSED }%' ':9: failed: the assertion.* does not hold' '^  \* tcp_info +0 +4$'
  opened 1 '+0 %{ assert tcpi_state == TCPI_ESTABLISHED\nassert tcpi_snd_mss == 1 }%' ':10: failed: the assertion'
  opened 1 '+0 `sockstat -4 -P tcp -s | grep -c TIME_WAIT | grep 1`' 'failed: 0 in TIME_WAIT, not 1 in TIME_WAIT'
  opened 1 '+3 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n1 close(4) = 0' 'failed: it is 3.000000 already'
}

usage() {
  run help 0 replay --help && contains help 'script\.pkt' 'rcvbuf' && pass
  run unknown-setting 2 replay --nonsense=3 "$scripts/connect.pkt" && contains unknown-setting 'unknown option --nonsense=3' && pass
  run setting 1 replay --mtu=1000 "$scripts/connect.pkt" && contains setting '^  \* options +mss 1460 +mss 960' && pass
  run hyphen 0 replay --rto-initial=1500 "$scripts/connect.pkt" && pass
  run json 2 replay --json "$scripts/connect.pkt" && contains json 'captures only' && pass
  run missing 2 replay "$tmp/nothing.pkt" && contains missing 'vtcp: .*nothing\.pkt: No such file' && pass
  printf '#ifdef X\n0 close(3) = -1 EBADF (x)\n#endif\n' >"$tmp/define.pkt"
  run undefined 2 replay "$tmp/define.pkt" && run defined 0 replay -DX "$tmp/define.pkt" && pass
  mkdir "$tmp/some" && cp "$scripts/connect.pkt" "$tmp/some" && echo '0 close(3) = 0' >"$tmp/some/a.pkt" && echo '0 x' >"$tmp/some/b.pkt"
  run summary 2 replay --summary "$tmp/some" &&
    contains summary '^3 scripts: 1 passed, 1 failed, 0 unsupported, 1 unreadable$' '^  failed +1  call$' '^  unreadable +1  syntax$' && pass
}

recorded
unreadable
unsupported
mismatches
usage
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
