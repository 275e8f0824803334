import type { ServerOptions } from "@modelcontextprotocol/server";
import { ListWatch } from "../changes/list_watch.ts";
import type { McpDeps, McpTimes } from "../ports.ts";
import { Prompts } from "../prompts/prompts.ts";
import { Resources } from "../resources/resources.ts";
import { TASKS_EXTENSION } from "../session_context.ts";
import { Tasks } from "../tasks/tasks.ts";
import { WorkflowCaller } from "../tools/call_workflow.ts";
import { ToolCatalog } from "../tools/tool_catalog.ts";
import { roundCodec } from "./round_codec.ts";

/** Lists are per caller and change by themselves: a client may keep them for this long. */
const LIST_TTL_MS = 5_000;

const INSTRUCTIONS =
  "A workflow engine. Find what it can do with hub.search, read its schema with hub.schema, run it with hub.call " +
  "(workflows are workflow.<name>). Runs are resources: run://{id} and run://{id}/graph.";

/** What servers of all revisions are made of. */
export interface ServerParts {
  readonly deps: McpDeps;
  readonly times: McpTimes;
  readonly tools: ToolCatalog;
  readonly resources: Resources;
  readonly prompts: Prompts;
  readonly tasks: Tasks;
  readonly lists: ListWatch;
  readonly options: ServerOptions;
}

/** `closing` aborts when the hub stops. */
export function createServerParts(deps: McpDeps, times: McpTimes, closing: AbortSignal): ServerParts {
  const codec = roundCodec(deps.stateKeys ?? [crypto.getRandomValues(new Uint8Array(32))]);
  const tasks = new Tasks(deps, times);
  const caller = new WorkflowCaller(deps, times, { tasks, codec, closing });
  const tools = new ToolCatalog(deps, (call) => caller.callTool(call));
  const prompts = new Prompts(deps, caller);
  const listHint = { ttlMs: LIST_TTL_MS, cacheScope: "private" } as const;
  return {
    deps,
    times,
    tools,
    prompts,
    tasks,
    resources: new Resources(deps),
    lists: new ListWatch(
      tools,
      prompts,
      times.listPoll,
      (error) => deps.log.error("The lists of tools and prompts cannot be read", { error: String(error) }),
    ),
    options: {
      instructions: INSTRUCTIONS,
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true },
        completions: {},
        logging: {},
        extensions: { [TASKS_EXTENSION]: {} },
      },
      cacheHints: {
        "tools/list": listHint,
        "prompts/list": listHint,
        "resources/list": listHint,
        "resources/templates/list": listHint,
      },
      requestState: { verify: (state, context) => codec.verify(state, context) },
    },
  };
}
