// Unit tests of the page's Markdown; run by `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseInline, safeAddress } from "../static/inline.js";
import { GrowingMarkdown, parse } from "../static/markdown.js";

/** Nodes as short text: `p(a em(b))`. */
function brief(nodes) {
  return nodes
    .map((node) => {
      if (typeof node === "string") return node;
      const attributes = Object.entries(node.attributes ?? {}).map(([name, value]) => `[${name}=${value}]`);
      return `${node.tag}${attributes.join("")}(${brief(node.children)})`;
    })
    .join("");
}

const cases = [
  ["paragraphs", "One\ntwo\n\nthree", "p(One\ntwo)p(three)"],
  ["line breaks", "One  \ntwo\\\nthree", "p(Onebr()twobr()three)"],
  ["headings below the page's own", "# A #\n###### B\n####### C\n#D", "h3(A)h6(B)p(####### C\n#D)"],
  ["emphasis", "*a* **b** ***c*** _d_ __e__ ~~f~~ ~g~", "p(em(a) strong(b) em(strong(c)) em(d) strong(e) del(f) ~g~)"],
  ["emphasis in emphasis", "**a *b* c** *d **e** f*", "p(strong(a em(b) c) em(d strong(e) f))"],
  ["what is no emphasis", "5 * 3 * 2, snake_case_name, \\*a\\*, * b *, **", "p(5 * 3 * 2, snake_case_name, *a*, * b *, **)"],
  ["unclosed emphasis", "**a *b", "p(**a *b)"],
  ["code", "`a*b*` ``c`d`` ` e` `f", "p(code(a*b*) code(c`d) code( e) `f)"],
  ["links", "[a *b*](https://x.org/p_(q) 'title') <mailto:me@x.org>", "p(a[href=https://x.org/p_(q)](a em(b)) a[href=mailto:me@x.org](me@x.org))"],
  ["bare addresses", "See https://x.org/a_b. (https://x.org)", "p(See a[href=https://x.org/a_b](https://x.org/a_b). (a[href=https://x.org](https://x.org)))"],
  ["images are links", "![A cat](https://x.org/c.png)[![badge](https://x.org/b.png)](https://x.org)", "p(a[href=https://x.org/c.png](A cat)a[href=https://x.org](badge))"],
  ["links to elsewhere are text", "[a](javascript:alert(1)) [b](data:text/html,x) [c](/local) [d](JaVaScRiPt:x)", "p(a b c d)"],
  ["HTML is text", "<script>alert(1)</script>\n\n<b onclick=x>y</b> <!-- z -->", "p(<script>alert(1)</script>)p(<b onclick=x>y</b> <!-- z -->)"],
  ["entities", "&lt;b&gt; &amp; &#65; &#x1F600; &nosuch; &#0;", "p(<b> & A 😀 &nosuch; \ufffd)"],
  ["lists", "- a\n- b\n  - c\n\n    d\n- e", "ul(li(a)li(bul(li(p(c)p(d))))li(e))"],
  ["ordered lists", "3. a\n4. b\n\n   c\n\nd", "ol[start=3](li(a)li(p(b)p(c)))p(d)"],
  ["lists as models write them", "1. **A**:\n  - b\n  - c\n2. D", "ol(li(strong(A):ul(li(b)li(c)))li(D))"],
  ["tasks", "- [ ] a\n- [x] b", "ul(li(☐ a)li(☑ b))"],
  ["two kinds of lists", "- a\n\n1. b", "ul(li(a))ol(li(b))"],
  ["a year begins no list", "It was in\n1999. Then", "p(It was in\n1999. Then)"],
  ["code in a list", "- a\n  ```js\n  let b;\n\n  c\n  ```\n- d", "ul(li(apre[language=js](let b;\n\nc))li(d))"],
  ["quotes", "> a\n> > b\nlazy\n\nc", "blockquote(p(a)blockquote(p(b\nlazy)))p(c)"],
  ["fences", "```py\na = '''\n  b\n```\n~~~~\n```\n~~~~\nc", "pre[language=py](a = '''\n  b)pre(```)p(c)"],
  ["a fence that nothing closes", "```\na\n\n# b", "pre(a\n\n# b)"],
  ["rules", "a\n---\nb\n***\n- - -", "p(a)hr()p(b)hr()hr()"],
  [
    "tables",
    "| a | b |\n|:-:|--:|\n| `1` | 2\\|3 |\n| x |\n\nend",
    "table(thead(tr(th[align=center](a)th[align=right](b)))tbody(tr(td[align=center](code(1))td[align=right](2|3))tr(td[align=center](x))))p(end)",
  ],
  ["what is no table", "a | b\nc | d", "p(a | b\nc | d)"],
  ["CRLF", "# a\r\n\r\n- b\r\n- c\r\n", "h3(a)ul(li(b)li(c))"],
];
for (const [name, text, expected] of cases) test(name, () => assert.equal(brief(parse(text)), expected));

test("addresses", () => {
  for (const good of ["https://x.org", "HTTP://x.org/a?b#c", "mailto:a@b.c"]) assert.equal(safeAddress(good), good);
  for (const bad of ["javascript:x", "java\nscript:x", " \u0001javascript:x", "data:x", "vbscript:x", "//x.org", "/x", "x.html", "file:///x", "https:x", ""]) assert.equal(safeAddress(bad), null);
});

test("while it is written, signs that have not ended do not flash by", () => {
  const open = (text) => brief(parse(text, true));
  assert.equal(open("a **bo"), "p(a strong(bo))");
  assert.equal(open("a **"), "p(a)");
  assert.equal(open("a `co"), "p(a code(co))");
  assert.equal(open("[text](https://exam"), "p(text)");
  assert.equal(open("| a | b"), "table(thead(tr(th(a)th(b))))");
  assert.equal(open("| a | b |\n|--"), "table(thead(tr(th(a)th(b))))");
  assert.equal(brief(parse("a **bo")), "p(a **bo)");
});

/** How many milliseconds of the processor's time something takes, however busy the machine is. */
function cost(work) {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return Math.round((user + system) / 1000);
}

/** A generator of numbers below `bound` that always gives the same. */
function chance(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test("a text that grows in any pieces ends as the text at once", () => {
  const pieces = [...cases.map(([, text]) => text), "\n", "\n\n", "- ", "1. ", "2", "> ", "```\n", "|", "--|--\n", "**", "_", "`", "[", "](", ")", "  ", "#", " ", "a", "<script>"];
  for (let seed = 1; seed <= 300; seed += 1) {
    const next = chance(seed);
    const text = Array.from({ length: 12 }, () => pieces[next(pieces.length)]).join(next(2) ? "\n" : "");
    const growing = new GrowingMarkdown();
    const held = [];
    let tail = [];
    for (let end = 0; end < text.length; ) {
      end = Math.min(text.length, end + 1 + next(7));
      const update = growing.update(text.slice(0, end), end < text.length);
      assert.equal(update.reset, false);
      held.push(...update.settled);
      tail = update.tail;
    }
    assert.deepEqual([...held, ...tail], parse(text), JSON.stringify(text));
  }
});

test("a text that is replaced begins anew", () => {
  const growing = new GrowingMarkdown();
  growing.update("a\n\nb\n\nc", true);
  const update = growing.update("x\n\ny", true);
  assert.equal(update.reset, true);
  assert.equal(brief([...update.settled, ...update.tail]), "p(x)p(y)");
});

test("no text takes longer than its length", () => {
  const hostile = ["*a ", "_a *b ", "a* ", "**", "[", "[a](", "![", "`", "``` ", "<", "&", "> ", "- ", "1. ", "# ", "|", "| - ", "~~~", "((", "\\", "    ", "https://a.b/))", "[a](b", "- a\n", "> a\n", "  - a\n", "a|b\n", "*_~~"];
  for (const piece of hostile) {
    for (const text of [piece.repeat(Math.ceil(60_000 / piece.length)), `${piece.repeat(Math.ceil(30_000 / piece.length))}x${piece.trim().split("").reverse().join("").repeat(5000)}`]) {
      const milliseconds = cost(() => [parse(text), parse(text, true)]);
      assert.ok(milliseconds < 1000, `${JSON.stringify(piece)} took ${milliseconds} ms`);
    }
  }
  const pairs = [["[a", "](x y"], ["[", "]("], ["[a](", ")"], ["![", "](https://a.b)"], ["[", "](https://a.b)"], ["<", ">"], ["(", ")"]];
  for (const [before, after] of pairs) {
    const text = before.repeat(10_000) + after.repeat(10_000);
    const milliseconds = cost(() => [parse(text), parse(text, true)]);
    assert.ok(milliseconds < 1000, `${JSON.stringify([before, after])} took ${milliseconds} ms`);
  }
  // A row has no more cells than are written, and a table not too many columns.
  const wide = (columns) => `${"|".repeat(columns + 1)}\n${"|-".repeat(columns)}|\n${"|\n".repeat(2000)}`;
  assert.equal(parse(wide(65))[0].tag, "p");
  const [, body] = parse(wide(64))[0].children;
  assert.equal(body.children.length, 2000);
  assert.ok(body.children.every((row) => row.children.length === 1));
  assert.ok(parseInline(`${"[".repeat(20_000)}a${"](b)".repeat(20_000)}`).length > 0);
});

test("a long answer in small pieces is not parsed again and again", () => {
  const text = "Some *words* in a paragraph, and `code`.\n\n".repeat(5000);
  const growing = new GrowingMarkdown();
  const milliseconds = cost(() => {
    for (let end = 50; end < text.length; end += 50) growing.update(text.slice(0, end), true);
  });
  assert.ok(milliseconds < 2000, `${milliseconds} ms`);
});
