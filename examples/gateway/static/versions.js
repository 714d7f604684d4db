// Messages that stand in one another's place: edited questions, answers given again.

import { call, callPatiently } from "./api.js";

/** Which versions a message has, and how to get from one to another. */
export class Versions {
  #siblings = new Map();
  #asked = new Set();
  /** Where each version was left: going back to it shows all that followed it then. */
  #heads = new Map();

  constructor(chat) {
    this.chat = chat;
  }

  clear() {
    this.#siblings.clear();
    this.#asked.clear();
  }

  /** `{index, count}` of a message among its versions; null while that is not known, and where it is the only one. */
  place(message) {
    if (!message?.siblingCount) return null;
    const siblings = this.#siblings.get(message.id);
    if (siblings?.length !== message.siblingCount) {
      this.#ask(message);
      return null;
    }
    return { index: siblings.findIndex((other) => other.id === message.id), count: siblings.length };
  }

  async #ask(message) {
    const key = `${message.id} ${message.siblingCount}`;
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    try {
      const { data } = await callPatiently("listMessages", { conversationId: this.chat.conversation.id, siblingsOf: message.id, limit: 200 });
      for (const sibling of data) this.#siblings.set(sibling.id, data);
      this.chat.render();
    } catch (error) {
      this.#asked.delete(key);
      this.chat.app.fail(error);
    }
  }

  /** Remembers where the path that is shown ends. */
  leave(messages) {
    const head = messages.at(-1)?.id;
    for (const message of messages) this.#heads.set(message.id, head);
  }

  /** Shows the version before or after a message. */
  async go(message, step) {
    const place = this.place(message);
    const other = place && this.#siblings.get(message.id)[place.index + step];
    if (!other) return;
    this.leave(this.chat.messages);
    await call("updateConversation", { conversationId: this.chat.conversation.id, headMessageId: await this.#headOf(other) });
    await this.chat.refresh();
    this.chat.focusVersions(other);
  }

  /** What was last shown behind a version, or else the end of its turn: further than that, the protocol cannot be asked. */
  async #headOf(message) {
    const known = this.#heads.get(message.id);
    if (known) return known;
    const { turn } = await call("getTurn", { turnId: message.turnId });
    return turn.messageId ?? message.id;
  }
}
