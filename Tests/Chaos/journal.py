"""What the driver knows: whom and what it has made, what it wanted, and what it was told.

Everything is written down before it is sent and when it is answered, each under a tick of one clock. What was answered before something
else was sent has happened before it; of all the rest the order is open.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model import Object, kind_of

TERMINAL = {"completed", "failed", "cancelled", "interrupted"}


@dataclass(eq=False)
class Person:
    """Somebody with conversations."""

    name: str
    # As the protocol names its caller, and the operator the person.
    caller: Object
    subject: Object
    # Where an anonymous person comes from.
    address: str | None = None
    claim_begun: bool = False
    # Who wanted everything, and who has it now.
    claimant: Person | None = None
    claimed_by: Person | None = None
    deletion_begun: bool = False
    deleted: bool = False
    conversations: list[Conversation] = field(default_factory=list)
    bots: list[Creation] = field(default_factory=list)

    @property
    def is_anonymous(self) -> bool:
        return "anonymousToken" in self.caller

    @property
    def now(self) -> Person:
        """Who acts for this person."""
        return self.claimed_by or self

    @property
    def is_going(self) -> bool:
        return self.deletion_begun or self.now.deletion_begun


@dataclass(eq=False)
class Conversation:
    id: str
    person: Person
    title: str | None = None
    deletion_begun: bool = False
    deleted: bool = False
    sends: list[Send] = field(default_factory=list)
    # Titles that were wanted: when it was said, and when answered.
    renames: list[Rename] = field(default_factory=list)
    # The conversation is left alone from then on.
    is_retired: bool = False
    # Somebody has wanted another head than the last message.
    head_was_moved: bool = False

    @property
    def branches(self) -> bool:
        """Whether there may be messages that are not on the way to the head."""
        return self.head_was_moved or any(send.method != "sendMessage" for send in self.sends)

    @property
    def is_going(self) -> bool:
        return self.deletion_begun or self.person.is_going


@dataclass(eq=False)
class Rename:
    title: str
    begun: int
    ended: int | None = None
    was_refused: bool = False


@dataclass(eq=False)
class Creation:
    """A request that makes a conversation or a bot, once."""

    method: str
    person: Person
    params: Object
    # The id of what was made.
    result: str | None = None
    # Nobody knows whether it was done, and nobody can ask any more.
    is_lost: bool = False
    was_refused: bool = False
    # What is copied, if it makes a copy.
    source: Conversation | None = None


@dataclass(eq=False)
class Send:
    """A message, however often it was sent."""

    number: int
    method: str
    person: Person
    text: str
    params: Object
    # None until the send has made it.
    conversation: Conversation | None
    can_repeat: bool
    # The ticks of the first writing, and of the first acknowledgement.
    begun: int | None = None
    acknowledged: int | None = None
    # When its turn was told to have begun, by an event; None also when nobody was there to be told.
    started: int | None = None
    ended: int | None = None
    turn_id: str | None = None
    # The last that was heard of the turn.
    turn: Object | None = None
    message: Object | None = None
    # Those that it got because its user was deleted meanwhile.
    further_turns: set[str] = field(default_factory=set)
    user_message_id: str | None = None
    # For whom it may have been admitted.
    payers: list[Person] = field(default_factory=list)
    attempts: int = 0
    # Attempts that neither were refused nor acknowledged.
    has_unknown_attempt: bool = False
    was_refused: bool = False
    has_shown_text: bool = False
    has_tried_cancel: bool = False
    # The number of the last event that was seen.
    last_sequence: int = 0
    # What was streamed, whole, by the id of the message.
    streamed: dict[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.turn is not None and self.turn["status"] in TERMINAL

    @property
    def kind(self) -> Any:
        return kind_of(self.text)

    @property
    def can_wait(self) -> bool:
        return self.params.get("onBusy") in ("enqueue", "interrupt")

    @property
    def has_never_begun(self) -> bool:
        """Whether the turn was perhaps cancelled while it waited: then its message has joined no conversation."""
        return (
            self.turn is not None and self.can_wait and self.started is None
            and self.turn["status"] == "cancelled" and self.turn["quota"]["reason"] == "modelNotCalled")

    @property
    def interrupts(self) -> bool:
        return self.params.get("onBusy") == "interrupt"


class Journal:
    """All of that, and the log of it. Safe from any thread."""

    def __init__(self, folder: Path, seed: str) -> None:
        self.seed = seed
        self.lock = threading.RLock()
        self.people: list[Person] = []
        self.conversations: list[Conversation] = []
        self.sends: list[Send] = []
        self.creations: list[Creation] = []
        self.violations: list[str] = []
        self.counts: dict[str, int] = {}
        self.tool_successes: dict[str, int] = {}
        self._ticks = itertools.count(1)
        self._begun = time.monotonic()
        self._file = (folder / "journal.jsonl").open("w")

    def random(self, name: str) -> random.Random:
        """Chance that is the same for the same seed and name."""
        return random.Random(f"{self.seed}/{name}")

    def tick(self) -> int:
        return next(self._ticks)

    def note(self, what: str, **fields: Any) -> None:
        """Writes a line."""
        seconds = round(time.monotonic() - self._begun, 4)
        line = json.dumps({"t": seconds, "tick": self.tick(), "what": what, **fields}, default=str)
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1
            if not self._file.closed:
                self._file.write(line + "\n")

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def note_tool_success(self, turn_id: str) -> None:
        with self.lock:
            self.tool_successes[turn_id] = self.tool_successes.get(turn_id, 0) + 1

    def violate(self, account: str) -> None:
        """Notes that something is not as it must be."""
        self.note("violation", account=account)
        with self.lock:
            self.violations.append(account)

    def close(self) -> None:
        with self.lock:
            self._file.close()
