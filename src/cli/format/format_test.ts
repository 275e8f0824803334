import assert from "node:assert/strict";
import { formatAge, formatDuration } from "./duration.ts";
import { formatGraph, type RunGraphView } from "./graph_text.ts";
import type { GraphNodeView, PlanNodeView } from "./graph_tree.ts";
import { isNews, LiveBlock, progressLines, stepLine } from "./progress_view.ts";
import { RunProgress } from "./run_progress.ts";
import { ANSI, PLAIN, stripStyle } from "./style.ts";
import { formatTable } from "./table.ts";
import { fitText, safeText, textWidth } from "./text_width.ts";

Deno.test("formatDuration() picks the unit that people read", () => {
  const cases = [
    [0, "0 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [9_949, "9.9 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 m"],
    [125_000, "2 m 5 s"],
    [3_840_000, "1 h 4 m"],
    [266_400_000, "3 d 2 h"],
  ] as const;
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  assert.equal(formatAge(1_000, 1_500), "just now");
  assert.equal(formatAge(1_000, 61_000), "1 m ago");
});

Deno.test("textWidth() counts wide characters twice and colours not at all", () => {
  assert.equal(textWidth("aé日本"), 6);
  assert.equal(textWidth("e\u0301"), 1);
  assert.equal(textWidth(ANSI.red("ab")), 2);
  assert.equal(fitText("日本語", 4), "日…");
  assert.equal(fitText("abc", 3), "abc");
  assert.equal(safeText("a\nb\x1b[2J"), "a⏎b�[2J");
});

Deno.test("formatTable() cuts the widest column that may be cut until the table fits", () => {
  const columns = [{ title: "id" }, { title: "name", min: 4 }, { title: "n", align: "right" as const }];
  const rows = [["0123456789", "a very long name indeed", "5"], ["1", "b", "12"]];
  const table = formatTable(columns, rows, { width: 24, style: PLAIN });
  assert.equal(table, ["id          name       n", "0123456789  a very …   5", "1           b         12"].join("\n"));
  assert(table.split("\n").every((line) => textWidth(line) <= 24));
  const wide = formatTable(columns, rows, { width: 5, style: PLAIN });
  assert.equal(wide.split("\n")[1], "0123456789  a v…   5");
});

Deno.test("formatTable() keeps what comes from elsewhere on its line", () => {
  const table = formatTable([{ title: "x" }], [["a\nb\x1b[31m"]], { width: 80, style: PLAIN });
  assert.equal(table, "x\na⏎b�[31m");
});

const PLAN: readonly PlanNodeView[] = [
  { key: "__sequential_1", kind: "sequential", parent: -1 },
  { key: "list", kind: "operation", parent: 0 },
  { key: "each", kind: "map", parent: 0 },
  { key: "__sequential_2", kind: "sequential", parent: 2 },
  { key: "read", kind: "operation", parent: 3 },
  { key: "measure", kind: "operation", parent: 3 },
  { key: "check", kind: "conditional", parent: 0 },
  { key: "yes", kind: "operation", parent: 6, branch: "then" },
  { key: "no", kind: "operation", parent: 6, branch: "else" },
];

function node(key: string, status: string, more: Partial<GraphNodeView> = {}): GraphNodeView {
  return {
    key,
    kind: "operation",
    operationId: `op.${key.replace(/\[.*/, "")}`,
    title: null,
    parent: null,
    status,
    attempts: 1,
    startedAt: 1_000,
    completedAt: status === "completed" || status === "failed" ? 1_010 : null,
    ...more,
  };
}

const GRAPH: RunGraphView = {
  runId: "run-1",
  workflow: "report",
  status: "running",
  nodes: [
    node("each", "running", { kind: "map", operationId: null, attempts: 3 }),
    node("list", "completed", { attempts: 2 }),
    ...[0, 1, 2].map((item) => node(`read[${item}]`, "completed", { parent: "__sequential_2" })),
    node("measure[0]", "completed", { parent: "__sequential_2" }),
    node("measure[1]", "failed", { error: { code: "BAD", message: "no\nway" } }),
    node("measure[2]", "running"),
    node("yes", "idle", { attempts: 0, startedAt: null }),
    node("no", "skipped", { attempts: 0, startedAt: null }),
  ],
};

Deno.test("formatGraph() draws the tree of containers and folds the items of a Map", () => {
  const text = formatGraph(GRAPH, PLAN, { width: 100, style: PLAIN });
  const lines = text.split("\n").map((line) => line.replace(/ {2,}(mean .*|\d+ ms)$/, ""));
  assert.deepEqual(lines, [
    "report  run-1  running",
    "├ ✓ list  op.list 2 attempts",
    "├ ✗ each  map ×3",
    "│ ├ ✓ read ×3: 3 ✓  op.read",
    "│ └ ✗ measure ×3: 1 ✓ 1 ✗ 1 ▸  op.measure",
    "│     measure[1] BAD: no⏎way",
    "└ · check  conditional",
    "  ├ · yes  op.yes",
    "  └ – else no  op.no",
  ]);
  assert.match(text, /list .* 10 ms$/m);
  assert.match(text, /read ×3.* mean 10 ms, max 10 ms$/m);
});

Deno.test("formatGraph() knows Maps even without a plan, and fits a narrow terminal", () => {
  const text = formatGraph(GRAPH, null, { width: 40, style: ANSI });
  assert.match(stripStyle(text), /each {2}map ×3[\s\S]*│? [├└] ✓ read ×3/);
  const head = text.split("\n").slice(1);
  assert(head.every((line) => textWidth(line) <= 40), text);
  assert.equal(formatGraph({ ...GRAPH, nodes: [] }, [], { width: 40, style: PLAIN }), "report  run-1  running");
});

Deno.test("RunProgress.apply() counts a step's items, retries and failures, and takes no event twice", () => {
  const progress = new RunProgress(PLAN);
  let seq = 0;
  const apply = (type: string, key?: string, more: object = {}) =>
    progress.apply({ type, seq: ++seq, at: 1_000 + seq * 10, ...(key !== undefined && { key }), ...more });
  assert.equal(apply("run.created"), null);
  assert.equal(apply("map.expanded", "each", { count: 3 }), null);
  assert.equal(apply("call.requested", "read[0]", { operationId: "fs.read" })?.expected, 3);
  apply("call.error", "read[0]", { retryAt: 2_000 });
  apply("call.requested", "read[0]", { operationId: "fs.read" });
  apply("call.responded", "read[0]");
  apply("call.requested", "read[1]", { operationId: "fs.read" });
  const last = apply("call.error", "read[1]", { retryAt: null });
  const { running, completed, failed, retries, expected, operationId } = last ?? {};
  assert.deepEqual({ running, completed, failed, retries, expected, operationId }, {
    running: 0,
    completed: 1,
    failed: 1,
    retries: 1,
    expected: 3,
    operationId: "fs.read",
  });
  assert.equal(progress.apply({ type: "call.requested", seq: 3, at: 1, key: "late" }), null);
  assert.deepEqual([progress.lastSeq, progress.elapsedMs, progress.steps().length], [8, 70, 1]);
  const [line] = progressLines(progress, { width: 80, style: PLAIN });
  assert.equal(line, "▸ read fs.read ━━━━━━━━━━━━━━━━━━━━━━━━ 2/3 1 retried 1 failed");
  assert(progressLines(progress, { width: 20, style: ANSI }).every((text) => textWidth(text) <= 20));
});

Deno.test("isNews() tells of a start, each quarter and the end", () => {
  const step = {
    key: "a",
    operationId: null,
    running: 0,
    completed: 0,
    failed: 0,
    retries: 0,
    expected: 8,
    firstAt: 0,
    lastAt: 5,
  };
  const told = Array.from(
    { length: 9 },
    (_, completed) =>
      isNews(
        { ...step, completed, running: completed === 0 ? 1 : 0 },
        completed === 0 ? "call.requested" : "call.responded",
      ),
  );
  assert.deepEqual(told, [true, false, true, false, true, false, true, false, true]);
  assert.equal(isNews({ ...step, completed: 2, running: 1 }, "call.requested"), false);
  assert.equal(stepLine({ ...step, expected: 1, completed: 1 }, 3, PLAIN), "✓ a    5 ms");
});

Deno.test("LiveBlock.draw() moves up over what it drew before", () => {
  const written: string[] = [];
  const block = new LiveBlock((text) => written.push(text));
  block.draw(["a", "b"]);
  block.draw(["c"]);
  block.clear();
  assert.deepEqual(written, ["\x1b[2Ka\n\x1b[2Kb\n\x1b[0J", "\x1b[2A\x1b[2Kc\n\x1b[0J", "\x1b[1A\x1b[0J"]);
});
