"""Requests as they come: whether they come from the gateway's own pages, and what they say, within bounds."""

from __future__ import annotations

import asyncio
import json

from parley import Object
from starlette.requests import ClientDisconnect, Request

from .events import Room
from .refusals import refusal

# How long a body may take to come.
BODY_SECONDS = 30.0
# How much of a body is read without asking whether there is room for it; and the room for those that are longer, of all people together.
SHORT_BODY_BYTES = 16 * 1024
LONG_BODIES_BYTES = 32 * 1024 * 1024
# How much longer than its body a line for Parley may be.
ENVELOPE_BYTES = 64 * 1024
# Parley reads JSON that is nested 128 deep, and the params are within the request.
MOST_DEPTH = 100


def check_origin(request: Request, origins: frozenset[str]) -> None:
    """Raises ParleyError for what a page of another site has sent than of `origins`."""
    origin = request.headers.get("origin")
    is_foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if is_foreign or (origin is not None and origin not in origins):
        raise refusal("crossSite", 403, "Requests are taken from this site's own pages only.")


class Bodies:
    """Reads bodies, which people may leave unfinished, as many as they like."""

    def __init__(self, most_line_bytes: int) -> None:
        """most_line_bytes: how long a line Parley reads."""
        self._most = most_line_bytes - ENVELOPE_BYTES
        self._room = Room(LONG_BODIES_BYTES)

    async def read(self, request: Request, most: int | None = None) -> bytes:
        """The body, if it has at most `most` bytes, or as many as Parley reads. Raises ParleyError."""
        most = self._most if most is None else most
        told = request.headers.get("content-length", "")
        length = int(told) if told.isdigit() else most
        body = bytearray()
        held = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if max(len(body), length) > most:
                        raise refusal("inputTooLarge", 413, f"The body is longer than {most} bytes.", limit=most)
                    if len(body) > SHORT_BODY_BYTES and not held:
                        held = await self._room.take(length)
        except TimeoutError:
            raise refusal("timeout", 408, f"The body has not come within {BODY_SECONDS:g} s.", retryable=True) from None
        except ClientDisconnect:
            raise refusal("cancelled", 499, "The body has no end.") from None
        finally:
            self._room.give_back(held)
        return bytes(body)

    async def read_object(self, request: Request) -> Object:
        """The JSON object in the body. Raises ParleyError."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise refusal("unsupportedMediaType", 415, "The body must be application/json.")
        body = await self.read(request)
        try:
            value = json.loads(body, parse_constant=_refuse_constant)
            # What JSON cannot say again, or Parley not read, would be answered under no id, and awaited for ever.
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise refusal("parseError", 400, "The body is not JSON that can be passed on.") from None
        if not isinstance(value, dict):
            raise refusal("invalidRequest", 400, "The body must be a JSON object.")
        if _depth(value) > MOST_DEPTH:
            raise refusal("parseError", 400, f"The body is nested deeper than {MOST_DEPTH}.")
        return value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level := [child for item in level if isinstance(item, (dict, list)) for child in (item.values() if isinstance(item, dict) else item)]:
        depth += 1
    return depth
