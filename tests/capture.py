"""A capture from its description: capture.py LEFT RIGHT <SEGMENTS >FILE, where LEFT and RIGHT are the initial sequence numbers.

One segment a line, `DIRECTION FLAGS SEQ ACK LENGTH WINDOW [OPTION...]`, relative sequence numbers; `+N` lets N ms pass."""
import struct, sys
ISN = {'>': int(sys.argv[1]), '<': int(sys.argv[2])}
FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16, 'U': 32}
def option(name, value, d, echo):
    left = (ISN[d] + value) & 0xffffffff
    return {'mss': struct.pack('>BBH', 2, 4, value & 0xffff), 'ws': struct.pack('>BBB', 3, 3, value & 255),
            'ts': struct.pack('>BBII', 8, 10, value, echo), 'sackok': b'\4\2', 'zero': b'\x1e\0',
            'sack': struct.pack('>BBII', 5, 10, left, left + 10 & 0xffffffff),
            'nothing': struct.pack('>BBII', 5, 10, left, left)}.get(name, b'')
def sum16(octets):
    octets += b'\0' * (len(octets) % 2)
    s = sum(struct.unpack('>%dH' % (len(octets) // 2), octets))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
def packet(d, flags, seq, ack, length, win, words):
    ends = [bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))]
    ports, other = (40000, 7000), '<'
    if d == '<': ends.reverse(); ports, other = (7000, 40000), '>'
    options, said = b'', dict(w.partition('=')[::2] for w in words)
    for name, value in said.items():
        options += option(name, int(value or 0), other, int(said.get('echo', 1)))
    options += b'\1' * (-len(options) % 4)
    if 'absolute' not in words: seq, ack = ISN[d] + seq, ISN[other] + ack
    text = bytes((seq + i + (7 if 'other' in words else 0)) & 255 for i in range(length))
    tcp = struct.pack('>HHIIBBHHH', *ports, seq & 0xffffffff, ack & 0xffffffff if 'A' in flags else 0,
                      20 + len(options) << 2, sum(FLAGS.get(f, 0) for f in flags), win, 0, 0) + options + text
    s = sum16(ends[0] + ends[1] + struct.pack('>HH', 6, len(tcp)) + tcp) ^ (0x1234 if 'damaged' in words else 0)
    tcp = tcp[:16] + struct.pack('>H', s) + tcp[18:]
    ip = struct.pack('>BBHHHBBH', 69, 0, 20 + len(tcp), 0, 0, int(said.get('ttl', 64)), 6, 0) + ends[0] + ends[1] + tcp
    outer = lambda kind, octets: struct.pack('>BBHHHBBH', 69, 0, 20 + len(octets), 0, 0, 64, kind, 0) + bytes(8) + octets
    return (outer(4, ip) if 'ipip' in said else outer(47, b'\0\0\x08\0' + ip) if 'gre' in said
            else outer(50, ip) if 'esp' in said else outer(17, struct.pack('>HH', 5, 4789) + ip) if 'vxlan' in said else ip)
out, now = sys.stdout.buffer, 1700000000000000
out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
for line in sys.stdin:
    w = line.split()
    if not w: continue
    if w[0][0] == '+': now += int(w[0][1:]) * 1000; continue
    now += 20000
    p = packet(w[0], w[1], *map(int, w[2:6]), w[6:])
    out.write(struct.pack('<IIII', now // 1000000, now % 1000000, len(p), len(p)) + p)
