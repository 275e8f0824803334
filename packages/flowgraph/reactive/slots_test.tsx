import assert from "node:assert/strict";
import fc from "fast-check";
import { compile } from "../compile/compile.ts";
import { Operation, Parallel, Sequential } from "../component/mod.ts";
import type { Template } from "../element.ts";
import { templateDag } from "../host/template_dag.ts";
import { WorkflowReactiveRoot } from "./workflow_reactive_root.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
let requests = 0;

const op = (key: string): Template => <Operation name={`x.${key}`} key={key} />;
const rootOf = (template: Template) => new WorkflowReactiveRoot(templateDag(compile({ name: "t", template })));

function start(root: WorkflowReactiveRoot, key: string): string {
  const requestId = `r${requests++}`;
  root.nodeKeyToRequestId.set(key, requestId);
  root.append({ type: "call.requested", requestId, operationId: key, input: null, timestamp });
  return requestId;
}

function complete(root: WorkflowReactiveRoot, key: string, requestId = start(root, key)): void {
  root.append({ type: "call.responded", requestId, output: null, timestamp });
}

const keysWith = (root: WorkflowReactiveRoot, ...wanted: string[]) =>
  [...root.statusMap].filter(([, { value }]) => wanted.includes(value)).map(([key]) => key);

Deno.test("WorkflowReactiveRoot lets at most maxConcurrency branches be ready or running (6.15)", () => {
  const root = rootOf(<Parallel maxConcurrency={2}>{["a", "b", "c", "d"].map(op)}</Parallel>);
  assert.deepEqual([keysWith(root, "ready"), keysWith(root, "waiting")], [["a", "b"], ["c", "d"]]);
  const a = start(root, "a");
  assert.deepEqual(keysWith(root, "ready"), ["b"]);
  root.append({ type: "call.error", requestId: a, error: { code: "X", message: "" }, timestamp });
  assert.deepEqual(keysWith(root, "ready"), ["b", "c"]);
  root.abortNode("b");
  assert.deepEqual(keysWith(root, "ready"), ["c", "d"]);
});

Deno.test("a branch keeps its place until its last node has ended, and an outer limit holds inner ones", () => {
  const root = rootOf(
    <Parallel maxConcurrency={1}>
      <Sequential>
        <Parallel maxConcurrency={1}>
          {op("a")}
          {op("b")}
        </Parallel>
        {op("c")}
      </Sequential>
      {op("d")}
    </Parallel>,
  );
  for (const key of ["a", "b", "c", "d"]) {
    assert.deepEqual(keysWith(root, "ready", "running"), [key]);
    complete(root, key);
  }
  assert.equal(root.getAggregateStatus(), "completed");
});

Deno.test("a call that is made without a place takes one, also when the log is projected anew", () => {
  const template = <Parallel maxConcurrency={1}>{["a", "b", "c"].map(op)}</Parallel>;
  const root = rootOf(template);
  const b = start(root, "b");
  complete(root, "a");
  assert.deepEqual([keysWith(root, "running"), keysWith(root, "ready")], [["b"], []]);
  root.render(templateDag(compile({ name: "t", template })));
  assert.deepEqual([keysWith(root, "running"), keysWith(root, "ready")], [["b"], []]);
  complete(root, "b", b);
  assert.deepEqual(keysWith(root, "ready"), ["c"]);
});

Deno.test("every branch is done in the end, and never too many at once, in whatever order they end", () => {
  const nat = fc.nat();
  fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(nat, { minLength: 1, maxLength: 9 }), (max, picks) => {
    const branches = picks.map((_, at) => (
      <Sequential>
        {op(`a${at}`)}
        {op(`b${at}`)}
      </Sequential>
    ));
    const root = rootOf(<Parallel maxConcurrency={max}>{branches}</Parallel>);
    for (let step = 0; !root.isComplete(); step++) {
      const ready = keysWith(root, "ready");
      assert.ok(ready.length > 0 && ready.length <= max, `${ready.length} of ${max}`);
      const branchesAtWork = new Set([...ready, ...keysWith(root, "running")].map((key) => key.slice(1)));
      assert.ok(branchesAtWork.size <= max);
      complete(root, ready[(picks[step % picks.length] ?? 0) % ready.length] ?? "");
    }
  }));
});
