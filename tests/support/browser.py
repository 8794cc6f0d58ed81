"""A real browser, told what to do over the pipe of the Chrome DevTools Protocol: no driver, and no port."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parents[2] / "build" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class BrowserError(Exception):
    """Raised if the browser ended, or rejected a command."""


class Browser:
    """One tab."""

    def __init__(self, commands: int, answers: int) -> None:
        """Take the two ends of the pipes."""
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._number = 0
        self._session: dict[str, str] = {}
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self._call("Page.enable")

    def open(self, page: Path, *, width: int, scheme: str = "light", media: str = "screen") -> None:
        """Show a file as on a screen of this width, or as a printer does."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", media=media, features=features)
        self._call("Page.navigate", url=page.as_uri())
        while self.run("document.readyState") != "complete":
            pass

    def run(self, script: str) -> Any:
        """Run JavaScript in the page; return its value, which must fit into JSON."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self, height: float) -> bytes:
        """Return the upper part of the page as a PNG."""
        clip = {"x": 0, "y": 0, "width": self.run("innerWidth"), "height": height, "scale": 1}
        answer = self._call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def print(self) -> bytes:
        """Return the page as a PDF."""
        return base64.b64decode(self._call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._answers, 1 << 20)
            if not read:
                raise BrowserError("The browser has ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


def find_browser() -> list[str] | None:
    """Return the command of a browser that starts: the one that `make test` unpacks, or an installed one."""
    unpacked = BUILD / "chromium"
    found = [str(unpacked)] if unpacked.exists() else []
    for command in [*found, *filter(None, map(shutil.which, NAMES))]:
        try:
            subprocess.run([command, "--version"], env=_environment(), check=True, capture_output=True, timeout=60)  # noqa: S603
        except (OSError, subprocess.SubprocessError):  # of another processor or system, or without its libraries
            continue
        return [command]
    return None


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[Browser]:
    """Run a browser that keeps its files in a folder."""
    to_browser, from_browser = os.pipe(), os.pipe()
    theirs = (to_browser[0], from_browser[1])
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={folder}"]
    # The browser reads commands from descriptor 3, and writes answers to 4.
    script = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own words
            ["/bin/bash", "-c", script, "bash", *command, *options],
            env=_environment() | {"HOME": str(folder), "TMPDIR": str(folder)},
            pass_fds=theirs,
            stdout=log,
            stderr=log,
        )
    for end in theirs:
        os.close(end)
    try:
        yield Browser(to_browser[1], from_browser[0])
    finally:
        os.close(to_browser[1])
        os.close(from_browser[0])
        process.terminate()
        process.wait()


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LD_LIBRARY_PATH": str(BUILD / "al2023" / "lib"),
        "FONTCONFIG_PATH": str(BUILD / "fonts"),
    }
