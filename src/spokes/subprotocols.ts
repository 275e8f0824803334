/** The subprotocol the hub selects; clients that offer any must offer this one. */
export const SUBPROTOCOL = "alkdev.v1";

const BEARER = "bearer.";

/** What a client said in `Sec-WebSocket-Protocol`. */
export interface OfferedSubprotocols {
  /** From `bearer.<key>`; null without one. Not to be logged, nor to be echoed. */
  readonly key: string | null;
  /** To be answered; null when the client offered none. */
  readonly protocol: typeof SUBPROTOCOL | null;
}

/** Reads a `Sec-WebSocket-Protocol` header: how a client that cannot set `Authorization` hands in its key. */
export function readSubprotocols(header: string | null): OfferedSubprotocols {
  const offered = (header ?? "").split(",").map((name) => name.trim());
  const bearer = offered.find((name) => name.startsWith(BEARER));
  return {
    key: bearer === undefined || bearer.length === BEARER.length ? null : bearer.slice(BEARER.length),
    protocol: offered.includes(SUBPROTOCOL) ? SUBPROTOCOL : null,
  };
}
