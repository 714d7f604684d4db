// Markdown in blocks: paragraphs, headings, lists, quotes, tables, code. Gives nodes `{tag, attributes?, children}` as inline.js does.
// Three things of CommonMark are left out on purpose, because models mean something else by them: headings that are underlined (a `---`
// is a line), code that is only indented, and HTML, which stays text.

import { parseInline } from "./inline.js";

// None of these may take more than linear time, whatever the line: nothing in them can match the same characters in two ways.
const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?= |$)/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:( +)(?=\S)| *$)/;
const TABLE_RULE_CELL = /^:?-+:?$/;
/** Deeper quotes and lists are text: nobody reads them, and a hostile text must not exhaust the stack. */
const MAX_DEPTH = 12;
/** What has more columns is no table, so that a line of `|` is not many nodes for each line that follows. */
const MAX_COLUMNS = 64;

/** Parses a whole text. With `open`, its end is still being written. */
export function parse(text, open = false) {
  return parseLines(split(text), 0, open).map(({ node }) => node);
}

function split(text) {
  return text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line).replaceAll("\t", "    "));
}

/** Parses lines into blocks, each with the line on which it begins. */
function parseLines(lines, depth, open) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at += 1;
      continue;
    }
    const { node, next } = parseBlock(lines, at, depth, open);
    blocks.push({ node, line: at });
    at = next;
  }
  return blocks;
}

function parseBlock(lines, at, depth, open) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return parseFence(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) {
    // The page has headings of its own above: those of an answer begin below them.
    const tag = `h${Math.min(6, heading[1].length + 2)}`;
    return { node: { tag, children: parseInline(headingText(line, heading[0].length), { open: open && at === lines.length - 1 }) }, next: at + 1 };
  }
  if (RULE.test(line)) return { node: { tag: "hr", children: [] }, next: at + 1 };
  if (depth < MAX_DEPTH && QUOTE.test(line)) return parseQuote(lines, at, depth, open);
  if (depth < MAX_DEPTH && isItem(line)) return parseList(lines, at, depth, open);
  if (isTable(lines, at, open)) return parseTable(lines, at, open);
  return parseParagraph(lines, at, depth, open);
}

/** What a heading says, without the `#` that may stand at its end too. */
function headingText(line, from) {
  const text = line.slice(from).trim();
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  return end === 0 || text[end - 1] === " " ? text.slice(0, end).trimEnd() : text;
}

function isItem(line) {
  const item = ITEM.exec(line);
  return item !== null && item[1].length < 4;
}

/** Whether a line ends the paragraph before it. */
function interrupts(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
  if (depth >= MAX_DEPTH) return false;
  if (QUOTE.test(line)) return true;
  const item = ITEM.exec(line);
  // A year at the beginning of a line begins no list, and neither does a sign alone.
  return (item !== null && item[1].length < 4 && item[3] !== undefined && (/^[-*+]|^1[.)]/.test(item[2]))) || isTable(lines, at, false);
}

function parseFence(lines, at, fence) {
  const indent = /^ */.exec(lines[at])[0].length;
  const closing = new RegExp(`^ {0,3}\\${fence[1][0]}{${fence[1].length},}[ ]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  const code = lines.slice(at + 1, end).map((line) => line.slice(Math.min(indent, /^ */.exec(line)[0].length)));
  const language = fence[2].trim().split(/\s/)[0];
  return { node: { tag: "pre", attributes: language ? { language } : {}, children: [code.join("\n")] }, next: end + 1 };
}

function parseQuote(lines, at, depth, open) {
  const inside = [];
  let end = at;
  for (; end < lines.length && lines[end].trim() !== ""; end += 1) {
    if (QUOTE.test(lines[end])) inside.push(lines[end].replace(QUOTE, ""));
    else if (inside.at(-1).trim() !== "" && !interrupts(lines, end, depth)) inside.push(lines[end]);
    else break;
  }
  return { node: { tag: "blockquote", children: parseLines(inside, depth + 1, open && end === lines.length).map(({ node }) => node) }, next: end };
}

function parseList(lines, at, depth, open) {
  const first = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first[2]);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (item === null || item[1].length > first[1].length + 1 || RULE.test(lines[end]) || /\d/.test(item[2]) !== ordered) break;
    const next = endOfItem(lines, end, item, depth);
    items.push(parseItem(lines.slice(end, next), item, depth, open && next === lines.length));
    end = next;
    // Blank lines may stand between items, and are behind the last one nobody's.
    while (end < lines.length && lines[end].trim() === "") end += 1;
  }
  const start = Number.parseInt(first[2], 10);
  const node = { tag: ordered ? "ol" : "ul", children: items };
  if (ordered && start !== 1) node.attributes = { start: String(start) };
  return { node, next: end };
}

function contentColumn(item) {
  const spaces = item[3]?.length ?? 1;
  return item[1].length + item[2].length + (spaces > 4 ? 1 : spaces);
}

/** The line behind an item: it holds what is indented like its text, and what goes on with its paragraph. */
function endOfItem(lines, at, item, depth) {
  const column = contentColumn(item);
  let blank = false;
  let fence = null;
  let end = at + 1;
  for (let line = at + 1; line < lines.length; line += 1) {
    const text = lines[line];
    if (text.trim() === "") {
      blank = true;
      continue;
    }
    const indent = /^ */.exec(text)[0].length;
    // Models often indent a list within a list by two, whatever stands before the text of the outer one.
    const within = indent >= column || (indent >= item[1].length + 2 && ITEM.test(text));
    const goesOn = !blank && fence === null && !ITEM.test(text) && !interrupts(lines, line, depth);
    if (!within && !goesOn) break;
    const mark = FENCE.exec(text.slice(Math.min(indent, column)));
    if (mark) fence = fence === null ? mark[1] : mark[1].startsWith(fence) ? null : fence;
    blank = false;
    end = line + 1;
  }
  return end;
}

function parseItem(lines, item, depth, open) {
  const column = contentColumn(item);
  const inside = [lines[0].slice(column), ...lines.slice(1).map((line) => line.slice(Math.min(column, /^ */.exec(line)[0].length)))];
  inside[0] = inside[0].replace(/^\[([ xX])\] /, (_, mark) => (mark === " " ? "☐ " : "☑ "));
  const children = parseLines(inside, depth + 1, open).map(({ node }) => node);
  // One paragraph alone, or before a list, stands in the item without being a paragraph.
  if (children[0]?.tag === "p" && !children.slice(1).some((child) => child.tag === "p")) children.splice(0, 1, ...children[0].children);
  return { tag: "li", children };
}

function cellsOf(line) {
  const inside = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Whether a table begins here: a line of cells, then one of dashes. While that is being written it is believed to come. */
function isTable(lines, at, open) {
  const line = lines[at];
  if (!line.includes("|")) return false;
  const rule = lines[at + 1];
  if (open && /^ {0,3}\|/.test(line) && cellsOf(line).length <= MAX_COLUMNS && (rule === undefined || (at + 2 === lines.length && /^[\s|:-]*$/.test(rule)))) return true;
  return rule !== undefined && rule.includes("-") && isTableRule(cellsOf(rule), cellsOf(line).length);
}

function isTableRule(cells, columns) {
  return columns <= MAX_COLUMNS && cells.length === columns && cells.every((cell) => TABLE_RULE_CELL.test(cell));
}

function parseTable(lines, at, open) {
  const rule = cellsOf(lines[at + 1] ?? "");
  const align = rule.map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  const columns = cellsOf(lines[at]).length;
  const row = (line, tag, last) => {
    const cells = cellsOf(line);
    return {
      tag: "tr",
      children: cells.slice(0, columns).map((cell, column) => ({
        tag,
        attributes: align[column] && align[column] !== "left" ? { align: align[column] } : {},
        children: parseInline(cell, { open: last && open }),
      })),
    };
  };
  const head = { tag: "thead", children: [row(lines[at], "th", at === lines.length - 1)] };
  const rows = [];
  let end = at + 2;
  for (; end < lines.length && lines[end].trim() !== ""; end += 1) {
    if (!lines[end].includes("|") && interrupts(lines, end, 0)) break;
    rows.push(row(lines[end], "td", end === lines.length - 1));
  }
  const node = { tag: "table", children: rows.length > 0 ? [head, { tag: "tbody", children: rows }] : [head] };
  return { node, next: end };
}

function parseParagraph(lines, at, depth, open) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !interrupts(lines, end, depth)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trimStart()).join("\n").trimEnd();
  return { node: { tag: "p", children: parseInline(text, { open: open && end === lines.length }) }, next: end };
}

/**
 * Parses a text that grows. What can change no more is parsed once and given once: only the last block is looked at again.
 */
export class GrowingMarkdown {
  #text = "";
  #settled = 0;

  /**
   * Takes the text as it stands now. Gives `{settled, tail}`: the blocks that have become final since the last time, and the one that may
   * still change; or, when the text is not the earlier one with more behind it, `reset: true` with everything from the beginning.
   */
  update(text, open) {
    // Compared as a whole, which costs next to nothing, unlike looking for a beginning.
    const reset = text.slice(0, this.#settled) !== this.#text.slice(0, this.#settled);
    if (reset) this.#settled = 0;
    this.#text = text;
    const lines = split(text.slice(this.#settled));
    const blocks = parseLines(lines, 0, open);
    // A block is final when the one behind it has a whole first line: half a line may still turn out to belong to the block before.
    let final = blocks.length - 1;
    if (final > 0 && blocks[final].line === lines.length - 1) final -= 1;
    final = Math.max(final, 0);
    if (final > 0) this.#settled += offsetOf(text.slice(this.#settled), blocks[final].line);
    return { reset, settled: blocks.slice(0, final).map(({ node }) => node), tail: blocks.slice(final).map(({ node }) => node) };
  }
}

function offsetOf(text, line) {
  let offset = 0;
  for (let passed = 0; passed < line; passed += 1) offset = text.indexOf("\n", offset) + 1;
  return offset;
}
