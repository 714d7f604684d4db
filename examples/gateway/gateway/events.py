"""Server-sent events as bytes, and how much room they may take that wait to be sent."""

from __future__ import annotations

import asyncio
import json
from collections import deque

from parley import Object


def frame(name: str, data: Object, seq: int | None = None) -> bytes:
    """A server-sent event. JSON has no raw line ends, so one line of data is enough."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\n" + (f"id: {seq}\n" if seq is not None else "") + f"data: {text}\n\n").encode()


class Room:
    """So many bytes for all streams together. Who wants some waits for those who asked before."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> int:
        """Waits until so many bytes are free, and takes them: all there are, if it is more. Returns how many; they are to be given back."""
        size = min(size, self._size)
        if self._waiting or size > self._free:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give_back(size)
                raise
        else:
            self._free -= size
        return size

    def give_back(self, size: int) -> None:
        self._free += size
        while self._waiting and (self._waiting[0][1].cancelled() or self._waiting[0][0] <= self._free):
            wanted, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._free -= wanted
                turn.set_result(None)
