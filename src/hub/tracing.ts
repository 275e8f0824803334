import type { EventLog, EventOf } from "../../engine/mod.ts";
import { TraceRecorder } from "../sight/mod.ts";
import type { Startup } from "./startup.ts";

/**
 * Spans of runs and calls, where the runtime's OpenTelemetry is on (`OTEL_DENO=true`); else null, and nothing of it is loaded.
 * `log` is asked for the start of what began elsewhere.
 */
export async function openTracing(
  startup: Startup,
  parts: {
    readonly hubId: string;
    readonly version: string;
    readonly created: (runId: string) => EventOf<"run.created"> | null;
    readonly read: EventLog["read"];
  },
): Promise<TraceRecorder | null> {
  const { hubId, version, created, read } = parts;
  if (!["true", "1"].includes(Deno.env.get("OTEL_DENO") ?? "")) return null;
  const { createSpanExporter } = await import("../otel/mod.ts");
  const serviceName = Deno.env.get("OTEL_SERVICE_NAME") ?? "hub";
  const exporter = createSpanExporter({ serviceName, hubId, version });
  const recorder = new TraceRecorder({
    sink: (span) => exporter.send(span),
    created,
    read: (runId) => read({ runId }),
  });
  startup.onStop(async () => {
    await recorder.idle();
    await exporter.close();
  });
  return recorder;
}
