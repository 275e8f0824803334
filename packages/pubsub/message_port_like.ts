/** As much of a `Worker`, a worker's global scope or a `MessagePort` of the web as the adapter uses. */
export interface WebPortLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  /** A MessagePort holds its messages back until this is called. */
  start?(): void;
}

/** As much of a `Worker` or the `parentPort` of `node:worker_threads` as the adapter uses. */
export interface NodePortLike {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

/** Either end of a channel between two threads. */
export type MessagePortLike = WebPortLike | NodePortLike;
