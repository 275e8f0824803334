/** Messages to `/mcp` of a real hub, of three revisions: answered or refused, never with an internal error. */
import assert from "node:assert/strict";
import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { fuzz, residentMiB, SEED } from "./fuzz_run.ts";
import { type McpRequest, mcpRequest } from "./mcp_arbitrary.ts";

const RUNS = 400;
const ANSWER_MS = 8_000;
/** How much of a stream is waited for where nothing comes, in ms. */
const STREAM_MS = 300;
const INTERNAL_ERROR = -32603;

Deno.test("any message to /mcp is answered, or refused by the protocol's own errors", async () => {
  await using hub = await startHubProcess();
  const statuses = new Map<number, number>();
  const session = await openSession(hub);
  const attempt = async (request: McpRequest) => {
    const status = await send(hub, session, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const tried = await fuzz("/mcp", mcpRequest, RUNS, attempt);
  const before = await residentMiB(hub.pid);
  await fuzz("/mcp", mcpRequest, RUNS, attempt);
  const after = await residentMiB(hub.pid);
  console.log(
    `seed ${SEED}: ${2 * tried} messages; answers`,
    Object.fromEntries(statuses),
    `resident ${before.toFixed(0)} MiB, then ${after.toFixed(0)} MiB`,
  );
  assert.ok((statuses.get(200) ?? 0) > tried / 10, "hardly any message was good");
  assert.ok(after - before < 120, `${(after - before).toFixed(0)} MiB more after the same messages again`);
  assert.equal((await hub.api("GET", "/ready")).status, 200);
  assert.doesNotMatch(hub.stderr(), /"level":"(error|fatal)"/);
});

async function openSession(hub: HubProcess): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "fuzz", version: "1" } };
  const response = await fetch(`${hub.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${hub.key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  await response.body?.cancel();
  return response.headers.get("mcp-session-id")!;
}

async function send(hub: HubProcess, session: string, { method, headers, body }: McpRequest): Promise<number> {
  const isInSession = headers["mcp-session-id"] !== undefined;
  const response = await fetch(`${hub.url}/mcp`, {
    method,
    body,
    headers: { ...headers, ...(isInSession && { "mcp-session-id": session }), authorization: `Bearer ${hub.key}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const text = await readAWhile(response.body);
  assert.notEqual(response.status, 500, text);
  const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
  const messages = isStream ? [...text.matchAll(/^data: ?(\{.*\})$/gm)].map(([, data]) => data!) : [text];
  for (const message of messages) {
    if (message === "") continue;
    const { error } = JSON.parse(message) as { readonly error?: { readonly code: number } };
    assert.notEqual(error?.code, INTERNAL_ERROR, message.slice(0, 2_000));
  }
  return response.status;
}

/** All of a body, or what came of a stream before it fell silent. */
async function readAWhile(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const silent = Promise.withResolvers<null>();
    const timer = setTimeout(() => silent.resolve(null), STREAM_MS);
    const step = await Promise.race([reader.read(), silent.promise]);
    clearTimeout(timer);
    if (step === null || step.done) break;
    text += decoder.decode(step.value, { stream: true });
  }
  await reader.cancel().catch(() => {});
  return text;
}
