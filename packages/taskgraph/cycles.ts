/** The tasks that directly wait for one. */
export type Successors = (key: string) => Iterable<string>;

interface Step {
  readonly key: string;
  readonly targets: Iterator<string>;
}

/**
 * A cycle for every edge that closes one: at least one of each knot. Linear in edges, and safe for long chains as nothing
 * recurses.
 */
export function cycles(keys: readonly string[], successors: Successors): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  for (const start of keys) {
    if (!done.has(start)) walk(start, successors, done, found);
  }
  return found;
}

function walk(start: string, successors: Successors, done: Set<string>, found: string[][]): void {
  const path: string[] = [];
  const place = new Map<string, number>();
  const steps: Step[] = [];
  const enter = (key: string): void => {
    place.set(key, path.length);
    path.push(key);
    steps.push({ key, targets: successors(key)[Symbol.iterator]() });
  };
  enter(start);
  for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
    const next = step.targets.next();
    if (next.done === true) {
      steps.pop();
      path.pop();
      place.delete(step.key);
      done.add(step.key);
      continue;
    }
    const at = place.get(next.value);
    if (at !== undefined) found.push(path.slice(at));
    else if (!done.has(next.value)) enter(next.value);
  }
}
