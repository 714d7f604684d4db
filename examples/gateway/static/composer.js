// Where messages are written. A `/` at the beginning shows the commands that there are.

import { announce, byId, el } from "./dom.js";
import { read, write } from "./tab.js";

export class Composer {
  #form = byId("composer");
  #input = byId("input");
  #list = byId("commands");
  #usage = byId("usage");
  #send = byId("send");
  #stop = byId("stop");
  #commands = null;
  #shown = [];
  #chosen = -1;
  #busy = false;
  #loading = true;
  /** Whether somebody has sent a message while it was not known where it goes: then it goes as soon as that is known. */
  #hurried = false;

  /** `send(text)`, `stop()`, `commands()` which gives what listCommands lists. */
  constructor({ send, stop, commands }) {
    Object.assign(this, { onSend: send, onStop: stop, loadCommands: commands });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#stop.addEventListener("click", () => this.onStop());
    this.#input.addEventListener("input", () => this.#changed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("blur", () => this.#close());
    // Before this Enter would have begun a new line.
    this.#input.disabled = false;
  }

  /** Shows what was being written before the page was loaded: whoever goes away to sign in finds it again. */
  restore() {
    if (this.text === "") this.text = read("draft") ?? "";
  }

  get text() {
    return this.#input.value;
  }

  set text(text) {
    this.#input.value = text;
    this.#changed();
  }

  focus() {
    this.#input.focus();
  }

  /** What is offered may have changed: it is asked for again when it is needed. */
  forgetCommands() {
    this.#commands = null;
  }

  /** Whether an answer is being written, whether it can be stopped, and whether it is not known yet where a message would go. */
  setBusy({ busy, stoppable, loading }) {
    const focused = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#busy = busy;
    this.#loading = loading;
    this.#stop.hidden = !stoppable;
    this.#send.hidden = stoppable;
    this.#updateSend();
    if (focused) (stoppable ? this.#stop : this.#input).focus();
    if (!loading && this.#hurried) {
      this.#hurried = false;
      this.#submit();
    }
  }

  #updateSend() {
    this.#send.disabled = this.#busy || this.#input.value.trim() === "";
  }

  #submit() {
    const { value } = this.#input;
    if (value.trim() === "") return undefined;
    if (this.#loading) {
      this.#hurried = true;
      return undefined;
    }
    if (this.#busy) return announce("An answer is being written. Wait for it, or stop it.");
    this.text = "";
    return this.onSend(value);
  }

  async #changed() {
    const { value } = this.#input;
    write("draft", value || null);
    this.#updateSend();
    // Where the browser cannot fit the field to its text (`field-sizing`), it is fitted here.
    if (!CSS.supports("field-sizing", "content")) {
      this.#input.style.height = "auto";
      this.#input.style.height = `${this.#input.scrollHeight}px`;
    }
    if (!value.startsWith("/")) return this.#close();
    if (this.#commands === null) {
      this.#commands = [];
      try {
        this.#commands = await this.loadCommands();
      } catch {
        // A menu is a help only: what is wrong is told when a message is sent.
        this.#commands = null;
      }
    }
    return this.#suggest();
  }

  #suggest() {
    const { value } = this.#input;
    const commands = this.#commands ?? [];
    const written = /^\/(\S*)(\s?)/.exec(value);
    if (!written) return this.#close();
    const known = commands.find(({ name }) => name === written[1]);
    this.#usage.textContent = known && written[2] ? known.usage : "";
    this.#shown = written[2] ? [] : commands.filter(({ name }) => name.startsWith(written[1].toLowerCase()));
    if (this.#shown.length === 0) return this.#close(true);
    this.#list.replaceChildren(
      ...this.#shown.map(({ name, description }, index) =>
        el(
          "li",
          {
            role: "option", id: `command-${index}`, "aria-selected": "false",
            onmousedown: (event) => event.preventDefault(),
            onclick: () => this.#complete(index),
          },
          el("code", {}, `/${name}`), " ", el("span", {}, description),
        ),
      ),
    );
    if (this.#list.hidden) announce(`${this.#shown.length} commands. Up and down choose.`);
    this.#list.hidden = false;
    // A textarea cannot have the role `combobox`; these say the same of a text box.
    this.#input.setAttribute("aria-controls", "commands");
    this.#input.setAttribute("aria-autocomplete", "list");
    return this.#choose(0);
  }

  #choose(index) {
    this.#chosen = (index + this.#shown.length) % this.#shown.length;
    [...this.#list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.#chosen)));
    this.#list.children[this.#chosen].scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", `command-${this.#chosen}`);
  }

  #complete(index) {
    this.text = `/${this.#shown[index].name} `;
    this.focus();
  }

  #close(keepUsage = false) {
    this.#list.hidden = true;
    this.#chosen = -1;
    if (!keepUsage) this.#usage.textContent = "";
    for (const name of ["aria-activedescendant", "aria-controls", "aria-autocomplete"]) this.#input.removeAttribute(name);
  }

  #key(event) {
    if (event.isComposing) return;
    const open = !this.#list.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) this.#choose(this.#chosen + (event.key === "ArrowDown" ? 1 : -1));
    else if (open && event.key === "Escape") this.#close();
    else if (open && event.key === "Tab" && !event.shiftKey) this.#complete(this.#chosen);
    else if (event.key === "Enter" && !event.shiftKey) {
      // What is written out is meant: only a beginning is completed.
      if (open && this.text !== `/${this.#shown[this.#chosen].name}`) this.#complete(this.#chosen);
      else {
        this.#close();
        this.#submit();
      }
    } else return;
    event.preventDefault();
  }
}
