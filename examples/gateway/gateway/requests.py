"""Requests as they come: whether they come from the gateway's own pages, and what they say, within bounds."""

from __future__ import annotations

import json

from parley import Object
from starlette.requests import ClientDisconnect, Request

from .refusals import refusal

# The longest body that is read. Parley reads lines of 8 MiB, and JSON that is written anew may become a little longer.
MOST_BODY_BYTES = 4 * 1024 * 1024
# Parley reads JSON that is nested 128 deep, and the params are within the request.
MOST_DEPTH = 100


def check_origin(request: Request, origins: frozenset[str]) -> None:
    """Raises ParleyError for what a page of another site has sent than of `origins`."""
    origin = request.headers.get("origin")
    is_foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if is_foreign or (origin is not None and origin not in origins):
        raise refusal("crossSite", 403, "Requests are taken from this site's own pages only.")


async def read_body(request: Request, most: int = MOST_BODY_BYTES) -> bytes:
    """The body, if it has at most `most` bytes. Raises ParleyError."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise refusal("inputTooLarge", 413, f"The body is longer than {most} bytes.")
    except ClientDisconnect:
        raise refusal("cancelled", 499, "The body has no end.") from None
    return bytes(body)


async def read_object(request: Request) -> Object:
    """The JSON object in the body. Raises ParleyError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise refusal("unsupportedMediaType", 415, "The body must be application/json.")
    body = await read_body(request)
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
