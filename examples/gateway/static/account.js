// Who is there: the corner above, and the banner that says what is left without signing in, and asks what shall come along.

import { call, callPatiently, claim, forget, getSession, patiently, signOut } from "./api.js";
import { askForm } from "./dialogs.js";
import { announce, byId, el } from "./dom.js";
import { sentence } from "./errors.js";
import { menuButton } from "./menu.js";

function counted(count, one, many) {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

export function signInLink(kind = "primary") {
  return el("a", { class: `button ${kind}`, href: "/sign-in" }, "Sign in");
}

export class Account {
  session = { signedIn: false, anonymous: false };
  /** How many messages are left without signing in, and the host's warning, where it is known. */
  #left = null;
  #warning = null;

  /** `app` has `claimed()`, `leftEverything()` and `fail(error)`. */
  constructor(app) {
    this.app = app;
  }

  /** Whether the server knows nothing of this browser yet. */
  get isNobody() {
    return !this.session.signedIn && !this.session.anonymous;
  }

  async load() {
    this.session = await patiently(getSession);
    const { claimable } = this.session;
    if (claimable && claimable.conversations === 0 && claimable.bots === 0) {
      await forget();
      delete this.session.claimable;
    }
    this.render();
    await this.count();
  }

  /** The first request has made an anonymous person of nobody. */
  becameSomebody() {
    this.session.anonymous = true;
    this.render();
  }

  /** Asks how much is left. */
  async count() {
    if (this.session.signedIn || this.isNobody) return;
    const { limits } = await callPatiently("getQuota", {});
    this.#take(limits);
  }

  #take(limits) {
    const limit = limits.find(({ scope, unit }) => scope === "anonymous" && unit === "turns");
    if (limit) this.#left = limit;
    this.render();
  }

  /** What a finished turn has cost. */
  receipt(quota) {
    if (!quota || this.session.signedIn) return;
    if (quota.warning) this.#warning = quota.warning.message;
    this.#take(quota.limits);
  }

  warn(message) {
    this.#warning = message;
    this.render();
  }

  render() {
    const { signedIn, user, claimable } = this.session;
    const deletes = { label: "Delete everything of mine …", danger: true, act: () => this.#deleteAll() };
    const parts = signedIn
      ? [el("span", { class: "who" }, user.name), menuButton("Your account", "more", () => [{ label: "Sign out", act: () => this.#signOut() }, deletes])]
      : [signInLink("quiet"), this.isNobody ? null : menuButton("Your account", "more", () => [deletes])];
    const focused = byId("account").contains(document.activeElement);
    byId("account").replaceChildren(...parts.filter(Boolean));
    if (focused) byId("account").querySelector("button, a")?.focus();
    if (claimable) this.#showClaim(claimable);
    else if (!signedIn && this.#left) this.#showLeft();
    else byId("banner").hidden = true;
  }

  #banner(kind, ...children) {
    const banner = byId("banner");
    banner.hidden = false;
    banner.className = `banner ${kind}`;
    banner.replaceChildren(...children);
  }

  #showLeft() {
    const { limit, remaining } = this.#left;
    const text = this.#warning ?? (remaining === 0 ? "There are no messages left without signing in." : `${remaining} of ${limit} messages ${remaining === 1 ? "is" : "are"} left without signing in.`);
    if (byId("banner").textContent.startsWith(text)) return;
    this.#banner(this.#warning || remaining === 0 ? "warning" : "", el("p", {}, text), signInLink(this.#warning ? "primary" : "link"));
    if (this.#warning) announce(text);
  }

  #showClaim({ conversations, bots }) {
    if (byId("banner").classList.contains("claim")) return;
    const what = [conversations > 0 ? counted(conversations, "conversation", "conversations") : null, bots > 0 ? counted(bots, "bot", "bots") : null].filter(Boolean).join(" and ");
    const choose = (work, done) => async () => {
      try {
        await work();
      } catch (error) {
        this.app.fail(error);
        return;
      }
      delete this.session.claimable;
      this.session.anonymous = false;
      this.render();
      announce(done);
      this.app.claimed();
    };
    this.#banner(
      "claim",
      el("p", {}, `Before you signed in you had ${what}. Take everything along to ${this.session.user.name}?`),
      el("button", { type: "button", class: "primary", onclick: choose(claim, "It is yours now.") }, "Take along"),
      el("button", { type: "button", class: "quiet", onclick: () => this.#leave(choose(forget, "It is left behind.")) }, "Leave behind"),
    );
    announce(byId("banner").querySelector("p").textContent);
  }

  async #leave(leave) {
    const answer = await askForm({ title: "Leave everything behind?", text: "You will not see it again.", action: "Leave behind", danger: true });
    if (answer) await leave();
  }

  async #signOut() {
    try {
      await signOut();
      this.app.leftEverything();
    } catch (error) {
      this.app.fail(error);
    }
  }

  async #deleteAll() {
    const answer = await askForm({
      title: "Delete everything of yours?", text: "All your conversations and bots will be gone for good. What you have used of the limits stays used.",
      action: "Delete everything", danger: true, submit: () => call("deleteUser", { confirm: true }),
    });
    if (answer) this.app.leftEverything();
  }
}

/** What stands above the field when something is wrong: a sentence, and what helps. */
export class Notice {
  #element = byId("notice");
  #timer = 0;

  clear() {
    clearTimeout(this.#timer);
    this.#element.replaceChildren();
  }

  show(error) {
    this.clear();
    const { data = {} } = error;
    // An error without a code is a mistake of this page, which its developer wants to see.
    if (!data.code) console.error(error);
    const signIn = data.upgrade === "signIn" || data.code === "authRequired";
    const parts = [el("p", {}, sentence(error)), signIn ? signInLink() : el("button", { type: "button", class: "quiet", onclick: () => this.clear() }, "Close")];
    this.#element.replaceChildren(...parts);
    if (!signIn && data.retryAfterMs < 2 ** 31) {
      this.#timer = setTimeout(() => this.#element.replaceChildren(el("p", {}, "There should be room again. Please try once more.")), data.retryAfterMs);
    }
  }
}
