#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/spin.sh PROGRAM: SPIN searches worlds of `PROGRAM explore` in its own way, depth first, over the same C code, and
# counts the same situations; and finds that a two-way handshake is wrong. Ends with 77 where there is no SPIN.

set -u
program=${1:?usage: tests/spin.sh PROGRAM}
here=$(cd "$(dirname "$0")" && pwd)
moves=$(sed -n 's/.*MOVES = \([0-9]*\).*/\1/p' "$here/spin/world.h")

if ! command -v spin >/dev/null 2>&1; then
  echo "spin: not run: there is no SPIN here, and tools/setup check could not install it"
  exit 77
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
fail() {
  failed=$((failed + 1))
  printf 'FAILED %s: %s\n' "$1" "$2"
}

# The model: any of the moves that the C code offers, for ever; the C code says whether something is wrong.
model() {
  cat <<PML
c_decl {
\\#include "world.h"
}
c_track "situation" "ROOM"
active proctype moves()
{
end:
  do
  :: c_expr { (world_is_wrong() != 0) } -> assert(false)
PML
  for ((i = 0; i < moves; i++)); do
    echo "  :: atomic { c_expr { (world_has($i) != 0) } -> c_code { world_makes($i); } }"
  done
  printf '  od\n}\n'
}

build() {
  model >"$tmp/model.pml"
  cp "$here/spin/world.h" "$tmp"
  (cd "$tmp" && spin -a model.pml) >"$tmp/spin.log" 2>&1 || return 1
  # SPIN copies the first situation before anything runs: it is made there.
  sed -i 's/^main(int argc, char \*argv\[\])$/main_of_pan(int argc, char *argv[])/' "$tmp/pan.c"
  cat >"$tmp/begin.c" <<'C'
#include "world.h"
int main_of_pan(int, char **);
int main(int count, char **arguments)
{
  world_opens();
  return main_of_pan(count, arguments);
}
C
  local objects folder
  folder=$(dirname "$program")/src
  objects=$(ls "$folder"/driver/explore_{world,attack,pack,file,worlds}.o "$folder/vtcp.o") || return 1
  # shellcheck disable=SC2086
  gcc -O2 -w -DSAFETY -DNOREDUCE -DVECTORSZ=512 -I"$tmp" -I"$here/../include" "$tmp/pan.c" "$tmp/begin.c" \
    "$here/spin/world.c" $objects -o "$tmp/pan" >>"$tmp/spin.log" 2>&1
}

if ! build; then
  fail build "$(tail -n 3 "$tmp/spin.log")"
  exit 1
fi

same() { # WORLD
  local mine theirs
  mine=$("$program" explore --no-fair "$1" | sed -n 's/^  \([0-9]*\) states.*/\1/p')
  (cd "$tmp" && WORLD=$1 ./pan -m1000000 -w24) >"$tmp/out" 2>&1
  theirs=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$tmp/out")
  grep -q 'errors: 0' "$tmp/out" || fail "$1" "SPIN: $(grep -m1 errors: "$tmp/out")"
  [ "$(printf '%.0f' "${theirs:-0}")" = "$mine" ] || fail "$1" "SPIN counts $theirs states, vtcp explore $mine"
  echo "spin: $1: $mine states, and $theirs"
}

same old-syn
same close
same last-ack

(cd "$tmp" && WORLD=old-syn HANDSHAKE=two-way ./pan -m1000000) >"$tmp/out" 2>&1 # it leaves a trail where it stands
grep -q 'errors: 1' "$tmp/out" || fail 'two-way' "SPIN finds nothing: $(grep -m1 errors: "$tmp/out")"

[ "$failed" -eq 0 ]
