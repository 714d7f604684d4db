// A message that is on its way. It is kept in the tab until its arrival is known, so that neither a lost network nor a reload loses it or
// sends it twice: whatever is sent again bears the same `clientMessageId`.

import { callPatiently } from "./api.js";

const KEY = "parley.outbox";

export class Outbox {
  #sending = null;

  /** The message that an earlier page of this tab did not see arrive; null for none. */
  static left() {
    const kept = sessionStorage.getItem(KEY);
    return kept ? JSON.parse(kept) : null;
  }

  keep(entry) {
    sessionStorage.setItem(KEY, JSON.stringify(entry));
  }

  /** Sends until it has arrived or is refused. `entry` then says in which conversation it is. */
  async send(entry, app, signal, onWaiting) {
    const sending = new AbortController();
    this.#sending = sending;
    const both = { signal: AbortSignal.any([signal, sending.signal]), onWaiting };
    try {
      if (!entry.conversationId && (await app.ensurePerson(both))) {
        // Whoever is new here becomes somebody with this first request: a message that did that could not be repeated safely.
        const { conversation } = await callPatiently("createConversation", { botId: entry.botId, clientRequestId: entry.clientMessageId }, both);
        entry.conversationId = conversation.id;
        this.keep(entry);
        app.becameSomebody();
      }
      const { clientMessageId, text, conversationId, botId } = entry;
      const result = await callPatiently("sendMessage", conversationId ? { conversationId, text, clientMessageId } : { botId, text, clientMessageId }, both);
      sessionStorage.removeItem(KEY);
      return result;
    } catch (error) {
      // Left for another conversation: it goes on being kept, and is sent when the page is loaded again.
      if (!signal.aborted) sessionStorage.removeItem(KEY);
      throw error;
    } finally {
      this.#sending = null;
    }
  }

  /** Gives up what is on its way. */
  withdraw() {
    this.#sending?.abort(new DOMException("Withdrawn", "AbortError"));
  }
}
