"""People who use the page in Debian's Chromium."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from . import harness

# How long anything may take, in milliseconds, on a machine that is busy with other things.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
# A step of a scripted model that lasts until `go_on` is called. The page itself never asks which models there are.
PAUSE: dict[str, Any] = {"waitFor": "listModels"}
# A step of a scripted model after which it says no more; nobody waits for so long.
SILENCE: dict[str, Any] = {"delayMs": 600_000}


def pieces(text: str, size: int = 8) -> list[dict[str, Any]]:
    """The text in steps of a scripted model."""
    return [{"text": text[start : start + size]} for start in range(0, len(text), size)]


def lines(*answers: dict[str, Any]) -> str:
    """A scripted model that gives each answer once."""
    return "".join(json.dumps(answer) + "\n" for answer in answers)


class Wire:
    """What lies between a browser and a gateway: it can be cut, and mended."""

    def __init__(self, gateway_port: int, port: int) -> None:
        """gateway_port: where the gateway listens. port: where browsers come."""
        self._to = gateway_port
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Ends all connections, and takes no more."""
        self.is_cut = True
        while self._connections:
            self._end(self._connections.pop())

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self._end(self._listener)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                browser.close()
                continue
            gateway = socket.create_connection(("127.0.0.1", self._to))
            self._connections += [browser, gateway]
            for source, target in ((browser, gateway), (gateway, browser)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass  # It was cut.
        self._end(target)

    @staticmethod
    def _end(connection: socket.socket) -> None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It has ended already.


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Person:
    """Somebody's window."""

    def __init__(self, context: BrowserContext, gateway: harness.Gateway, port: int | None = None) -> None:
        """port: where the gateway is to be found, if it is not where it listens."""
        self.context, self.gateway = context, gateway
        self.origin = f"http://localhost:{port or gateway.port}"
        self.page: Page = context.new_page()
        # What the browser complains about: a script that fails, or that the Content-Security-Policy forbids.
        self.complaints: list[str] = []
        # Complaints about requests are told apart, because refusals are among them.
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"A dialog: {dialog.message}"))

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def visit(self, path: str = "/") -> Person:
        self.page.goto(self.origin + path)
        expect(self.button("New conversation").or_(self.button("Conversations")).first).to_be_visible()
        return self

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def questions(self) -> Locator:
        return self.log.get_by_role("article", name="You")

    @property
    def answers(self) -> Locator:
        """The answers of the assistant, which end with what can be done with them."""
        return self.log.get_by_role("article", name="Assistant")

    @property
    def banner(self) -> Locator:
        return self.page.get_by_role("region", name="Your account")

    @property
    def conversations(self) -> Locator:
        return self.page.get_by_role("navigation", name="Conversations").get_by_role("link")

    def say(self, text: str) -> None:
        self.field.fill(text)
        expect(self.button("Send")).to_be_enabled()
        self.field.press("Enter")

    def ask(self, text: str) -> Locator:
        """Says something, waits until it is answered, and gives the answer."""
        before = self.answers.count()
        self.say(text)
        answer = self.answers.nth(before)
        expect(answer).to_be_visible()
        expect(self.button("Send")).to_be_visible()
        return answer

    def menu(self, button: str, entry: str) -> None:
        # It stays out of sight until somebody comes near; whoever uses the keyboard comes by.
        self.button(button).press("Enter")
        self.page.get_by_role("menuitem", name=entry, exact=True).press("Enter")

    def sign_in(self, name: str) -> None:
        """On the page of the identity provider."""
        self.page.get_by_role("textbox", name="Name").fill(name)
        self.button("Sign in").click()
        expect(self.page.get_by_role("banner")).to_contain_text(name)

    def go_on(self) -> None:
        """Ends the model's PAUSE."""
        self.call("listModels")

    def call(self, method: str, **params: Any) -> Any:
        """Calls a method of Parley's as this person, beside the page."""
        response = self.context.request.post(f"{self.origin}/api/{method}", data=params, headers={"Origin": self.origin})
        assert response.ok, response.text()
        return response.json()


class BrowserTest(unittest.TestCase):
    """A browser for all tests of a class, and for each of them a gateway, of which nobody else knows."""

    playwright: Playwright
    chromium: Chromium

    @classmethod
    def setUpClass(cls) -> None:
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        # Chromium's sandbox is not to be had as root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        cls.chromium = cls.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        cls.addClassCleanup(cls.chromium.close)

    def gateway(self, model: str, *serve: str, arguments: Sequence[str] = ()) -> harness.Gateway:
        """model: a script. serve: flags of `parley serve`. arguments: the gateway's."""
        return self.enterContext(harness.Gateway(*arguments, model=model, serve=["--set=quotas.anonymous.inFlight.limit=1", *serve]))

    def person(self, gateway: harness.Gateway, port: int | None = None, **options: Any) -> Person:
        """A new person. port: where the gateway is to be found. options: those of the browser's context."""
        context = self.chromium.new_context(**options)
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE_MS)
        person = Person(context, gateway, port)
        self.addCleanup(lambda: self.assertEqual(person.complaints, []))
        return person.visit()


def publish(gateway: harness.Gateway, name: str, description: str) -> None:
    """The operator publishes a bot, from a process of its own."""
    request = {"method": "createBot", "params": {"caller": {"operator": True}, "name": name, "description": description, "visibility": "published"}}
    database = Path(gateway.folder.name) / "parley.db"
    line = json.dumps({"jsonrpc": "2.0", "id": 1, **request})
    done = subprocess.run([harness.PARLEY, "serve", "--database", database], input=line, capture_output=True, text=True, check=True)
    assert "result" in json.loads(done.stdout), done.stdout
