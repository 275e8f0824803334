/** The trace of a run, as a collector gets it: a spoke, a child run, a caller's context, a hub that is killed in between. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import type { OperationContext } from "@alkdev/operations";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";
import { freePort } from "../support/free_port.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}

interface TraceBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly Span[] }[];
  }[];
}

/** Takes what an OTLP/HTTP client sends, and keeps the hub's own spans. */
function startCollector() {
  const spans: Span[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const text = await request.text();
    if (new URL(request.url).pathname === "/v1/traces") {
      const body: TraceBody = JSON.parse(text);
      for (const { scope, spans: sent } of body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)) {
        if (scope.name === "@alkdev/hub") spans.push(...sent);
      }
    }
    return Response.json({});
  });
  return { spans, url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}

const CALLER = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };

Deno.test("a collector gets the whole trace of a run with a spoke and a child run, over kill -9 of its hub", async () => {
  const collector = startCollector();
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-traces-" });
  const env = {
    HUB_PORT: String(freePort()),
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  };
  const first = await startHubProcess({ dataDir, env, keep: true });
  const seen: (string | undefined)[] = [];
  const held = Promise.withResolvers<void>();
  const spoke = connectSpoke({
    url: first.url.replace(/^http/, "ws") + "/ws",
    key: first.key,
    name: "worker",
    spokeType: "test",
    operations: [{
      namespace: "t",
      name: "work",
      version: "1.0.0",
      type: "mutation",
      description: "Waits.",
      inputSchema: {},
      outputSchema: {},
      accessControl: { requiredScopes: [] },
      handler: async (_input: unknown, context: OperationContext) => {
        seen.push(context.traceparent);
        await held.promise;
        return 1;
      },
    }],
  });
  try {
    await until("the spoke is there", async () => (await first.api("GET", "/api/operations/t.work")).status === 200);
    const retry = { maxAttempts: 2, backoff: 10, jitter: 0 };
    const flaky = operation("core.fail", "bad", { code: "BOOM", message: "no" }, { retry });
    const child = container("parallel", [operation("t.work", "w")]);
    assert.equal((await first.api("PUT", "/api/workflows/inner", { body: { template: child } })).status, 200);
    const template = container("parallel", [
      { type: "workflow", props: { key: "sub", name: "inner" }, children: [] },
      flaky,
    ]);
    const put = await first.api("PUT", "/api/workflows/outer", { body: { template } });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const headers = { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` };
    const { body: { id } } = await first.api<{ id: string }>("POST", "/api/workflows/outer/runs", {
      body: {},
      headers,
    });
    await until("the spoke works", () => Promise.resolve(seen.length > 0));
    await until("both attempts have failed", async () => {
      const { body } = await first.api<{ items: { type: string }[] }>("GET", `/api/runs/${id}/events?limit=100`);
      return body.items.filter(({ type }) => type === "call.error").length === 2;
    });
    await until(
      "their spans are sent",
      () => Promise.resolve(collector.spans.filter(({ name }) => name === "core.fail").length === 2),
    );
    await first.kill("SIGKILL");
    const restartedAt = Date.now();
    const second = await startHubProcess({ dataDir, env, keep: true });
    await using _ = second;
    held.resolve();
    await until("the run ends", async () => (await second.api("GET", `/api/runs/${id}`)).body.status === "failed");
    const spans = await until("its span is there", () => {
      const mine = collector.spans.filter(({ traceId }) => traceId === CALLER.traceId);
      return Promise.resolve(mine.length >= 6 && mine);
    });
    assert.deepEqual(spans.map(({ name }) => name).toSorted(), [
      "core.fail",
      "core.fail",
      "t.work",
      "workflow.inner",
      "workflow.inner",
      "workflow.outer",
    ]);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    assert.equal(byId.size, 6);
    const path = (span: Span | undefined): string[] =>
      span === undefined ? [] : [span.name, ...path(byId.get(span.parentSpanId ?? ""))];
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [work] = named("t.work");
    assert.deepEqual(path(work), ["t.work", "workflow.inner", "workflow.inner", "workflow.outer"]);
    assert.equal(named("workflow.outer")[0]!.parentSpanId, CALLER.spanId);
    assert.deepEqual([...new Set(seen)], [`00-${CALLER.traceId}-${work!.spanId}-01`]);
    for (const failed of named("core.fail")) {
      assert.equal(failed.status?.code, 2);
      assert.deepEqual(path(failed), ["core.fail", "workflow.outer"]);
    }
    const attempts = named("core.fail").map(({ attributes }) =>
      attributes.find(({ key }) => key === "hub.attempt")?.value
    );
    assert.deepEqual(attempts.map((value) => Number(value?.["intValue"])).toSorted(), [1, 2]);
    // Begun in the killed process, ended in the next one: its times are those of the log.
    const start = Number(BigInt(work!.startTimeUnixNano) / 1_000_000n);
    const end = Number(BigInt(work!.endTimeUnixNano) / 1_000_000n);
    assert.ok(start < restartedAt && end > restartedAt, `${start} < ${restartedAt} < ${end}`);
  } finally {
    held.resolve();
    await spoke.close();
    await first.kill("SIGKILL");
    await collector.close();
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});
