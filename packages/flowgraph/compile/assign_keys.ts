import { quote } from "../quote.ts";
import { type Draft, pointer, type Problems } from "./draft.ts";

const KEY = /^(?!__)[A-Za-z_][A-Za-z0-9_-]{0,127}$/;

/**
 * Gives every draft its key and returns the index by key. Given keys are kept. The others come from what a node calls
 * (`core.echo` -> `core_echo`) or its tag (`__parallel_1`), numbered by place, passing over given keys.
 */
export function assignKeys(drafts: readonly Draft[], problems: Problems): Map<string, number> {
  const byKey = new Map<string, number>();
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i];
    const given = draft?.props.key;
    if (!draft || given === undefined) continue;
    draft.key = String(given);
    if (typeof given !== "string" || !KEY.test(given)) {
      problems.add(
        pointer(draft.place, "props", "key"),
        "bad-key",
        `"key" must start with a letter or "_" (not "__") and hold letters, digits, "_" and "-", at most 128, not ${
          quote(given)
        }`,
      );
    } else if (byKey.has(given)) {
      const first = drafts[byKey.get(given) ?? 0];
      problems.add(
        pointer(draft.place, "props", "key"),
        "duplicate-key",
        `Key "${given}" is taken by the ${first?.tag} at "${pointer(first?.place ?? null)}": keys must be unique`,
        { node: given },
      );
    } else byKey.set(given, i);
  }
  const counts = new Map<string, number>();
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i];
    if (!draft || draft.key !== "") continue;
    draft.key = nextKey(keyBase(draft), counts, byKey);
    byKey.set(draft.key, i);
  }
  return byKey;
}

function nextKey(base: string, counts: Map<string, number>, taken: ReadonlyMap<string, number>): string {
  const synthetic = base.startsWith("__");
  let count = counts.get(base) ?? 0;
  let key: string;
  do {
    count++;
    key = count === 1 && !synthetic ? base : `${base}_${count}`;
  } while (taken.has(key));
  counts.set(base, count);
  return key;
}

function keyBase(draft: Draft): string {
  switch (draft.tag) {
    case "operation":
    case "workflow":
    case "signal":
      return sanitize(String(draft.props.name ?? draft.tag));
    case "approval":
      return sanitize(String(draft.props.name ?? "approval"));
    case "sleep":
    case "sleepuntil":
      return "sleep";
    default:
      return draft.wrapper ? "__steps" : `__${draft.tag}`;
  }
}

function sanitize(name: string): string {
  const base = name.slice(0, 100).replace(/[^A-Za-z0-9_-]/g, "_").replace(/^_+/, "");
  return /^[A-Za-z]/.test(base) ? base : `op_${base}`;
}
