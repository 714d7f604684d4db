"""A turn as server-sent events, from any place in it, through deaths of Parley, at the browser's speed."""

from __future__ import annotations

import asyncio
import json

from starlette.types import Receive, Scope, Send

from .host import AttachmentFull, Event, HostGone
from .refusal import Object, Refusal
from .workers import Workers

# How long a stream says nothing at most: proxies, and this side, would not notice otherwise that nobody is there any more.
SILENCE_SECONDS = 15.0
# How long a browser waits before it connects again, in milliseconds.
RETRY = b"retry: 1000\n\n"
SILENCE = b": still here\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies such as nginx pass it on at once then.
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """An ASGI application that answers one request with the events of one turn."""

    def __init__(self, workers: Workers, closing: asyncio.Event, turn: Object, caller: Object, after: int) -> None:
        """after: the `seq` of the last event that the browser has. closing: ends the stream, so that the browser comes back later."""
        self._workers, self._closing = workers, closing
        self._turn_id: str = turn["id"]
        self._conversation_id: str = turn["conversationId"]
        self._caller, self._after = caller, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": RETRY, "more_body": True})
        follower = asyncio.create_task(self._follow(send))
        gone = asyncio.create_task(_disconnected(receive))
        closing = asyncio.create_task(self._closing.wait())
        tasks = [follower, gone, closing]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not follower.cancelled():
            follower.result()
        if gone.cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _follow(self, send: Send) -> None:
        """Sends the turn to its end."""
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    host = self._workers.runner(self._turn_id) or await self._workers.host(self._conversation_id, patience=None)
            except TimeoutError:
                await _send(send, SILENCE)
                continue
            attachment = host.attach(self._turn_id, self._after, self._caller)
            try:
                while (events := await attachment.take(SILENCE_SECONDS)) is not None:
                    await _send(send, b"".join(map(self._frame, events)) or SILENCE)
            except (AttachmentFull, HostGone):
                # What the browser has not got is asked for again, of this process or another.
                continue
            except Refusal as error:
                await _send(send, _frame("refused", {"error": error.to_json()}))
            finally:
                attachment.detach()
            return await _send(send, _frame("end", {}))

    def _frame(self, event: Event) -> bytes:
        # A snapshot may go back behind what was sent, to what is stored: the browser replaces what it holds.
        self._after = event.params["seq"]
        # It is a number on the gateway's own pipe.
        del event.params["requestId"]
        return _frame(event.method, event.params, self._after)


def _frame(name: str, data: Object, number: int | None = None) -> bytes:
    # JSON has no raw line ends, so one line of data is enough.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\n" + (f"id: {number}\n" if number is not None else "") + f"data: {text}\n\n").encode()


async def _send(send: Send, data: bytes) -> None:
    # It waits while the browser does not read.
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
