"""What the peers' tests have in common: a host whose model is the peer's, and the cases that every peer must pass."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from server import ROOT, CannotInstall, Environment, Server

sys.path.insert(0, str(ROOT / "examples" / "python"))
from parley import Event, Host, Object  # noqa: E402

# The program under test; set before the tests run.
binary = "parley"


@dataclass
class Answer:
    """What became of a message: its events, and the reply."""

    events: list[Event]
    turn: Object
    message: Object | None
    # How long a cancel took; None without one.
    seconds_to_cancel: float | None = None

    @property
    def text(self) -> str:
        """What the stored message says."""
        return "".join(part["text"] for part in (self.message or {}).get("content", []) if part["type"] == "text")

    @property
    def deltas(self) -> list[str]:
        """What was streamed of that message, piece by piece."""
        return [
            event["params"]["delta"]
            for event in self.events
            if event["method"] == "messageDelta" and event["params"]["messageId"] == self.turn.get("messageId")
        ]

    def of(self, method: str) -> list[Any]:
        """The params of all events of that name."""
        return [event["params"] for event in self.events if event["method"] == method]


class PeerHost(Host):
    """A Parley, in memory, that asks the peer."""

    conversation: str | None = None

    def say(self, text: str, cancel: bool = False, **params: Any) -> Answer:
        """Sends a message in the conversation, which the first begins.

        cancel: whether to end the turn as soon as something was said.
        """
        if self.conversation:
            params["conversationId"] = self.conversation
        stream = self.stream("sendMessage", text=text, **params)
        events, cancelled = [], None
        for event in stream:
            events.append(event)
            if cancel and event["method"] == "messageDelta" and not cancelled:
                cancelled = time.monotonic()
                stream.cancel()
        seconds = time.monotonic() - cancelled if cancelled else None
        result = stream.wait()
        self.conversation = result["turn"]["conversationId"]
        return Answer(events, result["turn"], result.get("message"), seconds)


class PeerCase(unittest.TestCase):
    """The tests of one peer. Its server runs as long as they do."""

    title: ClassVar[str]
    environment: ClassVar[Environment]
    # What the settings file says of the server beside its URL.
    kind: ClassVar[str] = "openai"
    path: ClassVar[str] = "/v1"
    api_key_variable: ClassVar[str | None] = None
    # The model of cases that name none.
    model: ClassVar[str]
    server: ClassVar[Server]

    @classmethod
    def start(cls, python: Path, folder: Path) -> Server:
        """Starts the peer. What it reads may be written into the folder."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls) -> None:
        cls.require_kind()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        try:
            python = cls.environment.python()
        except CannotInstall as error:
            raise unittest.SkipTest(str(error)) from error
        cls.server = cls.start(python, Path(folder.name))
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def require_kind(cls) -> None:
        """Skips the tests of a provider that the program does not know."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"model": "peer:any", "providers": {"peer": {"kind": cls.kind, "baseURL": "http://127.0.0.1"}}}, file)
            file.flush()
            checked = subprocess.run([binary, "config", "--config", file.name], capture_output=True, text=True)
        if checked.returncode == 78 and "providers.peer.kind" in checked.stderr:
            raise unittest.SkipTest(f"this binary has no provider of the kind {cls.kind}")
        assert checked.returncode == 0, checked.stderr

    def host(self, model: str | None = None, url: str | None = None) -> PeerHost:
        """Starts a host; it ends with the test."""
        provider: Object = {"kind": self.kind, "baseURL": (url or self.server.url) + self.path}
        if self.api_key_variable:
            provider["apiKeyEnv"] = self.api_key_variable
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        settings = Path(folder.name, "settings.json")
        settings.write_text(json.dumps({"model": f"peer:{model or self.model}", "providers": {"peer": provider}}))
        arguments = ["--database", ":memory:", "--config", str(settings), "--set", "log.level=error"]
        host = PeerHost(arguments, binary=binary, caller={"userId": "ada"})
        self.addCleanup(host.close)
        return host

    def assert_completed(self, answer: Answer) -> None:
        self.assertEqual(answer.turn["status"], "completed", answer.turn)
        self.assertEqual("".join(answer.deltas), answer.text)
        self.assertEqual(answer.events[-1]["method"], "turnCompleted")

    def assert_bot_made_by_tool(self, host: PeerHost, answer: Answer, name: str) -> Object:
        """Checks that a tool call made the one bot that there is. Returns the call."""
        self.assert_completed(answer)
        [started], [completed] = answer.of("toolCallStarted"), answer.of("toolCallCompleted")
        self.assertEqual(started["toolCall"]["name"], "create_bot")
        self.assertEqual(completed["status"], "completed", completed)
        self.assertEqual(completed["toolCallId"], started["toolCall"]["id"])
        bots = [bot["name"] for bot in host.call("listBots")["data"] if bot["name"] != "Clerk"]
        self.assertEqual([bot.lower() for bot in bots], [name.lower()])
        return started["toolCall"]


class ConversationCases:
    """What every peer must do; to be mixed into a PeerCase."""

    questions = ["Tell me one fact about Mars.", "Is it bigger than the Earth?", "What colour is it?"]
    has_usage: bool
    # What to answer at length, for the one who cancels; and with which model.
    long_question = "Tell me a long story."
    long_model: str | None = None

    def test_conversation(self) -> None:
        """three turns stream, and join to what is stored"""
        host = self.host()
        for question in self.questions:
            answer = host.say(question, maxOutputTokens=60)
            self.assert_completed(answer)
            self.assertGreater(len(answer.deltas), 1)
        messages = host.call("listMessages", conversationId=host.conversation)["data"]
        self.assertEqual([message["role"] for message in messages], ["assistant", "user"] * 3)

    def test_usage(self) -> None:
        """usage is the server's where it tells it, and an estimate that says so where it does not"""
        answer = self.host().say(self.questions[0], maxOutputTokens=20)
        self.assert_completed(answer)
        self.assertEqual(answer.turn["usage"].get("estimated", False), not self.has_usage, answer.turn)
        for count in ["inputTokens", "outputTokens"]:
            self.assertGreater(answer.turn["usage"][count], 0)

    def test_cancel(self) -> None:
        """a cancel in the middle keeps what was said, and the next turn answers"""
        host = self.host(model=self.long_model)
        answer = host.say(self.long_question, cancel=True, maxOutputTokens=1500)
        self.assertEqual((answer.turn["status"], answer.turn["stopReason"]), ("cancelled", "cancelled"))
        self.assertEqual("".join(answer.deltas), answer.text)
        self.assertTrue(answer.text)
        self.assertEqual(answer.message["status"], "partial")
        # Whatever the server does about it; the bounds are for a busy machine. Only a closed connection tells it to stop.
        self.assertLess(answer.seconds_to_cancel, 5)
        self.wait_for_closed_connections(seconds=5)
        self.assert_completed(host.say(self.questions[0], maxOutputTokens=20, model=f"peer:{self.model}"))

    def test_keep_alive(self) -> None:
        """a connection that the server closes when it is idle does not hurt the next turn"""
        host = self.host()
        self.assert_completed(host.say(self.questions[0], maxOutputTokens=20))
        self.assertEqual(self.open_connections(), 1, "the connection was not kept")
        self.wait_for_closed_connections(seconds=60)
        self.assert_completed(host.say(self.questions[1], maxOutputTokens=20))

    def wait_for_closed_connections(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.open_connections():
            self.assertLess(time.monotonic(), deadline, "the connection stays open")
            time.sleep(0.05)

    def open_connections(self) -> int:
        """How many connections to the server its clients on this machine have, and neither end has closed."""
        established, remote = "01", f":{self.server.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(remote) and row[3] == established for row in rows)
