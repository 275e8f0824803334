import { collectErrors, type OperationSpec, parseOperationReference } from "@alkdev/operations";
import type { TSchema } from "@alkdev/typebox";
import { Value } from "@alkdev/typebox/value";
import { describeSchema } from "../analysis/json_schema.ts";
import { type SchemaAtPath, schemaAtPath } from "../analysis/schema_at_path.ts";
import { typeCompat } from "../analysis/type_compat.ts";
import { compilation, type NamedTemplate, render } from "../compile/compile.ts";
import { connect } from "../compile/connect.ts";
import { PlanTree } from "../compile/data_edges.ts";
import { Problems } from "../compile/draft.ts";
import { type PlanName, type PlanReference, visitReferences } from "../compile/plan_references.ts";
import { nearestName } from "../nearest_name.ts";
import type { ChildRunNode, OperationNode, Plan, PlanNode } from "../plan.ts";
import type { Problem } from "../problem.ts";
import { isReference } from "../reference.ts";
import type { WorkflowDefinition } from "../workflow.ts";
import { DataSchemas, type OutputSchemas } from "./data_schemas.ts";

/** What the data that flows between nodes is checked against. */
export interface FlowOptions {
  /**
   * Finds an operation's spec by what a node calls: an id, or an id and a version (`image.resize@1.2.0`), on spokes with these
   * labels (undefined: any).
   */
  readonly operations: (id: string, labels?: Readonly<Record<string, string>>) => OperationSpec | undefined;
  /** Finds what a child workflow takes and gives. Absent, or undefined for one: nothing is known of it. */
  readonly workflows?: (name: string, version: string | undefined) => WorkflowSchemas | undefined;
}

/** What a workflow takes and gives; null: anything. */
export interface WorkflowSchemas {
  readonly inputSchema: TSchema | null;
  readonly outputSchema: unknown;
}

/** What a plan is validated against. */
export interface ValidateOptions extends FlowOptions {
  /** Ids to suggest where one is unknown. */
  readonly operationIds?: Iterable<string>;
  /** The input for a template that is a function. Default `{}`. */
  readonly input?: unknown;
}

interface Subject {
  readonly nodes: readonly PlanNode[];
  readonly byKey: ReadonlyMap<string, number>;
  readonly problems: Problems;
  readonly locate: (index: number, at: readonly string[]) => string;
  readonly inputSchema: unknown;
}

/**
 * Everything wrong with a plan or template: what `compile` would throw for, and with the operations at hand unknown
 * operations, inputs that their schemas refuse, and data-flow edges whose schemas do not fit. Empty: all is well.
 * What a template function throws is thrown as it is.
 */
export function validate(
  source: Plan | WorkflowDefinition | NamedTemplate,
  options: ValidateOptions,
): readonly Problem[] {
  const subject = "planVersion" in source ? planSubject(source) : templateSubject(source, options.input ?? {});
  const validation = new Validation(subject, options);
  for (let i = 0; i < subject.nodes.length; i++) {
    const node = subject.nodes[i];
    if (!node) continue;
    if (node.kind === "operation") validation.checkOperation(i, node);
    if (node.kind === "workflow") validation.checkChild(i, node);
    if (node.kind === "map") validation.checkOver(i, node);
    visitReferences(i, node, validation);
  }
  return subject.problems.found;
}

/**
 * The data-flow edges of a compiled plan whose schemas cannot fit, as `type-mismatch` problems. Nothing else is looked at: a
 * plan has been compiled, and an operation that is not there may come.
 */
export function flowProblems(
  { nodes }: Plan,
  options: FlowOptions & {
    /** Of the run's input; null: any. */
    readonly inputSchema: unknown;
  },
): readonly Problem[] {
  const { inputSchema } = options;
  const subject = { nodes, byKey: indexKeys(nodes), problems: new Problems(), locate: placeInPlan, inputSchema };
  const validation = new Validation(subject, options);
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i];
    if (!node) continue;
    if (node.kind === "map") validation.checkOver(i, node);
    visitReferences(i, node, validation);
  }
  return subject.problems.found.filter(({ code }) => code === "type-mismatch");
}

function templateSubject(source: WorkflowDefinition | NamedTemplate, input: unknown): Subject {
  const { compiled: { plan: { nodes } }, problems, locate } = compilation(source, render(source, input));
  const inputSchema = "inputSchema" in source ? source.inputSchema : null;
  return { nodes, byKey: indexKeys(nodes), problems, locate, inputSchema };
}

function planSubject({ nodes, output }: Plan): Subject {
  const problems = new Problems();
  const byKey = indexKeys(nodes);
  for (let i = 0; i < nodes.length; i++) {
    const key = nodes[i]?.key ?? "";
    if (byKey.get(key) !== i) {
      problems.add(placeInPlan(i, ["key"]), "duplicate-key", `Key "${key}" is taken: keys must be unique`, {
        node: key,
      });
    }
  }
  connect(nodes.map((node) => ({ ...node })), byKey, output, problems, placeInPlan);
  return { nodes, byKey, problems, locate: placeInPlan, inputSchema: null };
}

function placeInPlan(index: number, at: readonly string[]): string {
  const [first] = at;
  const below = first === "when" ? ["test", "when"] : first === "test" ? ["test", "completed"] : at;
  return ["/nodes", index, ...below].join("/");
}

function indexKeys(nodes: readonly PlanNode[]): Map<string, number> {
  const byKey = new Map<string, number>();
  for (let i = nodes.length - 1; i >= 0; i--) byKey.set(nodes[i]?.key ?? "", i);
  return byKey;
}

class Validation {
  readonly #subject: Subject;
  readonly #options: FlowOptions & { readonly operationIds?: Iterable<string> };
  readonly #schemas: DataSchemas;

  constructor(subject: Subject, options: FlowOptions & { readonly operationIds?: Iterable<string> }) {
    this.#subject = subject;
    this.#options = options;
    const outputs: OutputSchemas = {
      operation: (id, labels) => options.operations(id, labels)?.outputSchema,
      workflow: (name, version) => options.workflows?.(name, version)?.outputSchema,
    };
    const tree = new PlanTree(subject.nodes);
    this.#schemas = new DataSchemas(subject.nodes, subject.byKey, tree, outputs, subject.inputSchema);
  }

  checkOperation(index: number, node: OperationNode): void {
    // A missing name, or one that is none, has its own problem.
    const { found } = this.#subject.problems;
    if (node.operationId === "" && found.length > 0) return;
    const at = this.#subject.locate(index, ["name"]);
    if (found.some(({ code, path }) => code === "wrong-type" && path === at)) return;
    const spec = this.#options.operations(node.operationId, node.spoke);
    if (spec) return this.#checkInput(index, node, { schema: spec.inputSchema, of: node.operationId });
    const { id, version } = parseOperationReference(node.operationId);
    const served = version === null ? undefined : this.#options.operations(id)?.version;
    const suggestion = served === undefined ? nearestName(id, this.#options.operationIds ?? []) : `${id}@${served}`;
    const hint = suggestion === undefined ? "" : `: did you mean "${suggestion}"?`;
    this.#add(index, ["name"], "unknown-operation", `There is no operation "${node.operationId}"${hint}`, {
      ...(suggestion !== undefined && { suggestion }),
    });
  }

  checkChild(index: number, node: ChildRunNode): void {
    const schema = this.#options.workflows?.(node.workflow, node.version)?.inputSchema ?? null;
    if (schema !== null) this.#checkInput(index, node, { schema, of: `workflow "${node.workflow}"`, fills: true });
  }

  /** Checks what stands in the input as it is. Whatever a reference or function gives is checked when it is called. */
  #checkInput(
    index: number,
    { input }: OperationNode | ChildRunNode,
    { schema, of, fills = false }: { readonly schema: TSchema; readonly of: string; readonly fills?: boolean },
  ): void {
    const later: string[] = [];
    const sample = withoutBindings(input, "", later);
    for (const { path, message } of inputErrors(schema, sample, fills)) {
      const open = later.some((at) =>
        path === at || path.startsWith(`${at}/`) || at === "" || at.startsWith(`${path}/`)
      );
      if (open) continue;
      const at = path.split("/").slice(1);
      const text = `Input of ${of} is refused${path && ` at "${path}"`}: ${message}`;
      this.#add(index, ["input", ...at], "invalid-input", text);
    }
  }

  checkOver(index: number, node: Extract<PlanNode, { kind: "map" }>): void {
    if (!("$ref" in node.over)) return;
    const schema = this.#schemas.ofReference(node.over.$ref, index);
    const { compatible } = typeCompat(schema, { type: "array", items: {} });
    if (compatible) return;
    const message = `"over" of "${node.key}" wants a list, but ${node.over.$ref} is ${describeSchema(schema)}`;
    this.#add(index, ["over"], "type-mismatch", message);
  }

  reference = ({ reader, key, reads, path, at, whole }: PlanReference): void => {
    const source = this.#subject.byKey.get(key);
    if (source === undefined || reads !== "data" || !whole) return;
    this.#checkFlow(reader, at, key, this.#schemas.seenFrom(source, reader), path);
  };

  name = ({ reader, name, path, at, whole }: PlanName): void => {
    if (whole) this.#checkFlow(reader, at, name, this.#schemas.ofName(name, reader), path);
  };

  badExpression = (): void => {};

  #checkFlow(reader: number, at: readonly string[], source: string, output: unknown, path: readonly string[]): void {
    const node = this.#subject.nodes[reader];
    if (!node) return;
    const edge = { source, target: node.key };
    const actual = schemaAtPath(output, path);
    if (!actual.found) {
      this.#add(reader, at, "unknown-reference", missing(source, output, actual), {
        edge,
        ...(actual.suggestion !== undefined && { suggestion: actual.suggestion }),
      });
      return;
    }
    if (at[0] !== "input") return;
    const { schema, of } = this.#inputOf(node);
    const wanted = schemaAtPath(schema, at.slice(1));
    if (!wanted.found) return;
    const { compatible, detail, mismatches = [] } = typeCompat(actual.schema, wanted.schema);
    if (compatible) return;
    const message =
      `Data flow ${source} -> ${node.key}: ${[source, ...path].join(".")} is ${describeSchema(actual.schema)}, ` +
      `but ${at.join(".")} of ${of} wants ${describeSchema(wanted.schema)} (${detail})`;
    this.#add(reader, at, "type-mismatch", message, { edge, mismatches });
  }

  /** What a node's input has to be, and of what. */
  #inputOf(node: PlanNode): { readonly schema: unknown; readonly of: string } {
    if (node.kind === "operation") {
      return { schema: this.#options.operations(node.operationId, node.spoke)?.inputSchema, of: node.operationId };
    }
    if (node.kind !== "workflow") return { schema: undefined, of: node.kind };
    const { workflow, version } = node;
    return { schema: this.#options.workflows?.(workflow, version)?.inputSchema, of: `workflow "${workflow}"` };
  }

  #add(
    index: number,
    at: readonly string[],
    code: Problem["code"],
    message: string,
    more: Partial<Problem> = {},
  ): void {
    const node = this.#subject.nodes[index]?.key;
    this.#subject.problems.add(this.#subject.locate(index, at), code, message, {
      ...(node !== undefined && { node }),
      ...more,
    });
  }
}

function missing(source: string, output: unknown, at: SchemaAtPath & { found: false }): string {
  const hint = at.suggestion === undefined ? "" : `: did you mean "${at.suggestion}"?`;
  return `"${source}" has no "${at.segment}": it is ${describeSchema(output)}${hint}`;
}

function inputErrors(
  schema: TSchema,
  input: unknown,
  fills: boolean,
): readonly { readonly path: string; readonly message: string }[] {
  try {
    return collectErrors(schema, fills ? Value.Default(schema, Value.Clone(input)) : input);
  } catch {
    // A schema that TypeBox cannot compile refuses nothing here; the registry says so when it is registered.
    return [];
  }
}

/** The input with null for every reference and function; their pointers go to `later`. */
function withoutBindings(value: unknown, path: string, later: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isReference(value) || "$fn" in value) {
    later.push(path);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, i) => withoutBindings(item, `${path}/${i}`, later));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const step = name.replaceAll("~", "~0").replaceAll("/", "~1");
      return [name, withoutBindings(item, `${path}/${step}`, later)];
    }),
  );
}
