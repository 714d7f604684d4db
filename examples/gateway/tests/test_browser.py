"""Whole visits to the page, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import APIResponse, Route, expect

from . import harness
from .browsing import BrowserTest, Person, Wire, free_port, lines, pieces, publish

# The model says no more; nobody waits for so long.
SILENCE = {"delayMs": 600_000}
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

    def test_a_reload_in_mid_stream_loses_no_token(self) -> None:
        half = len(LONG) // 2
        steps = [*pieces(LONG[:half]), {"delayMs": 1500}, *pieces(LONG[half:])]
        visitor = self.person(self.gateway(lines({"steps": steps})))
        visitor.say("Say a lot.")
        expect(visitor.answers).to_contain_text("Word 20 of the answer.")
        visitor.page.reload()
        expect(visitor.button("Stop the answer")).to_be_visible()
        expect(visitor.answers).to_contain_text("Word 20 of the answer.")
        expect(visitor.button("Send")).to_be_visible()
        self.assertEqual(visitor.answers.locator(".markdown > p").all_inner_texts(), PARAGRAPHS)

    def test_a_wire_that_is_cut_in_mid_stream_loses_no_token(self) -> None:
        port, gateway_port = free_port(), free_port()
        steps = [*pieces(LONG[:300]), {"delayMs": 2500}, *pieces(LONG[300:])]
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
        visitor.page.reload()
        expect(visitor.answers.last).to_contain_text("I am.")
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


class Conversing(BrowserTest):
    def test_stop_answer_again_and_edit_leave_versions(self) -> None:
        visitor = self.person(
            self.gateway(lines({"steps": [{"text": "One"}, SILENCE]}, {"text": "Two"}, {"text": "Three"}, {"text": "Four"}))
        )
        visitor.say("A question")
        expect(visitor.answers).to_contain_text("One")
        visitor.button("Stop the answer").click()
        expect(visitor.answers).to_contain_text("Stopped.")
        # Whoever clicks twice asks once.
        visitor.button("Answer again").dblclick()
        expect(visitor.answers).to_contain_text("Two")
        expect(visitor.page.get_by_role("alert")).to_be_empty()
        versions = visitor.answers.get_by_role("group", name="Versions")
        expect(versions).to_have_text("2 / 2")
        expect(visitor.ask("More")).to_contain_text("Three")

        visitor.questions.first.hover()
        visitor.questions.first.get_by_role("button", name="Edit the message").click()
        area = visitor.page.get_by_role("textbox", name="The message")
        expect(area).to_be_focused()
        area.fill("Another question")
        area.press("Enter")
        expect(visitor.questions).to_contain_text(["Another question"])
        expect(visitor.answers).to_contain_text(["Four"])
        expect(visitor.questions.get_by_role("group", name="Versions")).to_have_text("2 / 2")
        # Back at the question before, all that had followed it is there again.
        visitor.questions.hover()
        visitor.questions.get_by_role("button", name="Earlier version").press("Enter")
        expect(visitor.questions).to_contain_text(["A question", "More"])
        expect(visitor.questions.first.get_by_role("button", name="Later version")).to_be_focused()
        expect(visitor.answers).to_contain_text(["Two", "Three"])
        visitor.answers.first.get_by_role("button", name="Earlier version").click()
        expect(visitor.answers).to_contain_text(["One"])
        expect(versions).to_have_text("1 / 2")
        # What was not seen since the page was loaded is found to the end of its turn.
        visitor.page.reload()
        visitor.answers.first.get_by_role("button", name="Later version").click()
        expect(visitor.answers).to_contain_text(["Two"])

    def test_thoughts_and_tools_are_folded_away(self) -> None:
        call = {"toolCall": {"name": "create_bot", "arguments": {"name": "Poet", "instructions": "Rhyme."}}}
        visitor = self.person(self.gateway(lines({"steps": [{"reasoning": "A poet is wanted."}, {"text": "One moment."}, call]}, {"text": "Here is Poet."})))
        visitor.say("I need a poet.")
        answer = visitor.log.get_by_role("article", name="Poet")
        expect(answer).to_contain_text("Here is Poet.")
        thoughts = answer.get_by_text("A poet is wanted.")
        expect(thoughts).to_be_hidden()
        answer.get_by_text("Thoughts").click()
        expect(thoughts).to_be_visible()
        answer.get_by_text("create_bot").click()
        expect(answer.get_by_role("region", name="Arguments")).to_contain_text('"instructions": "Rhyme."')
        expect(answer.get_by_role("region", name="Result")).to_be_visible()
        # It answers from now on.
        expect(visitor.page.get_by_role("complementary").get_by_role("button", name="Poet", exact=True)).to_have_attribute("aria-pressed", "true")
        visitor.page.reload()
        expect(answer).to_contain_text("Thoughts")
        expect(answer).to_contain_text("create_botdone")

    def test_a_tool_that_needs_an_approval_waits_for_the_person(self) -> None:
        call = {"toolCall": {"name": "list_bots", "arguments": {}}}
        visitor = self.person(self.gateway(lines({"steps": [call]}, {"text": "None."}, {"steps": [call]}, {"text": "Then not."}), "--set=tools.policies.list_bots=ask"))
        visitor.say("Which bots are there?")
        approval = visitor.page.get_by_role("group", name="May list_bots be used?")
        expect(approval).to_be_visible()
        expect(visitor.page.get_by_role("status")).to_have_text("May the assistant use list_bots? It waits for your choice.")
        # It also waits for the page that comes after a reload.
        visitor.page.reload()
        approval.get_by_role("button", name="Allow once").click()
        expect(approval).to_be_hidden()
        expect(visitor.answers).to_contain_text("None.")
        expect(visitor.answers).to_contain_text("list_botsdone")
        visitor.say("And now?")
        approval.get_by_role("button", name="Reject").click()
        expect(visitor.answers.last).to_contain_text("Then not.")
        expect(visitor.answers.last).to_contain_text("list_botsnot allowed")

    def test_commands(self) -> None:
        visitor = self.person(self.gateway(lines({"text": "Never."})))
        menu = visitor.page.get_by_role("listbox", name="Commands")
        visitor.field.press_sequentially("/ti")
        expect(menu.get_by_role("option")).to_have_text(["/title Give this conversation a title."])
        expect(visitor.field).to_have_attribute("aria-activedescendant", "command-0")
        visitor.field.press("Enter")
        expect(visitor.field).to_have_value("/title ")
        expect(menu).to_be_hidden()
        expect(visitor.page.locator("#usage")).to_contain_text("/title")
        visitor.field.press_sequentially("About trains")
        visitor.field.press("Enter")
        expect(visitor.conversations).to_have_text(["About trains"])
        expect(visitor.answers).to_be_visible()
        # Arrows choose, Escape closes.
        visitor.field.press("/")
        expect(menu.get_by_role("option", selected=True)).to_have_count(1)
        first = menu.get_by_role("option", selected=True).inner_text()
        visitor.field.press("ArrowDown")
        self.assertNotEqual(menu.get_by_role("option", selected=True).inner_text(), first)
        visitor.field.press("Escape")
        expect(menu).to_be_hidden()

    def test_bots(self) -> None:
        gateway = self.gateway(harness.script({"text": "Of course."}))
        publish(gateway, "Travel desk", "Plans trips.")
        visitor = self.person(gateway)
        pane = visitor.page.get_by_role("complementary", name="Bots")
        # Nobody need be known to see them.
        pane.get_by_role("button", name="Travel desk Plans trips.").click()
        expect(visitor.page.get_by_role("heading", name="Travel desk")).to_be_visible()
        visitor.say("To Lisbon, please.")
        expect(visitor.log.get_by_role("article", name="Travel desk")).to_contain_text("Of course.")
        pane.get_by_role("button", name="New bot").click()
        dialog = visitor.page.get_by_role("dialog", name="New bot")
        dialog.get_by_role("textbox", name="Name").fill("Poet")
        dialog.get_by_role("textbox", name="Instructions").fill("Rhyme.")
        dialog.get_by_role("button", name="Make it").click()
        expect(dialog).to_be_hidden()
        poet = pane.get_by_role("button", name="Poet", exact=True)
        expect(poet).to_have_attribute("aria-pressed", "true")
        # A second one is more than there is without signing in.
        pane.get_by_role("button", name="New bot").click()
        dialog.get_by_role("textbox", name="Name").fill("Painter")
        dialog.get_by_role("button", name="Make it").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Sign in to make more.")
        dialog.get_by_role("button", name="Cancel").click()
        visitor.menu("More about Poet", "Change …")
        dialog = visitor.page.get_by_role("dialog", name="Change Poet")
        dialog.get_by_role("textbox", name="What it is for").fill("Answers in rhymes.")
        dialog.get_by_role("button", name="Save").click()
        expect(pane.get_by_role("button", name="Poet Answers in rhymes.")).to_be_visible()
        visitor.menu("More about Poet", "Delete …")
        visitor.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(pane.get_by_role("button", name="Assistant")).to_have_attribute("aria-pressed", "true")
        expect(poet).to_have_count(0)

    def test_conversations(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes."})))
        visitor.ask("About trains")
        visitor.button("New conversation").click()
        expect(visitor.field).to_be_focused()
        visitor.ask("About ships")
        expect(visitor.conversations).to_have_text(["About ships", "About trains"])
        visitor.conversations.last.click()
        expect(visitor.questions).to_have_text(["About trains"])
        expect(visitor.conversations.last).to_have_attribute("aria-current", "page")
        visitor.page.go_back()
        expect(visitor.questions).to_have_text(["About ships"])
        visitor.menu("More about About ships", "Rename …")
        visitor.page.get_by_role("textbox", name="Title").fill("Sails")
        visitor.page.keyboard.press("Enter")
        expect(visitor.conversations.first).to_have_text("Sails")
        visitor.page.get_by_role("searchbox", name="Search conversations").fill("train")
        expect(visitor.conversations).to_have_text(["About trains"])
        visitor.page.get_by_role("searchbox", name="Search conversations").fill("")
        visitor.menu("More about Sails", "Delete …")
        visitor.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(visitor.conversations).to_have_text(["About trains"])
        expect(visitor.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
        visitor.visit("/?c=nonsense")
        expect(visitor.page.get_by_role("alert")).to_have_text(re.compile("That does not exist any more."))

    def test_a_failed_turn_says_why_and_can_be_tried_again(self) -> None:
        visitor = self.person(self.gateway(lines({"steps": [{"error": {"code": "modelAuth", "message": "No."}}]}, {"text": "Now."})))
        visitor.say("Hello")
        expect(visitor.answers).to_contain_text("The model's server does not accept this installation's key.")
        visitor.page.reload()
        expect(visitor.answers).to_contain_text("The model's server does not accept this installation's key.")
        visitor.button("Answer again").click()
        expect(visitor.answers).to_contain_text("Now.")

    def test_conversations_are_searched_pinned_and_archived(self) -> None:
        visitor = self.person(self.gateway(harness.script({"expect": "trains", "text": "The *Sud Express* is gone."}, {"text": "Yes."})))
        self.need(visitor, "searchConversations")
        visitor.ask("About trains")
        visitor.button("New conversation").click()
        visitor.ask("About ships")
        search = visitor.page.get_by_role("searchbox", name="Search conversations")
        search.fill("express su")
        expect(visitor.conversations).to_have_text(["About trainsThe *Sud Express* is gone."])
        expect(visitor.conversations.locator("mark")).to_have_text(["Sud", "Express"])
        expect(visitor.page.get_by_role("status")).to_have_text("One conversation found.")
        visitor.conversations.click()
        expect(visitor.questions).to_have_text(["About trains"])
        search.fill("")
        visitor.menu("More about About trains", "Pin")
        expect(visitor.page.get_by_role("region", name="Pinned").get_by_role("link")).to_have_text(["About trains"])
        visitor.menu("More about About ships", "Archive")
        expect(visitor.conversations).to_have_text(["About trains"])
        visitor.button("Archived conversations").click()
        expect(visitor.conversations).to_have_text(["About ships"])
        visitor.menu("More about About ships", "Take out of the archive")
        expect(visitor.conversations).to_have_count(0)
        visitor.button("Back to all conversations").click()
        expect(visitor.conversations).to_have_text(["About trains", "About ships"])

    def test_answers_are_rated_and_conversations_copied_exported_and_imported(self) -> None:
        visitor = self.person(self.gateway(harness.script({"text": "Yes, **indeed**."})))
        self.need(visitor, "forkConversation")
        visitor.ask("One")
        visitor.ask("Two")
        good = visitor.answers.first.get_by_role("button", name="Good answer")
        good.click()
        expect(good).to_have_attribute("aria-pressed", "true")
        visitor.page.reload()
        expect(good).to_have_attribute("aria-pressed", "true")
        good.click()
        expect(good).to_have_attribute("aria-pressed", "false")

        visitor.answers.first.get_by_role("button", name="Go on from here in a new conversation").click()
        expect(visitor.questions).to_have_text(["One"])
        expect(visitor.conversations).to_have_text(["One (fork)", "One"])
        with visitor.page.expect_download() as markdown:
            visitor.menu("More about One", "Export to read (Markdown)")
        self.assertEqual(markdown.value.suggested_filename, "One.md")
        self.assertIn("**indeed**", markdown.value.path().read_text())
        with visitor.page.expect_download() as export:
            visitor.menu("More about One", "Export to import (JSON Lines)")
        with visitor.page.expect_file_chooser() as chooser:
            visitor.button("Import").click()
        chooser.value.set_files(export.value.path())
        expect(visitor.questions).to_have_text(["One", "Two"])
        expect(visitor.conversations).to_have_text(["One", "One (fork)", "One"])

    def need(self, visitor: Person, method: str) -> None:
        if method not in visitor.context.request.get(f"{visitor.origin}/api/session").json()["methods"]:
            self.skipTest(f"This Parley has no {method}.")
