import { createAuth, KeyRates } from "../../src/auth/mod.ts";
import { keysOf } from "../../src/hub/keys.ts";
import { createRateStore } from "../../src/storage/mod.ts";
import type { TestDatabase } from "../support/test_database.ts";
import { quantile } from "./measure.ts";
import type { Report } from "./report.ts";

const KEYS = 1_000;
const LOOKS = 200_000;
const COLD_LOOKS = 500;

/** What it costs to know who asks: a key that was seen within the last 0.8 s, and one that must be looked up. */
export async function benchKeys(report: Report, { db }: TestDatabase): Promise<void> {
  report.section(`verification of an API key, of ${KEYS} in use`);
  const manager = keysOf(db);
  const made: string[] = [];
  for (let at = 0; at < KEYS; at++) {
    made.push((await manager.create({ ownerId: "bench", orgId: "default", name: `k${at}`, scopes: ["run:read"] })).key);
  }
  const headers = made.map((key) => new Headers({ authorization: `Bearer ${key}` }));
  const auth = createAuth({ keys: manager });
  const cold: number[] = [];
  for (const each of headers.slice(0, COLD_LOOKS)) cold.push(await timed(() => auth.authenticate(each)));
  report.add({ name: "cold: one look at the database, p50", value: 1000 * quantile(cold, 0.5), unit: "µs" });
  // With a clock that stands still none of them is forgotten: what is measured is the memory alone.
  const remembering = createAuth({ keys: manager, now: () => 0 });
  for (const each of headers) await remembering.authenticate(each);
  const warm: number[] = [];
  for (let at = 0; at < LOOKS; at++) {
    const since = performance.now();
    const principal = remembering.remembered(headers[at % KEYS]!);
    warm.push(performance.now() - since);
    if (principal === undefined) throw new Error("A key was forgotten");
  }
  report.add({ name: "warm, p50", value: 1000 * quantile(warm, 0.5), unit: "µs" });
  report.add({ name: "warm, p99", value: 1000 * quantile(warm, 0.99), unit: "µs", goal: { atMost: 200 } });
  report.add({ name: "warm, p99.9", value: 1000 * quantile(warm, 0.999), unit: "µs" });
  const rates = new KeyRates(createRateStore(db));
  const counted: number[] = [];
  const key = { keyId: crypto.randomUUID(), limits: { requests: 10_000_000 } };
  for (let at = 0; at < LOOKS / 4; at++) counted.push(await timed(() => rates.take(key, "requests")));
  report.add({
    name: "counting a request of a key with a limit, p99",
    value: 1000 * quantile(counted, 0.99),
    unit: "µs",
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}
