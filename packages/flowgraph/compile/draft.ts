import type { Tag } from "../element.ts";
import type { Problem, ProblemCode } from "../problem.ts";

/** An element on its way to a plan node, in pre-order. */
export interface Draft {
  readonly tag: Tag;
  readonly props: Readonly<Record<string, unknown>>;
  readonly parent: number;
  end: number;
  readonly branch: "then" | "else" | null;
  readonly place: Place;
  /** Made by the compiler to hold a body of several elements. */
  readonly wrapper: boolean;
  key: string;
}

/** Where an element stands in the template. Turned into a pointer only when a problem needs it. */
export interface Place {
  readonly parent: Place | null;
  readonly steps: readonly string[];
}

/** JSON pointer of a place, and of a prop path below its element. */
export function pointer(place: Place | null, ...below: readonly string[]): string {
  const groups: (readonly string[])[] = [below];
  for (let at = place; at !== null; at = at.parent) groups.push(at.steps);
  return groups.reverse().flat().map((step) => "/" + step.replaceAll("~", "~0").replaceAll("/", "~1")).join("");
}

/** Gathers problems, at most {@linkcode MAX_PROBLEMS}. */
export class Problems {
  readonly found: Problem[] = [];

  /** Is there no room for more? Then a suggestion need not be looked for. */
  get full(): boolean {
    return this.found.length >= MAX_PROBLEMS;
  }

  add(path: string, code: ProblemCode, message: string, more?: Partial<Problem>): void {
    if (!this.full) this.found.push({ path, code, message, ...more });
  }
}

/** A template with more problems than this reports the first ones. */
export const MAX_PROBLEMS = 100;
