"""One running `parley serve`, spoken to over its pipes by any number of tasks of one event loop."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .events import Event, frame
from .refusal import Object, Refusal

logger = logging.getLogger("gateway")

# How much is read from the pipe at once.
CHUNK_BYTES = 256 * 1024
# How many turns are remembered as running here. It is only for knowing where a turn's events are to be had at first hand.
MOST_TURNS = 10_000


class HostGone(Exception):
    """The process has ended. `sent` is whether it may have seen the request."""

    def __init__(self, sent: bool) -> None:
        super().__init__("Parley has ended.")
        self.sent = sent


class AttachmentFull(Exception):
    """More came than there was room for: the rest is to be asked for again. `needed` is the size of the event that did not fit, in bytes."""

    def __init__(self, needed: int) -> None:
        super().__init__("The browser has not read what came before.")
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool call that waits for somebody's choice."""

    request_id: Any
    options: list[str]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is not answered."""

    reply: asyncio.Future[Object]
    begins_turn: bool


class Attachment:
    """A turn's events on their way from `attachTurn` to one browser.

    Reading the pipe waits for no browser. So events are kept here, up to a bound. Beyond it the attachment is given up, and whoever takes
    the last event from here attaches again after it: Parley keeps what a turn has said anyway.
    """

    def __init__(self, host: Host, request_id: int, room: int) -> None:
        """room: how many bytes are kept."""
        self._host, self._request_id, self._room = host, request_id, room
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._end: Object | Exception | None = None

    async def take(self, seconds: float) -> list[Event] | None:
        """What has come, as soon as there is something: events, nothing within `seconds`, or None after the last one.

        Raises Refusal if Parley refuses or ends the attachment, AttachmentFull and HostGone when somebody should attach again.
        """
        if not self._events and self._end is None:
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return []
        if self._events:
            events = list(self._events)
            self._events.clear()
            self._bytes = 0
            return events
        if isinstance(self._end, Exception):
            raise self._end
        return None

    def detach(self) -> None:
        """Wants no more events. The turn goes on."""
        if self._end is None:
            self._give_up(0)

    def _put(self, event: Event) -> None:
        if self._end is not None:
            return
        if self._bytes + len(event.frame) > self._room:
            return self._give_up(len(event.frame))
        self._events.append(event)
        self._bytes += len(event.frame)
        self._wake.set()

    def _give_up(self, needed: int) -> None:
        self._finish(AttachmentFull(needed))
        self._host._forget_attachment(self._request_id)

    def _finish(self, end: Object | Exception) -> None:
        if self._end is None:
            self._end = end
            self._wake.set()


class Host:
    """A process of Parley. Begins with `start`; `ended` is set when it has ended, for whatever reason."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._ids = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._attachments: dict[int, Attachment] = {}
        self._approvals: dict[tuple[str, str], Approval] = {}
        self._turns: OrderedDict[str, str] = OrderedDict()
        self.ended = asyncio.Event()
        self.exit_code: int | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, binary: str, arguments: Sequence[str]) -> Host:
        """Starts the program. Raises OSError."""
        # A session of its own, because Ctrl-C in a terminal is for the gateway, which then ends its processes in order.
        process = await asyncio.create_subprocess_exec(
            binary, "serve", *arguments, "--exit-with-parent",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        return cls(process)

    async def initialize(self) -> None:
        """Shakes hands. Raises HostGone, or the Refusal of `initialize`."""
        await self.call(
            "initialize",
            {"protocolVersion": 1, "clientInfo": {"name": "parley-gateway", "version": "1"}, "capabilities": {"approvals": True}},
        )

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return not self.ended.is_set()

    async def call(self, method: str, params: Object, begins_turn: bool = False) -> Object:
        """Sends a request and waits for its result. Raises Refusal and HostGone; to cancel the task ends only the waiting.

        begins_turn: whether the result may tell of a turn that runs in this process from now on.
        """
        if self.ended.is_set():
            raise HostGone(sent=False)
        request_id = next(self._ids)
        line = encode({"id": request_id, "method": method, "params": params})
        future: asyncio.Future[Object] = asyncio.get_running_loop().create_future()
        self._calls[request_id] = Call(future, begins_turn)
        try:
            self._stdin.write(line)
            try:
                await self._stdin.drain()
            except ConnectionError:
                pass  # The process has ended; its reader tells all who wait, this one too.
            return await future
        finally:
            self._calls.pop(request_id, None)

    def attach(self, turn_id: str, after: int, caller: Object, room: int) -> Attachment:
        """Follows a turn, from the event after the one with the number `after`, with so many bytes of room for what waits."""
        request_id = next(self._ids)
        attachment = Attachment(self, request_id, room)
        if self.ended.is_set():
            attachment._finish(HostGone(sent=False))
            return attachment
        self._attachments[request_id] = attachment
        self._notify(
            {"id": request_id, "method": "attachTurn", "params": {"turnId": turn_id, "afterSeq": after, "caller": caller}}
        )
        return attachment

    def runs(self, turn_id: str) -> bool:
        """Whether the turn was begun here and has not ended."""
        return turn_id in self._turns

    def conversation_of(self, turn_id: str) -> str | None:
        return self._turns.get(turn_id)

    def approval(self, turn_id: str, tool_call_id: str) -> Approval | None:
        """The choice that this process waits for, if it does."""
        return self._approvals.get((turn_id, tool_call_id))

    def approve(self, turn_id: str, tool_call_id: str, option: str) -> bool:
        """Answers with what somebody has chosen. Returns false when nobody waits for it any more."""
        approval = self._approvals.pop((turn_id, tool_call_id), None)
        if approval is None or self.ended.is_set():
            return False
        self._notify({"id": approval.request_id, "result": {"option": option}})
        return True

    def kill(self) -> None:
        """Ends a process that does not answer."""
        try:
            self._process.kill()
        except ProcessLookupError:
            pass  # It has ended by itself.

    async def close(self, patience: float) -> int | None:
        """Lets the process end in order, as after SIGTERM, within `patience` seconds. Returns its exit code."""
        try:
            self._process.terminate()
        except ProcessLookupError:
            pass  # It has ended by itself.
        try:
            async with asyncio.timeout(patience):
                await self.ended.wait()
        except TimeoutError:
            logger.error("Parley (process %d) did not end within %g s and is killed.", self.process_id, patience)
            self.kill()
            await self.ended.wait()
        return self.exit_code

    def _notify(self, message: Object) -> None:
        # Without draining: what is sent this way is short, and its number is bounded by the streams and approvals that there are.
        self._stdin.write(encode(message))

    def _forget_attachment(self, request_id: int) -> None:
        if self._attachments.pop(request_id, None) and not self.ended.is_set():
            self._notify({"method": "$/cancelRequest", "params": {"id": request_id}})

    async def _read(self) -> None:
        try:
            # The beginning of a line whose end has not been read.
            parts: list[bytes] = []
            while chunk := await self._stdout.read(CHUNK_BYTES):
                head, *tails = chunk.split(b"\n")
                parts.append(head)
                for tail in tails:
                    line = b"".join(parts)
                    parts = [tail]
                    self._take(json.loads(line))
        except Exception:
            logger.exception("Parley (process %d) said what the gateway does not understand, and is killed.", self.process_id)
            self.kill()
        finally:
            self._stdin.close()
            self.exit_code = await self._process.wait()
            self.ended.set()
            for call in self._calls.values():
                if not call.reply.done():
                    call.reply.set_exception(HostGone(sent=True))
            for attachment in self._attachments.values():
                attachment._finish(HostGone(sent=True))
            self._calls.clear()
            self._attachments.clear()
            self._approvals.clear()
            self._turns.clear()

    def _take(self, message: Object) -> None:
        if "method" not in message:
            self._take_reply(message)
        elif "id" in message:
            self._take_request(message)
        else:
            self._take_notification(message["method"], message["params"])

    def _take_reply(self, message: Object) -> None:
        end: Object | Refusal
        if "error" in message:
            end = Refusal(message["error"]["message"], message["error"].get("data", {}))
        else:
            end = message["result"]
        request_id = message["id"]
        if attachment := self._attachments.pop(request_id, None):
            attachment._finish(end)
        elif call := self._calls.get(request_id):
            if isinstance(end, Refusal):
                if not call.reply.done():
                    call.reply.set_exception(end)
                return
            if call.begins_turn:
                self._remember(end["turn"])
            if not call.reply.done():
                call.reply.set_result(end)
        elif request_id is None:
            logger.error("Parley could not read a line: %s", end)

    def _remember(self, turn: Object) -> None:
        # While the reply is read, and not where it is awaited, because the next line may tell of the turn's end.
        if turn["status"] in ("queued", "inProgress"):
            self._turns[turn["id"]] = turn["conversationId"]
            if len(self._turns) > MOST_TURNS:
                self._turns.popitem(last=False)

    def _take_request(self, message: Object) -> None:
        params = message["params"]
        if message["method"] == "requestApproval":
            self._approvals[params["turnId"], params["toolCallId"]] = Approval(message["id"], params["options"])
        else:
            text = f"The gateway does not answer {message['method']}."
            self._notify({"id": message["id"], "error": {"code": -32601, "message": text}})

    def _take_notification(self, method: str, params: Object) -> None:
        if method == "$/cancelRequest":
            for key, approval in self._approvals.items():
                if approval.request_id == params["id"]:
                    del self._approvals[key]
                    break
            return
        if method == "turnCompleted":
            self._turns.pop(params["turnId"], None)
        # The number is one on this pipe, and nothing to browsers.
        if attachment := self._attachments.get(params.pop("requestId", 0)):
            attachment._put(Event(params["seq"], frame(method, params, params["seq"])))


def encode(message: Object) -> bytes:
    """A message as one line. Raises ValueError for what JSON cannot say: infinite numbers, and halves of surrogate pairs."""
    return json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
