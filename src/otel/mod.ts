/** Spans to an OpenTelemetry collector. Loaded only where tracing is on. @module */
export { createSpanExporter, type SpanExporter } from "./span_exporter.ts";
