"""The routes."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter
from pathlib import Path

from parley import Object, ParleyError
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import methods
from .events import Room
from .identity import StubIdentityProvider
from .methods import Methods
from .people import People, Person, Seal, set_cookie
from .refusals import as_json, refusal
from .requests import Bodies, check_origin
from .streams import LONG_EVENTS_BYTES, EventStream
from .workers import Workers

STATIC = Path(__file__).parent.parent / "static"
SIGN_IN = "__Host-sign-in"
SIGN_IN_SECONDS = 600
# How many streams a person may have open, so that nobody takes them all.
MOST_STREAMS = 32
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    # With `no-referrer` the browser would not tell the origin of a form either.
    "Referrer-Policy": "same-origin",
}


class Gateway:
    """What answers browsers. `app` is the ASGI application."""

    def __init__(
        self,
        workers: Workers,
        known: Methods,
        people: People,
        seal: Seal,
        bodies: Bodies,
        identity: StubIdentityProvider | None,
        origins: frozenset[str],
    ) -> None:
        """known: what Parley can do. identity: who says who people are; None for nobody. origins: where the gateway's own pages come from."""
        self._workers, self._methods, self._people, self._seal, self._identity = workers, known, people, seal, identity
        self._bodies = bodies
        self._room = Room(LONG_EVENTS_BYTES)
        # How many streams each person has open.
        self._streams: Counter[str] = Counter()
        # Ends all streams, when the gateway is to end.
        self.closing = asyncio.Event()
        routes = [
            Route("/", self._page),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/api/session", self._session),
            Route("/api/sign-out", self._sign_out, methods=["POST"]),
            Route("/api/claim", self._claim, methods=["POST"]),
            Route("/api/forget", self._forget, methods=["POST"]),
            Route("/api/turns/{turn}/events", self._events),
            Route("/api/turns/{turn}/approvals/{call}", self._approve, methods=["POST"]),
            Route("/api/{method}", self._call, methods=["POST"]),
        ]
        if identity:
            routes += [Route("/sign-in", self._sign_in), Route("/sign-in/callback", self._callback), *identity.routes]
        app = Starlette(routes=routes, exception_handlers={ParleyError: _refused, HTTPException: _failed, Exception: _broken})
        # Round all of it, so that what goes wrong is guarded as well.
        self.app = Guard(app, origins)

    # MARK: the page

    async def _page(self, request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    # MARK: who is there

    async def _session(self, request: Request) -> Response:
        person = self._people.of(request)
        answer: Object = {"signedIn": person.user is not None, "anonymous": False, "methods": self._methods.names}
        if person.user:
            answer["user"] = {"id": person.user.id, "name": person.user.name}
        response: Response
        try:
            if person.user and person.anonymous_token:
                answer["claimable"] = await self._claim_for(person, confirm=False)
                answer["anonymous"] = True
            elif person.anonymous_token:
                await self._workers.call("getQuota", {"caller": person.caller}, person.key, is_repeatable=True)
                answer["anonymous"] = True
        except ParleyError as error:
            if error.code != "authRequired":
                raise
            # The token is nobody's, or somebody has claimed what it was for.
            response = JSONResponse(answer)
            self._people.forget(response)
            return response
        return JSONResponse(answer)

    async def _sign_out(self, request: Request) -> Response:
        await self._bodies.read_object(request)
        response = JSONResponse({})
        self._people.sign_out(response)
        return response

    async def _claim(self, request: Request) -> Response:
        await self._bodies.read_object(request)
        person = self._people.of(request)
        if not person.user or not person.anonymous_token:
            raise refusal("authRequired", 401, "To claim takes a user who has signed in, and an anonymous person.")
        response = JSONResponse(await self._claim_for(person, confirm=True))
        self._people.forget(response)
        return response

    async def _claim_for(self, person: Person, confirm: bool) -> Object:
        params = {"caller": person.caller, "anonymousToken": person.anonymous_token, "confirm": confirm}
        result = await self._workers.call("claimAnonymousUser", params, person.key, is_repeatable=True)
        return {"conversations": result["conversations"], "bots": result["bots"]}

    async def _forget(self, request: Request) -> Response:
        await self._bodies.read_object(request)
        response = JSONResponse({})
        self._people.forget(response)
        return response

    # MARK: signing in

    async def _sign_in(self, request: Request) -> Response:
        assert self._identity
        # The browser must bring the same state back. So nobody can sign in somebody else's browser, by a link, as himself.
        state = secrets.token_urlsafe(32)
        response = RedirectResponse(self._identity.sign_in_url(state), status_code=303)
        set_cookie(response, SIGN_IN, self._seal.close(SIGN_IN, {"state": state}, SIGN_IN_SECONDS), SIGN_IN_SECONDS)
        return response

    async def _callback(self, request: Request) -> Response:
        assert self._identity
        begun = self._seal.open(SIGN_IN, request.cookies.get(SIGN_IN))
        state = request.query_params.get("state", "")
        if not begun or not hmac.compare_digest(begun["state"].encode(), state.encode()):
            raise refusal("crossSite", 403, "This sign-in was not begun in this browser, or too long ago.")
        user = self._identity.redeem(request.query_params.get("code", ""))
        if not user:
            raise refusal("authRequired", 401, "The identity provider does not know this sign-in.")
        response = RedirectResponse("/", status_code=303)
        self._people.sign_in(response, user)
        set_cookie(response, SIGN_IN, "", 0)
        return response

    # MARK: Parley

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        params = await self._bodies.read_object(request)
        self._methods.check(method, params)
        person = self._people.of(request)
        new_token: str | None = None
        if person.caller is None and method in methods.INTRODUCES:
            # In a step of its own: for an anonymous person who is known, a send can be repeated.
            introduction = self._methods.complete("createAnonymousUser", {}, person)
            new_token = (await self._ask(introduction))["anonymousToken"]
            person = Person(None, new_token, person.address)
        try:
            result = await self._ask(self._methods.complete(method, params, person))
        except ParleyError as error:
            response = _refused(request, error)
            if error.code == "authRequired" and person.anonymous_token and not person.user:
                self._people.forget(response)
                return response
        else:
            result.pop("anonymousToken", None)
            response = JSONResponse(result)
            if method == "deleteUser":
                self._people.sign_out(response) if person.user else self._people.forget(response)
                return response
        if new_token:
            self._people.remember(response, new_token)
        return response

    async def _ask(self, request: methods.Request) -> Object:
        return await self._workers.call(request.method, request.params, request.key, is_repeatable=request.is_repeatable)

    async def _events(self, request: Request) -> ASGIApp:
        turn = await self._turn(request)
        after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
        if not after.isascii() or not after.isdigit() or len(after) > 18:
            raise refusal("invalidParams", 400, "`after` must be the number of an event.", path="after", reason="it is no number")
        person = self._people.of(request)
        if self._streams[person.key] >= MOST_STREAMS:
            raise refusal("tooManyStreams", 429, f"{MOST_STREAMS} streams are open.", retryable=True, retryAfterMs=5_000)
        stream = EventStream(self._workers, self._room, self.closing, turn, person.caller or {}, int(after))

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self._streams[person.key] += 1
            try:
                await stream(scope, receive, send)
            finally:
                self._streams[person.key] -= 1
                if not self._streams[person.key]:
                    del self._streams[person.key]

        return counted

    async def _turn(self, request: Request) -> Object:
        """The turn that the request is about, if it is the asker's."""
        person = self._people.of(request)
        # Also because attachTurn says nothing before the next event, and an HTTP status must come first.
        params = {"turnId": request.path_params["turn"], "caller": person.caller}
        turn: Object = (await self._workers.call("getTurn", params, person.key, is_repeatable=True))["turn"]
        return turn

    async def _approve(self, request: Request) -> Response:
        option = (await self._bodies.read_object(request)).get("option")
        turn = await self._turn(request)
        call = request.path_params["call"]
        for host in self._workers.hosts:
            if approval := host.approval(turn["id"], call):
                if option not in approval.options:
                    raise refusal("invalidParams", 400, "`option` must be one of those that were offered.", path="option", reason="not offered")
                if not approval.choice.done():
                    approval.choice.set_result(option)
                    return JSONResponse({})
        raise refusal("notFound", 404, "No such call waits for a choice.", resource="approval", id=call)


class Guard:
    """Round an application: refuses other sites' requests, and says to browsers what pages may do."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app, self._origins = app, origins
        self._hosts = frozenset(origin.partition("://")[2] for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store" if is_api else "no-cache")
            await send(message)

        request = Request(scope)
        is_api = request.url.path.startswith("/api/")
        try:
            # A page of another site may be under a name that has come to mean this address.
            if request.headers.get("host", "") not in self._hosts:
                raise refusal("crossSite", 421, "The gateway does not go by this name; --origin says by which it does.")
            if is_api:
                check_origin(request, self._origins)
        except ParleyError as error:
            return await _refused(request, error)(scope, receive, send_guarded)
        await self._app(scope, receive, send_guarded)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ParleyError)
    wait = error.retry_after_ms
    headers = {"Retry-After": str(max(1, -(-wait // 1000)))} if wait is not None else {}
    return JSONResponse({"error": as_json(error)}, error.http_status, headers)


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "notFound", 405: "methodNotAllowed"}
    return _refused(request, refusal(codes.get(error.status_code, "invalidRequest"), error.status_code, error.detail))


def _broken(request: Request, error: Exception) -> Response:
    return _refused(request, refusal("internalError", 500, "A mistake in the gateway; its log has more."))
