// Puts the page together. Each part is told what it may ask of the others here, and knows none of them.

import { Account, Notice } from "./account.js";
import { call, callPatiently, watchWaiting } from "./api.js";
import { Bots } from "./bots.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Conversations, addressOf, titleOf } from "./conversations.js";
import { announce, byId, narrow } from "./dom.js";
import { Drawers } from "./drawers.js";
import { forgetAll, read, setPerson, write } from "./tab.js";

class App {
  constructor() {
    this.notice = new Notice();
    this.drawers = new Drawers();
    this.account = new Account(this);
    this.conversations = new Conversations(this);
    this.bots = new Bots(this);
    this.chat = new Chat(this);
    this.composer = new Composer({
      send: (text) => this.#send(text),
      stop: () => this.chat.stop(),
      commands: async () => (await callPatiently("listCommands", this.chat.conversation ? { conversationId: this.chat.conversation.id } : {})).data,
    });
    /** Who shall answer in a conversation that is not there yet. */
    this.nextBot = null;
    /** Whether it is known who is there, and what was open. */
    this.started = false;
    this.turnChanged();
    watchWaiting((error) => (error ? this.notice.show(error) : this.notice.clear()));
    byId("new").addEventListener("click", () => this.show(null));
    // Its address would take the place of the conversation's.
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.composer.focus();
    });
    addEventListener("popstate", () => this.#open(this.#addressed()));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#refresh());
  }

  async start() {
    try {
      await this.account.load();
      setPerson(this.account.session.user?.id ?? null);
      this.composer.restore();
      await Promise.all([this.account.isNobody ? null : this.conversations.load(), this.bots.load()]);
    } catch (error) {
      this.fail(error);
    }
    const [left] = this.chat.outbox.left;
    // Coming back from signing in, one finds what one had before oneself; but the claim comes first.
    this.last = read("conversation");
    await this.#open(left ? (left.conversationId ?? null) : (this.#addressed() ?? (this.account.session.claimable ? null : this.last)));
    // First what was left, and only then what somebody has written since: one thing at a time.
    if (left) this.chat.deliver(left);
    this.started = true;
    this.turnChanged();
  }

  #addressed() {
    return new URLSearchParams(location.search).get("c");
  }

  // MARK: what the parts ask

  /** Whether the host has a method. */
  can(method) {
    return this.account.session.methods?.includes(method) ?? false;
  }

  get isNobody() {
    return this.account.isNobody;
  }

  botName(id) {
    return id ? (this.bots.find(id)?.name ?? "Bot") : "Assistant";
  }

  /** Shows a conversation, or an empty page for a new one. */
  async show(id) {
    this.drawers.close();
    if (id !== (this.chat.conversation?.id ?? null) || this.#addressed() !== id) history.pushState(null, "", addressOf(id));
    await this.#open(id);
    // On a phone the keyboard would cover what is to be read.
    if (!narrow.left.matches) this.composer.focus();
  }

  async #open(id) {
    this.notice.clear();
    this.composer.forgetCommands();
    this.nextBot = null;
    if (!id) {
      this.chat.leave();
      this.#showConversation(null);
      return;
    }
    try {
      await this.chat.open(id);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.chat.leave();
      history.replaceState(null, "", addressOf(null));
      this.#showConversation(null);
      this.fail(error);
    }
  }

  /** Something was learnt about a conversation: the open one, or another. */
  changed(conversation) {
    if (!conversation) return;
    this.conversations.put(conversation);
    if (conversation.id !== this.chat.conversation?.id) return;
    if (this.chat.conversation !== conversation) this.chat.conversation = conversation;
    if (this.#addressed() !== conversation.id) history.replaceState(null, "", addressOf(conversation.id));
    this.#showConversation(conversation);
  }

  #showConversation(conversation) {
    const title = conversation ? titleOf(conversation) : "";
    const bot = conversation ? conversation.botId : this.nextBot;
    byId("title").textContent = title;
    document.title = title ? `${title} – Parley` : "Parley";
    write("conversation", conversation?.id ?? null);
    this.conversations.mark(conversation?.id ?? null);
    this.bots.mark(bot);
    const about = this.bots.find(bot);
    byId("greeting-title").textContent = about ? about.name : "What shall we talk about?";
    byId("greeting-text").textContent = about?.description ?? "";
  }

  turnChanged() {
    const { busy, live, opening } = this.chat;
    // A turn that has ended is only still being read, as it is stored.
    const running = live !== null && !live.ended;
    this.composer.setBusy({ busy: busy && !live?.ended, stoppable: running, loading: opening || !this.started || live?.ended === true });
  }

  /** An event of the turn that is followed. */
  event(name, params) {
    if (name === "quotaWarning") this.account.warn(params.message);
  }

  async turnEnded(turn) {
    this.account.receipt(turn.quota);
    // A turn may have made a bot, or a conversation, which the model or a command does.
    try {
      await Promise.all([this.bots.load(), this.conversations.load()]);
    } catch (error) {
      this.fail(error);
    }
  }

  botsChanged() {
    this.composer.forgetCommands();
    if (this.chat.conversation) this.#showConversation(this.chat.conversation);
    this.chat.render();
  }

  becameSomebody() {
    this.account.becameSomebody();
    this.bots.load().catch((error) => this.fail(error));
  }

  /** Makes an anonymous person of nobody, with a conversation, because nobody can have a bot. */
  async becomeSomebody() {
    const { conversation } = await call("createConversation", {});
    this.account.becameSomebody();
    this.chat.conversation = conversation;
    this.changed(conversation);
  }

  /** Lets a bot answer from now on; null for the assistant. */
  async choose(botId) {
    this.drawers.close();
    const { conversation } = this.chat;
    if (!conversation) {
      this.nextBot = botId;
      this.#showConversation(null);
      return;
    }
    try {
      this.changed((await call("setConversationBot", { conversationId: conversation.id, botId })).conversation);
      announce(`${this.botName(botId)} answers from now on.`);
    } catch (error) {
      this.fail(error);
    }
  }

  async botGone(id) {
    if (this.nextBot === id) this.nextBot = null;
    if (this.chat.conversation?.botId === id) await this.#refresh();
  }

  gone(id) {
    if (this.chat.conversation?.id === id) this.show(null);
  }

  async fork(conversationId, messageId) {
    try {
      const { conversation } = await callPatiently("forkConversation", { conversationId, messageId, clientRequestId: crypto.randomUUID() });
      this.conversations.put(conversation);
      await this.show(conversation.id);
      announce("This is the copy.");
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    if (error.name !== "AbortError") this.notice.show(error);
  }

  /** A message was refused: nothing of it is stored, and it stands in the field again. */
  refused(error, text) {
    if (this.composer.text === "") this.composer.text = text;
    this.fail(error);
    if (error.code === "quotaExceeded") this.account.count().catch((failure) => this.fail(failure));
  }

  /** What came along is here. */
  async claimed() {
    try {
      await Promise.all([this.conversations.load(), this.bots.load()]);
      if (!this.chat.conversation && this.last) await this.show(this.last);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Signed out, or deleted: nothing of the person's stays in this page. */
  leftEverything() {
    forgetAll();
    location.assign("/");
  }

  // MARK: the person

  async #send(text) {
    this.notice.clear();
    await this.chat.send(text, this.chat.conversation ? undefined : (this.nextBot ?? undefined));
  }

  /** The page is looked at again: something may have changed elsewhere. */
  async #refresh() {
    if (this.isNobody) return;
    try {
      await Promise.all([this.conversations.load(), this.bots.load(), this.chat.refresh(), this.account.count()]);
    } catch (error) {
      this.fail(error);
    }
  }
}

new App().start();
