"""What was refused, by Parley or by the gateway itself, in one shape: that of Parley's errors."""

from __future__ import annotations

from typing import Any

# What JSON calls an object.
Object = dict[str, Any]


class Refusal(Exception):
    """An error as Parley tells it: `message` for a developer, `data` with `code`, `httpStatus`, `retryable` and more."""

    def __init__(self, message: str, data: Object) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    @property
    def code(self) -> str:
        return str(self.data.get("code", "internalError"))

    @property
    def status(self) -> int:
        """The HTTP status that says the same."""
        return int(self.data.get("httpStatus", 500))

    @property
    def retry_after_seconds(self) -> int | None:
        """What the header Retry-After says, in whole seconds."""
        milliseconds = self.data.get("retryAfterMs")
        return None if milliseconds is None else max(1, -(-int(milliseconds) // 1000))

    def to_json(self) -> Object:
        return {"message": self.message, "data": self.data}


def refusal(code: str, status: int, message: str, *, retryable: bool = False, **data: Any) -> Refusal:
    """A refusal by the gateway itself."""
    return Refusal(message, {"code": code, "httpStatus": status, "retryable": retryable, **data})
