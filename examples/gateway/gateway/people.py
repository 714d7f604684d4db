"""Who is asking: a user, somebody anonymous, or nobody yet. All of it is in two cookies, and the gateway remembers nothing.

`__Host-session` names a user who has signed in, under a signature and with an end. `__Host-anonymous` is the token that Parley gave to
somebody who has not. Scripts can read neither (HttpOnly), no other site's form can send them along (SameSite=Lax), and neither another
host nor plain http can set them (`__Host-`, Secure); browsers take http://localhost for secure. That nothing is remembered has its price: who
signs out is forgotten by that browser alone, and a session that was stolen is good to its end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parley import Object
from starlette.requests import Request
from starlette.responses import Response


SESSION = "__Host-session"
ANONYMOUS = "__Host-anonymous"
SESSION_SECONDS = 14 * 86_400
ANONYMOUS_SECONDS = 400 * 86_400

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class User:
    """Somebody whom the identity provider knows."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever has sent a request."""

    user: User | None
    anonymous_token: str | None
    address: str

    @property
    def caller(self) -> Object | None:
        """What Parley is told of who asks."""
        if self.user:
            return {"userId": self.user.id}
        return {"anonymousToken": self.anonymous_token} if self.anonymous_token else None

    @property
    def key(self) -> str:
        """The same for all requests of a person."""
        return self.user.id if self.user else self.anonymous_token or self.address


class Seal:
    """Signs what browsers keep for the gateway."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, file: Path) -> Seal:
        """Takes the secret of GATEWAY_SECRET, or of the file, which is made if it is missing. Raises OSError, ValueError."""
        # Taken away, so that Parley does not inherit it.
        if text := os.environ.pop("GATEWAY_SECRET", ""):
            secret = text.encode()
        else:
            try:
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with open(descriptor, "w") as stream:
                    stream.write(secrets.token_hex(32) + "\n")
            secret = file.read_bytes().strip()
        if len(secret) < 32:
            raise ValueError("The gateway's secret must have at least 32 bytes.")
        return cls(secret)

    def close(self, purpose: str, value: Object, seconds: float) -> str:
        """The value as text that cannot be forged, and is good for the same purpose for so many seconds."""
        payload = _encode(json.dumps({**value, "exp": time.time() + seconds}).encode())
        return f"{payload}.{self._sign(purpose, payload)}"

    def open(self, purpose: str, text: str | None) -> Object | None:
        """The value of such a text; None if it is none, or too old."""
        payload, _, signature = (text or "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(purpose, payload).encode()):
            return None
        value: Object = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return value if value["exp"] > time.time() else None

    def _sign(self, purpose: str, payload: str) -> str:
        return _encode(hmac.digest(self._secret, f"{purpose}.{payload}".encode(), hashlib.sha256))


class People:
    """Reads and writes the cookies."""

    def __init__(self, seal: Seal, trusted_proxies: Sequence[Network]) -> None:
        self._seal = seal
        self._trusted_proxies = trusted_proxies

    def of(self, request: Request) -> Person:
        session = self._seal.open(SESSION, request.cookies.get(SESSION))
        user = User(session["id"], session["name"]) if session else None
        return Person(user, request.cookies.get(ANONYMOUS) or None, self._address(request))

    def sign_in(self, response: Response, user: User) -> None:
        set_cookie(response, SESSION, self._seal.close(SESSION, {"id": user.id, "name": user.name}, SESSION_SECONDS), SESSION_SECONDS)

    def remember(self, response: Response, anonymous_token: str) -> None:
        set_cookie(response, ANONYMOUS, anonymous_token, ANONYMOUS_SECONDS)

    def sign_out(self, response: Response) -> None:
        set_cookie(response, SESSION, "", 0)

    def forget(self, response: Response) -> None:
        set_cookie(response, ANONYMOUS, "", 0)

    def _address(self, request: Request) -> str:
        """Whom the socket is connected to; behind proxies that are trusted, whom the last of them speaks for."""
        address = request.client.host if request.client else "127.0.0.1"
        forwarded = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
        while forwarded and self._is_trusted(address):
            try:
                address = str(ipaddress.ip_address(forwarded.pop()))
            except ValueError:
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        # A socket that takes both kinds tells IPv4 as IPv6.
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._trusted_proxies)


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Sets a cookie for so many seconds; 0 takes it away."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
