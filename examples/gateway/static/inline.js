// Markdown within a line: emphasis, code, links. Gives nodes `{tag, attributes?, children}` and strings; pure, so that it needs no browser.
// Raw HTML is text here, as everything else that is not Markdown. Linear in the text's length, whatever it is.

const PUNCTUATION = /[!-/:-@[-`{-~\p{P}\p{S}]/u;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", mdash: "—", ndash: "–", hellip: "…", times: "×", rarr: "→", larr: "←" };
const WRAPPED = { "*1": "em", "*2": "strong", _1: "em", _2: "strong", "~2": "del" };
/** Longer destinations are nobody's, and bounding them keeps a hostile text from costing more than its length. */
const MAX_DESTINATION = 2048;
/** How many delimiter runs may be open, and how long one may be: nobody means more, and it bounds how deep nodes lie in one another. */
const MAX_OPENERS = 32;
const MAX_RUN = 6;

/** The address as it may stand in a link, or null where following it might do more than show a page. */
export function safeAddress(address) {
  // Browsers skip control characters and white space in a scheme, so `java\nscript:` must not get past.
  const plain = address.replace(/[\u0000-\u0020\u007f-\u009f]/g, "");
  return /^(https?:\/\/|mailto:)[^\s]/i.test(plain) ? plain : null;
}

/** Parses inline Markdown. With `open` the text is still being written: strong and code that nothing closes yet are shown as such. */
export function parseInline(text, { open = false, links = true } = {}) {
  return new InlineParser(open ? text.replace(/(?<!\\)(\*{1,2}|`{1,2}|~~|_{1,2}|\[)$/, "") : text, open, links).parse();
}

class InlineParser {
  constructor(text, open, links) {
    this.text = text;
    this.open = open;
    this.links = links;
    this.position = 0;
    /** What was said so far; a delimiter run that may still open something stands here as an object with `mark`. */
    this.out = [];
    /** The runs in `out` that may open something, each with its place there. */
    this.openers = [];
    /** How long runs of backticks are that nothing closes from here on. */
    this.unclosedTicks = new Set();
    /** Where the `]` of each `[` is; made when the first is met. */
    this.brackets = null;
  }

  parse() {
    const special = /[\\`*_~[!<&\n]|https?:\/\//g;
    while (this.position < this.text.length) {
      special.lastIndex = this.position;
      const match = special.exec(this.text);
      const at = match ? match.index : this.text.length;
      if (at > this.position) this.say(this.text.slice(this.position, at));
      this.position = at;
      if (match) this.special(match[0]);
    }
    if (this.open) this.closeStrong();
    const nodes = merge(this.out);
    if (this.open && typeof nodes.at(-1) === "string") nodes[nodes.length - 1] = nodes.at(-1).trimEnd();
    return nodes;
  }

  say(piece) {
    this.out.push(piece);
  }

  /** Says what is at the position, and moves on. */
  take(length, piece = this.text.substr(this.position, length)) {
    this.say(piece);
    this.position += length;
  }

  special(found) {
    const next = this.text[this.position + 1] ?? "";
    switch (found) {
      case "\\":
        if (next === "\n") return this.take(2, { tag: "br", children: [] });
        return /[!-/:-@[-`{-~]/.test(next) ? this.take(2, next) : this.take(1);
      case "\n":
        return this.lineEnd();
      case "`":
        return this.code();
      case "[":
        return this.link(this.position, false);
      case "!":
        return next === "[" ? this.link(this.position + 1, true) : this.take(1);
      case "<":
        return this.autolink();
      case "&":
        return this.entity();
      case "*":
      case "_":
      case "~":
        return this.delimiters(found);
      default:
        return this.address();
    }
  }

  /** Two spaces before a line's end break it; otherwise it is white space as any other. */
  lineEnd() {
    const last = this.out.at(-1);
    const broken = typeof last === "string" && last.endsWith("  ");
    if (typeof last === "string") this.out[this.out.length - 1] = last.trimEnd();
    this.take(1, broken ? { tag: "br", children: [] } : "\n");
  }

  code() {
    const run = /`+/y;
    run.lastIndex = this.position;
    const ticks = run.exec(this.text)[0];
    const start = this.position + ticks.length;
    let end = -1;
    if (!this.unclosedTicks.has(ticks.length)) {
      const closing = new RegExp(`(?<!\`)${ticks}(?!\`)`, "g");
      closing.lastIndex = start;
      end = closing.exec(this.text)?.index ?? -1;
      if (end < 0) this.unclosedTicks.add(ticks.length);
    }
    if (end < 0 && !(this.open && this.text.length > start)) return this.take(ticks.length);
    let inside = this.text.slice(start, end < 0 ? undefined : end).replaceAll("\n", " ");
    if (inside.startsWith(" ") && inside.endsWith(" ") && inside.trim() !== "") inside = inside.slice(1, -1);
    this.say({ tag: "code", children: [inside] });
    this.position = end < 0 ? this.text.length : end + ticks.length;
  }

  /** A link, or an image, which becomes a link too: nobody's address is asked for anything because a model has written it. */
  link(bracket, image) {
    const close = this.bracketPairs().get(bracket);
    const length = bracket - this.position + 1;
    if (close === undefined) return this.take(length);
    const rest = this.text.slice(close + 1, close + 1 + MAX_DESTINATION);
    if (rest[0] !== "(") return this.take(length);
    const match = /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/.exec(rest);
    if (!match) {
      // While an address is being written it is not shown, but what it belongs to is.
      if (!this.open || /[\n)]/.test(rest)) return this.take(length);
      this.out.push(...this.linkText(bracket + 1, close));
      this.position = this.text.length;
      return undefined;
    }
    // Not before it is known that this is a link: what is no link would be parsed again from the next bracket on.
    const children = this.linkText(bracket + 1, close);
    const address = safeAddress((match[1] ?? match[2]).replace(/\\([!-/:-@[-`{-~])/g, "$1"));
    if (image && children.length === 0) children.push("image");
    if (address && this.links) this.say({ tag: "a", attributes: { href: address }, children: children.length > 0 ? children : [address] });
    else this.out.push(...children);
    this.position = close + 1 + match[0].length;
    return undefined;
  }

  /** What a link says. Within a link there is none. */
  linkText(start, end) {
    const inside = this.text.slice(start, end);
    return this.links ? parseInline(inside, { links: false }) : [inside];
  }

  bracketPairs() {
    if (this.brackets) return this.brackets;
    this.brackets = new Map();
    const stack = [];
    const token = /\\.|[[\]]/gs;
    for (let match = token.exec(this.text); match; match = token.exec(this.text)) {
      if (match[0] === "[") stack.push(match.index);
      else if (match[0] === "]" && stack.length > 0) this.brackets.set(stack.pop(), match.index);
    }
    return this.brackets;
  }

  autolink() {
    const match = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2048})>/y;
    match.lastIndex = this.position;
    const found = match.exec(this.text);
    if (!found || !this.links) return this.take(1);
    return this.take(found[0].length, { tag: "a", attributes: { href: found[1] }, children: [found[1].replace(/^mailto:/, "")] });
  }

  /** A bare address. What usually ends a sentence, or a bracket that was opened before it, is not part of it. */
  address() {
    const match = /https?:\/\/[^\s<>"`]{1,2048}/y;
    match.lastIndex = this.position;
    let found = match.exec(this.text)?.[0] ?? "";
    found = found.replace(/[.,;:!?'*_~]+$/, "");
    while (found.endsWith(")") && count(found, ")") > count(found, "(")) found = found.slice(0, -1).replace(/[.,;:!?'*_~]+$/, "");
    const before = this.text[this.position - 1] ?? " ";
    if (!this.links || found.length < 9 || /[\p{L}\p{N}]/u.test(before)) return this.take(Math.max(found.length, 4));
    return this.take(found.length, { tag: "a", attributes: { href: found }, children: [found] });
  }

  entity() {
    const match = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,6}));/y;
    match.lastIndex = this.position;
    const found = match.exec(this.text);
    if (!found) return this.take(1);
    const number = found[1] ? Number(found[1]) : found[2] ? Number.parseInt(found[2], 16) : null;
    if (number === null) return ENTITIES[found[3]] ? this.take(found[0].length, ENTITIES[found[3]]) : this.take(1);
    const valid = number > 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
    return this.take(found[0].length, valid ? String.fromCodePoint(number) : "\ufffd");
  }

  /** A run of `*`, `_` or `~`, by the rules of CommonMark: whether it may open or close depends on what stands around it. */
  delimiters(mark) {
    let end = this.position;
    while (this.text[end] === mark) end += 1;
    let left = end - this.position;
    const before = this.text[this.position - 1] ?? " ";
    const after = this.text[end] ?? " ";
    const spaceBefore = /\s/.test(before), spaceAfter = /\s/.test(after);
    const signBefore = PUNCTUATION.test(before), signAfter = PUNCTUATION.test(after);
    const leftFlanking = !spaceAfter && (!signAfter || spaceBefore || signBefore);
    const rightFlanking = !spaceBefore && (!signBefore || spaceAfter || signAfter);
    const canOpen = leftFlanking && (mark !== "_" || !rightFlanking || signBefore);
    const canClose = rightFlanking && (mark !== "_" || !leftFlanking || signAfter);
    this.position = end;
    const usable = left <= MAX_RUN;
    if (usable && canClose) left = this.close(mark, left, canOpen);
    if (left === 0) return;
    if (usable && canOpen && this.openers.length < MAX_OPENERS) {
      this.openers.push({ mark, left, both: canClose, at: this.out.length });
      this.say({ mark, left });
    } else {
      this.say(mark.repeat(left));
    }
  }

  /** Closes what the run can close, innermost first, and gives how many of its characters are left. */
  close(mark, length, canOpen) {
    let left = length;
    for (let index = this.openers.length - 1; index >= 0 && left > 0; ) {
      const opener = this.openers[index];
      const width = Math.min(2, left, opener.left);
      const tag = WRAPPED[mark + width];
      const byThree = (opener.both || canOpen) && (opener.left + length) % 3 === 0 && (opener.left % 3 !== 0 || length % 3 !== 0);
      if (opener.mark !== mark || !tag || byThree) {
        index -= 1;
        continue;
      }
      this.wrap(index, tag, width);
      left -= width;
      if (opener.left === 0) index -= 1;
    }
    return left;
  }

  /** Puts what was said since an opener into a node. Openers within, which nothing closed, become text. */
  wrap(index, tag, width) {
    const opener = this.openers[index];
    const children = merge(this.out.splice(opener.at + 1));
    this.openers.length = index + 1;
    opener.left -= width;
    this.out[opener.at].left = opener.left;
    if (opener.left === 0) {
      this.out.pop();
      this.openers.pop();
    }
    this.say({ tag, children });
  }

  /** While an answer is written, strong text is strong before its end has come: the signs do not flash by. */
  closeStrong() {
    for (let index = this.openers.length - 1; index >= 0; index = Math.min(index, this.openers.length) - 1) {
      const { mark, left, at } = this.openers[index];
      if (mark === "*" && left >= 2 && at < this.out.length - 1) this.wrap(index, "strong", 2);
    }
  }
}

function count(text, character) {
  return text.split(character).length - 1;
}

/** Joins neighbouring texts, and makes text of delimiters that stayed alone. */
function merge(pieces) {
  const merged = [];
  for (const piece of pieces) {
    const value = piece.mark ? piece.mark.repeat(piece.left) : piece;
    if (typeof value === "string" && typeof merged.at(-1) === "string") merged[merged.length - 1] += value;
    else if (value !== "") merged.push(value);
  }
  return merged;
}
