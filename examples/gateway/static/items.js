// What stands in the conversation: questions and answers in their order. Each has a key that stays the same while it is written and when it is
// stored, so that it is the same element that grows.

import { endingSentence } from "./errors.js";
import { blocksOf } from "./turn.js";

/**
 * Questions `{key, message, pending?}` and answers `{key, turnId, blocks, messages?, live?}`: of what is stored (`messages`, oldest first), of
 * the turn that is being followed (`live`), and of the message that is on its way (`pending`). `turns` are those whose end is known, by id.
 */
export function itemsOf({ messages, live, turns, pending }) {
  const items = [];
  // What the turn that is followed has said is known better than what is stored of it.
  const stored = live ? messages.filter((message) => message.turnId !== live.turn.id || message.role === "user") : [...messages];
  if (live?.userMessage && !stored.some((message) => message.id === live.userMessage.id)) stored.push(live.userMessage);
  for (const message of stored) {
    const last = items.at(-1);
    if (message.role === "user") items.push({ key: message.id, message });
    else if (last?.messages && last.turnId === message.turnId) last.messages.push(message);
    else items.push({ key: `answer-${message.turnId}`, turnId: message.turnId, messages: [message] });
  }
  for (const item of items) if (item.messages) item.blocks = visible(blocksOf(item.messages), item.messages[0].local);
  const last = items.at(-1);
  if (live) items.push(liveItem(live));
  else if (last?.message && endingSentence(turns.get(last.message.turnId) ?? {})) {
    // A turn that failed before anything was said has no message, but something to say.
    items.push({ key: `answer-${last.message.turnId}`, turnId: last.message.turnId, blocks: [] });
  }
  if (pending) items.push({ key: pending.id, message: pending, pending: pending.waiting || "Sending …" });
  return items;
}

/** The answer that is being written. */
export function liveItem(live) {
  return { key: `answer-${live.turn.id}`, turnId: live.turn.id, blocks: visible(live.blocks, live.turn.local), live };
}

/** A command's answer says what its tool has said: the call itself need not be seen. */
function visible(blocks, local) {
  return local ? blocks.filter((block) => block.kind !== "tool" || block.approval) : blocks;
}
