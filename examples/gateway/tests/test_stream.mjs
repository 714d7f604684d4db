// Unit tests of how the page follows a turn, and of its sentences; run by `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { backAt, endingSentence, sentence } from "../static/errors.js";
import { itemsOf } from "../static/items.js";
import { EventParser, followTurn } from "../static/stream.js";
import { TurnState, blocksOf, textOf } from "../static/turn.js";

test("events are read whatever pieces they come in, and whatever ends their lines", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const stream = ["retry: 1000", "", ": still here", "", "event: a", "id: 1", "data: {", "data:  x", "", "data:y", "nonsense", "", "event: empty", "", "event: z", "data: ü€😀", "", ""].join(end);
    for (const size of [1, 2, 3, 7, stream.length]) {
      const parser = new EventParser();
      const events = [];
      for (let start = 0; start < stream.length; start += size) events.push(...parser.push(stream.slice(start, start + size)));
      // A lone CR at the very end may be half of a CRLF.
      events.push(...parser.push("\n"));
      assert.deepEqual(events, [{ name: "a", data: "{\n x" }, { name: "message", data: "y" }, { name: "z", data: "ü€😀" }], `${JSON.stringify(end)} in ${size}`);
    }
  }
});

const turn = (fields = {}) => ({ id: "t", conversationId: "c", status: "inProgress", userMessageId: "q", ...fields });
const question = { id: "q", turnId: "t", role: "user", content: [{ type: "text", text: "?" }] };
const answer = (text, status = "complete") => ({ id: "m", turnId: "t", role: "assistant", status, content: [{ type: "text", text }] });

test("a turn's events become blocks, each once", () => {
  const state = new TurnState({ id: "t" });
  const events = [
    ["turnStarted", { seq: 1, turn: turn(), userMessage: question }],
    ["reasoningDelta", { seq: 2, messageId: "m1", delta: "Hm" }],
    ["reasoningDelta", { seq: 3, messageId: "m1", delta: "." }],
    ["messageDelta", { fromSeq: 4, seq: 5, messageId: "m1", delta: "Let me" }],
    ["toolCallStarted", { seq: 6, toolCall: { id: "k", name: "list_bots", arguments: {}, source: "built-in" } }],
    ["approvalRequested", { seq: 7, toolCall: { id: "k", name: "list_bots", arguments: {} }, options: ["allowOnce", "rejectOnce"] }],
    ["approvalResolved", { seq: 8, toolCallId: "k", option: "allowOnce" }],
    ["toolCallCompleted", { seq: 9, toolCallId: "k", status: "completed", durationMs: 3, text: "None." }],
    ["messageDelta", { seq: 10, messageId: "m", delta: "No" }],
    ["retryScheduled", { seq: 11, attempt: 2, maxAttempts: 3, delayMs: 1, error: {} }],
    ["messageDelta", { seq: 12, messageId: "m", delta: "ne" }],
    ["somethingNew", { seq: 13 }],
  ];
  for (const [name, params] of events) assert.equal(state.apply(name, params), name !== "somethingNew", name);
  // Sent again after a lost connection, they change nothing.
  for (const [name, params] of events) assert.equal(state.apply(name, params), false, name);
  assert.deepEqual(state.blocks, [
    { kind: "reasoning", messageId: "m1", text: "Hm." },
    { kind: "text", messageId: "m1", text: "Let me" },
    { kind: "tool", id: "k", name: "list_bots", arguments: {}, approval: undefined, options: ["allowOnce", "rejectOnce"], status: "completed", text: "None.", data: undefined, durationMs: 3 },
    { kind: "text", messageId: "m", text: "None" },
  ]);
  assert.equal(state.userMessage, question);
  // The terminal event's message is the truth.
  state.apply("turnCompleted", { seq: 14, turn: turn({ status: "completed" }), message: answer("None.") });
  assert.equal(textOf(state.blocks), "Let me\n\nNone.");
  assert.ok(state.ended);
  assert.equal(state.apply("messageDelta", { seq: 15, messageId: "m", delta: "!" }), false);
});

test("a snapshot replaces what is held, also by less", () => {
  const state = new TurnState({ id: "t" });
  state.apply("messageDelta", { seq: 9, messageId: "m", delta: "Long text" });
  assert.equal(state.apply("turnSnapshot", { seq: 4, turn: turn({ status: "interrupted" }), messages: [question, answer("Long", "partial")] }), true);
  assert.equal(textOf(state.blocks), "Long");
  assert.equal(state.seq, 4);
  // The new process counts from there: its terminal event is never an old one.
  assert.equal(state.apply("turnCompleted", { seq: 4, turn: turn({ status: "interrupted" }), message: answer("Long", "partial") }), true);
  assert.equal(textOf(state.blocks), "Long");
});

test("a tool call's id may be used again by a later message", () => {
  const messages = [1, 2].flatMap((number) => [
    { id: `a${number}`, role: "assistant", content: [{ type: "toolCall", id: "k", name: "x", arguments: number }] },
    { id: `r${number}`, role: "tool", content: [{ type: "toolResult", toolCallId: "k", status: "completed", text: String(number) }] },
  ]);
  assert.deepEqual(blocksOf(messages).map(({ arguments: args, text }) => [args, text]), [[1, "1"], [2, "2"]]);
});

test("questions and answers keep their keys while they are written and stored", () => {
  const live = new TurnState(turn());
  const kept = [{ id: "q0", turnId: "t0", role: "user", content: [] }, { ...answer("Before"), id: "m0", turnId: "t0" }];
  const keys = (messages, others = {}) => itemsOf({ messages, live: null, turns: new Map(), pending: null, ...others }).map(({ key }) => key);
  assert.deepEqual(keys(kept, { pending: { id: "p", content: [] } }), ["q0", "answer-t0", "p"]);
  assert.deepEqual(keys([...kept, question], { live }), ["q0", "answer-t0", "q", "answer-t"]);
  // After a reload a part of the answer is stored, and the question comes with the events too.
  live.apply("turnStarted", { seq: 1, turn: turn(), userMessage: question });
  assert.deepEqual(keys([...kept, question, answer("Par", "partial")], { live }), ["q0", "answer-t0", "q", "answer-t"]);
  assert.deepEqual(keys([...kept], { live }), ["q0", "answer-t0", "q", "answer-t"]);
  const tools = [answer("One"), { ...answer(""), id: "r", role: "tool" }, { ...answer("Two"), id: "m2" }];
  const items = itemsOf({ messages: [...kept, question, ...tools], live: null, turns: new Map(), pending: null });
  assert.deepEqual(items.map(({ key }) => key), ["q0", "answer-t0", "q", "answer-t"]);
  assert.deepEqual(items[3].messages.map(({ id }) => id), ["m", "r", "m2"]);
  // Nothing was said, but something happened.
  const failed = new Map([["t", turn({ status: "failed", error: { data: { code: "modelAuth" } } })]]);
  assert.deepEqual(keys([...kept, question], { turns: failed }), ["q0", "answer-t0", "q", "answer-t"]);
  assert.deepEqual(keys([...kept, question]), ["q0", "answer-t0", "q"]);
});

const event = (name, params) => `event: ${name}\nid: ${params.seq}\ndata: ${JSON.stringify(params)}\n\n`;
const delta = (seq, text) => event("messageDelta", { seq, messageId: "m", delta: text });
const completed = (seq, text) => event("turnCompleted", { seq, turn: turn({ status: "completed" }), message: answer(text) });

/** A server that answers each request with what `replies` say: chunks of text, after which the connection breaks if `breaks`, or an error. */
function server(...replies) {
  const asked = [];
  const fetch = async (path, { headers }) => {
    asked.push(headers["Last-Event-ID"] ?? null);
    const { chunks = [], breaks, status = 200, error } = replies.shift() ?? assert.fail("asked too often");
    if (breaks === "at once") throw new TypeError("network");
    if (status !== 200) return new Response(JSON.stringify({ error }), { status });
    const bytes = chunks.map((chunk) => (typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
    const body = new ReadableStream({
      pull(controller) {
        if (bytes.length > 0) controller.enqueue(bytes.shift());
        else if (breaks) controller.error(new TypeError("network"));
        else controller.close();
      },
    });
    return new Response(body, { status });
  };
  return { asked, fetch, wait: async () => {} };
}

test("a stream that breaks is taken up where it broke", async () => {
  const bytes = new TextEncoder().encode(delta(3, "ü"));
  const { asked, fetch, wait } = server(
    { breaks: "at once" },
    { chunks: [delta(1, "a"), delta(2, "b"), bytes.slice(0, -6)], breaks: true },
    { chunks: [bytes, delta(4, "d").slice(0, 20)] },
    { status: 503, error: { message: "", data: { code: "parleyUnavailable", retryable: true } } },
    { chunks: [delta(4, "d"), completed(5, "abüd"), "event: end\ndata: {}\n\n"] },
  );
  const state = new TurnState({ id: "t" });
  const connection = [];
  await followTurn(state, { fetch, wait, onConnection: (connected) => connection.push(connected) });
  assert.equal(textOf(state.blocks), "abüd");
  assert.deepEqual(asked, [null, null, "2", "3", "3"]);
  assert.deepEqual(connection, [false, true, false, true, false, false, true]);
});

test("what there is nothing to follow of is told", async () => {
  const state = new TurnState({ id: "t" });
  const refused = { message: "Not found.", data: { code: "notFound", httpStatus: 404, retryable: false } };
  await assert.rejects(followTurn(state, server({ status: 404, error: refused })), { code: "notFound" });
  await assert.rejects(followTurn(state, server({ chunks: [`event: refused\ndata: ${JSON.stringify({ error: refused })}\n\n`] })), { code: "notFound" });
});

test("a mistake is told, and not taken for a lost connection", async () => {
  const state = new TurnState({ id: "t" });
  await assert.rejects(followTurn(state, server({ chunks: ["event: messageDelta\ndata: {\n\n"] })), SyntaxError);
  const broken = () => {
    throw new TypeError("a mistake");
  };
  await assert.rejects(followTurn(state, { ...server({ chunks: [delta(1, "a")] }), onEvent: broken }), { message: "a mistake" });
});

test("who is told to come later comes later", async () => {
  const waited = [];
  const replies = server({ status: 503, error: { message: "", data: { code: "parleyUnavailable", retryable: true, retryAfterMs: 1234 } } }, { chunks: [completed(1, "")] });
  await followTurn(new TurnState({ id: "t" }), { ...replies, wait: async (milliseconds) => waited.push(milliseconds) });
  assert.deepEqual(waited, [1234]);
});

test("nobody who has gone is followed", async () => {
  const gone = new AbortController();
  const { fetch } = server({ breaks: true }, { breaks: true });
  const following = followTurn(new TurnState({ id: "t" }), { fetch, signal: gone.signal, wait: async (_, signal) => (gone.abort(new DOMException("", "AbortError")), signal.throwIfAborted()) });
  await assert.rejects(following, { name: "AbortError" });
});

test("the time to come back is rounded up to a minute, and says the day if it is not today", () => {
  const now = new Date(2026, 10, 26, 13, 59, 30).getTime();
  assert.equal(backAt(1, now, "en-GB"), "14:00");
  assert.equal(backAt(330_000, now, "en-GB"), "14:05");
  assert.match(backAt(12 * 3_600_000, now, "en-GB"), /^02:00 on Friday,? 27 November$/);
});

test("errors are sentences", () => {
  const said = (data) => sentence({ data });
  assert.match(said({ code: "quotaExceeded", scope: "anonymous", unit: "turns", limit: 50, upgrade: "signIn" }), /all 50 messages .* Sign in to go on/);
  assert.match(said({ code: "quotaExceeded", scope: "system", unit: "turns", retryAfterMs: 60_000 }), /^Everything is in use just now\. Back at \d\d?:\d\d/);
  assert.match(said({ code: "quotaExceeded", scope: "user", unit: "inFlight", retryable: true }), /still being written/);
  assert.match(said({ code: "quotaExceeded", scope: "user", unit: "bots", limit: 3 }), /You have 3 bots/);
  assert.equal(said({ code: "messageTooLarge", limit: 16384, size: 20000 }), "That is too long: at most 16 KiB fit.");
  assert.match(said({ code: "invalidParams", path: "name", reason: "must not be empty" }), /name must not be empty/);
  assert.match(said({ code: "somethingNew" }), /Something went wrong/);
  assert.match(said({}), /Something went wrong/);
  assert.equal(endingSentence(turn({ status: "completed", stopReason: "endTurn" })), "");
  assert.match(endingSentence(turn({ status: "interrupted" })), /restarted/);
  assert.match(endingSentence(turn({ status: "failed", error: { data: { code: "modelUnavailable" } } })), /model cannot be reached/);
  assert.match(endingSentence(turn({ status: "completed", stopReason: "maxTokens" })), /greatest length/);
});
