"""The ledger, held against what became of the turns.

What a turn has cost is known from its end. Where nobody can tell any more, because its conversation was deleted before anybody had asked,
a sum lies between two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from journal import Person, Send
from model import Object
from reader import Reader


@dataclass
class Bounds:
    """A number that is known, or between which two it lies."""

    low: int = 0
    high: int = 0

    def add(self, low: int, high: int) -> None:
        self.low += low
        self.high += high

    def __contains__(self, number: int) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


class Ledger:
    """The comparison of limits."""

    def __init__(self, reader: Reader, messages: dict[str, list[Object]]) -> None:
        """messages: what is stored of turns, by their ids."""
        self.reader, self.journal, self.messages = reader, reader.journal, messages
        self.figures: dict[str, str] = {}
        # The messages of each person, by its identity.
        self.sends: dict[int, list[Send]] = {}

    @staticmethod
    def cost(send: Send) -> tuple[Bounds, Bounds]:
        """What a message has cost its person, and everybody."""
        if send.turn and send.is_over:
            reason = send.turn["quota"]["reason"]
            person, system = reason in ("completed", "cancelled"), reason not in ("modelNotCalled", "local")
            return Bounds(person, person), Bounds(system, system)
        if not send.turn_id and not send.payers:
            return Bounds(), Bounds()
        # What has been said was said by a model, which counts for the system however it ended.
        return Bounds(0, 1), Bounds(int(send.has_shown_text), 1)

    def check(self) -> None:
        costs = {id(person): Bounds() for person in self.journal.people}
        self.sends = {id(person): [] for person in self.journal.people}
        everybody, anonymous = Bounds(), Bounds()
        addresses = {person.address: Bounds() for person in self.journal.people if person.address}
        for send in self.journal.sends:
            person, system = self.cost(send)
            payers = {id(payer): payer for payer in send.payers or [send.person]}
            system.high += len(send.further_turns)
            everybody.add(system.low, system.high)
            for payer in payers.values():
                self.sends[id(payer)].append(send)
                costs[id(payer)].add(person.low if len(payers) == 1 else 0, person.high)
                if payer.address:
                    addresses[payer.address].add(person.low if len(payers) == 1 else 0, person.high)
            kinds = {payer.is_anonymous for payer in payers.values()}
            if True in kinds:
                anonymous.add(system.low if len(kinds) == 1 else 0, system.high)
        for person in self.journal.people:
            self.check_receipts(person, costs[id(person)])
        # Who is gone, or was claimed, has no limits that could be asked for; their turns are among those of everybody.
        asked = [person for person in self.journal.people if not person.is_going and not person.claim_begun]
        for person in asked:
            self.check_person(person, costs[id(person)])
        for address, bounds in addresses.items():
            self.compare(address, self.reader.limits({"clientAddress": address}).get(("address", "turns")), bounds)
        limits = self.reader.limits({"system": True})
        self.compare("the system", limits.get(("system", "turns")), everybody)
        self.compare("the system", limits.get(("system", "anonymousTurns")), anonymous)
        exact = sum(costs[id(person)].low == costs[id(person)].high for person in asked)
        self.figures["charged to the system"] = f"{limits[('system', 'turns')]['used']} turns; {everybody} by the journal"
        self.figures["ledgers of people"] = f"{len(asked)}, of which the journal knows {exact} to the unit"

    def check_person(self, person: Person, turns: Bounds) -> None:
        limits = self.reader.limits(person.subject)
        scope = "anonymous" if person.is_anonymous else "user"
        self.compare(person.name, limits.get((scope, "turns")), turns)
        bots = Bounds()
        for creation in person.bots:
            bots.add(int(creation.result is not None), int(creation.result is not None or creation.is_lost))
        self.compare(person.name, limits.get((scope, "bots")), bots)
        if person.is_anonymous:
            self.compare(person.name, limits.get(("anonymous", "tools.dice")), self.dice(person))

    def check_receipts(self, person: Person, bounds: Bounds) -> None:
        """The receipts of somebody's turns that count say 1, 2, 3, and so on, each once."""
        # A user who was deleted, and said something before it had heard of that, has begun anew.
        if person.is_going:
            return
        scope = "anonymous" if person.is_anonymous else "user"
        used = sorted(
            limit["used"]
            for send in self.sends[id(person)]
            if send.turn and send.is_over and send.turn["quota"]["counted"] and set(map(id, send.payers)) == {id(person)}
            for limit in send.turn["quota"]["limits"]
            if (limit["scope"], limit["unit"]) == (scope, "turns"))
        is_known = bounds.low == bounds.high
        if len(set(used)) != len(used) or used and used[-1] > bounds.high or is_known and used != list(range(1, bounds.high + 1)):
            self.journal.violate(f"{person.name} has used up {bounds}, and the receipts say {used}")

    def dice(self, person: Person) -> Bounds:
        """How many successful calls of the tool somebody has made: at least what is stored, at most what was answered."""
        bounds = Bounds()
        for send in self.sends[id(person)]:
            payers = {id(payer) for payer in send.payers or [send.person]}
            if send.kind.name != "tool" or not send.turn_id and not send.payers:
                continue
            stored = sum(
                part["type"] == "toolResult" and part["status"] == "completed"
                for message in self.messages.get(send.turn_id or "", [])
                for part in message["content"])
            answered = self.journal.tool_successes.get(send.turn_id or "", int(not send.turn_id))
            bounds.add(stored if len(payers) == 1 else 0, max(stored, answered))
        return bounds

    def compare(self, whose: str, limit: Object | None, used: Bounds) -> None:
        if not limit:
            return self.journal.violate(f"{whose}: a limit is not told")
        if limit["used"] not in used or limit["held"] != 0:
            name, stands = f"{limit['scope']}.{limit['unit']}", f"{limit['used']} are used and {limit['held']} held"
            self.journal.violate(f"{whose}: of {name} {stands}, and it must be {used} and 0")
