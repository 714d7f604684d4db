"""Several processes of Parley on one database: each is started again when it dies, and each request goes to one of them."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Sequence

from parley import HostEnded, Object, ParleyError

from .host import Host
from .refusals import refusal

logger = logging.getLogger("gateway")

# How long a request waits for a process that is about to be there, before it is refused; and how long until the next is started, for which
# it does not wait at all.
PATIENCE_SECONDS = 5.0
HOPELESS_SECONDS = 1.0
# How often a request is sent again that a process has died with. Bounded, because it may be what the process has died of.
MOST_REPEATS = 2
# How long Parley may take to answer, and where there may be much to do. No request of the gateway's waits for a turn.
ANSWER_SECONDS = 60.0
LONG_ANSWER_SECONDS = 600.0
TAKE_LONG = ("deleteUser", "deleteConversation", "importConversation", "exportConversation", "searchConversations")
# How often a process is asked whether it is well, and how long it may take to say so.
PING_SECONDS = 10.0
PING_PATIENCE_SECONDS = 30.0
# With these it says at its start that it cannot be started so: wrong flags, no database, wrong settings.
HOPELESS_EXIT_CODES = (64, 69, 78)


class StartFailed(Exception):
    """Parley could not be started for the first time."""


class Backoff:
    """How long to wait before a process is started again: not at all, unless it died soon after its start."""

    def __init__(self, first: float = 0.5, most: float = 15.0, steady: float = 5.0) -> None:
        """first, most: bounds of the waiting, in seconds; each is twice the one before. steady: what is not soon, in seconds."""
        self._first, self._most, self._steady = first, most, steady
        self._next = 0.0

    def after(self, lived: float) -> float:
        """The seconds to wait after a process that lived for `lived` seconds."""
        if lived >= self._steady:
            self._next = 0.0
        delay = self._next
        self._next = min(self._most, max(self._first, 2 * delay))
        return delay


class Worker:
    """One place for a process, and the process in it, if there is one."""

    def __init__(self, binary: str, arguments: Sequence[str], changed: asyncio.Event) -> None:
        """changed: is set whenever a process is there or none is there any more."""
        self._binary, self._arguments, self._changed = binary, arguments, changed
        self._backoff = Backoff()
        self._host: Host | None = None
        # When a process is there again, by the monotonic clock, as far as one can tell.
        self.next_start = time.monotonic()
        # Becomes true with the first process that answers, or tells why there can be none.
        self.started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise())

    @property
    def host(self) -> Host | None:
        """The process, if it can be asked."""
        return self._host if self._host and self._host.is_running else None

    async def close(self) -> None:
        self._supervisor.cancel()
        await asyncio.wait([self._supervisor])

    async def _supervise(self) -> None:
        while True:
            began = time.monotonic()
            await self._run_once()
            if self.started.done() and self.started.exception():
                return
            lived = time.monotonic() - began
            delay = self._backoff.after(lived)
            self.next_start = time.monotonic() + delay
            self._changed.set()
            logger.warning("It lived for %.1f s, and is started again in %g s.", lived, delay)
            await asyncio.sleep(delay)

    async def _run_once(self) -> None:
        """Starts a process and returns when it has ended. When cancelled, ends it in order."""
        host = Host(self._binary, self._arguments)
        try:
            await host.start()
            self._host = host
            self._changed.set()
            if not self.started.done():
                self.started.set_result(None)
            logger.warning("%s", await self._watch(host))
        except HostEnded as ended:
            logger.error("%s", ended)
            # Or what says so was not even started.
            if ended.exit_code in (None, *HOPELESS_EXIT_CODES):
                self._fail(str(ended))
        except ParleyError as error:
            self._fail(f"Parley refuses to be initialized: {error}")
        finally:
            self._host = None
            await host.close()

    def _fail(self, reason: str) -> None:
        if not self.started.done():
            self.started.set_exception(StartFailed(reason))

    async def _watch(self, host: Host) -> HostEnded:
        """Returns when the process has ended; ends one that does not answer."""
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    return await host.wait_ended()
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(PING_PATIENCE_SECONDS):
                    await host.call("ping", {})
            except TimeoutError:
                logger.error("Parley (process %s) does not answer and is killed.", host.process_id)
                host.kill()
            except HostEnded as ended:
                return ended


class Workers:
    """All processes. To be made and used within one event loop."""

    def __init__(self, binary: str, arguments: Sequence[str], count: int) -> None:
        self._changed = asyncio.Event()
        self._all = [Worker(binary, arguments, self._changed) for _ in range(count)]

    async def start(self) -> None:
        """Waits until each process has answered once. Raises StartFailed."""
        # All of them, because an error that nobody has looked at would be complained of.
        for outcome in await asyncio.gather(*(worker.started for worker in self._all), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def close(self) -> None:
        """Ends all processes in order."""
        await asyncio.gather(*(worker.close() for worker in self._all))

    @property
    def hosts(self) -> list[Host]:
        """The processes that can be asked."""
        return [host for worker in self._all if (host := worker.host)]

    async def call(self, method: str, params: Object, key: str, *, is_repeatable: bool) -> Object:
        """Asks the process that `key` belongs to, or another while that one is down.

        is_repeatable: whether it does no harm to ask again when a process has died with the request, and nobody knows what became of it.
        Raises ParleyError.
        """
        repeats = 0
        while True:
            host = await self.host(key)
            try:
                async with asyncio.timeout(LONG_ANSWER_SECONDS if method in TAKE_LONG else ANSWER_SECONDS):
                    return await host.call(method, params)
            except TimeoutError:
                raise refusal("timeout", 504, "Parley does not answer.", retryable=is_repeatable) from None
            except HostEnded:
                repeats += 1
                if repeats > (MOST_REPEATS if is_repeatable else 0):
                    raise self._unavailable("Parley has died while it was asked.") from None

    async def host(self, key: str, patience: float | None = PATIENCE_SECONDS) -> Host:
        """The process that `key` belongs to, or another while that one is down.

        patience: how long to wait while none is there, in seconds; None for as long as it takes. Raises ParleyError after that, or at once when
        none is started soon.
        """
        home = zlib.crc32(key.encode()) % len(self._all)
        deadline = None if patience is None else time.monotonic() + patience
        while True:
            for worker in self._all[home:] + self._all[:home]:
                if host := worker.host:
                    return host
            if deadline is not None and self._until_next_start() > HOPELESS_SECONDS:
                raise self._unavailable("Parley is not running just now.")
            self._changed.clear()
            try:
                async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                raise self._unavailable("Parley is not running just now.") from None

    def runner(self, turn_id: str) -> Host | None:
        """The process in which the turn was begun, where its events are to be had at first hand."""
        return next((host for host in self.hosts if host.has_begun(turn_id)), None)

    def _until_next_start(self) -> float:
        return min(worker.next_start for worker in self._all) - time.monotonic()

    def _unavailable(self, message: str) -> ParleyError:
        wait = max(1.0, self._until_next_start())
        return refusal("parleyUnavailable", 503, message, retryable=True, retryAfterMs=int(wait * 1000))
