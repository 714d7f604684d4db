"""A client for Parley in one file, without dependencies: spawn, call, stream, cancel, and answer what the host asks.

    from parley import Parley

    with Parley(caller={"userId": "me"}) as parley:
        for event in parley.stream("sendMessage", text="Hello!"):
            if event["method"] == "messageDelta":
                print(event["params"]["delta"], end="", flush=True)

A tool of the client's own is offered with `setClientTools`, and called through a handler:

    def call_tool(request):
        return tool_result(f"Sunny in {request.params['arguments']['city']}.")

    with Parley(handlers={"callTool": call_tool}) as parley:
        parley.call("setClientTools", tools=[{"name": "weather", "description": …, "inputSchema": {…}}])

Run this file for a short conversation: python3 parley.py [PATH-OF-THE-BINARY]
"""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
from typing import Any, Callable, Iterator, Mapping, Sequence

# What JSON calls an object.
Object = dict[str, Any]


class ParleyError(Exception):
    """A refusal. `code` is what to match ("notFound", "conversationBusy", …); `data` has the rest."""

    def __init__(self, error: Object) -> None:
        super().__init__(error["message"])
        self.data: Object = error.get("data", {})
        self.code: str = self.data.get("code", "internalError")


class HostRequest:
    """What the host asks of this client: `callTool`, or `requestApproval`; `params` is as in their schemas.

    `cancelled` is set when the host has stopped waiting. Whoever handles something that takes long looks at it now and then, or waits on
    it; what is answered afterwards is passed over.
    """

    def __init__(self, method: str, params: Object) -> None:
        self.method = method
        self.params = params
        self.cancelled = threading.Event()


# Answers a request of the host with its result. An exception becomes an error, of which the host tells the model.
Handler = Callable[[HostRequest], Object]


def tool_result(text: str, data: Any = None, is_error: bool = False) -> Object:
    """What a handler of `callTool` returns: `text` for the model, `data` for whoever shows the call to people."""
    result: Object = {"content": [{"type": "text", "text": text}], "isError": is_error}
    return result if data is None else {**result, "data": data}


class Stream:
    """The events of one request, in order, and its result once they have ended.

    Iterating raises ParleyError if the request is refused. `turn_id` is known from the first event on.
    """

    def __init__(self, parley: Parley, request_id: int) -> None:
        self._parley = parley
        self._events: queue.SimpleQueue[Object] = queue.SimpleQueue()
        self._error: ParleyError | None = None
        self.request_id = request_id
        self.turn_id: str | None = None
        self.result: Object | None = None

    def __iter__(self) -> Iterator[Object]:
        while self.result is None:
            if self._error:
                raise self._error
            message = self._events.get()
            if "method" in message:
                self.turn_id = message["params"].get("turnId", self.turn_id)
                yield message
            elif "error" in message:
                self._error = ParleyError(message["error"])
            else:
                self.result = message["result"]

    def wait(self) -> Object:
        """Reads to the end and returns the result."""
        for _ in self:
            pass
        assert self.result is not None
        return self.result

    def cancel(self) -> None:
        """Asks for an early end; what was said so far is kept, and the stream ends by itself. Safe at any time, from any thread.

        Of `attachTurn` it ends the stream alone, with a ParleyError whose code is "cancelled"; the turn goes on.
        """
        self._parley.notify("$/cancelRequest", id=self.request_id)


class Parley:
    """A running `parley serve`, spoken to from any number of threads."""

    def __init__(
        self,
        arguments: Sequence[str] = (),
        binary: str = "parley",
        caller: Object | None = None,
        stderr: Any = None,
        handlers: Mapping[str, Handler] | None = None,
    ) -> None:
        """Starts the program.

        arguments: flags of `parley serve`, for example ["--database", "chats.db"].
        caller: whom requests act for unless they say otherwise, for example {"userId": "me"}.
        stderr: where the program's log goes, as for `subprocess.Popen`.
        handlers: what answers the host's requests, by method. Each request is handled on a thread of its own, because the calls of one
            step come side by side; a handler may use this client.
        """
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        # Apart from the other, because writing may block until the reader has made room.
        self._write_lock = threading.Lock()
        self._streams: dict[Any, Stream] = {}
        self._handlers = dict(handlers or {})
        self._host_requests: dict[Any, HostRequest] = {}
        self._closed: Object | None = None
        self._process = subprocess.Popen(
            [binary, "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
        assert self._process.stdin and self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.server = self.call(
                "initialize",
                protocolVersion=1,
                clientInfo={"name": "parley.py", "version": "1"},
                capabilities={"approvals": "requestApproval" in self._handlers},
                **({"defaultCaller": caller} if caller else {}),
            )
        except BaseException:
            self.close()
            raise

    def call(self, method: str, **params: Any) -> Object:
        """Sends a request and waits for its result. Raises ParleyError."""
        return self.stream(method, **params).wait()

    def stream(self, method: str, **params: Any) -> Stream:
        """Sends a request and returns its Stream of events: of `sendMessage`, or of `attachTurn`, which follows a turn that has begun."""
        stream = Stream(self, next(self._ids))
        # Before anything is registered, for it fails when a parameter is no JSON.
        line = _encode({"id": stream.request_id, "method": method, "params": params})
        with self._lock:
            if self._closed:
                stream._events.put({"error": self._closed})
                return stream
            self._streams[stream.request_id] = stream
        self._write(line)
        return stream

    def notify(self, method: str, **params: Any) -> None:
        """Sends a notification."""
        self._write(_encode({"method": method, "params": params}))

    def close(self) -> int:
        """Ends the input, lets running turns finish, and waits for the program's end. Returns its exit code."""
        with self._write_lock:
            try:
                self._input.close()
            except BrokenPipeError:
                pass  # The program has ended before it read everything.
        self._reader.join()
        self._output.close()
        return self._process.wait()

    def __enter__(self) -> Parley:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        with self._write_lock:
            try:
                self._input.write(line)
                self._input.flush()
            except (BrokenPipeError, ValueError):
                pass  # The program has ended, or its input has; the reader tells all who wait.

    def _read(self) -> None:
        # Splitting on b"\n" alone: a JSON text may hold other line separators. Nothing here writes, lest both sides wait for each other.
        for line in self._output:
            message = json.loads(line)
            if "method" not in message:
                with self._lock:
                    stream = self._streams.pop(message["id"], None)
            elif "id" in message:
                self._begin(message)
                continue
            elif message["method"] == "$/cancelRequest":
                with self._lock:
                    request = self._host_requests.pop(message["params"]["id"], None)
                if request:
                    request.cancelled.set()
                continue
            else:
                with self._lock:
                    stream = self._streams.get(message["params"].get("requestId"))
            if stream:
                stream._events.put(message)
        with self._lock:
            self._closed = {"message": "Parley has ended.", "data": {"code": "ended"}}
            for stream in self._streams.values():
                stream._events.put({"error": self._closed})
            self._streams.clear()
            for request in self._host_requests.values():
                request.cancelled.set()
            self._host_requests.clear()

    def _begin(self, message: Object) -> None:
        request = HostRequest(message["method"], message["params"])
        with self._lock:
            self._host_requests[message["id"]] = request
        name = f"{request.method} {message['id']}"
        threading.Thread(target=self._answer, args=(message["id"], request), name=name, daemon=True).start()

    def _answer(self, request_id: Any, request: HostRequest) -> None:
        def refusal(code: int, message: str) -> bytes:
            return _encode({"id": request_id, "error": {"code": code, "message": message}})

        handler = self._handlers.get(request.method)
        if handler:
            try:
                line = _encode({"id": request_id, "result": handler(request)})
            except Exception as error:
                line = refusal(-32000, str(error) or type(error).__name__)
        else:
            line = refusal(-32601, f"This client does not answer {request.method}.")
        with self._lock:
            is_awaited = self._host_requests.pop(request_id, None) is not None
        if is_awaited:
            self._write(line)


def _encode(message: Object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode() + b"\n"


def main() -> None:
    binary = sys.argv[1] if len(sys.argv) > 1 else "parley"
    with Parley(["--database", ":memory:"], binary=binary, caller={"userId": "me"}) as parley:
        models = parley.call("listModels")["data"]
        model = next(model for model in models if model["default"])
        print(f"Parley {parley.server['serverInfo']['version']}, answering with {model['id']}\n")

        conversation = None
        for text in ["Hello! I am planning a trip to Lisbon.", "What did I tell you?", "Please create a bot named Ada that knows Lisbon."]:
            print(f"you     {text}")
            print("parley  ", end="", flush=True)
            target: Object = {"conversationId": conversation} if conversation else {}
            stream = parley.stream("sendMessage", text=text, **target)
            for event in stream:
                if event["method"] == "messageDelta":
                    print(event["params"]["delta"], end="", flush=True)
                elif event["method"] == "toolCallStarted":
                    print(f"[{event['params']['toolCall']['name']}] ", end="", flush=True)
            turn = stream.wait()["turn"]
            conversation = turn["conversationId"]
            print("" if turn["status"] == "completed" else f" [{turn['status']}: {turn.get('error', {}).get('message', '')}]")
            print()

        stream = parley.stream("sendMessage", conversationId=conversation, text="And now something that I stop.")
        for event in stream:
            if event["method"] == "messageDelta":
                stream.cancel()
        status = stream.wait()["turn"]["status"]
        print(f"the last turn was {status}" + (" before the wish to stop it came" if status == "completed" else ""))

        try:
            parley.call("getConversation", conversationId="no-such-conversation")
        except ParleyError as error:
            print(f"a wrong id is refused: {error.code}: {error}")


if __name__ == "__main__":
    main()
