import { Gauge, Registry } from "prom-client";
import type { Engine } from "../../engine/mod.ts";
import { registerMeter } from "./meter_metrics.ts";
import type { Peers } from "./peers.ts";
import type { Sight } from "./sight.ts";
import type { RunnerPool } from "../spokes/mod.ts";

/** Prometheus text of what the hub is doing now. */
export function createMetrics(
  parts: {
    readonly engine: Engine;
    readonly pool: RunnerPool;
    readonly peers: Peers | null;
    readonly sight: Pick<Sight, "meter" | "stats">;
  },
): () => Promise<string> {
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
  const { peers } = parts;
  if (peers !== null) {
    gauge("hub_bus_connected", "1 while the bus to other hubs is there", () => peers.stats().isConnected ? 1 : 0);
    gauge("hub_peers", "Other hubs that are there", () => peers.stats().hubs);
    gauge("hub_peer_calls_sent", "Calls under way on spokes of other hubs", () => peers.stats().sent);
    gauge("hub_peer_calls_waiting", "Calls that wait for a hub with a spoke for them", () => peers.stats().waiting);
    gauge("hub_peer_calls_served", "Calls of other hubs under way on spokes of this one", () => peers.stats().served);
  }
  const { meter, stats } = parts.sight;
  registerMeter(registry, meter);
  gauge("hub_sse_watchers", "Event streams that are open", () => meter.streams);
  gauge("hub_log_lines_waiting", "Log lines of runs that wait to be written", () => stats().logsWaiting);
  gauge("hub_log_lines_dropped", "Log lines of runs dropped since the start", () => stats().logsDropped);
  gauge("process_resident_memory_bytes", "Resident memory", () => Deno.memoryUsage().rss);
  return () => registry.metrics();
}
