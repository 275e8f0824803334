import { postgresAvailable, testDatabase } from "../support/test_database.ts";
import { load, residentBytes } from "./measure.ts";
import { startFake, startProxy, targetOf, timed } from "./proxy_bench.ts";
import type { Report } from "./report.ts";

const MIB = 2 ** 20;
/** Parts after which memory is read. */
const PARTS = 10;
/** What a hub needs to be warm: compiled, its caches and connections as they stay. */
const WARM = 5_000;
const AT_ONCE = 16;

/** Calls of a model, every fourth a stream, through one hub: whether its memory stays what it was. Long. */
export async function benchProxyMemory(report: Report, calls: number): Promise<void> {
  report.section(`Memory of ${calls.toLocaleString("en")} calls of a model`);
  if (!await postgresAvailable()) return report.note("PostgreSQL did not answer: not measured");
  const database = await testDatabase("postgres");
  try {
    await using fake = await startFake();
    await using hub = await startProxy(fake.url, database);
    const target = targetOf(hub);
    let made = 0;
    const call = async (): Promise<void> => void await timed(target, made++ % 4 === 0);
    await load(WARM, AT_ONCE, call);
    const resident: number[] = [residentBytes(hub.pid) / MIB];
    const rates: number[] = [];
    for (let part = 0; part < PARTS; part++) {
      const before = performance.now();
      await load(calls / PARTS, AT_ONCE, call);
      rates.push(calls / PARTS * 1000 / (performance.now() - before));
      resident.push(residentBytes(hub.pid) / MIB);
    }
    // Of the second half beside the first: one reading is what the collector happened to leave.
    const [first, second] = [resident.slice(1, 1 + PARTS / 2), resident.slice(1 + PARTS / 2)].map((half) =>
      Math.min(...half)
    );
    report.add({
      name: `resident after ${calls.toLocaleString("en")} calls of a model, least of the second half`,
      value: second ?? Number.NaN,
      unit: "MiB",
      ratio: { of: "that of the first half", value: (second ?? Number.NaN) / (first ?? Number.NaN) },
      goal: { atMost: 1.1 },
      note: `warm, then each tenth: ${resident.map((mib) => mib.toFixed(0)).join(", ")} MiB; ${
        rates.map((rate) => rate.toFixed(0)).join(", ")
      } calls/s`,
    });
  } finally {
    await database.drop();
  }
}
