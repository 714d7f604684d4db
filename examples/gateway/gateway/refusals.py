"""What the gateway refuses by itself, in the shape of Parley's errors."""

from __future__ import annotations

from typing import Any

from parley import Object, ParleyError


def refusal(code: str, status: int, message: str, *, retryable: bool = False, **data: Any) -> ParleyError:
    """An error of the gateway's own: `message` for a developer, `code` to match, `status` for HTTP, and more members of its data."""
    return ParleyError({"message": message, "data": {"code": code, "httpStatus": status, "retryable": retryable, **data}})


def as_json(error: ParleyError) -> Object:
    """The error as browsers are told it."""
    return {"message": str(error), "data": error.data}
