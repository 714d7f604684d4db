// The conversation in the middle: what was said, and the turn that is being followed.

import { answerApproval, call, callPatiently } from "./api.js";
import { announce, byId } from "./dom.js";
import { endingSentence, sentence } from "./errors.js";
import { itemsOf, liveItem } from "./items.js";
import { AnswerView, QuestionView } from "./message.js";
import { Outbox } from "./outbox.js";
import { followTurn } from "./stream.js";
import { TurnState } from "./turn.js";
import { Versions } from "./versions.js";

const PAGE = 50;

export class Chat {
  /** The open conversation; null for one that its first message will make. */
  conversation = null;
  /** The turn that is being followed; null when none is. */
  live = null;
  /** Whether a conversation is being read: nothing can be said before it is known which one it is for. */
  opening = false;
  #log = byId("log");
  #scroller = byId("scroll");
  #earlier = byId("earlier");
  #messages = [];
  #cursor = null;
  #turns = new Map();
  #pending = null;
  /** Whether an answer is being asked for again, or a message edited, and it is not known yet that it is accepted. */
  #beginning = false;
  #views = new Map();
  #visit = new AbortController();
  #atEnd = true;
  #frame = 0;

  /** `app` is app.js's: what the chat tells the rest of the page, and asks it. */
  constructor(app) {
    this.app = app;
    this.outbox = new Outbox();
    this.versions = new Versions(this);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#stayAtEnd()).observe(this.#log);
    this.#earlier.addEventListener("click", () => this.#loadEarlier().catch((error) => this.app.fail(error)));
    byId("to-end").addEventListener("click", () => this.scrollToEnd());
    this.actions = {
      edit: (message, text) => this.#begin("editMessage", { messageId: message.id, text }),
      again: (messageId) => this.#begin("regenerateMessage", { messageId }),
      version: (message, step) => this.#act(() => this.versions.go(message, step)),
      withdraw: () => this.outbox.withdraw(),
      approve: (block, option) => this.#act(() => answerApproval(this.live.turn.id, block.id, option)),
      rate: (message, rating) => this.#act(() => this.#rate(message, rating)),
      fork: (message) => this.app.fork(this.conversation.id, message.id),
      refresh: () => this.render(),
    };
  }

  get busy() {
    return this.live !== null || this.#pending !== null || this.#beginning;
  }

  get messages() {
    return this.#messages;
  }

  /** Does what may fail, and says so when it does; gives whether it went well. */
  async #act(work) {
    try {
      await work();
      return true;
    } catch (error) {
      this.app.fail(error);
      return false;
    }
  }

  /** Leaves what is open, without ending its turn. */
  leave() {
    this.#visit.abort(new DOMException("Left", "AbortError"));
    this.#visit = new AbortController();
    this.conversation = null;
    this.live = null;
    this.opening = false;
    this.#pending = null;
    this.#beginning = false;
    this.#messages = [];
    this.#cursor = null;
    this.#turns.clear();
    this.versions.clear();
    this.#atEnd = true;
    this.render();
    this.app.turnChanged();
  }

  /** Shows a conversation, and follows the turn that runs in it. Throws when it cannot be read. */
  async open(id) {
    this.leave();
    const { signal } = this.#visit;
    this.opening = true;
    this.app.turnChanged();
    try {
      await this.#load(id, signal);
      if (!signal.aborted && !this.conversation.activeTurnId) await this.#lookAtLastTurn(signal);
    } finally {
      if (!signal.aborted) this.opening = false;
    }
    if (signal.aborted) return;
    if (this.conversation.activeTurnId) this.#follow({ id: this.conversation.activeTurnId });
    this.app.turnChanged();
    this.render();
    this.scrollToEnd();
  }

  /** Reads the conversation as it now stands, if nothing is going on in it here: it may have been changed elsewhere. */
  async refresh() {
    if (!this.conversation || this.busy) return;
    const { signal } = this.#visit;
    await this.#load(this.conversation.id, signal);
    if (signal.aborted || this.busy) return;
    if (this.conversation.activeTurnId) this.#follow({ id: this.conversation.activeTurnId });
    this.render();
  }

  async #load(id, signal) {
    const [{ conversation }, page] = await Promise.all([
      callPatiently("getConversation", { conversationId: id }, { signal }),
      callPatiently("listMessages", { conversationId: id, includeReasoning: true, limit: PAGE }, { signal }),
    ]);
    if (signal.aborted) return;
    this.conversation = conversation;
    this.app.changed(conversation);
    const newest = page.data.reverse();
    // Earlier pages that were read stay, if the newest one still follows them. Where there are none, nothing does.
    const at = page.nextCursor ? this.#messages.findIndex((message) => message.id === newest[0].id) : -1;
    if (at > 0) this.#messages = [...this.#messages.slice(0, at), ...newest];
    else {
      this.#messages = newest;
      this.#cursor = page.nextCursor ?? null;
    }
  }

  async #loadEarlier() {
    const { signal } = this.#visit;
    const page = await callPatiently("listMessages", { conversationId: this.conversation.id, includeReasoning: true, limit: PAGE, cursor: this.#cursor }, { signal });
    if (signal.aborted) return;
    const height = this.#scroller.scrollHeight;
    this.#messages = [...page.data.reverse(), ...this.#messages];
    this.#cursor = page.nextCursor ?? null;
    this.#atEnd = false;
    this.render();
    this.#scroller.scrollTop += this.#scroller.scrollHeight - height;
  }

  /** After a reload: what became of the last turn stands with its answer. Turns before it are past. */
  async #lookAtLastTurn(signal) {
    const last = this.#messages.at(-1);
    if (!last || last.local || (last.role !== "user" && last.status === "complete")) return;
    const { turn } = await callPatiently("getTurn", { turnId: last.turnId }, { signal });
    this.#turns.set(turn.id, turn);
  }

  /** Sends a message. It is kept until it is known to have arrived, also over a reload, and never arrives twice. */
  send(text, botId) {
    return this.deliver({ clientMessageId: crypto.randomUUID(), text, conversationId: this.conversation?.id, botId });
  }

  /** Sends what `send` or an earlier page has begun to send. It goes on, if it must, while another conversation is shown. */
  async deliver(entry) {
    const { signal } = this.#visit;
    const pending = { id: entry.clientMessageId, role: "user", content: [{ type: "text", text: entry.text }], waiting: "" };
    this.#pending = pending;
    this.#atEnd = true;
    this.render();
    this.app.turnChanged();
    try {
      const { turn, conversation } = await this.outbox.send(entry, {
        isNobody: this.app.isNobody,
        becameSomebody: () => this.app.becameSomebody(),
        onWaiting: (error) => {
          pending.waiting = `${sentence(error)} It is sent as soon as that is over.`;
          if (!signal.aborted) this.render();
        },
      });
      if (signal.aborted) return this.app.changed(conversation);
      if (conversation) this.conversation = conversation;
      else if (!this.conversation) await this.#load(entry.conversationId, signal);
      if (signal.aborted) return undefined;
      this.app.changed(this.conversation);
      this.#accepted(turn, this.#messages, entry.text);
    } catch (error) {
      if (signal.aborted) return error.name === "AbortError" ? undefined : this.app.fail(error);
      this.#pending = null;
      if (entry.conversationId && !this.conversation) await this.#act(() => this.#load(entry.conversationId, signal));
      this.render();
      this.app.turnChanged();
      this.app.refused(error, entry.text);
      // Another page of this person's has begun a turn: here it is.
      if (error.code === "conversationBusy") await this.#act(() => this.open(this.conversation.id));
    }
    return undefined;
  }

  /** Begins a turn that answers again, or that says something else. */
  async #begin(method, params) {
    if (this.busy) return;
    const { signal } = this.#visit;
    const place = this.#messages.findIndex((message) => message.id === params.messageId);
    this.versions.leave(this.#messages);
    this.#beginning = true;
    this.render();
    this.app.turnChanged();
    await this.#act(async () => {
      const { turn } = await callPatiently(method, { conversationId: this.conversation.id, clientMessageId: crypto.randomUUID(), ...params }, { signal });
      if (signal.aborted) return;
      const question = method === "editMessage" ? place - 1 : this.#messages.findIndex((message) => message.id === turn.userMessageId);
      this.#atEnd = true;
      this.#accepted(turn, this.#messages.slice(0, question + 1), params.text);
    });
    if (signal.aborted) return;
    this.#beginning = false;
    this.render();
    this.app.turnChanged();
  }

  /** A turn was accepted: what it follows stays, and its question stands there before any event. */
  #accepted(turn, messages, text) {
    this.#pending = null;
    this.#messages = [...messages];
    if (text !== undefined) {
      this.#messages.push({ id: turn.userMessageId, turnId: turn.id, role: "user", local: turn.local, content: [{ type: "text", text }], status: "complete" });
    }
    this.#follow(turn);
  }

  async #follow(turn) {
    const { signal } = this.#visit;
    const live = new TurnState(turn);
    live.offline = false;
    this.live = live;
    this.render();
    this.app.turnChanged();
    try {
      await followTurn(live, {
        signal,
        onEvent: (name, params) => this.#event(name, params),
        onConnection: (connected) => {
          live.offline = !connected && !live.ended;
          this.#renderSoon();
        },
      });
    } catch (error) {
      if (signal.aborted) return;
      this.app.fail(error);
    }
    await this.#ended(live, signal);
  }

  #event(name, params) {
    this.app.event(name, params);
    if (name === "turnStarted" || name === "turnCompleted" || name === "turnSnapshot") {
      this.app.turnChanged();
      this.render();
    }
    if (name === "approvalRequested") announce(`May the assistant use ${params.toolCall.name}? It waits for your choice.`);
    this.#renderSoon();
  }

  async #ended(live, signal) {
    this.app.turnEnded(live.turn);
    if (signal.aborted) return;
    this.#turns.set(live.turn.id, live.turn);
    this.render();
    const note = live.ended ? endingSentence(live.turn) : "";
    announce([`${this.#name()}:`, this.#views.get(`answer-${live.turn.id}`)?.spoken, note].filter(Boolean).join(" "));
    try {
      await this.#load(this.conversation.id, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.app.fail(error);
    }
    if (signal.aborted || this.live !== live) return;
    this.live = null;
    this.render();
    this.app.turnChanged();
  }

  /** Ends the turn that is being followed. */
  stop() {
    const turn = this.live?.turn;
    return turn ? this.#act(() => callPatiently("cancelTurn", { turnId: turn.id })) : undefined;
  }

  #name() {
    return this.app.botName(this.conversation?.botId) ?? "Assistant";
  }

  async #rate(message, rating) {
    const rated = (await call("rateMessage", { messageId: message.id, rating })).message;
    // The list's message says more, such as what was thought.
    this.#messages = this.#messages.map((other) => (other.id === rated.id ? { ...other, rating: rated.rating } : other));
    this.render();
    announce(rating ? "Thank you." : "The rating is taken back.");
  }

  /** With the next picture, shows what the turn has said: what stands before it stays as it is. */
  #renderSoon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const view = this.live && this.#views.get(liveItem(this.live).key);
      if (view) this.#update(view, liveItem(this.live));
      else this.render();
      this.#stayAtEnd();
    });
  }

  #update(view, item) {
    view.update({
      ...item,
      name: this.#name(),
      place: this.versions.place(item.message ?? item.messages?.[0]),
      busy: this.busy,
      turn: this.#turns.get(item.turnId),
      canRate: this.app.can("rateMessage"),
      canFork: this.app.can("forkConversation"),
    });
  }

  render() {
    const items = itemsOf({ messages: this.#messages, live: this.live, turns: this.#turns, pending: this.#pending });
    const focused = this.#log.contains(document.activeElement);
    byId("greeting").hidden = items.length > 0;
    this.#earlier.hidden = this.#cursor === null;
    this.#log.setAttribute("aria-busy", String(this.live !== null));
    const gone = new Set(this.#views.keys());
    let before = this.#earlier;
    for (const item of items) {
      gone.delete(item.key);
      let view = this.#views.get(item.key);
      if (!view) this.#views.set(item.key, (view = item.message ? new QuestionView(this.actions) : new AnswerView(this.actions)));
      if (before.nextSibling !== view.element) before.after(view.element);
      before = view.element;
      this.#update(view, item);
    }
    for (const key of gone) {
      this.#views.get(key).element.remove();
      this.#views.delete(key);
    }
    // What had the focus is gone: it stays near.
    if (focused && !this.#log.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
    this.#stayAtEnd();
  }

  /** The focus goes to where one chooses among the versions of a message, if it was there. */
  focusVersions(message) {
    if (document.activeElement !== this.#scroller && !this.#log.contains(document.activeElement)) return;
    const view = this.#views.get(message.role === "user" ? message.id : `answer-${message.turnId}`);
    view?.element.querySelector(".versions button:enabled")?.focus();
  }

  /** Who reads further up is left there; who is at the end stays at it. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < 48;
    byId("to-end").hidden = this.#atEnd;
  }

  #stayAtEnd() {
    if (this.#atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  scrollToEnd() {
    this.#atEnd = true;
    this.#stayAtEnd();
    byId("to-end").hidden = true;
  }
}

