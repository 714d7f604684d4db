"""A turn as server-sent events, from any place in it, through deaths of Parley, at the browser's speed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from parley import AsyncStream, HostEnded, Object, ParleyError
from starlette.types import Receive, Scope, Send

from .events import Room, frame
from .host import Host
from .refusals import as_json
from .workers import Workers

# How long a stream says nothing at most: proxies, and this side, would not notice otherwise that nobody is there any more.
SILENCE_SECONDS = 15.0
# How long a browser waits before it connects again, in milliseconds; and how long this side does, when Parley cannot be asked just now.
RETRY = b"retry: 1000\n\n"
PAUSE_SECONDS = 1.0
SILENCE = b": still here\n\n"
# How much of a turn Parley is asked for at a time. The next part is asked for when the browser has read this one: so much waits for a browser
# that reads slowly, and no more.
PART_BYTES = 128 * 1024
# How much those events may take, of all streams, that are longer than that by themselves, as a snapshot may be.
LONG_EVENTS_BYTES = 16 * 1024 * 1024
# How much is given to a connection at once.
SLICE_BYTES = 64 * 1024
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies such as nginx pass it on at once then.
    (b"x-accel-buffering", b"no"),
]

Value = TypeVar("Value")


class EventStream:
    """An ASGI application that answers one request with the events of one turn."""

    def __init__(self, workers: Workers, room: Room, closing: asyncio.Event, turn: Object, caller: Object, after: int) -> None:
        """room: for long events. closing: ends the stream, so that the browser comes back later. after: the `seq` of the last event that
        the browser has.
        """
        self._workers, self._room, self._closing = workers, room, closing
        self._turn_id: str = turn["id"]
        self._conversation_id: str = turn["conversationId"]
        self._caller, self._after = caller, after
        # What of the room for long events this stream has taken.
        self._held = 0

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
        most_bytes = PART_BYTES
        try:
            while True:
                host = await _kept_open(self._host, send)
                try:
                    async with host.attach(self._turn_id, self._after, self._caller, most_bytes) as events:
                        await self._forward(events, send)
                        result = await events
                except HostEnded:
                    # The turn goes on from here in another process, as far as that one has left it.
                    continue
                except ParleyError as error:
                    if error.retryable:
                        await _send(send, SILENCE)
                        await asyncio.sleep(PAUSE_SECONDS)
                        continue
                    await _send(send, frame("refused", {"error": as_json(error)}))
                    break
                if not result.get("more"):
                    break
                self._give_room_back()
                most_bytes = max(PART_BYTES, result.get("nextBytes", 0))
                if most_bytes > PART_BYTES:
                    await self._wait_for_room(most_bytes, send)
            await _send(send, frame("end", {}))
        finally:
            self._give_room_back()

    async def _wait_for_room(self, size: int, send: Send) -> None:
        """Takes room for a long event, when it is this stream's turn."""

        async def take() -> None:
            self._held = await self._room.take(size)

        # One wait, whatever is sent meanwhile, because it has its place among those who wait.
        taking = asyncio.create_task(take())
        try:
            while not (await asyncio.wait([taking], timeout=SILENCE_SECONDS))[0]:
                await _send(send, SILENCE)
        finally:
            taking.cancel()

    def _give_room_back(self) -> None:
        self._room.give_back(self._held)
        self._held = 0

    async def _forward(self, events: AsyncStream, send: Send) -> None:
        while event := await _kept_open(partial(anext, events, None), send):
            # The number of the request is one on the gateway's own pipe.
            params = {name: value for name, value in event["params"].items() if name != "requestId"}
            await _send(send, frame(event["method"], params, params["seq"]))
            # A snapshot may go back behind what was sent, to what is stored: the browser replaces what it holds.
            self._after = params["seq"]

    async def _host(self) -> Host:
        return self._workers.runner(self._turn_id) or await self._workers.host(self._conversation_id, patience=None)


async def _kept_open(ask: Callable[[], Awaitable[Value]], send: Send) -> Value:
    """What is waited for, while the stream is kept open."""
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await ask()
        except TimeoutError:
            await _send(send, SILENCE)


async def _send(send: Send, data: bytes) -> None:
    # It waits while the browser does not read.
    for start in range(0, len(data), SLICE_BYTES):
        await send({"type": "http.response.body", "body": data[start : start + SLICE_BYTES], "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
