// Makes DOM of Markdown nodes, and changes as little of it as needed while a text grows: what is selected or focused stays so.
// Every text becomes a text node, every tag is one of the list, and the only address is one that inline.js has let through.

import { copyButton, el } from "./dom.js";
import { GrowingMarkdown } from "./markdown.js";

const TAGS = new Set(["p", "h3", "h4", "h5", "h6", "hr", "br", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "em", "strong", "del", "code", "a", "pre"]);

function create(node) {
  if (typeof node === "string") return document.createTextNode(node);
  if (!TAGS.has(node.tag)) throw new Error(`Markdown has no ${node.tag}`);
  const element = outer(node);
  inner(element).append(...node.children.map(create));
  return element;
}

/** The element of a node without its children; code and tables stand in a box that scrolls sideways, so that the page need not. */
function outer({ tag, attributes = {} }) {
  switch (tag) {
    case "a":
      return el("a", { href: attributes.href, target: "_blank", rel: "noopener noreferrer nofollow" });
    case "pre": {
      const code = el("code");
      const head = el("figcaption", {}, el("span", {}, attributes.language ?? "text"), copyButton("Copy the code", () => code.textContent));
      return el("figure", { class: "code" }, head, el("pre", { tabindex: "0", role: "region", "aria-label": "Code" }, code));
    }
    case "table":
      return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, el("table"));
    case "th":
      return el("th", { scope: "col", class: attributes.align });
    case "td":
      return el("td", { class: attributes.align });
    // Their bullets and bars stand where their text begins, which in some scripts is on the right.
    case "ol":
      return el("ol", { start: attributes.start, dir: "auto" });
    case "ul":
    case "blockquote":
      return el(tag, { dir: "auto" });
    default:
      return el(tag);
  }
}

/** Where the children of a node go. */
function inner(element) {
  if (element.className === "code") return element.lastChild.firstChild;
  if (element.className === "table") return element.firstChild;
  return element;
}

function sameKind(before, now) {
  return before.tag === now.tag && JSON.stringify(before.attributes ?? {}) === JSON.stringify(now.attributes ?? {});
}

/** Makes the children of `parent`, from the node `first` on, those of `now`; they have been those of `before`. */
function patch(parent, first, before, now) {
  let dom = first;
  for (let index = 0; index < Math.max(before.length, now.length); index += 1) {
    const next = dom?.nextSibling ?? null;
    if (index >= now.length) dom.remove();
    else if (index >= before.length) parent.append(create(now[index]));
    else if (before[index] !== now[index]) {
      const [old, fresh] = [before[index], now[index]];
      if (typeof old === "string" && typeof fresh === "string") {
        if (fresh.startsWith(old)) dom.appendData(fresh.slice(old.length));
        else dom.data = fresh;
      } else if (typeof old !== "string" && typeof fresh !== "string" && sameKind(old, fresh)) {
        const content = inner(dom);
        patch(content, content.firstChild, old.children, fresh.children);
      } else {
        dom.replaceWith(create(fresh));
      }
    }
    dom = next;
  }
}

/** Shows a Markdown text that may grow. */
export class MarkdownView {
  element = el("div", { class: "markdown" });
  #growing = new GrowingMarkdown();
  #text = null;
  #open = false;
  /** How many of the element's children are final, and the nodes of those behind. */
  #final = 0;
  #tail = [];

  /** Shows the text; `open` while there is more to come. */
  update(text, open) {
    if (text === this.#text && open === this.#open) return;
    this.#text = text;
    this.#open = open;
    const { reset, settled, tail } = this.#growing.update(text, open);
    if (reset) {
      this.element.replaceChildren();
      this.#final = 0;
      this.#tail = [];
    }
    const now = [...settled, ...tail];
    patch(this.element, this.element.childNodes[this.#final] ?? null, this.#tail, now);
    this.#final += settled.length;
    this.#tail = tail;
  }
}
