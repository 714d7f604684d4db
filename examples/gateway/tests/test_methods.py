"""What browsers may call, what they are answered, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
import unittest
from typing import Any
from unittest.mock import Mock, patch

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import requests
from gateway.__main__ import REQUEST_SECONDS, Server
from parley import ParleyError

from .harness import Gateway, follow, memory, script, tokens


class MethodsTests(unittest.TestCase):
    gateway: Gateway

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = Gateway(
            model=script({"expect": "slowly", "steps": tokens(200, 50)[1]}, {"text": "Hello."}),
            serve=["--set=limits.maxMessageBytes.anonymous=100", "--set=quotas.anonymous.turns.limit=2"],
        ).__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.gateway.stop()

    def setUp(self) -> None:
        self.browser = self.gateway.browser()

    def signed_in(self, name: str) -> None:
        self.browser.sign_in(name)

    def test_the_page_comes_with_a_strict_policy(self) -> None:
        page = self.browser.get("/")
        self.assertEqual(page.status, 200)
        self.assertIn("text/html", page.headers["Content-Type"])
        for path in ("/", "/static/app.js", "/api/session", "/api/nothing"):
            headers = self.browser.get(path).headers
            self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "same-origin")
        self.assertEqual(self.browser.get("/api/session").headers["Cache-Control"], "no-store")

    def test_every_method_of_a_day(self) -> None:
        self.signed_in("Ada")
        call = self.browser.call
        bot = call("createBot", name="Poet", instructions="Rhyme.")["bot"]
        bot = call("updateBot", botId=bot["id"], description="Rhymes.")["bot"]
        self.assertEqual(call("getBot", botId=bot["id"])["bot"]["description"], "Rhymes.")
        self.assertEqual([each["id"] for each in call("listBots")["data"]], [bot["id"]])
        conversation = call("createConversation", title="Verses")["conversation"]["id"]
        call("setConversationBot", conversationId=conversation, botId=bot["id"])
        call("updateConversation", conversationId=conversation, title="Lines")
        sent = call("sendMessage", conversationId=conversation, text="Hello?")
        self.assertNotIn("message", sent)
        self.assertEqual(follow(self.browser, sent["turn"]["id"]).text, "Hello.")
        messages = call("listMessages", conversationId=conversation)["data"]
        again = call("regenerateMessage", conversationId=conversation, messageId=messages[0]["id"])["turn"]
        follow(self.browser, again["id"])
        edited = call("editMessage", conversationId=conversation, messageId=messages[1]["id"], text="Good day?")["turn"]
        follow(self.browser, edited["id"])
        self.assertEqual(call("getTurn", turnId=edited["id"])["turn"]["status"], "completed")
        self.assertEqual(call("cancelTurn", turnId=edited["id"])["turn"]["status"], "completed")
        self.assertEqual(call("getConversation", conversationId=conversation)["conversation"]["title"], "Lines")
        self.assertEqual(len(call("listConversations")["data"]), 1)
        answered = call("getTurn", turnId=edited["id"])["message"]["id"]
        self.assertEqual(call("rateMessage", messageId=answered, rating="up")["message"]["rating"], "up")
        self.assertEqual(len(call("searchConversations", query="day")["data"]), 1)
        file = call("exportConversation", conversationId=conversation, format="jsonl")["data"]
        self.assertEqual(call("importConversation", data=file, title="Again")["conversation"]["title"], "Again")
        copy = call("forkConversation", conversationId=conversation)["conversation"]["id"]
        self.assertEqual(len(call("listConversations")["data"]), 3)
        call("deleteConversation", conversationId=copy)
        for method in ("listTools", "listCommands", "listModels"):
            self.assertTrue(call(method)["data"])
        self.assertTrue(call("getQuota")["limits"])
        call("deleteConversation", conversationId=conversation)
        call("deleteBot", botId=bot["id"])
        call("deleteUser", confirm=True)
        self.assertEqual(self.browser.session(), {"signedIn": False, "anonymous": False})

    def test_errors_have_the_status_that_parley_gives_them(self) -> None:
        self.signed_in("Grace")
        conversation = self.browser.call("createConversation")["conversation"]["id"]
        turn = self.browser.call("sendMessage", conversationId=conversation, text="slowly", clientMessageId="one")["turn"]["id"]
        for answer, status, code in (
            (self.browser.refusal("getTurn", turnId="nobody's"), 404, "notFound"),
            (self.browser.refusal("getTurn", turn="x"), 400, "invalidParams"),
            (self.browser.refusal("sendMessage", conversationId=conversation, text="Hello?"), 409, "conversationBusy"),
            (self.browser.refusal("sendMessage", conversationId=conversation, text="Other", clientMessageId="one"), 409, "idempotencyConflict"),
            (self.gateway.browser().refusal("listConversations"), 401, "authRequired"),
            (self.gateway.browser().refusal("sendMessage", text="x" * 101), 413, "messageTooLarge"),
            (self.gateway.browser().refusal("sendMessage", text="x", model="openai:gpt"), 403, "modelNotAllowed"),
        ):
            self.assertEqual((answer.status, answer.code), (status, code))
            self.assertEqual(answer.json["error"]["data"]["httpStatus"], status)
            self.assertTrue(answer.json["error"]["message"])
        # The same send again, by a browser that has lost the answer.
        repeated = self.browser.call("sendMessage", conversationId=conversation, text="slowly", clientMessageId="one")
        self.assertEqual(repeated["turn"]["id"], turn)
        self.assertEqual(self.browser.call("cancelTurn", turnId=turn)["turn"]["status"], "cancelled")

    def test_a_limit_for_life(self) -> None:
        for _ in range(2):
            follow(self.browser, self.browser.call("sendMessage", text="Hello?")["turn"]["id"])
        answer = self.browser.refusal("sendMessage", text="Hello?")
        self.assertEqual((answer.status, answer.code), (403, "quotaExceeded"))
        self.assertEqual(answer.json["error"]["data"]["upgrade"], "signIn")
        self.assertIsNone(answer.headers["Retry-After"])

    def test_what_is_not_for_browsers(self) -> None:
        for method in ("shutdown", "attachTurn", "initialize", "resetQuota", "createAnonymousUser", "claimAnonymousUser", "setClientTools", "x"):
            answer = self.browser.refusal(method)
            self.assertEqual((answer.status, answer.code), (404, "methodNotFound"))
        for name, value in (("caller", {"operator": True}), ("clientAddress", "10.0.0.1")):
            answer = self.browser.refusal("sendMessage", text="Hello?", **{name: value})
            self.assertEqual((answer.status, answer.code), (400, "invalidParams"))
        for name in ("method", "self", "requestId"):
            answer = self.browser.refusal("createConversation", **{name: "x"})
            self.assertEqual((answer.status, answer.code), (400, "invalidParams"))
        # What is the same for everybody needs nobody.
        self.assertTrue(self.browser.call("listModels")["data"])
        self.assertEqual(self.browser.get("/api/sendMessage").status, 405)
        self.assertEqual(self.browser.get("/static/../gateway/app.py").status, 404)

    def test_bodies_that_cannot_be_passed_on(self) -> None:
        deep = b'{"a":' * 101 + b"1" + b"}" * 101
        for body, status, code in (
            (b"", 400, "parseError"),
            (b"{", 400, "parseError"),
            (b"\xff", 400, "parseError"),
            (b'{"text":NaN}', 400, "parseError"),
            (b'{"text":1e999}', 400, "parseError"),
            (b'{"text":"\\ud800"}', 400, "parseError"),
            (deep, 400, "parseError"),
            (b"[" * 100_000, 400, "parseError"),
            (b"[]", 400, "invalidRequest"),
            (json.dumps({"text": "x" * 8_400_000}).encode(), 413, "inputTooLarge"),
        ):
            answer = self.browser.post("/api/sendMessage", body)
            self.assertEqual((answer.status, answer.code), (status, code), body[:20])
        answer = self.browser.post("/api/sendMessage", {"text": "x"}, Content_Type="text/plain")
        self.assertEqual((answer.status, answer.code), (415, "unsupportedMediaType"))

    def test_bodies_without_end_take_no_more_than_their_room(self) -> None:
        self.signed_in("Ida")
        before = memory(self.gateway)
        head = f"POST /api/createBot HTTP/1.1\r\nHost: localhost:{self.gateway.port}\r\nContent-Type: application/json\r\n"
        connections = [socket.create_connection(("127.0.0.1", self.gateway.port)) for _ in range(40)]
        for connection in connections:
            connection.sendall(f"{head}Content-Length: 4000000\r\n\r\n".encode())
            connection.setblocking(False)
        for _ in range(40):
            for connection in connections:
                with contextlib.suppress(BlockingIOError):
                    connection.send(b"x" * 100_000)
            time.sleep(0.01)
        # All of it would be 160 MB. What is short goes on.
        self.browser.call("createConversation")
        self.assertLess(memory(self.gateway) - before, 100 * 1024)
        for connection in connections:
            connection.close()
        self.browser.call("createConversation", metadata={"long": "x" * 60_000})

    def test_other_sites_are_refused(self) -> None:
        self.signed_in("Edith")
        turn = self.browser.call("sendMessage", text="Hello?")["turn"]["id"]
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):
            answer = self.browser.post("/api/sendMessage", {"text": "Hello?"}, **headers)
            self.assertEqual((answer.status, answer.code), (403, "crossSite"), headers)
        self.assertEqual(self.browser.get(f"/api/turns/{turn}/events", **{"Sec-Fetch-Site": "cross-site"}).status, 403)
        self.assertEqual(self.browser.post("/api/sign-out", {}, Origin="https://evil.example").status, 403)
        # By a name that was made to mean this address.
        self.assertEqual(self.browser.get("/api/session", Host=f"evil.example:{self.gateway.port}").status, 421)


class PatienceTests(unittest.IsolatedAsyncioTestCase):
    """What is never finished."""

    async def test_a_body_must_come_in_time(self) -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"x" * 20_000, "more_body": True}

        bodies = requests.Bodies(1_000_000)
        with patch.object(requests, "BODY_SECONDS", 0.1), self.assertRaises(ParleyError) as refused:
            await bodies.read(Request({"type": "http", "method": "POST", "headers": []}, receive))
        self.assertEqual(refused.exception.http_status, 408)
        # The room that it took is free again.
        self.assertEqual(await bodies._room.take(requests.LONG_BODIES_BYTES), requests.LONG_BODIES_BYTES)

    async def test_a_connection_must_ask_for_something(self) -> None:
        server = Server(uvicorn.Config("none"), asyncio.Event())
        silent, busy = (H11Protocol.__new__(H11Protocol) for _ in range(2))
        for connection in (silent, busy):
            connection.transport = Mock()
            connection.cycle = None  # type: ignore[assignment]
            server.server_state.connections.add(connection)
        server._end_idle(0)
        busy.cycle = Mock(response_complete=True)
        server._end_idle(REQUEST_SECONDS)
        silent.transport.abort.assert_not_called()  # type: ignore[attr-defined]
        server._end_idle(REQUEST_SECONDS + 1)
        silent.transport.abort.assert_called()  # type: ignore[attr-defined]
        busy.cycle = Mock(response_complete=False)
        server._end_idle(9 * REQUEST_SECONDS)
        busy.transport.abort.assert_not_called()  # type: ignore[attr-defined]


if __name__ == "__main__":
    unittest.main()
