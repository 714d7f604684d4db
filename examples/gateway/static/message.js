// How a question and an answer look. Both are updated in place while they grow.

import { el, icon, iconButton, copyButton } from "./dom.js";
import { endingSentence } from "./errors.js";
import { MarkdownView } from "./render.js";
import { textOf } from "./turn.js";

/** `‹ 2 / 3 ›`: the versions that stand in a message's place. `go(step)` shows the one before or after, unless something is going on. */
function versions(place, busy, go) {
  if (!place || place.count < 2) return null;
  return el(
    "span",
    { class: "versions", role: "group", "aria-label": "Versions" },
    iconButton("Earlier version", "left", () => go(-1), { disabled: busy || place.index === 0 }),
    el("span", {}, `${place.index + 1} / ${place.count}`),
    iconButton("Later version", "right", () => go(1), { disabled: busy || place.index === place.count - 1 }),
  );
}

/** Puts other controls in the place of those that are there; the focus goes to the one of the same name. */
function replaceControls(place, controls) {
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  place.replaceChildren(...controls.filter(Boolean));
  if (focused) [...place.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === focused)?.focus();
}

/** What a person has said. */
export class QuestionView {
  #bubble = el("p", { class: "bubble" });
  #actions = el("div", { class: "actions" });
  element = el("article", { class: "question", "aria-label": "You" }, this.#bubble, this.#actions);
  #shown = "";

  /** `actions` are `edit(message, text)`, `version(message, step)` and `withdraw()`. */
  constructor(actions) {
    this.actions = actions;
  }

  update({ message, place, pending, busy }) {
    const text = message.content.map((part) => part.text ?? "").join("\n");
    const key = JSON.stringify([message.id, text, place, pending, busy]);
    if (key === this.#shown || this.element.querySelector("form")) return;
    this.#shown = key;
    if (this.#bubble.textContent !== text) this.#bubble.textContent = text;
    this.#bubble.classList.toggle("command", Boolean(message.local));
    this.#actions.classList.toggle("stays", Boolean(pending));
    if (pending) {
      const withdraw = el("button", { type: "button", class: "link", onclick: () => this.actions.withdraw() }, "Do not send");
      replaceControls(this.#actions, [el("span", { class: "waiting" }, pending), withdraw]);
    } else {
      replaceControls(this.#actions, [
        versions(place, busy, (step) => this.actions.version(message, step)),
        copyButton("Copy the message", () => text),
        message.local ? null : iconButton("Edit the message", "edit", () => this.#edit(message, text), { disabled: busy }),
      ]);
    }
  }

  #edit(message, text) {
    const area = el("textarea", { "aria-label": "The message", rows: "1" });
    area.value = text;
    const close = () => {
      this.element.replaceChildren(this.#bubble, this.#actions);
      this.actions.refresh();
      this.element.querySelector('[aria-label="Edit the message"]')?.focus();
    };
    const send = () => {
      const edited = area.value;
      if (edited.trim() === "") return;
      close();
      if (edited !== text) this.actions.edit(message, edited);
    };
    const form = el(
      "form",
      {
        class: "edit",
        onsubmit: (event) => {
          event.preventDefault();
          send();
        },
        onkeydown: (event) => {
          if (event.key === "Escape") close();
          else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
          else return;
          event.preventDefault();
        },
      },
      area,
      el("div", { class: "row" }, el("button", { type: "button", class: "quiet", onclick: close }, "Cancel"), el("button", { class: "primary" }, "Send")),
    );
    this.element.replaceChildren(form);
    area.focus();
  }
}

/** What was thought, folded away. */
class ReasoningView {
  #text = el("p");
  #summary = el("span");
  element = el("details", { class: "fold reasoning" }, el("summary", {}, icon("thought"), this.#summary), this.#text);

  update(block, growing) {
    this.#summary.textContent = growing ? "Thinking …" : "Thoughts";
    if (this.#text.textContent !== block.text) this.#text.textContent = block.text;
  }
}

const CHOICES = [
  ["allowOnce", "Allow once", "primary"],
  ["allowAlways", "Always allow here", "quiet"],
  ["rejectOnce", "Reject", "quiet"],
  ["rejectAlways", "Never allow here", "quiet"],
];
const STATUS = { completed: "done", failed: "failed", denied: "not allowed", cancelled: "stopped" };

/** A tool call, folded away, with its result; open and with buttons while it waits for an approval. */
class ToolView {
  #state = el("span", { class: "state" });
  #name = el("code");
  #arguments = el("pre", { tabindex: "0", role: "region", "aria-label": "Arguments" });
  #result = el("pre", { tabindex: "0", role: "region", "aria-label": "Result", hidden: true });
  #fold = el("details", { class: "fold tool" }, el("summary", {}, icon("tool"), this.#name, this.#state), this.#arguments, this.#result);
  #approval = el("div", { class: "approval", role: "group", hidden: true });
  element = el("div", {}, this.#fold, this.#approval);
  #shown = "";

  constructor(actions) {
    this.actions = actions;
  }

  update(block, growing) {
    const key = JSON.stringify([block.name, block.status, block.approval, growing]);
    if (key === this.#shown) return;
    this.#shown = key;
    const waiting = block.approval === "requested" && block.status === undefined;
    this.#name.textContent = block.name;
    this.#arguments.textContent = JSON.stringify(block.arguments, null, 2);
    const running = growing ? "running …" : "no result";
    this.#state.textContent = waiting ? "waits for you" : block.status ? (STATUS[block.status] ?? block.status) : running;
    this.#fold.dataset.status = block.status ?? (growing ? "running" : "none");
    this.#result.hidden = !block.text;
    this.#result.textContent = block.text ?? "";
    if (waiting) this.#ask(block);
    else if (!this.#approval.hidden) {
      this.#approval.hidden = true;
      this.#fold.open = false;
    }
  }

  #ask(block) {
    this.#fold.open = true;
    this.#approval.hidden = false;
    this.#approval.setAttribute("aria-label", `May ${block.name} be used?`);
    const choose = async (option) => {
      for (const button of this.#approval.querySelectorAll("button")) button.disabled = true;
      if (!(await this.actions.approve(block, option))) for (const button of this.#approval.querySelectorAll("button")) button.disabled = false;
    };
    // What the host does not offer is not shown, and what this page does not know is not chosen.
    const choices = CHOICES.filter(([option]) => block.options?.includes(option) ?? true);
    const buttons = choices.map(([option, label, kind]) => el("button", { type: "button", class: kind, onclick: () => choose(option) }, label));
    this.#approval.replaceChildren(el("p", {}, "May the assistant use ", el("code", {}, block.name), " with this?"), el("div", { class: "row" }, ...buttons));
  }
}

class TextView extends MarkdownView {
  update(block, growing) {
    super.update(block.text, growing);
  }
}

/** What was answered: thoughts, tools and text in their order, then what became of the turn. */
export class AnswerView {
  #parts = el("div", { class: "parts" });
  #wait = el("p", { class: "writing" }, el("span"), el("span"), el("span"));
  #note = el("p", { class: "note", hidden: true });
  #actions = el("div", { class: "actions" });
  element = el("article", { class: "answer" }, this.#parts, this.#wait, this.#note, this.#actions);
  #views = [];
  #shown = "";

  /** `actions` are `approve(block, option)`, `again(message)`, `version(message, step)`, `rate(message, rating)` and `fork(message)`. */
  constructor(actions) {
    this.actions = actions;
  }

  /** The answer as it is read out: without the signs of Markdown, without thoughts and tools. */
  get spoken() {
    return this.#views.filter(({ kind }) => kind === "text").map(({ element }) => element.innerText).join("\n");
  }

  update({ name, blocks, messages, turn, live, place, busy, canRate, canFork }) {
    this.element.setAttribute("aria-label", name);
    this.#updateParts(blocks, Boolean(live));
    // Something moves as long as nothing is said: who waits sees that it goes on.
    const last = blocks.at(-1);
    this.#wait.hidden = !live || (last?.kind === "tool" && last.status === undefined);
    // Of turns that ended before this page was there it is only known that something is missing.
    const past = messages?.at(-1).status === "partial" ? "This answer was not finished." : "";
    const note = live ? waitingSentence(live) : turn ? endingSentence(turn) : past;
    this.#note.hidden = note === "";
    if (this.#note.textContent !== note) this.#note.textContent = note;
    this.element.dataset.status = live ? "live" : (turn?.status ?? "completed");

    // What tools have given back, which may come last, is no answer.
    const message = messages?.findLast(({ role }) => role === "assistant");
    const rating = message?.rating;
    const key = JSON.stringify([Boolean(live), message?.id, message?.local, turn?.userMessageId, turn?.status, place, busy, rating, canRate, canFork]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#updateActions({ blocks, message, first: messages?.[0], turn, live, place, busy, rating, canRate, canFork });
  }

  #updateParts(blocks, growing) {
    blocks.forEach((block, index) => {
      let view = this.#views[index];
      if (view?.kind !== block.kind) {
        const made = block.kind === "text" ? new TextView() : block.kind === "reasoning" ? new ReasoningView() : new ToolView(this.actions);
        view?.element.replaceWith(made.element);
        if (!view) this.#parts.append(made.element);
        made.kind = block.kind;
        view = this.#views[index] = made;
      }
      view.update(block, growing && (block.kind === "tool" || index === blocks.length - 1));
    });
    for (const view of this.#views.splice(blocks.length)) view.element.remove();
  }

  #updateActions({ blocks, message, first, turn, live, place, busy, rating, canRate, canFork }) {
    const buttons = [];
    if (!live) {
      buttons.push(versions(place, busy, (step) => this.actions.version(first, step)));
      if (textOf(blocks) !== "") buttons.push(copyButton("Copy the answer", () => textOf(blocks)));
      const question = message?.id ?? turn?.userMessageId;
      if (question && !(message?.local ?? turn?.local)) buttons.push(iconButton("Answer again", "again", () => this.actions.again(question), { disabled: busy }));
      if (message && !message.local && canRate) {
        for (const [value, label, name] of [["up", "Good answer", "up"], ["down", "Bad answer", "down"]]) {
          const pressed = rating === value;
          buttons.push(iconButton(label, name, () => this.actions.rate(message, pressed ? null : value), { "aria-pressed": String(pressed) }));
        }
      }
      if (message && canFork) buttons.push(iconButton("Go on from here in a new conversation", "fork", () => this.actions.fork(message), { disabled: busy }));
    }
    replaceControls(this.#actions, buttons);
  }
}

function waitingSentence(live) {
  if (live.offline) return "The connection is lost. Trying again …";
  if (live.position !== null) return live.position > 1 ? `Waiting, at place ${live.position}.` : "Waiting for its turn.";
  if (live.retry) return live.retry.model ? `The model does not answer. Asking ${live.retry.model} …` : "The model does not answer. Asking again …";
  return "";
}
