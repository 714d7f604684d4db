// The conversations on the left.

import { call, callPatiently } from "./api.js";
import { askForm } from "./dialogs.js";
import { announce, byId, el, icon } from "./dom.js";
import { download, upload } from "./files.js";
import { menuButton } from "./menu.js";

/** The page's address of a conversation. */
export function addressOf(id) {
  return id ? `/?c=${encodeURIComponent(id)}` : "/";
}

export function titleOf(conversation) {
  return conversation?.title || "New conversation";
}

export class Conversations {
  #all = new Map();
  #cursor = null;
  #archived = false;
  #open = null;
  #found = null;
  #list = byId("list");
  #search = byId("search");
  #timer = 0;

  /** `app` has `can(method)`, `show(id)`, `fork(id)`, `gone(id)`, `changed(conversation)` and `fail(error)`. */
  constructor(app) {
    this.app = app;
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), 200);
    });
  }

  /** Whether the host can pin, archive and search: it can do all of these or none. */
  get #sorts() {
    return this.app.can("searchConversations");
  }

  /** Reads the list from the beginning. */
  async load() {
    const archived = this.#sorts ? { archived: this.#archived } : {};
    const [pinned, page] = await Promise.all([
      // However long ago it was, what is pinned stands first.
      this.#sorts ? callPatiently("listConversations", { ...archived, pinned: true, limit: 200 }) : { data: [] },
      callPatiently("listConversations", archived),
    ]);
    this.#all = new Map([...pinned.data, ...page.data].map((conversation) => [conversation.id, conversation]));
    this.#cursor = page.nextCursor ?? null;
    this.render();
  }

  async #more() {
    const page = await callPatiently("listConversations", { ...(this.#sorts ? { archived: this.#archived } : {}), cursor: this.#cursor });
    for (const conversation of page.data) this.#all.set(conversation.id, conversation);
    this.#cursor = page.nextCursor ?? null;
    this.render();
  }

  clear() {
    this.#all.clear();
    this.#cursor = null;
    this.#open = null;
    this.render();
  }

  /** Takes a conversation as it now stands. */
  put(conversation) {
    if (Boolean(conversation.archived) === this.#archived) this.#all.set(conversation.id, conversation);
    else this.#all.delete(conversation.id);
    this.render();
  }

  /** Marks the one that is open. */
  mark(id) {
    this.#open = id;
    this.render();
  }

  async #find() {
    const query = this.#search.value.trim();
    if (query === "") this.#found = null;
    else if (this.#sorts) {
      try {
        const { data } = await call("searchConversations", { query });
        if (this.#search.value.trim() !== query) return;
        // That the title fits can be seen anyway, and often the first message is the title.
        const shown = (conversation, matches) => matches.find(({ messageId, snippet }) => messageId && snippet !== conversation.title);
        this.#found = data.map(({ conversation, matches }) => ({ conversation, match: shown(conversation, matches) }));
      } catch (error) {
        this.app.fail(error);
        return;
      }
    } else {
      const words = query.toLowerCase();
      this.#found = [...this.#all.values()].filter((each) => titleOf(each).toLowerCase().includes(words)).map((conversation) => ({ conversation }));
    }
    if (this.#found) announce(this.#found.length === 1 ? "One conversation found." : `${this.#found.length} conversations found.`);
    this.render();
  }

  render() {
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const rows = this.#found ?? [...this.#all.values()].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt)).map((conversation) => ({ conversation }));
    const pinned = rows.filter(({ conversation }) => conversation.pinned && !this.#found);
    const others = rows.filter((row) => !pinned.includes(row));
    this.#list.replaceChildren(
      ...[
        pinned.length > 0 ? this.#section("Pinned", pinned) : null,
        others.length > 0 ? this.#section(this.#found ? "Found" : this.#archived ? "Archived" : pinned.length > 0 ? "Others" : null, others) : null,
        rows.length === 0 ? el("p", { class: "empty" }, this.#found ? "Nothing found." : this.#archived ? "Nothing is archived." : "What you talk about is listed here.") : null,
        this.#cursor && !this.#found ? el("button", { type: "button", class: "quiet wide", onclick: () => this.#more().catch((error) => this.app.fail(error)) }, "More") : null,
        this.#found ? null : this.#footer(),
      ].filter(Boolean),
    );
    if (focused) [...this.#list.querySelectorAll("[data-key]")].find((element) => element.dataset.key === focused)?.focus();
  }

  #footer() {
    const buttons = [this.#sorts && !this.app.isNobody ? this.#archiveButton() : null, this.app.can("importConversation") && !this.app.isNobody ? this.#importButton() : null].filter(Boolean);
    return buttons.length > 0 ? el("div", { class: "row" }, ...buttons) : null;
  }

  #importButton() {
    const take = async () => {
      try {
        const conversation = await upload();
        if (!conversation) return;
        this.put(conversation);
        this.app.show(conversation.id);
      } catch (error) {
        this.app.fail(error);
      }
    };
    return el("button", { type: "button", class: "link", "data-key": "import", onclick: take }, "Import");
  }

  #archiveButton() {
    const toggle = () => {
      this.#archived = !this.#archived;
      this.load().catch((error) => this.app.fail(error));
    };
    return el("button", { type: "button", class: "link", "data-key": "archive", onclick: toggle }, this.#archived ? "Back to all conversations" : "Archived conversations");
  }

  #section(title, rows) {
    return el("section", { "aria-label": title ?? "Conversations" }, title ? el("h2", {}, title) : null, el("ul", {}, ...rows.map((row) => this.#row(row))));
  }

  #row({ conversation, match }) {
    const { id } = conversation;
    const title = titleOf(conversation);
    const link = el(
      "a",
      {
        href: addressOf(id), "data-key": id, "aria-current": id === this.#open ? "page" : null,
        onclick: (event) => {
          // A new tab is the browser's business.
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          this.app.show(id);
        },
      },
      conversation.pinned ? icon("pin") : null,
      el("span", { class: "name" }, title),
      match ? el("span", { class: "snippet" }, ...highlighted(match)) : null,
    );
    return el("li", {}, link, menuButton(`More about ${title}`, "more", () => this.#entries(conversation), { "data-key": `more ${id}` }));
  }

  #entries(conversation) {
    const { id, pinned, archived } = conversation;
    const can = (method) => this.app.can(method);
    const fail = (error) => this.app.fail(error);
    return [
      { label: "Rename …", act: () => this.#rename(conversation) },
      this.#sorts && { label: pinned ? "Unpin" : "Pin", act: () => this.#update({ conversationId: id, pinned: !pinned }) },
      this.#sorts && { label: archived ? "Take out of the archive" : "Archive", act: () => this.#update({ conversationId: id, archived: !archived }) },
      can("forkConversation") && { label: "Make a copy", act: () => this.app.fork(id) },
      can("exportConversation") && { label: "Export to read (Markdown)", act: () => download(id, titleOf(conversation), "markdown").catch(fail) },
      can("exportConversation") && { label: "Export to import (JSON Lines)", act: () => download(id, titleOf(conversation), "jsonl").catch(fail) },
      { label: "Delete …", danger: true, act: () => this.#delete(conversation) },
    ];
  }

  async #update(params) {
    try {
      this.app.changed((await call("updateConversation", params)).conversation);
    } catch (error) {
      this.app.fail(error);
    }
  }

  async #rename(conversation) {
    const answer = await askForm({
      title: "Rename the conversation", action: "Rename",
      fields: [{ name: "title", label: "Title", value: conversation.title }],
      submit: ({ title }) => call("updateConversation", { conversationId: conversation.id, title }),
    });
    if (answer) this.app.changed(answer.conversation);
  }

  async #delete(conversation) {
    const answer = await askForm({
      title: "Delete this conversation?", text: `“${titleOf(conversation)}” and everything in it will be gone for good.`, action: "Delete", danger: true,
      submit: () => call("deleteConversation", { conversationId: conversation.id }),
    });
    if (!answer) return;
    this.#all.delete(conversation.id);
    this.#found = this.#found?.filter((row) => row.conversation.id !== conversation.id) ?? null;
    this.render();
    announce("Deleted.");
    this.app.gone(conversation.id);
  }
}

/** A snippet, in which the words that were looked for are marked. */
function highlighted({ snippet, highlights }) {
  const parts = [];
  let at = 0;
  for (const { start, length } of highlights) {
    parts.push(snippet.slice(at, start), el("mark", {}, snippet.slice(start, start + length)));
    at = start + length;
  }
  return [...parts, snippet.slice(at)];
}
