"""Conversations that are exported, imported, forked and rated while everything else goes on: a copy says what its source says, and costs nothing."""

from __future__ import annotations

import json
from typing import Any

from client import Client, Gone
from journal import Conversation, Creation, Person
from model import Object

# What makes conversations that nobody says anything in.
COPIES = ("importConversation", "forkConversation")

# More than that is left alone.
MOST_BYTES = 300_000


def normalised(lines: list[Object]) -> list[Object]:
    """The lines of a file with ids in the order in which they come, which is all that an import changes, but for who answers and when it was made."""
    names: dict[str, int] = {}
    header = {key: value for key, value in lines[0].items() if key not in ("createdAt", "botName", "title", "headMessageId")}
    head = next((number for number, line in enumerate(lines) if number and line["id"] == lines[0].get("headMessageId")), None)
    result = [{**header, "head": head}]
    for line in lines[1:]:
        line = {**line, "turn": {**line["turn"], "id": names.setdefault(line["turn"]["id"], len(names))}}
        for key in ("id", "parentId"):
            if key in line:
                line[key] = names.setdefault(line[key], len(names))
        result.append(line)
    return result


def path_of(lines: list[Object], id: str | None) -> list[Object]:
    """The path that ends with a message of a file, without ids."""
    by_id = {line["id"]: line for line in lines[1:]}
    path = []
    while id:
        line = by_id[id]
        id = line.get("parentId")
        ending = {key: value for key, value in line["turn"].items() if key != "id"}
        path.append({**{key: value for key, value in line.items() if key not in ("id", "parentId")}, "turn": ending})
    return path[::-1]


class Copier(Client):
    """Somebody who copies conversations."""

    def copy(self) -> None:
        """A conversation is exported, and comes back as it was."""
        source = self.conversation()
        person = source.person.now
        lines = self.export(source, person)
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        if len(data) > MOST_BYTES:
            raise Gone
        made, copy = self.make_copy("importConversation", source, person, data=data)
        if made["messages"] != len(lines) - 1:
            self.journal.violate(f"of {len(lines) - 1} messages {made['messages']} were imported into {copy.id}")
        again = normalised(self.export(copy, person, source))
        for before, after in zip(normalised(lines), again):
            if before != after:
                self.journal.violate(f"{copy.id} is imported from {source.id}, and has {after} for {before}")
        if len(again) != len(lines):
            self.journal.violate(f"{copy.id} is imported from {source.id}, and has {len(again)} lines for {len(lines)}")
        self.delete_conversation(copy)

    def fork(self) -> None:
        """A conversation goes on elsewhere from an earlier message."""
        send = self.some_send(is_over=True)
        if send.has_never_begun or not send.user_message_id or not send.conversation:
            raise Gone
        source = send.conversation
        person = source.person.now
        _, copy = self.make_copy(
            "forkConversation", source, person, conversationId=source.id, messageId=send.user_message_id)
        lines = self.export(copy, person, source)
        after = path_of(lines, lines[0].get("headMessageId"))
        before = path_of(self.export(source, person), send.user_message_id)
        if after != before or len(lines) != len(after) + 1:
            self.journal.violate(f"{copy.id} is forked from {source.id}, and has {after} for {before}")
        self.delete_conversation(copy)

    def rate(self) -> None:
        send = self.some_send(is_over=True)
        if not send.turn or "messageId" not in send.turn:
            raise Gone
        params = {"messageId": send.turn["messageId"], "rating": self.chance.choice(["up", "down", None])}
        call = self.ask("rateMessage", {**params, "caller": send.person.now.caller})
        if call.error:
            if send.conversation.is_going or send.person.claim_begun:
                raise Gone
            self.journal.violate(f"the answer of message {send.number} cannot be rated: {call.error}")

    def make_copy(self, method: str, source: Conversation, person: Person, **params: Any) -> tuple[Object, Conversation]:
        """Makes a copy once. Nobody else is to find it: it is deleted as soon as it was looked at."""
        title = f"Title {self.journal.tick()}"
        creation = Creation(method, person, {**params, "title": title, "clientRequestId": title}, source=source)
        made = self.create(creation)
        with self.journal.lock:
            creation.result = made["conversation"]["id"]
            copy = Conversation(creation.result, person, title, deletion_begun=True)
            self.journal.conversations.append(copy)
            person.conversations.append(copy)
            if person.claimed_by:
                copy.person = person.claimed_by
                person.claimed_by.conversations.append(copy)
        if "usage" in made["conversation"] and made["conversation"]["messageCount"]:
            self.journal.violate(f"{copy.id} is a copy, and has cost something: {made}")
        return made, copy

    def export(self, conversation: Conversation, person: Person, source: Conversation | None = None) -> list[Object]:
        """All lines of a conversation's file.

        source: what it was copied from.
        """
        text, cursor = "", None
        while True:
            params = {"caller": person.caller, "conversationId": conversation.id, "format": "jsonl", "cursor": cursor}
            call = self.ask("exportConversation", params)
            if call.error:
                if (source or conversation).is_going or person.claim_begun or person.is_going:
                    raise Gone
                self.journal.violate(f"{conversation.id} cannot be exported: {call.error}")
                raise Gone
            text += call.result["data"]
            cursor = call.result.get("nextCursor")
            if not cursor:
                break
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        known: set[str] = set()
        for line in lines[1:]:
            if "parentId" in line and line["parentId"] not in known or line["id"] in known:
                self.journal.violate(f"the file of {conversation.id} has {line} in a wrong place")
                raise Gone
            known.add(line["id"])
        return lines
