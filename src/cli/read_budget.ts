import { parseDuration } from "@alkdev/flowgraph";
import { usageError } from "./cli_error.ts";

const KINDS: Readonly<Record<string, string>> = {
  calls: "calls",
  tokens: "tokens",
  cost: "costMicros",
  costMicros: "costMicros",
  wall: "wallMs",
  wallMs: "wallMs",
  depth: "depth",
};

/** `calls=100,wall=5m` as a budget; null: none was given. */
export function readBudget(texts: readonly string[]): Readonly<Record<string, number>> | null {
  const parts = texts.flatMap((text) => text.split(","));
  if (parts.length === 0) return null;
  return Object.fromEntries(parts.map((part) => {
    const [name = "", limit = ""] = part.split("=", 2);
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    const bare = /^\d{1,15}$/.test(limit) ? Number(limit) : null;
    const amount = kind === "wallMs" ? bare ?? parseDuration(limit) : bare;
    if (kind === undefined || amount === null) {
      throw usageError(
        `--budget "${part}" wants calls, tokens, costMicros, wall or depth = a whole number (wall also 5m)`,
      );
    }
    return [kind, amount];
  }));
}
