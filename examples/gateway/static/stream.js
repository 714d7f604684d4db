// Follows a turn: server-sent events over fetch, taken up again exactly where the connection broke.

import { ApiError, failure } from "./api.js";
import { pause } from "./pause.js";

/** Reads `text/event-stream`, whatever pieces it comes in, and gives `{name, data}` for each event. */
export class EventParser {
  #buffer = "";
  #scanned = 0;
  #name = "";
  #data = [];

  /** Takes the next piece of text and gives the events that it completes. */
  push(text) {
    this.#buffer += text;
    const events = [];
    const lineEnd = /\r\n|\n|\r/g;
    let start = 0;
    lineEnd.lastIndex = this.#scanned;
    for (let match = lineEnd.exec(this.#buffer); match; match = lineEnd.exec(this.#buffer)) {
      // A CR at the very end may be the first half of a CRLF.
      if (match[0] === "\r" && lineEnd.lastIndex === this.#buffer.length) break;
      const event = this.#line(this.#buffer.slice(start, match.index));
      if (event) events.push(event);
      start = lineEnd.lastIndex;
    }
    this.#buffer = this.#buffer.slice(start);
    // What was looked at is not looked at again, so that a long line costs its length once.
    this.#scanned = this.#buffer.endsWith("\r") ? this.#buffer.length - 1 : this.#buffer.length;
    return events;
  }

  #line(line) {
    if (line === "") {
      const event = this.#data.length > 0 ? { name: this.#name || "message", data: this.#data.join("\n") } : null;
      this.#name = "";
      this.#data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    return null;
  }
}

/** The server says something every 15 seconds: a connection that is silent for longer than this is dead, though nobody has said so. */
const SILENCE_MS = 40_000;

/** Ends one connection when the browser loses its network, when the server is silent for too long, or when nobody wants it any more. */
class Watch {
  #connection = new AbortController();
  #timer = 0;

  constructor(signal) {
    this.signal = this.#connection.signal;
    this.outer = signal;
    this.stop = () => this.#connection.abort();
    globalThis.addEventListener?.("offline", this.stop);
    signal?.addEventListener("abort", this.stop);
    if (signal?.aborted) this.stop();
    this.heard();
  }

  /** Something has come. */
  heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.stop, SILENCE_MS);
  }

  end() {
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("offline", this.stop);
    this.outer?.removeEventListener("abort", this.stop);
  }
}

/** The connection broke, or there was none. */
class ConnectionLost extends Error {}

/** Waits for something of the network's. Whatever else goes wrong is a mistake, which trying again would only hide. */
async function ofNetwork(work) {
  try {
    return await work;
  } catch (error) {
    throw new ConnectionLost("The connection is lost.", { cause: error });
  }
}

/** Gives the events of one connection to `take(name, params)`, until that says that it has the last one, or the connection ends. */
async function readEvents(response, watch, take) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await ofNetwork(reader.read());
      if (done) return false;
      watch.heard();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.name === "end" || take(event.name, JSON.parse(event.data))) return true;
      }
    }
  } finally {
    // Nothing more is wanted of it; that it may have failed already has been told by read().
    reader.cancel().catch(() => {});
  }
}

/**
 * Follows a turn to its end, whatever becomes of the connection. Each event goes to `state.apply`; what was already taken is not asked for
 * again (`state.seq`). `onEvent(name, params)` hears of each event that changed something, `onConnection(connected)` of each loss and return.
 * Throws an ApiError when the server says that there is nothing to follow, and an AbortError when `signal` fires.
 */
export async function followTurn(state, { signal, onEvent, onConnection, fetch = globalThis.fetch, wait = pause } = {}) {
  let attempt = 0;
  const take = (name, params) => {
    attempt = 0;
    if (name === "refused") throw new ApiError(params.error.message, params.error.data);
    if (state.apply(name, params)) onEvent?.(name, params);
    return state.ended;
  };
  for (;;) {
    const watch = new Watch(signal);
    let delay = Math.min(250 * 2 ** attempt, 8000);
    try {
      const headers = { Accept: "text/event-stream" };
      if (state.seq > 0) headers["Last-Event-ID"] = String(state.seq);
      const response = await ofNetwork(fetch(`/api/turns/${encodeURIComponent(state.turn.id)}/events`, { headers, signal: watch.signal, cache: "no-store" }));
      if (!response.ok) throw failure(response.status, await response.json().catch(() => null));
      onConnection?.(true);
      if (await readEvents(response, watch, take)) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ApiError && error.data.retryable) delay = error.data.retryAfterMs ?? delay;
      else if (!(error instanceof ConnectionLost)) throw error;
    } finally {
      watch.end();
    }
    onConnection?.(false);
    await wait(delay, signal);
    attempt += 1;
  }
}
