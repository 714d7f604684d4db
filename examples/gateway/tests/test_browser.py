"""Whole visits to the page, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Route, expect

from . import harness
from .browsing import PAUSE, SILENCE, BrowserTest, Wire, free_port, lines, pieces

PARAGRAPHS = [f"Word {number} of the answer." for number in range(1, 60)]
LONG = "\n\n".join(PARAGRAPHS)


class Visits(BrowserTest):
    def test_from_the_first_message_through_the_limit_to_sign_in_and_claim(self) -> None:
        gateway = self.gateway(harness.script({"text": "Certainly."}))
        visitor = self.person(gateway)
        expect(visitor.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
        expect(visitor.banner).to_be_hidden()

        expect(visitor.ask("What is a parley?")).to_contain_text("Certainly.")
        expect(visitor.banner).to_have_text("49 of 50 messages are left without signing in.Sign in")
        expect(visitor.conversations).to_have_text(["What is a parley?"])
        expect(visitor.page).to_have_title("What is a parley? – Parley")
        conversation = visitor.call("listConversations")["data"][0]["id"]
        # 38 further ones, beside the page.
        browser = gateway.browser()
        browser.cookies = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
        for _ in range(38):
            turn = browser.call("sendMessage", conversationId=conversation, text="And?")["turn"]
            harness.follow(browser, turn["id"])
        visitor.visit(f"/?c={conversation}")
        expect(visitor.banner).to_contain_text("11 of 50 messages are left without signing in.")

        visitor.ask("The fortieth.")
        expect(visitor.banner).to_contain_text("10 of 50")
        visitor.ask("The fortyfirst.")
        expect(visitor.banner).to_contain_text("9 of 50 messages are left. Sign in for more.")
        expect(visitor.banner).to_have_class(re.compile("warning"))
        for number in range(42, 51):
            visitor.ask(f"Number {number}.")
        visitor.say("The fiftyfirst.")
        limit = visitor.page.get_by_role("alert").filter(has_text="You have used all 50 messages")
        expect(limit).to_be_visible()
        # Nothing of it was said, and it is not lost.
        expect(visitor.field).to_have_value("The fiftyfirst.")
        expect(visitor.questions.last).to_have_text("Number 50.")

        limit.get_by_role("link", name="Sign in").click()
        visitor.sign_in("Ada Lovelace")
        expect(visitor.banner).to_contain_text("Before you signed in you had 1 conversation. Take everything along to Ada Lovelace?")
        expect(visitor.conversations).to_have_count(0)
        visitor.button("Take along").click()
        expect(visitor.banner).to_be_hidden()
        expect(visitor.conversations).to_have_text(["What is a parley?"])
        # Where one was is where one is, with what one was about to say.
        expect(visitor.questions.last).to_have_text("Number 50.")
        expect(visitor.field).to_have_value("The fiftyfirst.")
        visitor.field.press("Enter")
        expect(visitor.questions.last).to_contain_text("The fiftyfirst.")
        expect(visitor.button("Send")).to_be_visible()
        self.assertEqual({cookie["name"] for cookie in visitor.context.cookies()}, {"__Host-session"})

        visitor.menu("Your account", "Sign out")
        expect(visitor.page.get_by_role("link", name="Sign in")).to_be_visible()
        expect(visitor.conversations).to_have_count(0)

    def test_what_was_made_before_signing_in_can_be_left_behind(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes."})))
        visitor.ask("Hello")
        visitor.page.get_by_role("banner").get_by_role("link", name="Sign in").click()
        visitor.sign_in("Ben")
        visitor.button("Leave behind").click()
        visitor.page.get_by_role("dialog").get_by_role("button", name="Leave behind").click()
        expect(visitor.banner).to_be_hidden()
        expect(visitor.conversations).to_have_count(0)
        self.assertEqual({cookie["name"] for cookie in visitor.context.cookies()}, {"__Host-session"})

    def test_what_somebody_was_writing_is_not_there_for_the_next_person(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes."})))
        visitor.page.get_by_role("link", name="Sign in").click()
        visitor.sign_in("Ada")
        visitor.field.fill("A secret")
        visitor.page.reload()
        expect(visitor.field).to_have_value("A secret")
        # The session runs out, and somebody else signs in.
        visitor.context.clear_cookies()
        visitor.page.reload()
        visitor.page.get_by_role("link", name="Sign in").click()
        visitor.sign_in("Ben")
        expect(visitor.button("New bot")).to_be_visible()
        expect(visitor.field).to_have_value("")

    def test_a_browser_that_keeps_nothing_can_be_talked_with(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes."})))
        visitor.page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('Full', 'QuotaExceededError'); };")
        visitor.visit()
        expect(visitor.ask("Hello")).to_contain_text("Yes.")

    def test_a_reload_in_mid_stream_loses_no_token(self) -> None:
        half = len(LONG) // 2
        steps = [*pieces(LONG[:half]), PAUSE, *pieces(LONG[half:])]
        visitor = self.person(self.gateway(lines({"steps": steps})))
        visitor.say("Say a lot.")
        expect(visitor.answers).to_contain_text("Word 20 of the answer.")
        visitor.page.reload()
        expect(visitor.button("Stop the answer")).to_be_visible()
        expect(visitor.answers).to_contain_text("Word 20 of the answer.")
        visitor.go_on()
        expect(visitor.button("Send")).to_be_visible()
        self.assertEqual(visitor.answers.locator(".markdown > p").all_inner_texts(), PARAGRAPHS)

    def test_a_wire_that_is_cut_in_mid_stream_loses_no_token(self) -> None:
        port, gateway_port = free_port(), free_port()
        steps = [*pieces(LONG[:300]), PAUSE, *pieces(LONG[300:])]
        gateway = self.gateway(lines({"steps": steps}), arguments=["--port", str(gateway_port), "--origin", f"http://localhost:{port}"])
        wire = Wire(gateway_port, port)
        self.addCleanup(wire.close)
        visitor = self.person(gateway, port)
        numbers: list[str | None] = []
        visitor.page.on("request", lambda request: numbers.append(request.headers.get("last-event-id")) if request.url.endswith("/events") else None)
        visitor.say("Say a lot.")
        expect(visitor.answers).to_contain_text("Word 13 of the answer")
        wire.cut()
        expect(visitor.answers).to_contain_text("The connection is lost. Trying again …")
        wire.mend()
        visitor.go_on()
        expect(visitor.button("Send")).to_be_visible()
        self.assertEqual(visitor.answers.locator(".markdown > p").all_inner_texts(), PARAGRAPHS)
        # What it had was not asked for again.
        self.assertIsNone(numbers[0])
        self.assertGreater(int(numbers[-1] or 0), 1)

    def test_a_browser_that_is_offline_sends_nothing_twice(self) -> None:
        visitor = self.person(self.gateway(lines({"steps": [{"text": "Half"}, SILENCE]}, {"text": "Back again."})))
        visitor.say("Hello")
        expect(visitor.answers).to_contain_text("Half")
        visitor.context.set_offline(True)
        expect(visitor.answers).to_contain_text("The connection is lost. Trying again …")
        visitor.context.set_offline(False)
        expect(visitor.answers).not_to_contain_text("The connection is lost.")
        visitor.button("Stop the answer").click()
        expect(visitor.answers).to_contain_text("Stopped.")

        visitor.context.set_offline(True)
        visitor.say("Are you there?")
        expect(visitor.questions.last).to_contain_text("There is no connection. It is sent as soon as that is over.")
        visitor.context.set_offline(False)
        expect(visitor.answers.last).to_contain_text("Back again.")
        expect(visitor.questions).to_have_text(["Hello", "Are you there?"])
        self.assertEqual(visitor.call("listConversations")["data"][0]["messageCount"], 4)

    def test_an_answer_that_was_lost_on_its_way_is_not_asked_for_twice(self) -> None:
        visitor = self.person(self.gateway(lines({"text": "Once."}, {"text": "Twice."})))
        visitor.ask("Hello")
        lost: list[APIResponse] = []

        def lose(route: Route) -> None:
            # The request arrives, and its answer does not.
            if lost:
                route.continue_()
            else:
                lost.append(route.fetch())
                route.abort()

        visitor.page.route("**/api/sendMessage", lose)
        visitor.say("Only once, please.")
        expect(visitor.answers.last).to_contain_text("Twice.")
        expect(visitor.button("Send")).to_be_visible()
        expect(visitor.questions).to_have_text(["Hello", "Only once, please."])
        self.assertEqual(visitor.call("listConversations")["data"][0]["messageCount"], 4)

    def test_a_message_that_a_reload_interrupts_is_sent_by_the_page_after_it(self) -> None:
        visitor = self.person(self.gateway(lines({"text": "Hello."}, {"text": "I am."})))
        visitor.ask("Hello")
        visitor.page.route("**/api/sendMessage", lambda route: route.abort())
        visitor.say("Are you there?")
        expect(visitor.questions.last).to_contain_text("It is sent as soon as that is over.")
        visitor.page.unroute_all()
        # Whoever is faster than the page waits for what is before.
        held: list[Route] = []
        visitor.page.route("**/api/session", lambda route: held.append(route))
        with visitor.page.expect_request("**/api/session"):
            visitor.page.reload(wait_until="commit")
        visitor.field.fill("Well?")
        visitor.field.press("Enter")
        held[0].continue_()
        expect(visitor.answers.last).to_contain_text("I am.")
        expect(visitor.button("Send")).to_be_enabled()
        expect(visitor.field).to_have_value("Well?")
        expect(visitor.questions).to_have_text(["Hello", "Are you there?"])

    def test_killing_parley_in_mid_stream_shows_the_interrupted_message_and_goes_on(self) -> None:
        gateway = self.gateway(lines({"steps": [{"text": "The first half"}, {"delayMs": 1200}, {"text": " and more"}, SILENCE]}, {"text": "All of it."}))
        visitor = self.person(gateway)
        visitor.say("Say something.")
        # What was said is stored once a second.
        expect(visitor.answers).to_contain_text("The first half and more")
        gateway.kill_parley()
        expect(visitor.answers).to_contain_text("The server was restarted in the middle of this answer.")
        expect(visitor.answers).to_contain_text("The first half")
        visitor.button("Answer again").click()
        expect(visitor.answers).to_contain_text("The first half")  # The script of the new process begins anew.
        visitor.button("Stop the answer").click()
        expect(visitor.answers).to_contain_text("Stopped.")
        expect(visitor.ask("And now?")).to_contain_text("All of it.")

    def test_a_message_with_a_script_stays_text(self) -> None:
        text = "<script>alert(1)</script> <img src=x onerror=alert(2)> [x](javascript:alert(3)) **bold**"
        visitor = self.person(self.gateway(lines({"steps": [{"reasoning": text}, *pieces(text)]})))
        answer = visitor.ask(text)
        expect(visitor.questions).to_have_text(text)
        expect(answer.locator(".markdown")).to_have_text("<script>alert(1)</script> <img src=x onerror=alert(2)> x bold")
        expect(answer.get_by_role("strong")).to_have_text("bold")
        self.assertEqual(visitor.log.locator("script, img, a").count(), 0)
        visitor.page.reload()
        expect(visitor.questions).to_have_text(text)
        self.assertEqual(visitor.log.locator("script, img, a").count(), 0)

    def test_when_everything_is_in_use_the_page_says_when_to_come_back(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes."}), "--set=quotas.system.turns.limit=1"))
        visitor.page.clock.install()
        visitor.visit()
        visitor.ask("Hello")
        visitor.say("And now?")
        expect(visitor.page.get_by_role("alert")).to_contain_text(re.compile(r"Everything is in use just now\. Back at \d?\d:\d\d"))
        expect(visitor.field).to_have_value("And now?")
        visitor.page.clock.fast_forward("05:00:00")
        expect(visitor.page.get_by_role("alert")).to_have_text("There should be room again. Please try once more.")
