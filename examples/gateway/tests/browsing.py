"""People who use the page in Debian's Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import unittest
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Locator, Page, Playwright, expect, sync_playwright

from . import harness

# How long anything may take, in milliseconds, on a machine that is busy with other things.
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


def pieces(text: str, size: int = 8) -> list[dict[str, Any]]:
    """The text in steps of a scripted model."""
    return [{"text": text[start : start + size]} for start in range(0, len(text), size)]


def lines(*answers: dict[str, Any]) -> str:
    """A scripted model that gives each answer once."""
    return "".join(json.dumps(answer) + "\n" for answer in answers)


class Person:
    """Somebody's window."""

    def __init__(self, context: BrowserContext, gateway: harness.Gateway) -> None:
        self.context, self.gateway = context, gateway
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
        self.page.goto(f"http://localhost:{self.gateway.port}{path}")
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

    def call(self, method: str, **params: Any) -> Any:
        """Calls a method of Parley's as this person, beside the page."""
        origin = f"http://localhost:{self.gateway.port}"
        response = self.context.request.post(f"{origin}/api/{method}", data=params, headers={"Origin": origin})
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

    def gateway(self, model: str, *serve: str) -> harness.Gateway:
        return self.enterContext(harness.Gateway(model=model, serve=["--set=quotas.anonymous.inFlight.limit=1", *serve]))

    def person(self, gateway: harness.Gateway, **options: Any) -> Person:
        """A new person; options: those of the browser's context."""
        context = self.chromium.new_context(**options)
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE_MS)
        person = Person(context, gateway)
        self.addCleanup(lambda: self.assertEqual(person.complaints, []))
        return person.visit()


def publish(gateway: harness.Gateway, name: str, description: str) -> None:
    """The operator publishes a bot, from a process of its own."""
    request = {"method": "createBot", "params": {"caller": {"operator": True}, "name": name, "description": description, "visibility": "published"}}
    database = Path(gateway.folder.name) / "parley.db"
    line = json.dumps({"jsonrpc": "2.0", "id": 1, **request})
    done = subprocess.run([harness.PARLEY, "serve", "--database", database], input=line, capture_output=True, text=True, check=True)
    assert "result" in json.loads(done.stdout), done.stdout
