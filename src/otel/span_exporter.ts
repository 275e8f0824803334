import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { redactText } from "../logger/redact.ts";
import type { EndedSpan } from "../sight/mod.ts";

/** Sends spans to an OpenTelemetry collector, in batches; when it cannot keep up, spans are dropped. */
export interface SpanExporter {
  send(span: EndedSpan): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

const SCOPE = { name: "@alkdev/hub" };

/**
 * Over OTLP/HTTP, to where the standard variables say: `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_HEADERS`, `…_TIMEOUT`. Spans have the ids
 * that they come with, which the tracer of the runtime would not let them have.
 */
export function createSpanExporter(
  { serviceName, hubId, version }: { readonly serviceName: string; readonly hubId: string; readonly version: string },
): SpanExporter {
  const processor = new BatchSpanProcessor(new OTLPTraceExporter(), {
    scheduledDelayMillis: 1_000,
    maxQueueSize: 8_192,
  });
  const resource = defaultResource().merge(resourceFromAttributes({
    "service.name": serviceName,
    "service.version": version,
    "service.instance.id": hubId,
  }));
  return {
    send: (span) => processor.onEnd(toReadable(span, resource)),
    close: () => processor.shutdown(),
  };
}

function toReadable(span: EndedSpan, resource: Resource): ReadableSpan {
  const { traceId, spanId, parentSpanId, startMs, endMs, error } = span;
  const traceFlags = TraceFlags.SAMPLED;
  const attributes: Attributes = { ...span.attributes, ...(error !== null && { "error.type": error.code }) };
  return {
    name: span.name,
    kind: span.kind === "call" ? SpanKind.CLIENT : SpanKind.INTERNAL,
    spanContext: () => ({ traceId, spanId, traceFlags }),
    ...(parentSpanId !== null && { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags } }),
    startTime: timeOf(startMs),
    endTime: timeOf(endMs),
    duration: timeOf(Math.max(0, endMs - startMs)),
    ended: true,
    status: error === null
      ? { code: SpanStatusCode.OK }
      : { code: SpanStatusCode.ERROR, message: `${error.code}: ${redactText(error.message)}` },
    attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
