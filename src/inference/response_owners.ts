/** Which provider keeps a response that callers may come back to. */
export interface ResponseOwners {
  put(params: { readonly orgId: string; readonly id: string; readonly provider: string }): Promise<void>;
  /** Null: it is not known, or another organization's. */
  find(params: { readonly orgId: string; readonly id: string }): Promise<{ readonly provider: string } | null>;
  remove(params: { readonly orgId: string; readonly id: string }): Promise<void>;
}

/** Owners kept in memory. */
export class MemoryResponseOwners implements ResponseOwners {
  readonly #owners = new Map<string, string>();

  put({ orgId, id, provider }: Parameters<ResponseOwners["put"]>[0]): Promise<void> {
    this.#owners.set(JSON.stringify([orgId, id]), provider);
    return Promise.resolve();
  }

  find({ orgId, id }: Parameters<ResponseOwners["find"]>[0]): ReturnType<ResponseOwners["find"]> {
    const provider = this.#owners.get(JSON.stringify([orgId, id]));
    return Promise.resolve(provider === undefined ? null : { provider });
  }

  remove({ orgId, id }: Parameters<ResponseOwners["remove"]>[0]): Promise<void> {
    this.#owners.delete(JSON.stringify([orgId, id]));
    return Promise.resolve();
  }
}
