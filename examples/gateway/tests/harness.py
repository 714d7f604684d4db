"""A gateway that runs, and browsers that use it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

FOLDER = Path(__file__).parent.parent
PARLEY = os.environ.get("PARLEY", "parley")
# Longer than anything takes, so that what hangs fails.
PATIENCE_SECONDS = 20.0
NO_LIMITS = [
    f"--set={name}=none"
    for name in (
        "quotas.system.turns.limit", "quotas.system.anonymousTurns.limit", "quotas.user.inFlight.limit", "quotas.anonymous.inFlight.limit",
        "quotas.address.anonymousUsers.limit",
    )
]  # fmt: skip

Value = TypeVar("Value")


def wait_for(condition: Callable[[], Value | None]) -> Value:
    """What `condition` returns as soon as that is something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("It did not come about.")
        time.sleep(0.01)
    return value


def script(*answers: dict[str, Any]) -> str:
    """A scripted model, one answer a line; each is given as often as it is asked for."""
    return "".join(json.dumps({"repeat": True, **answer}) + "\n" for answer in answers)


def tokens(count: int, milliseconds: int, first: int = 0) -> tuple[str, list[dict[str, Any]]]:
    """A text of so many numbered tokens, and the steps in which a model says it: so many milliseconds between them, `first` before them."""
    words = [f"token-{number} " for number in range(count)]
    pause = {"delayMs": milliseconds}
    steps: list[dict[str, Any]] = [{"delayMs": first}] if first else []
    for word in words:
        steps += [{"text": word}, pause] if milliseconds else [{"text": word}]
    return "".join(words), steps


class Gateway:
    """`python -m gateway`, in a folder of its own."""

    def __init__(self, *arguments: str, model: str | None = None, serve: Sequence[str] = (), parley: str = PARLEY) -> None:
        """arguments: the gateway's. model: a script. serve: flags of `parley serve`."""
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        flags = [*NO_LIMITS, *serve]
        if model is not None:
            (path / "script.jsonl").write_text(model)
            flags.append(f"--model=scripted:{path / 'script.jsonl'}")
        self.log_file = path / "log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-B", "-m", "gateway", "--port", "0", "--database", str(path / "parley.db"), "--parley", parley,
                    *arguments, "--", *flags,
                ],
                cwd=FOLDER, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout
        line = self.process.stdout.readline()
        match = re.search(r":(\d+)$", line)
        self.port = int(match[1]) if match else 0

    def __enter__(self) -> Gateway:
        if not self.port:
            raise AssertionError(f"The gateway did not start: {self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Ends it in order, and returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(PATIENCE_SECONDS)
        finally:
            self.process.kill()
            if self.process.stdout:
                self.process.stdout.close()
        self.folder.cleanup()
        return code

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def parleys(self) -> list[int]:
        """The ids of the processes behind it, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return sorted(map(int, children.read_text().split()))

    def kill_parley(self, number: int = 0) -> int:
        """Kills one of the processes, and returns its id."""
        process = self.parleys[number]
        os.kill(process, signal.SIGKILL)
        return process

    def browser(self) -> Browser:
        return Browser(self.port)


@dataclass
class Answer:
    """What a browser was answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """What the error is."""
        return str(self.json["error"]["data"]["code"])


@dataclass
class Event:
    """A server-sent event."""

    name: str
    id: int | None
    data: Any


class Events:
    """An open stream of events."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection, self._response = connection, response

    def __iter__(self) -> Iterator[Event]:
        """The events to the end of the stream."""
        fields: dict[str, str] = {}
        while line := self._response.readline():
            name, separator, value = line.decode().rstrip("\n").partition(": ")
            if separator and name:
                fields[name] = value
            elif "event" in fields:
                yield Event(fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"]))
                fields = {}

    def close(self) -> None:
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Browser:
    """One person's browser: it keeps cookies, and says where its requests come from."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://localhost:{port}"
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """Posts JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Content-Type": "application/json", "Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return self.request("POST", path, data, fields | {name.replace("_", "-"): value for name, value in headers.items()})

    def call(self, method: str, /, **params: Any) -> Any:
        """Calls a method of Parley's, which succeeds."""
        answer = self.post(f"/api/{method}", params)
        assert answer.status == 200, answer.body
        return answer.json

    def refusal(self, method: str, /, **params: Any) -> Answer:
        """Calls a method of Parley's, which is refused."""
        answer = self.post(f"/api/{method}", params)
        assert answer.status >= 400, answer.body
        return answer

    def session(self) -> Any:
        """Who is there, without what Parley can do."""
        return {name: value for name, value in self.get("/api/session").json.items() if name != "methods"}

    def sign_in(self, name: str) -> None:
        asked = self.get("/sign-in")
        state = asked.headers["Location"].partition("state=")[2]
        form = urlencode({"name": name, "state": state}).encode()
        answered = self.post("/identity/authorize", form, Content_Type="application/x-www-form-urlencoded")
        assert answered.status == 303, answered.body
        back = self.get(answered.headers["Location"])
        assert back.status == 303 and back.headers["Location"] == "/", back.body

    def events(self, turn_id: str, after: int | None = None, **headers: str) -> Events:
        """Follows a turn, after the event with that number, as EventSource does when it connects again."""
        fields = {"Last-Event-ID": str(after)} if after is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", f"/api/turns/{turn_id}/events", headers=self._headers(fields | headers))
        response = connection.getresponse()
        assert response.status == 200 and response.headers["Content-Type"] == "text/event-stream", response.read()
        return Events(connection, response)

    def request(self, verb: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(verb, path, body, self._headers(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        return {"Host": f"localhost:{self.port}"} | cookies | headers


class Transcript:
    """What somebody holds who follows a turn as the protocol says."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.numbers: list[int] = []
        self.snapshots = 0
        self.completed: Event | None = None
        self.has_ended = False

    def take(self, event: Event) -> None:
        """Fails when an event is missing, or comes twice."""
        if event.name == "end":
            assert self.completed and not self.has_ended
            self.has_ended = True
            return
        assert event.name != "refused", event.data
        assert event.id is not None and event.id == event.data["seq"] and "requestId" not in event.data
        if event.name == "turnSnapshot":
            self.snapshots += 1
            self.texts = {message["id"]: _text(message) for message in event.data["messages"] if message["role"] == "assistant"}
        elif not self.snapshots:
            first = event.data.get("fromSeq", event.id)
            assert first == (self.numbers[-1] if self.numbers else 0) + 1, f"{first} after {self.numbers[-1:]}"
        self.numbers.append(event.id)
        if event.name == "messageDelta":
            message = event.data["messageId"]
            self.texts[message] = self.texts.get(message, "") + event.data["delta"]
        elif event.name == "turnCompleted":
            assert not self.completed
            self.completed = event
            if message := event.data.get("message"):
                # The truth, which what was said before must agree with.
                assert self.snapshots or self.texts.get(message["id"], "") == _text(message)
                self.texts[message["id"]] = _text(message)

    @property
    def text(self) -> str:
        return "".join(self.texts.values())

    @property
    def status(self) -> str:
        assert self.completed
        return str(self.completed.data["turn"]["status"])


def follow(browser: Browser, turn_id: str) -> Transcript:
    """Follows a turn from its beginning to its end."""
    transcript = Transcript()
    with browser.events(turn_id) as events:
        for event in events:
            transcript.take(event)
    assert transcript.has_ended
    return transcript


def stop(process: int) -> None:
    """Stops a process where it stands, and waits until it does, which may take a moment."""
    os.kill(process, signal.SIGSTOP)
    threads = Path(f"/proc/{process}/task")
    wait_for(lambda: all(" T " in (thread / "stat").read_text() for thread in threads.iterdir()))


def memory(gateway: Gateway) -> int:
    """What the gateway holds, in KiB."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _text(message: dict[str, Any]) -> str:
    return "".join(part["text"] for part in message["content"] if part["type"] == "text")
