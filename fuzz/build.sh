#!/usr/bin/env bash
# fuzz/build.sh: every fuzz target, its seeds and its options into $OUT, as OSS-Fuzz and ClusterFuzzLite ask for it: with $CC, $CXX,
# $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE. By hand, and without their images:
#   OUT=build/oss-fuzz CC=clang CXX=clang++ CFLAGS='-O1 -g -fsanitize=address,fuzzer-no-link' CXXFLAGS="$CFLAGS" \
#     LIB_FUZZING_ENGINE=-fsanitize=fuzzer fuzz/build.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${OUT:?where to}" "${CC:=clang}" "${CXX:=clang++}" "${CFLAGS:=-O1 -g}" "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
: "${CXXFLAGS:=$CFLAGS}"
mkdir -p "$OUT"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { # SOURCE: its object in $work
  local object=$work/${1//\//-}.o
  # shellcheck disable=SC2086
  [ -f "$object" ] || $CC $CFLAGS -std=c11 -Iinclude -c "$1" -o "$object"
  objects+=("$object")
}

for source in fuzz/fuzz_*.c; do
  target=$(basename "$source" .c)
  target=${target#fuzz_}
  objects=() libraries=
  compile "$source"
  for part in src/vtcp.c src/wire.c src/isn.c; do
    compile "$part"
  done
  case $target in
    script | replay | world) # the program, too
      for part in src/driver/*.c; do
        case $part in */main.c | */command_diagram.c) ;; *) compile "$part" ;; esac
      done
      libraries="-lpcap -lm"
      ;;
  esac
  # shellcheck disable=SC2086
  $CXX $CXXFLAGS "${objects[@]}" $LIB_FUZZING_ENGINE $libraries -o "$OUT/fuzz_$target"
  fuzz/seeds "$target" "$work/seeds-$target"
  (cd "$work/seeds-$target" && python3 -m zipfile -c "$work/$target.zip" ./*)
  cp "$work/$target.zip" "$OUT/fuzz_${target}_seed_corpus.zip"
  printf '[libfuzzer]\nmax_len = 4096\n' >"$OUT/fuzz_$target.options"
done
