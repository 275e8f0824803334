import assert from "node:assert/strict";
import fc from "fast-check";
import { dataOf, SseSplitter } from "./sse_splitter.ts";

Deno.test("SseSplitter.push() gives the same events however the stream is cut, and loses nothing", () => {
  const event = fc.tuple(
    fc.constantFrom("\n\n", "\r\n\r\n"),
    fc.array(fc.constantFrom("data: x", ": ping", "event: e"), { minLength: 1 }),
  )
    .map(([end, lines]) => lines.join(end.slice(end.length / 2)) + end);
  fc.assert(fc.property(fc.array(event), fc.array(fc.nat(20)), (events, cuts) => {
    const text = events.join("");
    const splitter = new SseSplitter();
    const found: string[] = [];
    let at = 0;
    for (const cut of cuts) {
      found.push(...splitter.push(text.slice(at, at + cut)));
      at += cut;
    }
    found.push(...splitter.push(text.slice(at)));
    assert.equal(found.join("") + splitter.rest, text);
    assert.deepEqual(found.map(dataOf), events.map(dataOf));
  }));
});

Deno.test("dataOf() joins lines, and has nothing for a comment", () => {
  assert.equal(dataOf("data: a\ndata: b\n\n"), "a\nb");
  assert.equal(dataOf("event: e\r\ndata:c\r\n\r\n"), "c");
  assert.equal(dataOf(": ping\n\n"), null);
});
