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
    // A proxy between us and the gateway answers in HTML: nothing is known of what became of the request.
    throw new ApiError(`The server answered ${response.status}.`, { code: "badGateway", retryable: true });
  }
  if (response.ok) return value;
  throw new ApiError(value?.error?.message ?? `The server answered ${response.status}.`, value?.error?.data ?? { code: "badGateway", retryable: response.status >= 500 });
}

function post(path, body, signal) {
  return request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
}

/** Calls a method of the host's. */
export function call(method, params = {}, { signal } = {}) {
  return post(`/api/${method}`, params, signal);
}

/** What passes by itself, so that the same request is worth sending again. */
const PASSING = new Set(["offline", "badGateway", "parleyUnavailable", "timeout", "overloaded", "shuttingDown", "storeUnavailable"]);

/**
 * Does something again and again while what is wrong passes by itself: without end while there is no network, else six times.
 * `onWaiting(error)` hears of each failure.
 */
export async function patiently(work, { signal, onWaiting } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!PASSING.has(error.code) || (error.code !== "offline" && attempt >= 5)) throw error;
      onWaiting?.(error);
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
