"""The end: everything is read back through one clean process and compared with the journal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Iterator

from host import Host
from journal import Conversation, Journal, Person, Send, TERMINAL
from load import PATIENCE, Client, Gone, Load
from model import BEFORE_TOOL, Object, kind_of
from watch import learn, text_of


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


class Verdict:
    """The comparison. What differs becomes a violation in the journal."""

    def __init__(self, load: Load, host: Host) -> None:
        """host: the one process that there is; nobody kills it."""
        self.journal, self.host = load.journal, host
        self.client = Client(load, "verdict")
        self.messages: dict[str, list[Object]] = {}
        self.figures: dict[str, str] = {}

    def run(self) -> None:
        self.resolve()
        self.ask_everywhere()
        self.wait_for_rest()
        for person in list(self.journal.people):
            self.check_belongings(person)
        for conversation in self.conversations():
            self.check_conversation(conversation)
        for conversation in self.journal.conversations:
            if conversation.deleted and not conversation.person.is_going:
                self.check_deleted(conversation)
        self.check_ids()
        self.check_ledger()

    # Means

    def violate(self, account: str) -> None:
        self.journal.violate(account)

    def call(self, method: str, params: Object) -> Object | None:
        """The result; a refusal is a violation."""
        call = self.host.request(method, params)
        if not call.done.wait(PATIENCE):
            self.violate(f"in the end {method} is not answered: {params}")
        elif call.result is None:
            self.violate(f"in the end {method} is answered {call.error}: {params}")
        return call.result

    def pages(self, method: str, params: Object, limit: int) -> Iterator[Object]:
        cursor = None
        while True:
            page = self.call(method, {**params, "limit": limit, "cursor": cursor})
            yield from page["data"] if page else []
            cursor = page and page.get("nextCursor")
            if not cursor:
                return

    def conversations(self) -> list[Conversation]:
        """Those that must be there."""
        return [each for each in self.journal.conversations if not each.is_going]

    # What is left to do

    def resolve(self) -> None:
        """Repeats what was left open, so that as little as possible is unknown."""
        for send in list(self.journal.sends):
            person, conversation = send.person, send.conversation
            is_open = send.begun and not send.is_over and (send.turn_id or send.has_unknown_attempt or not send.was_refused)
            if not is_open or person.is_going or conversation and conversation.is_going:
                continue
            if not send.turn_id and (not send.can_repeat or "conversationId" not in send.params and person.claim_begun):
                continue
            # A token that somebody has wanted to claim, without an answer, may or may not be one.
            if person.claim_begun and not person.claimed_by:
                continue
            try:
                end_early = self.client.end_early if send.kind.status is None else None
                self.client.deliver(send, meanwhile=end_early and (lambda call: end_early(send, call)))
            except Gone:
                pass
        for creation in self.journal.creations:
            if creation.is_lost and not creation.person.is_going and not creation.person.claim_begun:
                try:
                    made = self.client.create(creation)
                except Gone:
                    continue
                if creation.method == "createBot":
                    creation.result = made["bot"]["id"]
                else:
                    creation.result = made["conversation"]["id"]
                    self.add_conversation(creation.result, creation.person, creation.params["title"])

    def add_conversation(self, id: str, person: Person, title: str | None) -> None:
        if not any(each.id == id for each in self.journal.conversations):
            conversation = Conversation(id, person, title)
            self.journal.conversations.append(conversation)
            person.conversations.append(conversation)

    def ask_everywhere(self) -> None:
        """No conversation is stuck: each takes another message, and answers it."""
        pending = []
        for conversation in self.conversations():
            if conversation.person.claim_begun and not conversation.person.claimed_by:
                continue
            send = self.client.new_send(conversation, conversation.person.now, "short", stream=False)
            pending.append((send, self.client.begin_send(send, self.host)))
            # As many at once as do not keep the last one waiting too long.
            if len(pending) >= 16:
                self.finish(pending)
        self.finish(pending)

    def finish(self, pending: list[Any]) -> None:
        for send, call in pending:
            if not call.done.wait(PATIENCE):
                self.violate(f"conversation {send.conversation.id} is stuck: a message gets no answer")
            elif call.error:
                self.violate(f"conversation {send.conversation.id} is stuck: a message is refused: {call.error}")
            elif call.result["turn"]["status"] != "completed":
                self.violate(f"conversation {send.conversation.id} is stuck: a message ends as {call.result['turn']}")
        pending.clear()

    def wait_for_rest(self) -> None:
        """Waits until no turn runs."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            limits = self.limits({"system": True})
            if limits.get(("system", "turns"), {}).get("held") == 0:
                return
            time.sleep(0.05)
        self.violate(f"turns are still held: {limits}")

    # Conversations

    def check_belongings(self, person: Person) -> None:
        """What somebody has is what the journal says: conversations and bots, each once."""
        if person.is_going or person.claim_begun and not person.claimed_by:
            return
        if person.claimed_by:
            refused = self.host.request("listConversations", {"caller": person.caller})
            refused.done.wait(PATIENCE)
            if refused.code != "authRequired":
                self.violate(f"the token of {person.name}, who was claimed, is not refused")
            return
        listed = list(self.pages("listConversations", {"caller": person.caller}, 7))
        ids = [each["id"] for each in listed]
        if len(set(ids)) != len(ids):
            self.violate(f"{person.name} has conversations twice: {ids}")
        known = {each.id: each for each in person.conversations if each.person is person}
        for id, conversation in known.items():
            if conversation.deleted and id in ids:
                self.violate(f"conversation {id} of {person.name} was deleted, and is back")
            if not conversation.is_going and id not in ids:
                self.violate(f"conversation {id} of {person.name} is gone")
        for each in listed:
            if "activeTurnId" in each:
                self.violate(f"conversation {each['id']} of {person.name} still runs turn {each['activeTurnId']}")
            if each["id"] in known:
                self.check_title(known[each["id"]], each["title"])
            elif not self.may_exist(person, each["title"]):
                self.violate(f"{person.name} has a conversation that nobody has made: {each}")
        self.check_bots(person)

    def may_exist(self, person: Person, title: str) -> bool:
        """Whether a conversation was made by a request that nobody could repeat to its end."""
        owners = [other for other in self.journal.people if other.now is person]
        return any(
            creation.is_lost and creation.params.get("title") == title for creation in self.journal.creations if creation.person in owners
        ) or any(
            send.has_unknown_attempt and not send.turn_id and send.text.startswith(title.rstrip("…"))
            for send in self.journal.sends if send.person in owners)

    def check_title(self, conversation: Conversation, title: str) -> None:
        if not conversation.renames:
            return
        # Nothing replaces a title but a title that was not answered before another was wanted.
        last = [
            rename.title
            for rename in conversation.renames
            if not any(other.begun > (rename.ended or float("inf")) and other.ended for other in conversation.renames)
        ]
        if title not in last and any(rename.ended for rename in conversation.renames):
            self.violate(f"conversation {conversation.id} is called {title!r}, and must be one of {last}")

    def check_bots(self, person: Person) -> None:
        names = [bot["name"] for bot in self.pages("listBots", {"caller": person.caller, "scope": "own"}, 7)]
        for creation in person.bots:
            count = names.count(creation.params["name"])
            least = 1 if creation.result else 0
            most = 1 if creation.result or creation.is_lost else 0
            if not least <= count <= most:
                self.violate(f"{person.name} has {count} bots {creation.params['name']} instead of {most}")
        unknown = set(names) - {creation.params["name"] for creation in person.bots}
        if unknown:
            self.violate(f"{person.name} has bots that nobody has made: {unknown}")

    def check_conversation(self, conversation: Conversation) -> None:
        caller = conversation.person.now.caller
        if conversation.person.claim_begun and not conversation.person.claimed_by:
            return
        path = list(self.pages("listMessages", {"caller": caller, "conversationId": conversation.id}, 20))[::-1]
        for send in conversation.sends:
            if send.turn_id:
                result = self.call("getTurn", {"caller": caller, "turnId": send.turn_id})
                if result:
                    if result["turn"]["status"] not in TERMINAL or "quota" not in result["turn"]:
                        self.violate(f"turn {send.turn_id} of message {send.number} is still {result['turn']}")
                    learn(self.journal, send, result)
        self.check_path(conversation, path)
        for message in path:
            self.messages.setdefault(message["turnId"], []).append(message)
        for send in conversation.sends:
            if send.is_over:
                self.check_turn(send, self.messages.get(send.turn_id or "", []))

    def check_path(self, conversation: Conversation, path: list[Object]) -> None:
        """The messages on the way to the head: one after the other, each acknowledged one once, in their order, and nothing else."""
        where = f"conversation {conversation.id}"
        for before, after in zip([None, *path], path):
            if after.get("parentId") != (before and before["id"]):
                self.violate(f"{where}: message {after['id']} does not follow the one before it")
        asked = [message for message in path if message["role"] == "user"]
        texts = [text_of(message) for message in asked]
        by_text = {send.text: send for send in conversation.sends}
        branches = any(send.method != "sendMessage" and send.turn_id for send in conversation.sends)
        for send in conversation.sends:
            count = texts.count(send.text)
            if send.method == "regenerateMessage":
                continue
            if send.turn_id and count != 1 and not (branches and count == 0):
                self.violate(f"{where}: message {send.number} was acknowledged, and is there {count} times")
            if not send.turn_id and count and not send.has_unknown_attempt and (send.was_refused or not send.begun):
                self.violate(f"{where}: message {send.number} was refused, and is there {count} times")
            if count > 1:
                self.violate(f"{where}: message {send.number} is there {count} times")
        for message, text in zip(asked, texts):
            send = by_text.get(text)
            if not send:
                self.violate(f"{where}: nobody has sent {text!r}")
            elif send.turn_id and message["turnId"] != send.turn_id and not branches:
                self.violate(f"{where}: message {send.number} belongs to turn {message['turnId']}, not {send.turn_id}")
        ordered = [by_text[text] for text in texts if text in by_text]
        for index, later in enumerate(ordered):
            for earlier in ordered[index + 1 :]:
                # `earlier` stands after `later`, so it must not have been acknowledged before the other was sent.
                if earlier.acknowledged and later.begun and earlier.acknowledged < later.begun:
                    if earlier.interrupts or later.interrupts and not (earlier.ended and earlier.ended < later.begun):
                        continue
                    self.violate(f"{where}: message {earlier.number} was acknowledged before message {later.number} was sent, and stands after it")
        if not branches and len(path) != self.count_of(conversation):
            self.violate(f"{where} has {len(path)} messages, and says that there are {self.count_of(conversation)}")

    def count_of(self, conversation: Conversation) -> int:
        result = self.call("getConversation", {"caller": conversation.person.now.caller, "conversationId": conversation.id})
        return result["conversation"]["messageCount"] if result else -1

    def check_deleted(self, conversation: Conversation) -> None:
        caller = conversation.person.now.caller
        turns = [("getTurn", {"turnId": send.turn_id}) for send in conversation.sends if send.turn_id]
        for method, params in [("getConversation", {"conversationId": conversation.id}), *turns[:3]]:
            call = self.host.request(method, {"caller": caller, **params})
            call.done.wait(PATIENCE)
            if call.code != "notFound":
                self.violate(f"conversation {conversation.id} was deleted, and {method} answers {call.error or call.result}")

    # Turns

    def check_turn(self, send: Send, messages: list[Object]) -> None:
        """What a turn says is what the script says, and what it has cost follows from how it has ended."""
        turn, text, kind = send.turn, text_of(send.message), send.kind
        assert turn
        name = f"message {send.number} ({kind.name}, turn {turn['id']})"
        status, reason = turn["status"], turn["quota"]["reason"]
        if status == "completed" and (kind.status != "completed" or text not in kind.texts):
            self.violate(f"{name} is completed with {text!r}")
        elif status == "failed" and kind.status == "completed" and turn["error"]["data"]["code"] != "storeUnavailable":
            self.violate(f"{name} has failed: {turn['error']}")
        elif status == "cancelled" and not self.may_be_cancelled(send):
            self.violate(f"{name} was cancelled, and nobody wanted that")
        if not any(whole.startswith(text) for whole in (*kind.texts, BEFORE_TOOL)):
            self.violate(f"{name} says {text!r}, which is no part of {kind.texts}")
        stored = {message["id"]: text_of(message) for message in messages if message["role"] == "assistant"}
        if send.message:
            stored[send.message["id"]] = text
        for id, streamed in send.streamed.items():
            if id in stored and stored[id] != streamed:
                self.violate(f"{name} has streamed {streamed!r}, and stored {stored[id]!r}")
        has_tool_result = any(
            part["type"] == "toolResult" and part["status"] in ("completed", "failed")
            for message in messages for part in message["content"])
        was_visible = send.has_shown_text or any(stored.values())
        possible = {
            "completed": {"completed"},
            "failed": {"failed"} if was_visible else {"nothingSaid", "modelNotCalled"},
            "cancelled": {"cancelled"} if was_visible else {"nothingSaid", "modelNotCalled"},
            "interrupted": {"interrupted"} if was_visible else {"interrupted", "modelNotCalled"},
        }[status]
        if has_tool_result and not was_visible:
            possible |= {"failed", "cancelled"} & {status}
        if reason not in possible:
            self.violate(f"{name} is {status}{' after something was said' if was_visible else ''}, and its receipt says {reason}")
        if turn["quota"]["counted"] != (reason in ("completed", "cancelled")):
            self.violate(f"{name} has a receipt that contradicts itself: {turn['quota']}")

    def may_be_cancelled(self, send: Send) -> bool:
        return send.has_tried_cancel or any(other.interrupts for other in send.conversation.sends)

    def check_ids(self) -> None:
        """No two messages have one turn."""
        turns: dict[str, Send] = {}
        for send in self.journal.sends:
            if send.turn_id and turns.setdefault(send.turn_id, send) is not send:
                self.violate(f"messages {turns[send.turn_id].number} and {send.number} have one turn, {send.turn_id}")

    # The ledger

    def limits(self, subject: Object) -> dict[tuple[str, str], Object]:
        result = self.call("getQuota", {"caller": {"operator": True}, "subject": subject})
        return {(limit["scope"], limit["unit"]): limit for limit in (result or {"limits": []})["limits"]}

    @staticmethod
    def cost(send: Send) -> tuple[Bounds, Bounds]:
        """What a message has cost its person, and everybody."""
        if send.is_over:
            reason = send.turn["quota"]["reason"]
            person, system = reason in ("completed", "cancelled"), reason not in ("modelNotCalled", "local")
            return Bounds(person, person), Bounds(system, system)
        if not send.turn_id and not send.has_unknown_attempt and send.was_refused or not send.begun:
            return Bounds(), Bounds()
        # Its conversation is gone, or nobody could ask again. What has been said was said by a model, which counts.
        return Bounds(0, 1), Bounds(int(send.has_shown_text), 1)

    def check_ledger(self) -> None:
        costs = {id(person): Bounds() for person in self.journal.people}
        everybody, anonymous = Bounds(), Bounds()
        for send in self.journal.sends:
            person, system = self.cost(send)
            payers = {id(payer): payer for payer in send.payers or [send.person]}
            everybody.add(system.low, system.high)
            for payer in payers.values():
                costs[id(payer)].add(person.low if len(payers) == 1 else 0, person.high)
            kinds = {payer.is_anonymous for payer in payers.values()}
            if True in kinds:
                anonymous.add(system.low if len(kinds) == 1 else 0, system.high)
        uncertain = 0
        for person in self.journal.people:
            self.check_receipts(person, costs[id(person)])
        for person in self.journal.people:
            # Who is gone, or was claimed, has no limits that could be asked for; their turns are among those of everybody.
            if person.is_going or person.claim_begun:
                continue
            bounds = costs[id(person)]
            uncertain += bounds.high - bounds.low
            limits = self.limits(person.subject)
            scope = "anonymous" if person.is_anonymous else "user"
            self.compare(person.name, limits.get((scope, "turns")), bounds)
            bots = Bounds()
            for creation in person.bots:
                bots.add(int(creation.result is not None), int(creation.result is not None or creation.is_lost))
            self.compare(person.name, limits.get((scope, "bots")), bots)
            if person.is_anonymous:
                self.compare(person.name, limits.get(("anonymous", "tools.dice")), self.dice(person))
        limits = self.limits({"system": True})
        self.compare("the system", limits.get(("system", "turns")), everybody)
        self.compare("the system", limits.get(("system", "anonymousTurns")), anonymous)
        self.figures["turns charged to the system"] = f"{limits[('system', 'turns')]['used']} ({everybody} by the journal)"
        self.figures["turns of people that nobody could ask for"] = str(uncertain)

    def check_receipts(self, person: Person, bounds: Bounds) -> None:
        """The receipts of somebody's turns that count say 1, 2, 3, and so on, each once."""
        scope = "anonymous" if person.is_anonymous else "user"
        used = sorted(
            limit["used"]
            for send in self.journal.sends if send.is_over and send.turn["quota"]["counted"] and set(map(id, send.payers)) == {id(person)}
            for limit in send.turn["quota"]["limits"] if (limit["scope"], limit["unit"]) == (scope, "turns"))
        is_known = bounds.low == bounds.high
        if len(set(used)) != len(used) or used and used[-1] > bounds.high or is_known and used != list(range(1, bounds.high + 1)):
            self.violate(f"{person.name} has used up {bounds}, and the receipts say {used}")

    def dice(self, person: Person) -> Bounds:
        """How many successful calls of the tool somebody has made: at least what is stored, at most what was answered."""
        bounds = Bounds()
        for send in self.journal.sends:
            payers = {id(payer) for payer in send.payers}
            if id(person) not in payers:
                continue
            stored = sum(
                part["type"] == "toolResult" and part["status"] == "completed"
                for message in self.messages.get(send.turn_id or "", []) for part in message["content"])
            answered = self.journal.tool_successes.get(send.turn_id or "", int(kind_of(send.text).name == "tool" and not send.turn_id))
            bounds.add(stored if len(payers) == 1 else 0, max(stored, answered))
        return bounds

    def compare(self, whose: str, limit: Object | None, used: Bounds) -> None:
        if not limit:
            return self.violate(f"{whose}: a limit is not told")
        if limit["used"] not in used or limit["held"] != 0:
            self.violate(
                f"{whose}: of {limit['scope']}.{limit['unit']} {limit['used']} are used and {limit['held']} held, and it must be {used} and 0")
