import { isReference, type Json, type Reference } from "@alkdev/flowgraph";
import type { TemplateProblem } from "../runs/ports.ts";

/** An `output` given beside a template: the reference that it is, null where there is none, or what is wrong with it. */
export type CheckedOutput = { readonly result: Reference | null } | { readonly problems: readonly TemplateProblem[] };

/** Checks `output` against the `output` prop of the template's root, which says the same. */
export function checkOutput(output: Json | undefined, template: Json): CheckedOutput {
  if (output === undefined) return { result: null };
  const path = "/output";
  if (!isReference(output)) {
    const message = `"output" must be a reference such as {"$ref": "nodes.a.value"}, not ${JSON.stringify(output)}`;
    return { problems: [{ code: "wrong-type", path, message: shorten(message) }] };
  }
  const own = rootOutput(template);
  if (own === undefined || (isReference(own) && own.$ref === output.$ref)) return { result: output };
  const message = `"output" is ${JSON.stringify(output.$ref)} here, but the template's root says ${
    JSON.stringify(own)
  }`;
  const suggestion = "Give one of the two";
  return { problems: [{ code: "output-given-twice", path, message: shorten(message), suggestion }] };
}

/** Where an `output` that stood beside the template is what a problem of the root is about. */
export function placeOutput(problem: TemplateProblem, result: Reference | null): TemplateProblem {
  return result !== null && problem.path === "/props/output" ? { ...problem, path: "/output" } : problem;
}

/** Of the only element: a list of several has no root of its own to say it. */
function rootOutput(template: Json): unknown {
  if (Array.isArray(template)) return template.length === 1 ? rootOutput(template[0]) : undefined;
  const props: unknown = typeof template === "object" && template !== null ? Reflect.get(template, "props") : undefined;
  return typeof props === "object" && props !== null ? Reflect.get(props, "output") : undefined;
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
