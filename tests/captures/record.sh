#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Records the captures of this directory: the Linux kernel's TCP at both ends,
# in network namespaces that this script makes and removes.
#
#   record.sh [DIRECTORY [STORY...]]      (as root)
#
# DIRECTORY is where the captures go (default: beside this script); with STORY
# names (the file names without .pcap) only those are recorded again.
#
#        namespace C              namespace M             namespace S
#   client 192.0.2.1  c0 ===== m0   bridge   m1 ===== s0  192.0.2.2  server
#          2001:db8::1              or wire               2001:db8::2
#
# Captures are taken at c0 unless the story says otherwise.  What is lost is
# lost in M, on arrival at m0 or m1: c0 and s0 show what really left and what
# really arrived.  In some stories the bridge is a slow wire (peer.py wire).

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here}
[ $# -gt 0 ] && shift
wanted=("$@")

# ------------------------------------------------------------ requirements

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
PATH=$PATH:/usr/sbin:/sbin
need ip iproute2
need ss iproute2
need nft nftables
need tcpdump tcpdump
need python3 python3
need taskset util-linux
if [ ${#missing[@]} -gt 0 ]; then
    echo "record.sh: missing Debian packages:" \
        "$(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')" >&2
    exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "record.sh: must be run as root (it makes network namespaces)" >&2
    exit 2
fi
mkdir -p "$dir" "$dir/bad"
dir=$(cd "$dir" && pwd)

# One processor for all of it: otherwise the order of two packets in a capture
# may differ from the order in which the kernel saw them.
taskset -cp "$(taskset -cp $$ | sed 's/.*[:,-] *//')" $$ >/dev/null

# ----------------------------------------------------------------- the net

tmp=$(mktemp -d)
ready=$tmp/ready                # made by a server that listens
C=vtcp-c-$$ M=vtcp-m-$$ S=vtcp-s-$$
peers=() taps=() wires=() failures=0

stop() {                        # signal and wait for processes of ours
    local sig=$1 pid
    shift
    for pid; do kill "-$sig" "$pid" 2>/dev/null || true; done
    for pid; do wait "$pid" 2>/dev/null || true; done
}

net_down() {
    local ns
    stop KILL ${peers[@]+"${peers[@]}"}
    stop TERM ${taps[@]+"${taps[@]}"}
    stop KILL ${wires[@]+"${wires[@]}"}
    peers=() taps=() wires=()
    rm -f "$ready" "$tmp"/go*
    for ns in "$C" "$M" "$S"; do
        if [ -e "/var/run/netns/$ns" ]; then ip netns del "$ns"; fi
    done
}

cleanup() {
    local status=$?
    set +e
    net_down
    rm -rf "$tmp"
    exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# (A function in the background is a shell with a child; what is to be
# signalled is started with a plain `ip netns exec`.)
in_ns() { local ns=$1; shift; ip netns exec "$ns" "$@"; }

ns_new() {
    local ns=$1
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    in_ns "$ns" sh -c '
        for i in all default; do
            echo 0 >/proc/sys/net/ipv6/conf/$i/accept_ra
            echo 0 >/proc/sys/net/ipv6/conf/$i/accept_dad
            echo 0 >/proc/sys/net/ipv6/conf/$i/autoconf
            echo 1 >/proc/sys/net/ipv6/conf/$i/addr_gen_mode
        done 2>/dev/null
        echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save' || true
}

addresses() {                   # NAMESPACE INTERFACE LAST-NUMBER
    ip -n "$1" addr add "192.0.2.$3/24" dev "$2"
    ip -n "$1" -6 addr add "2001:db8::$3/64" dev "$2" nodad
}

# net KIND [WIRE OPTIONS]: bridge, wire, trunk (a tagged link in the middle),
# or tun (TUN devices instead of Ethernet).
net() {
    local kind=$1 offload=${OFFLOAD:-off}
    shift
    ns_new "$C"; ns_new "$M"; ns_new "$S"
    if [ "$kind" = tun ]; then
        wire tun c0 s0 "$@"
        ip -n "$M" link set c0 netns "$C"
        ip -n "$M" link set s0 netns "$S"
        ip -n "$C" link set c0 up
        ip -n "$S" link set s0 up
        addresses "$C" c0 1
        addresses "$S" s0 2
        return
    fi
    ip link add c0 netns "$C" address 02:00:00:00:00:01 type veth \
        peer name m0 netns "$M"
    ip link add s0 netns "$S" address 02:00:00:00:00:02 type veth \
        peer name m1 netns "$M"
    in_ns "$C" python3 "$here/peer.py" offload "$offload" c0
    in_ns "$S" python3 "$here/peer.py" offload "$offload" s0
    in_ns "$M" python3 "$here/peer.py" offload "$offload" m0 m1
    ip -n "$C" link set c0 up
    ip -n "$S" link set s0 up
    ip -n "$M" link set m0 up
    ip -n "$M" link set m1 up
    addresses "$C" c0 1
    addresses "$S" s0 2
    # no ARP and no neighbour discovery in between
    ip -n "$C" neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev c0
    ip -n "$C" neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev c0
    ip -n "$S" neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev s0
    ip -n "$S" neigh add 2001:db8::1 lladdr 02:00:00:00:00:01 dev s0
    case $kind in
    bridge)
        ip -n "$M" link add br0 type bridge forward_delay 0
        ip -n "$M" link set br0 up
        ip -n "$M" link set m0 master br0
        ip -n "$M" link set m1 master br0
        ;;
    wire)
        wire wire m0 m1 "$@"
        ;;
    trunk)
        ip -n "$M" link add t0 mtu 1600 type veth peer name t1 mtu 1600
        in_ns "$M" python3 "$here/peer.py" offload off t0 t1
        ip -n "$M" link set t0 up
        ip -n "$M" link set t1 up
        wire wire m0 t0 --tag2 "$1"
        wire wire t1 m1 --tag1 "$1"
        ;;
    esac
    in_ns "$M" nft -f - <<'END'
        table netdev t {
            chain client { type filter hook ingress device m0 priority 0; }
            chain server { type filter hook ingress device m1 priority 0; }
        }
END
}

wire() {                        # PEER.PY ARGUMENTS: run in M until net_down
    local log=$tmp/wire-${#wires[@]}
    ip netns exec "$M" python3 "$here/peer.py" "$@" >"$log" &
    wires+=($!)
    until_grep ready "$log" "$!"
}

until_grep() {                  # PATTERN FILE PID
    local i
    for ((i = 0; i < 500; i++)); do
        if grep -q "$1" "$2" 2>/dev/null; then return; fi
        if ! kill -0 "$3" 2>/dev/null; then break; fi
        sleep 0.02
    done
    echo "record.sh: a helper did not start:" >&2
    cat "$2" >&2
    return 1
}

until_file() {
    local i
    for ((i = 0; i < 3000; i++)); do
        if [ -e "$1" ]; then return; fi
        sleep 0.01
    done
    echo "record.sh: waited in vain for $1" >&2
    return 1
}

# lose client|server MATCH [N]: lose the first (or the Nth, from 0) frame from
# there that matches, and only that one.
lose() {
    # shellcheck disable=SC2086
    in_ns "$M" nft add rule netdev t "$1" $2 \
        numgen inc mod 1000000 "${3:-0}" counter drop
}

# tap FILE NAMESPACE INTERFACE [TCPDUMP OPTIONS AND FILTER]
tap() {
    local file=$1 ns=$2 interface=$3
    shift 3
    [ $# -gt 0 ] || set -- tcp
    ip netns exec "$ns" tcpdump -Z root -n -U --immediate-mode -i "$interface" \
        -w "$tmp/$file" "$@" 2>"$tmp/$file.log" &
    taps+=($!)
    until_grep '^tcpdump: listening\|listening on' "$tmp/$file.log" "$!"
}

untap() {                       # stop all captures and put them in place
    local file
    sleep 0.3
    stop TERM ${taps[@]+"${taps[@]}"}
    taps=()
    for file in "$tmp"/*.pcap; do
        if [ -e "$file" ]; then
            mv "$file" "$dir/"
            chmod 644 "$dir/$(basename "$file")"
        fi
    done
}

# The two ends, in the background; `finish` waits for them and for what the
# kernel still has to say.
client() {
    ip netns exec "$C" python3 "$here/peer.py" play "$@" &
    peers+=($!)
}

server() {
    ip netns exec "$S" python3 "$here/peer.py" play "$@" &
    peers+=($!)
}

finish() {
    local pid i
    for pid in "${peers[@]}"; do wait "$pid"; done
    peers=()
    for ((i = 0; i < 100; i++)); do
        if ! { in_ns "$C" ss -Htan; in_ns "$S" ss -Htan; } |
            grep -qv 'TIME-WAIT\|LISTEN'; then break; fi
        sleep 0.1
    done
    untap
}

# count FILE LEAST MOST FILTER: the capture tells what it should.
count() {
    local n
    n=$(tcpdump -nr "$dir/$1" "$4" 2>/dev/null | wc -l)
    if [ "$n" -lt "$2" ] || [ "$n" -gt "$3" ]; then
        echo "record.sh: $1: $n packets match '$4', not $2..$3" >&2
        failures=$((failures + 1))
    fi
}

# ------------------------------------------------- what the stories consist of

A=192.0.2.1:40000               # the client
B=192.0.2.2:7000                # the server
SYN='tcp[13]&0x17=2' SYNACK='tcp[13]&0x17=0x12' FIN='tcp[13]&1=1'
RST='tcp[13]&4=4'
from_c='src host 192.0.2.1' from_s='src host 192.0.2.2'

# a server that answers one request, and a client that asks
accept=(bind=$B listen "touch=$ready" accept)
connect=("wait=$ready" bind=$A connect=$B)
answer=(recv=6 say=hello,\ client)
ask=(say=hello recv=14)

usual_close() {                 # the ordinary connection, client closes first
    server "${accept[@]}" "${answer[@]}" eof sleep=0.2 close
    client "${connect[@]}" "${ask[@]}" sleep=0.1 close
    finish
}

# ---------------------------------------------------------------- the stories

story_handshake_close() {
    net bridge
    tap handshake-close.pcap "$C" c0
    usual_close
    count handshake-close.pcap 11 11 tcp
    count handshake-close.pcap 2 2 "$FIN"
}

story_server_close() {
    net bridge
    tap server-close.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" sleep=0.1 close
    client "${connect[@]}" "${ask[@]}" eof sleep=0.2 close
    finish
    count server-close.pcap 2 2 "$FIN"
}

story_refused() {
    net bridge
    tap refused.pcap "$C" c0
    client bind=$A connect-fails=$B
    finish
    count refused.pcap 1 1 "$SYN"
    count refused.pcap 1 1 "$RST"
}

story_reset() {
    net bridge
    tap reset.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" reset
    client "${connect[@]}" "${ask[@]}" sleep=0.1 abort
    finish
    count reset.pcap 1 1 "$RST"
    count reset.pcap 0 0 "$FIN"
}

story_lost_syn() {
    net bridge
    lose client 'tcp flags & (syn|ack) == syn'
    tap lost-syn.pcap "$C" c0
    usual_close
    count lost-syn.pcap 2 2 "$SYN"
    count lost-syn.pcap 1 1 "$SYNACK"
}

story_lost_synack() {
    net bridge
    lose server 'tcp flags & (syn|ack) == (syn|ack)'
    tap lost-synack.pcap "$S" s0
    usual_close
    count lost-synack.pcap 2 9 "$SYNACK"
}

story_lost_fin() {
    net bridge
    lose client 'tcp flags & fin == fin'
    tap lost-fin.pcap "$C" c0
    usual_close
    count lost-fin.pcap 2 9 "$FIN and $from_c"
}

story_lost_data() {
    net bridge
    lose client 'ip length > 500'
    tap lost-data.pcap "$C" c0
    tap lost-data-receiver.pcap "$S" s0
    server "${accept[@]}" recv=13000 say=thanks eof sleep=0.2 close
    client "${connect[@]}" send=13000 recv=7 sleep=0.1 close
    finish
    count lost-data.pcap 10 10 "greater 500"
    count lost-data-receiver.pcap 9 9 "greater 500"
}

story_zero_window() {
    net bridge
    tap zero-window.pcap "$C" c0
    server rcvbuf=4000 "${accept[@]}" sleep=4 recv=20000 eof sleep=0.2 close
    client "${connect[@]}" send=20000 close
    finish
    count zero-window.pcap 3 99 "$from_s and tcp[14:2]=0"
}

story_bulk_drop() {
    local tries=0 lost
    while :; do
        net bridge
        in_ns "$M" nft add rule netdev t client \
            ip protocol tcp numgen random mod 100 '< 1' counter drop
        in_ns "$M" nft add rule netdev t server \
            ip protocol tcp numgen random mod 100 '< 1' counter drop
        tap bulk-drop.pcap "$C" c0 -s 96 tcp
        server "${accept[@]}" recv=300000 say=thanks eof close
        client "${connect[@]}" send=300000 recv=7 close
        finish
        lost=$(in_ns "$M" nft list chain netdev t client |
            sed -n 's/.*counter packets \([0-9]*\).*/\1/p')
        tries=$((tries + 1))
        if [ "$lost" -gt 1 ] || [ $tries -ge 9 ]; then break; fi
        net_down
    done
    count bulk-drop.pcap 100 900 tcp
}

story_keepalive() {
    net bridge
    tap keepalive.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" eof sleep=0.2 close
    client keepalive=1,1,5 "${connect[@]}" "${ask[@]}" sleep=4.5 close
    finish
    count keepalive.pcap 17 20 tcp
}

story_ipv6() {
    net bridge
    tap ipv6.pcap "$C" c0
    server socket6 "bind=[2001:db8::2]:7000" listen "touch=$ready" accept \
        "${answer[@]}" eof sleep=0.2 close
    client "wait=$ready" socket6 "bind=[2001:db8::1]:40000" \
        "connect=[2001:db8::2]:7000" "${ask[@]}" sleep=0.1 close
    finish
    count ipv6.pcap 11 11 'ip6 and tcp'
}

# ------------------------------------------------------------------ recording

stories=(handshake-close server-close refused reset lost-syn lost-synack
    lost-fin lost-data zero-window bulk-drop keepalive ipv6)
[ ${#wanted[@]} -gt 0 ] || wanted=("${stories[@]}")

for name in "${wanted[@]}"; do
    function=story_${name//-/_}
    if ! declare -F "$function" >/dev/null; then
        echo "record.sh: no story '$name'; there are: ${stories[*]}" >&2
        exit 2
    fi
    echo "$name"
    "$function"
    net_down
done

echo "recorded by Linux $(uname -r), $(tcpdump --version 2>&1 | head -1)"
if [ $failures -gt 0 ]; then
    echo "record.sh: $failures checks failed" >&2
    exit 1
fi
