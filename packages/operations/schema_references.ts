/** Finds what the `$ref`s of one JSON Schema document refer to. */
export class SchemaReferences {
  readonly #root: unknown;
  /** By `$id`, by `$anchor` (with its `#`), and by name in any `$defs`: TypeBox modules refer by bare name. */
  #named: Map<string, unknown> | undefined;

  constructor(root: unknown) {
    this.#root = root;
  }

  /** Undefined when the document has no such place. */
  resolve(reference: string): unknown {
    if (reference === "#") return this.#root;
    if (reference.startsWith("#/")) return this.#pointer(reference);
    this.#named ??= collectNames(this.#root);
    return this.#named.get(reference);
  }

  #pointer(pointer: string): unknown {
    let current = this.#root;
    for (const token of pointer.slice(2).split("/")) {
      if (typeof current !== "object" || current === null) return undefined;
      const key = decode(token).replaceAll("~1", "/").replaceAll("~0", "~");
      if (!Object.hasOwn(current, key)) return undefined;
      current = Reflect.get(current, key);
    }
    return current;
  }
}

function decode(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

function collectNames(root: unknown): Map<string, unknown> {
  const names = new Map<string, unknown>();
  const add = (name: unknown, schema: unknown) => {
    if (typeof name === "string" && !names.has(name)) names.set(name, schema);
  };
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const current = pending.pop();
    if (typeof current !== "object" || current === null) continue;
    for (const [key, value] of Object.entries(current)) {
      if (key === "$id") add(value, current);
      if (key === "$anchor") add(`#${value}`, current);
      if ((key === "$defs" || key === "definitions") && typeof value === "object" && value !== null) {
        for (const [name, definition] of Object.entries(value)) add(name, definition);
      }
      pending.push(value);
    }
  }
  return names;
}
