// What went wrong, in sentences for people. Errors are told apart by `data.code`, as the protocol asks.

/** When to come back, as a clock shows it: “14:05”, with the day where that is not today. Rounded up, so that nobody comes too early. */
export function backAt(retryAfterMs, now = Date.now(), locale = undefined) {
  const minute = 60_000;
  const time = new Date(Math.ceil((now + retryAfterMs) / minute) * minute);
  const clock = time.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (time.toDateString() === new Date(now).toDateString()) return clock;
  return `${clock} on ${time.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" })}`;
}

function quotaSentence(data, now) {
  const back = data.retryAfterMs === undefined ? "" : ` Back at ${backAt(data.retryAfterMs, now)}.`;
  if (data.unit === "inFlight") return "Another of your answers is still being written. Wait for it, or stop it.";
  if (data.unit === "bots") {
    if (data.scope === "anonymous") return "Without signing in you can make only this many bots. Sign in to make more.";
    return `You have ${data.limit ?? "all the"} bots that you may have. Delete one to make another.`;
  }
  if (data.scope === "anonymous") {
    const count = data.limit === undefined ? "all messages" : `all ${data.limit} messages`;
    return `You have used ${count} that there are without signing in. Sign in to go on: your conversations can come with you.`;
  }
  if (data.scope === "system") return `Everything is in use just now.${back || " Please come back later."}`;
  if (data.scope === "address") return `Too many people without an account share your address.${back} Whoever signs in may go on.`;
  return `You have reached your limit.${back}`;
}

const SENTENCES = {
  offline: "There is no connection.",
  badGateway: "The server cannot be reached just now.",
  parleyUnavailable: "The server is being restarted.",
  timeout: "The server does not answer.",
  overloaded: "Too many people are asking at once.",
  shuttingDown: "The server is being restarted.",
  storeUnavailable: "Nothing can be stored just now.",
  storeFull: "The server has no room left to store this.",
  authRequired: "You are not known here any more. Please sign in again.",
  notFound: "That does not exist any more.",
  modelNotAllowed: "You cannot choose this model.",
  conversationBusy: "An answer is still being written in this conversation.",
  queueFull: "Too many messages wait in this conversation.",
  idempotencyConflict: "This message was already sent with other words.",
  nameTaken: "You have a bot of that name already.",
  revisionConflict: "The bot was changed elsewhere in the meantime. Close this and open it again.",
  modelUnavailable: "The model cannot be reached just now.",
  modelRateLimited: "The model is too busy just now.",
  modelTimeout: "The model took too long.",
  modelRejected: "The model refused the request.",
  modelAuth: "The model's server does not accept this installation's key.",
  modelBilling: "The model's server wants to be paid first.",
  contextWindowExceeded: "The message is too long for the model.",
  refused: "The server does not take that.",
  methodNotFound: "This server cannot do that.",
};

/** The sentence for an error: of a request, or of a turn. */
export function sentence(error, now = Date.now()) {
  const data = error?.data ?? {};
  if (data.code === "quotaExceeded") return quotaSentence(data, now);
  if (data.code === "messageTooLarge" || data.code === "inputTooLarge") {
    return data.limit ? `That is too long: at most ${Math.floor(data.limit / 1024)} KiB fit.` : "That is too long.";
  }
  if (data.code === "invalidParams") return `That cannot be taken: ${data.path || "it"} ${data.reason ?? "is not right"}.`;
  const known = SENTENCES[data.code] ?? "Something went wrong. Please try again.";
  return data.retryAfterMs > 60_000 ? `${known} Back at ${backAt(data.retryAfterMs, now)}.` : known;
}

/** What a turn's end has to say beside its answer; empty where there is nothing to say. */
export function endingSentence(turn, now = Date.now()) {
  switch (turn.status) {
    case "failed":
      return sentence(turn.error, now);
    case "cancelled":
      return "Stopped.";
    case "interrupted":
      return "The server was restarted in the middle of this answer. What had been said is kept.";
    default:
  }
  switch (turn.stopReason) {
    case "maxTokens":
      return "The answer ends here because it has reached its greatest length.";
    case "maxSteps":
      return "The assistant has used as many tools as it may for one message.";
    case "refusal":
      return "The model declined to say more.";
    default:
      return "";
  }
}
