import { type Check, demand, Failed, PATIENCE_MS, Skipped } from "./check.ts";
import { HEARTBEAT_MS, operationsOf } from "./check_hub.ts";
import { isRecord } from "./check_session.ts";

/** The operations of the namespace `check`, as docs/protocol.md lists them. */
const CHECK_OPERATIONS = ["check.echo", "check.fail", "check.wait", "check.state", "check.count"];

/** Connecting, registering, heartbeats. */
export const registeringChecks: readonly Check[] = [
  {
    section: "Connecting",
    name: "connects with its key",
    wanted: "an upgrade of /ws with the key in one of three places",
    run: ({ hub }) => {
      if (hub.refused.length > 0) throw new Failed(`it was refused first: ${hub.refused[0]}`);
      return Promise.resolve(hub.keyIn ?? "");
    },
  },
  {
    section: "Registering",
    name: "registers first",
    wanted: "hub.register as the first message, taken by the rules of a hub",
    run: ({ session }) => {
      const [first] = session.messages;
      demand(first?.payload["operationId"] === "hub.register", `${first?.type} ${first?.payload["operationId"]} first`);
      return Promise.resolve(`spoke "${session.registration?.["name"]}"`);
    },
  },
  {
    section: "Registering",
    name: "describes its operations",
    wanted: "each operation with inputSchema and outputSchema in JSON Schema",
    run: ({ session }) => {
      const operations = session.registration?.["operations"];
      const specs = Array.isArray(operations) ? operations.filter(isRecord) : [];
      for (const { namespace, name, inputSchema, outputSchema } of specs) {
        for (const [field, schema] of Object.entries({ inputSchema, outputSchema })) {
          demand(isRecord(schema) || typeof schema === "boolean", `no ${field} of operation "${namespace}.${name}"`);
        }
      }
      return Promise.resolve(`${specs.length} operations`);
    },
  },
  {
    section: "Checking a spoke",
    name: "offers the operations of the check",
    wanted: CHECK_OPERATIONS.join(", "),
    run: ({ session }) => {
      const offered = operationsOf(session);
      const missing = CHECK_OPERATIONS.filter((id) => !offered.has(id));
      if (missing.length > 0) throw new Skipped(`without ${missing.join(", ")}, so checks that call them are skipped`);
      return Promise.resolve("all of them");
    },
  },
  {
    section: "Staying",
    name: "sends heartbeats in time",
    wanted: `hub.heartbeat {load} every ${HEARTBEAT_MS} ms, load from 0 to 1`,
    run: async ({ session }) => {
      const count = session.callsOf("hub.heartbeat").length;
      const beats = await session.until(() => {
        const since = session.callsOf("hub.heartbeat").slice(count);
        return since.length >= 3 && since;
      }, PATIENCE_MS);
      if (beats === null) {
        throw new Failed(`${session.callsOf("hub.heartbeat").length - count} heartbeats within ${PATIENCE_MS} ms`);
      }
      const gaps = beats.slice(1).map(({ at }, index) => at - (beats[index]?.at ?? at));
      const widest = Math.max(...gaps);
      demand(widest < 3 * HEARTBEAT_MS, `a gap of ${widest} ms`);
      // Of all of them: where this program was kept waiting, two come in at once.
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
      demand(mean > HEARTBEAT_MS / 3, `one every ${mean.toFixed(0)} ms`);
      for (const { payload: { input } } of beats) {
        const load = isRecord(input) ? input["load"] : undefined;
        demand(typeof load === "number" && load >= 0 && load <= 1, `load ${JSON.stringify(load)}`);
      }
      return `${gaps.join(" and ")} ms apart`;
    },
  },
];
