#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The traffic helper of record.sh: plain sockets, a delaying wire, file edits.

  peer.py play STEP...            one end of a connection, step by step
  peer.py wire IF1 IF2 [OPTIONS]  carry Ethernet frames between two interfaces
  peer.py tun TUN1 TUN2 DELAY     create two TUN devices, carry packets between
  peer.py offload on|off IF...    segmentation, receive and checksum offloads
  peer.py pcapng|big-endian|null IN OUT
                                  the same packets in another format; null:
                                  from DLT_RAW to BSD loopback, DLT_NULL
  peer.py patch IN OUT OFFSET HEX overwrite bytes of a copy
  peer.py cut IN OUT N            the first N bytes of a copy

Steps of `play` (ADDR is 192.0.2.1:7000 or [2001:db8::1]:7000):
  socket | socket6     a new socket (play starts with an IPv4 one)
  bind=ADDR  listen  accept  connect=ADDR
  connect-fails=ADDR   connect, and insist that it is refused
  fast-open=ADDR       connect with "hello" in the SYN (TCP Fast Open)
  say=TEXT             send the text and a newline
  urgent=TEXT          send the text as urgent data
  send=N               send N bytes in one call
  recv=N               receive exactly N bytes
  drip=N,S             receive N bytes, at most 2000 at a time, S seconds apart
  eof                  receive until the other end has closed
  reset                receive, and insist that the connection is reset
  gives-up             receive, and insist that the connection times out
  shutdown             close the sending direction only
  close                close the socket
  abort                close with SO_LINGER 0: a reset
  rcvbuf=N  nodelay  keepalive=IDLE,INTERVAL,COUNT
  isn=N                the initial sequence number of the next connect
                       (TCP_REPAIR; the kernel must have CHECKPOINT_RESTORE)
  udp=ADDR             send one datagram, apart from the connection
  sleep=S  touch=FILE  wait=FILE
"""
import array
import errno
import fcntl
import heapq
import os
import select
import signal
import socket
import struct
import sys
import time


# ------------------------------------------------------------- connections

def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def receive(conn, count, most=1 << 16):
    got = 0
    while got < count:
        data = conn.recv(min(most, count - got))
        if not data:
            sys.exit("end of stream after %d of %d bytes" % (got, count))
        got += len(data)


def set_isn(sock, isn):
    # A closed socket in repair mode accepts a sequence number, and connect()
    # of a socket that already has one does not choose another.
    tcp_repair, tcp_repair_queue, tcp_queue_seq = 19, 20, 21
    sock.setsockopt(socket.IPPROTO_TCP, tcp_repair, 1)
    sock.setsockopt(socket.IPPROTO_TCP, tcp_repair_queue, 2)
    sock.setsockopt(socket.IPPROTO_TCP, tcp_queue_seq, struct.pack("=I", isn))
    sock.setsockopt(socket.IPPROTO_TCP, tcp_repair, -1)


def play(steps):
    signal.alarm(60)

    def fresh(family):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return sock

    listener = None
    conn = fresh(socket.AF_INET)
    for step in steps:
        verb, _, arg = step.partition("=")
        if verb == "socket":
            conn = fresh(socket.AF_INET)
        elif verb == "socket6":
            conn = fresh(socket.AF_INET6)
        elif verb == "bind":
            conn.bind(address(arg))
        elif verb == "listen":
            conn.listen(5)
            listener = conn
        elif verb == "accept":
            conn, _ = listener.accept()
        elif verb == "connect":
            conn.connect(address(arg))
        elif verb == "connect-fails":
            code = conn.connect_ex(address(arg))
            if code not in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
                sys.exit("connect: error %d" % code)
        elif verb == "say":
            conn.sendall(arg.encode() + b"\n")
        elif verb == "fast-open":
            conn.sendto(b"hello\n", socket.MSG_FASTOPEN, address(arg))
        elif verb == "urgent":
            conn.send(arg.encode(), socket.MSG_OOB)
        elif verb == "send":
            conn.sendall(bytes(48 + i % 75 for i in range(int(arg))))
        elif verb == "recv":
            receive(conn, int(arg))
        elif verb == "drip":
            count, pause = arg.split(",")
            for left in range(int(count), 0, -2000):
                receive(conn, min(2000, left))
                time.sleep(float(pause))
        elif verb == "eof":
            while conn.recv(1 << 16):
                pass
        elif verb == "reset":
            try:
                while conn.recv(1 << 16):
                    pass
                sys.exit("closed in order, not reset")
            except ConnectionResetError:
                pass
        elif verb == "gives-up":
            try:
                conn.recv(1)
                sys.exit("did not give up")
            except TimeoutError:
                pass
        elif verb == "shutdown":
            conn.shutdown(socket.SHUT_WR)
        elif verb == "close":
            conn.close()
        elif verb == "abort":
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            conn.close()
        elif verb == "rcvbuf":
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(arg))
        elif verb == "nodelay":
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        elif verb == "keepalive":
            idle, interval, count = map(int, arg.split(","))
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)
        elif verb == "isn":
            set_isn(conn, int(arg, 0))
        elif verb == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
                plain.sendto(b"hello\n", address(arg))
        elif verb == "sleep":
            time.sleep(float(arg))
        elif verb == "touch":
            open(arg, "w").close()
        elif verb == "wait":
            while not os.path.exists(arg):
                time.sleep(0.001)
        else:
            sys.exit("unknown step: " + step)


# -------------------------------------------------------------------- wires

def carry(ends, read, write, delay, hold):
    """Carry frames between the two ends, each `delay` seconds late; the
    frames numbered in `hold` (of those longer than 500 octets, from the first
    end) are `hold[n]` seconds later still."""
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    queue, serial, long_frames = [], 0, 0
    while True:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else None
        for end in select.select(ends, [], [], wait)[0]:
            frame = read(end)
            if frame is None:
                continue
            late = delay
            if end == ends[0] and len(frame) > 500:
                long_frames += 1
                late += hold.get(long_frames, 0)
            serial += 1
            heapq.heappush(queue, (time.monotonic() + late, serial,
                                   other[end], frame))
        while queue and queue[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(queue)
            write(end, frame)


def wire(args):
    """IF1 IF2 [--delay S] [--hold N,S] [--tag1 VID] [--tag2 VID]: --tagN tags
    what leaves through interface N.  (A tag that arrives is already taken off
    the frame by the kernel.)"""
    names, delay, hold, tags = args[:2], 0.0, {}, [None, None]
    for key, value in zip(args[2::2], args[3::2]):
        if key == "--delay":
            delay = float(value)
        elif key == "--hold":
            n, seconds = value.split(",")
            hold[int(n)] = float(seconds)
        else:
            tags[int(key[-1]) - 1] = int(value)
    ends, tag_of = [], {}
    for name, tag in zip(names, tags):
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                            socket.htons(3))
        end.bind((name, 3))
        # PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC
        end.setsockopt(263, 1, struct.pack("=iHH8x",
                                           socket.if_nametoindex(name), 1, 0))
        ends.append(end)
        tag_of[end] = tag

    def read(end):
        frame, where = end.recvfrom(1 << 17)
        return None if where[2] == socket.PACKET_OUTGOING else frame

    def write(end, frame):
        if tag_of[end] is not None:
            frame = (frame[:12] + struct.pack(">HH", 0x8100, tag_of[end])
                     + frame[12:])
        end.send(frame)

    print("ready", flush=True)
    carry(ends, read, write, delay, hold)


def tun(args):
    ends = []
    for name in args[:2]:
        end = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(end, 0x400454CA,     # TUNSETIFF: IFF_TUN | IFF_NO_PI
                    struct.pack("16sH22x", name.encode(), 0x0001 | 0x1000))
        ends.append(end)

    def write(end, packet):
        try:
            os.write(end, packet)
        except OSError as why:           # EIO: the other device is still down
            if why.errno != errno.EIO:
                raise

    print("ready", flush=True)
    carry(ends, lambda end: os.read(end, 1 << 17), write, float(args[2]), {})


def offload(args):
    value = 1 if args[0] == "on" else 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for name in args[1:]:
            # ETHTOOL_STSO, _SGSO, _SGRO, _STXCSUM: before checksums go off,
            # segmentation must.
            commands = (0x1F, 0x24, 0x2C, 0x17)
            for command in commands[::-1] if value else commands:
                order = array.array("I", (command, value))
                request = struct.pack("16sP16x", name.encode(),
                                      order.buffer_info()[0])
                fcntl.ioctl(sock, 0x8946, request)   # SIOCETHTOOL


# -------------------------------------------------------------------- files

def records(data):
    """The header fields and the packet records of a little-endian pcap."""
    magic, major, minor, zone, sigfigs, snaplen, link = struct.unpack_from(
        "<IHHiIII", data)
    if magic != 0xA1B2C3D4:
        sys.exit("not a little-endian pcap with microseconds")
    found, at = [], 24
    while at < len(data):
        sec, usec, kept, length = struct.unpack_from("<IIII", data, at)
        found.append((sec, usec, length, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return (major, minor, zone, sigfigs, snaplen, link), found


def big_endian(data):
    header, found = records(data)
    out = struct.pack(">IHHiIII", 0xA1B2C3D4, *header)
    for sec, usec, length, octets in found:
        out += struct.pack(">IIII", sec, usec, len(octets), length) + octets
    return out


def null(data):
    header, found = records(data)
    if header[5] not in (12, 101):
        sys.exit("not raw IP")
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, *header[:5], 0)
    for sec, usec, length, octets in found:
        family = b"\x02\0\0\0" if octets[0] >> 4 == 4 else b"\x1e\0\0\0"
        out += struct.pack("<IIII", sec, usec, len(octets) + 4, length + 4)
        out += family + octets
    return out


def pcapng(data):
    header, found = records(data)

    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    def option(code, value):
        return (struct.pack("<HH", code, len(value)) + value
                + bytes(-len(value) % 4))

    end = struct.pack("<HH", 0, 0)
    # Section header: unknown section length, and the writer's name.
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
                + option(4, b"vtcp peer.py") + end)
    # Interface description: a name, and time stamps in nanoseconds.
    out += block(1, struct.pack("<HHI", header[5], 0, header[4])
                 + option(2, b"c0") + option(9, b"\x09") + end)
    for sec, usec, length, octets in found:
        stamp = (sec * 1000000 + usec) * 1000
        out += block(6, struct.pack("<IIIII", 0, stamp >> 32,
                                    stamp & 0xFFFFFFFF, len(octets), length)
                     + octets)
    return out


def edit(args, change):
    with open(args[0], "rb") as source:
        data = source.read()
    data = change(data)
    with open(args[1], "wb") as target:
        target.write(data)


def patch(data, offset, octets):
    return data[:offset] + octets + data[offset + len(octets):]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    verb, args = sys.argv[1], sys.argv[2:]
    if verb == "play":
        play(args)
    elif verb == "wire":
        wire(args)
    elif verb == "tun":
        tun(args)
    elif verb == "offload":
        offload(args)
    elif verb == "pcapng":
        edit(args, pcapng)
    elif verb == "big-endian":
        edit(args, big_endian)
    elif verb == "null":
        edit(args, null)
    elif verb == "patch":
        edit(args, lambda data: patch(data, int(args[2]),
                                      bytes.fromhex(args[3])))
    elif verb == "cut":
        edit(args, lambda data: data[:int(args[2])])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
