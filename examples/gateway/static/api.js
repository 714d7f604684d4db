// The gateway's methods. Every failure is an ApiError whose `code` can be matched; that of a lost network is `offline`.

import { pause } from "./pause.js";

/** A request that was refused, or that got no answer. */
export class ApiError extends Error {
  constructor(message, data = {}) {
    super(message);
    this.name = "ApiError";
    /** What the host says about the error: `code`, `retryable`, `retryAfterMs` and so on. */
    this.data = data;
  }

  get code() {
    return this.data.code;
  }
}

/** The ApiError of an answer with this status and value; whoever stands before the gateway may answer in its own way. */
export function failure(status, value) {
  if (value?.error?.data?.code) return new ApiError(value.error.message, value.error.data);
  // Of other refusals nothing is known but that they are meant.
  const code = status === 413 ? "inputTooLarge" : status >= 400 && status < 500 ? "refused" : "badGateway";
  return new ApiError(`The server answered ${status}.`, { code, retryable: code === "badGateway" });
}

async function request(path, options) {
  let response;
  let body;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
    body = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The network is not there.", { code: "offline", retryable: true });
  }
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    throw failure(response.status, null);
  }
  if (!response.ok) throw failure(response.status, value);
  return value;
}

function post(path, body, signal) {
  return request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
}

/** Calls a method of the host's. */
export function call(method, params = {}, { signal } = {}) {
  return post(`/api/${method}`, params, signal);
}

/** While it is so, nobody has seen the request, or nobody can tell what became of it: there is nothing to do but wait. */
const AWAY = new Set(["offline", "badGateway", "parleyUnavailable", "timeout"]);
/** What passes by itself too, but may be meant to tell people to come later. */
const PASSING = new Set(["cancelled", "overloaded", "shuttingDown", "storeUnavailable"]);

let watcher = () => {};

/** From now on, `listener(error)` hears of whatever `patiently` waits for, unless its caller wants to, and `listener(null)` of its end. */
export function watchWaiting(listener) {
  watcher = listener;
}

/**
 * Does something again and again while what is wrong passes by itself: without end while the server is away, else six times.
 * `onWaiting(error)` hears of each failure.
 */
export async function patiently(work, { signal, onWaiting = watcher } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const result = await work();
      if (attempt > 0 && onWaiting === watcher) watcher(null);
      return result;
    } catch (error) {
      if (!AWAY.has(error.code) && !(PASSING.has(error.code) && attempt < 5)) throw error;
      onWaiting(error);
      await pause(error.data.retryAfterMs ?? Math.min(400 * 2 ** attempt, 8000), signal);
    }
  }
}

/**
 * Calls a method, and again while what is wrong passes by itself. Only for reads, and for what carries a `clientMessageId` or
 * `clientRequestId`: it may have been done although the answer is lost.
 */
export function callPatiently(method, params, { signal, onWaiting } = {}) {
  return patiently(() => call(method, params, { signal }), { signal, onWaiting });
}

/** Who is there: `{signedIn, user?, anonymous, claimable?}`. */
export function getSession() {
  return request("/api/session", {});
}

/** Takes along what was made before signing in; gives the counts. */
export function claim() {
  return post("/api/claim", {});
}

/** Leaves it behind. */
export function forget() {
  return post("/api/forget", {});
}

export function signOut() {
  return post("/api/sign-out", {});
}

/** Answers a tool call that waits for the person's choice. */
export function answerApproval(turnId, toolCallId, option) {
  return post(`/api/turns/${encodeURIComponent(turnId)}/approvals/${encodeURIComponent(toolCallId)}`, { option });
}
