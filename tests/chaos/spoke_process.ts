/** A spoke in a process of its own: writes a line per execution, `<run> <key> <attempt> <start, ms>`, before it works. */
import { connectSpoke } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";

const trace = Deno.openSync(Deno.env.get("TRACE")!, { append: true, create: true });
const encoder = new TextEncoder();

connectSpoke({
  url: Deno.env.get("HUB_URL")!,
  key: Deno.env.get("HUB_KEY")!,
  name: Deno.env.get("SPOKE_NAME")!,
  maxConcurrency: 64,
  maxBackoffMs: 500,
  operations: [{
    namespace: "chaos",
    name: "step",
    inputSchema: Type.Object({ value: Type.Number(), ms: Type.Number() }),
    handler: async (input, { metadata, signal }) => {
      const { value, ms } = input as { value: number; ms: number };
      const { runId, nodeKey, attempt } = metadata as { runId: string; nodeKey: string; attempt: number };
      trace.writeSync(encoder.encode(`${runId} ${nodeKey} ${attempt} ${Date.now()}\n`));
      await new Promise((resolve) => setTimeout(resolve, ms));
      signal?.throwIfAborted();
      return { value: value + 1 };
    },
  }],
});
