// The side panes. On a narrow page they are drawers: closed, they are out of everybody's way, and open, nothing else can be reached.

import { byId, narrow } from "./dom.js";

class Drawer {
  constructor(pane, button, media, drawers) {
    Object.assign(this, { pane, button, media, drawers });
    this.isOpen = false;
    button.addEventListener("click", () => this.set(true));
    pane.querySelector(".closes").addEventListener("click", () => this.set(false));
    media.addEventListener("change", () => this.set(false, false));
  }

  /** Opens or closes it; `focus` says whether the focus goes along. */
  set(open, focus = true) {
    const wasOpen = this.isOpen;
    this.isOpen = open && this.media.matches;
    this.pane.classList.toggle("open", this.isOpen);
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    this.drawers.update();
    if (this.isOpen) this.pane.querySelector(".closes").focus();
    else if (wasOpen && focus) this.button.focus();
  }
}

export class Drawers {
  constructor() {
    this.all = [];
    this.all.push(new Drawer(byId("conversations"), byId("open-left"), narrow.left, this));
    this.all.push(new Drawer(byId("bots"), byId("open-right"), narrow.right, this));
    byId("shade").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open], .menu")) this.close();
    });
    this.update();
  }

  /** Closes whichever is open. */
  close() {
    for (const drawer of this.all) if (drawer.isOpen) drawer.set(false);
  }

  update() {
    const open = this.all.find((drawer) => drawer.isOpen);
    byId("shade").hidden = !open;
    byId("main").inert = Boolean(open);
    document.querySelector(".bar").inert = Boolean(open);
    for (const drawer of this.all) drawer.pane.inert = drawer.media.matches && drawer !== open;
  }
}
