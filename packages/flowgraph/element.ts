/** Tag of a template element. */
export type Tag =
  | "approval"
  | "conditional"
  | "loop"
  | "map"
  | "operation"
  | "parallel"
  | "race"
  | "sequential"
  | "signal"
  | "sleep"
  | "sleepuntil"
  | "workflow";

/** One element of a template. JSON, unless a prop is a function. */
export interface Element {
  readonly type: Tag;
  readonly props: Readonly<Record<string, unknown>>;
  readonly children: readonly Element[];
}

/** What may stand for elements in TSX. Null, undefined and booleans are dropped, arrays flattened. */
export type Template = Element | null | undefined | boolean | readonly Template[];

/** A function from props to elements. It is called at once; `key` is among its props. */
export type Component<Props> = (props: Props) => Template;

/** Makes a frozen element. Undefined props are dropped. */
export function createElement(type: Tag, props: object, children?: Template): Element {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(props)) {
    if (value !== undefined && name !== "children") kept[name] = value;
  }
  return Object.freeze({ type, props: Object.freeze(kept), children: Object.freeze(flattenTemplate(children)) });
}

/** The elements of a template, in order. Strings and other strangers stay in, for the compiler to complain of. */
export function flattenTemplate(template: Template): Element[] {
  const elements: Element[] = [];
  collect(template, elements);
  return elements;
}

function collect(template: Template, into: Element[]): void {
  if (template === null || template === undefined || typeof template === "boolean") return;
  if (isList(template)) { for (const item of template) collect(item, into); }
  else into.push(template);
}

function isList(template: Template): template is readonly Template[] {
  return Array.isArray(template);
}
