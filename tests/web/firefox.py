"""Debian's Firefox by WebDriver BiDi, which it speaks itself: no driver program, and no browser of Playwright's own."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

WAIT = 120  # seconds for anything; a first start of the model under load takes some of them


def program() -> str | None:
    """Where a Firefox is, or None."""
    return next((found for name in ("firefox-esr", "firefox") if (found := shutil.which(name))), None)


class Firefox:
    """One tab. Selectors are CSS; every wait fails after WAIT."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = itertools.count(1)
        self._ask("session.new", capabilities={})
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def goto(self, address: str) -> None:
        self._ask("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def run(self, script: str) -> Any:
        """What an expression, or the promise that it gives, comes to: null, true, a number or a string."""
        found = self._evaluate(script)
        return found.get("value")

    def wait(self, selector: str) -> None:
        there = f"document.querySelector({json.dumps(selector)})"
        loop = f"while (!{there} && Date.now() < end) await new Promise((done) => setTimeout(done, 50));"
        found = self.run(
            f"(async () => {{ const end = Date.now() + {WAIT * 1000}; {loop} return {there} !== null; }})()"
        )
        assert found, f"{selector} did not appear; the page says {self.run('document.body.innerText')!r}"

    def click(self, selector: str) -> None:
        self.wait(selector)
        self.run(f"void document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector: str) -> str:
        self.wait(selector)
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files, as in the browser's dialog."""
        element = self._evaluate(f"document.querySelector({json.dumps(selector)})")["sharedId"]
        names = [str(file) for file in files]
        self._ask("input.setFiles", context=self._tab, element={"sharedId": element}, files=names)

    def picture(self, selector: str) -> bytes:
        """An element as a PNG."""
        self.wait(selector)
        element = self._evaluate(f"document.querySelector({json.dumps(selector)})")["sharedId"]
        clip = {"type": "element", "element": {"sharedId": element}}
        found = self._ask(
            "browsingContext.captureScreenshot", context=self._tab, origin="document", clip=clip
        )
        return base64.b64decode(found["data"])

    def _evaluate(self, script: str) -> dict[str, Any]:
        where = {"context": self._tab}
        told = self._ask("script.evaluate", expression=script, target=where, awaitPromise=True)
        assert told["type"] == "success", told
        found: dict[str, Any] = told["result"]
        return found

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._number)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(WAIT + 30))
            if told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A headless Firefox with an empty profile in a folder."""
    arguments = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
    process = subprocess.Popen(
        [str(program()), *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stderr is not None
        lines = (re.search(r"BiDi listening on (ws://\S+)", line) for line in process.stderr)
        address = next(found.group(1) for found in lines if found)
        with connect(f"{address}/session", max_size=None) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.wait(20)
