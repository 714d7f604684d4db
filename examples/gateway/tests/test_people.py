"""Cookies, signing in, and what an anonymous person had."""

from __future__ import annotations

import unittest
from urllib.parse import urlencode

from .harness import Browser, Gateway, follow


class PeopleTests(unittest.TestCase):
    gateway: Gateway

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = Gateway().__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.gateway.stop()

    def setUp(self) -> None:
        self.browser = self.gateway.browser()

    def send(self, browser: Browser, text: str = "Hello?") -> str:
        turn = browser.call("sendMessage", text=text)["turn"]
        follow(browser, turn["id"])
        return str(turn["conversationId"])

    def conversations(self, browser: Browser) -> set[str]:
        return {each["id"] for each in browser.call("listConversations")["data"]}

    def test_the_cookie_of_an_anonymous_person(self) -> None:
        self.assertEqual(self.browser.session(), {"signedIn": False, "anonymous": False})
        answer = self.browser.post("/api/sendMessage", {"text": "Hello?"})
        self.assertNotIn("anonymousToken", answer.json)
        (cookie,) = answer.headers.get_all("Set-Cookie", [])
        name, *attributes = cookie.split("; ")
        self.assertTrue(name.startswith("__Host-anonymous="))
        self.assertLessEqual({"HttpOnly", "Secure", "Path=/", "SameSite=lax"}, set(attributes))
        self.assertFalse([attribute for attribute in attributes if attribute.startswith("Domain")])
        self.assertEqual(self.browser.session(), {"signedIn": False, "anonymous": True})
        self.assertEqual(len(self.conversations(self.browser)), 1)
        # The same person from now on, and another one in another browser.
        self.assertEqual(self.browser.post("/api/createConversation", {}).headers.get_all("Set-Cookie"), None)
        other = self.gateway.browser()
        other.call("createConversation")
        self.assertFalse(self.conversations(self.browser) & self.conversations(other))
        turn = answer.json["turn"]["id"]
        self.assertEqual(other.get(f"/api/turns/{turn}/events").status, 404)
        self.assertEqual(self.gateway.browser().get(f"/api/turns/{turn}/events").status, 401)

    def test_a_token_that_nobody_knows_is_dropped(self) -> None:
        self.browser.cookies["__Host-anonymous"] = "x" * 43
        self.assertEqual(self.browser.session(), {"signedIn": False, "anonymous": False})
        self.assertNotIn("__Host-anonymous", self.browser.cookies)
        self.browser.cookies["__Host-anonymous"] = "x" * 43
        answer = self.browser.refusal("sendMessage", text="Hello?")
        self.assertEqual((answer.status, answer.code), (401, "authRequired"))
        self.send(self.browser)

    def test_signing_in_and_out(self) -> None:
        self.browser.sign_in("  Ada Lovelace ")
        self.assertEqual(
            self.browser.session(),
            {"signedIn": True, "anonymous": False, "user": {"id": "ada-lovelace", "name": "Ada Lovelace"}},
        )
        self.assertEqual(list(self.browser.cookies), ["__Host-session"])
        conversation = self.send(self.browser)
        elsewhere = self.gateway.browser()
        elsewhere.sign_in("Ada Lovelace")
        self.assertIn(conversation, self.conversations(elsewhere))
        self.browser.post("/api/sign-out", {})
        self.assertEqual(self.browser.session(), {"signedIn": False, "anonymous": False})

    def test_a_session_cannot_be_forged(self) -> None:
        self.browser.sign_in("Eve")
        session = self.browser.cookies["__Host-session"]
        payload, _, signature = session.partition(".")
        for forged in ("", ".", payload, f"{payload}.", f"{payload}.{signature[:-2]}", f"e30.{signature}", f"{payload}x.{signature}", "é.é"):
            self.browser.cookies["__Host-session"] = forged.encode().decode("latin-1")
            self.assertFalse(self.browser.session()["signedIn"], forged)
        # What was signed for another purpose is no session.
        self.browser.get("/sign-in")
        self.browser.cookies["__Host-session"] = self.browser.cookies["__Host-sign-in"]
        self.assertFalse(self.browser.session()["signedIn"])

    def test_nobody_is_signed_in_by_somebody_elses_link(self) -> None:
        def code_for(browser: Browser, state: str) -> str:
            form = urlencode({"name": "Mallory", "state": state}).encode()
            answer = browser.post("/identity/authorize", form, Content_Type="application/x-www-form-urlencoded")
            return answer.headers["Location"].partition("code=")[2].partition("&")[0]

        mallory = self.gateway.browser()
        state = mallory.get("/sign-in").headers["Location"].partition("state=")[2]
        link = f"/sign-in/callback?{urlencode({'code': code_for(mallory, state), 'state': state})}"
        self.assertEqual(self.browser.get(link).status, 403)
        self.browser.get("/sign-in")
        self.assertEqual(self.browser.get(link).status, 403)
        self.assertFalse(self.browser.session()["signedIn"])
        # His own browser may; the code works once.
        cookie = mallory.cookies["__Host-sign-in"]
        self.assertEqual(mallory.get(link).status, 303)
        mallory.cookies["__Host-sign-in"] = cookie
        self.assertEqual(mallory.get(link).status, 401)
        form = urlencode({"name": "Mallory", "state": state}).encode()
        answer = self.browser.post(
            "/identity/authorize", form, Content_Type="application/x-www-form-urlencoded", Origin="https://evil.example"
        )
        self.assertEqual(answer.status, 403)

    def test_the_stub_shows_what_it_is_and_escapes(self) -> None:
        page = self.browser.get('/identity/authorize?state="><script>').body.decode()
        self.assertIn("stand-in", page)
        self.assertNotIn("<script>", page)

    def test_claiming_what_an_anonymous_person_had(self) -> None:
        first = self.send(self.browser, "Create a bot named Ada")
        self.browser.sign_in("Claire")
        own = self.send(self.browser)
        self.assertEqual(self.conversations(self.browser), {own})
        session = self.browser.session()
        self.assertEqual(session["claimable"], {"conversations": 1, "bots": 1})
        self.assertEqual(self.browser.post("/api/claim", {}).json, {"conversations": 1, "bots": 1})
        self.assertEqual(list(self.browser.cookies), ["__Host-session"])
        self.assertEqual(self.conversations(self.browser), {first, own})
        self.assertNotIn("claimable", self.browser.session())
        answer = self.browser.post("/api/claim", {})
        self.assertEqual((answer.status, answer.code), (401, "authRequired"))

    def test_not_claiming(self) -> None:
        self.send(self.browser)
        self.browser.sign_in("Nora")
        self.assertEqual(self.browser.post("/api/forget", {}).status, 200)
        self.assertEqual(list(self.browser.cookies), ["__Host-session"])
        self.assertEqual(self.conversations(self.browser), set())

    def test_somebody_deletes_all_that_is_his(self) -> None:
        self.send(self.browser)
        self.browser.call("deleteUser", confirm=True)
        self.assertEqual(self.browser.cookies, {})


class AddressTests(unittest.TestCase):
    def test_the_address_is_the_sockets_unless_a_proxy_is_trusted(self) -> None:
        limits = ["--set=quotas.address.anonymousUsers.limit=1"]

        def introduce(gateway: Gateway, forwarded: str) -> int:
            return gateway.browser().post("/api/createConversation", {}, X_Forwarded_For=forwarded).status

        with Gateway(serve=limits) as gateway:
            self.assertEqual(introduce(gateway, "192.0.2.1"), 200)
            answer = gateway.browser().post("/api/createConversation", {}, X_Forwarded_For="192.0.2.2")
            self.assertEqual((answer.status, answer.code), (429, "quotaExceeded"))
            milliseconds = answer.json["error"]["data"]["retryAfterMs"]
            self.assertEqual(int(answer.headers["Retry-After"]), -(-milliseconds // 1000))
        with Gateway("--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "198.51.100.7", serve=limits) as gateway:
            self.assertEqual(introduce(gateway, "192.0.2.1"), 200)
            self.assertEqual(introduce(gateway, "192.0.2.1"), 429)
            # Only what a trusted proxy has added counts.
            self.assertEqual(introduce(gateway, "203.0.113.9, 192.0.2.1"), 429)
            self.assertEqual(introduce(gateway, "192.0.2.1, 203.0.113.9, 198.51.100.7"), 200)
            self.assertEqual(introduce(gateway, "no address"), 200)


if __name__ == "__main__":
    unittest.main()
