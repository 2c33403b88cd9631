#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/pictures.py PROGRAM: the pictures that PROGRAM draws. They are well-formed and hold all they need; they say of every
segment what `replay --json` says of it; findings are marked; names cannot break out; what is left out is said; files that
cannot be written are an error; the diagram has the edges of the table in tests/laws.c; those in pictures/ are up to date."""
import collections, json, os, re, shutil, struct, subprocess, sys, tempfile
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else sys.exit(__doc__)
SVG = "{http://www.w3.org/2000/svg}"
passed, failed = 0, 0


def check(name, condition, why=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        if failed == 25:
            sys.exit("and more")
        print("FAILED %s: %s" % (name, why))
    return condition


def run(*arguments, env=None, cwd=None):
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, env=env, cwd=cwd)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def classes(element):
    return element.get("class", "").split()


def local(element):
    return element.tag.replace(SVG, "")


def parse(name, path):
    """The document, if it is one, and asks for nothing outside of itself."""
    with open(path, "rb") as file:
        octets = file.read()
    try:
        tree = xml.fromstring(octets)
    except xml.ParseError as error:
        check(name, False, "not well-formed: %s" % error)
        return xml.Element("nothing")
    foreign = [e.tag for e in tree.iter() if local(e) in ("script", "image", "img", "link", "use", "iframe", "foreignObject")]
    links = [v for e in tree.iter() for k, v in e.attrib.items()
             if k.endswith(("href", "src")) and not v.startswith("#") or k.startswith("on")]
    text = octets.decode()
    styles = re.findall(r"@import|url\(", text)
    check(name, not foreign and not links and not styles, "asks for something: %s" % (foreign + links + styles))
    known = set(e.get("id") for e in tree.iter() if e.get("id"))
    broken = [e.get("href") for e in tree.iter() if (e.get("href") or "").startswith("#") and e.get("href")[1:] not in known]
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    check(name, len(ids) == len(set(ids)), "an id twice")
    check(name, not broken, "leads nowhere: %s" % broken)
    return tree


def rows_of(tree):
    return [e for e in tree.iter() if "row" in classes(e)]


def texts(element):
    return ["".join(t.itertext()) for t in element.iter() if local(t) == "text"]


def title(element):
    return next("".join(t.itertext()) for t in element if local(t) == "title")


def same_as_json(name, tree, connections):
    """Each row has the states, flags and remarks of the segment that it is about, visibly and in words."""
    said = [(c, s) for c in connections for s in c["segments"]]
    rows = rows_of(tree)
    if not check(name, len(rows) == len(said), "%d rows, %d segments" % (len(rows), len(said))):
        return
    for row, (connection, segment) in zip(rows, said):
        words, seen = title(row), texts(row)
        states = [segment["left_state"] or "?", segment["right_state"] or "?"]
        time = "%d.%06d" % divmod(segment["time_us"], 1000000)
        arrow = "left to right" if segment["from"] == "left" else "right to left"
        begin = "#%d at %s s, %s: %s " % (segment["packet"], time, arrow, segment["flags"])
        end = "then left %s, right %s" % tuple(states)
        findings = ["%s [%s" % ("departs" if f["severity"] == "violation" else "advice", f["id"])
                    for f in connection["findings"] if f["packet"] == segment["packet"]]
        visible = " ".join(seen)
        good = (words.startswith(begin) and end in words and all(r in words for r in segment["remarks"])
                and [t for t in seen if t in states][-2:] == states and "#%d" % segment["packet"] in seen
                and all(r.replace(" ", "") in visible.replace(" ", "") for r in segment["remarks"])
                and all(f in visible for f in findings))
        if not check(name, good, "another row: %s %s, not %s" % (words, seen, segment)):
            return


def capture(name, path, tmp):
    status, out, _ = run("replay", "--json", path)
    connections = json.loads(out)["files"][0]["connections"]
    svg, html = os.path.join(tmp, "a.svg"), os.path.join(tmp, "a.html")
    drawn, _, complaint = run("replay", "--svg", svg, "--html=" + html, path)
    check(name, drawn == status, "exit status %d, not %d" % (drawn, status))
    trees = parse(name + ", SVG", svg), parse(name + ", HTML", html)
    if status == 2 and not connections:
        return trees
    if all(len(c["segments"]) <= 200 for c in connections) and len(connections) <= 20:
        same_as_json(name + ", SVG", trees[0], connections)
    same_as_json(name + ", HTML", trees[1], connections)
    folds = sum((len(c["segments"]) - 1) // 200 for c in connections)
    check(name, sum("fold" in classes(e) for e in trees[1].iter()) == folds, "not %d folds" % folds)
    verdicts = "".join(trees[1].itertext())
    for connection in connections:
        check(name, connection["verdict"] in verdicts and all(n in verdicts for n in connection["notes"]), "no verdict or note")
        for finding in connection["findings"]:
            check(name, finding["found"] in verdicts and finding["expected"] in verdicts, "no %s" % finding["id"])
    return trees


def captures(tmp):
    folder = os.path.join(HERE, "captures")
    for name in sorted(os.listdir(folder)):
        if ".pcap" in name:
            capture(name, os.path.join(folder, name), tmp)


def make(tmp, name, lines):
    """A capture by tests/capture.py."""
    maker = os.path.join(HERE, "capture.py")
    path = os.path.join(tmp, name)
    with open(path.encode(errors="surrogateescape"), "wb") as file:
        subprocess.run([sys.executable, maker, "1000000", "5000000"], input=lines.encode(), stdout=file, check=True)
    return path


OPEN = "> S 0 0 0 4000 mss=1000\n< SA 0 1 0 4000 mss=1000\n> A 1 1 0 4000\n"


def made(tmp):
    departs = make(tmp, "departs.pcap", OPEN + "> A 1 1 100 4000\n+300\n> A 1 1 100 4000 other\n< A 1 101 0 100\n"
                   "> R 2 0 0 0\n< A 1 101 0 50\n")
    trees = capture("findings", departs, tmp)
    signs = [e for e in trees[0].iter() if "fx" in classes(e)]
    check("findings", signs and any("departs [3.10.8" in t for t in texts(trees[0])), "not marked")
    rows = collections.Counter(e.get("href") for e in trees[1].iter() if e.get("href"))
    check("findings", "#c1-5" in rows, "the page does not lead from a finding to its row: %s" % rows)

    crossing = make(tmp, "crossing.pcap", OPEN + "< FA 1 1 0 4000\n> FA 1 1 0 4000\n< A 2 2 0 4000\n> A 2 2 0 4000\n")
    tree = capture("crossing", crossing, tmp)[0]
    lines = {title(r).split()[0]: next(e for e in r.iter() if local(e) == "line") for r in rows_of(tree)}
    check("crossing", float(lines["#4"].get("y2")) > float(lines["#5"].get("y1")) > float(lines["#4"].get("y1")),
          "the first FIN does not cross the second")


def hostile(tmp):
    names = ["<img src=x onerror=alert(1)>&\"'.pcap", "</title></svg><script>alert(1)</script>.pcap".replace("/", "\u2215"),
             "\x01\x1b[31m\x7f\udcff\udcc3\uffff.pcap", "]]><!--\\\" ]; }\u202e%s%n.pcap"]
    for name in names:
        path = make(tmp, name, OPEN)
        svg, html, dot = (os.path.join(tmp, n) for n in ("h.svg", "h.html", "d.svg"))
        status, _, _ = run("replay", "--svg", svg, "--html", html, path.encode(errors="surrogateescape"))
        check("hostile", status == 0, "exit status %d of %r" % (status, name))
        for document in (svg, html):
            tree = parse("hostile name %r" % name, document)
            check("hostile", len(rows_of(tree)) == 3, "not the three segments")
        if shutil.which("dot"):
            status, _, _ = run("diagram", "--svg", dot, path.encode(errors="surrogateescape"))
            check("hostile", status == 0 and rows_of(parse("hostile diagram %r" % name, dot)) == [], "no diagram of %r" % name)
    script = os.path.join(tmp, "hostile.pkt")
    with open(script, "w") as file:
        file.write("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, \"<script>&'\", ...) = 7\n")
    run("replay", "--html", os.path.join(tmp, "s.html"), script)
    parse("hostile script", os.path.join(tmp, "s.html"))


def scripts(tmp):
    for name in ("retransmission.pkt", "persist.pkt", "figure-13-simultaneous-close.pkt"):
        path, svg = os.path.join(HERE, "scripts", name), os.path.join(tmp, "s.svg")
        html = os.path.join(tmp, "s.html")
        status, out, _ = run("replay", "--ladder", "--svg", svg, "--html", html, path)
        ladder = re.findall(rb"^ +\d+\.\d{6} ", out, re.M)
        for document in (svg, html):
            tree = parse(name, document)
            check(name, status == 0 and len(rows_of(tree)) == len(ladder) > 0, "not one row for each segment")
    path, html = os.path.join(tmp, "fails.pkt"), os.path.join(tmp, "fails.html")
    with open(os.path.join(HERE, "scripts", "retransmission.pkt")) as good, open(path, "w") as bad:
        bad.write(good.read().replace("ack 1501", "ack 1400"))
    status, _, _ = run("replay", "--html", html, path)
    run("replay", "--html", html, os.path.join(HERE, "scripts", "retransmission.pkt"), "--mtu=1000")
    text = "".join(parse("a script that fails", html).itertext())
    check("a script that fails", "failed" in text and "expected" in text, text[-300:])


def files(tmp):
    path = os.path.join(HERE, "captures", "handshake-close.pcap")
    copy = os.path.join(tmp, "copy.pcap")
    shutil.copy(path, copy)
    link = os.path.join(tmp, "link.svg")
    os.symlink(copy, link)
    cases = [
        ("no folder", ["replay", "--svg", "/nowhere/a.svg", path], "/nowhere/a.svg: No such file"),
        ("no folder, page", ["replay", "--html", "/nowhere/a.html", path], "/nowhere/a.html: No such file"),
        ("full", ["replay", "--svg", "/dev/full", path], "/dev/full: No space left"),
        ("full, page", ["replay", "--html", "/dev/full", path], "/dev/full: No space left"),
        ("over the capture", ["replay", "--svg", copy, copy], "names? the file that is written"),
        ("over a link to it", ["replay", "--svg", link, copy], "names? the file that is written"),
        ("a capture forgotten", ["replay", "--svg", copy, path], "names? the file that is written"),
        ("no value", ["replay", path, "--svg"], "unknown option --svg"),
        ("bad range", ["replay", "--packets=5-3", path], "unknown option --packets=5-3"),
        ("the same file", ["replay", "--svg", link + "x", "--html", link + "x", path], "same file"),
        ("diagram in no folder", ["diagram", "--svg", "/nowhere/d.svg"], "/nowhere/d.svg: No such file"),
        ("diagram, full", ["diagram", "--svg", "/dev/full"], "/dev/full: No space left"),
        ("diagram over it", ["diagram", "--svg", copy, copy], "names? the file that is written"),
        ("diagram of nothing", ["diagram", tmp + "/nothing.pcap"], "nothing.pcap: "),
        ("diagram of no script", ["diagram", tmp + "/nothing.pkt"], "nothing.pkt: No such file"),
        ("diagram option", ["diagram", "--nonsense"], "unknown option --nonsense"),
    ]
    for name, arguments, pattern in cases:
        status, _, complaint = run(*arguments)
        check(name, status == 2 and re.search(pattern, complaint) and complaint.count("\n") == 1, (status, complaint))
    with open(path, "rb") as one, open(copy, "rb") as other:
        check("over the capture", one.read() == other.read(), "it was written over")
    status, _, complaint = run("diagram", "--svg", os.path.join(tmp, "no-dot.svg"), env={"PATH": "/nowhere"})
    check("no Graphviz", status == 2 and "Graphviz" in complaint and not os.path.exists(os.path.join(tmp, "no-dot.svg")),
          (status, complaint))


def ranges(tmp):
    path, svg = os.path.join(HERE, "captures", "handshake-close.pcap"), os.path.join(tmp, "r.svg")
    for text, wanted in (("8-11", [8, 9, 10, 11]), ("9", [9]), ("10-", [10, 11])):
        run("replay", "--packets", text, "--svg", svg, path)
        tree = parse("--packets=" + text, svg)
        got = [int(title(r).split()[0][1:]) for r in rows_of(tree)]
        check("--packets=" + text, got == wanted and "outside of --packets" in " ".join(texts(tree)), got)
    run("replay", "--to-scale", "--svg", svg, os.path.join(HERE, "captures", "lost-fin.pcap"))
    tree = parse("--to-scale", svg)
    at = [float(next(e for e in g.iter() if local(e) == "line").get("y1")) for g in tree.iter() if "at" in classes(g)]
    check("--to-scale", len(at) == 12 and abs((at[8] - at[0]) / (at[11] - at[0]) - 0.305331 / 0.507792) < 0.01, at)


def large(tmp):
    """What is left out is said; the size is bounded."""
    lines = OPEN + "".join("> A %d 1 100 4000\n< A 1 %d 0 4000\n" % (1 + 100 * i, 101 + 100 * i) for i in range(15000))
    path, svg, html = make(tmp, "large.pcap", lines), os.path.join(tmp, "l.svg"), os.path.join(tmp, "l.html")
    run("replay", "--svg", svg, "--html", html, path)
    for document, rows, most in ((svg, 200, 1 << 20), (html, 2000, 4 << 20)):
        tree = parse("large", document)
        words = "".join(tree.itertext())
        check("large", len(rows_of(tree)) == rows, "%d rows" % len(rows_of(tree)))
        check("large", os.path.getsize(document) < most, "%d octets" % os.path.getsize(document))
        check("large", "%d of 30003 segments are left out" % (30003 - rows) in words, "does not say what is left out")
        check("large", "%d segments are left out here" % (30003 - rows) in words, "does not say where")


def diagram(tmp):
    status, out, _ = run("diagram")
    drawn = set(re.findall(r'"([A-Z0-9-]+)" -> "([A-Z0-9-]+)"', out.decode().replace('"END"', '"CLOSED"')))
    with open(os.path.join(HERE, "laws.c")) as file:
        table = re.search(r"\} edges\[\] = \{(.*?)\n\};", file.read(), re.S).group(1)
    legal = set((a.replace("_", "-"), b.replace("_", "-")) for a, b in re.findall(r"\{VTCP_(\w+), VTCP_(\w+),", table))
    check("diagram", status == 0 and drawn == legal and len(legal) > 25, "differs from tests/laws.c in %s" % (drawn ^ legal))
    check("diagram", b"an event" not in out, "an edge of the law has no words")
    check("diagram", b"taken" not in out, "something is marked without a trace")
    status, out, _ = run("diagram", os.path.join(HERE, "captures", "handshake-close.pcap"))
    taken = re.findall(r'"([A-Z0-9-]+)" -> "([A-Z0-9-]+)" \[class="taken (\w+)', out.decode())
    wanted = ["CLOSED LISTEN right", "CLOSED SYN-SENT left", "LISTEN SYN-RECEIVED right", "SYN-SENT ESTABLISHED left",
              "SYN-RECEIVED ESTABLISHED right", "ESTABLISHED FIN-WAIT-1 left", "ESTABLISHED CLOSE-WAIT right",
              "FIN-WAIT-1 FIN-WAIT-2 left", "FIN-WAIT-2 TIME-WAIT left", "CLOSE-WAIT LAST-ACK right", "LAST-ACK END right"]
    check("diagram of a capture", sorted(map(" ".join, taken)) == sorted(wanted), taken)
    for name, edge in (("reset.pcap", '"ESTABLISHED" -> "END" \\[class="taken'), ("midstream.pcap", None)):
        _, out, _ = run("diagram", os.path.join(HERE, "captures", name))
        found = re.search(edge, out.decode()) if edge else not re.search(r'"CLOSED" -> "\S+" \[class="taken', out.decode())
        check("diagram of " + name, found, "not as it was")
    script = os.path.join(HERE, "scripts", "figure-13-simultaneous-close.pkt")
    status, out, _ = run("diagram", script)
    check("diagram of a script", status == 0 and re.search(r'"FIN-WAIT-1" -> "CLOSING" \[class="taken', out.decode()), "no CLOSING")
    if shutil.which("dot"):
        path = os.path.join(tmp, "diagram.svg")
        check("diagram, drawn", run("diagram", "--svg", path)[0] == 0 and rows_of(parse("diagram, drawn", path)) == [], "not drawn")


def up_to_date(tmp):
    """Those in pictures/ are what the program draws now; of Graphviz's, the description counts, not where dot puts things."""
    made_now = os.path.join(tmp, "pictures")
    subprocess.run([os.path.join(ROOT, "tools", "pictures"), PROGRAM, made_now], check=True, stdout=subprocess.DEVNULL)
    folder = os.path.join(ROOT, "pictures")
    kept = sorted(os.listdir(folder))
    check("pictures", kept == sorted(os.listdir(made_now)), "others are made: %s" % sorted(os.listdir(made_now)))
    shown = ""
    for page in ("README.md", "docs/explore.md"):
        with open(os.path.join(ROOT, page)) as file:
            shown += file.read()
    for name in kept:
        with open(os.path.join(folder, name)) as old, open(os.path.join(made_now, name)) as new:
            pair = [old.read(), new.read()]
        if "<metadata>" in pair[0]:
            pair = [re.search("(?s)<style>.*</metadata>", text).group(0) for text in pair]
        check("pictures", pair[0] == pair[1], "pictures/%s is out of date: make pictures" % name)
        check("pictures", "pictures/" + name in shown, "no page shows pictures/%s" % name)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        for test in (captures, made, hostile, scripts, files, ranges, large, diagram, up_to_date):
            test(tmp)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


sys.exit(main())
