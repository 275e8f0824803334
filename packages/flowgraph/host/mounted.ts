import { compile } from "../compile/compile.ts";
import { createElement, type Element, type Tag } from "../element.ts";
import type { CompiledPlan } from "../plan.ts";

/** An element as a host holds it. */
export interface Mounted {
  readonly tag: Tag;
  readonly props: Readonly<Record<string, unknown>>;
  readonly children: Mounted[];
}

/** Compiles what is mounted now. @throws TemplateError */
export function compileMounted(mounted: readonly Mounted[]): CompiledPlan {
  return compile({ name: "template", template: mounted.map(elementOf) });
}

/** Text has no meaning in a workflow. */
export function refuseText(text: string): never {
  throw new TypeError(`Cannot render text in a workflow, only components: current value is "${text}"`);
}

function elementOf({ tag, props, children }: Mounted): Element {
  return createElement(tag, props, children.map(elementOf));
}
