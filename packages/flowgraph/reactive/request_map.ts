/** The current call of each node, by node key; knows also which node any call ever belonged to. */
export class RequestMap extends Map<string, string> {
  readonly #nodeOf = new Map<string, string>();

  override set(nodeKey: string, requestId: string): this {
    this.#nodeOf.set(requestId, nodeKey);
    return super.set(nodeKey, requestId);
  }

  /** The node that a call belongs or belonged to. */
  nodeOf(requestId: string): string | undefined {
    return this.#nodeOf.get(requestId);
  }
}
