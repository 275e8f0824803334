import { createRequestStateCodec, type RequestStateCodec } from "@modelcontextprotocol/server";
import { principalOf } from "../session_context.ts";
import type { RoundState } from "../tools/call_workflow.ts";

/** How long a client may take to answer, in seconds; so long a key that no longer signs should still be there. */
const ROUND_TTL_SECONDS = 24 * 60 * 60;

/** Signs the state between two rounds with the first key, and takes what any of them has signed for the same caller. */
export function roundCodec(keys: readonly [Uint8Array, ...Uint8Array[]]): RequestStateCodec<RoundState> {
  const codecOf = (key: Uint8Array): RequestStateCodec<RoundState> =>
    createRequestStateCodec<RoundState>({
      key,
      ttlSeconds: ROUND_TTL_SECONDS,
      // Another key of the same person may go on; another person may not.
      bind: (context) => JSON.stringify([principalOf(context).orgId, principalOf(context).identity.id]),
    });
  const [first, ...rest] = keys;
  const [current, older] = [codecOf(first), rest.map(codecOf)];
  return {
    mint: (state, context) => current.mint(state, context),
    async verify(state, context) {
      try {
        return await current.verify(state, context);
      } catch (error) {
        for (const codec of older) {
          const found = await codec.verify(state, context).catch(() => null);
          if (found !== null) return found;
        }
        throw error;
      }
    },
  };
}
