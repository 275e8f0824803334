import assert from "node:assert/strict";
import fc from "fast-check";
import { CallError } from "../mod.ts";
import { encodeBody } from "./encode_body.ts";
import { encodeHeaders, encodePath, encodeQuery, type Parameter } from "./encode_parameters.ts";
import { eventData, ServerSentEvents } from "./server_sent_events.ts";

function parameter(name: string, place: Parameter["in"], more: Partial<Parameter> = {}): Parameter {
  const style = place === "query" || place === "cookie" ? "form" : "simple";
  return { property: name, name, in: place, style, explode: style === "form", json: false, ...more };
}

Deno.test("encodeQuery() follows style and explode", () => {
  const cases: [Partial<Parameter>, unknown, string][] = [
    [{}, "a b&c", "q=a b&c"],
    [{}, 0, "q=0"],
    [{}, [1, 2], "q=1|q=2"],
    [{ explode: false }, [1, 2], "q=1,2"],
    [{ style: "pipeDelimited", explode: false }, [1, 2], "q=1|2"],
    [{ style: "spaceDelimited", explode: false }, [1, 2], "q=1 2"],
    [{}, { a: 1, b: undefined, c: { d: 1 } }, `a=1|c={"d":1}`],
    [{ explode: false }, { a: 1, b: 2 }, "q=a,1,b,2"],
    [{ style: "deepObject" }, { a: { b: [1, 2] }, c: 3 }, "q[a][b]=1|q[a][b]=2|q[c]=3"],
    [{ json: true }, { a: [1] }, `q={"a":[1]}`],
    [{}, undefined, ""],
  ];
  for (const [more, value, wanted] of cases) {
    const query = encodeQuery([parameter("q", "query", more), parameter("id", "path")], { q: value, id: 1 });
    assert.equal([...new URLSearchParams(query)].map((pair) => pair.join("=")).join("|"), wanted);
  }
});

Deno.test("encodePath() keeps every value in its segment", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (value) => {
    fc.pre(value !== "." && value !== "..");
    const path = encodePath("/a/{id}/b", [parameter("id", "path")], { id: value });
    const segments = new URL(`https://x${path}`).pathname.split("/");
    assert.deepEqual([segments.length, segments[1], segments[3]], [4, "a", "b"]);
    assert.equal(decodeURIComponent(segments[2] ?? ""), value);
  }));
});

Deno.test("encodePath() throws for what would be another path", () => {
  for (const id of [".", "..", "", undefined]) {
    assert.throws(() => encodePath("/a/{id}", [parameter("id", "path")], { id }), CallError);
  }
  assert.equal(encodePath("/{id}", [parameter("id", "path")], { id: ["a/b", 1] }), "/a%2Fb,1");
  assert.equal(encodePath("/{id}", [parameter("id", "path")], { id: "$&" }), "/%24%26");
});

Deno.test("encodeHeaders() writes headers, and one cookie header", () => {
  const parameters = [parameter("X-A", "header"), parameter("s", "cookie"), parameter("t", "cookie")];
  assert.deepEqual(encodeHeaders(parameters, { "X-A": [1, 2], s: "a;b", t: 1 }), {
    "X-A": "1,2",
    cookie: "s=a%3Bb; t=1",
  });
  assert.deepEqual(encodeHeaders(parameters, {}), {});
});

Deno.test("encodeBody() writes JSON, forms, parts, text and bytes", async () => {
  const read = (mediaType: string, value: unknown) => {
    const { body, contentType } = encodeBody(mediaType, value);
    return new Response(body, contentType === undefined ? {} : { headers: { "content-type": contentType } });
  };
  assert.deepEqual(await read("application/merge-patch+json", [1]).json(), [1]);
  const form = await read("application/x-www-form-urlencoded", { a: "x y", b: [1, 2], c: undefined }).text();
  assert.equal(form, "a=x+y&b=1&b=2");
  const parts = await read("multipart/form-data", { a: { b: 1 }, file: new Uint8Array([1, 2]) }).formData();
  assert.equal(parts.get("a"), `{"b":1}`);
  const file = parts.get("file");
  assert.deepEqual(file instanceof File && [file.name, file.size], ["file", 2]);
  assert.equal(await read("text/plain", "ü").text(), "ü");
  assert.equal(await read("text/plain", 5).text(), "5");
  assert.deepEqual(await read("application/octet-stream", new Uint8Array([7])).bytes(), new Uint8Array([7]));
  assert.throws(() => encodeBody("multipart/form-data", "text"), CallError);
});

Deno.test("ServerSentEvents reads the same events however the text is cut, whatever ends its lines", () => {
  const data = fc.array(fc.stringMatching(/^[a-z: ]{0,6}$/), { minLength: 1, maxLength: 3 });
  fc.assert(fc.property(
    fc.array(data, { maxLength: 5 }),
    fc.constantFrom("\n", "\r\n", "\r"),
    fc.array(fc.nat(5), { minLength: 1, maxLength: 9 }),
    (events, end, cuts) => {
      const wire = "\uFEFF" +
        events.map((lines) => `id: 1${end}${lines.map((line) => `data: ${line}${end}`).join("")}${end}`).join("");
      const parser = new ServerSentEvents();
      const found: string[] = [];
      for (let at = 0, turn = 0; at < wire.length; turn++) {
        const size = (cuts[turn % cuts.length] ?? 0) + 1;
        found.push(...parser.push(wire.slice(at, at + size)));
        at += size;
      }
      found.push(...parser.end());
      assert.deepEqual(found, events.map((lines) => lines.join("\n")));
    },
  ));
});

Deno.test("ServerSentEvents throws for an event without end", () => {
  const parser = new ServerSentEvents();
  const piece = `data: ${"x".repeat(4 * 1024 * 1024)}\n`;
  assert.throws(() => {
    for (let count = 0; count < 5; count++) parser.push(piece);
  }, RangeError);
});

Deno.test("eventData() keeps characters whole that arrive in two pieces, and drops an event that has no end", async () => {
  const bytes = new TextEncoder().encode("data: ü\n\ndata: lost");
  const stream = ReadableStream.from([bytes.subarray(0, 7), bytes.subarray(7)]);
  assert.deepEqual(await Array.fromAsync(eventData(stream)), ["ü"]);
});
