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
go=$tmp/go idle=$tmp/go-idle gone=$tmp/go-gone      # other signals
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
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# (A function in the background is a shell with a child; what is to be
# signalled is started with a plain `ip netns exec`.)
in_ns() { local ns=$1; shift; ip netns exec "$ns" "$@"; }

ns_new() {
    local ns=$1
    ip netns add "$ns"
    ip -n "$ns" link set lo up
    # shellcheck disable=SC2016
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
    sleep 0.1
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

ended() {
    local pid
    for pid in "${peers[@]}"; do
        if ! wait "$pid"; then
            echo "record.sh: $name: one of the two ends failed" >&2
            exit 1
        fi
    done
    peers=()
}

finish() {
    local i
    ended
    for ((i = 0; i < 100; i++)); do
        if ! { in_ns "$C" ss -Htan; in_ns "$S" ss -Htan; } |
            grep -v 'TIME-WAIT\|LISTEN' >/dev/null; then break; fi
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
accept=("bind=$B" listen "touch=$ready" accept)
connect=("wait=$ready" "bind=$A" "connect=$B")
answer=(recv=6 "say=hello, client")
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
    client "bind=$A" "connect-fails=$B"
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

story_simultaneous_close() {
    net wire --delay 0.1
    tap simultaneous-close.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" "wait=$go" close
    client "${connect[@]}" "${ask[@]}" "touch=$idle" "wait=$go" close
    until_file "$idle"
    sleep 0.3
    touch "$go"
    finish
    # each FIN is sent before the other is acknowledged
    count simultaneous-close.pcap 2 2 "$FIN"
    count simultaneous-close.pcap 11 11 tcp
}

story_half_close() {
    net bridge
    tap half-close.pcap "$C" c0
    server "${accept[@]}" recv=6 eof sleep=0.2 send=5000 sleep=0.1 close
    client "${connect[@]}" say=hello shutdown recv=5000 eof close
    finish
    count half-close.pcap 2 2 "$FIN"
}

story_simultaneous_open() {
    net wire --delay 0.1
    tap simultaneous-open.pcap "$C" c0
    server "bind=$B" "wait=$go" "connect=$A" "${answer[@]}" eof sleep=0.3 close
    client "bind=$A" "wait=$go" "connect=$B" "${ask[@]}" sleep=0.1 close
    sleep 0.3
    touch "$go"
    finish
    count simultaneous-open.pcap 1 1 "$SYN and $from_c"
    count simultaneous-open.pcap 1 1 "$SYN and $from_s"
}

story_unreachable() {
    net bridge
    in_ns "$S" nft add table inet t
    in_ns "$S" nft add chain inet t i '{ type filter hook input priority 0; }'
    in_ns "$S" nft add rule inet t i meta l4proto tcp \
        reject with icmpx admin-prohibited
    tap unreachable.pcap "$C" c0 'tcp or icmp'
    client "bind=$A" "connect-fails=$B"
    finish
    count unreachable.pcap 1 2 "$SYN"
    count unreachable.pcap 1 2 icmp
}

story_half_open() {
    net bridge
    lose server 'tcp flags & rst == rst'
    tap half-open.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" sleep=0.2 abort "touch=$gone"
    client "${connect[@]}" "${ask[@]}" "wait=$gone" sleep=0.2 say=again reset
    finish
    count half-open.pcap 1 1 "$RST and $from_s"
}

story_half_open_reconnect() {
    net bridge
    lose client 'tcp flags & rst == rst'
    tap half-open-reconnect.pcap "$S" s0
    server "${accept[@]}" "${answer[@]}" reset accept "${answer[@]}" \
        eof sleep=0.2 close
    client "${connect[@]}" "${ask[@]}" sleep=0.2 abort \
        sleep=0.2 socket "bind=$A" "connect=$B" "${ask[@]}" sleep=0.1 close
    finish
    count half-open-reconnect.pcap 3 3 "$SYN"
    count half-open-reconnect.pcap 1 1 "$RST"
}

story_reuse() {
    net bridge
    tap reuse.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" sleep=0.1 close \
        accept "${answer[@]}" sleep=0.1 close
    client "${connect[@]}" "${ask[@]}" eof close sleep=0.3 \
        socket "bind=$A" "connect=$B" "${ask[@]}" eof close
    finish
    count reuse.pcap 2 2 "$SYN"
    count reuse.pcap 4 4 "$FIN"
}

story_many() {
    net bridge
    tap many.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" sleep=0.3 close
    server bind=192.0.2.2:7001 listen "touch=$ready" accept "${answer[@]}" \
        eof close
    server bind=192.0.2.2:7002 listen "touch=$ready" accept "${answer[@]}" reset
    sleep 0.5
    client "${connect[@]}" "${ask[@]}" eof close
    client bind=192.0.2.1:40001 connect=192.0.2.2:7001 "${ask[@]}" \
        sleep=0.1 close
    client bind=192.0.2.1:40000 connect=192.0.2.2:7002 "${ask[@]}" \
        sleep=0.1 abort
    client bind=192.0.2.1:40003 connect-fails=192.0.2.2:7003
    finish
    count many.pcap 4 4 "$SYN"
    count many.pcap 2 2 "$RST"
}

story_lost_ack() {
    net bridge
    lose server 'tcp flags & (syn|ack) == ack'
    tap lost-ack.pcap "$C" c0
    tap lost-ack-receiver.pcap "$S" s0
    server "${accept[@]}" recv=6 sleep=1 "say=hello, client" \
        eof sleep=0.2 close
    client "${connect[@]}" "${ask[@]}" sleep=0.1 close
    finish
    count lost-ack-receiver.pcap 2 3 "tcp[13]&8=8 and $from_c"
}

story_reorder() {
    net wire --delay 0.02 --hold 3,0.01
    tap reorder.pcap "$S" s0
    server "${accept[@]}" recv=9000 say=thanks eof sleep=0.2 close
    client "${connect[@]}" send=9000 recv=7 sleep=0.1 close
    finish
    count reorder.pcap 7 9 "greater 500"
}

story_keepalive_dead() {
    net bridge
    tap keepalive-dead.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" "wait=$gone"
    client keepalive=1,1,3 "${connect[@]}" "${ask[@]}" "touch=$idle" \
        gives-up "touch=$gone"
    until_file "$idle"
    sleep 0.2
    in_ns "$M" nft add rule netdev t client drop
    in_ns "$M" nft add rule netdev t server drop
    ended
    untap
    count keepalive-dead.pcap 1 1 "$RST and $from_c"
    count keepalive-dead.pcap 11 11 tcp
}

story_urgent() {
    net bridge
    tap urgent.pcap "$C" c0
    server "${accept[@]}" sleep=0.2 eof sleep=0.2 close
    client "${connect[@]}" say=hello urgent=stop say=again sleep=0.5 close
    finish
    count urgent.pcap 1 3 'tcp[13]&0x20!=0'
}

story_syn_data() {
    net bridge
    # client, server, server without a socket option, server without a cookie,
    # client without a cookie
    in_ns "$C" sysctl -qw net.ipv4.tcp_fastopen=$((0x1 | 0x4))
    in_ns "$S" sysctl -qw net.ipv4.tcp_fastopen=$((0x2 | 0x200 | 0x400))
    tap syn-data.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" eof sleep=0.2 close
    client "wait=$ready" "bind=$A" "fast-open=$B" recv=14 sleep=0.1 close
    finish
    count syn-data.pcap 1 1 "$SYN and greater 75"
    count syn-data.pcap 9 10 tcp
}

story_plain() {
    local ns
    net bridge
    for ns in "$C" "$S"; do
        in_ns "$ns" sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 \
            net.ipv4.tcp_window_scaling=0
    done
    lose client 'ip length > 500'
    tap plain.pcap "$C" c0
    server "${accept[@]}" recv=9000 say=thanks eof sleep=0.2 close
    client "${connect[@]}" send=9000 recv=7 sleep=0.1 close
    finish
    count plain.pcap 7 8 "greater 500"
}

story_ecn() {
    local ns
    net bridge
    for ns in "$C" "$S"; do in_ns "$ns" sysctl -qw net.ipv4.tcp_ecn=1; done
    tap ecn.pcap "$C" c0
    usual_close
    count ecn.pcap 1 1 'tcp[13]=0xc2'
    count ecn.pcap 1 1 'tcp[13]=0x52'
}

story_seq_wrap() {
    net bridge
    tap seq-wrap.pcap "$C" c0
    server "${accept[@]}" recv=20000 say=thanks eof sleep=0.2 close
    client isn=$((0x100000000 - 10000)) "${connect[@]}" send=20000 recv=7 \
        sleep=0.1 close
    finish
    count seq-wrap.pcap 1 1 "$SYN and tcp[4:4]=$((0x100000000 - 10000))"
    count seq-wrap.pcap 1 1 "$FIN and $from_c and tcp[4:4]=10001"
}

story_seq_wrap_syn() {
    net bridge
    tap seq-wrap-syn.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" eof sleep=0.2 close
    client isn=0xffffffff "${connect[@]}" "${ask[@]}" sleep=0.1 close
    finish
    count seq-wrap-syn.pcap 1 1 "$SYN and tcp[4:4]=0xffffffff"
}

story_gso() {
    OFFLOAD=on net bridge
    tap gso.pcap "$C" c0
    server "${accept[@]}" recv=60000 say=thanks eof sleep=0.2 close
    client "${connect[@]}" send=60000 recv=7 sleep=0.1 close
    finish
    count gso.pcap 1 40 "greater 2000"
}

story_vlan() {
    net trunk 42
    tap vlan.pcap "$M" t0 'vlan 42 and tcp'
    usual_close
    count vlan.pcap 11 11 'vlan 42 and tcp'
}

story_cooked() {
    net bridge
    tap cooked.pcap "$C" any -y LINUX_SLL2 tcp
    tap cooked-v1.pcap "$C" any -y LINUX_SLL tcp
    usual_close
    count cooked.pcap 11 11 tcp
    count cooked-v1.pcap 11 11 tcp
}

story_raw_ip() {
    net tun 0.02
    tap raw-ip.pcap "$C" c0
    usual_close
    count raw-ip.pcap 11 11 tcp
}

story_nano() {
    net bridge
    tap nano.pcap "$C" c0 --time-stamp-precision=nano tcp
    usual_close
    count nano.pcap 11 11 tcp
}

story_midstream() {
    net bridge
    server "${accept[@]}" "${answer[@]}" "${answer[@]}" eof sleep=0.2 close
    client "${connect[@]}" "${ask[@]}" "touch=$idle" "wait=$go" "${ask[@]}" \
        sleep=0.1 close
    until_file "$idle"
    sleep 0.2
    tap midstream.pcap "$C" c0
    touch "$go"
    finish
    count midstream.pcap 0 0 'tcp[13]&2=2'
    count midstream.pcap 2 2 "$FIN"
}

story_one_direction() {
    net bridge
    tap one-direction.pcap "$C" c0 "tcp and $from_c"
    usual_close
    count one-direction.pcap 6 6 tcp
    count one-direction.pcap 0 0 "$from_s"
}

story_cut_off() {
    net bridge
    tap cut-off.pcap "$C" c0
    server "${accept[@]}" "${answer[@]}" eof close
    client "${connect[@]}" "${ask[@]}" "touch=$idle" "wait=$go" close
    until_file "$idle"
    sleep 0.2
    untap
    touch "$go"
    finish
    count cut-off.pcap 7 7 tcp
    count cut-off.pcap 0 0 "$FIN"
}

# ------------------------------------------------- copies, and what is no good

edit() {                        # VERB FROM TO [ARGUMENTS]
    local verb=$1 from=$2 to=$3
    shift 3
    python3 "$here/peer.py" "$verb" "$dir/$from" "$dir/$to" "$@"
}

story_formats() {
    edit pcapng handshake-close.pcap handshake-close.pcapng
    edit big-endian handshake-close.pcap big-endian.pcap
    edit null raw-ip.pcap null.pcap
    count handshake-close.pcapng 11 11 tcp
    count big-endian.pcap 11 11 tcp
    count null.pcap 11 11 tcp
}

story_bad() {
    net bridge
    ip -n "$C" neigh del 192.0.2.2 dev c0
    ip -n "$S" neigh del 192.0.2.1 dev s0
    tap no-tcp.pcap "$C" c0 'arp or udp or icmp'
    client "udp=$B" sleep=0.2 "udp=$B"
    finish
    mv "$dir/no-tcp.pcap" "$dir/bad/"
    count bad/no-tcp.pcap 2 2 arp
    count bad/no-tcp.pcap 2 2 udp
    count bad/no-tcp.pcap 2 2 icmp
    count bad/no-tcp.pcap 0 0 tcp

    echo "This is a text, not a capture." >"$dir/bad/not-a-capture.pcap"
    : >"$dir/bad/empty.pcap"
    edit cut handshake-close.pcap bad/short-header.pcap 10
    edit cut handshake-close.pcap bad/header-only.pcap 24
    edit cut handshake-close.pcap bad/truncated.pcap 500
    edit cut handshake-close.pcapng bad/truncated.pcapng 700
    edit patch handshake-close.pcap bad/unknown-link.pcap 20 93000000
    # the first record claims to hold 2 GB
    edit patch handshake-close.pcap bad/huge-record.pcap 32 ffffff7fffffff7f
    # the section header block claims a length of 5
    edit patch handshake-close.pcapng bad/block-length.pcapng 4 05000000
}

# ------------------------------------------------------------------ recording

stories=(handshake-close server-close simultaneous-close half-close
    simultaneous-open refused unreachable reset half-open half-open-reconnect
    reuse many lost-syn lost-synack lost-fin lost-data lost-ack reorder
    zero-window bulk-drop keepalive keepalive-dead urgent syn-data plain ecn
    seq-wrap seq-wrap-syn gso ipv6 vlan cooked raw-ip nano
    midstream one-direction cut-off formats bad)
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
