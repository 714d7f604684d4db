"""The end: everything is read back through one clean process and compared with the journal."""

from __future__ import annotations

import time
from typing import Any

from client import PATIENCE, Client, Gone
from copies import COPIES
from fleet import Fleet
from host import Call
from journal import TERMINAL, Conversation, Journal, Person, Send
from ledger import Ledger
from model import BEFORE_TOOL, Object
from reader import Reader
from watch import learn, text_of


# How much is repeated in the end.
MOST = 5000


class Verdict:
    """The comparison. What differs becomes a violation in the journal."""

    def __init__(self, journal: Journal, fleet: Fleet) -> None:
        """fleet: the one process that there is; nobody kills it."""
        self.journal = journal
        self.client = Client(journal, fleet, "verdict")
        self.reader = Reader(journal, fleet.pick(self.client.chance))
        # What is stored of turns, by their ids.
        self.messages: dict[str, list[Object]] = {}
        self.figures: dict[str, str] = {}

    def run(self) -> None:
        self.finish_claims_and_deletions()
        self.finish_sends()
        self.finish_creations()
        self.wait_for_rest()
        self.ask_everywhere()
        self.wait_for_rest()
        self.repeat_everything()
        self.find_unanswered()
        for person in self.journal.people:
            self.check_belongings(person)
        for conversation in self.conversations():
            self.check_conversation(conversation)
        for conversation in self.journal.conversations:
            if conversation.deleted and not conversation.person.is_going:
                self.check_deleted(conversation)
        self.check_ids()
        ledger = Ledger(self.reader, self.messages)
        ledger.check()
        self.figures = ledger.figures

    def violate(self, account: str) -> None:
        self.journal.violate(account)

    def conversations(self) -> list[Conversation]:
        """Those that must be there."""
        return [each for each in self.journal.conversations if not each.is_going]

    # What is left to do

    def finish_claims_and_deletions(self) -> None:
        """Asks again for what got no answer, so that it is done."""
        for person in self.journal.people:
            user = person.claimant
            if user and not person.claimed_by and not user.deletion_begun:
                self.client.claim_for(user, person)
        for person in self.journal.people:
            if person.deletion_begun and not person.deleted:
                self.client.delete(person)
        for conversation in self.journal.conversations:
            if conversation.deletion_begun and not conversation.deleted and not conversation.person.is_going:
                call = self.client.ask(
                    "deleteConversation", {"caller": conversation.person.now.caller, "conversationId": conversation.id})
                conversation.deleted = bool(call.result or call.code == "notFound")

    def finish_sends(self) -> None:
        """Repeats what was left open, so that as little as possible is unknown."""
        for send in list(self.journal.sends):
            person, conversation = send.person, send.conversation
            is_open = send.begun and not send.is_over and (send.turn_id or send.has_unknown_attempt or not send.was_refused)
            if not is_open or person.is_going or conversation and conversation.is_going:
                continue
            # Nobody can ask for it any more.
            if not send.turn_id and (not send.can_repeat or "conversationId" not in send.params and person.claim_begun):
                continue
            end_early = self.client.end_early if send.kind.status is None else None
            try:
                if end_early and send.turn_id:
                    self.client.cancel_turn(send)
                self.client.deliver(send, meanwhile=end_early and (lambda call: end_early(send, call)))
            except Gone:
                pass

    def finish_creations(self) -> None:
        for creation in list(self.journal.creations):
            if not creation.is_lost or creation.person.is_going or creation.person.claim_begun or creation.source and creation.source.is_going:
                continue
            try:
                made = self.client.create(creation)
            except Gone:
                continue
            if creation.method == "createBot":
                creation.result = made["bot"]["id"]
            else:
                creation.result = made["conversation"]["id"]
                self.add_conversation(creation.result, creation.person, creation.params["title"])
                if creation.method in COPIES:
                    # Nobody has said anything in it, and nobody looks at it any more.
                    self.journal.conversations[-1].deletion_begun = True

    def add_conversation(self, id: str, person: Person, title: str | None) -> None:
        if not any(each.id == id for each in self.journal.conversations):
            conversation = Conversation(id, person, title)
            self.journal.conversations.append(conversation)
            person.conversations.append(conversation)

    def repeat_everything(self) -> None:
        """Sends again what was sent: each gets the turn, or the thing, that it had."""
        with self.journal.lock:
            sends = [
                send for send in self.journal.sends
                if send.is_over and send.can_repeat and not (send.conversation and send.conversation.is_going)
                and ("conversationId" in send.params or not send.person.claim_begun)]
            creations = [
                each for each in self.journal.creations
                if each.result and not each.person.is_going and not each.person.claim_begun]
        for send in self.sample(sends):
            try:
                self.client.deliver(send)
            except Gone:
                pass
        gone = {each.id for each in self.journal.conversations if each.is_going}
        for creation in self.sample(creations):
            made = self.client.ask(creation.method, {**creation.params, "caller": creation.person.caller})
            id = next(iter(made.result.values()))["id"] if made.result else made.code
            if id != creation.result and not (creation.result in gone and id == "notFound"):
                self.violate(f"{creation.params['clientRequestId']} was made as {creation.result}, and its repeat gets {id}")

    def sample(self, things: list[Any]) -> list[Any]:
        """All, or as many as can be looked at in a minute or so."""
        return things if len(things) <= MOST else self.client.chance.sample(things, MOST)

    def find_unanswered(self) -> None:
        """Looks for messages that were sent, never answered, and could not be repeated: each is there, or never will be."""
        unanswered = {send.text: send for send in self.journal.sends if send.has_unknown_attempt and not send.turn_id}
        for person in self.journal.people:
            if person.is_going or person.claimed_by:
                continue
            known = {conversation.id for conversation in person.conversations}
            for each in self.reader.pages("listConversations", {"caller": person.caller}, 200):
                send = unanswered.get(each["title"])
                if send and each["id"] not in known and "conversationId" not in send.params:
                    self.add_conversation(each["id"], person, None)
                    self.journal.conversations[-1].sends.append(send)
                    send.conversation = self.journal.conversations[-1]
        for conversation in self.conversations():
            caller = {"caller": conversation.person.now.caller}
            missing = [send for send in conversation.sends if send.text in unanswered]
            if not missing:
                continue
            for message in self.reader.pages("listMessages", {**caller, "conversationId": conversation.id}, 200):
                if send := unanswered.get(text_of(message)):
                    if result := self.reader.call("getTurn", {**caller, "turnId": message["turnId"]}):
                        learn(self.journal, send, result, self.journal.tick())
        for send in unanswered.values():
            is_going = send.conversation.is_going if send.conversation else send.person.is_going
            if not send.turn_id and not is_going:
                send.was_refused, send.has_unknown_attempt = True, False
                send.payers.clear()

    def ask_everywhere(self) -> None:
        """No conversation is stuck: each takes another message, and answers it."""
        pending: list[tuple[Send, Call]] = []
        for conversation in self.conversations():
            send = self.client.new_send(conversation, conversation.person.now, "short", stream=False)
            pending.append((send, self.client.begin_send(send, self.reader.host)))
            # As many at once as do not keep the last one waiting too long.
            if len(pending) >= 16:
                self.finish(pending)
        self.finish(pending)

    def finish(self, pending: list[tuple[Send, Call]]) -> None:
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
            limits = self.reader.limits({"system": True})
            if limits.get(("system", "turns"), {}).get("held") == 0:
                return
            time.sleep(0.05)
        self.violate(f"turns are still held: {limits}")

    # Conversations

    def check_belongings(self, person: Person) -> None:
        """What somebody has is what the journal says: conversations and bots, each once."""
        if person.is_going:
            return
        if person.claimed_by:
            return self.reader.expect_refusal(
                "authRequired", f"{person.name} was claimed", "listConversations", {"caller": person.caller})
        listed = list(self.reader.pages("listConversations", {"caller": person.caller}, 7))
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
        names = [bot["name"] for bot in self.reader.pages("listBots", {"caller": person.caller, "scope": "own"}, 7)]
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
        path = list(self.reader.pages("listMessages", {"caller": caller, "conversationId": conversation.id}, 20))[::-1]
        for send in conversation.sends:
            if send.turn_id:
                result = self.reader.call("getTurn", {"caller": caller, "turnId": send.turn_id})
                if result:
                    if result["turn"]["status"] not in TERMINAL or "quota" not in result["turn"]:
                        self.violate(f"turn {send.turn_id} of message {send.number} is still {result['turn']}")
                    learn(self.journal, send, result, self.journal.tick())
        self.check_path(conversation, path)
        is_straight = not conversation.branches
        for message in path:
            self.messages.setdefault(message["turnId"], []).append(message)
        for send in conversation.sends:
            if send.turn and send.is_over:
                messages = self.messages.get(send.turn_id or "", [])
                if is_straight and [message["id"] for message in messages if message["role"] == "assistant"][-1:] != [
                    id for id in [send.turn.get("messageId")] if id
                ]:
                    self.violate(f"conversation {conversation.id} lacks the answer of turn {send.turn}, and has {messages}")
                self.check_turn(send, messages, is_straight)

    def check_path(self, conversation: Conversation, path: list[Object]) -> None:
        """The messages on the way to the head: one after the other, each acknowledged one once, in their order, and nothing else."""
        where = f"conversation {conversation.id}"
        for before, after in zip([None, *path], path):
            if after.get("parentId") != (before and before["id"]):
                self.violate(f"{where}: message {after['id']} does not follow the one before it")
        asked = [message for message in path if message["role"] == "user"]
        texts = [text_of(message) for message in asked]
        by_text = {send.text: send for send in conversation.sends}
        for send in conversation.sends:
            count = texts.count(send.text)
            if send.method == "regenerateMessage":
                self.look_for_answer(conversation, send)
                continue
            if send.turn_id and count == 0 and (conversation.branches or send.has_never_begun):
                self.look_beside_path(conversation, send)
            elif send.turn_id and count != 1:
                self.violate(f"{where}: message {send.number} was acknowledged, and is there {count} times")
            if not send.turn_id and count and not send.has_unknown_attempt and (send.was_refused or not send.begun):
                self.violate(f"{where}: message {send.number} was refused, and is there {count} times")
            if count > 1:
                self.violate(f"{where}: message {send.number} is there {count} times")
        for message, text in zip(asked, texts):
            send = by_text.get(text)
            if not send:
                self.violate(f"{where}: nobody has sent {text!r}")
            elif send.turn_id and message["turnId"] != send.turn_id:
                self.violate(f"{where}: message {send.number} belongs to turn {message['turnId']}, not {send.turn_id}")
        ordered = [by_text[text] for text in texts if text in by_text]
        for index, later in enumerate(ordered):
            for earlier in ordered[index + 1 :]:
                # `earlier` stands after `later`, so it must not have been acknowledged before the other was sent.
                if earlier.acknowledged and later.begun and earlier.acknowledged < later.begun:
                    # Whoever interrupts comes before those that wait.
                    if later.interrupts and not earlier.interrupts and not (earlier.started and earlier.started < later.begun):
                        continue
                    self.violate(
                        f"{where}: message {earlier.number} was acknowledged before message {later.number} was sent, and stands after it")
        if not conversation.branches and len(path) != self.count_of(conversation):
            self.violate(f"{where} has {len(path)} messages, and says that there are {self.count_of(conversation)}")

    def look_beside_path(self, conversation: Conversation, send: Send) -> None:
        """A message that is not on the way to the head is there nonetheless, in its place."""
        if send.has_never_begun:
            return
        params = {"caller": conversation.person.now.caller, "conversationId": conversation.id, "siblingsOf": send.user_message_id}
        there = [message for message in self.reader.pages("listMessages", params, 20) if text_of(message) == send.text]
        if [message["turnId"] for message in there] != [send.turn_id]:
            self.violate(f"message {send.number} of conversation {conversation.id} is {len(there)} times in its place: {there}")

    def look_for_answer(self, conversation: Conversation, send: Send) -> None:
        """Another answer is there, beside those that there were before."""
        if send.turn and send.is_over and "messageId" in send.turn:
            params = {
                "caller": conversation.person.now.caller, "conversationId": conversation.id, "siblingsOf": send.turn["messageId"]}
            there = [message for message in self.reader.pages("listMessages", params, 20) if message["id"] == send.turn["messageId"]]
            if [message["turnId"] for message in there] != [send.turn_id]:
                self.violate(f"the answer of turn {send.turn_id} in {conversation.id} is {len(there)} times in its place: {there}")

    def count_of(self, conversation: Conversation) -> int:
        result = self.reader.call("getConversation", {"caller": conversation.person.now.caller, "conversationId": conversation.id})
        return result["conversation"]["messageCount"] if result else -1

    def check_deleted(self, conversation: Conversation) -> None:
        caller, why = {"caller": conversation.person.now.caller}, f"conversation {conversation.id} was deleted"
        self.reader.expect_refusal("notFound", why, "getConversation", {**caller, "conversationId": conversation.id})
        for send in conversation.sends[-3:]:
            if send.turn_id:
                self.reader.expect_refusal("notFound", why, "getTurn", {**caller, "turnId": send.turn_id})

    # Turns

    def check_turn(self, send: Send, messages: list[Object], are_all: bool) -> None:
        """What a turn says is what the script says, and what it has cost follows from how it has ended.

        are_all: whether the messages are all that the turn has.
        """
        turn, text, kind = send.turn, text_of(send.message), send.kind
        assert turn
        name = f"message {send.number} ({kind.name}, turn {turn['id']})"
        status, reason = turn["status"], turn["quota"]["reason"]
        if kind.is_local:
            if status not in ("completed", "interrupted", "cancelled") or reason != "local" or not turn.get("local"):
                self.violate(f"{name} is a command: {turn}")
            return
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
        if (has_tool_result or not are_all) and not was_visible:
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
