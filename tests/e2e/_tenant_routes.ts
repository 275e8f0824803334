/**
 * What another organization's key is sent on each route. A route of the OpenAPI document that is not here fails the test: who
 * adds one says here how it keeps organizations apart.
 */

/** Ids of things of one organization. Where one is not there, all are of the same form. */
export interface Ids {
  readonly run: string;
  readonly request: string;
  readonly key: string;
  readonly spoke: string;
  readonly operation: string;
  readonly workflow: string;
  readonly schedule: string;
  readonly webhook: string;
  readonly client: string;
  readonly outbound: string;
  readonly delivery: string;
  readonly hold: string;
  readonly job: string;
  readonly lineKey: string;
  readonly role: string;
  readonly account: string;
  /** A spawned session's. */
  readonly mapping: string;
  readonly board: string;
  readonly model: string;
  readonly response: string;
  readonly session: string;
  /** A turn of that session, which has ended. */
  readonly turn: string;
  /** A run whose call is on the spoke. */
  readonly busy: string;
  /** Request id of that call. */
  readonly asked: string;
}

/** What is asked, and what has to come back. */
export interface RouteProbe {
  /** The path with the ids in it. */
  readonly url: (ids: Ids) => string;
  readonly body?: (ids: Ids) => unknown;
  /**
   * `absent`: with the other organization's ids the answer is, byte for byte but for the ids, that for ids that nobody has.
   * `own`: it is about the asker's own things, and says nothing of the other's.
   */
  readonly kind: "absent" | "own";
  readonly status: number;
}

type Path = (ids: Ids) => string;

const absent = (url: Path, body?: unknown, status = 404): RouteProbe => probe("absent", url, body, status);
const own = (url: Path, body?: unknown, status = 200): RouteProbe => probe("own", url, body, status);

function probe(kind: RouteProbe["kind"], url: Path, body: unknown, status: number): RouteProbe {
  return {
    kind,
    url,
    status,
    ...(body !== undefined && { body: typeof body === "function" ? body as never : () => body }),
  };
}

const session = (rest = ""): Path => ({ session: id }) => `/api/sessions/${id}${rest}`;
const toSay = {
  messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "hi" }] }],
  trigger: "submit-message",
};
const run = (rest = ""): Path => ({ run: id }) => `/api/runs/${id}${rest}`;
const node = (verb: string): RouteProbe => absent(run(`/nodes/a/${verb}`), {});
const workflow = (rest = ""): Path => ({ workflow: name }) => `/api/workflows/${name}${rest}`;
const operation = (rest = ""): Path => ({ operation: id }) => `/api/operations/${id}${rest}`;
const call = (rest = ""): Path => ({ request }) => `/api/calls/${request}${rest}`;
const spoke = (rest = ""): Path => ({ spoke: id }) => `/api/spokes/${id}${rest}`;
const key = (rest = ""): Path => ({ key: id }) => `/api/keys/${id}${rest}`;
const schedule = (rest = ""): Path => ({ schedule: id }) => `/api/schedules/${id}${rest}`;
const webhook = (rest = ""): Path => ({ webhook: id }) => `/api/webhooks/${id}${rest}`;
const client = (rest = ""): Path => ({ client: name }) => `/api/clients/${name}${rest}`;
const role = (rest = ""): Path => ({ role: name }) => `/api/roles/${name}${rest}`;
const account = (rest = ""): Path => ({ account: id }) => `/api/accounts/${id}${rest}`;
const response = (rest = ""): Path => ({ response: id }) => `/v1/responses/${id}${rest}`;
const board = (rest = ""): Path => ({ board: name }) => `/api/boards/${name}${rest}`;
const plain = (path: string): Path => () => path;

const aSchedule = { name: "of-stranger", workflow: "go", cron: "0 0 1 1 *" };
const aWebhook = { kind: "inbound", name: "of-stranger", target: { signal: "go", runIdFrom: "body.id" } };
const aTemplate = {
  template: { type: "operation", props: { name: "core.echo", key: "a", input: { value: 1 } }, children: [] },
};
const byIds = (more: object) => ({ run: id }: Ids): unknown => ({ ids: [id], ...more });

const byMapping = ({ mapping }: Ids): unknown => ({ ids: [mapping] });
const spawnFor = ({ mapping }: Ids): unknown => ({ tasks: [{ task: "x" }], parentSessionId: mapping });

export const ROUTE_PROBES: Readonly<Record<string, RouteProbe>> = {
  "GET /api/workflows": own(plain("/api/workflows")),
  "GET /api/workflows/{name}": absent(workflow()),
  "PUT /api/workflows/{name}": own(plain("/api/workflows/go"), aTemplate),
  "POST /api/workflows/{name}/validate": own(workflow("/validate"), aTemplate),
  "POST /api/workflows/{name}/dry-run": absent(workflow("/dry-run"), {}),
  "GET /api/workflows/{name}/versions": absent(workflow("/versions")),
  "GET /api/workflows/{name}/diff": absent(workflow("/diff?from=a")),
  "POST /api/workflows/{name}/runs": absent(workflow("/runs"), {}),
  "GET /api/runs": own(plain("/api/runs")),
  "GET /api/runs/{id}": absent(run()),
  "GET /api/runs/{id}/graph": absent(run("/graph")),
  "GET /api/runs/{id}/events": absent(run("/events")),
  "GET /api/runs/{id}/calls": absent(run("/calls")),
  "GET /api/runs/{id}/why": absent(run("/why")),
  "GET /api/runs/{id}/logs": absent(run("/logs")),
  "GET /api/runs/{id}/export": absent(run("/export")),
  "POST /api/runs/{id}/abort": absent(run("/abort"), {}),
  "POST /api/runs/{id}/pause": absent(run("/pause"), {}),
  "POST /api/runs/{id}/resume": absent(run("/resume"), {}),
  "POST /api/runs/{id}/rerun": absent(run("/rerun"), {}),
  "POST /api/runs/{id}/fork": absent(run("/fork"), {}),
  "POST /api/runs/{id}/migrate": absent(run("/migrate"), { version: "v" }),
  "POST /api/runs/{id}/signals/{name}": absent(run("/signals/go"), 1),
  "POST /api/runs/{id}/nodes/{key}/abort": node("abort"),
  "POST /api/runs/{id}/nodes/{key}/pause": node("pause"),
  "POST /api/runs/{id}/nodes/{key}/resume": node("resume"),
  "POST /api/runs/{id}/nodes/{key}/retry": node("retry"),
  "POST /api/runs/{id}/nodes/{key}/give-up": node("give-up"),
  "POST /api/runs/import": own(plain("/api/runs/import"), {}, 400),
  "POST /api/runs/prune": own(plain("/api/runs/prune"), {
    filter: { olderThan: "0s" },
    action: "delete",
    dryRun: true,
  }),
  "GET /api/runs/prune/{id}": absent(({ job }) => `/api/runs/prune/${job}`),
  "POST /api/runs/act": absent(plain("/api/runs/act"), byIds({ action: "abort" }), 200),
  "GET /api/calls/{requestId}": absent(call()),
  "GET /api/calls/{requestId}/tree": absent(call("/tree")),
  "GET /api/organizations": own(plain("/api/organizations"), undefined, 403),
  "POST /api/organizations": own(plain("/api/organizations"), { id: "more" }, 403),
  "GET /api/organizations/{id}/members": absent(({ hold }) => `/api/organizations/${hold}/members`, undefined, 403),
  "GET /api/roles": own(plain("/api/roles")),
  "GET /api/roles/{name}": absent(role()),
  "GET /api/roles/{name}/versions": absent(role("/versions")),
  "PUT /api/roles/{name}": own(plain("/api/roles/of-stranger"), { systemPrompt: "Hello" }, 201),
  "POST /api/roles/{name}/archive": absent(role("/archive")),
  "GET /api/accounts": own(plain("/api/accounts")),
  "POST /api/accounts": own(plain("/api/accounts"), { id: "of-stranger" }, 201),
  "GET /api/accounts/{id}": absent(account()),
  "POST /api/accounts/{id}/suspend": absent(account("/suspend")),
  "POST /api/accounts/{id}/resume": absent(account("/resume")),
  "GET /api/boards": own(plain("/api/boards")),
  "POST /api/boards": own(plain("/api/boards"), { name: "of-stranger" }, 201),
  "GET /api/boards/{name}": absent(board()),
  "PUT /api/boards/{name}": absent(board(), { title: "Mine" }),
  "DELETE /api/boards/{name}": absent(board()),
  "POST /api/boards/{name}/sync": absent(board("/sync"), {}),
  "POST /api/boards/{name}/dry-run": absent(board("/dry-run")),
  "POST /api/boards/{name}/runs": absent(board("/runs"), {}),
  "GET /api/boards/{name}/tasks/{id}": absent(board("/tasks/a")),
  "PUT /api/boards/{name}/tasks/{id}": absent(board("/tasks/a"), { name: "A" }),
  "DELETE /api/boards/{name}/tasks/{id}": absent(board("/tasks/a")),
  "POST /api/boards/{name}/tasks/{id}/status": absent(board("/tasks/a/status"), { status: "failed" }),
  "GET /api/tasks": absent(({ board: name }) => `/api/tasks?board=${name}`),
  "GET /api/sessions": own(plain("/api/sessions")),
  "POST /api/sessions": own(plain("/api/sessions"), { model: "of-stranger" }, 201),
  "GET /api/sessions/search": own(plain("/api/sessions/search?q=secret")),
  "GET /api/sessions/{id}": absent(session()),
  "GET /api/sessions/{id}/messages": absent(session("/messages")),
  "POST /api/sessions/{id}/messages": absent(session("/messages"), { text: "x" }),
  "GET /api/sessions/{id}/turns": absent(session("/turns")),
  "POST /api/sessions/{id}/stop": absent(session("/stop"), {}),
  "POST /api/sessions/{id}/fork": absent(session("/fork"), {}),
  "POST /api/sessions/{id}/compact": absent(session("/compact"), {}),
  "POST /api/sessions/{id}/title": absent(session("/title"), { title: "x" }),
  "GET /api/inference/policy": own(plain("/api/inference/policy")),
  "PUT /api/inference/policy": own(plain("/api/inference/policy"), {}),
  "GET /api/audit": own(plain("/api/audit")),
  "GET /api/search": own(plain("/api/search?text=secret")),
  "GET /api/approvals": own(plain("/api/approvals")),
  "GET /api/dead-letters": own(plain("/api/dead-letters")),
  "POST /api/dead-letters/act": absent(plain("/api/dead-letters/act"), byIds({ action: "discard" }), 200),
  "GET /api/operations": own(plain("/api/operations")),
  "GET /api/operations/{id}": absent(operation()),
  "POST /api/operations/{id}": absent(operation(), {}),
  "GET /api/operations/{id}/stream": absent(operation("/stream")),
  "GET /api/types": own(plain("/api/types")),
  "GET /api/spokes": own(plain("/api/spokes")),
  "GET /api/spokes/{id}": absent(spoke()),
  "POST /api/spokes/{id}/drain": absent(spoke("/drain"), {}),
  "GET /api/keys": own(plain("/api/keys")),
  "POST /api/keys": own(plain("/api/keys"), { name: "of-stranger", scopes: ["run:read"] }, 201),
  "POST /api/keys/{id}/rotate": absent(key("/rotate"), {}),
  "POST /api/keys/{id}/revoke": absent(key("/revoke"), {}),
  "DELETE /api/keys/{id}": absent(key()),
  "GET /api/schedules": own(plain("/api/schedules")),
  "POST /api/schedules": own(plain("/api/schedules"), aSchedule, 201),
  "GET /api/schedules/{id}": absent(schedule()),
  "PUT /api/schedules/{id}": absent(schedule(), aSchedule),
  "DELETE /api/schedules/{id}": absent(schedule()),
  "GET /api/schedules/{id}/times": absent(schedule("/times")),
  "POST /api/schedules/{id}/pause": absent(schedule("/pause"), {}),
  "POST /api/schedules/{id}/resume": absent(schedule("/resume"), {}),
  "POST /api/schedules/{id}/run": absent(schedule("/run"), {}),
  "GET /api/clients": own(plain("/api/clients")),
  "GET /api/clients/{name}": absent(client()),
  "PUT /api/clients/{name}": own(plain("/api/clients/strangers"), {
    type: "llm-provider",
    kind: "openai",
    baseUrl: "https://provider.invalid/v1",
    keys: ["a-key-of-the-stranger"],
    models: [{ id: "m" }],
  }, 201),
  "DELETE /api/clients/{name}": absent(client()),
  "POST /api/clients/{name}/test": absent(client("/test"), {}),
  "POST /api/clients/{name}/refresh": absent(client("/refresh"), {}),
  "POST /api/clients/{name}/rotate": absent(client("/rotate"), { secrets: { auth: "another" } }),
  "GET /api/webhooks": own(plain("/api/webhooks")),
  "POST /api/webhooks": own(plain("/api/webhooks"), aWebhook, 201),
  "GET /api/webhooks/{id}": absent(webhook()),
  "PUT /api/webhooks/{id}": absent(webhook(), aWebhook),
  "DELETE /api/webhooks/{id}": absent(webhook()),
  "GET /api/webhooks/{id}/receipts": absent(webhook("/receipts")),
  "POST /api/webhooks/{id}/pause": absent(webhook("/pause"), {}),
  "POST /api/webhooks/{id}/resume": absent(webhook("/resume"), {}),
  "POST /api/webhooks/{id}/rotate": absent(webhook("/rotate"), { overlapSeconds: 0 }),
  "GET /api/webhooks/{id}/deliveries": absent(({ outbound }) => `/api/webhooks/${outbound}/deliveries`),
  "POST /api/webhooks/{id}/deliveries/{delivery}/redeliver": absent(
    ({ outbound, delivery }) => `/api/webhooks/${outbound}/deliveries/${delivery}/redeliver`,
    {},
  ),
  "POST /api/hooks/{id}": absent(({ webhook: id }) => `/api/hooks/${id}`, {}, 401),
  "GET /api/budgets": own(plain("/api/budgets")),
  "GET /api/budgets/{kind}/{id}": absent(({ run: id }) => `/api/budgets/run/${id}`),
  "PUT /api/budgets/{kind}/{id}": absent(({ run: id }) => `/api/budgets/run/${id}`, {}),
  "GET /api/usage": own(plain("/api/usage")),
  "GET /api/flow": own(plain("/api/flow")),
  "GET /api/flow/{key}": absent(({ lineKey }) => `/api/flow/${lineKey}`),
  "GET /api/limits": own(plain("/api/limits")),
  "PUT /api/limits/{key}": own(plain("/api/limits/of-stranger"), { concurrency: 7 }),
  "DELETE /api/limits/{key}": absent(({ lineKey }) => `/api/limits/${lineKey}`),
  "GET /api/holds": own(plain("/api/holds")),
  "POST /api/holds": own(plain("/api/holds"), { kind: "workflow", name: "go" }, 201),
  "DELETE /api/holds/{id}": absent(({ hold }) => `/api/holds/${hold}`),
  "POST /api/coord/spawn": absent(plain("/api/coord/spawn"), spawnFor),
  "POST /api/coord/status": own(plain("/api/coord/status"), {}),
  "POST /api/coord/message": absent(plain("/api/coord/message"), ({ mapping: id }: Ids) => ({ id, message: "hello" })),
  "POST /api/coord/notify": absent(
    plain("/api/coord/notify"),
    ({ mapping: sessionId }: Ids) => ({ sessionId, message: "hello" }),
    409,
  ),
  "POST /api/coord/abort": absent(plain("/api/coord/abort"), byMapping),
  "POST /api/coord/wait": absent(plain("/api/coord/wait"), byMapping),
  "POST /api/coord/detect": absent(plain("/api/coord/detect"), byMapping),
  "GET /api/coord/notices": own(plain("/api/coord/notices")),
  "GET /api/detections": own(plain("/api/detections")),
  "GET /v1/models": own(plain("/v1/models")),
  "GET /v1/models/{id}": absent(({ model }) => `/v1/models/${model}`),
  "POST /v1/chat/completions": absent(
    plain("/v1/chat/completions"),
    ({ model }: Ids) => ({ model, messages: [{ role: "user", content: "hello" }] }),
  ),
  "POST /v1/responses": absent(plain("/v1/responses"), ({ model }: Ids) => ({ model, input: "hello" })),
  "POST /v1/embeddings": absent(plain("/v1/embeddings"), ({ model }: Ids) => ({ model, input: "hello" })),
  "GET /v1/responses/{id}": absent(response()),
  "GET /v1/responses/{id}/input_items": absent(response("/input_items")),
  "POST /v1/responses/{id}/cancel": absent(response("/cancel"), {}),
  "DELETE /v1/responses/{id}": absent(response()),
  "GET /api/sessions/{id}/stream": absent(session("/stream")),
  "POST /api/sessions/{id}/stream": absent(session("/stream"), toSay),
  "GET /api/sessions/{id}/ui-messages": absent(session("/ui-messages")),
  "GET /": own(plain("/")),
  "GET /assets/{name}": own(plain("/assets/none"), undefined, 404),
  "GET /docs": own(plain("/docs")),
  "GET /health": own(plain("/health")),
  "GET /ready": own(plain("/ready")),
  "GET /openapi.json": own(plain("/openapi.json")),
  "GET /metrics": own(plain("/metrics"), undefined, 403),
};
