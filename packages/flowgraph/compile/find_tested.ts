import { nearestName } from "../nearest_name.ts";
import { type Draft, pointer, type Problems } from "./draft.ts";

/**
 * The key of the node that a Conditional's string `test` means: the node of that key, else the operation of that id that
 * stands nearest before the Conditional, else the first one after it.
 */
export function findTested(
  index: number,
  name: string,
  context: {
    readonly drafts: readonly Draft[];
    readonly byKey: ReadonlyMap<string, number>;
    readonly problems: Problems;
  },
): string {
  const { drafts, byKey } = context;
  if (byKey.has(name)) return name;
  const end = drafts[index]?.end ?? index + 1;
  let inside: Draft | undefined;
  let found: Draft | undefined;
  for (let i = 0; i < drafts.length; i++) {
    const draft = drafts[i];
    if (!draft || draft.tag !== "operation" || draft.props.name !== name) continue;
    if (i > index && i < end) inside ??= draft;
    else if (i < index || !found) found = draft;
  }
  const tested = found ?? inside;
  if (tested) return tested.key;
  const names = drafts.flatMap((draft) =>
    draft.tag === "operation" ? [draft.key, String(draft.props.name)] : [draft.key]
  );
  const suggestion = nearestName(name, names);
  const place = drafts[index]?.place ?? null;
  context.problems.add(
    pointer(place, "props", "test"),
    "unknown-reference",
    `"test" names "${name}", which is neither a node's key nor an operation of this template` +
      (suggestion ? `: did you mean "${suggestion}"?` : ""),
    { node: drafts[index]?.key ?? "", ...(suggestion !== undefined && { suggestion }) },
  );
  return name;
}
