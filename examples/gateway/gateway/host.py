"""One running `parley serve`: the client of examples/python, and what a gateway must know besides."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from parley import AsyncHost, AsyncStream, HostEnded, HostRequest, Object

# How many turns are remembered as begun here. It is only for knowing where a turn's events are to be had at first hand.
MOST_TURNS = 10_000
# The methods that begin a turn.
BEGIN_A_TURN = ("sendMessage", "regenerateMessage", "editMessage")


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool call that waits for somebody's choice."""

    options: list[str]
    choice: asyncio.Future[str]


class Host:
    """A process of Parley, from its start to its end."""

    def __init__(self, binary: str, arguments: Sequence[str]) -> None:
        self._client = AsyncHost(
            # It ends with the gateway, however that ends.
            [*arguments, "--exit-with-parent"],
            binary,
            handlers={"requestApproval": self._ask_for_approval},
            log=sys.stderr.write,
        )
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._approvals: dict[tuple[str, str], Approval] = {}

    async def start(self) -> None:
        """Starts the process and shakes hands with it. Raises ParleyError."""
        await self._client.start()

    @property
    def process_id(self) -> int | None:
        return self._client.process_id

    @property
    def limits(self) -> Object:
        """The bounds that a client may run into, by name."""
        return self._client.limits

    @property
    def is_running(self) -> bool:
        return self.process_id is not None

    async def wait_ended(self) -> HostEnded:
        """Returns when the process has ended, for whatever reason."""
        return await self._client.wait_ended()

    def kill(self) -> None:
        """Ends a process that does not answer."""
        if process := self.process_id:
            os.kill(process, signal.SIGKILL)

    async def close(self) -> None:
        """Ends the process as by SIGTERM: its turns have `shutdown.graceSeconds` to come to their ends."""
        await self._client.close(0)

    async def call(self, method: str, params: Object) -> Object:
        """Sends a request and waits for its result. Raises ParleyError; HostEnded when the process has ended before it answered."""
        result = await self._client.call(method, **params)
        if method in BEGIN_A_TURN:
            self._turns[result["turn"]["id"]] = None
            if len(self._turns) > MOST_TURNS:
                self._turns.popitem(last=False)
        return result

    def attach(self, turn_id: str, after: int, caller: Object, most_bytes: int) -> AsyncStream:
        """Follows a turn, from the event after the one with the number `after`, through so many bytes of events."""
        return self._client.stream("attachTurn", turnId=turn_id, afterSeq=after, maxBytes=most_bytes, caller=caller)

    def has_begun(self, turn_id: str) -> bool:
        """Whether the turn was begun here."""
        return turn_id in self._turns

    def approval(self, turn_id: str, tool_call_id: str) -> Approval | None:
        """The choice that this process waits for, if it does."""
        return self._approvals.get((turn_id, tool_call_id))

    async def _ask_for_approval(self, request: HostRequest) -> Object:
        """Waits for `POST /api/turns/ID/approvals/ID`. Cancelled when Parley waits no more."""
        key = (request.params["turnId"], request.params["toolCallId"])
        approval = self._approvals[key] = Approval(request.params["options"], asyncio.get_running_loop().create_future())
        try:
            return {"option": await approval.choice}
        finally:
            del self._approvals[key]
