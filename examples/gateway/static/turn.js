// What a turn has said and done so far, as blocks in the order in which people read them. The same blocks are made of stored messages,
// so that an answer looks the same while it is written, after a reload, and a year later.

/**
 * The blocks of assistant and tool messages:
 * `{kind: "text" | "reasoning", messageId, text}` and `{kind: "tool", id, name, arguments, status?, text?, data?, durationMs?, approval?}`.
 */
export function blocksOf(messages) {
  const blocks = [];
  for (const message of messages) {
    for (const part of message.content) {
      if (part.type === "text" || part.type === "reasoning") append(blocks, part.type, message.id, part.text);
      else if (part.type === "toolCall") blocks.push({ kind: "tool", id: part.id, name: part.name, arguments: part.arguments });
      else if (part.type === "toolResult") complete(blocks, part);
      else append(blocks, "text", message.id, "*(Something that this page cannot show.)*");
    }
  }
  return blocks;
}

function append(blocks, kind, messageId, text) {
  const last = blocks.at(-1);
  if (last && last.kind === kind && last.messageId === messageId) last.text += text;
  else if (text !== "") blocks.push({ kind, messageId, text });
}

/** Gives a call its result. A later message may use a call's id again, so the last that has none yet is meant. */
function complete(blocks, { toolCallId, status, text, data, durationMs }) {
  const block = blocks.findLast((block) => block.kind === "tool" && block.id === toolCallId && block.status === undefined);
  if (block) Object.assign(block, { status, text, data, durationMs, approval: undefined });
}

/** The text of blocks alone, as somebody would copy it. */
export function textOf(blocks) {
  return blocks.filter((block) => block.kind === "text").map((block) => block.text).join("\n\n");
}

/** A turn that is being followed. */
export class TurnState {
  /** The number of the last event that was taken. */
  seq = 0;
  userMessage = null;
  blocks = [];
  /** Why the model is being asked again, while it is; null otherwise. */
  retry = null;
  /** The place among those that wait; null once it has begun. */
  position = null;
  /** Whether the terminal event was taken. */
  ended = false;

  constructor(turn) {
    this.turn = turn;
  }

  /** Takes an event, and says whether it changed anything. One that was taken before, or that nobody knows, does not. */
  apply(name, params) {
    if (name === "turnSnapshot") return this.#snapshot(params);
    if (name === "turnCompleted") return this.#completed(params);
    if (this.ended || params.seq <= this.seq) return false;
    this.seq = params.seq;
    if (name !== "retryScheduled") this.retry = null;
    switch (name) {
      case "turnQueued":
        this.turn = params.turn;
        this.position = params.position;
        return true;
      case "turnStarted":
        this.turn = params.turn;
        this.position = null;
        this.userMessage = params.userMessage;
        return true;
      case "messageDelta":
        append(this.blocks, "text", params.messageId, params.delta);
        return true;
      case "reasoningDelta":
        append(this.blocks, "reasoning", params.messageId, params.delta);
        return true;
      case "toolCallStarted":
        this.#tool(params.toolCall);
        return true;
      case "toolCallCompleted":
        complete(this.blocks, params);
        return true;
      case "approvalRequested":
        Object.assign(this.#tool(params.toolCall), { approval: "requested", options: params.options });
        return true;
      case "approvalResolved":
        this.#openCall(params.toolCallId).approval = params.option;
        return true;
      case "retryScheduled":
        this.retry = params;
        return true;
      case "quotaWarning":
        return true;
      default:
        return false;
    }
  }

  #openCall(id) {
    return this.blocks.findLast((block) => block.kind === "tool" && block.id === id && block.status === undefined) ?? {};
  }

  /** The call's block; whichever of its events comes first makes it. */
  #tool({ id, name, arguments: args }) {
    const known = this.#openCall(id);
    if (known.kind) return known;
    const block = { kind: "tool", id, name, arguments: args };
    this.blocks.push(block);
    return block;
  }

  /** The host cannot tell the events one by one: what is held is replaced, also by less. */
  #snapshot({ seq, turn, messages }) {
    if (this.ended) return false;
    this.seq = seq;
    this.turn = turn;
    this.retry = null;
    this.userMessage = messages.find((message) => message.id === turn.userMessageId) ?? this.userMessage;
    this.blocks = blocksOf(messages.filter((message) => message.role !== "user"));
    return true;
  }

  #completed({ seq, turn, message }) {
    if (this.ended) return false;
    this.ended = true;
    this.seq = Math.max(this.seq, seq);
    this.turn = turn;
    this.retry = null;
    this.position = null;
    for (const block of this.blocks) if (block.kind === "tool") block.approval = undefined;
    // The terminal event's message is the truth: what is held of it is replaced where it says anything else.
    if (message) {
      const said = message.content.filter((part) => part.type === "text").map((part) => part.text).join("");
      const held = this.blocks.filter((block) => block.kind === "text" && block.messageId === message.id);
      if (held.map((block) => block.text).join("") !== said) {
        this.blocks = this.blocks.filter((block) => !held.includes(block));
        append(this.blocks, "text", message.id, said);
      }
    }
    return true;
  }
}
