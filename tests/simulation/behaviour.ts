/** What handlers do: answer, fail in every way, dawdle, ignore their signal. */
import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { Chance } from "./random.ts";

export interface Behaviour {
  /** Ms until it ends. */
  readonly takes: number;
  /** Whether it stops when it is told to. */
  readonly heeds: boolean;
  readonly outcome: { readonly data: unknown } | { readonly error: unknown };
}

/** Decides what one execution of an operation does. `at` is the time it would stamp, ms. */
export function behave(chance: Chance, operationId: string): Behaviour {
  const what = operationId.slice(operationId.indexOf(".") + 1);
  const takes = what === "slow"
    ? chance.pick([20, 100, 300, 2_000, 50_000])
    : chance.is(0.3)
    ? 0
    : chance.is(0.9)
    ? chance.int(1, 12)
    : chance.int(50, 400);
  const fails = chance.is(what === "fail" ? 0.95 : what === "flaky" ? 0.5 : 0.03);
  const outcome = fails
    ? { error: what === "odd" ? oddError(chance) : new CallError(code(chance), "It did not work", details(chance)) }
    : {
      data: what === "odd"
        ? oddData(chance)
        : what === "list"
        ? list(chance)
        : { n: chance.int(0, 12), id: chance.int(0, 1e6) },
    };
  return { takes, heeds: chance.is(0.7), outcome };
}

/** Envelopes carry the simulation's time, or no replay would be the same. */
export function envelope(data: unknown, operationId: string, timestamp: number): ResponseEnvelope {
  return { data, meta: { source: "local", operationId, timestamp } };
}

function code(chance: Chance): string {
  return chance.is(0.7) ? "FLAKY" : chance.pick([
    "VALIDATION_ERROR",
    "ACCESS_DENIED",
    "ABORTED",
    "TIMEOUT",
    "EXECUTION_ERROR",
    "OPERATION_NOT_FOUND",
    "BOOM",
  ]);
}

function details(chance: Chance): unknown {
  return chance.is(0.8)
    ? undefined
    : chance.pick<unknown>([{ at: 1 }, [1, null], 10n, circular(), new Date(0), "x".repeat(3_000)]);
}

function list(chance: Chance): unknown {
  const length = chance.int(0, 4);
  return Array.from({ length }, (_, i) => chance.is(0.5) ? { n: i } : i);
}

function oddData(chance: Chance): unknown {
  return chance.pick<() => unknown>([
    () => undefined,
    () => null,
    () => NaN,
    () => -0,
    () => "",
    () => 10n,
    () => Symbol("odd"),
    () => () => 1,
    () => new Date(0),
    () => new Map([[1, 2]]),
    () => ({ n: undefined, m: [undefined, () => 1, NaN], toString: 1 }),
    () => ({ toJSON: () => ({ n: 7 }) }),
    () => ({
      toJSON: () => {
        throw new Error("no JSON");
      },
    }),
    () => ({
      get n(): number {
        throw new Error("no n");
      },
    }),
    () => circular(),
    () => "x".repeat(3_000),
    () => Array.from({ length: 3_000 }, () => 0),
    () => deep(200),
    () => JSON.parse('{"__proto__": {"n": 1}, "n": 2}'),
    () => Object.create(null),
    () => new Error("a value"),
    () => [, 1],
    () => ({ $ref: "nodes.n0" }),
    () => "\ud800",
  ])();
}

function oddError(chance: Chance): unknown {
  return chance.pick<() => unknown>([
    () => undefined,
    () => null,
    () => "text",
    () => 7,
    () => Symbol("odd"),
    () => new TypeError("not callable"),
    () => new Error(""),
    () => new Error("x".repeat(10_000)),
    () => new DOMException("gone", "AbortError"),
    () => ({ code: "X", message: "looks like one" }),
    () => Object.create(null),
    () => ({
      toString: () => {
        throw new Error("no text");
      },
    }),
    () => new AggregateError([new Error("a")], "many"),
    () => new CallError("", "no code"),
    () => new CallError("\u0000", "odd code", circular()),
  ])();
}

function circular(): unknown {
  const made: Record<string, unknown> = { n: 1 };
  made.self = made;
  return made;
}

function deep(levels: number): unknown {
  let made: unknown = 1;
  for (let i = 0; i < levels; i++) made = [made];
  return made;
}
