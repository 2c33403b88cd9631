#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/explore.sh PROGRAM: what `PROGRAM explore` finds. The worlds that come with it hold; each change that is not RFC 9293
# is found, and so is each broken core; what is found is the same for any number of threads, wherever numbers begin, and runs
# as a script; worlds that cannot be read are refused with file, line, what was expected and what was found.
#
# The broken cores are mutants of proofs/mutants, and the objects beside PROGRAM: in build/vtcp's folder, build/src.

set -u
program=${1:?usage: tests/explore.sh PROGRAM}
root=$(cd "$(dirname "$0")/.." && pwd)
objects=$(dirname "$program")/src
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() {
  failed=$((failed + 1))
  printf 'FAILED %s: %s\n' "$1" "$2"
}

# run NAME EXIT ARGUMENT...: of `explore`; its output and exit status. Standard error is one line if the status is 2, or
# empty.
run() {
  local name=$1 status=$2 got lines
  shift 2
  "$program" explore "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  got=$?
  lines=$(wc -l <"$tmp/err")
  cat "$tmp/out" "$tmp/err" >"$tmp/both"
  if [ "$got" -ne "$status" ]; then
    fail "$name" "exit status $got, not $status: $(tail -n 1 "$tmp/both")"
    return 1
  fi
  if [ "$lines" -ne $((status == 2)) ]; then
    fail "$name" "$lines lines on standard error"
    return 1
  fi
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

holds() { # WORLD PATTERN...: nothing goes wrong in it, and all of it was seen
  local world=$1
  shift
  run "$world" 0 "$world" && contains "$world" '^  no violation, exhaustively' "$@" && pass
}

# found NAME ROWS PATTERN WORLD OPTION...: a counterexample with so many rows that ends like this, is drawn, and runs as a script.
found() {
  local name=$1 rows=$2 pattern=$3
  shift 3
  run "$name" 1 "$@" --ascii --script "$tmp/found.pkt" --svg "$tmp/found.svg" && contains "$name" '^  violation$' "$pattern" || return
  [ "$(grep -Ec '^  +[0-9]+  [A-Z]' "$tmp/out")" -eq "$rows" ] ||
    { fail "$name" "$(grep -Ec '^  +[0-9]+  [A-Z]' "$tmp/out") rows, not $rows"; return; }
  [ "$(grep -Ec '<text class="c fm" .*>[0-9]+</text>$' "$tmp/found.svg")" -eq "$rows" ] &&
    grep -Fq -- "$(sed -n 's/^  \([AB]: .*\)$/\1/p' "$tmp/out" | tail -n 1)" "$tmp/found.svg" ||
    { fail "$name" "its picture has other rows, or ends otherwise"; return; }
  "$program" replay "$tmp/found.pkt" >"$tmp/replay" 2>&1 ||
    { fail "$name" "its script: $(head -n 1 "$tmp/replay")"; return; }
  pass
}

worlds() {
  local world in_the_end='in the end if the network is fair$'
  for world in old-syn open cross close close-both last-ack abort; do
    holds "$world" "$in_the_end"
  done
  holds next-life 'timeouts are bounded'
}

# Why three segments open and four close, and what TIME-WAIT is for.
questions() {
  found 'two-way handshake' 2 '^  B: it is connected, and nobody is there who wanted this connection' \
    old-syn --handshake two-way
  contains 'two-way handshake' '^    2  CLOSED       -- SYN seq=240 .*> ESTABLISHED  +of an earlier life'
  found 'three segments close' 7 '^  B: its user has text to send and has not closed, and must not send' \
    close --close three-segments
  found 'no TIME-WAIT: the next life' 23 '^  B: it delivers an octet that its peer did not send at that place' \
    next-life --time-wait zero
  found 'no TIME-WAIT: the last ACK' 10 '^  B: its connection is reset, though nobody aborted' \
    last-ack --time-wait zero
  found 'exact reset' 5 '^  A: a forged segment changes its connection' attack --attacker exact-reset
}

# The default is old-syn; the output but for times, and the states, whatever the threads and the base.
counts() { sed -n 's/^  \([0-9]* states, [0-9]* transitions, depth [0-9]*\),.*/\1/p' "$tmp/out"; }
timeless() { sed 's/[0-9.]* s, /T s, /; s/"seconds":[0-9.]*/"seconds":T/' "$1"; }
reproducible() {
  local option world
  run default 0 && cp "$tmp/out" "$tmp/first"
  for option in '--threads 1' '--threads 2' '--threads 5'; do
    # shellcheck disable=SC2086
    run "$option" 0 $option && diff <(timeless "$tmp/first") <(timeless "$tmp/out") >/dev/null && pass ||
      fail "$option" differs
  done
  run json 1 last-ack --time-wait zero --json && cp "$tmp/out" "$tmp/first"
  run json 1 last-ack --time-wait zero --json --threads 3 && diff <(timeless "$tmp/first") <(timeless "$tmp/out") && pass ||
    fail json 'differs with threads'
  for world in close cross; do
    run "$world" 0 "$world" && counts >"$tmp/first"
    for option in '--base 1000' '--base 4294000000' '--base=77777'; do
      # shellcheck disable=SC2086
      run "$world $option" 0 "$world" $option && counts | diff "$tmp/first" - >/dev/null && pass ||
        fail "$world $option" differs
    done
  done
  # The numbers wrap in the text, or within the first of both ends.
  run wrap 0 close --base 4294967294 && counts >"$tmp/wrap"
  run wrap 0 close && counts | diff "$tmp/wrap" - >/dev/null && pass || fail wrap differs
  # Both ends alike: half of the states of two that differ in the last number that they never come to.
  run cross 0 cross && mine=$(counts) && run cross 0 cross --iss 'a 0 80 161' && other=$(counts) &&
    [ "${mine%% *}" -lt $((${other%% *} * 6 / 10)) ] && pass || fail cross 'no symmetry'
}

bounds() {
  run memory 2 text --memory 17 && pass
  contains memory '^  not exhaustive: 17 MB are not enough' 'not every situation was seen' && pass
  run memory 2 text --memory 17 --json && contains memory '"exhaustive":false' && pass
  run no-fair 0 open --no-fair && contains no-fair 'exhaustively; a fair network was not asked about' && pass
  run progress 0 open --progress 2>/dev/null
}

printed() { # a world as text is the same world
  local world
  for world in $("$program" explore --list | awk '{ print $1 }'); do
    run "$world" 0 "$world" --print && cp "$tmp/out" "$tmp/printed.world"
    run "$world, printed" 0 "$tmp/printed.world" --print && diff "$tmp/printed.world" "$tmp/out" >/dev/null && pass ||
      fail "$world" 'is not what it prints'
  done
  run world 0 close && timeless "$tmp/out" | sed 1d >"$tmp/first"
  "$program" explore close --print >"$tmp/printed.world"
  run world 0 "$tmp/printed.world" && timeless "$tmp/out" | sed 1d | diff "$tmp/first" - >/dev/null && pass ||
    fail world differs
}

# refused TEXT PATTERN: a world with this text.
refused() {
  printf '%b' "$1" >"$tmp/bad.world"
  run "$1" 2 "$tmp/bad.world" && contains "$1" "^vtcp explore: .*bad\.world:?$2" && pass
}

refusals() {
  refused '' ' expected calls of `a` or `b`, found none'
  refused 'a open\nnonsense 3\n' '2: expected a key .*, found nonsense'
  refused '\n# comment\na open, sing\n' '3: expected a call .*, found sing'
  refused 'a send' '1: expected how many octets, 1 to 200, after `send`, found nothing'
  refused 'a send 0' '1: expected how many octets, 1 to 200, after `send`, found 0'
  refused 'a send 99999999999999999999' '1: .*found 9999'
  refused 'a send 150, send 150' '1: expected at most 200 octets to send, found 300'
  refused 'a wait' '1: expected `established`, .* after `wait`, found nothing'
  refused 'a wait tomorrow' '1: expected .* after `wait`, found tomorrow'
  refused 'a wait text -1' '1: expected how many octets, .*found -1'
  refused "a $(printf 'open,%.0s' {1..30})" '1: expected at most 24 calls, found more'
  refused 'b listen\nloses some' '2: expected a number, 0 to 200, or `any`, found some'
  refused 'b listen\nloses' '2: expected a number, 0 to 200, or `any`, found nothing'
  refused 'b listen\nholds 99' '2: expected a number, 1 to 10, found 99'
  refused 'b listen\nbuffer 0' '2: expected a number, 1 to 32, found 0'
  refused 'b listen\nmss 1 2' '2: expected a number, 1 to 1460, found 1 2'
  refused 'b listen\nreorders maybe' '2: expected `no` or `yes`, found maybe'
  refused 'b listen\nhandshake one-way' '2: expected `three-way` or `two-way`, found one-way'
  refused 'b listen\niss c 1' '2: expected `a` or `b`, .*found c 1'
  refused 'b listen\niss a 5 5' '2: expected a number, 6 to 250, found 5'
  refused 'b listen\niss a 1 2 3 4 5 6 7' '2: expected at most 6 initial'
  refused 'b listen\nold a syn seq' '2: expected a number, 0 to 250, after `seq`, found nothing'
  refused 'b listen\nold a shout' '2: expected syn, fin, rst, text, seq or ack, found shout'
  refused 'b listen\nold a syn\nold a syn\nold a syn\nold a syn\nold a syn' '6: expected at most 4 old segments'
  refused 'b listen\nold a syn\nold a syn\nholds 1' ' expected room for 2 old segments in the network, found 1'
  refused 'b listen\nattacker angry' '2: expected none, reset, syn, text or exact-reset, found angry'
  refused 'b listen\nbase 4294967296' '2: expected a number, 0 to 4294967295, found 4294967296'
  refused 'b listen\000' '1: expected text, found an octet that is zero'
  refused 'b \033[31mlisten' '1: expected a call .*, found \?\[31mlisten'
  refused "about $(printf 'x%.0s' {1..500})" '1: expected a line of at most 399 octets, found 506'
  refused "about $(printf 'x%.0s' {1..200})" '1: expected at most 159 octets of text, found 200'
  head -c 70000 /dev/zero | tr '\0' '#' >"$tmp/bad.world"
  run large 2 "$tmp/bad.world" && contains large 'bad.world: expected a world of at most 65536 octets' && pass
  run missing 2 "$tmp/none" && contains missing 'no world .*none: No such file' && pass
  run folder 2 "$tmp" && contains folder 'cannot be read' && pass
  run option 2 open --loses && contains option '^vtcp explore: --loses: expected a value, found the end' && pass
  run option 2 open --loses few && contains option '^vtcp explore: --loses: expected a number' && pass
  run option 2 open --threads 0 && contains option '^vtcp explore: --threads: expected a number, 1 to 64, found 0' && pass
  run option 2 open close && contains option 'expected one world, found also close' && pass
  run option 2 open --colour red && contains option '^vtcp explore: --colour: expected a key' && pass
  run script 2 old-syn --handshake two-way --script "$tmp/none/x.pkt" && contains script 'none/x.pkt: No such file' && pass
  run picture 2 old-syn --handshake two-way --svg "$tmp/none/x.svg" && contains picture 'none/x.svg: No such file' && pass
  run help 0 --help && contains help 'usage: vtcp explore' 'handshake +three-way' 'Exit status' && pass
}

# What a situation's octets leave out would be lost: each field of a connection is named where they are written.
fields() {
  local field missing='' count=0
  for field in $(gcc -fpreprocessed -E -P "$root/include/vtcp.h" | sed -n '/^struct vtcp_conn {/,/^};/p' | sed '1d; $d' |
    sed 's/struct [a-z_]*//; s/uint[0-9]*_t//; s/bool//' | grep -Eo '[a-z][a-z0-9_]*'); do
    count=$((count + 1))
    grep -q "\b$field\b" "$root/src/driver/explore_pack.c" || missing="$missing $field"
  done
  [ -z "$missing" ] && [ "$count" -gt 30 ] && pass || fail fields "not in explore_pack.c:$missing"
}

# shows MUTANT WORLD PATTERN: the core in $tmp/broken has a mistake that shows in this world.
shows() {
  local mutant=$1 world=$2 pattern=$3 d=$tmp/broken mine=$program
  if ! gcc -std=c11 -O2 -w -I"$d/include" -c "$d/src/vtcp.c" -o "$d/vtcp.o" ||
    ! gcc "$objects"/driver/*.o "$d/vtcp.o" "$objects/wire.o" "$objects/isn.o" -lpcap -lm -o "$d/vtcp" ${LINK:-}; then
    fail "$mutant" 'cannot be built'
    return
  fi
  program=$d/vtcp
  run "$mutant" 1 "$world" && contains "$mutant" "$pattern" && pass
  program=$mine
}

copy() {
  rm -rf "$tmp/broken"
  mkdir "$tmp/broken"
  cp -r "$root/include" "$root/src" "$root/spec" "$tmp/broken"
}

# broken MUTANT WORLD PATTERN: one of proofs/mutants.
broken() {
  copy
  patch -p1 -s -f -d "$tmp/broken" -i "$root/proofs/mutants/$1.patch" >/dev/null 2>&1 ||
    { fail "$1" 'does not apply'; return; }
  shows "$@"
}

# edited FILE EDIT WORLD PATTERN: one made by sed.
edited() {
  copy
  sed -i "$2" "$tmp/broken/src/$1"
  cmp -s "$tmp/broken/src/$1" "$root/src/$1" && { fail "$2" 'changes nothing'; return; }
  shows "$2" "$3" "$4"
}

mutants() {
  broken law-peer_fin close 'told that its peer has closed before all text is there'
  broken law-our_fin open 'its close is answered before its peer has all text'
  broken law-acked open 'sends text that its user did not give for that place'
  broken law-delivery text 'delivers an octet that its peer did not send'
  broken law-no_rst_for_rst old-syn 'answers a reset with a reset'
  broken law-last_ack old-syn 'stays connected with a peer that is not connected with it'
  broken law-MUST_13 next-life 'delivers an octet that its peer did not send at that place of this connection'
  broken law-wf close 'breaks the invariant of every connection'
  broken law-rst_exact attack 'a forged segment changes its connection'
  broken law-old_syn attack 'a forged segment changes its connection'
  broken law-ghost_ack attack 'delivers an octet that its peer did not send'
  # every segment is acknowledged, acknowledgments too
  edited text.c 's/c->state >= VTCP_ESTABLISHED && (e->seg.len > 0 || e->seg.fin)/c->state >= VTCP_ESTABLISHED/' open \
    'the exchange goes on for ever without new text' && contains war 'and from here round and round'
  # no window probes: a lost window update is for ever
  edited timers.c 's/return VTCP_PERSIST;/return VTCP_NO_TIMER;/; s/return VTCP_OVERRIDE;/return VTCP_NO_TIMER;/' text \
    'its user waits for ever, though the network is fair'
  # nothing is sent again
  edited timers.c 's/return VTCP_RETRANSMISSION;/return VTCP_NO_TIMER;/' open \
    'its user waits for ever, though|stays connected|never arrives'
}

worlds
questions
reproducible
bounds
printed
refusals
fields
[ -n "${NO_MUTANTS:-}" ] || mutants
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
