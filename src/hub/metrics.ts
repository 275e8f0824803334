import { Gauge, Registry } from "prom-client";
import type { Engine } from "../../engine/mod.ts";
import type { RunnerPool } from "../spokes/mod.ts";

/** Prometheus text of what the hub is doing now. */
export function createMetrics(parts: { readonly engine: Engine; readonly pool: RunnerPool }): () => Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const { engine, pool } = parts;
  gauge("hub_runs_live", "Runs that this hub drives", () => engine.stats().runs);
  gauge("hub_calls_in_flight", "Calls under way", () => engine.stats().inFlight);
  gauge("hub_calls_queued", "Calls that wait for room", () => engine.stats().queued);
  gauge("hub_commit_backlog", "Events that wait for a commit", () => engine.stats().backlog);
  gauge("hub_spokes", "Spokes known", () => pool.stats().spokes);
  gauge("hub_spoke_calls_in_flight", "Calls under way on spokes", () => pool.stats().inFlight);
  gauge("hub_spoke_calls_queued", "Calls that wait for a spoke", () => pool.stats().queued);
  gauge("process_resident_memory_bytes", "Resident memory", () => Deno.memoryUsage().rss);
  return () => registry.metrics();
}
