// The client for Node, with a host that only plays back, and with the program that $PARLEY names, or else the path: node --test examples/node

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Host, HostEnded, ParleyError, textOf, toolResult } from "./parley.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const binary = process.env.PARLEY ?? "parley";
const me = { userId: "me" };

/** A folder that is there as long as the test. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "parley-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** A host of the program, whose model says this. */
async function start(t, answers, options = {}) {
  const script = join(folder(t), "script.jsonl");
  writeFileSync(script, answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""));
  const flags = ["--database", ":memory:", ...(answers.length ? ["--model", `scripted:${script}`] : []), ...(options.arguments ?? [])];
  const host = await Host.start({ binary, caller: me, ...options, arguments: flags });
  t.after(() => host.close({ patience: 0 }));
  return host;
}

/** A host that says what it is asked to say, and what it was told. */
async function startPlayer(t, options = {}) {
  const path = join(folder(t), "host");
  const player = `#!${process.execPath}
    const received = [];
    const write = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
    require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method, params } = JSON.parse(line);
      if (method === undefined || id === undefined) return received.push(JSON.parse(line));
      if (method === "die") { process.stderr.write("x".repeat(100000) + "the last words", () => process.kill(process.pid, "SIGKILL")); return; }
      if (method === "say") return process.stdout.write(params.text);
      if (method === "wait" || method === "sendMessage") return;
      for (const line of params.lines ?? []) write({ ...line, params: { requestId: id, ...line.params } });
      write({ id, result: method === "initialize" ? { limits: { maxLineBytes: 1000000 }, capabilities: params.capabilities } : { received } });
    });`;
  writeFileSync(path, player, { mode: 0o755 });
  const host = await Host.start({ binary: path, ...options });
  t.after(() => host.close({ patience: 0 }));
  return host;
}

test("a turn streams, and its result says the same", async (t) => {
  const host = await start(t, [{ steps: [{ text: "Hel\u2028" }, { text: "lo." }] }]);
  const stream = host.stream("sendMessage", { text: "Hi" });
  let said = "";
  for await (const event of stream) if (event.method === "messageDelta") said += event.params.delta;
  const { turn, message } = await stream.result;
  assert.deepEqual([said, textOf(message), turn.status, stream.turnId], ["Hel\u2028lo.", "Hel\u2028lo.", "completed", turn.id]);
  assert.equal(await host.close(), 0);
  await assert.rejects(host.call("ping"), HostEnded);
});

test("a turn is cancelled by a signal, and keeps what was said", async (t) => {
  const host = await start(t, [{ steps: [{ text: "For ever" }, { waitFor: "$/cancelRequest" }, { text: " and ever." }] }]);
  const controller = new AbortController();
  const stream = host.stream("sendMessage", { text: "How long?" }, { signal: controller.signal });
  for await (const event of stream) if (event.method === "messageDelta") controller.abort();
  const { turn, message } = await stream.result;
  assert.deepEqual([turn.status, textOf(message)], ["cancelled", "For ever"]);
  assert.throws(() => host.stream("ping", {}, { signal: controller.signal }), { name: "AbortError" });
});

test("to follow a turn is cancelled by a signal, and the turn goes on", async (t) => {
  const host = await start(t, [{ steps: [{ text: "For ever" }, { delayMs: 600_000 }, { text: " and ever." }] }]);
  const { turn } = await host.call("sendMessage", { text: "How long?", wait: false });
  const attached = host.call("attachTurn", { turnId: turn.id }, { signal: AbortSignal.timeout(50) });
  await assert.rejects(attached, { name: "TimeoutError" });
  assert.equal((await host.call("getTurn", { turnId: turn.id })).turn.status, "inProgress");
  assert.equal((await host.call("cancelTurn", { turnId: turn.id })).turn.status, "cancelled");
});

test("a refusal says what to do", async (t) => {
  const host = await start(t, [], { arguments: ["--set", "quotas.user.turns.limit=0"] });
  const refused = { name: "ParleyError", code: "quotaExceeded", httpStatus: 429, retryable: false, retryAfterMs: undefined };
  await assert.rejects(host.call("sendMessage", { text: "Hi" }), refused);
  const stream = host.stream("sendMessage", { text: "Hi" });
  await assert.rejects(async () => { for await (const _ of stream); }, refused);
  await assert.rejects(host.call("getBot", { botId: "none" }), { code: "notFound", data: { code: "notFound", httpStatus: 404, id: "none", resource: "bot", retryable: false } });
});

test("a program that cannot start says why", async () => {
  await assert.rejects(Host.start({ binary: "/nowhere" }), { name: "HostEnded", code: "ended", message: /nowhere could not be started: .*ENOENT/ });
  const wrong = Host.start({ binary, arguments: ["--model", "nobody:knows"] });
  await assert.rejects(wrong, { exitCode: 78, retryable: false, message: /no provider has the name "nobody"/ });
});

test("tools and approvals are answered", async (t) => {
  const weather = { name: "weather", description: "Tells it.", inputSchema: { type: "object" }, policy: "ask" };
  const call = { steps: [{ toolCall: { name: "weather", arguments: { city: "Rome" } } }] };
  const host = await start(t, [call, { text: "It is sunny." }], {
    handlers: {
      callTool: async ({ arguments: { city } }) => toolResult(`Sunny in ${city}.`, { data: { celsius: 21 } }),
      requestApproval: ({ options }) => ({ option: options[0] }),
    },
  });
  await host.call("setClientTools", { tools: [weather] });
  const stream = host.stream("sendMessage", { text: "How is Rome?" });
  const results = [];
  for await (const event of stream) if (event.method === "toolCallCompleted") results.push([event.params.text, event.params.data]);
  assert.deepEqual(results, [["Sunny in Rome.", { celsius: 21 }]]);
  assert.equal(textOf((await stream.result).message), "It is sunny.");
});

test("many requests are under way at once", async (t) => {
  const host = await start(t, [], { arguments: ["--set", "quotas.user.inFlight.limit=none"] });
  const numbers = [...Array(30).keys()];
  const results = await Promise.all(numbers.map((number) => host.call("sendMessage", { text: `My number is ${number}.` })));
  for (const number of numbers) assert.match(textOf(results[number].message), new RegExp(`My number is ${number}\\.`));
});

test("whatever goes wrong with a request of the host is answered", async (t) => {
  let signal;
  const host = await startPlayer(t, {
    handlers: {
      callTool: async (params, options) => {
        if (params.how === "throw") throw new Error("The station is closed.");
        if (params.how === "nothing") return;
        signal = options.signal;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    },
  });
  const ask = (id, method, params) => ({ id, method, params });
  const lines = [ask("1", "callTool", { how: "throw" }), ask("2", "unknown", {}), ask("3", "callTool", { how: "nothing" }), ask("4", "callTool", {})];
  await host.call("play", { lines });
  await host.call("play", { lines: [{ method: "$/cancelRequest", params: { id: "4" } }] });
  const { received } = await host.call("play");
  assert.deepEqual(Object.fromEntries(received.map(({ id, result, error }) => [id, error ?? result])), {
    1: { code: -32000, message: "The station is closed." },
    2: { code: -32601, message: "This client does not answer unknown." },
    3: null,
  });
  assert.equal(signal.aborted, true);
});

test("a slow reader gets everything in few events", async (t) => {
  const host = await startPlayer(t);
  const words = [...Array(1000).keys()].map((number) => `${number} `);
  const lines = words.map((delta, index) => ({ method: "messageDelta", params: { turnId: "t", seq: index + 1, messageId: index < 600 ? "m1" : "m2", delta } }));
  const stream = host.stream("play", { lines });
  await host.call("play");
  const events = [];
  for await (const event of stream) events.push(event.params);
  assert.ok(events.length < 80, `${events.length}`);
  assert.equal(events.map(({ delta }) => delta).join(""), words.join(""));
  let following = 1;
  for (const { fromSeq, seq } of events) {
    assert.equal(fromSeq ?? seq, following);
    following = seq + 1;
  }
  assert.equal(stream.seq, 1000);
});

test("whoever leaves the loop loses interest, and only what runs no turn is cancelled", async (t) => {
  const host = await startPlayer(t);
  const leave = async (method) => {
    const stream = host.stream(method, {});
    stream.take({ method: "turnStarted", params: { turnId: "t", seq: 1 } });
    for await (const _ of stream) break;
    return stream.id;
  };
  await leave("sendMessage");
  const id = await leave("wait");
  const { received } = await host.call("play");
  assert.deepEqual(received.map(({ method, params }) => [method, params]), [["$/cancelRequest", { id }]]);
});

test("what is not known yet is passed over", async (t) => {
  const host = await startPlayer(t);
  const stream = host.stream("play", { lines: [{ method: "pipesBurst" }] });
  const events = [];
  for await (const { method } of stream) events.push(method);
  host.stream("say", { text: '{"jsonrpc": "2.0", "method": "nothingMore"}\n' });
  assert.deepEqual([events, await host.call("play")], [["pipesBurst"], { received: [] }]);
});

test("a death is told to all who wait, with the last words", async (t) => {
  const host = await startPlayer(t);
  const waiting = host.call("wait");
  const ended = { name: "HostEnded", exitCode: "SIGKILL", message: /killed by SIGKILL: x+the last words$/, retryable: true };
  await Promise.all([assert.rejects(host.call("die"), ended), assert.rejects(waiting, (error) => error.message.length < 5000)]);
  await assert.rejects(host.call("ping"), ended);
  assert.equal(await host.close(), "SIGKILL");
});

test("what is no message ends it, and what is too long is not sent", async (t) => {
  const host = await startPlayer(t);
  await assert.rejects(host.call("ping", { text: "x".repeat(1_000_001) }), { code: "inputTooLarge", httpStatus: 413 });
  await assert.rejects(host.call("say", { text: "[1]\n" }), /no message of the protocol/);
});

test("Ctrl-C ends a program, and its host soon after", async (t) => {
  const path = join(folder(t), "program.mjs");
  const script = join(folder(t), "script.jsonl");
  writeFileSync(script, '{"steps": [{"text": "For ever"}, {"waitFor": "cancelTurn"}]}\n');
  writeFileSync(path, `
    import { Host } from ${JSON.stringify(join(here, "parley.mjs"))};
    const host = await Host.start({ binary: ${JSON.stringify(binary)}, caller: { userId: "me" }, arguments: ["--database", ":memory:", "--model", "scripted:${script}"] });
    for await (const event of host.stream("sendMessage", { text: "How long?" })) if (event.method === "messageDelta") console.log(host.processId);`);
  const program = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
  const [id] = await new Promise((resolve) => program.stdout.on("data", (data) => resolve(data.toString().split("\n"))));
  const exit = new Promise((resolve) => program.on("exit", (code, signal) => resolve(signal)));
  program.kill("SIGINT");
  assert.equal(await exit, "SIGINT");
  // The end of its input is as the missing cancel, and its output finds nobody.
  for (const until = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    try {
      process.kill(Number(id), 0);
    } catch {
      break;
    }
    assert.ok(Date.now() < until);
  }
});

test("the example holds its conversation", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(here, "parley.mjs"), binary], { encoding: "utf8" });
  assert.equal(status, 0);
  assert.match(stdout, /the first was “Hello! I am planning a trip to Lisbon.”/);
  const failed = spawnSync(process.execPath, [join(here, "parley.mjs"), "/nowhere"], { encoding: "utf8" });
  assert.deepEqual([failed.status, failed.stderr], [1, "/nowhere could not be started: spawn /nowhere ENOENT\n"]);
});

test("the types are those of the protocol", { skip: spawnSync("tsc", ["--version"]).error && "there is no TypeScript compiler" }, (t) => {
  const path = folder(t);
  for (const file of ["parley.mjs", "node.d.ts"]) copyFileSync(join(here, file), join(path, file));
  writeFileSync(join(path, "protocol.d.ts"), spawnSync(binary, ["schema", "--format", "typescript"]).stdout);
  const program = readFileSync(join(here, "parley.mjs"), "utf8").match(/ \*     import \{ Host[^]*?(?=\n \*\n)/)[0].replace(/^ \*     /gm, "");
  writeFileSync(join(path, "program.mjs"), `${program}\n// @ts-expect-error There is no such method.\nhost.call("sendMassage", {});\n// @ts-expect-error It has no such member.\nturn.stats;\n`);
  const flags = ["--strict", "--noEmit", "--skipLibCheck", "--allowJs", "--checkJs", "--target", "es2022", "--module", "es2022", "--moduleResolution", "node"];
  const files = ["parley.mjs", "program.mjs", "node.d.ts"].map((file) => join(path, file));
  assert.equal(spawnSync("tsc", [...flags, ...files], { encoding: "utf8" }).stdout, "");
});
