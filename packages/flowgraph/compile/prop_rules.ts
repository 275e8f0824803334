import { parseDuration } from "../duration.ts";
import type { Tag } from "../element.ts";
import { isReference } from "../reference.ts";

/** Says what was wanted, or null when the value will do. */
type Rule = (value: unknown) => string | null;

/** Which props a tag takes. */
export interface TagRules {
  readonly props: Readonly<Record<string, Rule>>;
  readonly required: readonly string[];
  /** May it have children? */
  readonly children: boolean;
}

/** Of one Loop. Each turn is kept, as the run's graph and log are: a loop without an end would take the hub's memory. */
const MAX_TURNS = 100_000;

const anything: Rule = () => null;
const text: Rule = (value) => typeof value === "string" && value !== "" ? null : "a string that is not empty";
const operationName: Rule = (value) =>
  text(value) === null && /^[^@]+(@\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?)?$/.test(String(value))
    ? null
    : 'an operation\'s id, or one with a version such as "image.resize@1.2.0"';
const count: Rule = (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? null : "a whole number of 1 or more";
const turns: Rule = (value) =>
  count(value) === null && Number(value) <= MAX_TURNS ? null : `a whole number from 1 to ${MAX_TURNS}`;
const number: Rule = (value) => typeof value === "number" && Number.isFinite(value) ? null : "a number";
const duration: Rule = (value) => parseDuration(value) !== null ? null : 'milliseconds or a duration such as "30s"';
const texts: Rule = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string") ? null : "a list of strings";
const object: Rule = (value) => isRecord(value) ? null : "an object";
const reference: Rule = (value) => isReference(value) ? null : 'a reference such as {"$ref": "nodes.a.value"}';

const callable: Rule = (value) => typeof value === "function" ? null : "a function";
const or = (...rules: readonly Rule[]): Rule => (value) => {
  const wanted = rules.map((rule) => rule(value));
  return wanted.includes(null) ? null : wanted.join(", or ");
};
const signal: Rule = (value) => isSignal(value) ? null : "a signal";
const list: Rule = (value) => Array.isArray(value) ? null : "a list";

const labels: Rule = (value) =>
  isRecord(value) && Object.values(value).every((label) => typeof label === "string") ? null : "an object of strings";

const STEP_PROPS = new Set(["maxAttempts", "backoff", "jitter"]);
const RETRY_PROPS = new Set([...STEP_PROPS, "on", "perCode"]);
const BACKOFF_PROPS = new Set(["kind", "initialMs", "factor", "maxMs"]);

const backoff: Rule = (value) => {
  if (typeof value === "number") return value >= 0 && Number.isFinite(value) ? null : "0 ms or more";
  if (!isRecord(value)) return "a number of ms or an object";
  for (const [name, part] of Object.entries(value)) {
    if (!BACKOFF_PROPS.has(name)) return `only "kind", "initialMs", "factor" and "maxMs" in "backoff", not "${name}"`;
    if (name === "kind") {
      if (part !== "fixed" && part !== "exponential") return '"fixed" or "exponential" as "backoff.kind"';
    } else if (typeof part !== "number" || !(part >= 0) || part === Infinity) {
      return `a number of 0 or more as "backoff.${name}"`;
    }
  }
  return null;
};

const retry: Rule = (value) => {
  if (!isRecord(value)) return "an object with maxAttempts";
  for (const name of Object.keys(value)) {
    if (!RETRY_PROPS.has(name)) return `only "maxAttempts", "backoff", "jitter", "on" and "perCode", not "${name}"`;
  }
  if (count(value.maxAttempts)) return 'a whole number of 1 or more as "maxAttempts"';
  const wanted = retryStep(value) ?? perCode(value.perCode);
  if (wanted) return wanted;
  return value.on === undefined || !texts(value.on) ? null : 'a list of error codes as "on"';
};

function perCode(value: unknown): string | null {
  if (value === undefined) return null;
  if (!isRecord(value)) return 'an object by error code as "perCode"';
  for (const [code, step] of Object.entries(value)) {
    if (step === false) continue;
    if (!isRecord(step)) return `false or an object as "perCode.${code}"`;
    for (const name of Object.keys(step)) {
      if (!STEP_PROPS.has(name)) {
        return `only "maxAttempts", "backoff" and "jitter" in "perCode.${code}", not "${name}"`;
      }
    }
    if (step.maxAttempts !== undefined && count(step.maxAttempts)) {
      return `a whole number of 1 or more as "perCode.${code}.maxAttempts"`;
    }
    const wanted = retryStep(step);
    if (wanted) return `${wanted} in "perCode.${code}"`;
  }
  return null;
}

function retryStep(value: Readonly<Record<string, unknown>>): string | null {
  if (value.backoff !== undefined) {
    const wanted = backoff(value.backoff);
    if (wanted) return wanted;
  }
  const { jitter } = value;
  if (jitter !== undefined && (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))) {
    return '0 to 1 as "jitter"';
  }
  return null;
}

/** What a retry policy must be, or null when it is one. */
export const retryRule: Rule = retry;
/** What a duration must be, or null when it is one. */
export const durationRule: Rule = duration;

const BUDGET_PROPS: ReadonlySet<string> = new Set(["calls", "tokens", "costMicros", "wallMs", "depth"]);

/** What a budget must be, or null when it is one. */
export const budgetRule: Rule = (value) => {
  if (!isRecord(value)) return "an object with calls, tokens, costMicros, wallMs or depth";
  for (const [name, limit] of Object.entries(value)) {
    if (!BUDGET_PROPS.has(name)) return `only "calls", "tokens", "costMicros", "wallMs" and "depth", not "${name}"`;
    if (limit === undefined) continue;
    const amount = name === "wallMs" ? parseDuration(limit) : limit;
    if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0) {
      return name === "wallMs"
        ? 'whole milliseconds or a duration as "wallMs"'
        : `a whole number of 0 or more as "${name}"`;
    }
  }
  return null;
};

const as: Rule = (value) =>
  typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value) && !RESERVED_NAMES.has(value)
    ? null
    : 'a name of letters, digits and "_" other than nodes, status, errors and input';

const common = { key: anything, title: text };
const root = {
  output: reference,
  budget: budgetRule,
  retry,
  timeout: duration,
  failurePolicy: (value: unknown) =>
    value === "continue-running" || value === "abort-dependents" ? null : '"continue-running" or "abort-dependents"',
};

/** Props that only the root may carry. */
export const ROOT_PROPS: Readonly<Record<string, Rule>> = root;

/** Roots of references that `as` may not take. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(["nodes", "status", "errors", "input"]);

/** The table of what each tag takes. */
export const TAG_RULES: Readonly<Record<Tag, TagRules>> = {
  operation: tag(
    {
      name: operationName,
      input: anything,
      retry,
      timeout: duration,
      concurrencyKey: or(text, reference, callable),
      priority: number,
      spoke: labels,
    },
    ["name"],
    false,
  ),
  sequential: tag({}, [], true),
  parallel: tag({ maxConcurrency: count }, [], true),
  race: tag({}, [], true),
  conditional: tag({ when: text, test: or(text, callable), else: anything }, [], true),
  map: tag({ over: or(reference, list, callable, signal), as, maxConcurrency: count }, ["over", "as"], true),
  loop: tag({ while: or(text, callable), maxIterations: turns, as }, ["while", "maxIterations"], true),
  sleep: tag({ ms: or(duration, reference, callable) }, ["ms"], false),
  sleepuntil: tag({ until: or(text, number, reference, callable) }, ["until"], false),
  signal: tag({ name: text, timeout: duration, schema: object }, ["name"], false),
  approval: tag(
    { question: anything, name: text, timeout: duration, schema: object, answerers: texts },
    ["question"],
    false,
  ),
  workflow: tag(
    { name: text, version: text, input: anything, retry, timeout: duration, budget: budgetRule },
    ["name"],
    false,
  ),
};

function tag(props: Record<string, Rule>, required: readonly string[], children: boolean): TagRules {
  // No prototype: a prop named "constructor" is unknown, not found.
  return { props: Object.assign(Object.create(null), common, props), required, children };
}

/** A plain object? */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A signal of signals-core, of any copy of it. */
export function isSignal(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && Reflect.get(value, "brand") === Symbol.for("preact-signals");
}
