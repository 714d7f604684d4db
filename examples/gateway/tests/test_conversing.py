"""What one does in the page, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from . import harness
from .browsing import SILENCE, BrowserTest, lines, publish


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
