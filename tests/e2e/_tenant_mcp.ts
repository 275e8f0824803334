/**
 * What another organization's key is sent over MCP, by method. A method that the SDK knows and that is not here fails the test,
 * unless the hub does not serve it.
 */
import type { Fields } from "./_mcp_calls.ts";
import type { Ids } from "./_tenant_routes.ts";

/** One message. `absent` and `own` as for routes. */
export interface McpProbe {
  readonly kind: "absent" | "own";
  readonly params: (ids: Ids) => Fields;
  /** Only in this revision; absent: in both. */
  readonly only?: "2025" | "2026";
}

type Params = (ids: Ids) => Fields;
const absent = (params: Params, only?: McpProbe["only"]): McpProbe => ({
  kind: "absent",
  params,
  ...(only !== undefined && { only }),
});
const own = (params: Fields = {}, only?: McpProbe["only"]): McpProbe => ({
  kind: "own",
  params: () => params,
  ...(only !== undefined && { only }),
});
const tool = (name: string, args: Params): McpProbe => absent((ids) => ({ name, arguments: args(ids) }));
/** Of another organization, or of nobody. */
const privately = (name: string) => ({ workflow }: Ids): string =>
  workflow === "mine" ? `private-${name}` : `nobodys-${name}`;

const uris: readonly ((ids: Ids) => string)[] = [
  ({ run }) => `run://${run}`,
  ({ run }) => `run://${run}/graph`,
  ({ workflow }) => `workflow://${workflow}`,
  (ids) => `private://${privately("resource")(ids)}`,
];
const completion = (uri: string, name: string, value = ""): McpProbe =>
  own({ ref: { type: "ref/resource", uri }, argument: { name, value } });

export const MCP_PROBES: Readonly<Record<string, readonly McpProbe[]>> = {
  "ping": [own({}, "2025")],
  "logging/setLevel": [own({ level: "debug" }, "2025")],
  "server/discover": [own({}, "2026")],
  "initialize": [
    own({ protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }, "2025"),
  ],
  "tools/list": [own()],
  "tools/call": [
    own({ name: "hub.list", arguments: {} }),
    own({ name: "hub.search", arguments: { query: "private secret default mine op" } }),
    tool("hub.schema", ({ operation }) => ({ operationId: operation })),
    tool("hub.schema", ({ workflow }) => ({ operationId: `workflow.${workflow}` })),
    tool("hub.call", ({ operation }) => ({ operationId: operation, input: {} })),
    tool("hub.call", ({ workflow }) => ({ operationId: `workflow.${workflow}`, input: {} })),
    absent(({ workflow }) => ({ name: workflow, arguments: {} })),
    absent((ids) => ({ name: privately("tool")(ids), arguments: {} })),
  ],
  "resources/list": [own()],
  "resources/templates/list": [own()],
  "resources/read": uris.map((uri) => absent((ids) => ({ uri: uri(ids) }))),
  "resources/subscribe": uris.map((uri) => absent((ids) => ({ uri: uri(ids) }), "2025")),
  "resources/unsubscribe": uris.map((uri) => absent((ids) => ({ uri: uri(ids) }), "2025")),
  "prompts/list": [own()],
  "prompts/get": [absent((ids) => ({ name: privately("prompt")(ids), arguments: {} }))],
  "completion/complete": [
    completion("run://{id}", "id"),
    completion("run://{id}/graph", "id"),
    completion("workflow://{name}", "name"),
    absent(({ run }) => ({
      ref: { type: "ref/resource", uri: "run://{id}" },
      argument: { name: "id", value: run.slice(0, 8) },
    })),
    own({ ref: { type: "ref/prompt", name: "any" }, argument: { name: "runId", value: "" } }),
    own({ ref: { type: "ref/prompt", name: "any" }, argument: { name: "workflow", value: "" } }),
  ],
  "tasks/get": [absent(({ run }) => ({ taskId: run }), "2026"), absent(({ busy }) => ({ taskId: busy }), "2026")],
  "tasks/update": [absent(({ run }) => ({ taskId: run, inputResponses: {} }), "2026")],
  "tasks/cancel": [absent(({ run }) => ({ taskId: run }), "2026")],
  /** Tested by itself: it answers with a stream. */
  "subscriptions/listen": [],
};

/** The protocol's requests, all revisions, by the name of their schema in the SDK; null: not one of a server's. */
export const METHODS: Readonly<Record<string, string | null>> = {
  CallToolRequest: "tools/call",
  CancelTaskRequest: "tasks/cancel",
  CompleteRequest: "completion/complete",
  DiscoverRequest: "server/discover",
  GetPromptRequest: "prompts/get",
  GetTaskPayloadRequest: "tasks/result",
  GetTaskRequest: "tasks/get",
  InitializeRequest: "initialize",
  ListPromptsRequest: "prompts/list",
  ListResourceTemplatesRequest: "resources/templates/list",
  ListResourcesRequest: "resources/list",
  ListTasksRequest: "tasks/list",
  ListToolsRequest: "tools/list",
  PingRequest: "ping",
  ReadResourceRequest: "resources/read",
  SetLevelRequest: "logging/setLevel",
  SubscribeRequest: "resources/subscribe",
  SubscriptionsListenRequest: "subscriptions/listen",
  UnsubscribeRequest: "resources/unsubscribe",
  ClientRequest: null,
  CreateMessageRequest: null,
  ElicitRequest: null,
  JSONRPCRequest: null,
  ListRootsRequest: null,
  OAuthTokenRevocationRequest: null,
  PaginatedRequest: null,
  Request: null,
  ServerRequest: null,
};
