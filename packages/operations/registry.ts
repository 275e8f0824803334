import { KindGuard, type TSchema } from "@alkdev/typebox";
import type { TypeCheck } from "@alkdev/typebox/compiler";
import { Value } from "@alkdev/typebox/value";
import { enforceAccess, hasRequirements } from "./access.ts";
import { CallError } from "./call_error.ts";
import { isResponseEnvelope, localEnvelope } from "./envelope.ts";
import type { AnyHandler, IOperationDefinition, OperationContext } from "./operation_context.ts";
import { operationId, type OperationSpec, OperationType } from "./operation_spec.ts";
import type { ResponseEnvelope } from "./response_envelope.ts";
import { defaultAdapter, type SchemaAdapter } from "./schema_adapter.ts";
import { collectErrors, compileCheck, validateOrThrow, type ValidationIssue } from "./validation.ts";

/** What can be registered: a spec, whose schemas may be of any kind the adapter reads, with or without its handler. */
export interface OperationRegistration extends Omit<OperationSpec, "inputSchema" | "outputSchema"> {
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly handler?: AnyHandler;
}

/** An output that did not fit its schema. The call succeeds nevertheless. */
export interface OutputWarning {
  readonly operationId: string;
  readonly errors: readonly ValidationIssue[];
  /** Whether the data was changed to fit: fields may have been invented or dropped. */
  readonly cast: boolean;
}

export interface OperationRegistryOptions {
  /** Default: {@linkcode defaultAdapter}. */
  readonly schemaAdapter?: SchemaAdapter;
  /** Told about outputs that do not fit. Default: nobody is. */
  readonly warn?: (warning: OutputWarning) => void;
}

interface Entry {
  readonly id: string;
  readonly spec: OperationSpec;
  readonly handler: AnyHandler | undefined;
  /** No access requirements. */
  readonly open: boolean;
  readonly input: Check;
  readonly output: Check;
}

/** A schema and its check, compiled at first use. `any` accepts everything, and then nothing is compiled. */
interface Check {
  readonly schema: TSchema;
  readonly any: boolean;
  compiled: TypeCheck<TSchema> | undefined;
}

const NO_CONTEXT: OperationContext = {};

/** The operations that this process can call, by dotted id. */
export class OperationRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #adapter: SchemaAdapter;
  readonly #warn: ((warning: OutputWarning) => void) | undefined;

  constructor(options: OperationRegistryOptions = {}) {
    this.#adapter = options.schemaAdapter ?? defaultAdapter;
    this.#warn = options.warn;
  }

  /**
   * Stores a spec, and its handler if it has one. Overwrites what has the same id; a handler registered before stays when
   * the new registration has none.
   */
  register(definition: OperationRegistration): void {
    const { handler, ...spec } = definition;
    this.#store(spec, handler ?? this.#entries.get(operationId(spec))?.handler);
  }

  registerAll(definitions: Iterable<OperationRegistration>): void {
    for (const definition of definitions) this.register(definition);
  }

  /** Stores a spec alone, whatever else is given: it can be listed, and called once a handler is registered. */
  registerSpec(definition: OperationRegistration): void {
    const { handler: _handler, ...spec } = definition;
    this.register(spec);
  }

  /** @throws {Error} without a spec of that id, or when a subscription's handler is not an async generator function */
  registerHandler(id: string, handler: AnyHandler): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`Cannot register a handler for "${id}" as no spec has that id`);
    assertHandlerFits(id, entry.spec.type, handler);
    this.#entries.set(id, { ...entry, handler });
  }

  /** Forgets spec and handler. Returns whether there was one. */
  unregister(id: string): boolean {
    return this.#entries.delete(id);
  }

  /** Spec and handler in one; undefined unless both are registered. */
  get(id: string): IOperationDefinition | undefined {
    const entry = this.#entries.get(id);
    return entry?.handler === undefined ? undefined : { ...entry.spec, handler: entry.handler };
  }

  getByName(namespace: string, name: string): IOperationDefinition | undefined {
    return this.get(operationId({ namespace, name }));
  }

  getSpec(id: string): OperationSpec | undefined {
    return this.#entries.get(id)?.spec;
  }

  getHandler(id: string): AnyHandler | undefined {
    return this.#entries.get(id)?.handler;
  }

  /** Every spec, in order of first registration. */
  list(): OperationSpec[] {
    return Array.from(this.#entries.values(), (entry) => entry.spec);
  }

  getAllSpecs(): OperationSpec[] {
    return this.list();
  }

  /**
   * Calls a query or a mutation. `T` is the caller's claim about the data; only the output schema stands behind it.
   *
   * @throws {CallError} `OPERATION_NOT_FOUND`, `ACCESS_DENIED`, `VALIDATION_ERROR`; what the handler throws comes as it is
   */
  execute<T = unknown>(
    id: string,
    input: unknown,
    context: OperationContext = NO_CONTEXT,
  ): Promise<ResponseEnvelope<T>> {
    // Not an async function: that would put three more turns of the microtask queue between handler and caller.
    try {
      return Promise.resolve(this.invoke<T>(id, input, context));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@linkcode execute}, but answers and throws at once when the handler does: for callers that count promises. */
  invoke<T = unknown>(
    id: string,
    input: unknown,
    context: OperationContext = NO_CONTEXT,
  ): ResponseEnvelope<T> | Promise<ResponseEnvelope<T>> {
    const entry = this.#callable(id, input, context);
    if (entry.spec.type === OperationType.SUBSCRIPTION) {
      throw new CallError(
        "EXECUTION_ERROR",
        `Cannot execute operation "${id}" as it is a subscription: use subscribe() instead`,
        { operationId: id },
      );
    }
    const result = entry.handler(input, context);
    const answer = isThenable(result) ? result.then((value) => this.#wrap(entry, value)) : this.#wrap(entry, result);
    // The type parameter is the caller's word, see execute.
    return answer as ResponseEnvelope<T> | Promise<ResponseEnvelope<T>>;
  }

  /**
   * Finds, checks access to and validates the input of a call, in this order, without making it.
   *
   * @throws {CallError} `OPERATION_NOT_FOUND`, `ACCESS_DENIED`, `VALIDATION_ERROR`
   */
  prepare(id: string, input: unknown, context: OperationContext): IOperationDefinition {
    const entry = this.#callable(id, input, context);
    return { ...entry.spec, handler: entry.handler };
  }

  #callable(id: string, input: unknown, context: OperationContext): Entry & { readonly handler: AnyHandler } {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new CallError("OPERATION_NOT_FOUND", `Operation "${id}" is not registered`, { operationId: id });
    }
    if (!hasHandler(entry)) {
      throw new CallError("OPERATION_NOT_FOUND", `Operation "${id}" has no handler`, { operationId: id });
    }
    if (!entry.open) enforceAccess(entry.spec.accessControl, context.identity, id, context.trusted);
    if (!fits(entry.input, input)) validateOrThrow(entry.input.schema, input, `Input of operation "${id}"`);
    return entry;
  }

  #wrap(entry: Entry, value: unknown): ResponseEnvelope {
    if (!isResponseEnvelope(value)) return localEnvelope(this.#castOutput(entry, value), entry.id);
    // The data of a failed MCP tool is its error text: casting it would invent an answer.
    if (value.meta.source === "mcp" && value.meta.isError) return value;
    const data = this.#castOutput(entry, value.data);
    return data === value.data ? value : { data, meta: value.meta };
  }

  /** An output that does not fit never fails a call: it is cast where that is possible, and warned about. */
  #castOutput(entry: Entry, data: unknown): unknown {
    if (fits(entry.output, data)) return data;
    const { schema } = entry.output;
    const errors = this.#warn === undefined ? [] : collectErrors(schema, data);
    let result = data;
    let cast = false;
    try {
      result = Value.Cast(schema, data);
      cast = true;
    } catch {
      // Some schemas (recursive, intersections of primitives) have no default to cast to: the data stays as it is.
    }
    this.#warn?.({ operationId: entry.id, errors, cast });
    return result;
  }

  #store(spec: Omit<OperationRegistration, "handler">, handler: AnyHandler | undefined): void {
    const id = operationId(spec);
    if (!Array.isArray(spec.accessControl?.requiredScopes)) {
      throw new CallError("VALIDATION_ERROR", `Operation "${id}" does not say who may call it: wanted accessControl`);
    }
    if (handler !== undefined) assertHandlerFits(id, spec.type, handler);
    const inputSchema = this.#toTypeBox(spec.inputSchema, `Input schema of operation "${id}"`);
    const outputSchema = this.#toTypeBox(spec.outputSchema, `Output schema of operation "${id}"`);
    this.#entries.set(id, {
      id,
      spec: { ...spec, inputSchema, outputSchema },
      handler,
      open: !hasRequirements(spec.accessControl),
      input: toCheck(inputSchema),
      output: toCheck(outputSchema),
    });
  }

  #toTypeBox(schema: unknown, what: string): TSchema {
    try {
      return this.#adapter.toTypeBox(schema);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CallError("VALIDATION_ERROR", `${what} cannot be used: ${reason}`, undefined, { cause: error });
    }
  }
}

function toCheck(schema: TSchema): Check {
  return { schema, any: KindGuard.IsUnknown(schema) || KindGuard.IsAny(schema), compiled: undefined };
}

function fits(check: Check, value: unknown): boolean {
  return check.any || (check.compiled ??= compileCheck(check.schema)).Check(value);
}

function hasHandler(entry: Entry): entry is Entry & { readonly handler: AnyHandler } {
  return entry.handler !== undefined;
}

function isThenable(value: unknown): value is PromiseLike<unknown> & Promise<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function assertHandlerFits(id: string, type: OperationType, handler: AnyHandler): void {
  if (type !== OperationType.SUBSCRIPTION) return;
  // The tag is the only thing that tells a generator function from a function that returns one.
  if (Object.prototype.toString.call(handler) === "[object AsyncGeneratorFunction]") return;
  throw new Error(
    `Cannot register the handler of subscription "${id}" as it is not an async generator function: ` +
      `wanted "async function*"`,
  );
}
