"""One `parley serve` that may die at any moment, and the requests that it has not answered yet."""

from __future__ import annotations

import itertools
import json
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Sequence

from journal import Journal
from model import DICE, Object

# Sees each event of a request, on the thread that reads.
Watcher = Callable[[Object], None]


class Call:
    """A request and what became of it: a result, an error, or the death of the process before either."""

    def __init__(self, host: Host, request_id: int, method: str, watcher: Watcher | None) -> None:
        self.host, self.request_id = host, request_id
        self.method = method
        self.watcher = watcher
        self.result: Object | None = None
        self.error: Object | None = None
        # Set when there is an outcome.
        self.done = threading.Event()
        # Set with the first event, or the outcome.
        self.moved = threading.Event()

    @property
    def has_died(self) -> bool:
        return self.done.is_set() and self.result is None and self.error is None

    @property
    def code(self) -> str | None:
        """What the request was refused with."""
        return self.error["data"]["code"] if self.error else None


class Trap:
    """Kills a process shortly after something has happened: a line was written, or one was read."""

    def __init__(self, methods: Sequence[str], is_for_writing: bool, times: int, seconds: float) -> None:
        self.methods, self.is_for_writing, self.seconds = methods, is_for_writing, seconds
        self._left = times

    def snaps(self, method: str | None, is_writing: bool) -> bool:
        if is_writing != self.is_for_writing or method not in self.methods:
            return False
        self._left -= 1
        return self._left == 0


class Host:
    """A running program. Requests may come from any thread."""

    _numbers = itertools.count(1)

    def __init__(self, command: Sequence[str], folder: Path, journal: Journal, seed: str) -> None:
        self.number = next(self._numbers)
        self.journal = journal
        # By whom the end was wanted; an end without is a crash.
        self.was_killed = False
        self.was_asked_to_end = False
        self.trap: Trap | None = None
        self.exit_code: int | None = None
        self.ended = threading.Event()
        self.methods: list[str] = []
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._calls: dict[int, Call] = {}
        # Whether everything that it wrote has been read, so that no request gets an answer any more.
        self.is_over = False
        self._tools: queue.SimpleQueue[Object | None] = queue.SimpleQueue()
        self._random = journal.random(seed)
        with (folder / "stderr.txt").open("ab") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, bufsize=0)
        journal.note("start", host=self.number, pid=self._process.pid)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._throw_dice)]
        for thread in self._threads:
            thread.start()
        # Nobody waits for these: whoever sends meanwhile meets a program that is just starting.
        self.hello = self.request("initialize", {"protocolVersion": 1})
        self.request("setClientTools", {"caller": {"userId": "nobody"}, "tools": [DICE]})

    # Requests

    def request(self, method: str, params: Object, watcher: Watcher | None = None) -> Call:
        """Sends a request; its events go to the watcher."""
        request_id = next(self._ids)
        call = Call(self, request_id, method, watcher)
        with self._lock:
            is_over = self.is_over
            if not is_over:
                self._calls[request_id] = call
        if is_over:
            call.moved.set()
            call.done.set()
            return call
        self.journal.note("request", host=self.number, id=request_id, method=method, params=params)
        self._write({"id": request_id, "method": method, "params": params}, method)
        return call

    def notify(self, method: str, params: Object) -> None:
        self._write({"method": method, "params": params}, method)

    def _write(self, message: Object, method: str | None) -> None:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        assert self._process.stdin
        with self._write_lock:
            try:
                # A pipe takes lines as short as these at once.
                self._process.stdin.write(line)
            except (BrokenPipeError, ValueError):
                pass  # It is dead, and the reader tells all who wait.
        self._spring(method, is_writing=True)

    # Reading

    def _read(self) -> None:
        assert self._process.stdout
        rest = b""
        while piece := self._process.stdout.read(1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                try:
                    message = json.loads(line)
                except ValueError:
                    self.journal.violate(f"host {self.number} wrote a line that is no JSON: {line[:200]!r}")
                    continue
                self._take(message)
        # Read to its end: what was acknowledged before the death has been seen.
        while self.exit_code is None:
            with self._lock:
                self.exit_code = self._process.poll()
            if self.exit_code is None:
                time.sleep(0.002)
        self._tools.put(None)
        with self._lock:
            self.is_over = True
            calls, self._calls = list(self._calls.values()), {}
        self.journal.note("end", host=self.number, code=self.exit_code)
        for call in calls:
            call.moved.set()
            call.done.set()
        with self._write_lock:
            self._process.stdin.close()
            self._process.stdout.close()
        self.ended.set()

    def _take(self, message: Object) -> None:
        method = message.get("method")
        if method is None:
            with self._lock:
                call = self._calls.pop(message["id"], None)
            if not call:
                return self.journal.violate(f"host {self.number} answered a request that nobody waits for: {message}")
            if call.watcher:
                call.watcher(message)
            call.result, call.error = message.get("result"), message.get("error")
            if call.method == "initialize" and call.result:
                self.methods = call.result["capabilities"]["methods"]
            self.journal.note("reply", host=self.number, **{key: message[key] for key in message if key != "jsonrpc"})
            call.moved.set()
            call.done.set()
        elif method == "callTool":
            self._tools.put(message)
        elif "requestId" in message["params"]:
            with self._lock:
                call = self._calls.get(message["params"]["requestId"])
            if method != "messageDelta":
                self.journal.note("event", host=self.number, method=method, params=message["params"])
            if call and call.watcher:
                call.watcher(message)
                call.moved.set()
        self._spring(method, is_writing=False)

    def _throw_dice(self) -> None:
        while request := self._tools.get():
            time.sleep(self._random.choice([0, 0, 0.01, 0.1]))
            mood = self._random.random()
            if mood < 0.05:
                continue  # Never answered: the host gives it up.
            succeeds = mood > 0.15
            if succeeds:
                self.journal.note_tool_success(request["params"]["turnId"])
            result = {"content": [{"type": "text", "text": "4" if succeeds else "It fell off the table."}], "isError": not succeeds}
            self._write({"id": request["id"], "result": result}, None)

    # Ending

    def _spring(self, method: str | None, is_writing: bool) -> None:
        trap = self.trap
        if trap and trap.snaps(method, is_writing):
            self.trap = None
            time.sleep(trap.seconds)
            self.kill()

    def signal(self, number: int) -> bool:
        """Sends a signal, if the process has not ended: its id belongs to nobody else before it was waited for."""
        with self._lock:
            if self.exit_code is not None or self._process.poll() is not None:
                return False
            if number == signal.SIGKILL:
                self.was_killed = True
            elif number == signal.SIGTERM:
                self.was_asked_to_end = True
            self._process.send_signal(number)
        return True

    def kill(self) -> bool:
        return self.signal(signal.SIGKILL)

    def end_input(self) -> None:
        """Closes the program's input."""
        self.was_asked_to_end = True
        with self._write_lock:
            if self._process.stdin:
                self._process.stdin.close()
