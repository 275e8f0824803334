/** As much of a WebSocket as the adapters use: the web's own, and that of Node's `ws`. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Bytes handed to `send` and not yet on their way. */
  readonly bufferedAmount: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "close", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** `readyState` of a socket that is not open yet. */
export const CONNECTING = 0;
/** `readyState` of a socket that can send. */
export const OPEN = 1;
