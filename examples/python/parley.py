"""A client for Parley in one file, without dependencies: spawn, call, stream, cancel.

    from parley import Parley

    with Parley(caller={"userId": "me"}) as parley:
        for event in parley.stream("sendMessage", text="Hello!"):
            if event["method"] == "messageDelta":
                print(event["params"]["delta"], end="", flush=True)

Run this file for a short conversation: python3 parley.py [PATH-OF-THE-BINARY]
"""

import itertools
import json
import queue
import subprocess
import sys
import threading


class ParleyError(Exception):
    """A refusal. `code` is what to match ("notFound", "conversationBusy", …); `data` has the rest."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.data = error.get("data", {})
        self.code = self.data.get("code", "internalError")


class Stream:
    """The events of one request, in order, and its result once they have ended.

    Iterating raises ParleyError if the request is refused. `turn_id` is known from the first event on.
    """

    def __init__(self, parley, request_id):
        self._parley = parley
        self._events = queue.SimpleQueue()
        self.request_id = request_id
        self.turn_id = None
        self.result = None
        self._error = None

    def __iter__(self):
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

    def wait(self):
        """Reads to the end and returns the result."""
        for _ in self:
            pass
        return self.result

    def cancel(self):
        """Asks for an early end; what was said so far is kept, and the stream ends by itself. Safe at any time, from any thread."""
        self._parley.notify("$/cancelRequest", id=self.request_id)


class Parley:
    """A running `parley serve`, spoken to from any number of threads."""

    def __init__(self, arguments=(), binary="parley", caller=None, stderr=None):
        """Starts the program.

        arguments: flags of `parley serve`, for example ["--database", "chats.db"].
        caller: whom requests act for unless they say otherwise, for example {"userId": "me"}.
        """
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        # Apart from the other, because writing may block until the reader has made room.
        self._write_lock = threading.Lock()
        self._streams = {}
        self._closed = None
        self._process = subprocess.Popen(
            [binary, "serve", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.server = self.call(
            "initialize",
            protocolVersion=1,
            clientInfo={"name": "parley.py", "version": "1"},
            **({"defaultCaller": caller} if caller else {}),
        )

    def call(self, method, **params):
        """Sends a request and waits for its result. Raises ParleyError."""
        return self.stream(method, **params).wait()

    def stream(self, method, **params):
        """Sends a request and returns its Stream of events."""
        with self._lock:
            stream = Stream(self, next(self._ids))
            if self._closed:
                stream._events.put({"error": self._closed})
                return stream
            self._streams[stream.request_id] = stream
        self._send({"id": stream.request_id, "method": method, "params": params})
        return stream

    def notify(self, method, **params):
        """Sends a notification."""
        self._send({"method": method, "params": params})

    def close(self):
        """Ends the input, lets running turns finish, and waits for the program's end."""
        self._process.stdin.close()
        self._reader.join()
        return self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _send(self, message):
        line = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False)
        with self._write_lock:
            try:
                self._process.stdin.write(line.encode() + b"\n")
                self._process.stdin.flush()
            except (BrokenPipeError, ValueError):
                pass  # The program has ended; the reader tells all who wait.

    def _read(self):
        # Splitting on b"\n" alone: a JSON text may hold other line separators.
        for line in self._process.stdout:
            message = json.loads(line)
            request_id = message["params"].get("requestId") if "method" in message else message["id"]
            with self._lock:
                stream = self._streams.get(request_id)
                if "method" not in message:
                    self._streams.pop(request_id, None)
            if stream:
                stream._events.put(message)
        with self._lock:
            self._closed = {"message": "Parley has ended.", "data": {"code": "ended"}}
            for stream in self._streams.values():
                stream._events.put({"error": self._closed})
            self._streams.clear()


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "parley"
    with Parley(["--database", ":memory:"], binary=binary, caller={"userId": "me"}) as parley:
        models = parley.call("listModels")["data"]
        model = next(model for model in models if model["default"])
        print(f"Parley {parley.server['serverInfo']['version']}, answering with {model['id']}\n")

        conversation = None
        for text in ["Hello! I am planning a trip to Lisbon.", "What did I tell you?", "Please create a bot named Ada that knows Lisbon."]:
            print(f"you     {text}")
            print("parley  ", end="", flush=True)
            target = {"conversationId": conversation} if conversation else {}
            stream = parley.stream("sendMessage", text=text, **target)
            for event in stream:
                if event["method"] == "messageDelta":
                    print(event["params"]["delta"], end="", flush=True)
                elif event["method"] == "toolCallStarted":
                    print(f"[{event['params']['toolCall']['name']}] ", end="", flush=True)
            turn = stream.result["turn"]
            conversation = turn["conversationId"]
            print("" if turn["status"] == "completed" else f" [{turn['status']}: {turn.get('error', {}).get('message', '')}]")
            print()

        stream = parley.stream("sendMessage", conversationId=conversation, text="And now something that I stop.")
        for event in stream:
            if event["method"] == "messageDelta":
                stream.cancel()
        status = stream.result["turn"]["status"]
        print(f"the last turn was {status}" + (" before the wish to stop it came" if status == "completed" else ""))

        try:
            parley.call("getConversation", conversationId="no-such-conversation")
        except ParleyError as error:
            print(f"a wrong id is refused: {error.code}: {error}")


if __name__ == "__main__":
    main()
