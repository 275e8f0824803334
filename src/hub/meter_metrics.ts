import type { Metric, Registry } from "prom-client";
import type { Buckets, Labelled, Meter } from "../sight/mod.ts";

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "histogram";
  readonly samples: () => readonly Sample[];
}

/** What the meter counts, as metrics that are made when they are asked for: counting itself goes through no registry. */
export function registerMeter(registry: Registry, meter: Meter): void {
  const counter = (name: string, help: string, labels: readonly string[], counted: Labelled<{ n: number }>) =>
    add(registry, { name, help, type: "counter", samples: () => counts(labels, counted) });
  const histogram = (name: string, help: string, samples: () => readonly Sample[]) =>
    add(registry, { name, help, type: "histogram", samples });
  counter("hub_runs_started_total", "Runs started, by workflow", ["workflow"], meter.runsStarted);
  counter("hub_runs_ended_total", "Runs ended, by workflow and status", ["workflow", "status"], meter.runsEnded);
  const retries = () =>
    [...meter.calls.entries()].map(([values, call]) => ({
      labels: labelsOf(["operation"], values),
      value: call.retries,
    }));
  const help = "Attempts that failed and are followed by another";
  add(registry, { name: "hub_call_retries_total", help, type: "counter", samples: retries });
  histogram(
    "hub_call_duration_seconds",
    "Attempts of calls in runs, by operation and outcome",
    () => callSamples(meter),
  );
  histogram(
    "hub_http_request_duration_seconds",
    "Requests until their answer begins",
    () => all("hub_http_request_duration_seconds", ["route", "method", "status"], meter.requests),
  );
  for (
    const [name, help, buckets] of [
      ["hub_commit_duration_seconds", "Commits of events", meter.commits],
      ["hub_commit_events", "Events in a commit", meter.commitSizes],
      ["hub_queue_wait_seconds", "How long calls waited for room in the engine, of those that did", meter.queueWaits],
      ["hub_event_loop_lag_seconds", "How late a timer of this process goes off", meter.loopLag],
    ] as const
  ) histogram(name, help, () => bucketSamples(name, {}, buckets));
}

function add(registry: Registry, { name, help, type, samples }: Family): void {
  const metric = {
    name,
    help,
    type,
    aggregator: "sum",
    get: () => Promise.resolve({ name, help, type, aggregator: "sum", values: samples() }),
    reset: () => {},
  };
  // A registry asks its metrics for `name` and `get` alone; its type names its own classes.
  registry.registerMetric(metric as unknown as Metric);
}

function counts(names: readonly string[], counted: Labelled<{ n: number }>): readonly Sample[] {
  return [...counted.entries()].map(([values, { n }]) => ({ labels: labelsOf(names, values), value: n }));
}

function all(name: string, names: readonly string[], labelled: Labelled<Buckets>): readonly Sample[] {
  return [...labelled.entries()].flatMap(([values, buckets]) => bucketSamples(name, labelsOf(names, values), buckets));
}

function callSamples({ calls }: Meter): readonly Sample[] {
  return [...calls.entries()].flatMap(([[operation = ""], call]) =>
    (["ok", "error", "aborted"] as const).filter((outcome) => call[outcome].count > 0).flatMap((outcome) =>
      bucketSamples("hub_call_duration_seconds", { operation, outcome }, call[outcome])
    )
  );
}

function labelsOf(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? ""]));
}

function bucketSamples(name: string, labels: Readonly<Record<string, string>>, buckets: Buckets): readonly Sample[] {
  const samples: Sample[] = [];
  let below = 0;
  for (const [i, end] of buckets.ends.entries()) {
    below += buckets.counts[i] ?? 0;
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: end }, value: below });
  }
  samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: buckets.count });
  samples.push({ metricName: `${name}_sum`, labels, value: buckets.sum });
  samples.push({ metricName: `${name}_count`, labels, value: buckets.count });
  return samples;
}
