import assert from "node:assert/strict";
import { Conditional, Map, Operation, Parallel, Sequential } from "./component/mod.ts";
import { Fragment } from "./jsx_runtime.ts";
import type { Element, Template } from "./element.ts";
import { ref } from "./reference.ts";

Deno.test("jsx() makes plain frozen JSON, without nothings, fragments and nested lists", () => {
  const no = false;
  const template = (
    <Sequential>
      {null}
      {no && <Operation name="x.no" />}
      <Fragment>
        <Operation name="x.a" key="a" input={{ v: ref("b").c }} />
        {[<Operation key="b" name="x.b" />, undefined]}
      </Fragment>
    </Sequential>
  );
  assert.equal(
    JSON.stringify(template),
    '{"type":"sequential","props":{},"children":[' +
      '{"type":"operation","props":{"name":"x.a","input":{"v":{"$ref":"nodes.b.c"}},"key":"a"},"children":[]},' +
      '{"type":"operation","props":{"name":"x.b","key":"b"},"children":[]}]}',
  );
  const element = template as Element;
  for (const part of [element, element.props, element.children, element.children[0]]) assert(Object.isFrozen(part));
});

Deno.test("jsx() calls component functions, and gives their element the key", () => {
  function Twice({ name, children }: { name: string; children?: Template }): Template {
    return (
      <Parallel>
        <Operation name={name} />
        {children}
      </Parallel>
    );
  }
  const template = (
    <Twice key="both" name="x.a">
      <Operation name="x.b" />
    </Twice>
  );
  assert.deepEqual(template, {
    type: "parallel",
    props: { key: "both" },
    children: [
      { type: "operation", props: { name: "x.a" }, children: [] },
      { type: "operation", props: { name: "x.b" }, children: [] },
    ],
  });
});

Deno.test("Conditional puts several elements of else into a sequential", () => {
  const template = (
    <Conditional
      when="true"
      else={
        <>
          <Operation name="x.a" />
          <Operation name="x.b" />
        </>
      }
    />
  );
  const otherwise = (template as Element).props.else as Element;
  assert.deepEqual([otherwise.type, otherwise.children.length], ["sequential", 2]);
});

Deno.test("components refuse wrong props when TSX is checked", () => {
  // @ts-expect-error: unknown prop
  <Operation name="x" inptu={{}} />;
  // @ts-expect-error: missing prop
  <Map over={[]} />;
  // @ts-expect-error: wrong type
  <Parallel maxConcurrency="2" />;
  // @ts-expect-error: unknown tag
  <sequence />;
  // @ts-expect-error: an operation takes no children
  <Operation name="x">
    <Operation name="y" />
  </Operation>;
  // @ts-expect-error: text is no element
  <Sequential>text</Sequential>;
  assert.deepEqual(<operation name="x.a" />, { type: "operation", props: { name: "x.a" }, children: [] });
});
