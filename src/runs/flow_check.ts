import { flowProblems, type Plan } from "@alkdev/flowgraph";
import { CallError, FromSchema, type OperationSpec } from "@alkdev/operations";
import type { Json, WorkflowSchemas } from "@alkdev/flowgraph";
import type { OperationCatalog, WorkflowCatalog, WorkflowVersion } from "./ports.ts";

/** What a plan was found to fit: as long as these are what they were, it need not be looked at again. */
interface Checked {
  readonly inputSchema: Json | null;
  readonly specs: readonly (OperationSpec | undefined)[];
  readonly children: readonly (WorkflowVersion | null)[];
}

/** What a plan calls, by what it is called. */
interface Callees {
  readonly operations: readonly { readonly id: string; readonly labels?: Readonly<Record<string, string>> }[];
  readonly children: readonly { readonly name: string; readonly version?: string }[];
  /** Per organization. */
  readonly checked: Map<string, Checked>;
}

/** Organizations whose checks of one plan are remembered. */
const MAX_ORGS = 64;

/**
 * Refuses a start whose data cannot flow as the plan has it, by the schemas of operations as they are now, those of connected
 * spokes included. What nobody offers yet is not looked at: it may come.
 */
export class FlowCheck {
  readonly #operations: OperationCatalog;
  readonly #catalog: WorkflowCatalog;
  /** By plan: a static template's is one object, however often it is started. */
  readonly #callees = new WeakMap<Plan, Callees>();

  constructor(options: { readonly operations: OperationCatalog; readonly catalog: WorkflowCatalog }) {
    this.#operations = options.operations;
    this.#catalog = options.catalog;
  }

  /** Undefined at once where the plan has no child workflows. @throws CallError WORKFLOW_INVALID, also as a rejection */
  check(orgId: string, { name, inputSchema }: WorkflowVersion, plan: Plan): Promise<void> | undefined {
    const callees = this.#calleesOf(plan);
    if (callees.children.length === 0) {
      this.#checkWith(orgId, { name, inputSchema, plan, callees, children: [] });
      return undefined;
    }
    const found = callees.children.map((child) => this.#catalog.get({ orgId, ...child }));
    return Promise.all(found).then((children) =>
      this.#checkWith(orgId, { name, inputSchema, plan, callees, children })
    );
  }

  #checkWith(orgId: string, subject: {
    readonly name: string;
    readonly inputSchema: Json | null;
    readonly plan: Plan;
    readonly callees: Callees;
    readonly children: readonly (WorkflowVersion | null)[];
  }): void {
    const { name, inputSchema, plan, callees, children } = subject;
    const before = callees.checked.get(orgId);
    if (before !== undefined && this.#isAsBefore(orgId, before, subject)) return;
    const problems = flowProblems(plan, {
      inputSchema,
      operations: (id, labels) => this.#operations.spec(orgId, id, labels),
      workflows: (child, version) => schemasOf(children[indexOf(callees, child, version)]),
    });
    const [first] = problems;
    if (first !== undefined) {
      const errors = problems.map(({ code, path, node, edge, message }) => ({
        code,
        path,
        node,
        ...(edge !== undefined && { edge: `${edge.source} -> ${edge.target}` }),
        message,
      }));
      throw new CallError("WORKFLOW_INVALID", `Cannot start workflow "${name}": ${first.message}`, { errors });
    }
    if (callees.checked.size >= MAX_ORGS) callees.checked.clear();
    const specs = callees.operations.map(({ id, labels }) => this.#operations.spec(orgId, id, labels));
    callees.checked.set(orgId, { inputSchema, specs, children });
  }

  #isAsBefore(
    orgId: string,
    before: Checked,
    { inputSchema, callees, children }: {
      readonly inputSchema: Json | null;
      readonly callees: Callees;
      readonly children: readonly (WorkflowVersion | null)[];
    },
  ): boolean {
    if (before.inputSchema !== inputSchema) return false;
    const { operations } = callees;
    for (let i = 0; i < operations.length; i++) {
      const { id, labels } = operations[i]!;
      if (this.#operations.spec(orgId, id, labels) !== before.specs[i]) return false;
    }
    return children.every((child, i) => child?.version === before.children[i]?.version);
  }

  #calleesOf(plan: Plan): Callees {
    const known = this.#callees.get(plan);
    if (known !== undefined) return known;
    const operations = new Map<string, Callees["operations"][number]>();
    const children = new Map<string, { readonly name: string; readonly version?: string }>();
    for (const node of plan.nodes) {
      if (node.kind === "operation") {
        const { operationId: id, spoke: labels } = node;
        const key = labels === undefined ? id : `${id} ${JSON.stringify(labels)}`;
        operations.set(key, { id, ...(labels !== undefined && { labels }) });
      }
      if (node.kind !== "workflow") continue;
      const { workflow, version } = node;
      children.set(`${workflow}@${version ?? ""}`, { name: workflow, ...(version !== undefined && { version }) });
    }
    const callees: Callees = {
      operations: [...operations.values()],
      children: [...children.values()],
      checked: new Map(),
    };
    this.#callees.set(plan, callees);
    return callees;
  }
}

function indexOf({ children }: Callees, name: string, version: string | undefined): number {
  return children.findIndex((child) => child.name === name && child.version === version);
}

function schemasOf(version: WorkflowVersion | null | undefined): WorkflowSchemas | undefined {
  if (version === null || version === undefined) return undefined;
  const { inputSchema, outputSchema } = version;
  return { inputSchema: inputSchema === null ? null : FromSchema(inputSchema), outputSchema };
}
