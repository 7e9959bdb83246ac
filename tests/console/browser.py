"""A real browser: Chromium, driven by its own protocol (DevTools) over a web socket."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 90.0
# What a person sees of the page: elements of a role or tag with a text.
FIND = """
(what, text, exact) => {
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility != 'hidden'
    && !e.disabled;
  const name = e => (e.getAttribute('aria-label') || e.innerText || e.value || '').trim();
  return [...document.querySelectorAll(what)].filter(shown).find(
    e => exact ? name(e) == text : name(e).includes(text));
}
"""


def missing() -> str | None:
    """Why there is no browser, None if there is one."""
    return None if _program() else f"there is none of {', '.join(NAMES)}: apt-get install chromium"


def _program() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.clicks = 0  # what a person does: clicks, fields that are filled, files that are chosen

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def run(self, code: str) -> Any:
        """Evaluate JavaScript and return its value."""
        answer = self.send(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        """Open an address."""
        self.send("Page.navigate", url=url)

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of the window."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """The text that is shown."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def wait(self, condition: str, *, patience: float = PATIENCE) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        until = time.monotonic() + patience
        while True:
            with suppress(RuntimeError):  # the page may be loading
                if value := self.run(condition):
                    return value
            if time.monotonic() > until:
                raise AssertionError(f"never true: {condition}; the page:\n{self.text[-3000:]}")
            time.sleep(0.05)

    def see(self, text: str, *, patience: float = PATIENCE) -> None:
        """Wait until a text is shown and the page is at rest."""
        self.wait(f"document.body.innerText.includes({json.dumps(text)})", patience=patience)
        self.rest()

    def rest(self) -> None:
        """Wait until the script of the page has run and every widget is there."""
        self.wait(
            "!document.querySelector('[data-testid=stSkeleton]') && !!document.querySelector('[data-testid=stApp]') && document.querySelector("
            "'[data-testid=stApp]').getAttribute('data-test-script-state') == 'notRunning'"
        )

    def find(self, what: str, text: str, *, exact: bool = False) -> str:
        """Wait for an element; return the code that finds it."""
        code = f"({FIND})({json.dumps(what)}, {json.dumps(text)}, {json.dumps(exact)})"
        self.wait(f"!!{code}")
        return code

    def _at_rest(self, what: str, text: str, *, exact: bool = False) -> str:
        """Scroll to an element and wait until it stays where it is; return the code that finds it."""
        code = self.find(what, text, exact=exact)
        place = None
        while True:
            self.rest()
            now = self.run(
                f"(e => {{e.scrollIntoView({{block: 'center'}}); "
                f"return JSON.stringify(e.getBoundingClientRect())}})({code})"
            )
            if now == place:
                return code
            place = now
            time.sleep(0.1)

    def click(
        self,
        text: str,
        what: str = "button, a, label, summary, [role=option]",
        *,
        exact: bool = False,
    ) -> None:
        """Click where a person would."""
        self.clicks += 1
        code = self._at_rest(what, text, exact=exact)
        place = self.run(
            f"(e => {{const r = e.getBoundingClientRect();"
            f"return [r.x + r.width / 2, r.y + r.height / 2]}})({code})"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                clickCount=1,
            )  # fmt: skip

    def type(self, label: str, text: str, *, enter: bool = True) -> None:
        """Replace the text of a field."""
        self.clicks += 1
        code = self._at_rest("input, textarea", label)
        self.run(f"(e => {{e.focus(); e.select()}})({code})")
        self.send("Input.insertText", text=text)
        if enter:
            self.press("Enter")

    def press(self, key: str) -> None:
        """Press a key."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowRight": 39}
        extra = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=codes[key], **(extra if kind == "keyDown" else {}),
            )  # fmt: skip

    def choose(self, label: str, option: str) -> None:
        """Choose from a list with type-ahead."""
        self.type(label, option, enter=False)
        self.click(option, "[role=option]")

    def upload(self, file: Path) -> None:
        """Give a file to the page's field for files."""
        self.clicks += 1
        self.wait("!!document.querySelector('input[type=file]')")
        document = self.send("DOM.getDocument")["root"]["nodeId"]
        found = self.send("DOM.querySelector", nodeId=document, selector="input[type=file]")
        self.send("DOM.setFileInputFiles", files=[str(file)], nodeId=found["nodeId"])

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Save what is shown as PNG."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))


class Browser:
    """A browser; each page of it is a person of its own."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._sockets = ExitStack()

    def page(self, *, width: int = 1280, headers: dict[str, str] | None = None) -> Page:
        """Open a new tab."""
        request = urllib.request.Request(f"{self._address}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request) as answer:
            tab = json.load(answer)
        address = tab["webSocketDebuggerUrl"]
        page = Page(
            self._sockets.enter_context(
                connect(address, max_size=None, compression=None, proxy=None)
            )
        )
        page.resize(width)
        if headers:
            page.send("Network.enable")
            page.send("Network.setExtraHTTPHeaders", headers=headers)
        return page

    def close(self) -> None:
        """Close all connections."""
        self._sockets.close()


@contextmanager
def running() -> Iterator[Browser]:
    """Start a browser without a window."""
    program = _program()
    if program is None:
        raise RuntimeError(missing())
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [
                program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking", "--mute-audio",
                "--disable-extensions", "--disable-component-update", "--no-proxy-server",
                "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            browser = Browser(f"http://127.0.0.1:{_port(Path(folder), process)}")
            yield browser
            browser.close()
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(folder: Path, process: subprocess.Popen[bytes]) -> int:
    file = folder / "DevToolsActivePort"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError, ValueError, IndexError):
            return int(file.read_text().splitlines()[0])
        time.sleep(0.05)
    raise RuntimeError("the browser has not started")
