// The spoke with the operations that `hub spoke check` calls: hub spoke check "node examples/spoke-node/check.mjs"
import { setTimeout as sleep } from "node:timers/promises";
import { runSpoke } from "./spoke.mjs";

const any = { inputSchema: {}, outputSchema: {} };
let started = 0;
let running = 0;

runSpoke("node-check", {
  "check.echo": { ...any, type: "query", handler: ({ value }) => ({ value }) },
  "check.fail": {
    ...any,
    handler: ({ code, message }) => {
      throw Object.assign(new Error(message), { code });
    },
  },
  "check.state": { ...any, type: "query", handler: () => ({ started, running }) },
  "check.wait": {
    ...any,
    async handler({ ms }, { signal, progress, log }) {
      const turn = ++started;
      running++;
      try {
        progress(0);
        log("info", `Waiting for ${ms} ms`);
        await sleep(ms, undefined, { signal });
        return { turn };
      } finally {
        running--;
      }
    },
  },
  "check.count": {
    ...any,
    type: "subscription",
    async *handler({ to, ms }, { signal }) {
      for (let n = 0; n < to; n++) {
        yield n;
        if (ms > 0) await sleep(ms, undefined, { signal });
      }
    },
  },
});
