import { parseDuration } from "../duration.ts";
import type { Json } from "../json.ts";
import type {
  Bindable,
  BudgetLimits,
  FunctionMark,
  PlanFunction,
  PlanNode,
  Reference,
  RetryPolicy,
  RetryStep,
} from "../plan.ts";
import { bind, type Binder, markFunction } from "./bind.ts";
import { type Draft, pointer, type Problems } from "./draft.ts";
import { findTested, type TestedContext } from "./find_tested.ts";
import { budgetLimits } from "./budget_limits.ts";
import { isRecord } from "./prop_rules.ts";

/** What building one node needs to know of the others. */
export interface BuildContext extends TestedContext {
  readonly problems: Problems;
  readonly functions: Map<string, PlanFunction>;
  readonly open: Set<object>;
}

type Props = Readonly<Record<string, unknown>>;

/** The plan node of a draft; `after` is put in later. Property order is fixed, so that plans serialise alike. */
export function buildNode(index: number, draft: Draft, context: BuildContext): PlanNode {
  const { key, parent, end, branch, props, tag } = draft;
  const { functions, open, problems } = context;
  const binder: Binder = { functions, open, problems, key, place: draft.place };
  const base = {
    key,
    parent,
    end,
    ...(branch !== null && { branch }),
    ...(typeof props.title === "string" && { title: props.title }),
  };
  switch (tag) {
    case "operation":
      return {
        ...base,
        kind: tag,
        operationId: text(props.name),
        input: input(props, binder),
        ...retryAndTimeout(props),
        ...(props.concurrencyKey !== undefined &&
          { concurrencyKey: bind(props.concurrencyKey, binder, ["concurrencyKey"]) }),
        ...numeric("priority", props.priority),
        ...(isRecord(props.spoke) && { spoke: labels(props.spoke) }),
      };
    case "workflow":
      return {
        ...base,
        kind: tag,
        workflow: text(props.name),
        ...(typeof props.version === "string" && { version: props.version }),
        input: input(props, binder),
        ...retryAndTimeout(props),
        ...budgetOf(props.budget),
      };
    case "sequential":
    case "race":
      return { ...base, kind: tag };
    case "parallel":
      return { ...base, kind: tag, ...numeric("maxConcurrency", props.maxConcurrency) };
    case "conditional":
      return { ...base, kind: tag, test: test(index, props, context, binder) };
    case "map":
      return {
        ...base,
        kind: tag,
        over: over(props.over, binder),
        as: text(props.as),
        ...numeric("maxConcurrency", props.maxConcurrency),
      };
    case "loop":
      return {
        ...base,
        kind: tag,
        while: isFunction(props.while) ? markFunction(props.while, binder, ["while"]) : text(props.while),
        maxIterations: Number(props.maxIterations),
        ...(typeof props.as === "string" && { as: props.as }),
      };
    case "sleep":
      return { ...base, kind: "sleep", ms: milliseconds(props.ms, binder) };
    case "sleepuntil":
      return { ...base, kind: "sleep", until: instant(props.until, binder) };
    case "signal":
    case "approval":
      return {
        ...base,
        kind: "signal",
        signal: typeof props.name === "string" ? props.name : key,
        ...timeout(props),
        ...(props.schema !== undefined && { schema: schema(props.schema, draft, context.problems) }),
        ...(tag === "approval" && { question: bind(props.question, binder, ["question"]) }),
        ...(Array.isArray(props.answerers) && { answerers: Object.freeze(props.answerers.map(String)) }),
      };
  }
}

function input(props: Props, binder: Binder): Bindable {
  return props.input === undefined ? Object.freeze({}) : bind(props.input, binder, ["input"]);
}

/** What the rules have refused counts as no items: a plan with problems is only looked at. */
function over(value: unknown, binder: Binder): Reference | readonly Json[] | FunctionMark {
  const bound = bind(value, binder, ["over"]);
  // The rules let through nothing but references, lists and functions.
  return typeof bound === "object" && bound !== null ? bound as Reference | readonly Json[] | FunctionMark : [];
}

function test(
  index: number,
  props: Props,
  context: BuildContext,
  binder: Binder,
): { readonly when: string } | { readonly completed: string } | FunctionMark {
  if (isFunction(props.test)) return markFunction(props.test, binder, ["test"]);
  if (typeof props.test === "string") return Object.freeze({ completed: findTested(index, props.test, context) });
  return Object.freeze({ when: text(props.when) });
}

/** Retry policies always say everything, so that a later change of defaults cannot reach into a stored plan. */
function retryAndTimeout(props: Props): { readonly retry?: RetryPolicy; readonly timeoutMs?: number } {
  return { ...(isRecord(props.retry) && { retry: retryPolicy(props.retry) }), ...timeout(props) };
}

function retryPolicy(retry: Props): RetryPolicy {
  const base = retryStep(retry, null);
  return Object.freeze({
    ...base,
    ...(Array.isArray(retry.on) && { on: Object.freeze(retry.on.map(String)) }),
    ...(isRecord(retry.perCode) && {
      perCode: Object.freeze(
        Object.fromEntries(
          Object.entries(retry.perCode).map((
            [code, step],
          ) => [code, step === false ? { ...base, maxAttempts: 1 } : retryStep(isRecord(step) ? step : {}, base)]),
        ),
      ),
    }),
  });
}

/** What `retry` leaves open is as in `base`. */
function retryStep(retry: Props, base: RetryStep | null): RetryStep {
  const { backoff } = retry;
  const given = isRecord(backoff) ? backoff : {};
  const fixedMs = typeof backoff === "number" ? backoff : undefined;
  const kind = fixedMs !== undefined || given.kind === "fixed" ? "fixed" : "exponential";
  const initialMs = fixedMs ?? numberOr(given.initialMs, 200);
  return Object.freeze({
    maxAttempts: numberOr(retry.maxAttempts, base?.maxAttempts ?? 1),
    backoff: base !== null && backoff === undefined ? base.backoff : Object.freeze({
      kind,
      initialMs,
      factor: numberOr(given.factor, kind === "fixed" ? 1 : 2),
      maxMs: numberOr(given.maxMs, Math.max(initialMs, 30_000)),
    }),
    jitter: numberOr(retry.jitter, base?.jitter ?? 0.2),
  });
}

function budgetOf(value: unknown): { readonly budget?: BudgetLimits } {
  const budget = budgetLimits(value);
  return budget === null ? {} : { budget };
}

function timeout(props: Props): { readonly timeoutMs?: number } {
  const timeoutMs = parseDuration(props.timeout);
  return timeoutMs === null ? {} : { timeoutMs };
}

function milliseconds(value: unknown, binder: Binder): Bindable {
  return parseDuration(value) ?? bind(value, binder, ["ms"]);
}

function instant(value: unknown, binder: Binder): Bindable {
  if (typeof value === "string" && Number.isNaN(Date.parse(value))) {
    binder.problems.add(
      pointer(binder.place, "props", "until"),
      "wrong-type",
      `"until" must be an ISO 8601 instant or ms since the epoch, not "${value}"`,
      { node: binder.key },
    );
  }
  return bind(value, binder, ["until"]);
}

/** A schema is taken as it is: its `$ref` is JSON Schema's, no reference of ours. */
function schema(value: unknown, draft: Draft, problems: Problems): Json {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    problems.add(pointer(draft.place, "props", "schema"), "wrong-type", '"schema" must be JSON', { node: draft.key });
    return null;
  }
}

function labels(spoke: Record<string, unknown>): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(Object.entries(spoke).map(([name, label]) => [name, String(label)])));
}

function numeric<Name extends string>(name: Name, value: unknown): { readonly [Key in Name]?: number } {
  // A computed name widens to string; the value is under the name it was asked for.
  return typeof value === "number" ? { [name]: value } as { readonly [Key in Name]?: number } : {};
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isFunction(value: unknown): value is PlanFunction {
  return typeof value === "function";
}
