#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tests/browser.sh PROGRAM: pictures that PROGRAM draws, and README's, in a real browser (tests/browser.py says what is looked
# at). Ends with 77 where there is no browser and none can be installed. --find names the one that is there.
set -euo pipefail
cd "$(dirname "$0")/.."

find_browser() {
  local name
  for name in ${BROWSER:-} chromium google-chrome google-chrome-stable chromium-browser; do
    if command -v "$name"; then return 0; fi
  done
  return 1
}
if [ "${1:?usage: tests/browser.sh PROGRAM}" = --find ]; then
  find_browser
  exit
fi
program=$(realpath "$1")
tools/setup browser || true
browser=$(find_browser) || { echo "not run: there is no Chromium here, and it could not be installed"; exit 77; }
command -v python3 >/dev/null || { echo "not run: there is no python3 here"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
pages=(pictures/*.svg)
draw() { # NAME ARGUMENT...
  local status=0
  "$program" replay --html "$tmp/$1.html" "${@:2}" >/dev/null 2>&1 || status=$?
  [ $status -lt 2 ]
  pages+=("$tmp/$1.html")
}
draw lost tests/captures/lost-data.pcap tests/captures/simultaneous-close.pcap
draw folded tests/captures/bulk-drop.pcap --to-scale
draw many tests/captures/many.pcap tests/captures/ipv6.pcap
draw window tests/captures/zero-window.pcap --to-scale
draw script tests/scripts/retransmission.pkt tests/scripts/connect.pkt --mtu=1000
{ # a departure of each kind that is long to tell: findings, and text that does not fit on a line
  python3 tests/capture.py 4294967290 4294967200 >"$tmp/departs.pcap" <<'END'
> S 0 0 0 4000 mss=1000
< SA 0 1 0 4000 mss=1000
> A 1 1 0 4000
> A 1 1 100 4000
+300
> A 1 1 100 4000 other
< A 1 101 0 100
> PA 101 1 10 4000 mss=1000 ws=3 sackok
< A 1 111 0 4000 sack=200
> R 115 0 0 0
END
}
draw departs "$tmp/departs.pcap"
python3 tests/browser.py "$browser" "${pages[@]}"
