// The bots on the right: who answers, who could, and a place to make one.

import { call, callPatiently } from "./api.js";
import { askForm } from "./dialogs.js";
import { announce, byId, el } from "./dom.js";
import { menuButton } from "./menu.js";

export class Bots {
  #own = [];
  #published = [];
  #chosen = null;
  #pane = byId("bot-list");

  /** `app` has `choose(botId)`, `botsChanged()`, `isNobody` and `fail(error)`. */
  constructor(app) {
    this.app = app;
  }

  /** Reads which bots there are. */
  async load() {
    const [own, published] = await Promise.all([
      this.app.isNobody ? { data: [] } : callPatiently("listBots", { scope: "own", limit: 200 }),
      callPatiently("listBots", { scope: "published", limit: 200 }),
    ]);
    this.#own = own.data;
    this.#published = published.data.filter(({ id }) => !own.data.some((bot) => bot.id === id));
    this.render();
    this.app.botsChanged();
  }

  /** The bot with that id, of those that are listed. */
  find(id) {
    return [...this.#own, ...this.#published].find((bot) => bot.id === id);
  }

  /** Marks who answers; undefined for the assistant. */
  mark(id) {
    this.#chosen = id ?? null;
    this.render();
  }

  render() {
    const focused = this.#pane.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#pane.replaceChildren(
      ...[
        el("ul", { class: "choices" }, this.#choice({ id: null, name: "Assistant", description: "Answers whatever no bot is made for." })),
        this.#section("Your bots", this.#own, true),
        this.#section("For everybody", this.#published, false),
        el("button", { type: "button", class: "quiet wide", "data-key": "new", onclick: () => this.#edit() }, "New bot"),
      ].filter(Boolean),
    );
    if (focused) [...this.#pane.querySelectorAll("[data-key]")].find((element) => element.dataset.key === focused)?.focus();
  }

  #section(title, bots, own) {
    if (bots.length === 0) return null;
    return el("section", { "aria-label": title }, el("h3", {}, title), el("ul", { class: "choices" }, ...bots.map((bot) => this.#choice(bot, own))));
  }

  #choice(bot, own = false) {
    const pressed = bot.id === this.#chosen;
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "choice", "aria-pressed": String(pressed), "data-key": `bot ${bot.id}`, onclick: () => this.app.choose(bot.id) },
        el("span", { class: "name" }, bot.name),
        bot.description ? el("span", { class: "about" }, bot.description) : null,
      ),
      own ? menuButton(`More about ${bot.name}`, "more", () => [{ label: "Change …", act: () => this.#change(bot) }, { label: "Delete …", danger: true, act: () => this.#delete(bot) }], { "data-key": `more ${bot.id}` }) : null,
    );
  }

  async #change(summary) {
    try {
      await this.#edit((await call("getBot", { botId: summary.id })).bot);
    } catch (error) {
      this.app.fail(error);
    }
  }

  /** Makes a bot, or changes one. */
  async #edit(bot) {
    const clientRequestId = crypto.randomUUID();
    const answer = await askForm({
      title: bot ? `Change ${bot.name}` : "New bot",
      action: bot ? "Save" : "Make it",
      fields: [
        { name: "name", label: "Name", value: bot?.name, required: true, maxlength: 80 },
        { name: "description", label: "What it is for", value: bot?.description },
        { name: "instructions", label: "Instructions", value: bot?.instructions, multiline: true, hint: "How it shall answer. Only you see this." },
      ],
      submit: async ({ name, description, instructions }) => {
        const fields = { name, description, instructions: instructions.trim() === "" ? null : instructions };
        if (bot) return call("updateBot", { botId: bot.id, revision: bot.revision, ...fields });
        if (this.app.isNobody) await this.app.becomeSomebody();
        return callPatiently("createBot", { ...fields, clientRequestId });
      },
    });
    if (!answer) return;
    announce(bot ? "Saved." : `${answer.bot.name} is made.`);
    await this.#reload();
    if (!bot) await this.app.choose(answer.bot.id);
  }

  async #delete(bot) {
    const answer = await askForm({
      title: `Delete ${bot.name}?`, text: "Its conversations stay, and the assistant goes on with them.", action: "Delete", danger: true,
      submit: () => call("deleteBot", { botId: bot.id }),
    });
    if (!answer) return;
    announce("Deleted.");
    await this.#reload();
    this.app.botGone(bot.id);
  }

  async #reload() {
    try {
      await this.load();
    } catch (error) {
      this.app.fail(error);
    }
  }
}
