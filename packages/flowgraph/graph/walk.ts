/** The neighbours of a node, one way. */
export type Neighbours = (key: string) => Iterable<string>;

/** Everything reached from the starts, without the starts themselves unless a cycle comes back to them. */
export function reach(starts: Iterable<string>, next: Neighbours): Set<string> {
  const reached = new Set<string>();
  const todo = [...starts];
  for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
    for (const neighbour of next(key)) {
      if (reached.has(neighbour)) continue;
      reached.add(neighbour);
      todo.push(neighbour);
    }
  }
  return reached;
}

/** Keys in generations: each stands one past the latest of its predecessors. Keys on or behind a cycle are missing. */
export function generations(keys: readonly string[], next: Neighbours): string[][] {
  const left = new Map(keys.map((key) => [key, 0]));
  for (const key of keys) for (const target of next(key)) left.set(target, (left.get(target) ?? 0) + 1);
  let generation = keys.filter((key) => left.get(key) === 0);
  const found: string[][] = [];
  while (generation.length > 0) {
    found.push(generation);
    const following: string[] = [];
    for (const key of generation) {
      for (const target of next(key)) {
        const count = (left.get(target) ?? 0) - 1;
        left.set(target, count);
        if (count === 0) following.push(target);
      }
    }
    generation = following;
  }
  return found;
}

/** A cycle for every edge that closes one, keys in order; at least one of each knot. Linear in edges, and safe for deep graphs: nothing recurses. */
export function cycles(keys: readonly string[], next: Neighbours): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  for (const start of keys) {
    if (done.has(start)) continue;
    const path: string[] = [];
    const place = new Map<string, number>();
    const todo: { readonly key: string; readonly targets: Iterator<string> }[] = [];
    const enter = (key: string): void => {
      place.set(key, path.length);
      path.push(key);
      todo.push({ key, targets: next(key)[Symbol.iterator]() });
    };
    enter(start);
    for (let top = todo.at(-1); top !== undefined; top = todo.at(-1)) {
      const { done: exhausted, value: target } = top.targets.next();
      if (exhausted) {
        todo.pop();
        path.pop();
        place.delete(top.key);
        done.add(top.key);
        continue;
      }
      const at = place.get(target);
      if (at !== undefined) found.push(path.slice(at));
      else if (!done.has(target)) enter(target);
    }
  }
  return found;
}
