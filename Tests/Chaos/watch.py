"""Sees the events and the reply of one attempt to send a message, and holds them against what the protocol promises at once."""

from __future__ import annotations

from journal import Conversation, Journal, Person, Send, TERMINAL
from model import Object


def text_of(message: Object | None) -> str:
    """What a message says."""
    return "".join(part["text"] for part in (message or {}).get("content", []) if part["type"] == "text")


def acknowledge(journal: Journal, send: Send, turn: Object) -> None:
    """Notes that a message is accepted, and as which turn."""
    with journal.lock:
        if send.turn_id and send.turn_id != turn["id"] and send.person.is_going and "conversationId" not in send.params:
            # Between the two the user was deleted, and is somebody new.
            send.further_turns.add(turn["id"])
        elif send.turn_id and send.turn_id != turn["id"]:
            journal.violate(f"message {send.number} has two turns: {send.turn_id} and {turn['id']}")
        if send.turn_id:
            return
        send.turn_id = turn["id"]
        send.user_message_id = turn["userMessageId"]
        send.acknowledged = journal.tick()
        if send.conversation is None:
            conversation = Conversation(turn["conversationId"], send.person.now)
            conversation.sends.append(send)
            send.conversation = conversation
            journal.conversations.append(conversation)
            send.person.now.conversations.append(conversation)
        elif send.conversation.id != turn["conversationId"]:
            journal.violate(f"message {send.number} went to {turn['conversationId']} instead of {send.conversation.id}")


def learn(journal: Journal, send: Send, result: Object, asked: int) -> None:
    """Takes in what somebody tells about a message's turn.

    asked: when that was asked for; who asked before a turn's end may be told of it as it was.
    """
    turn, message = result["turn"], result.get("message")
    acknowledge(journal, send, turn)
    with journal.lock:
        if turn["id"] in send.further_turns:
            return
        if turn["status"] not in TERMINAL or "quota" not in turn:
            # Without a receipt its end is not stored, and may still be another one.
            if not send.is_over:
                send.turn = send.turn or ({**turn, "status": "inProgress"} if turn["status"] in TERMINAL else turn)
            elif turn["status"] not in TERMINAL and send.ended and send.ended < asked:
                journal.violate(f"the turn of message {send.number} was {send.turn['status']}, and is {turn['status']}")
            return
        if send.is_over:
            old = send.turn
            if any(old.get(key) != turn.get(key) for key in ("status", "stopReason", "messageId", "completedAt")):
                journal.violate(f"the turn of message {send.number} has changed after its end: {old}, {turn}")
            elif old["quota"]["reason"] != turn["quota"]["reason"]:
                journal.violate(f"the receipt of message {send.number} has changed: {old['quota']}, {turn['quota']}")
            elif text_of(message) != text_of(send.message):
                journal.violate(f"the answer to message {send.number} has changed: {text_of(send.message)!r}, {text_of(message)!r}")
            return
        send.turn, send.message, send.ended = turn, message, journal.tick()


class AttachedWatch:
    """The watcher of an `attachTurn`."""

    def __init__(self, journal: Journal, send: Send, after: int) -> None:
        self.journal, self.send, self.after = journal, send, after
        self.begun = journal.tick()
        # What each message says as far as it was told.
        self._texts: dict[str, str] = {}
        self._has_snapshot = False
        self._sequence = after

    def __call__(self, message: Object) -> None:
        if "result" in message:
            return learn(self.journal, self.send, message["result"], self.begun)
        if "method" not in message:
            return
        method, params = message["method"], message["params"]
        if method == "turnCompleted" and params["seq"] == self.after:
            return learn(self.journal, self.send, params, self.begun)  # The end always comes, also to who has seen it.
        if method == "turnSnapshot":
            self._has_snapshot = True
            self._texts = {each["id"]: text_of(each) for each in params["messages"] if each["role"] == "assistant"}
        elif not self._sequence < params.get("fromSeq", params["seq"]) <= (params["seq"] if self._has_snapshot else self._sequence + 1):
            self._violate(f"{method} has the number {params['seq']} after {self._sequence}")
        self._sequence = params["seq"]
        if method == "messageDelta":
            self._texts[params["messageId"]] = self._texts.get(params["messageId"], "") + params["delta"]
        elif method == "turnCompleted":
            learn(self.journal, self.send, params, self.begun)
            whole, told = text_of(params.get("message")), self._texts.get(params.get("message", {}).get("id"), "")
            # A snapshot may be the last that comes before the end, and tells what was stored by then.
            fits = whole.startswith(told) if self._has_snapshot else whole == told if self.after == 0 else whole.endswith(told)
            if not fits:
                self._violate(f"the deltas say {told!r}, and the message {whole!r}")

    def _violate(self, account: str) -> None:
        self.journal.violate(f"attached to message {self.send.number} after {self.after}: {account}")


class Watch:
    """The watcher of one attempt."""

    def __init__(self, journal: Journal, send: Send, payer: Person, host: int) -> None:
        self.journal, self.send, self.payer, self.host = journal, send, payer, host
        self.begun = journal.tick()
        self._deltas: dict[str, str] = {}
        self._sequence = 0
        self._has_started = False
        self._completed: Object | None = None

    def __call__(self, message: Object) -> None:
        if "method" in message:
            self._event(message["method"], message["params"])
        elif "result" in message:
            self._reply(message["result"])

    def _violate(self, account: str) -> None:
        self.journal.violate(f"message {self.send.number} at host {self.host}: {account}")

    def _event(self, method: str, params: Object) -> None:
        send = self.send
        if self._completed:
            return self._violate(f"{method} comes after turnCompleted")
        first = params.get("fromSeq", params["seq"])
        streams = send.params.get("stream") is not False
        if first <= self._sequence or streams and first != self._sequence + 1:
            self._violate(f"{method} has the number {first} after {self._sequence}")
        self._sequence = send.last_sequence = params["seq"]
        if method in ("turnQueued", "turnStarted"):
            if send.has_unknown_attempt and not send.turn_id:
                self.journal.count("lost in admission")
            acknowledge(self.journal, send, params["turn"])
            send.payers[:] = [self.payer]
            self._has_started |= method == "turnStarted"
            if method == "turnStarted" and send.started is None:
                send.started = self.journal.tick()
        elif method == "messageDelta":
            send.has_shown_text = True
            self._deltas[params["messageId"]] = self._deltas.get(params["messageId"], "") + params["delta"]
        elif method == "turnCompleted":
            self._completed = params
            if not self._has_started and params["turn"]["status"] != "cancelled":
                self._violate(f"its turn has ended and was never told to have begun: {params['turn']}")
            message = params.get("message")
            if streams and message and text_of(message) != self._deltas.get(message["id"], ""):
                self._violate(f"its deltas say {self._deltas.get(message['id'], '')!r}, and its message {text_of(message)!r}")
            with self.journal.lock:
                if streams:
                    send.streamed.update(self._deltas)
            learn(self.journal, send, params, self.begun)
        elif method == "toolCallCompleted" and params["status"] == "completed":
            send.has_shown_text = True

    def _reply(self, result: Object) -> None:
        if self._sequence and not self._completed and self.send.params.get("wait") is not False:
            self._violate("the reply comes before turnCompleted")
        if self._completed and result["turn"] != self._completed["turn"]:
            self._violate(f"the reply says {result['turn']}, and turnCompleted {self._completed['turn']}")
        if self.send.has_unknown_attempt and not self.send.turn_id:
            self.journal.count("admitted unheard")
        learn(self.journal, self.send, result, self.begun)
