"""The load: what clients do all the time, and again when a process has died under them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from client import PASSING, PATIENCE, Gone
from copies import Copier
from fleet import Ended, Fleet
from host import Host
from journal import Conversation, Creation, Journal, Person, Rename, Send
from model import Object
from watch import AttachedWatch, text_of

# Kinds that end by themselves, as often as they are said.
TALK = ["short"] * 5 + ["long"] * 3 + ["tool"] * 4 + ["late", "cut", "refused", "flaky", "broken"]

PEOPLE = 8


@dataclass(frozen=True)
class Operation:
    """Something that clients do."""

    name: str
    weight: int
    # What the binary must know; see `Load.probe`.
    needs: str | None = None


OPERATIONS = [
    Operation("say", 34),
    Operation("begin", 8),
    Operation("say_twice", 6),
    Operation("rivals", 5),
    Operation("repeat", 8),
    Operation("contradict", 2),
    Operation("cancel", 12),
    Operation("enqueue", 10, needs="onBusy: enqueue"),
    Operation("interrupt", 8, needs="onBusy: interrupt"),
    Operation("edit", 5, needs="editMessage"),
    Operation("regenerate", 5, needs="regenerateMessage"),
    Operation("attach", 5, needs="attachTurn"),
    Operation("move_head", 2, needs="headMessageId"),
    Operation("look", 4),
    Operation("copy", 4, needs="importConversation"),
    Operation("fork", 3, needs="forkConversation"),
    Operation("rate", 3, needs="rateMessage"),
    Operation("create_conversation", 6),
    Operation("create_bot", 4),
    Operation("rename", 4),
    Operation("delete_conversation", 4),
    Operation("claim", 3),
    Operation("delete_person", 1),
    Operation("arrive", 4),
]


class Load:
    """Clients on all processes of a fleet."""

    def __init__(self, journal: Journal, fleet: Fleet, known: set[str]) -> None:
        """known: what the binary knows of what operations need."""
        self.journal, self.fleet = journal, fleet
        self.operations = [operation for operation in OPERATIONS if operation.needs is None or operation.needs in known]
        self.people: list[Person] = []
        self.is_over = threading.Event()
        self.lull = threading.Event()
        self._threads: list[threading.Thread] = []

    @staticmethod
    def probe(host: Host) -> set[str]:
        """Which needs of operations a binary meets."""
        host.hello.done.wait(PATIENCE)
        known = set(host.methods)
        for value in ["enqueue", "interrupt"]:
            params = {"caller": {"userId": "nobody"}, "conversationId": "none", "text": "Are you there?", "onBusy": value}
            call = host.request("sendMessage", params)
            call.done.wait(PATIENCE)
            if call.code == "notFound":
                known.add(f"onBusy: {value}")
        params = {"caller": {"userId": "nobody"}, "conversationId": "none", "headMessageId": "none"}
        call = host.request("updateConversation", params)
        call.done.wait(PATIENCE)
        if call.code == "notFound":
            known.add("headMessageId")
        return known

    def start(self, clients: int) -> None:
        self._threads = [threading.Thread(target=Visitor(self, number).run, daemon=True) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets clients begin nothing more. Once the fleet has ended, too, they leave everything as it is; `join` waits for that."""
        self.is_over.set()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                self.journal.violate("a client waits for ever")


class Visitor(Copier):
    """One of those who do things, one after the other."""

    def __init__(self, load: Load, number: int) -> None:
        super().__init__(load.journal, load.fleet, str(number))
        self.load = load

    def run(self) -> None:
        names = [operation.name for operation in self.load.operations]
        weights = [operation.weight for operation in self.load.operations]
        while not self.load.is_over.is_set():
            if self.load.lull.is_set():
                time.sleep(0.01)
                continue
            name = self.chance.choices(names, weights)[0]
            try:
                getattr(self, name)()
                self.journal.count(f"did {name}")
            except Ended:
                return
            except Gone:
                pass
            except Exception as error:  # A mistake of this driver must not look like silence.
                self.journal.violate(f"the driver failed in {name}: {type(error).__name__}: {error} ({_where(error)})")

    # Choosing

    def person(self) -> Person:
        with self.journal.lock:
            people = [person for person in self.load.people if not person.is_going and not person.claim_begun]
        if len(people) < 2:
            self.arrive()
            return self.person()
        return self.chance.choice(people)

    def conversation(self) -> Conversation:
        """One of the conversations, most of which are new."""
        person = self.person()
        with self.journal.lock:
            known = [each for each in person.conversations if not each.is_going and not each.is_retired]
            for each in known:
                if len(each.sends) > 25:
                    each.is_retired = True
        if not known or len(known) < 3 and self.chance.random() < 0.1:
            return self.create_conversation(person)
        return self.chance.choice(known[-4:])

    def kind(self) -> str:
        return self.chance.choice(TALK)

    def options(self) -> Object:
        options: Object = {}
        if self.chance.random() < 0.15:
            options["stream"] = False
        if self.chance.random() < 0.2:
            options["wait"] = False
        return options

    # What clients do

    def say(self) -> None:
        conversation = self.conversation()
        kind = "command" if self.chance.random() < 0.1 else self.kind()
        send = self.new_send(
            conversation, conversation.person.now, kind, can_repeat=self.chance.random() < 0.9, **self.options())
        self.deliver(send)

    def begin(self) -> None:
        person = self.person()
        self.deliver(self.new_send(None, person, self.kind(), can_repeat=self.chance.random() < 0.9, **self.options()))

    def say_twice(self) -> None:
        """The same message goes to two processes at once."""
        if self.chance.random() < 0.3:
            send = self.new_send(None, self.person(), self.kind())
        else:
            conversation = self.conversation()
            send = self.new_send(conversation, conversation.person.now, self.kind())
        first = self.fleet.pick(self.chance)
        second = self.fleet.pick(self.chance, other_than=first)
        self.deliver(send, [self.begin_send(send, first), self.begin_send(send, second)])

    def rivals(self) -> None:
        """Two messages go to one conversation at once; one may have to wait."""
        conversation = self.conversation()
        sends = [self.new_send(conversation, conversation.person.now, self.kind()) for _ in range(2)]
        calls = [self.begin_send(send, self.fleet.pick(self.chance)) for send in sends]
        self.deliver_all(sends, calls)

    def some_send(self, is_over: bool) -> Send:
        """A message whose turn is known, a new one rather than an old one."""
        with self.journal.lock:
            known = [
                send
                for send in self.journal.sends[-400:]
                if send.turn_id and send.can_repeat and send.conversation and not send.conversation.is_going
                and not send.person.claim_begun and send.is_over == is_over
            ]
        if not known:
            raise Gone
        return self.chance.choice(known)

    def some_stored_send(self) -> Send:
        """A message that may be edited, or answered again."""
        send = self.some_send(is_over=True)
        if send.kind.is_local or send.has_never_begun:
            raise Gone
        return send

    def repeat(self) -> None:
        """A message is sent again long after its end."""
        send = self.some_send(is_over=True)
        self.deliver(send)

    def contradict(self) -> None:
        """Another message comes with the id of one that there was."""
        send = self.some_send(is_over=True)
        if send.method != "sendMessage":
            raise Gone
        call = self.ask("sendMessage", {**send.params, "text": "Something else.", "caller": send.person.now.caller})
        if call.code != "idempotencyConflict" and not send.conversation.is_going and not send.person.claim_begun:
            self.journal.violate(f"another message came with the id of message {send.number}, and got {call.error or call.result}")

    def cancel(self) -> None:
        conversation = self.conversation()
        kind = self.chance.choice(["endless", "mute", "long", "late", "tool", "short"])
        send = self.new_send(conversation, conversation.person.now, kind, **({"stream": False} if self.chance.random() < 0.1 else {}))
        host = self.fleet.pick(self.chance)
        self.deliver(send, [self.begin_send(send, host)], meanwhile=lambda call: self.end_early(send, call))

    def enqueue(self) -> None:
        """Several messages go to a conversation, none of which waits for the others."""
        conversation = self.conversation()
        host = self.fleet.pick(self.chance)
        sends, calls = [], []
        for _ in range(self.chance.randint(2, 4)):
            send = self.new_send(conversation, conversation.person.now, self.kind(), onBusy="enqueue")
            sends.append(send)
            calls.append(self.begin_send(send, host))
            if self.chance.random() < 0.3:
                host = self.fleet.pick(self.chance)
        if self.chance.random() < 0.3:
            send, call = self.chance.choice(list(zip(sends, calls)))
            call.moved.wait(PATIENCE)
            if send.turn_id:
                self.end_early(send, call)
        self.deliver_all(sends, calls)

    def interrupt(self) -> None:
        """A message takes the place of a turn that runs."""
        conversation = self.conversation()
        kind = self.chance.choice(["endless", "mute", "long", "tool"])
        first = self.new_send(conversation, conversation.person.now, kind, onBusy=self.chance.choice(["reject", "enqueue", "interrupt"]))
        call = self.begin_send(first, self.fleet.pick(self.chance))
        call.moved.wait(PATIENCE)
        time.sleep(self.chance.choice([0, 0.01, 0.1]))
        second = self.new_send(conversation, conversation.person.now, self.kind(), onBusy="interrupt")
        try:
            self.deliver(second, [self.begin_send(second, self.fleet.pick(self.chance))])
        finally:
            # It may be that the second was refused, or has come before the first.
            if first.turn_id and not first.is_over and first.kind.status is None and not conversation.is_going:
                self.cancel_turn(first)
            self.deliver(first, [call])

    def edit(self) -> None:
        old = self.some_stored_send()
        send = self.new_send(old.conversation, old.person.now, self.kind(), method="editMessage", messageId=old.user_message_id)
        self.deliver(send)

    def regenerate(self) -> None:
        old = self.some_stored_send()
        message = self.chance.choice([old.user_message_id, old.turn.get("messageId") or old.user_message_id])
        send = self.new_send(old.conversation, old.person.now, old.kind.name, method="regenerateMessage", messageId=message)
        self.deliver(send)

    def attach(self) -> None:
        """Somebody watches from elsewhere."""
        conversation = self.conversation()
        send = self.new_send(conversation, conversation.person.now, self.chance.choice(["long", "tool", "late"]))
        call = self.begin_send(send, self.fleet.pick(self.chance))
        call.moved.wait(PATIENCE)
        time.sleep(self.chance.choice([0, 0.02, 0.1]))
        attached = None
        if send.turn_id:
            after = min(self.chance.choice([0, 0, 1, 3]), send.last_sequence)
            person = conversation.person.now
            params = {"caller": person.caller, "turnId": send.turn_id, "afterSeq": after}
            attached = self.fleet.pick(self.chance).request("attachTurn", params, AttachedWatch(self.journal, send, after))
        self.deliver(send, [call])
        if attached:
            self.wait(attached, "attachTurn")
            if attached.error and attached.code not in PASSING and not conversation.is_going and not person.claim_begun:
                self.journal.violate(f"nobody can be attached to message {send.number}: {attached.error}")

    def move_head(self) -> None:
        """The conversation goes on from an earlier message."""
        old = self.some_stored_send()
        conversation, person = old.conversation, old.person.now
        message = self.chance.choice([old.user_message_id, old.turn.get("messageId") or old.user_message_id])
        conversation.head_was_moved = True
        call = self.ask("updateConversation", {"caller": person.caller, "conversationId": conversation.id, "headMessageId": message})
        if call.error and call.code != "conversationBusy" and not conversation.is_going and not person.claim_begun:
            self.journal.violate(f"the head of {conversation.id} cannot be moved to {message}: {call.error}")

    def look(self) -> None:
        """Everything that was acknowledged before is there, whichever process is asked."""
        conversation = self.conversation()
        person = conversation.person.now
        with self.journal.lock:
            if conversation.branches:
                raise Gone
            # A message that waits is not there yet.
            expected = [
                send for send in conversation.sends if send.acknowledged is not None and (send.started is not None or not send.can_wait)]
        listed, cursor = [], None
        while True:
            params = {"caller": person.caller, "conversationId": conversation.id, "limit": 30, "cursor": cursor}
            call = self.ask("listMessages", params)
            if call.error:
                if conversation.is_going or person.claim_begun:
                    raise Gone
                return self.journal.violate(f"conversation {conversation.id} cannot be read: {call.error}")
            listed += [text_of(message) for message in call.result["data"] if message["role"] == "user"]
            cursor = call.result.get("nextCursor")
            if not cursor:
                break
        for send in expected:
            if listed.count(send.text) != 1 and not conversation.branches:
                self.journal.violate(
                    f"message {send.number} was acknowledged and is there {listed.count(send.text)} times in {conversation.id}")
        if not expected:
            return
        send = self.chance.choice(expected)
        call = self.ask("searchConversations", {"caller": person.caller, "query": f'"{send.text}"', "limit": 200})
        found = [each["conversation"]["id"] for each in call.result["data"]] if call.result else []
        if conversation.id not in found and not conversation.is_going and not person.claim_begun:
            self.journal.violate(f"message {send.number} of {conversation.id} is not found, but {found}: {call.error}")

    def create_conversation(self, person: Person | None = None) -> Conversation:
        person = person or self.person()
        title = f"Title {self.journal.tick()}"
        creation = Creation("createConversation", person, {"title": title, "clientRequestId": title})
        made = self.create(creation)["conversation"]
        with self.journal.lock:
            creation.result = made["id"]
            conversation = Conversation(made["id"], person, title)
            self.journal.conversations.append(conversation)
            person.conversations.append(conversation)
            if person.claimed_by:
                conversation.person = person.claimed_by
                person.claimed_by.conversations.append(conversation)
        return conversation

    def create_bot(self) -> None:
        person = self.person()
        name = f"Bot {self.journal.tick()}"
        creation = Creation("createBot", person, {"name": name, "clientRequestId": name})
        with self.journal.lock:
            person.bots.append(creation)
        creation.result = self.create(creation)["bot"]["id"]

    def rename(self) -> None:
        conversation = self.conversation()
        person = conversation.person.now
        rename = Rename(f"Title {self.journal.tick()}", self.journal.tick())
        with self.journal.lock:
            conversation.renames.append(rename)
        call = self.ask(
            "updateConversation",
            {"caller": person.caller, "conversationId": conversation.id, "title": rename.title})
        if call.result:
            rename.ended = self.journal.tick()
        elif not conversation.is_going and not person.claim_begun:
            self.journal.violate(f"conversation {conversation.id} cannot be renamed: {call.error}")

    def delete_conversation(self, conversation: Conversation | None = None) -> None:
        conversation = conversation or self.conversation()
        self.let_end(conversation.sends)
        person = conversation.person.now
        with self.journal.lock:
            conversation.deletion_begun = True
        call = self.ask("deleteConversation", {"caller": person.caller, "conversationId": conversation.id})
        if call.code in ("authRequired", "notFound") and (person.claim_begun or person.is_going):
            raise Gone
        if call.result or call.code == "notFound":
            conversation.deleted = True
        else:
            self.journal.violate(f"conversation {conversation.id} cannot be deleted: {call.error}")

    def let_end(self, sends: list[Send]) -> None:
        """Mostly waits until it is known what messages have cost, before what tells of it is deleted."""
        until = time.monotonic() + 2
        if self.chance.random() < 0.75:
            while time.monotonic() < until and any(send.begun and not send.is_over and not send.was_refused for send in sends):
                time.sleep(0.02)

    def arrive(self) -> None:
        """Somebody new comes, and somebody old goes away without a word."""
        if self.chance.random() < 0.5:
            name = f"user-{self.journal.tick()}"
            caller = {"userId": name}
            person = Person(name, caller, caller)
        else:
            made = self.ask("createAnonymousUser", {}).result
            user = made["anonymousUser"]["id"]
            person = Person(f"anonymous {user}", {"anonymousToken": made["anonymousToken"]}, {"anonymousUserId": user})
            person.address = f"192.0.2.{self.chance.randint(1, 4)}"
        with self.journal.lock:
            self.journal.people.append(person)
            self.load.people.append(person)
            if len(self.load.people) > PEOPLE:
                self.load.people.pop(0)

    def claim(self) -> None:
        person = self.person()
        users = [other for other in self.load.people if not other.is_anonymous and not other.is_going]
        if not person.is_anonymous or not users:
            raise Gone
        user = self.chance.choice(users)
        with self.journal.lock:
            if person.claim_begun or person.is_going or user.is_going:
                raise Gone
            person.claim_begun = True
            person.claimant = user
        self.claim_for(user, person)
        refused = self.ask("listConversations", {"caller": person.caller})
        if refused.code != "authRequired":
            self.journal.violate(f"the token of {person.name} works after the claim: {refused.error or refused.result}")

    def delete_person(self) -> None:
        person = self.person()
        with self.journal.lock:
            if person in self.load.people:
                self.load.people.remove(person)
            sends = [send for send in self.journal.sends[-400:] if send.person.now is person]
        self.let_end(sends)
        with self.journal.lock:
            if person.claim_begun or person.is_going:
                raise Gone
            person.deletion_begun = True
        self.delete(person)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    lines = []
    while trace:
        lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(lines)
