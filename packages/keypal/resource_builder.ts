/** Builds the `resources` of a key. Each method answers the builder. */
export class ResourceBuilder {
  readonly #resources = new Map<string, Set<string>>();

  /** Adds scopes for one resource to those it has. */
  add(type: string, id: string, scopes: readonly string[]): this {
    const key = `${type}:${id}`;
    const held = this.#resources.get(key) ?? new Set<string>();
    for (const scope of scopes) held.add(scope);
    this.#resources.set(key, held);
    return this;
  }

  /** Adds the same scopes for several resources of one type. */
  addMany(type: string, ids: readonly string[], scopes: readonly string[]): this {
    for (const id of ids) this.add(type, id, scopes);
    return this;
  }

  /** Takes a resource out. */
  remove(type: string, id: string): this {
    this.#resources.delete(`${type}:${id}`);
    return this;
  }

  /** The scopes so far; the builder may go on. */
  build(): Record<string, string[]> {
    return Object.fromEntries([...this.#resources].map(([key, scopes]) => [key, [...scopes]]));
  }
}

/** A fresh {@linkcode ResourceBuilder}. */
export function createResourceBuilder(): ResourceBuilder {
  return new ResourceBuilder();
}
