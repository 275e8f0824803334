import {
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from "@modelcontextprotocol/server";
import { CallError, operationId, type OperationSpec } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import { exposureOf } from "../exposure.ts";
import { pageAfter } from "../page.ts";
import type { McpDeps } from "../ports.ts";
import { may, mayOn } from "../rights.ts";
import { expandsTo, isTemplate, variablesOf } from "./uri_template.ts";

const JSON_TYPE = "application/json";
/** Newest runs in the list; each other one is read by its id. */
const RUNS = 20;
const RUN_URI = /^run:\/\/([A-Za-z0-9-]{1,64})(\/graph)?$/;
const WORKFLOW_URI = /^workflow:\/\/(.{1,128})$/;

const TEMPLATES: readonly ResourceTemplateType[] = [
  {
    name: "run",
    uriTemplate: "run://{id}",
    description: "A run: status, input, output, progress",
    mimeType: JSON_TYPE,
  },
  { name: "run graph", uriTemplate: "run://{id}/graph", description: "A run's nodes and edges", mimeType: JSON_TYPE },
  {
    name: "workflow",
    uriTemplate: "workflow://{name}",
    description: "A workflow: schemas and template",
    mimeType: JSON_TYPE,
  },
];

/** What a client can read: runs, their graphs, workflows, and operations that are served as resources. */
export class Resources {
  readonly #deps: McpDeps;

  constructor(deps: McpDeps) {
    this.#deps = deps;
  }

  async list(
    principal: Principal,
    cursor: string | undefined,
  ): Promise<{ readonly resources: Resource[]; readonly nextCursor?: string }> {
    const all = [...this.#fixed(principal), ...await this.#workflows(principal), ...await this.#runs(principal)];
    const { items, nextCursor } = pageAfter(all, ({ uri }) => uri, cursor);
    return { resources: items, ...(nextCursor !== undefined && { nextCursor }) };
  }

  templates(principal: Principal): ResourceTemplateType[] {
    const own = this.#exposed(principal).filter(({ uri }) => isTemplate(uri)).map(({ spec, uri, mimeType }) => ({
      name: operationId(spec),
      uriTemplate: uri,
      description: spec.description,
      ...(mimeType !== undefined && { mimeType }),
    }));
    return [...TEMPLATES, ...own];
  }

  /** @throws {ResourceNotFoundError} also for what the caller may not see */
  async read(principal: Principal, uri: string, signal: AbortSignal): Promise<ReadResourceResult> {
    const [, runId, graph] = RUN_URI.exec(uri) ?? [];
    if (runId !== undefined) {
      if (!may(principal, "run:read")) throw new ResourceNotFoundError(uri);
      const params = { caller: principal, runId };
      const view = await this.#deps.runs.get(params).catch((error) => notFound(error, uri));
      if (!mayOn(principal, view.workflow, "run:read")) throw new ResourceNotFoundError(uri);
      if (graph === undefined) return asJson(uri, view);
      return asJson(uri, await this.#deps.runs.graph(params).catch((error) => notFound(error, uri)));
    }
    const [, name] = WORKFLOW_URI.exec(uri) ?? [];
    if (name !== undefined) return asJson(uri, await this.#workflow(principal, decodeURIComponent(name), uri));
    return await this.#readOperation(principal, uri, signal);
  }

  /** The run whose changes change a resource; null: the resource has none. @throws {ResourceNotFoundError} */
  async runOf(principal: Principal, uri: string, signal: AbortSignal): Promise<string | null> {
    const [, runId] = RUN_URI.exec(uri) ?? [];
    if (runId === undefined && this.#exposed(principal).some((it) => expandsTo(it.uri, uri) !== null)) return null;
    await this.read(principal, uri, signal);
    return runId ?? null;
  }

  #exposed(principal: Principal) {
    if (!may(principal, "operation:call")) return [];
    return this.#deps.operations.list(principal).flatMap((spec) => {
      const { resource } = exposureOf(spec);
      if (resource === undefined || !mayOn(principal, operationId(spec), "operation:call")) return [];
      return [{ spec, ...resource }];
    }).sort((left, right) => left.uri < right.uri ? -1 : 1);
  }

  #fixed(principal: Principal): Resource[] {
    return this.#exposed(principal).filter(({ uri }) => !isTemplate(uri)).map(({ spec, uri, mimeType }) => ({
      uri,
      name: operationId(spec),
      ...(spec.title !== undefined && { title: spec.title }),
      description: spec.description,
      ...(mimeType !== undefined && { mimeType }),
    }));
  }

  async #workflows(principal: Principal): Promise<Resource[]> {
    if (!may(principal, "workflow:read")) return [];
    const all = await this.#deps.workflows.list({ orgId: principal.orgId });
    const seen = all.filter(({ name }) => mayOn(principal, name, "workflow:read"));
    return seen.map(({ name, title, description }) => ({
      uri: `workflow://${encodeURIComponent(name)}`,
      name,
      ...(title !== null && { title }),
      description: description ?? title ?? `Workflow ${name}`,
      mimeType: JSON_TYPE,
    }));
  }

  async #runs(principal: Principal): Promise<Resource[]> {
    if (!may(principal, "run:read")) return [];
    const { items } = await this.#deps.runs.list({ caller: principal, limit: RUNS });
    const seen = items.filter(({ workflow }) => mayOn(principal, workflow, "run:read"));
    return seen.map(({ id, workflow, status, createdAt }) => ({
      uri: `run://${id}`,
      name: `${workflow} ${id}`,
      description: `Run of ${workflow}, ${status}, started ${new Date(createdAt).toISOString()}`,
      mimeType: JSON_TYPE,
    }));
  }

  async #workflow(principal: Principal, name: string, uri: string): Promise<unknown> {
    if (!mayOn(principal, name, "workflow:read")) throw new ResourceNotFoundError(uri);
    const found = await this.#deps.workflows.get({ orgId: principal.orgId, name });
    if (found === null) throw new ResourceNotFoundError(uri);
    const { version, title, description, inputSchema, outputSchema, serializable, template } = found;
    return { name, version, title, description, inputSchema, outputSchema, serializable, template };
  }

  async #readOperation(principal: Principal, uri: string, signal: AbortSignal): Promise<ReadResourceResult> {
    for (const { spec, uri: pattern, mimeType } of this.#exposed(principal)) {
      const input = expandsTo(pattern, uri);
      if (input === null) continue;
      return contentsOf(uri, mimeType, await this.#call(principal, spec, input, signal));
    }
    throw new ResourceNotFoundError(uri);
  }

  async #call(principal: Principal, spec: OperationSpec, input: unknown, signal: AbortSignal): Promise<unknown> {
    const { data } = await this.#deps.operations.call({
      caller: principal,
      operationId: operationId(spec),
      input,
      signal,
    });
    return data;
  }

  /** Names in the templates, for completion. */
  variables(principal: Principal, uriTemplate: string): readonly string[] {
    return this.templates(principal).filter((it) => it.uriTemplate === uriTemplate).flatMap((it) =>
      variablesOf(it.uriTemplate)
    );
  }
}

function asJson(uri: string, value: unknown): ReadResourceResult {
  return { contents: [{ uri, mimeType: JSON_TYPE, text: JSON.stringify(value) }] };
}

/** A text is the content; `{blob}` is base64; anything else is JSON. */
function contentsOf(uri: string, mimeType: string | undefined, data: unknown): ReadResourceResult {
  const type = mimeType === undefined ? {} : { mimeType };
  if (typeof data === "string") return { contents: [{ uri, ...type, text: data }] };
  if (typeof data === "object" && data !== null && "blob" in data && typeof data.blob === "string") {
    return { contents: [{ uri, ...type, blob: data.blob }] };
  }
  return { contents: [{ uri, mimeType: mimeType ?? JSON_TYPE, text: JSON.stringify(data) }] };
}

function notFound(error: unknown, uri: string): never {
  if (error instanceof CallError && error.code === "RUN_NOT_FOUND") throw new ResourceNotFoundError(uri);
  throw error;
}
