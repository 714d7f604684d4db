"""Everybody can use the page: with a keyboard alone, with a screen reader, on a phone, in light and in dark."""

from __future__ import annotations

from playwright.sync_api import expect

from . import harness
from .browsing import BrowserTest, Person, lines, pieces, publish

MARKDOWN = """## A plan

1. **Breakfast** near [the cathedral](https://example.org/se)
   - early

| Place | What one pays there, with everything | And a further column | And another |
|---|--:|---|---|
| Castle | 15 € | `a_long_name_without_any_spaces_in_it` | text |

> Wear shoes.

```python
def budget(days: int, per_day: float = 90) -> float:  # a line that is longer than a phone is wide, by far
```

https://example.org/an/address/that/is/longer/than/the/screen/of/a/phone/is/wide/and/has/no/spaces/at/all"""
ANSWER = {"steps": [{"reasoning": "A plan is wanted."}, *pieces(MARKDOWN)]}
TOOL = {"toolCall": {"name": "list_bots", "arguments": {}}}

# The texts on the page whose colour has less than 4.5 of contrast with what they stand on (3 if they are large), as WCAG 2.2 computes it.
FAINT_TEXTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, index) => value * a + below[index] * (1 - a));
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const surface = (element) => {
    const chain = [];
    for (let each = element; each; each = each.parentElement) chain.unshift(parse(getComputedStyle(each).backgroundColor));
    return chain.reduce((below, color) => over(color, below), [255, 255, 255]);
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest(":disabled")) continue;
    const style = getComputedStyle(element);
    const below = surface(element);
    const [light, dark] = [luminance(over(parse(style.color), below)), luminance(below)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)}: ${texts.currentNode.data.trim()}`);
  }
  return faint;
}"""

# Waits until nothing moves any more.
SETTLED = "() => Promise.all(document.getAnimations().map((animation) => animation.finished)).then(() => true)"

# What sticks out of the window, other than within what can be scrolled by itself.
OVERFLOWS = """() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("body *")].filter((element) => {
    if (element.closest(".code pre, .table, .visually-hidden, svg, .skip, .pane:not(.open)")) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
  });
  return [document.documentElement.scrollWidth > width ? "the page" : null, ...out.map((element) => element.outerHTML.slice(0, 100))].filter(Boolean);
}"""


class Access(BrowserTest):
    def test_with_a_keyboard_alone(self) -> None:
        gateway = self.gateway(lines({"steps": [{"text": "Long"}, {"delayMs": 600_000}]}, {"text": "Short."}))
        publish(gateway, "Travel desk", "Plans trips.")
        visitor = self.person(gateway)
        keys = visitor.page.keyboard
        focused = visitor.page.locator(":focus")

        expect(visitor.button("Travel desk Plans trips.")).to_be_visible()
        keys.press("Tab")
        expect(focused).to_have_text("Skip to the message")
        expect(focused).to_be_in_viewport()
        keys.press("Enter")
        expect(visitor.field).to_be_focused()
        keys.type("A question")
        keys.press("Shift+Enter")
        keys.type("of two lines")
        keys.press("Enter")
        expect(visitor.questions).to_have_text("A question\nof two lines")
        expect(visitor.answers).to_contain_text("Long")
        keys.press("Tab")
        expect(visitor.button("Stop the answer")).to_be_focused()
        keys.press("Enter")
        expect(visitor.answers).to_contain_text("Stopped.")
        # The button that had the focus is gone; it is not lost.
        expect(visitor.field).to_be_focused()
        self.tab_to(visitor, "Answer again", "Shift+Tab")
        keys.press("Enter")
        expect(visitor.answers).to_contain_text("Short.")

        # To the bots, and to one of them.
        pane = visitor.page.get_by_role("complementary", name="Bots")
        visitor.field.focus()
        self.tab_to(visitor, "Travel desk")
        keys.press("Space")
        expect(pane.get_by_role("button", name="Travel desk")).to_have_attribute("aria-pressed", "true")
        expect(pane.get_by_role("button", name="Travel desk")).to_be_focused()

        # A menu, a dialog and back.
        visitor.page.get_by_role("link", name="A question").focus()
        keys.press("Tab")
        more = visitor.button("More about A question")
        expect(more).to_be_focused()
        keys.press("Enter")
        expect(visitor.page.get_by_role("menuitem", name="Rename …")).to_be_focused()
        keys.press("End")
        expect(visitor.page.get_by_role("menuitem", name="Delete …")).to_be_focused()
        keys.press("Escape")
        expect(more).to_be_focused()
        expect(more).to_have_attribute("aria-expanded", "false")
        keys.press("Enter")
        keys.press("Enter")
        expect(visitor.page.get_by_role("textbox", name="Title")).to_be_focused()
        keys.type("Renamed")
        keys.press("Enter")
        expect(visitor.button("More about Renamed")).to_be_focused()

    def tab_to(self, person: Person, name: str, key: str = "Tab") -> None:
        for _ in range(30):
            person.page.keyboard.press(key)
            if name in (person.page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText") or ""):
                return
        self.fail(f"{key} does not lead to {name}")

    def test_with_a_screen_reader(self) -> None:
        gateway = self.gateway(lines(ANSWER, {"steps": [TOOL]}, {"text": "None."}))
        publish(gateway, "Travel desk", "Plans trips.")
        visitor = self.person(gateway)
        visitor.ask("Plan three days.")
        # The whole answer is read once, and not each token of it.
        expect(visitor.page.get_by_role("status")).to_contain_text("Assistant: A plan")
        expect(visitor.log).to_have_attribute("aria-live", "off")
        expect(visitor.page.locator("body")).to_match_aria_snapshot("""
            - link "Skip to the message"
            - banner:
              - heading "Parley" [level=1]
              - paragraph: Plan three days.
              - link "Sign in"
              - button "Your account"
            - navigation "Conversations":
              - button "New conversation"
              - searchbox "Search conversations"
              - region "Conversations":
                - list:
                  - listitem:
                    - link "Plan three days."
                    - button "More about Plan three days."
            - main:
              - region "Your account":
                - paragraph: 49 of 50 messages are left without signing in.
                - link "Sign in"
              - log "Messages":
                - article "You":
                  - paragraph: Plan three days.
                  - button "Copy the message"
                  - button "Edit the message"
                - article "Assistant":
                  - group: Thoughts
                  - heading "A plan" [level=4]
                  - list:
                    - listitem:
                      - strong: Breakfast
                      - link "the cathedral"
                      - list:
                        - listitem: early
                  - region "Table":
                    - table:
                      - rowgroup:
                        - row
                      - rowgroup:
                        - row
                  - blockquote:
                    - paragraph: Wear shoes.
                  - figure:
                    - button "Copy the code"
                    - region "Code"
                  - paragraph:
                    - link
                  - button "Copy the answer"
                  - button "Answer again"
              - form "New message":
                - textbox "Message"
                - button "Send" [disabled]
            - complementary "Bots":
              - heading "Who answers" [level=2]
              - list:
                - listitem:
                  - button "Assistant Answers whatever no bot is made for." [pressed]
              - region "For everybody":
                - heading "For everybody" [level=3]
                - list:
                  - listitem:
                    - button "Travel desk Plans trips."
              - button "New bot"
            - status
        """)
        # All scripts are fetched at once.
        preloaded = visitor.page.locator("link[rel=modulepreload], script").evaluate_all("links => links.map((link) => (link.href || link.src).split('/').pop())")
        self.assertEqual(sorted(preloaded), sorted(file.name for file in (harness.FOLDER / "static").glob("*.js")))
        # Each id once, each control with a name.
        ids = visitor.page.locator("[id]").evaluate_all("elements => elements.map((element) => element.id)")
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(visitor.page.locator("button, a, input, textarea").evaluate_all(
            "elements => elements.filter((element) => !(element.ariaLabel || element.innerText || element.labels?.length)).map((element) => element.outerHTML)"
        ), [])  # fmt: skip

    def test_on_a_phone(self) -> None:
        gateway = self.gateway(lines(ANSWER, {"steps": [TOOL]}, {"text": "None."}), "--set=tools.policies.list_bots=ask")
        publish(gateway, "Travel desk", "Plans trips.")
        visitor = self.person(gateway, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
        self.assertEqual(visitor.page.evaluate(OVERFLOWS), [])
        visitor.ask("Plan-three-days-in-a-place-whose-name-is-longer-than-a-phone-is-wide-without-any-space.")
        self.assertEqual(visitor.page.evaluate(OVERFLOWS), [])
        visitor.say("Which bots are there?")
        visitor.button("Allow once").tap()
        expect(visitor.answers.last).to_contain_text("None.")
        self.assertEqual(visitor.page.evaluate(OVERFLOWS), [])

        # The panes are drawers: out of the way, and nothing else can be reached while one is open.
        self.assertEqual(visitor.page.get_by_role("navigation").count(), 0)
        visitor.button("Bots").tap()
        expect(visitor.page.get_by_role("complementary").get_by_role("button", name="Close")).to_be_focused()
        self.assertTrue(visitor.page.get_by_role("main").evaluate("main => main.inert"))
        visitor.page.evaluate(SETTLED)
        self.assertEqual(visitor.page.evaluate(OVERFLOWS), [])
        visitor.page.keyboard.press("Escape")
        expect(visitor.button("Bots")).to_be_focused()
        visitor.button("Conversations").tap()
        visitor.page.evaluate(SETTLED)
        self.assertEqual(visitor.page.evaluate(OVERFLOWS), [])
        visitor.button("New conversation").tap()
        expect(visitor.page.get_by_role("heading", name="What shall we talk about?")).to_be_visible()
        expect(visitor.page.get_by_role("navigation")).to_have_count(0)

    def test_every_text_can_be_read_in_light_and_in_dark(self) -> None:
        gateway = self.gateway(
            lines(ANSWER, {"steps": [{"error": {"code": "modelAuth", "message": "No."}}]}, {"steps": [TOOL]}),
            "--set=tools.policies.list_bots=ask", "--set=quotas.anonymous.turns.warnAfter=1", "--set=quotas.anonymous.turns.limit=2",
        )  # fmt: skip
        publish(gateway, "Travel desk", "Plans trips.")
        visitor = self.person(gateway)

        def check() -> None:
            for scheme in ("light", "dark"):
                visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                self.assertEqual(visitor.page.evaluate(FAINT_TEXTS), [], scheme)

        expect(visitor.button("Travel desk Plans trips.")).to_be_visible()
        check()
        visitor.field.press("/")
        expect(visitor.page.get_by_role("listbox")).to_be_visible()
        check()
        visitor.ask("Plan three days.")
        check()
        visitor.say("Again.")
        expect(visitor.answers.last).to_contain_text("does not accept")
        check()
        visitor.say("Which bots are there?")
        expect(visitor.button("Allow once")).to_be_visible()
        visitor.answers.first.get_by_text("Thoughts").click()
        check()
        visitor.button("Stop the answer").click()
        expect(visitor.button("Send")).to_be_visible()
        visitor.button("More about Plan three days.").press("Enter")
        expect(visitor.page.get_by_role("menu")).to_be_visible()
        check()
        visitor.page.get_by_role("menuitem", name="Delete …").click()
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        check()
        visitor.page.keyboard.press("Escape")
        visitor.page.get_by_role("banner").get_by_role("link", name="Sign in").click()
        expect(visitor.page.get_by_role("textbox", name="Name")).to_be_visible()
        check()
        visitor.sign_in("Ada")
        expect(visitor.button("Take along")).to_be_visible()
        check()
