"""What the scripted model says: a kind of message has a kind of answer, so that whoever reads a message knows what must follow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

Object = dict[str, Any]

# A message that calls a tool names one of so many answers, each of which calls once: the model cannot tell a call's result from a question.
TOOL_ANSWERS = 150


@dataclass(frozen=True)
class Kind:
    """A kind of message."""

    name: str
    # What the last message of the answer says, when nothing ends it early; several where that depends on what was answered before.
    texts: tuple[str, ...]
    steps: tuple[Object, ...]
    # How the turn ends by itself; None when it does not.
    status: str | None = "completed"
    # Whether the host answers by itself, without the model.
    is_local: bool = False


def _kind(name: str, *steps: Object, status: str | None = "completed") -> Kind:
    return Kind(name, ("".join(step.get("text", "") for step in steps),), steps, status)


def _slowly(pieces: Sequence[str], milliseconds: int) -> list[Object]:
    return [step for piece in pieces for step in ({"text": piece}, {"delayMs": milliseconds})]


def _error(code: str, **more: Any) -> Object:
    return {"error": {"code": code, "message": "It is down.", **more}}


KINDS = {
    kind.name: kind
    for kind in [
        _kind("short", *_slowly(["Yes", ", ", "indeed."], 3)),
        _kind("long", *_slowly(["Once ", "upon a ", "time ", "– ", "über ", "den 🌉 ", "日本 ", "\u2028", '"', "it ", "ended."], 20)),
        _kind("late", {"delayMs": 150}, {"text": "At "}, {"delayMs": 10}, {"text": "last."}),
        _kind("cut", {"text": "Too "}, {"delayMs": 5}, {"text": "lon"}, {"end": "maxTokens"}),
        _kind("refused", _error("modelRejected"), status="failed"),
        _kind("flaky", _error("modelUnavailable", retryAfterMs=20), status="failed"),
        _kind("broken", *_slowly(["It began ", "well "], 15), _error("modelUnavailable"), status="failed"),
        _kind("endless", {"text": "And "}, {"delayMs": 10}, {"text": "so on"}, {"hang": True}, status=None),
        _kind("mute", {"hang": True}, status=None),
        Kind("tool", ("It is thrown.", "No more dice."), ()),
        Kind("command", (), (), is_local=True),
    ]
}

# What the answer says that calls the tool.
BEFORE_TOOL = "Let me throw. "


def question(kind: str, number: int) -> str:
    """A message of a kind that no other is like."""
    mark = "/help " if KINDS[kind].is_local else ""
    return f"{mark}chaos-{kind}{number % TOOL_ANSWERS if kind == 'tool' else ''}; message {number}."


def kind_of(text: str) -> Kind | None:
    """The kind of a message; None when it was not made here."""
    text = text.removeprefix("/help ")
    if not text.startswith("chaos-"):
        return None
    return KINDS.get(text[len("chaos-") :].split(";")[0].rstrip("0123456789"))


def write_script(path: Path) -> None:
    """Writes the script for `--model scripted:FILE`."""
    lines: list[Object] = [
        {"expect": f"chaos-{kind.name};", "repeat": True, "steps": kind.steps} for kind in KINDS.values() if kind.steps
    ]
    for number in range(TOOL_ANSWERS):
        mark = f"chaos-tool{number};"
        call = {"toolCall": {"name": "dice", "arguments": {"sides": 6}}}
        lines.append({"expect": mark, "steps": [{"text": BEFORE_TOOL}, {"delayMs": 5}, call]})
        lines.append({"expect": mark, "steps": [{"delayMs": 5}, {"text": "It is "}, {"delayMs": 5}, {"text": "thrown."}]})
    lines.append({"expect": "chaos-tool", "repeat": True, "steps": [{"text": "No more dice."}]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


# The tool that the driver offers.
DICE: Object = {
    "name": "dice", "description": "Throw dice.", "timeoutSeconds": 1,
    "inputSchema": {"type": "object", "properties": {"sides": {"type": "integer"}}, "required": ["sides"]},
}
