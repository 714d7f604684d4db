"""A STUB of an identity provider: it lets everybody in under any name. It is here to show where a real one goes, and nothing else.

The gateway uses it as it would use OpenID Connect: `/sign-in` sends the browser to the provider with a `state` that only this browser has,
the provider sends it back to `/sign-in/callback` with that state and a code, and the gateway changes the code, which works once, for who it is.
"""

from __future__ import annotations

import html
import re
import secrets
import time
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .people import User
from .refusals import refusal
from .requests import Bodies, check_origin

CODE_SECONDS = 60.0
MOST_CODES = 1_000
MOST_FORM_BYTES = 16 * 1024
CALLBACK = "/sign-in/callback"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Stub identity provider</title>
<link rel="stylesheet" href="/static/style.css">
<main class="identity">
<h1>Stub identity provider</h1>
<p>This is a stand-in for a real sign-in. It asks for no password: whoever types a name is that person.</p>
<form method="post" action="/identity/authorize">
<input type="hidden" name="state" value="{state}">
<label>Name <input name="name" required maxlength="60" autofocus autocomplete="username"></label>
<button>Sign in</button>
</form>
</main>
</html>
"""


class StubIdentityProvider:
    """The pages of the provider, and what the gateway asks it behind the browser's back."""

    def __init__(self, origins: frozenset[str], bodies: Bodies) -> None:
        self._origins, self._bodies = origins, bodies
        self._codes: dict[str, tuple[User, float]] = {}
        self.routes = [
            Route("/identity/authorize", self._ask, methods=["GET"]),
            Route("/identity/authorize", self._answer, methods=["POST"]),
        ]

    def sign_in_url(self, state: str) -> str:
        return "/identity/authorize?" + urlencode({"state": state})

    def redeem(self, code: str) -> User | None:
        """Who has signed in; None for a code that is none, too old, or was redeemed."""
        user, end = self._codes.pop(code, (None, 0.0))
        return user if end > time.monotonic() else None

    async def _ask(self, request: Request) -> Response:
        return HTMLResponse(PAGE.format(state=html.escape(request.query_params.get("state", ""))))

    async def _answer(self, request: Request) -> Response:
        check_origin(request, self._origins)
        form = parse_qs((await self._bodies.read(request, MOST_FORM_BYTES)).decode(errors="replace"))
        name = " ".join(form.get("name", [""])[0].split())[:60]
        user_id = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if not user_id:
            raise refusal("invalidParams", 400, "A name has letters or digits.", path="name", reason="it names nobody")
        code = secrets.token_urlsafe(32)
        self._codes[code] = (User(user_id, name), time.monotonic() + CODE_SECONDS)
        if len(self._codes) > MOST_CODES:
            del self._codes[next(iter(self._codes))]
        return RedirectResponse(f"{CALLBACK}?{urlencode({'code': code, 'state': form.get('state', [''])[0]})}", status_code=303)
