import type { CompleteRequest } from "@modelcontextprotocol/server";
import type { Principal } from "../auth/mod.ts";
import { may, mayOn } from "./rights.ts";
import type { ServerParts } from "./serve/server_parts.ts";

/** The protocol's own limit. */
const MAX = 100;

/** A type because the SDK wants one that is open to further fields. */
export type Completion = { values: string[]; total: number; hasMore: boolean };

/**
 * Values for an argument that start as typed so far: run ids and workflow names for the hub's own resource templates, and run
 * ids for prompt arguments called `runId`, workflow names for those called `workflow`. Others have none.
 */
export async function complete(
  { deps, resources }: ServerParts,
  principal: Principal,
  ref: CompleteRequest["params"]["ref"],
  argument: CompleteRequest["params"]["argument"],
): Promise<Completion> {
  const { name, value } = argument;
  if (ref.type === "ref/resource" && !resources.variables(principal, ref.uri).includes(name)) return top([], value);
  const kind = ref.type === "ref/prompt" ? name : ref.uri.split(":")[0];
  if ((kind === "run" || kind === "runId") && may(principal, "run:read")) {
    const { items } = await deps.runs.list({ caller: principal, limit: MAX });
    return top(items.filter((run) => mayOn(principal, run.workflow, "run:read")).map(({ id }) => id), value);
  }
  if (kind === "workflow" && may(principal, "workflow:read")) {
    const all = await deps.workflows.list({ orgId: principal.orgId });
    return top(all.map((it) => it.name).filter((it) => mayOn(principal, it, "workflow:read")), value);
  }
  return top([], value);
}

function top(all: readonly string[], start: string): Completion {
  const found = all.filter((text) => text.startsWith(start));
  return { values: found.slice(0, MAX), total: found.length, hasMore: found.length > MAX };
}
