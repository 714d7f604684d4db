"""A client for Parley in one file, typed, without dependencies (Python 3.10 or later): spawn, call, stream, cancel, answer what the host asks.

    from parley import Host

    with Host(caller={"userId": "me"}) as host:
        for event in host.stream("sendMessage", text="Hello!"):
            if event["method"] == "messageDelta":
                print(event["params"]["delta"], end="", flush=True)

The same with asyncio; any number of requests may be under way at once:

    async with AsyncHost(caller={"userId": "me"}) as host:
        async for event in host.stream("sendMessage", text="Hello!"): ...

A tool of the client's own is offered with `setClientTools`, and called through a handler:

    def call_tool(request):
        return tool_result(f"Sunny in {request.params['arguments']['city']}.")

    with Host(handlers={"callTool": call_tool}, on_start=lambda call, ended: call("setClientTools", tools=[…])) as host: ...

With `restart=True` a host that dies is started again, and what was under way goes on where that is possible: see AsyncStream.

Run this file for a short conversation: python3 parley.py [PATH-OF-THE-BINARY]
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import itertools
import json
import os
import signal
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Generic, Iterator, Literal, Mapping
from typing import Sequence, TypedDict, TypeVar, Union, cast

if TYPE_CHECKING:
    from typing import NotRequired, Self

__all__ = [
    "AsyncHost", "AsyncStream", "Bot", "Conversation", "ErrorData", "Event", "Failure", "Host", "HostEnded", "HostRequest", "Message", "Object",
    "ParleyError", "Part", "Stream", "Turn", "Usage", "text_of", "tool_result",
]

# What JSON calls an object.
Object = dict[str, Any]

# How many events may wait for whoever reads a stream; then the deltas that come are joined with those that wait, so that nothing is lost and
# what a slow reader costs is bounded by what the turn says. It holds up neither the other streams nor the host.
MOST_WAITING = 64

# How much of what a host has written to stderr is kept for HostEnded, in bytes.
MOST_LOG = 4096

# How often a start is tried, and how often a request is made again, before that is given up.
MOST_ATTEMPTS = 5

# The first pause between starts, in seconds; each further one is twice as long, up to ten seconds.
SHORTEST_PAUSE = 0.1

# The methods that run a turn: to cancel them is to cancel it.
TURN_METHODS = ("sendMessage", "regenerateMessage", "editMessage")

# What may be asked twice.
HARMLESS_METHODS = (
    "ping", "getStatus", "rpc.discover", "listModels", "listTools", "listCommands", "getQuota", "listConversations", "getConversation",
    "listMessages", "searchConversations", "exportConversation", "listBots", "getBot", "getTurn", "cancelTurn",
)


# What the host says. There may be more members, words, parts and events than these: pass over what you do not know. `parley schema` has all.


class Cost(TypedDict):
    amount: str
    currency: str


class Usage(TypedDict):
    """What the model was sent and said, in tokens."""

    inputTokens: int
    outputTokens: int
    cachedInputTokens: NotRequired[int]
    reasoningTokens: NotRequired[int]
    estimated: NotRequired[bool]
    cost: NotRequired[Cost]


class ErrorData(TypedDict):
    """What a program reads of an error; each code has members of its own beside these."""

    code: str
    httpStatus: int
    retryable: bool
    retryAfterMs: NotRequired[int]


class Failure(TypedDict):
    """Why a request was refused, or a turn failed."""

    code: int
    message: str
    data: ErrorData


class Part(TypedDict):
    """One part of a message; `type` says which of the members it has."""

    type: str
    text: NotRequired[str]
    id: NotRequired[str]
    name: NotRequired[str]
    arguments: NotRequired[Any]
    toolCallId: NotRequired[str]
    status: NotRequired[str]
    data: NotRequired[Any]


class Message(TypedDict):
    id: str
    conversationId: str
    turnId: str
    parentId: NotRequired[str]
    siblingCount: NotRequired[int]
    role: str
    content: list[Part]
    status: str
    local: NotRequired[bool]
    model: NotRequired[str]
    usage: NotRequired[Usage]
    rating: NotRequired[str]
    ratingNote: NotRequired[str]
    createdAt: str


class Turn(TypedDict):
    id: str
    conversationId: str
    local: NotRequired[bool]
    status: str
    stopReason: NotRequired[str]
    error: NotRequired[Failure]
    userMessageId: str
    messageId: NotRequired[str]
    usage: NotRequired[Usage]
    context: NotRequired[Object]
    quota: NotRequired[Object]
    createdAt: str
    completedAt: NotRequired[str]


class Conversation(TypedDict):
    id: str
    title: str
    botId: NotRequired[str]
    pinned: bool
    archived: bool
    metadata: Object
    headMessageId: NotRequired[str]
    messageCount: int
    activeTurnId: NotRequired[str]
    usage: NotRequired[Usage]
    createdAt: str
    updatedAt: str


class Bot(TypedDict):
    id: str
    name: str
    description: str
    instructions: NotRequired[str]
    model: NotRequired[str]
    fallbackModels: NotRequired[list[str]]
    temperature: NotRequired[float]
    tools: NotRequired[list[str]]
    config: NotRequired[Object]
    visibility: str
    revision: int
    createdAt: str
    updatedAt: str


class ToolCall(TypedDict):
    id: str
    name: str
    arguments: Any
    source: NotRequired[str]


class TurnParams(TypedDict):
    """What every event has."""

    conversationId: str
    turnId: str
    requestId: int
    seq: int


class TurnQueuedParams(TurnParams):
    turn: Turn
    position: int


class TurnStartedParams(TurnParams):
    turn: Turn
    userMessage: Message


class DeltaParams(TurnParams):
    fromSeq: NotRequired[int]
    messageId: str
    delta: str


class ToolCallStartedParams(TurnParams):
    toolCall: ToolCall


class ToolCallCompletedParams(TurnParams):
    toolCallId: str
    status: str
    durationMs: int
    text: str
    data: NotRequired[Any]


class ApprovalRequestedParams(TurnParams):
    toolCall: ToolCall
    options: list[str]


class ApprovalResolvedParams(TurnParams):
    toolCallId: str
    option: str


class RetryScheduledParams(TurnParams):
    attempt: int
    maxAttempts: int
    delayMs: int
    error: Failure
    model: NotRequired[str]


class QuotaWarningParams(TurnParams):
    scope: str
    unit: str
    remaining: int
    message: str


class TurnSnapshotParams(TurnParams):
    """Replaces all that was told of the turn before."""

    turn: Turn
    messages: list[Message]


class TurnCompletedParams(TurnParams):
    turn: Turn
    message: NotRequired[Message]


if TYPE_CHECKING:
    MethodName = TypeVar("MethodName")
    Params = TypeVar("Params")

    class Notification(TypedDict, Generic[MethodName, Params]):
        method: MethodName
        params: Params

    # A type checker knows the params from a comparison of the method.
    Event = Union[
        Notification[Literal["turnQueued"], TurnQueuedParams],
        Notification[Literal["turnStarted"], TurnStartedParams],
        Notification[Literal["reasoningDelta"], DeltaParams],
        Notification[Literal["messageDelta"], DeltaParams],
        Notification[Literal["toolCallStarted"], ToolCallStartedParams],
        Notification[Literal["toolCallCompleted"], ToolCallCompletedParams],
        Notification[Literal["approvalRequested"], ApprovalRequestedParams],
        Notification[Literal["approvalResolved"], ApprovalResolvedParams],
        Notification[Literal["retryScheduled"], RetryScheduledParams],
        Notification[Literal["quotaWarning"], QuotaWarningParams],
        Notification[Literal["turnSnapshot"], TurnSnapshotParams],
        Notification[Literal["turnCompleted"], TurnCompletedParams],
    ]
else:
    Event = Object


def text_of(message: Message | None) -> str:
    """What a message says, without thoughts and tool calls; nothing for no message."""
    return "".join(part.get("text", "") for part in (message or {"content": []})["content"] if part["type"] == "text")


def tool_result(text: str, data: Any = None, is_error: bool = False) -> Object:
    """What a handler of `callTool` returns: `text` for the model, `data` for whoever shows the call to people."""
    result: Object = {"content": [{"type": "text", "text": text}], "isError": is_error}
    return result if data is None else {**result, "data": data}


class ParleyError(Exception):
    """A refusal. `code` is what to match ("notFound", "conversationBusy", …); `data` has the rest."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.data: Object = error.get("data", {})

    @property
    def code(self) -> str:
        return str(self.data.get("code", "internalError"))

    @property
    def http_status(self) -> int:
        """What a web gateway would answer."""
        return int(self.data.get("httpStatus", 500))

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return bool(self.data.get("retryable", False))

    @property
    def retry_after_ms(self) -> int | None:
        """When it is worth trying again; None when unknown."""
        return self.data.get("retryAfterMs")


class HostEnded(ParleyError):
    """There is no host: it has died, could not be started, or was closed. The code is "ended", which no host says.

    `exit_code` is as in `subprocess` (negative for a signal), None where nothing was started; `log` is the end of what it wrote to stderr.
    Whether a request that was under way had an effect is not known: `clientMessageId` and `clientRequestId` make it safe to send it again.
    """

    def __init__(self, message: str, exit_code: int | None = None, log: str = "") -> None:
        # To start it again with wrong settings or flags does not help.
        is_hopeless = exit_code in (64, 78)
        super().__init__({"message": message, "data": {"code": "ended", "httpStatus": 503, "retryable": not is_hopeless}})
        self.exit_code = exit_code
        self.log = log


class HostRequest:
    """What the host asks of this client: `callTool`, or `requestApproval`; `params` is as in their schemas.

    `cancelled` is set when the host has stopped waiting; what is answered afterwards is passed over. A handler that takes long looks at it
    now and then, or waits on it. A coroutine need not: it is cancelled.
    """

    def __init__(self, method: str, params: Object) -> None:
        self.method = method
        self.params = params
        self.cancelled = threading.Event()


# Answers a request of the host with its result. An exception becomes an error, of which the host tells the model.
Handler = Callable[[HostRequest], Object]
AsyncHandler = Callable[[HostRequest], Awaitable[Object]]

# Sends a request and gives its result, like `Host.call`.
Call = Callable[..., Object]
AsyncCall = Callable[..., Awaitable[Object]]

T = TypeVar("T")


class AsyncStream:
    """One request: its events, in order, and its result, or its error, once they have ended.

    Iterate to follow the events, `await` it for the result; whoever does both gets the result of the same request. One task reads a stream. To
    wait for the next event with a time limit loses none.

    Where the host restarts, a stream outlives a death of the process: a turn that is known is followed on with `attachTurn` (events that were
    missed come joined, or a `turnSnapshot` stands for them), a message with a `clientMessageId` and a creation with a `clientRequestId` are
    sent again, as is what does no harm. The result of a turn that was followed on has `turn` and `message` alone. All others end with HostEnded.
    """

    def __init__(self, host: AsyncHost, method: str, params: Object) -> None:
        self.method, self.params = method, params
        # Known from the first event on.
        self.turn_id: str | None = params.get("turnId")
        # The `seq` of the last event that was read; `attachTurn {afterSeq}` goes on from there.
        self.seq: int = params.get("afterSeq") or 0
        self.result: Object | None = None
        self._host = host
        self._error: ParleyError | None = None
        self._waiting: collections.deque[Object] = collections.deque()
        # The texts that are still to be joined to the last event that waits.
        self._pieces: list[str] = []
        self._news = asyncio.Event()
        self._is_detached = False
        self._is_cancelled = False
        # What was sent in the end, which after a death is not what was asked; and whether its result only says which turn to follow.
        self._request: tuple[str, Object] = (method, params)
        self._finds_turn = False
        self._received = self.seq
        self._attempts = 0
        self._child: _Child | None = None
        self._id = 0

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._next()
        if event is None:
            raise StopAsyncIteration
        return event

    def __await__(self) -> Generator[Any, None, Object]:
        return self.wait().__await__()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.detach()

    async def wait(self) -> Object:
        """Reads to the end and returns the result. Raises ParleyError."""
        while await self._next() is not None:
            pass
        assert self.result is not None
        return self.result

    def cancel(self) -> None:
        """Asks for an early end: a turn ends and keeps what was said, and the stream goes on to its end, which comes soon.

        Of `attachTurn` it ends the stream alone, with a ParleyError whose code is "cancelled"; the turn goes on.
        """
        if self.result is not None or self._error:
            return
        self._is_cancelled = True
        if self._host._forget(self):
            self._fail(ParleyError({"message": "The request was cancelled.", "data": {"code": "cancelled", "httpStatus": 499}}))
        elif self.method in TURN_METHODS and self._request[0] not in TURN_METHODS:
            self._cancel_turn()
        elif self._child:
            self._child.notify("$/cancelRequest", {"id": self._id})

    def detach(self) -> None:
        """Loses interest: no more events come. A turn goes on; a request that runs none is cancelled if it still waits."""
        if self._is_detached or self.result is not None or self._error:
            return
        self._is_detached = True
        self._waiting.clear()
        self._pieces.clear()
        if self._request[0] not in TURN_METHODS:
            self.cancel()

    async def _next(self) -> Event | None:
        if self._child:
            await self._child.drain()
        while not self._waiting:
            if self._error:
                raise self._error
            if self.result is not None:
                return None
            self._news.clear()
            await self._news.wait()
        if len(self._waiting) == 1:
            self._join_pieces()
        event = self._waiting.popleft()
        self.seq = event["params"].get("seq", self.seq)
        return cast(Event, event)

    # What follows is called by the host, between two awaits of whoever reads.

    def _take_event(self, event: Object) -> None:
        params = event["params"]
        self.turn_id, self._received = params.get("turnId", self.turn_id), params.get("seq", self._received)
        self._attempts = 0
        is_delta = event["method"] in ("messageDelta", "reasoningDelta")
        # `attachTurn` cannot leave out what this request had left out.
        if self._is_detached or (is_delta and self.params.get("stream") is False):
            return
        last = self._waiting[-1] if len(self._waiting) >= MOST_WAITING else None
        if last and is_delta and last["method"] == event["method"] and last["params"]["messageId"] == params["messageId"]:
            last["params"].setdefault("fromSeq", last["params"]["seq"])
            last["params"]["seq"] = params["seq"]
            self._pieces.append(params["delta"])
            return
        self._join_pieces()
        if last and last["method"] == event["method"] == "turnSnapshot":
            self._waiting.pop()
        self._waiting.append(event)
        self._news.set()

    def _join_pieces(self) -> None:
        if self._pieces:
            last = self._waiting[-1]["params"]
            last["delta"] += "".join(self._pieces)
            self._pieces.clear()

    def _succeed(self, result: Object) -> None:
        self._child = None
        if self._finds_turn:
            self.turn_id = result["turn"]["id"]
            self._follow_turn()
            self._host._submit(self)
            return
        self.result = result
        self._news.set()

    def _fail(self, error: ParleyError) -> None:
        self._child = None
        self._error = error
        self._news.set()

    def _follow_turn(self) -> None:
        """From now on the request is to attach to the turn, which a cancel of it would not end."""
        asked = self.params if self.method == "attachTurn" else self._caller()
        self._request, self._finds_turn = ("attachTurn", {**asked, "turnId": self.turn_id, "afterSeq": self._received}), False
        if self._is_cancelled and self.method in TURN_METHODS:
            self._cancel_turn()

    def _cancel_turn(self) -> None:
        self._host._submit(AsyncStream(self._host, "cancelTurn", {"turnId": self.turn_id, **self._caller()}))

    def _caller(self) -> Object:
        return {"caller": self.params["caller"]} if self.params.get("caller") else {}

    def _can_go_on(self) -> bool:
        """Whether the request can be made again, of another process, as `_request` then says."""
        self._child = None
        self._attempts += 1
        has_caller = bool(self.params.get("caller") or self._host.caller)
        if self._is_detached or self._attempts > MOST_ATTEMPTS:
            return False
        if self.method == "attachTurn" or (self.method in TURN_METHODS and self.turn_id and has_caller):
            self._follow_turn()
            return True
        if self.method in TURN_METHODS:
            # A repeat has no events of its own: it only tells which turn it is.
            self._finds_turn = self.params.get("wait") is not False
            self._request = (self.method, {**self.params, "wait": False})
            return bool(self.params.get("clientMessageId")) and has_caller
        return self.method in HARMLESS_METHODS or (bool(self.params.get("clientRequestId")) and has_caller)


class _Child:
    """One process of the host, from its start to its end: lines go in; answers, events and the host's own requests come out."""

    def __init__(self, host: AsyncHost) -> None:
        self.ended: HostEnded | None = None
        self._host = host
        self._streams: dict[int, AsyncStream] = {}
        self._asked: dict[Any, tuple[HostRequest, asyncio.Task[None]]] = {}
        self._log = bytearray()
        self._fault = ""
        self._process: asyncio.subprocess.Process | None = None
        self._began = asyncio.get_running_loop().time()

    async def start(self) -> Object:
        """Starts the process and returns what it says of itself. Raises HostEnded."""
        command = [self._host.binary, "serve", *self._host.arguments]
        pipe = asyncio.subprocess.PIPE
        # In a session of its own: Ctrl-C is for this program, which then decides what becomes of the turns.
        starting = asyncio.create_task(
            asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True), name="parley start"
        )
        starting.add_done_callback(self._hold)
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Half a start cannot be taken back.
            await asyncio.wait([starting])
            raise
        except OSError as error:
            self.ended = HostEnded(f"{self._host.binary} could not be started: {error.strerror}")
            raise self.ended from None
        server = await self.call(
            "initialize",
            protocolVersion=1,
            clientInfo={"name": "parley.py", "version": "1"},
            capabilities={"approvals": "requestApproval" in self._host.handlers},
            **({"defaultCaller": self._host.caller} if self._host.caller else {}),
        )
        if self._host.on_start:
            await self._host.on_start(self.call, self._host.ended)
        return server

    def _hold(self, starting: asyncio.Task[asyncio.subprocess.Process]) -> None:
        if starting.cancelled() or starting.exception():
            return
        process = starting.result()
        assert process.stdin and process.stdout and process.stderr
        self._process, self._input = process, process.stdin
        self._reading = asyncio.create_task(self._read(process, process.stdout, process.stderr))

    async def call(self, method: str, /, **params: Any) -> Object:
        """Like AsyncHost.call, but of this very process."""
        stream = AsyncStream(self._host, method, params)
        # Of another process it is not made again: that one is started from the beginning.
        stream._attempts = MOST_ATTEMPTS
        if self.ended:
            raise self.ended
        self.send(stream)
        return await stream

    def send(self, stream: AsyncStream) -> None:
        """Sends a stream's request. What cannot be sent fails."""
        method, params = stream._request
        request_id = next(self._host._ids)
        line = _encode({"id": request_id, "method": method, "params": params})
        limit = self._host.limits.get("maxLineBytes")
        if limit is not None and len(line) > limit + 1:
            # The host would not say to which request it answers that.
            data = {"code": "inputTooLarge", "httpStatus": 413, "retryable": False, "limit": limit}
            stream._fail(ParleyError({"message": f"A line of {len(line)} bytes is longer than {limit}.", "data": data}))
            return
        stream._child, stream._id = self, request_id
        self._streams[request_id] = stream
        self._write(line)

    def notify(self, method: str, params: Object) -> None:
        self._write(_encode({"method": method, "params": params}))

    async def drain(self) -> None:
        """Waits until the process has read most of what was written."""
        try:
            await self._input.drain()
        except ConnectionError:
            pass  # It has ended, which the reader tells to all who wait.

    async def close(self, patience: float) -> int:
        """As AsyncHost.close says. Returns the exit code."""
        process = self._process
        if not process:
            return -1
        if patience <= 0:
            for stream in list(self._streams.values()):
                if stream.method in TURN_METHODS:
                    stream.cancel()
        self._input.close()
        for sign, seconds in [(signal.SIGTERM, patience), (signal.SIGKILL, 10.0)]:
            if not self._reading.done():
                await asyncio.wait([self._reading], timeout=seconds)
            if not self._reading.done():
                self._signal(sign)
        await self._reading
        assert process.returncode is not None
        return process.returncode

    @property
    def seconds(self) -> float:
        """How long it has been there."""
        return asyncio.get_running_loop().time() - self._began

    def _signal(self, sign: signal.Signals) -> None:
        # Not by asyncio, which looks first whether the process has ended, and thereby takes the exit code from whoever waits for it.
        if self._process and self._process.returncode is None:
            try:
                os.kill(self._process.pid, sign)
            except ProcessLookupError:
                pass  # It has just ended.

    def _write(self, line: bytes) -> None:
        if not self.ended and not self._input.is_closing():
            self._input.write(line)

    async def _read(self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, errors: asyncio.StreamReader) -> None:
        draining = asyncio.create_task(self._drain_log(errors))
        begun: list[bytes] = []
        # Splitting on b"\n" alone: a JSON text may hold other line separators.
        while chunk := await output.read(1 << 16):
            first, *rest = chunk.split(b"\n")
            begun.append(first)
            for piece in rest:
                self._take(b"".join(begun))
                begun = [piece]
        try:
            await asyncio.wait_for(process.wait(), 10)
        except asyncio.TimeoutError:
            self._signal(signal.SIGKILL)
            await process.wait()
        # Not for ever, for another process may have inherited it.
        await asyncio.wait([draining], timeout=1)
        draining.cancel()
        self._input.close()
        try:
            await asyncio.wait_for(self._input.wait_closed(), 1)
        except (ConnectionError, asyncio.TimeoutError):
            pass  # It has not read everything, and never will.
        code = process.returncode
        log = self._log[-MOST_LOG:].decode(errors="replace").strip()
        how = f"with exit code {code}" if code is None or code >= 0 else f"killed by {signal.Signals(-code).name}"
        self.ended = HostEnded(f"Parley has ended, {how}{self._fault}{': ' + log if log else '.'}", code, log)
        for request, task in self._asked.values():
            request.cancelled.set()
            task.cancel()
        self._asked.clear()
        streams = list(self._streams.values())
        self._streams.clear()
        self._host._lose(self, streams, self.ended)

    async def _drain_log(self, errors: asyncio.StreamReader) -> None:
        while chunk := await errors.read(1 << 16):
            self._log += chunk
            del self._log[: -2 * MOST_LOG]
            if self._host.log:
                try:
                    self._host.log(chunk.decode(errors="replace"))
                except Exception as error:
                    # Going on, for the process would stand still when nobody read what it writes.
                    asyncio.get_running_loop().call_exception_handler({"message": "log has failed", "exception": error})

    def _take(self, line: bytes) -> None:
        try:
            message: Object = json.loads(line, parse_int=_integer, parse_float=_float)
            params: Object = message.get("params", {})
            if "method" not in message:
                stream = self._streams.pop(message["id"], None)
                if stream and "error" in message:
                    stream._fail(ParleyError(message["error"]))
                elif stream:
                    stream._succeed(message["result"])
            elif "id" in message:
                self._begin(message["id"], HostRequest(message["method"], params))
            elif message["method"] == "$/cancelRequest":
                request, task = self._asked.pop(params["id"], (None, None))
                if request and task:
                    request.cancelled.set()
                    task.cancel()
            elif stream := self._streams.get(params.get("requestId", 0)):
                stream._take_event(message)
        except Exception as error:
            if not self._fault and self._process and self._process.returncode is None:
                self._fault = f", having written what is no message of the protocol ({line[:80].decode(errors='replace')!r}: {error!r})"
                self._signal(signal.SIGKILL)

    def _begin(self, request_id: Any, request: HostRequest) -> None:
        self._asked[request_id] = (request, asyncio.create_task(self._answer(request_id, request)))

    async def _answer(self, request_id: Any, request: HostRequest) -> None:
        def refusal(code: int, message: str) -> bytes:
            return _encode({"id": request_id, "error": {"code": code, "message": message}})

        handler = self._host.handlers.get(request.method)
        if handler:
            try:
                line = _encode({"id": request_id, "result": await handler(request)})
            except Exception as error:
                line = refusal(-32000, str(error) or type(error).__name__)
        else:
            line = refusal(-32601, f"This client does not answer {request.method}.")
        if self._asked.pop(request_id, None):
            self._write(line)
            await self.drain()


class AsyncHost:
    """A running `parley serve`, for asyncio. Start it with `async with`, or `start` and `close`.

    Everything happens in one event loop, and any number of requests may be under way. A slow reader of one stream holds up nobody.
    """

    def __init__(
        self,
        arguments: Sequence[str] = (),
        binary: str = "parley",
        caller: Object | None = None,
        handlers: Mapping[str, AsyncHandler] | None = None,
        on_start: Callable[[AsyncCall, HostEnded | None], Awaitable[object]] | None = None,
        restart: bool = False,
        log: Callable[[str], object] | None = None,
    ) -> None:
        """Sets it up; nothing is started yet.

        arguments: flags of `parley serve`, for example ["--database", "chats.db"].
        caller: whom requests act for unless they say otherwise, for example {"userId": "me"}.
        handlers: what answers the host's requests, by method. Calls of one step come side by side; a handler may use this client.
        on_start: called at each start before all other requests, to offer tools for example, with what calls the new process, and, after a
            death, how the one before has ended. When it raises, the start has failed.
        restart: whether a process that has died is started again, and what was under way goes on, as AsyncStream says. A start that fails is
            tried five times within two seconds, then at the next request; after one that dies soon there is a pause, of ten seconds at most.
        log: takes what the process writes to stderr, as it comes; without, only its end is kept, for HostEnded.
        """
        self.arguments, self.binary, self.caller, self.handlers = tuple(arguments), binary, caller, dict(handlers or {})
        self.on_start, self.restart, self.log = on_start, restart, log
        # What the host says of itself: serverInfo, capabilities, limits; and how the process before this one has ended.
        self.server: Object = {}
        self.ended: HostEnded | None = None
        self._has_ended = asyncio.Event()
        self._ids = itertools.count(1)
        self._child: _Child | None = None
        self._unsent: list[AsyncStream] = []
        self._starting: asyncio.Task[ParleyError | None] | None = None
        self._is_closed = False
        # How many processes have ended soon after their start, one after the other.
        self._short_lives = 0

    @property
    def limits(self) -> Object:
        """The bounds that a client may run into, by name."""
        return cast(Object, self.server.get("limits", {}))

    @property
    def process_id(self) -> int | None:
        """The id of the process; None while there is none."""
        return self._child._process.pid if self._child and self._child._process else None

    async def start(self) -> Self:
        """Starts the process. Raises HostEnded, which says why it has ended, or what `on_start` was refused with."""
        if not self._child:
            try:
                error = await asyncio.shield(self._begin_start())
            except BaseException:
                await self.close(0)
                raise
            if error:
                raise error
        return self

    async def wait_ended(self) -> HostEnded:
        """Waits until the process has ended, if there is one. Returns how the last one has."""
        await self._has_ended.wait()
        assert self.ended
        return self.ended

    async def close(self, patience: float = 30) -> int:
        """Ends the input, lets running turns finish, and waits for the end of the process. Returns its exit code.

        After `patience` seconds it is asked to end at once (SIGTERM, which gives turns a few seconds more), and ten seconds later killed. With
        a patience of 0, which is what Ctrl-C leaves, the turns that somebody waits for are cancelled before.
        """
        self._is_closed = True
        if self._starting and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        closed = HostEnded("The host was closed.")
        for stream in self._take_unsent():
            stream._fail(closed)
        if self._child:
            return await self._child.close(patience)
        return self.ended.exit_code or 0 if self.ended else 0

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.close(_patience(kind))

    async def call(self, method: str, /, **params: Any) -> Object:
        """Sends a request and waits for its result. Raises ParleyError. When the task is cancelled, so is the request, but never a turn."""
        stream = self.stream(method, **params)
        try:
            return await stream
        finally:
            stream.detach()

    def stream(self, method: str, /, **params: Any) -> AsyncStream:
        """Sends a request and returns its AsyncStream of events: of `sendMessage`, or of `attachTurn`, which follows a turn that has begun.

        Requests are sent in the order of these calls. With `wait: false` the stream ends with the reply; `attachTurn` follows the turn then.
        """
        if not self._child:
            # It fails when a parameter is no JSON, as it does below where there is a process.
            _encode(params)
        stream = AsyncStream(self, method, params)
        if method == "shutdown":
            self.restart = False
        self._submit(stream)
        return stream

    def notify(self, method: str, /, **params: Any) -> None:
        """Sends a notification, if there is a process."""
        if self._child:
            self._child.notify(method, params)

    def _submit(self, stream: AsyncStream) -> None:
        if self._is_closed:
            stream._fail(HostEnded("The host was closed."))
        elif self._child:
            self._child.send(stream)
        elif self.ended and not self.restart:
            stream._fail(self.ended)
        else:
            self._unsent.append(stream)
            self._begin_start()

    def _forget(self, stream: AsyncStream) -> bool:
        """Takes back a request that was not sent yet. Returns whether it was such."""
        if stream in self._unsent:
            self._unsent.remove(stream)
            return True
        return False

    def _take_unsent(self) -> list[AsyncStream]:
        streams, self._unsent = self._unsent, []
        return streams

    def _lose(self, child: _Child, streams: list[AsyncStream], ended: HostEnded) -> None:
        """Called when a process has ended, with the requests that it has left unanswered."""
        if self._child is child:
            self._child = None
            self._short_lives = self._short_lives + 1 if child.seconds < 10 else 0
        self.ended = ended
        self._has_ended.set()
        for stream in streams:
            if self.restart and not self._is_closed and stream._can_go_on():
                self._submit(stream)
            else:
                stream._fail(ended)
        if self.restart and not self._is_closed and ended.retryable:
            self._begin_start()

    def _begin_start(self) -> asyncio.Task[ParleyError | None]:
        if not self._starting or self._starting.done():
            self._starting = asyncio.create_task(self._start())
        return self._starting

    async def _start(self) -> ParleyError | None:
        """Starts a process and sends what has waited for it. Returns why there is none."""
        delay = SHORTEST_PAUSE
        if self._short_lives > 1:
            await asyncio.sleep(min(delay * 2**self._short_lives, 10))
        for attempt in range(1, MOST_ATTEMPTS + 1):
            child = _Child(self)
            try:
                self.server = await child.start()
                self._child = child
                self._has_ended.clear()
                for stream in self._take_unsent():
                    child.send(stream)
                return None
            except ParleyError as error:
                await child.close(0)
                failure = error
            except Exception as error:
                await child.close(0)
                failure = HostEnded(f"on_start has failed: {error!r}")
                failure.__cause__ = error
                break
            except BaseException:
                await child.close(0)
                raise
            if not self.restart or not failure.retryable or attempt == MOST_ATTEMPTS:
                break
            await asyncio.sleep(delay)
            delay *= 2
        for stream in self._take_unsent():
            stream._fail(failure)
        return failure


class Stream:
    """An AsyncStream for those who wait: its events, in order, and its result once they have ended.

    Iterating raises ParleyError if the request is refused.
    """

    def __init__(self, host: Host, stream: AsyncStream) -> None:
        self._host, self._stream = host, stream

    @property
    def turn_id(self) -> str | None:
        """The turn; known from the first event on."""
        return self._stream.turn_id

    @property
    def seq(self) -> int:
        """The number of the last event that was read."""
        return self._stream.seq

    @property
    def result(self) -> Object | None:
        """The result, once the events have ended."""
        return self._stream.result

    def __iter__(self) -> Iterator[Event]:
        while (event := self._host._run(self._stream._next())) is not None:
            yield event

    def wait(self) -> Object:
        """Reads to the end and returns the result."""
        return self._host._run(self._stream.wait())

    def cancel(self) -> None:
        """As AsyncStream.cancel says. Safe at any time, from any thread."""
        self._host._post(self._stream.cancel)

    def detach(self) -> None:
        """As AsyncStream.detach says. Safe at any time, from any thread."""
        self._host._post(self._stream.detach)


class Host:
    """An AsyncHost for those who wait: a running `parley serve`, spoken to from any number of threads."""

    def __init__(
        self,
        arguments: Sequence[str] = (),
        binary: str = "parley",
        caller: Object | None = None,
        handlers: Mapping[str, Handler] | None = None,
        on_start: Callable[[Call, HostEnded | None], object] | None = None,
        restart: bool = False,
        log: Callable[[str], object] | None = None,
    ) -> None:
        """Starts the program. The parameters are as AsyncHost says.

        Each request of the host is handled, and `on_start` called, on a thread of its own. `log` is called on this client's thread, and must
        not use the client.
        """
        self._exit_code: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="parley", daemon=True)
        self._thread.start()

        async def begin(call: AsyncCall, ended: HostEnded | None) -> None:
            def wait(method: str, **params: Any) -> Object:
                return asyncio.run_coroutine_threadsafe(cast(Coroutine[Any, Any, Object], call(method, **params)), self._loop).result()

            if on_start:
                await _on_thread("on_start", on_start, wait, ended)

        def on_thread(handler: Handler) -> AsyncHandler:
            return lambda request: _on_thread(request.method, handler, request)

        by_method = {method: on_thread(handler) for method, handler in (handlers or {}).items()}
        self._host = AsyncHost(arguments, binary, caller, by_method, begin, restart, log)
        try:
            self._run(self._host.start())
        except BaseException:
            self.close(patience=0)
            raise

    @property
    def server(self) -> Object:
        """What the host says of itself: serverInfo, capabilities, limits."""
        return self._host.server

    @property
    def process_id(self) -> int | None:
        """The id of the process; None while there is none."""
        return self._host.process_id

    def call(self, method: str, /, **params: Any) -> Object:
        """Sends a request and waits for its result. Raises ParleyError."""
        return self._run(self._host.call(method, **params))

    def stream(self, method: str, /, **params: Any) -> Stream:
        """Sends a request and returns its Stream of events: of `sendMessage`, or of `attachTurn`, which follows a turn that has begun."""

        async def begin() -> AsyncStream:
            return self._host.stream(method, **params)

        return Stream(self, self._run(begin()))

    def notify(self, method: str, /, **params: Any) -> None:
        """Sends a notification."""
        self._post(lambda: self._host.notify(method, **params))

    def close(self, patience: float = 30) -> int:
        """As AsyncHost.close says. Returns the exit code; again, when it is called again."""
        if self._exit_code is None:
            self._exit_code = self._run(self._host.close(patience))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        return self._exit_code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.close(_patience(kind))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Lets the client's thread do something, and waits for what it returns or raises."""
        if self._exit_code is not None:
            work.close()
            raise HostEnded("The host was closed.")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise HostEnded("The host was closed.") from None
        finally:
            # Where Ctrl-C has come between.
            future.cancel()

    def _post(self, work: Callable[[], object]) -> None:
        """Lets the client's thread do something, soon."""
        if self._exit_code is None:
            self._loop.call_soon_threadsafe(work)


async def _on_thread(name: str, function: Callable[..., T], *arguments: object) -> T:
    """Calls a function on a thread of its own, because it may wait for others of its kind."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Callable[[], T]] = loop.create_future()

    def tell(outcome: Callable[[], T]) -> None:
        if not done.done():
            done.set_result(outcome)

    def run() -> None:
        try:
            value = function(*arguments)
            outcome: Callable[[], T] = lambda: value
        except BaseException as error:
            outcome = _raiser(error)
        try:
            loop.call_soon_threadsafe(tell, outcome)
        except RuntimeError:
            pass  # The host was closed; nobody waits.

    threading.Thread(target=run, name=name, daemon=True).start()
    return (await done)()


def _raiser(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def _patience(kind: type[BaseException] | None) -> float:
    """How many seconds a host gets to finish its turns: none when the program was told to stop."""
    return 30 if kind is None or issubclass(kind, Exception) else 0


def _integer(text: str) -> int | float:
    # Of more digits Python makes no int: a model may have written them, for its tool call.
    return int(text) if len(text) < 4300 else _float(text)


def _float(text: str) -> float:
    # Never the infinite, which could not be said again as JSON.
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))


def _encode(message: Object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def main() -> int:
    """Holds a short conversation. Returns the exit code."""
    binary = sys.argv[1] if len(sys.argv) > 1 else "parley"
    try:
        with Host(["--database", ":memory:"], binary=binary, caller={"userId": "me"}) as host:
            converse(host)
    except HostEnded as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def converse(host: Host) -> None:
    """Shows three turns, one that is stopped, and a refusal."""
    model = next(model for model in host.call("listModels")["data"] if model["default"])
    print(f"Parley {host.server['serverInfo']['version']}, answering with {model['id']}\n")

    target: Object = {}
    for text in ["Hello! I am planning a trip to Lisbon.", "What did I tell you?", "Please create a bot named Ada that knows Lisbon."]:
        print(f"you     {text}")
        print("parley  ", end="", flush=True)
        stream = host.stream("sendMessage", text=text, **target)
        for event in stream:
            if event["method"] == "messageDelta":
                print(event["params"]["delta"], end="", flush=True)
            elif event["method"] == "toolCallStarted":
                print(f"[{event['params']['toolCall']['name']}] ", end="", flush=True)
        turn: Turn = stream.wait()["turn"]
        target = {"conversationId": turn["conversationId"]}
        print("" if turn["status"] == "completed" else f" [{turn['status']}: {turn['error']['message'] if 'error' in turn else ''}]")
        print()

    stream = host.stream("sendMessage", text="And now something that I stop.", **target)
    for event in stream:
        if event["method"] == "messageDelta":
            stream.cancel()
    status = stream.wait()["turn"]["status"]
    print(f"the last turn was {status}" + (" before the wish to stop it came" if status == "completed" else ""))

    try:
        host.call("getConversation", conversationId="no-such-conversation")
    except ParleyError as error:
        print(f"a wrong id is refused: {error.code}: {error}")


if __name__ == "__main__":
    sys.exit(main())
