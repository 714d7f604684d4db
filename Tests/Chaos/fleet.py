"""The processes on one database: kept alive by one part of this file, and killed by the other."""

from __future__ import annotations

import random
import signal
import threading
import time
from pathlib import Path
from typing import Sequence

from host import Host, Trap
from journal import Journal

# The setting that says how often a running turn is stored, and what it may be: rarely, or about as often as there is something to store.
CHECKPOINTS = ("100", "300", "1000")


class Ended(Exception):
    """The load is over; whoever waits for a process gives up."""


class Fleet:
    """One to four processes, each of which is started again when it has died."""

    def __init__(self, arguments: Sequence[str], folder: Path, journal: Journal, size: int) -> None:
        """Starts the processes.

        arguments: the program and its flags.
        size: how many processes there are at most.
        """
        self.journal = journal
        self.kills = 0
        self._arguments, self._folder = arguments, folder
        self._hosts: list[Host | None] = [None] * size
        # How many there shall be just now.
        self.wanted = size
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._keepers = [threading.Thread(target=self._keep, args=(slot,), daemon=True) for slot in range(size)]
        for keeper in self._keepers:
            keeper.start()

    @property
    def hosts(self) -> list[Host]:
        """The processes that are alive, as far as one knows."""
        return [host for host in self._hosts if host and not host.is_over]

    def pick(self, chance: random.Random, other_than: Host | None = None) -> Host:
        """One of the processes, any other where there is one; waits until there is one.

        Raises Ended, also when there is none for long.
        """
        until = time.monotonic() + 60
        while not self._is_over.is_set() and time.monotonic() < until:
            hosts = self.hosts
            if hosts := [host for host in hosts if host is not other_than] or hosts:
                return chance.choice(hosts)
            time.sleep(0.005)
        raise Ended

    def start(self, *settings: str) -> Host:
        """Starts a process beside the others."""
        return Host([*self._arguments, *settings], self._folder, self.journal, f"dice {time.monotonic()}")

    def end(self) -> None:
        """Kills all of them, and starts none again."""
        self._is_over.set()
        for host in self.hosts:
            host.kill()
        for keeper in self._keepers:
            keeper.join()

    def close(self) -> None:
        """Lets all of them end by themselves, and starts none again."""
        self._is_over.set()
        for host in self.hosts:
            host.end_input()
            if not host.ended.wait(30):
                self.journal.violate(f"host {host.number} does not end with its input")

    def _keep(self, slot: int) -> None:
        chance = self.journal.random(f"keeper {slot}")
        while not self._is_over.is_set():
            if slot >= self.wanted:
                time.sleep(0.02)
                continue
            try:
                host = self.start("--set", f"turns.checkpointMilliseconds={chance.choice(CHECKPOINTS)}")
            except OSError as error:
                self.journal.violate(f"the program cannot be started: {error}")
                self._is_over.wait(0.2)
                continue
            self._hosts[slot] = host
            if self._is_over.is_set():
                host.kill()
            host.ended.wait()
            if host.exit_code == -signal.SIGKILL and host.was_killed:
                with self._lock:
                    self.kills += 1
            elif host.exit_code == -signal.SIGTERM and host.was_asked_to_end and not host.hello.result:
                pass  # The signal came before the program was ready for any.
            elif host.exit_code != 0 or not host.was_asked_to_end:
                self.journal.violate(f"host {host.number} has ended by itself with the exit code {host.exit_code}; see stderr.txt")
            self._is_over.wait(chance.choice([0, 0, 0.01, 0.1]))


class Killer:
    """Kills the processes of a fleet at random moments, in random ways."""

    # How often each way is chosen.
    WAYS = {
        "at once": 4, "in admission": 7, "in mid-stream": 6, "at an event": 5,
        "in start-up": 3, "in shutdown": 2, "after a stop": 2, "all": 1,
    }

    def __init__(self, fleet: Fleet, size: int) -> None:
        self._fleet, self._size = fleet, size
        self._chance = fleet.journal.random("killer")
        self._ways = {
            "at once": self._at_once, "in admission": self._in_admission, "in mid-stream": self._in_stream, "at an event": self._at_event,
            "in start-up": self._in_start, "in shutdown": self._in_shutdown, "after a stop": self._after_stop, "all": self._all,
        }

    def run(self, kills: int, pause: float, deadline: float, lull: threading.Event) -> None:
        """Kills until so many are dead.

        pause: seconds between two of them, on the average.
        deadline: when to stop in any case, on the monotonic clock.
        lull: set while nobody may send anything, so that hosts are idle and erase what was deleted.
        """
        chance, rounds = self._chance, 0
        # Where nothing works it is enough to have seen that.
        while self._fleet.kills < kills and time.monotonic() < deadline and len(self._fleet.journal.violations) < 100:
            time.sleep(min(chance.expovariate(1 / pause), 4 * pause))
            rounds += 1
            if rounds % 40 == 0:
                self._fleet.wanted = chance.randint(1, self._size)
            if rounds % 60 == 0:
                lull.set()
                time.sleep(1 + chance.random())
                lull.clear()
            way = chance.choices(list(self.WAYS), list(self.WAYS.values()))[0]
            hosts = self._fleet.hosts
            if hosts:
                self._fleet.journal.note("kill", way=way)
                self._ways[way](chance.choice(hosts))

    def _at_once(self, host: Host) -> None:
        host.kill()

    def _spring(self, host: Host, methods: Sequence[str], is_for_writing: bool, times: int, seconds: float) -> None:
        host.trap = Trap(methods, is_for_writing, times, seconds)
        # If it snaps within that time it was a good moment; if not, then this is one.
        host.ended.wait(1)
        host.kill()

    def _in_admission(self, host: Host) -> None:
        self._spring(
            host, ["sendMessage", "createConversation", "claimAnonymousUser", "deleteConversation", "editMessage", "regenerateMessage"],
            True, self._chance.randint(1, 3), self._chance.random() * 0.008)

    def _in_stream(self, host: Host) -> None:
        self._spring(host, ["messageDelta"], False, self._chance.randint(1, 12), self._chance.choice([0, 0.005]))

    def _at_event(self, host: Host) -> None:
        event = self._chance.choice(["turnStarted", "turnCompleted", "toolCallStarted", "callTool", "toolCallCompleted", "turnQueued"])
        self._spring(host, [event], False, self._chance.randint(1, 2), self._chance.choice([0, 0, 0.001, 0.003]))

    def _in_start(self, host: Host) -> None:
        host.kill()
        host.ended.wait(5)
        until = time.monotonic() + 1
        while time.monotonic() < until:
            new = [other for other in self._fleet.hosts if other.number > host.number]
            if new:
                time.sleep(self._chance.random() * 0.08)
                new[-1].kill()
                return
            time.sleep(0.001)

    def _in_shutdown(self, host: Host) -> None:
        if self._chance.random() < 0.5:
            host.signal(signal.SIGTERM)
        else:
            host.end_input()
        host.ended.wait(self._chance.choice([0, 0.005, 0.02, 0.1, 0.5]))
        host.kill()

    def _after_stop(self, host: Host) -> None:
        host.signal(signal.SIGSTOP)
        time.sleep(self._chance.choice([0.05, 0.3, 0.8]))
        if self._chance.random() < 0.5:
            host.signal(signal.SIGCONT)
            time.sleep(self._chance.random() * 0.05)
        host.kill()

    def _all(self, host: Host) -> None:
        for each in self._fleet.hosts:
            each.kill()
