import { CallError } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";

let started = 0;
let running = 0;

/** What the check sends; the SDK has checked it against the schemas. */
interface CheckInput {
  readonly value: unknown;
  readonly code: string;
  readonly message: string;
  readonly ms: number;
  readonly to: number;
}

const number = { type: "number" };
const text = { type: "string" };
const schema = (properties: Readonly<Record<string, unknown>>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});

/** The operations that `hub spoke check` calls, on any runtime. */
export const checkOperations: readonly SpokeOperation[] = [
  {
    namespace: "check",
    name: "echo",
    type: "query",
    inputSchema: schema({ value: {} }),
    handler: (input) => ({ value: (input as CheckInput).value }),
  },
  {
    namespace: "check",
    name: "fail",
    inputSchema: schema({ code: text, message: text }),
    handler: (input) => {
      const { code, message } = input as CheckInput;
      throw new CallError(code, message);
    },
  },
  { namespace: "check", name: "state", type: "query", handler: () => ({ started, running }) },
  {
    namespace: "check",
    name: "wait",
    inputSchema: schema({ ms: number }),
    handler: async (input, { signal, progress, log }) => {
      const { ms } = input as CheckInput;
      const turn = ++started;
      running++;
      try {
        progress?.(0);
        log?.("info", `Waiting for ${ms} ms`);
        await sleep(ms, signal);
        return { turn };
      } finally {
        running--;
      }
    },
  },
  {
    namespace: "check",
    name: "count",
    type: "subscription",
    inputSchema: schema({ to: number, ms: number }),
    handler: async function* (input, { signal }) {
      const { to, ms } = input as CheckInput;
      for (let n = 0; n < to; n++) {
        yield n;
        if (ms > 0) await sleep(ms, signal);
      }
    },
  },
];

/** Rejects when the call is aborted meanwhile. */
function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
