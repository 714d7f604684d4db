/**
 * A client for Parley in one file, without dependencies (Node 18 or later): spawn, call, stream, cancel, answer what the host asks.
 *
 *     import { Host } from "./parley.mjs";
 *
 *     const host = await Host.start({ caller: { userId: "me" } });
 *     const stream = host.stream("sendMessage", { text: "Hello!" });
 *     for await (const event of stream) {
 *       if (event.method === "messageDelta") process.stdout.write(event.params.delta);
 *     }
 *     const { turn } = await stream.result;
 *     await host.close();
 *
 * A tool of the client's own is offered with `setClientTools`, and called through a handler:
 *
 *     const host = await Host.start({ handlers: { callTool: async ({ name, arguments: { city } }) => toolResult(`Sunny in ${city}.`) } });
 *
 * `parley schema --format typescript >protocol.d.ts` beside this file types every method, result and event, for editors and `tsc --checkJs`.
 * Run this file for a short conversation: node parley.mjs [PATH-OF-THE-BINARY]
 */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** @typedef {import("./protocol.js").Methods} Methods */
/** @typedef {import("./protocol.js").MethodName} MethodName */
/** @typedef {import("./protocol.js").HostNotificationMessage} Event */
/** @typedef {import("./protocol.js").HostRequests} HostRequests */
/** @typedef {import("./protocol.js").Caller} Caller */
/** @typedef {import("./protocol.js").Message} Message */
/** @typedef {import("./protocol.js").InitializeResult} Server */
/** @typedef {{ [R in keyof HostRequests]?: (params: HostRequests[R]["params"], options: { signal: AbortSignal }) => unknown }} Handlers */

/**
 * @typedef {object} Options
 * @property {string} [binary] The program; `parley` in the path without it.
 * @property {string[]} [arguments] Flags of `parley serve`, for example `["--database", "chats.db"]`.
 * @property {Caller} [caller] Whom requests act for unless they say otherwise, for example `{ userId: "me" }`.
 * @property {Handlers} [handlers] What answers the host's requests, by method. Calls of one step come side by side; a handler may use this client. Its
 *   signal is aborted when the host waits no more. What it throws becomes an error, of which the host tells the model.
 * @property {(text: string) => void} [log] Takes what the host writes to stderr, as it comes; without, only its end is kept, for HostEnded.
 */

/** How many events may wait for whoever reads a stream; then the deltas that come are joined, so that nothing is lost and memory is bounded. */
const MOST_WAITING = 64;

/** How much of what a host has written to stderr is kept for HostEnded, in characters. */
const MOST_LOG = 4096;

/** The methods that run a turn: to cancel them is to cancel it. */
const TURN_METHODS = ["sendMessage", "regenerateMessage", "editMessage"];

/** A refusal. `code` is what to match ("notFound", "conversationBusy", …); `data` has the rest. */
export class ParleyError extends Error {
  /** @param {{ message: string, data?: Record<string, any> }} error */
  constructor(error) {
    super(error.message);
    this.name = new.target.name;
    /** @type {Record<string, any>} */
    this.data = error.data ?? {};
    /** @type {string} */
    this.code = this.data.code ?? "internalError";
    /**
     * What a web gateway would answer.
     * @type {number}
     */
    this.httpStatus = this.data.httpStatus ?? 500;
    /**
     * Whether the same request may succeed later.
     * @type {boolean}
     */
    this.retryable = this.data.retryable ?? false;
    /**
     * When it is worth trying again; undefined when unknown.
     * @type {number | undefined}
     */
    this.retryAfterMs = this.data.retryAfterMs;
  }
}

/**
 * There is no host: it has died, could not be started, or was closed. The code is "ended", which no host says. Whether a request that was under
 * way had an effect is not known: `clientMessageId` and `clientRequestId` make it safe to send it again, to another host.
 */
export class HostEnded extends ParleyError {
  /**
   * @param {string} message
   * @param {number | string | null} exitCode The exit code, or the signal's name; null where nothing was started.
   * @param {string} log The end of what it wrote to stderr.
   */
  constructor(message, exitCode = null, log = "") {
    // To start it again with wrong settings or flags does not help.
    super({ message, data: { code: "ended", httpStatus: 503, retryable: exitCode !== 64 && exitCode !== 78 } });
    this.exitCode = exitCode;
    this.log = log;
  }
}

/**
 * What a handler of `callTool` returns.
 * @param {string} text For the model.
 * @param {{ data?: unknown, isError?: boolean }} [more] `data` is for whoever shows the call to people.
 */
export function toolResult(text, more = {}) {
  return { content: [{ type: "text", text }], ...more };
}

/**
 * What a message says, without thoughts and tool calls; nothing for no message.
 * @param {Message | undefined} message
 * @returns {string}
 */
export function textOf(message) {
  return (message?.content ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

/**
 * The events of one request, in order, as an async iterable, and its result once they have ended. Whoever leaves the loop early loses interest:
 * a turn goes on, and anything else that still waits is cancelled.
 * @template {MethodName} M
 */
export class Stream {
  /** @type {Event[]} */ #waiting = [];
  /** @type {string[]} */ #pieces = [];
  /** @type {(() => void) | undefined} */ #wake;
  /** @type {any} */ #error;
  /** @type {unknown} */ #result;
  /** @type {{ resolve(value: any): void, reject(error: unknown): void }} */ #outcome;
  #isDetached = false;
  #host;
  #signal;

  /**
   * @param {Host} host
   * @param {M} method
   * @param {number} id
   * @param {AbortSignal | undefined} signal
   */
  constructor(host, method, id, signal) {
    this.#host = host;
    this.#signal = signal;
    this.method = method;
    this.id = id;
    /**
     * The turn; known from the first event on.
     * @type {string | undefined}
     */
    this.turnId = undefined;
    /** The `seq` of the last event that was read; `attachTurn {afterSeq}` goes on from there. */
    this.seq = 0;
    let outcome;
    /**
     * What the request is answered with. Rejects with ParleyError.
     * @type {Promise<Methods[M]["result"]>}
     */
    this.result = new Promise((resolve, reject) => (outcome = { resolve, reject }));
    this.#outcome = /** @type {any} */ (outcome);
    // Whoever only iterates is told of an error there.
    const done = this.result.catch(() => {});
    if (signal) {
      const cancel = () => this.cancel();
      signal.addEventListener("abort", cancel);
      done.then(() => signal.removeEventListener("abort", cancel));
    }
  }

  /**
   * Asks for an early end: a turn ends and keeps what was said, and the stream goes on to its end, which comes soon. Of `attachTurn` it ends the
   * stream alone, with the code "cancelled"; the turn goes on.
   */
  cancel() {
    if (!this.#hasEnded) this.#host.notify("$/cancelRequest", { id: this.id });
  }

  /** Loses interest: no more events come. A turn goes on; a request that runs none is cancelled if it still waits. */
  detach() {
    if (this.#hasEnded || this.#isDetached) return;
    this.#isDetached = true;
    this.#waiting = [];
    this.#pieces = [];
    if (!TURN_METHODS.includes(this.method)) this.cancel();
  }

  /** @returns {AsyncGenerator<Event, void, void>} */
  async *[Symbol.asyncIterator]() {
    try {
      while (true) {
        if (this.#waiting.length === 1) this.#joinPieces();
        const event = this.#waiting.shift();
        if (event) {
          this.seq = /** @type {any} */ (event.params).seq ?? this.seq;
          yield event;
        } else if (this.#error) {
          throw this.#error;
        } else if (this.#hasEnded) {
          return;
        } else {
          await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
        }
      }
    } finally {
      this.detach();
    }
  }

  get #hasEnded() {
    return this.#error !== undefined || this.#result !== undefined;
  }

  /**
   * For the host.
   * @param {any} event
   */
  take(event) {
    const { method, params } = event;
    this.turnId = params.turnId ?? this.turnId;
    if (this.#isDetached) return;
    const isDelta = method === "messageDelta" || method === "reasoningDelta";
    const last = /** @type {any} */ (this.#waiting.length >= MOST_WAITING ? this.#waiting.at(-1) : undefined);
    if (isDelta && last?.method === method && last.params.messageId === params.messageId) {
      last.params.fromSeq ??= last.params.seq;
      last.params.seq = params.seq;
      this.#pieces.push(params.delta);
      return;
    }
    this.#joinPieces();
    this.#waiting.push(event);
    this.#wake?.();
  }

  /**
   * For the host.
   * @param {unknown} result
   */
  succeed(result) {
    this.#result = result;
    this.#outcome.resolve(result);
    this.#wake?.();
  }

  /**
   * For the host.
   * @param {ParleyError} refusal
   */
  fail(refusal) {
    const error = refusal.code === "cancelled" && this.#signal?.aborted ? this.#signal.reason : refusal;
    this.#error = error;
    this.#outcome.reject(error);
    this.#wake?.();
  }

  #joinPieces() {
    if (this.#pieces.length === 0) return;
    const last = /** @type {any} */ (this.#waiting.at(-1));
    last.params.delta += this.#pieces.join("");
    this.#pieces = [];
  }
}

/** A running `parley serve`. Any number of requests may be under way, and a slow reader of one stream holds up nobody. */
export class Host {
  /** @type {Map<number, Stream<any>>} */ #streams = new Map();
  /** @type {Map<string, AbortController>} */ #asked = new Map();
  /** @type {Buffer[]} */ #begun = [];
  /** @type {HostEnded | undefined} */ #ended;
  /** @type {Promise<number | string | null>} */ #end;
  /** @type {Handlers} */ #handlers;
  #nextId = 1;
  #fault = "";
  #log = "";
  #process;

  /**
   * Use `Host.start`.
   * @param {Options} options
   */
  constructor({ binary = "parley", arguments: flags = [], handlers = {}, log }) {
    /**
     * What the host says of itself: serverInfo, capabilities, limits.
     * @type {Server | undefined}
     */
    this.server = undefined;
    this.#handlers = handlers;
    // In a process group of its own: Ctrl-C is for this program. When this program ends, the host finds its input ended.
    this.#process = spawn(binary, ["serve", ...flags], { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const { stdin, stdout, stderr } = this.#process;
    // It has ended before it read everything, of which "close" tells all who wait.
    stdin.on("error", () => {});
    stdout.on("data", (chunk) => this.#read(chunk));
    stderr.setEncoding("utf8").on("data", (text) => {
      this.#log = (this.#log + text).slice(-MOST_LOG);
      log?.(text);
    });
    this.#end = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        if (this.#process.pid === undefined) {
          this.#lose(new HostEnded(`${binary} could not be started: ${error.message}`));
          resolve(null);
        }
      });
      this.#process.on("close", (code, signal) => {
        const log = this.#log.trim();
        const how = signal ? `killed by ${signal}` : `with exit code ${code}`;
        this.#lose(new HostEnded(`Parley has ended, ${how}${this.#fault}${log ? `: ${log}` : "."}`, signal ?? code, log));
        resolve(signal ?? code);
      });
    });
  }

  /**
   * Starts the program. Rejects with HostEnded, which says why it has ended.
   * @param {Options} [options]
   */
  static async start(options = {}) {
    const host = new Host(options);
    try {
      host.server = await host.call("initialize", {
        protocolVersion: 1,
        clientInfo: { name: "parley.mjs", version: "1" },
        capabilities: { approvals: Boolean(options.handlers?.requestApproval) },
        defaultCaller: options.caller ?? null,
      });
    } catch (error) {
      await host.close({ patience: 0 });
      throw error;
    }
    return host;
  }

  /** The id of the process; undefined where nothing was started. */
  get processId() {
    return this.#process.pid;
  }

  /**
   * Sends a request and waits for its result. Rejects with ParleyError.
   * @template {MethodName} M
   * @param {M} method
   * @param {Methods[M]["params"]} [params]
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Methods[M]["result"]>}
   */
  async call(method, params, options) {
    const stream = this.stream(method, params, options);
    for await (const _ of stream); // So that no events wait.
    return stream.result;
  }

  /**
   * Sends a request and returns its Stream of events: of `sendMessage`, or of `attachTurn`, which follows a turn that has begun. Requests are sent in
   * the order of these calls. When the signal is aborted, a turn ends early, and its result says what it has come to; any other request fails with the
   * signal's reason. Throws that when it is aborted already.
   * @template {MethodName} M
   * @param {M} method
   * @param {Methods[M]["params"]} [params]
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Stream<M>}
   */
  stream(method, params, options) {
    const signal = options?.signal;
    if (signal?.aborted) throw signal.reason;
    const stream = new Stream(this, method, this.#nextId++, signal);
    const line = encode({ id: stream.id, method, params: params ?? {} });
    const limit = this.server?.limits.maxLineBytes;
    if (this.#ended) {
      stream.fail(this.#ended);
    } else if (limit !== undefined && line.length > limit + 1) {
      // The host would not say to which request it answers that.
      const data = { code: "inputTooLarge", httpStatus: 413, retryable: false, limit };
      stream.fail(new ParleyError({ message: `A line of ${line.length} bytes is longer than ${limit}.`, data }));
    } else {
      this.#streams.set(stream.id, stream);
      this.#process.stdin.write(line);
    }
    return stream;
  }

  /**
   * Sends a notification.
   * @param {string} method
   * @param {object} params
   */
  notify(method, params) {
    if (!this.#ended) this.#process.stdin.write(encode({ method, params }));
  }

  /**
   * Ends the input, lets running turns finish, and waits for the end of the process. After `patience` seconds it is asked to end at once (SIGTERM,
   * which gives turns a few seconds more), and ten seconds later killed.
   * @param {{ patience?: number }} [options]
   * @returns {Promise<number | string | null>} The exit code, or the signal's name; null where nothing was started.
   */
  async close(options) {
    const patience = options?.patience ?? 30;
    this.#process.stdin.end();
    const timers = [
      setTimeout(() => this.#process.kill("SIGTERM"), patience * 1000),
      setTimeout(() => this.#process.kill("SIGKILL"), (patience + 10) * 1000),
    ];
    try {
      return await this.#end;
    } finally {
      timers.forEach(clearTimeout);
    }
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    // Splitting on the byte 0x0A alone: a JSON text may hold other line separators.
    for (let end; (end = chunk.indexOf(10)) >= 0; chunk = chunk.subarray(end + 1)) {
      const line = Buffer.concat([...this.#begun, chunk.subarray(0, end)]).toString();
      this.#begun = [];
      try {
        this.#take(JSON.parse(line));
      } catch (error) {
        this.#fault ||= `, having written what is no message of the protocol (${JSON.stringify(line.slice(0, 80))}: ${error})`;
        this.#process.kill("SIGKILL");
      }
    }
    if (chunk.length) this.#begun.push(chunk);
  }

  /** @param {any} message */
  #take(message) {
    if (!("method" in message) && !("id" in message)) throw new TypeError("It is no message.");
    if (!("method" in message)) {
      const stream = this.#streams.get(message.id);
      this.#streams.delete(message.id);
      if ("error" in message) stream?.fail(new ParleyError(message.error));
      else stream?.succeed(message.result);
    } else if ("id" in message) {
      this.#answer(message);
    } else if (message.method === "$/cancelRequest") {
      this.#asked.get(message.params.id)?.abort();
      this.#asked.delete(message.params.id);
    } else {
      this.#streams.get(message.params?.requestId)?.take(message);
    }
  }

  /** @param {any} request */
  async #answer({ id, method, params }) {
    const controller = new AbortController();
    this.#asked.set(id, controller);
    const handler = /** @type {any} */ (this.#handlers)[method];
    /** @type {Buffer} */
    let line;
    try {
      if (handler) line = encode({ id, result: (await handler(params, { signal: controller.signal })) ?? null });
      else line = encode({ id, error: { code: -32601, message: `This client does not answer ${method}.` } });
    } catch (error) {
      line = encode({ id, error: { code: -32000, message: error instanceof Error ? error.message : String(error) } });
    }
    if (this.#asked.delete(id) && !this.#ended) this.#process.stdin.write(line);
  }

  /** @param {HostEnded} ended */
  #lose(ended) {
    if (this.#ended) return;
    this.#ended = ended;
    for (const controller of this.#asked.values()) controller.abort();
    this.#asked.clear();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.fail(ended);
  }
}

/** @param {object} message */
function encode(message) {
  return Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

/** Holds a short conversation. */
async function main() {
  const host = await Host.start({ binary: process.argv[2], arguments: ["--database", ":memory:"], caller: { userId: "me" } });
  let target = {};
  for (const text of ["Hello! I am planning a trip to Lisbon.", "What did I tell you?"]) {
    process.stdout.write(`you     ${text}\nparley  `);
    const stream = host.stream("sendMessage", { text, ...target });
    for await (const event of stream) {
      if (event.method === "messageDelta") process.stdout.write(event.params.delta);
    }
    const { turn } = await stream.result;
    target = { conversationId: turn.conversationId };
    console.log(turn.error ? ` [${turn.status}: ${turn.error.message}]\n` : "\n");
  }
  await host.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error instanceof ParleyError ? error.message : error);
    process.exitCode = 1;
  });
}
