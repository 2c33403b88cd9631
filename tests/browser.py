#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/browser.py BROWSER FILE...: each file in a headless Chromium, as wide as a telephone and as a desktop, light and dark,
with all that is folded opened.

Fails when a page is wider than its window, writes to the console or asks for another file, when text is cut off by the
drawing it stands in, is covered by other text, is too small to read or too pale for its ground.
--shots FOLDER keeps pictures, and the pages as they would be printed, to be looked at."""
import base64, json, os, subprocess, sys, tempfile

WINDOWS = [("phone", 390, 844, True), ("desktop", 1280, 900, False)]

# Runs in the page. Sizes are those on the screen: a drawing may be scaled.
LOOK = r"""
(() => {
  const problems = [], say = (what, t) => problems.length < 12 && problems.push(what + ': ' + t);
  for (const d of document.querySelectorAll('details')) d.open = true;
  const root = document.documentElement, lone = root.tagName === 'svg';
  if (!lone && root.scrollWidth > root.clientWidth) say('wider than its window', root.scrollWidth + ' > ' + root.clientWidth);
  const number = c => { const m = c.match(/[\d.]+/g); return m ? m.map(Number) : [0, 0, 0]; };
  const light = c => number(c).slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = light(lone ? getComputedStyle(document.querySelector('.graph > polygon, rect')).fill : getComputedStyle(document.body).backgroundColor);
  const contrast = c => { const a = light(c), b = ground; return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); };
  const texts = [];
  for (const t of document.querySelectorAll('svg text')) {
    const box = t.getBoundingClientRect(), words = t.textContent;
    if (!words.trim() || box.width === 0 || !t.checkVisibility()) continue;
    const frame = t.ownerSVGElement.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 3 || box.bottom > frame.bottom + 3)
      say('cut off', words);
    const outer = (t.ownerSVGElement.ownerSVGElement || t.ownerSVGElement).getBoundingClientRect();
    if (box.right > outer.right + 1) say('cut off', words);
    const scale = t.getScreenCTM().a * parseFloat(getComputedStyle(t).fontSize);
    if (!lone && scale < 8.5) say('too small (' + scale.toFixed(1) + ' px)', words);
    if (contrast(getComputedStyle(t).fill) < 4.5) say('too pale', words);
    texts.push([box, words, t]);
  }
  for (const e of document.querySelectorAll('p,li,summary,h1,h2,a,b')) {
    if (e.textContent.trim() && e.checkVisibility() && contrast(getComputedStyle(e).color) < 4.5) say('too pale', e.textContent.slice(0, 40));
  }
  texts.sort((a, b) => a[0].top - b[0].top);
  for (let i = 0; i < texts.length; i++)
    for (let k = i + 1; k < texts.length && texts[k][0].top < texts[i][0].bottom; k++) {
      const a = texts[i][0], b = texts[k][0];
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 2 && h > 0.45 * Math.min(a.height, b.height)) say('covers', texts[i][1] + ' / ' + texts[k][1]);
    }
  return JSON.stringify({problems, texts: texts.length, rows: document.querySelectorAll('.row').length});
})()
"""


class Browser:
    """One Chromium, spoken to over its debugging pipe: messages end with a zero octet."""

    def __init__(self, program, folder):
        ours, theirs = os.pipe(), os.pipe()
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
                   "--user-data-dir=" + folder, "about:blank"]

        def pipes():
            os.dup2(ours[0], 1003)
            os.dup2(theirs[1], 1004)
            os.dup2(1003, 3)
            os.dup2(1004, 4)

        self.process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(theirs[1])
        self.out, self.into = os.fdopen(ours[1], "wb", 0), os.fdopen(theirs[0], "rb", 0)
        self.rest, self.next, self.events, self.session = b"", 0, [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def read(self):
        while b"\0" not in self.rest:
            part = self.into.read(1 << 20)
            if not part:
                raise SystemExit("browser: it ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        self.next += 1
        message = {"id": self.next, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.next:
                if "error" in answer:
                    raise SystemExit("browser: %s: %s" % (method, answer["error"]["message"]))
                return answer["result"]
            self.events.append(answer)

    def show(self, path):
        self.events = []
        self.ask("Page.navigate", url="file://" + os.path.abspath(path))
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.read())

    def complaints(self, path):
        own = "file://" + os.path.abspath(path)
        for event in self.events:
            method, said = event.get("method", ""), event.get("params", {})
            if method in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                yield "console: " + json.dumps(said)[:300]
            if method == "Network.requestWillBeSent" and said["request"]["url"] != own:
                yield "asks for " + said["request"]["url"]

    def close(self):
        self.out.write(json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def keep(browser, shots, path, name):
    base = os.path.join(shots, os.path.basename(path).replace(".", "-") + "-" + name)
    shot = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
    with open(base + ".png", "wb") as file:
        file.write(base64.b64decode(shot["data"]))
    if name == "desktop-light":
        printed = browser.ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        with open(base + ".pdf", "wb") as file:
            file.write(base64.b64decode(printed["data"]))


def main(arguments):
    shots = None
    if arguments[0] == "--shots":
        shots, arguments = arguments[1], arguments[2:]
    failed, looked = 0, 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(arguments[0], folder)
        for path in arguments[1:]:
            for name, width, height, mobile in WINDOWS:
                for scheme in ("light", "dark"):
                    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                                deviceScaleFactor=2 if mobile else 1, mobile=mobile)
                    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                    browser.show(path)
                    if shots:
                        keep(browser, shots, path, name + "-" + scheme)
                    answer = browser.ask("Runtime.evaluate", expression=LOOK, returnByValue=True)
                    found = json.loads(answer["result"]["value"]) if "value" in answer["result"] else {"problems": [str(answer)]}
                    problems = found["problems"] + list(browser.complaints(path))
                    if not found.get("texts"):
                        problems.append("no text at all")
                    looked += 1
                    for problem in problems:
                        failed += 1
                        print("FAILED %s, %s, %s: %s" % (path, name, scheme, problem))
        browser.close()
    print("%d files in %d windows: %s" % (len(arguments) - 1, looked, "%d problems" % failed if failed else "fine"))
    return failed > 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
