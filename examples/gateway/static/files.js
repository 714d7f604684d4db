// Conversations as files: given to the person as a download, and taken from a file of theirs.

import { ApiError, callPatiently } from "./api.js";
import { el } from "./dom.js";

/** A longer file is not even read; how long one may really be, the server says. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

const KINDS = {
  markdown: { ending: "md", type: "text/markdown" },
  jsonl: { ending: "jsonl", type: "application/jsonl" },
};

/** Gives a conversation to the person as a file: `markdown` to be read, `jsonl` to be imported. */
export async function download(conversationId, title, format) {
  const pieces = [];
  let cursor;
  do {
    const page = await callPatiently("exportConversation", { conversationId, format, ...(cursor ? { cursor } : {}) });
    pieces.push(page.data);
    cursor = page.nextCursor;
  } while (cursor);
  const { ending, type } = KINDS[format];
  const address = URL.createObjectURL(new Blob(pieces, { type }));
  const name = title.replace(/[^\p{L}\p{N} ._-]+/gu, " ").replace(/^[ .]+|[ .]+$/g, "").slice(0, 80) || "conversation";
  const link = el("a", { href: address, download: `${name}.${ending}` });
  link.click();
  // Some browsers come for the file only later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Asks for a file and gives the conversation that is made of it; null when the person chooses none. */
export function upload() {
  return new Promise((resolve, reject) => {
    const input = el("input", { type: "file", accept: ".jsonl,application/jsonl" });
    input.addEventListener("cancel", () => resolve(null));
    input.addEventListener("change", async () => {
      try {
        const [file] = input.files;
        if (file.size > MAX_FILE_BYTES) throw new ApiError("The file is too long.", { code: "inputTooLarge", limit: MAX_FILE_BYTES });
        const data = await file.text();
        resolve((await callPatiently("importConversation", { data, clientRequestId: crypto.randomUUID() })).conversation);
      } catch (error) {
        reject(error);
      }
    });
    input.click();
  });
}
