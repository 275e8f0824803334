import type { Tag } from "../element.ts";
import { nearestName } from "../nearest_name.ts";
import { quote } from "../quote.ts";
import { type Draft, type Place, pointer, type Problems } from "./draft.ts";
import { isRecord, ROOT_PROPS, TAG_RULES } from "./prop_rules.ts";

/** Deepest nesting of elements. */
export const MAX_DEPTH = 100;

/** A template read: drafts in pre-order, and what the root says of the whole. */
export interface ReadTemplate {
  readonly drafts: Draft[];
  readonly output: unknown;
  readonly failurePolicy: unknown;
  readonly budget: unknown;
  /** For operations that say nothing of their own. */
  readonly retry: unknown;
  readonly timeout: unknown;
}

interface Reading {
  readonly drafts: Draft[];
  readonly problems: Problems;
}

const NO_PROPS: Readonly<Record<string, unknown>> = Object.freeze({});
const TAGS: ReadonlySet<string> = new Set(Object.keys(TAG_RULES));

/** Flattens a template to drafts, checking every tag and prop. */
export function readTemplate(template: unknown, problems: Problems): ReadTemplate {
  const reading: Reading = { drafts: [], problems };
  const elements = flatten(template);
  const [first] = elements;
  const place: Place = { parent: null, steps: [] };
  if (elements.length !== 1) {
    readWrapper(reading, elements, place, -1, null, 0, false);
    const nothing = { output: undefined, failurePolicy: undefined, budget: undefined };
    return { drafts: reading.drafts, ...nothing, retry: undefined, timeout: undefined };
  }
  const props = isRecord(first) && isRecord(first.props) ? first.props : NO_PROPS;
  if (isRecord(first) && first.type === "workflow" && props.name === undefined) readRoot(reading, first, place);
  else readElement(reading, first, place, -1, null, 0);
  const { output, failurePolicy, budget, retry, timeout } = props;
  return { drafts: reading.drafts, output, failurePolicy, budget, retry, timeout };
}

/** `<Workflow>` without a name at the root is the sequence of its children. */
function readRoot(reading: Reading, element: Record<string, unknown>, place: Place): void {
  const props = isRecord(element.props) ? element.props : NO_PROPS;
  readElement(reading, { ...element, type: "sequential", props }, place, -1, null, 0);
}

function readElement(
  reading: Reading,
  element: unknown,
  place: Place,
  parent: number,
  branch: Draft["branch"],
  depth: number,
): void {
  const { problems } = reading;
  if (!isRecord(element)) {
    problems.add(
      pointer(place),
      "bad-child",
      `Cannot use ${quote(element)} as an element: want {type, props, children}`,
    );
    return;
  }
  const { type } = element;
  if (!isTag(type)) {
    const suggestion = typeof type === "string" ? nearestName(type, TAGS) : undefined;
    const hint = suggestion ? `: did you mean "${suggestion}"?` : `: want one of ${[...TAGS].join(", ")}`;
    problems.add(
      pointer(place, "type"),
      "unknown-tag",
      `Unknown element type ${quote(type)}${hint}`,
      suggested(suggestion),
    );
    return;
  }
  if (depth > MAX_DEPTH) {
    problems.add(pointer(place), "too-deep", `Elements are nested more than ${MAX_DEPTH} deep`);
    return;
  }
  for (const name in element) {
    if (name !== "type" && name !== "props" && name !== "children") {
      problems.add(
        pointer(place, name),
        "unknown-prop",
        `Unknown property "${name}" of an element: want type, props and children`,
      );
    }
  }
  const props = readProps(element.props, type, place, parent === -1, problems);
  const index = reading.drafts.length;
  const draft: Draft = { tag: type, props, parent, end: index + 1, branch, place, wrapper: false, key: "" };
  reading.drafts.push(draft);
  readChildren(reading, type, element.children, props, place, index, depth);
  draft.end = reading.drafts.length;
}

function readChildren(
  reading: Reading,
  tag: Tag,
  raw: unknown,
  props: Readonly<Record<string, unknown>>,
  place: Place,
  index: number,
  depth: number,
): void {
  if (raw !== undefined && !Array.isArray(raw)) {
    reading.problems.add(
      pointer(place, "children"),
      "wrong-type",
      `"children" must be a list of elements, not ${quote(raw)}`,
    );
    return;
  }
  const children: readonly unknown[] = raw ?? [];
  if (!TAG_RULES[tag].children) {
    if (children.length > 0) {
      reading.problems.add(pointer(place, "children"), "bad-child", `A ${tag} takes no children`);
    }
    return;
  }
  if (tag === "map" || tag === "loop" || tag === "conditional") {
    const branch = tag === "conditional" ? "then" : null;
    if (children.length === 1) readElement(reading, children[0], child(place, 0), index, branch, depth + 1);
    else readWrapper(reading, children, place, index, branch, depth + 1, true);
    if (props.else !== undefined && props.else !== null) readElse(reading, props.else, place, index, depth + 1);
    return;
  }
  for (let i = 0; i < children.length; i++) readElement(reading, children[i], child(place, i), index, null, depth + 1);
}

function readElse(reading: Reading, otherwise: unknown, place: Place, index: number, depth: number): void {
  const below: Place = { parent: place, steps: ["props", "else"] };
  if (!Array.isArray(otherwise)) readElement(reading, otherwise, below, index, "else", depth);
  else readWrapper(reading, flatten(otherwise), below, index, "else", depth, true);
}

/** Puts a `sequential` of the compiler's own around elements. */
function readWrapper(
  reading: Reading,
  children: readonly unknown[],
  place: Place,
  parent: number,
  branch: Draft["branch"],
  depth: number,
  wrapper: boolean,
): void {
  const index = reading.drafts.length;
  const draft: Draft = { tag: "sequential", props: NO_PROPS, parent, end: 0, branch, place, wrapper, key: "" };
  reading.drafts.push(draft);
  for (let i = 0; i < children.length; i++) readElement(reading, children[i], child(place, i), index, null, depth + 1);
  draft.end = reading.drafts.length;
}

function readProps(
  raw: unknown,
  tag: Tag,
  place: Place,
  isRoot: boolean,
  problems: Problems,
): Readonly<Record<string, unknown>> {
  if (raw === undefined) raw = NO_PROPS;
  if (!isRecord(raw)) {
    problems.add(pointer(place, "props"), "wrong-type", `"props" must be an object, not ${quote(raw)}`);
    return NO_PROPS;
  }
  const rules = TAG_RULES[tag];
  for (const name in raw) {
    const value = raw[name];
    if (value === undefined) continue;
    const rule = rules.props[name] ?? (isRoot && Object.hasOwn(ROOT_PROPS, name) ? ROOT_PROPS[name] : undefined);
    if (!rule) {
      const suggestion = nearestName(name, Object.keys(rules.props));
      const hint = suggestion ? `: did you mean "${suggestion}"?` : `: want ${Object.keys(rules.props).join(", ")}`;
      const of = Object.hasOwn(ROOT_PROPS, name) ? `a ${tag} that is not the root` : tag;
      problems.add(
        pointer(place, "props", name),
        "unknown-prop",
        `Unknown prop "${name}" of ${of}${hint}`,
        suggested(suggestion),
      );
      continue;
    }
    const wanted = rule(value);
    if (wanted) {
      problems.add(pointer(place, "props", name), "wrong-type", `"${name}" must be ${wanted}, not ${quote(value)}`);
    }
  }
  for (const name of rules.required) {
    if (raw[name] === undefined) {
      problems.add(pointer(place, "props", name), "missing-prop", `"${name}" of ${tag} is missing`);
    }
  }
  if (tag === "conditional") {
    if (raw.when === undefined && raw.test === undefined) {
      problems.add(pointer(place, "props"), "missing-prop", '"when" of conditional is missing (or "test" instead)');
    } else if (raw.when !== undefined && raw.test !== undefined) {
      problems.add(pointer(place, "props"), "missing-prop", 'A conditional takes one of "when" and "test", not both');
    }
  }
  return raw;
}

function child(place: Place, index: number): Place {
  return { parent: place, steps: ["children", String(index)] };
}

/** Nested arrays and the nothings of TSX disappear at the top; deeper, elements have been flattened when made. */
function flatten(template: unknown): unknown[] {
  if (template === null || template === undefined || typeof template === "boolean") return [];
  return Array.isArray(template) ? template.flatMap(flatten) : [template];
}

function isTag(type: unknown): type is Tag {
  return typeof type === "string" && TAGS.has(type);
}

function suggested(suggestion: string | undefined): { suggestion?: string } {
  return suggestion === undefined ? {} : { suggestion };
}
