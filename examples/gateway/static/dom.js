// Small helpers for building the page. Text only ever becomes text: nothing here, or anywhere else, takes HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. `on…` attributes are listeners, `class` the class; null, undefined and false leave one out.
 * Children are nodes, or strings, which become text.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon of the sheet in index.html; a picture only, so screen readers skip it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon and says its label. */
export function iconButton(label, iconName, onclick, attributes = {}) {
  const { class: extra = "", ...others } = attributes;
  return el("button", { type: "button", class: `icon-button ${extra}`.trim(), "aria-label": label, title: label, onclick, ...others }, icon(iconName));
}

/** The element of index.html with that id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Says something to screen readers, once what they are saying is said. */
export function announce(text) {
  const status = byId("status");
  // A new node each time, because the same text again would be no change, and not be read.
  status.replaceChildren(el("p", {}, text));
}

/** Copies text and says so; where the browser refuses, says that. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
    return true;
  } catch {
    announce("The browser does not allow copying here.");
    return false;
  }
}

/** A copy button, which shows for a moment that it has copied what `text()` gives. */
export function copyButton(label, text) {
  const button = iconButton(label, "copy", async () => {
    if (!(await copyText(text()))) return;
    button.replaceChildren(icon("check"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1500);
  });
  return button;
}

/** Whether the page is so narrow that its side panes are drawers; the same widths as in style.css. */
export const narrow = {
  left: window.matchMedia("(max-width: 52rem)"),
  right: window.matchMedia("(max-width: 72rem)"),
};
