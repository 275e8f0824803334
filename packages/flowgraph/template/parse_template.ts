import { assignKeys } from "../compile/assign_keys.ts";
import { Problems } from "../compile/draft.ts";
import { isRecord } from "../compile/prop_rules.ts";
import { readTemplate } from "../compile/read_template.ts";
import { createElement, type Element, type Template } from "../element.ts";
import type { Problem } from "../problem.ts";

/** What {@linkcode parseTemplate} gives: a template, or what is wrong with it. */
export type ParsedTemplate =
  | { readonly template: Template; readonly problems: readonly [] }
  | { readonly template: null; readonly problems: readonly Problem[] };

/**
 * Reads a template from JSON strictly: every element's tag, props and key. What depends on other nodes or on operations,
 * such as references, is for `compile` and `validate` to check.
 */
export function parseTemplate(json: unknown): ParsedTemplate {
  const problems = new Problems();
  if (!isRecord(json) && !Array.isArray(json)) {
    problems.add("", "wrong-type", `A template must be an element {type, props, children} or a list of them`);
    return { template: null, problems: problems.found };
  }
  const { drafts } = readTemplate(json, problems);
  assignKeys(drafts, problems);
  if (problems.found.length > 0) return { template: null, problems: problems.found };
  return { template: Array.isArray(json) ? json.map(elementOf) : elementOf(json), problems: [] };
}

/** Puts in the `props` and `children` that JSON may leave out. The reading has checked the rest. */
function elementOf(json: unknown): Element {
  const { type, props, children } = json as Partial<Element>;
  const otherwise = props?.else;
  return createElement(
    type ?? "sequential",
    isRecord(otherwise) ? { ...props, else: elementOf(otherwise) } : { ...props },
    children?.map(elementOf),
  );
}
