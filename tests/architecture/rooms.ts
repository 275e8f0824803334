/** The import table of docs/architecture.md, as data. A room is named by its folder; the longest prefix that fits is a file's room. */

/** Room -> rooms it may import (besides itself). */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "packages/pubsub": [],
  "packages/keypal": [],
  "packages/taskgraph": [],
  "packages/client": [],
  "packages/operations": ["packages/pubsub"],
  "packages/flowgraph": ["packages/operations"],
  "packages/spoke": ["packages/operations", "packages/pubsub"],
  "packages/testing": ["engine", "packages/flowgraph", "packages/operations"],
  "engine": ["packages/flowgraph", "packages/operations", "packages/pubsub"],
  "workflows": ["packages/flowgraph", "packages/operations"],
  "src/config": ["src/crypto", "packages/operations"],
  "src/crypto": [],
  "src/logger": [],
  "src/system": ["engine"],
  "src/runs": ["engine", "packages/flowgraph", "packages/operations"],
  "src/sight": ["engine", "src/runs", "src/logger", "packages/flowgraph", "packages/operations"],
  "src/flow": ["engine", "src/runs", "packages/flowgraph", "packages/operations"],
  "src/otel": ["src/sight", "src/logger"],
  "src/templates": ["src/runs", "packages/flowgraph", "packages/operations"],
  "src/auth": ["src/runs", "packages/keypal", "packages/operations"],
  "src/egress": ["engine", "packages/operations"],
  "src/dispatch": ["engine", "src/egress", "src/runs", "packages/flowgraph", "packages/operations", "packages/pubsub"],
  "src/triggers": [
    "engine",
    "src/runs",
    "src/auth",
    "src/egress",
    "src/crypto",
    "packages/flowgraph",
    "packages/operations",
  ],
  "src/clients": ["engine", "src/runs", "src/dispatch", "src/egress", "src/crypto", "packages/operations"],
  "src/spokes": ["engine", "src/runs", "packages/operations", "packages/pubsub"],
  "src/peers": ["engine", "src/runs", "src/dispatch", "src/spokes", "packages/operations"],
  "src/budgets": ["engine", "src/runs", "packages/operations"],
  "src/coordination": ["engine", "src/runs", "packages/flowgraph", "packages/operations"],
  "src/tasks": ["src/runs", "packages/operations", "packages/taskgraph"],
  "src/roles": ["src/runs", "src/auth", "packages/operations"],
  "src/inference": ["engine", "src/runs", "src/budgets", "src/egress", "packages/flowgraph", "packages/operations"],
  "src/sessions": ["engine", "src/runs", "src/auth", "packages/flowgraph", "packages/operations"],
  "src/retention": ["engine", "src/runs", "packages/flowgraph", "packages/operations"],
  "src/redis": ["src/peers"],
  "src/storage": [
    "engine",
    "src/runs",
    "src/auth",
    "src/budgets",
    "src/clients",
    "src/crypto",
    "src/retention",
    "src/inference",
    "src/roles",
    "src/tasks",
    "src/sessions",
    "src/coordination",
    "src/sight",
    "src/flow",
    "src/spokes",
    "src/templates",
    "src/triggers",
    "packages/keypal",
    "packages/operations",
    "packages/flowgraph",
  ],
  "src/server": [
    "src/runs",
    "src/auth",
    "src/clients",
    "src/inference",
    "src/roles",
    "src/tasks",
    "src/sessions",
    "src/coordination",
    "src/flow",
    "src/sight",
    "src/triggers",
    "packages/operations",
    "packages/flowgraph",
  ],
  "src/mcp": ["src/runs", "src/auth", "packages/operations", "packages/flowgraph"],
  "src/viewer": ["packages/client"],
  "src/cli": [
    "src/config",
    "src/logger",
    "src/spokes",
    "src/templates",
    "workflows",
    "packages/flowgraph",
    "packages/operations",
    "packages/spoke",
    "packages/client",
    "src/main.ts",
  ],
};

/** Files that may import anything: they put the parts together. */
export const COMPOSITION: readonly string[] = ["src/main.ts", "src/hub"];

/** Third-party package (prefix) -> rooms that may import it. */
export const WALLS: Readonly<Record<string, readonly string[]>> = {
  "hono": ["src/server", "src/mcp"],
  "@modelcontextprotocol/": ["src/mcp", "packages/operations/from_mcp"],
  "jose": ["src/auth"],
  "croner": ["src/triggers"],
  "drizzle-orm": ["src/storage", "packages/keypal/drizzle"],
  "drizzle-typebox": ["src/storage"],
  "pg": ["src/storage"],
  "@electric-sql/pglite": ["src/storage"],
  "ioredis": ["src/redis", "packages/pubsub"],
  "graphology": ["packages/flowgraph", "packages/taskgraph"],
  "@marcbachmann/cel-js": ["packages/flowgraph"],
  "@logtape/logtape": ["src/logger"],
  "gpt-tokenizer": ["src/inference"],
  "re2js": ["packages/operations"],
  "@opentelemetry/": ["src/otel"],
};

/** What the runtime-agnostic rooms must not mention. */
export const RUNTIME_FREE: readonly string[] = ["packages/", "engine"];

export function roomOf(path: string): string | null {
  let best: string | null = null;
  for (const room of Object.keys(ROOMS)) {
    if ((path === room || path.startsWith(`${room}/`)) && room.length > (best?.length ?? 0)) best = room;
  }
  return best;
}
