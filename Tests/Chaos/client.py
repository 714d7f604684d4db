"""A client that does not give up: what it wants is asked again, of whichever process there is, until it is known what has become of it."""

from __future__ import annotations

import time
from typing import Any, Callable

from fleet import Fleet
from host import Call, Host
from journal import Conversation, Creation, Journal, Person, Send
from model import Object, question
from watch import Watch, learn

# How long anything may take, in seconds, before it counts as stuck. A turn that nobody ends has its deadline long before.
PATIENCE = 60.0

# Refusals after which the same request may be sent again.
PASSING = ("storeUnavailable", "shuttingDown", "overloaded")


class Gone(Exception):
    """What a client is about was deleted, or taken over, by another."""


class Client:
    """One of those who do things, one after the other."""

    def __init__(self, journal: Journal, fleet: Fleet, name: str) -> None:
        self.journal, self.fleet = journal, fleet
        self.chance = journal.random(f"client {name}")

    # Requests

    def wait(self, call: Call, what: str) -> None:
        """Waits for a request's outcome."""
        if not call.done.wait(PATIENCE):
            self.journal.violate(f"{what} was not answered within {PATIENCE:.0f} s")
            raise Gone

    def ask(self, method: str, params: Object, host: Host | None = None) -> Call:
        """Sends a request until it is answered, by whichever process: for what does no harm when it is done twice."""
        until = time.monotonic() + PATIENCE
        while True:
            call = (host or self.fleet.pick(self.chance)).request(method, params)
            host = None
            self.wait(call, method)
            if not call.has_died and call.code not in PASSING:
                return call
            if time.monotonic() > until:
                self.journal.violate(f"{method} finds nobody who answers: {call.error}")
                raise Gone
            time.sleep(0.01)

    def pause(self) -> None:
        time.sleep(self.chance.random() * 0.08)

    # Sends

    def new_send(
        self, conversation: Conversation | None, person: Person, kind: str, method: str = "sendMessage", can_repeat: bool = True,
        **params: Any,
    ) -> Send:
        """Writes a message down."""
        with self.journal.lock:
            number = len(self.journal.sends) + 1
            text = question(kind, number)
            if method != "regenerateMessage":
                params["text"] = text
            if conversation:
                params["conversationId"] = conversation.id
            if can_repeat:
                params["clientMessageId"] = f"message-{number}"
            send = Send(number, method, person, text, params, conversation, can_repeat)
            self.journal.sends.append(send)
            if conversation:
                conversation.sends.append(send)
        return send

    def begin_send(self, send: Send, host: Host) -> Call:
        """Sends it once."""
        # A message that makes a conversation is known to who sent it, and would be another message of whoever has claimed that person.
        payer = send.person.now if "conversationId" in send.params else send.person
        with self.journal.lock:
            send.attempts += 1
            if send.attempts > 1:
                self.journal.count("repeats")
            if send.begun is None:
                send.begun = self.journal.tick()
            if not send.turn_id:
                send.payers.append(payer)
        params = {**send.params, "caller": payer.caller}
        if payer.address:
            params["clientAddress"] = payer.address
        return host.request(send.method, params, Watch(self.journal, send, payer, host.number))

    def deliver(self, send: Send, calls: list[Call] | None = None, meanwhile: Callable[[Call], None] | None = None) -> None:
        """Sends a message again and again, until it is known what has become of its turn.

        calls: attempts that were begun already.
        meanwhile: done once, when the turn has begun.
        """
        until = time.monotonic() + PATIENCE
        calls = list(calls or [])
        while True:
            if not calls:
                is_claimed = send.turn_id and send.person.claim_begun and "conversationId" not in send.params
                if not send.can_repeat and (send.turn_id or send.has_unknown_attempt) or is_claimed:
                    return self.await_turn(send)
                # A user who is deleted and says something is somebody new, to whom the message is new as well.
                if send.attempts and send.person.is_going and "conversationId" not in send.params:
                    raise Gone
                calls = [self.begin_send(send, self.fleet.pick(self.chance))]
            call = calls.pop(0)
            if meanwhile:
                call.moved.wait(PATIENCE)
                if send.turn_id and not send.is_over:
                    meanwhile(call)
                    meanwhile = None
            self.wait(call, f"{send.method} of message {send.number}")
            if call.has_died:
                if not send.turn_id:
                    send.has_unknown_attempt = True
            elif call.error:
                self.weigh_refusal(send, call)
            if not calls:
                if send.is_over:
                    return
                if send.was_refused and not send.has_unknown_attempt:
                    return
                if send.turn_id and (call.result or not send.can_repeat or self.chance.random() < 0.3):
                    return self.await_turn(send)
            if time.monotonic() > until:
                self.journal.violate(f"message {send.number} is stuck: {call.error or send.turn or 'no outcome'}")
                raise Gone

    def weigh_refusal(self, send: Send, call: Call) -> None:
        """Decides whether to try again.

        Raises Gone when that makes no sense.
        """
        assert call.error
        code, data = call.code, call.error["data"]
        with self.journal.lock:
            if not send.turn_id and call.watcher.payer in send.payers:
                send.payers.remove(call.watcher.payer)
        was_known = send.acknowledged is not None and send.acknowledged < call.watcher.begun
        if was_known and code in ("conversationBusy", "quotaExceeded", "queueFull", "idempotencyConflict"):
            self.journal.violate(f"message {send.number} was accepted as turn {send.turn_id}, and its repeat is refused: {call.error}")
            raise Gone
        if code in PASSING or code == "cancelled" and send.has_tried_cancel:
            return self.pause()
        if code in ("conversationBusy", "queueFull") or code == "quotaExceeded" and data["unit"] == "inFlight":
            if send.has_unknown_attempt or self.chance.random() < 0.5:
                return self.pause()
            send.was_refused = True
            return
        person = send.person
        if code == "authRequired" and person.claim_begun and not person.deletion_begun:
            if send.turn_id:
                return self.await_turn(send)
            if "conversationId" not in send.params:
                send.was_refused = True
                raise Gone
            # Whoever claims it will have it soon.
            return self.pause()
        is_going = send.conversation.is_going if send.conversation else person.is_going
        if code in ("authRequired", "notFound") and (is_going or person.is_going):
            send.was_refused = True
            raise Gone
        if code == "notFound" and person.claim_begun:
            return self.pause()
        self.journal.violate(f"message {send.number} is refused without a reason: {call.error}")
        send.was_refused = True
        raise Gone

    def await_turn(self, send: Send) -> None:
        """Asks for a turn until it has ended."""
        until = time.monotonic() + PATIENCE
        while send.turn_id and not send.is_over:
            asked = self.journal.tick()
            call = self.ask("getTurn", {"caller": send.person.now.caller, "turnId": send.turn_id})
            if call.result:
                learn(self.journal, send, call.result, asked)
            elif send.conversation and send.conversation.is_going:
                raise Gone
            elif not send.person.claim_begun:
                self.journal.violate(f"turn {send.turn_id} of message {send.number} is lost: {call.error}")
                raise Gone
            if time.monotonic() > until:
                self.journal.violate(f"turn {send.turn_id} of message {send.number} does not end: {send.turn}")
                raise Gone
            self.pause()

    def deliver_all(self, sends: list[Send], calls: list[Call]) -> None:
        """Delivers messages of which each has been begun."""
        gone = False
        for send, call in zip(sends, calls):
            try:
                self.deliver(send, [call])
            except Gone:
                gone = True
        if gone:
            raise Gone

    def end_early(self, send: Send, call: Call) -> None:
        """Cancels a turn that runs, from anywhere."""
        time.sleep(self.chance.choice([0, 0.005, 0.05, 0.2]))
        send.has_tried_cancel = True
        # On a repeat that would only end the waiting.
        if send.attempts == 1 and self.chance.random() < 0.3:
            call.host.notify("$/cancelRequest", {"id": call.request_id})
            return
        self.cancel_turn(send, call.host if self.chance.random() < 0.5 else None)

    def cancel_turn(self, send: Send, host: Host | None = None) -> None:
        send.has_tried_cancel = True
        params = {"caller": send.person.now.caller, "turnId": send.turn_id}
        asked = self.journal.tick()
        cancelled = self.ask("cancelTurn", params, host)
        if cancelled.result:
            if cancelled.result["turn"]["status"] in ("queued", "inProgress"):
                self.journal.violate(f"the turn of message {send.number} was cancelled and goes on: {cancelled.result['turn']}")
            learn(self.journal, send, cancelled.result, asked)
        elif not send.conversation.is_going and not send.person.claim_begun:
            self.journal.violate(f"the turn of message {send.number} cannot be cancelled: {cancelled.error}")

    def create(self, creation: Creation) -> Object:
        """Makes something once, asking until there is an answer.

        Raises Gone when it is refused.
        """
        until = time.monotonic() + PATIENCE
        was_unknown = False
        with self.journal.lock:
            if creation not in self.journal.creations:
                self.journal.creations.append(creation)
        while True:
            # Asked by who there was: to somebody else it would be another request.
            call = self.fleet.pick(self.chance).request(creation.method, {**creation.params, "caller": creation.person.caller})
            creation.is_lost = True
            self.wait(call, creation.method)
            if call.result:
                creation.is_lost = False
                return call.result
            if call.has_died:
                was_unknown = True
            elif call.code not in PASSING:
                creation.is_lost = was_unknown
                creation.was_refused = not was_unknown
                if creation.person.claim_begun or creation.person.is_going or creation.source and creation.source.is_going:
                    raise Gone
                self.journal.violate(f"{creation.method} is refused without a reason: {call.error}")
                raise Gone
            if time.monotonic() > until:
                self.journal.violate(f"{creation.method} finds nobody who answers")
                raise Gone

    # People

    def claim_for(self, user: Person, person: Person) -> None:
        """Gives a user what an anonymous person has."""
        params = {"caller": user.caller, "anonymousToken": person.caller["anonymousToken"], "confirm": True}
        call = self.ask("claimAnonymousUser", params)
        if not call.result:
            if user.is_going:
                # Whoever claimed it is deleted, and has perhaps taken it along.
                person.deletion_begun = True
                raise Gone
            return self.journal.violate(f"{person.name} cannot be claimed: {call.error}")
        again = self.ask("claimAnonymousUser", params)
        if again.result != call.result and not user.is_going:
            self.journal.violate(f"the claim of {person.name} gives {call.result}, and then {again.error or again.result}")
        with self.journal.lock:
            person.claimed_by = user
            for conversation in person.conversations:
                conversation.person = user
                user.conversations.append(conversation)
            user.bots += person.bots

    def delete(self, person: Person) -> None:
        """Deletes somebody with everything."""
        call = self.ask("deleteUser", {"caller": person.caller, "confirm": True})
        if call.result or person.is_anonymous and call.code == "authRequired":
            person.deleted = True
        else:
            self.journal.violate(f"{person.name} cannot be deleted: {call.error}")
