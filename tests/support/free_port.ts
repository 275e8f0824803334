/** Below where systems take ports for outgoing connections (32768 on Linux, 49152 elsewhere): none of those can come in between. */
const LOWEST = 12_000;
const HIGHEST = 32_000;

/**
 * A port that was free a moment ago, for a server that must be found there again after it is started anew. One that the system
 * picks (port 0) would not do: while the server is away, an outgoing connection may get it.
 */
export function freePort(): number {
  for (let tries = 0; tries < 200; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`Cannot find a free port between ${LOWEST} and ${HIGHEST}: 200 tries`);
}
