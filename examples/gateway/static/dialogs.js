// Questions that the page asks, in modal dialogs: the browser keeps the focus within and gives it back.

import { el } from "./dom.js";
import { sentence } from "./errors.js";

/**
 * Shows a form and gives what `submit(values)` gives, or null when the person does not want it. `fields` are
 * `{name, label, value, multiline?, required?, maxlength?, hint?}`; while `submit` fails, the dialog says why and stays.
 */
export function askForm({ title, text, fields = [], action, danger = false, submit = (values) => values }) {
  return new Promise((resolve) => {
    const inputs = fields.map((field) => {
      const input = el(field.multiline ? "textarea" : "input", {
        name: field.name, required: field.required, maxlength: field.maxlength, rows: field.multiline ? "5" : undefined, autocomplete: "off",
      });
      input.value = field.value ?? "";
      return input;
    });
    const problem = el("p", { class: "problem", role: "alert" });
    const confirm = el("button", { class: danger ? "danger" : "primary" }, action);
    let result = null;
    const dialog = el(
      "dialog",
      { "aria-labelledby": "dialog-title", onclose: () => finish() },
      el(
        "form",
        { onsubmit: (event) => send(event) },
        el("h2", { id: "dialog-title" }, title),
        text ? el("p", {}, text) : null,
        ...fields.map((field, index) => el("label", {}, el("span", {}, field.label), inputs[index], field.hint ? el("small", {}, field.hint) : null)),
        problem,
        el("div", { class: "row end" }, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"), confirm),
      ),
    );
    async function send(event) {
      event.preventDefault();
      problem.textContent = "";
      confirm.disabled = true;
      try {
        result = await submit(Object.fromEntries(inputs.map((input) => [input.name, input.value])));
        dialog.close();
      } catch (error) {
        problem.textContent = sentence(error);
      } finally {
        confirm.disabled = false;
      }
    }
    function finish() {
      dialog.remove();
      resolve(result);
    }
    document.body.append(dialog);
    dialog.showModal();
    (inputs[0] ?? confirm).focus();
    inputs[0]?.select();
  });
}
