// A menu that a button opens, by the pattern of the ARIA Authoring Practices: arrows move, Escape closes, and the focus goes back.

import { el, iconButton } from "./dom.js";

/** A button with a menu. `entries()` gives `{label, act, danger?}` each time it opens; null entries are left out. */
export function menuButton(label, iconName, entries, attributes = {}) {
  const button = iconButton(label, iconName, () => (button.getAttribute("aria-expanded") === "true" ? null : openMenu(button, label, entries())), {
    "aria-haspopup": "menu", "aria-expanded": "false", ...attributes,
  });
  return button;
}

function openMenu(button, label, entries) {
  const items = entries.filter(Boolean).map(({ label: text, act, danger }) =>
    el("button", {
      type: "button", role: "menuitem", tabindex: "-1", class: danger ? "danger" : null,
      onclick: () => {
        menu.hidePopover();
        act();
      },
    }, text),
  );
  const menu = el("div", {
    role: "menu", class: "menu", popover: "auto", "aria-label": label,
    onkeydown: (event) => {
      const index = items.indexOf(document.activeElement);
      const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key];
      if (event.key === "Tab") menu.hidePopover();
      if (to === undefined) return;
      event.preventDefault();
      items.at(to % items.length).focus();
    },
    ontoggle: (event) => {
      if (event.newState !== "closed") return;
      button.setAttribute("aria-expanded", "false");
      menu.remove();
    },
  }, ...items);
  document.body.append(menu);
  menu.showPopover();
  button.setAttribute("aria-expanded", "true");
  const place = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  menu.style.left = `${Math.max(8, Math.min(place.right - width, window.innerWidth - width - 8))}px`;
  menu.style.top = `${place.bottom + height + 8 > window.innerHeight ? Math.max(8, place.top - height - 4) : place.bottom + 4}px`;
  items[0].focus();
}
