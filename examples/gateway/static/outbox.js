// Messages that are on their way. Each is kept in the tab until its arrival is known, so that neither a lost network nor a reload loses it
// or sends it twice: whatever is sent again bears the same `clientMessageId`.

import { callPatiently } from "./api.js";
import { read, write } from "./tab.js";

export class Outbox {
  #sending = null;

  /** What an earlier page of this tab did not see arrive: `{clientMessageId, text, conversationId?, botId?}`. */
  get left() {
    return read("outbox") ?? [];
  }

  #keep(entry) {
    this.#drop(entry);
    write("outbox", [...this.left, entry]);
  }

  #drop(entry) {
    write("outbox", this.left.filter((other) => other.clientMessageId !== entry.clientMessageId));
  }

  /** Sends until the message has arrived, is refused or withdrawn. `entry` then says in which conversation it is. */
  async send(entry, { isNobody, becameSomebody, onWaiting }) {
    const sending = new AbortController();
    this.#sending = sending;
    const options = { signal: sending.signal, onWaiting };
    this.#keep(entry);
    try {
      if (!entry.conversationId && isNobody) {
        // Who is new here becomes somebody with this first request. A message that did that could not be repeated safely.
        const { conversation } = await callPatiently("createConversation", { botId: entry.botId, clientRequestId: entry.clientMessageId }, options);
        entry.conversationId = conversation.id;
        this.#keep(entry);
        becameSomebody();
      }
      const { clientMessageId, text, conversationId, botId } = entry;
      return await callPatiently("sendMessage", conversationId ? { conversationId, text, clientMessageId } : { botId, text, clientMessageId }, options);
    } finally {
      this.#drop(entry);
      if (this.#sending === sending) this.#sending = null;
    }
  }

  /** Gives up what is on its way; `send` then throws an AbortError. */
  withdraw() {
    this.#sending?.abort(new DOMException("Withdrawn", "AbortError"));
  }
}
