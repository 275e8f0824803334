import assert from "node:assert/strict";
import { Operation, Parallel, Sequential } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { ref } from "../reference.ts";
import { TemplateError } from "../template_error.ts";
import { compile } from "./compile.ts";

const op = (key: string, reads?: string) => (
  <Operation name="core.echo" key={key} {...(reads !== undefined && { input: { value: ref(reads) } })} />
);

function problems(template: Template): readonly string[] {
  try {
    compile({ name: "t", template });
    return [];
  } catch (error) {
    assert.ok(error instanceof TemplateError);
    return error.problems.map(({ code }) => code);
  }
}

const siblings = (limit: number) => (
  <Parallel maxConcurrency={limit}>
    <Sequential>{op("a1")}{op("a2", "d")}</Sequential>
    {op("d", "a1")}
    {op("e")}
  </Parallel>
);

const across = (limit: number) => (
  <Parallel>
    <Parallel maxConcurrency={limit}>
      <Sequential>{op("a1")}{op("a2", "d")}</Sequential>
      {op("b")}
    </Parallel>
    <Parallel maxConcurrency={limit}>
      <Sequential>{op("c1")}{op("c2", "b")}</Sequential>
      {op("d")}
    </Parallel>
  </Parallel>
);

Deno.test("compile() refuses siblings of a limited Parallel that wait for each other's insides", () => {
  assert.deepEqual(problems(siblings(1)), ["slot-deadlock"]);
  assert.deepEqual(problems(siblings(3)), []);
});

Deno.test("compile() refuses limited Parallels whose children wait for places in each other", () => {
  assert.deepEqual(problems(across(1)), ["slot-deadlock"]);
  assert.deepEqual(problems(across(2)), []);
});

Deno.test("compile() takes children of a limited Parallel that wait one way", () => {
  const template = (
    <Parallel maxConcurrency={1}>
      <Sequential>{op("a1")}{op("a2", "b")}</Sequential>
      {op("b")}
    </Parallel>
  );
  assert.deepEqual(problems(template), []);
});

Deno.test("compile() looks for it in wide templates without a long wait", () => {
  const children = Array.from(
    { length: 3_000 },
    (_, i) => <Sequential key={`s${i}`}>{op(`a${i}`)}{op(`b${i}`, i === 0 ? "out" : `a${i - 1}`)}</Sequential>,
  );
  const template = (
    <Parallel>
      {op("out")}
      <Parallel maxConcurrency={2}>{children}</Parallel>
    </Parallel>
  );
  const begin = performance.now();
  assert.deepEqual(problems(template), []);
  assert.ok(performance.now() - begin < 5_000);
});
