import { Type } from "@alkdev/typebox";
import { CallError, hasScopeFor } from "@alkdev/operations";
import {
  planTree,
  type PreparedPlan,
  type Versions,
  type WorkflowCatalog,
  type WorkflowVersion,
} from "../../runs/mod.ts";
import { paginate } from "../paginate.ts";
import type { GraphsPort, ServerDeps } from "../ports.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";
import { PlanSchema, TemplateProblemSchema, WorkflowSummarySchema, WorkflowViewSchema } from "../schemas/catalog.ts";
import { EstimateSchema } from "../schemas/estimate.ts";
import { JsonSchema } from "../schemas/json.ts";
import { nullable, pageOf } from "../schemas/nullable.ts";
import { Name, NameParams, PageQuery, SearchText } from "../schemas/parameters.ts";
import { DeployImpactSchema } from "../schemas/versions.ts";

const head = { tag: "workflows" } as const;
const Exposure = Type.Union([Type.Literal("tool"), Type.Literal("task"), Type.Literal("prompt")], {
  description: "How it is served over MCP, beside being callable by its name",
});
const strict = { additionalProperties: false } as const;
const DeployedSchema = Type.Object({ ...WorkflowViewSchema.properties, impact: DeployImpactSchema }, {
  $id: "DeployedWorkflow",
});

/** `/api/workflows` but for starting runs. */
export function workflowRoutes(deps: ServerDeps): readonly Route[] {
  const { workflows, graphs, versions } = deps;
  return [
    listRoute(workflows),
    getRoute(workflows, graphs),
    putRoute(workflows, graphs, versions),
    validateRoute(workflows),
    dryRunRoute(deps),
  ];
}

function listRoute(workflows: WorkflowCatalog): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/workflows",
    name: "listWorkflows",
    isConditional: true,
    summary: "Workflows by name",
    scope: "workflow:read",
    query: PageQuery,
    responses: { 200: { description: "A page of workflows", schema: pageOf(WorkflowSummarySchema) } },
    async handle({ caller, query }) {
      const versions = (await workflows.list({ orgId: caller.orgId })).filter(({ name }) =>
        hasScopeFor(caller.identity.scopes, "workflow:read", name)
      );
      const page = paginate(versions, ({ name }) => name, query);
      return ok({ items: page.items.map(summaryOf), nextCursor: page.nextCursor });
    },
  });
}

function getRoute(workflows: WorkflowCatalog, graphs: GraphsPort): Route {
  return defineRoute({
    ...head,
    method: "GET",
    path: "/api/workflows/:name",
    name: "getWorkflow",
    isConditional: true,
    summary: "A workflow with its plan and template",
    scope: "workflow:read",
    params: NameParams,
    query: Type.Object({ version: Type.Optional(Name) }),
    responses: { 200: { description: "The workflow", schema: WorkflowViewSchema } },
    async handle({ caller, params, query }) {
      const version = await requireWorkflow(workflows, { orgId: caller.orgId, name: params.name, ...query });
      return ok(viewOf(version, graphs));
    },
  });
}

function putRoute(workflows: WorkflowCatalog, graphs: GraphsPort, versions: Versions): Route {
  return defineRoute({
    ...head,
    method: "PUT",
    path: "/api/workflows/:name",
    name: "registerWorkflow",
    summary: "Register a template given as JSON; the same content is the same version",
    scope: "workflow:write",
    params: NameParams,
    body: Type.Object({
      template: JsonSchema,
      output: Type.Optional(JsonSchema),
      inputSchema: Type.Optional(JsonSchema),
      outputSchema: Type.Optional(JsonSchema),
      title: Type.Optional(SearchText),
      description: Type.Optional(Type.String({ maxLength: 16_384, pattern: "^[^\\x00]*$" })),
      flow: Type.Optional(JsonSchema),
      expose: Type.Optional(Exposure),
    }, strict),
    responses: {
      200: { description: "The version that is now served, and what it means for live runs", schema: DeployedSchema },
      422: { description: "Every problem found, as `errors`: nothing was stored" },
    },
    async handle({ caller, params, body }) {
      const { orgId } = caller;
      const previous = await workflows.get({ orgId, name: params.name });
      const result = await workflows.register({ orgId, name: params.name, ...body });
      if ("version" in result) {
        const impact = await versions.impact({ orgId, deployed: result.version, previous });
        return ok({ ...viewOf(result.version, graphs), impact });
      }
      const { problems } = result;
      const count = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
      const first = problems[0]?.message ?? "";
      throw new CallError("WORKFLOW_INVALID", `Workflow "${params.name}" has ${count}: ${first}`, { errors: problems });
    },
  });
}

function validateRoute(workflows: WorkflowCatalog): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/workflows/:name/validate",
    name: "validateWorkflow",
    summary: "Problems of a workflow, or of a template that is given and not stored",
    scope: "workflow:read",
    params: NameParams,
    bodyDefault: {},
    body: Type.Object({ template: Type.Optional(JsonSchema), output: Type.Optional(JsonSchema) }, strict),
    responses: {
      200: {
        description: "Every problem found",
        schema: Type.Object({ valid: Type.Boolean(), problems: Type.Array(TemplateProblemSchema) }),
      },
    },
    async handle({ caller, params, body }) {
      const named = { orgId: caller.orgId, name: params.name };
      if (body.template === undefined) await requireWorkflow(workflows, named);
      const problems = await workflows.validate(body.template === undefined ? named : { ...named, ...body });
      return ok({ valid: problems.length === 0, problems });
    },
  });
}

function dryRunRoute({ workflows, graphs, estimator }: ServerDeps): Route {
  return defineRoute({
    ...head,
    method: "POST",
    path: "/api/workflows/:name/dry-run",
    name: "dryRunWorkflow",
    summary: "The plan for an input, and what a run of it is likely to take; nothing is started",
    scope: "workflow:read",
    params: NameParams,
    bodyDefault: {},
    body: Type.Object({ input: Type.Optional(JsonSchema), version: Type.Optional(Name) }, strict),
    responses: {
      200: {
        description: "The plan",
        schema: Type.Object({
          workflow: Type.String(),
          version: Type.String(),
          planHash: Type.String(),
          input: Type.Unknown({ description: "With its defaults" }),
          plan: PlanSchema,
          estimate: nullable(EstimateSchema),
        }),
      },
    },
    async handle({ caller, params, body }) {
      const named = { orgId: caller.orgId, name: params.name };
      const version = await requireWorkflow(
        workflows,
        body.version === undefined ? named : { ...named, version: body.version },
      );
      const input = version.decodeInput(body.input ?? {});
      const prepared = version.plan(input);
      const plan = planView(prepared, graphs);
      const estimate = await estimator?.estimate({ orgId: caller.orgId, plan: prepared.plan, input }) ?? null;
      return ok({ workflow: version.name, version: version.version, planHash: prepared.hash, input, plan, estimate });
    },
  });
}

/** @throws {CallError} `WORKFLOW_NOT_FOUND`, with near names in `details.suggestions` */
async function requireWorkflow(
  workflows: WorkflowCatalog,
  wanted: { readonly orgId: string; readonly name: string; readonly version?: string },
): Promise<WorkflowVersion> {
  const version = await workflows.get(wanted);
  if (version !== null) return version;
  const { orgId, name } = wanted;
  if (wanted.version !== undefined && await workflows.get({ orgId, name }) !== null) {
    throw new CallError("WORKFLOW_NOT_FOUND", `Cannot find version "${wanted.version}" of workflow "${name}"`);
  }
  const suggestions = await workflows.similar({ orgId, name });
  const hint = suggestions[0] === undefined ? "" : `: did you mean "${suggestions[0]}"?`;
  throw new CallError("WORKFLOW_NOT_FOUND", `Cannot find workflow "${name}"${hint}`, { suggestions });
}

function summaryOf(version: WorkflowVersion): object {
  const { name, title, description, inputSchema, outputSchema, serializable } = version;
  return { name, version: version.version, title, description, inputSchema, outputSchema, serializable };
}

function viewOf(version: WorkflowVersion, graphs: GraphsPort): object {
  return {
    ...summaryOf(version),
    flow: version.flow ?? null,
    expose: version.expose ?? null,
    plan: planOf(version, graphs),
    template: version.template,
  };
}

/** A template that is a function may need a real input to be rendered: then there is no plan to show without one. */
function planOf(version: WorkflowVersion, graphs: GraphsPort): object | null {
  try {
    return planView(version.plan({}), graphs);
  } catch {
    return null;
  }
}

function planView({ plan }: PreparedPlan, graphs: GraphsPort): object {
  const { nodes, edges } = graphs.plan(plan);
  return { nodes, edges, tree: planTree(plan), output: plan.output, failurePolicy: plan.failurePolicy };
}
