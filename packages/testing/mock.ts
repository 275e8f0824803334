import type { Duration, InputOf, Json, OperationName } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";

/** One delivery of a call to a mock. */
export interface MockCall {
  readonly operationId: string;
  /** With Map and Loop indices: `measure[3]`. */
  readonly nodeKey: string;
  /** 1, 2, 3 … */
  readonly attempt: number;
  /** The same when a call is delivered again after a crash. */
  readonly requestId: string;
  readonly runId: string;
  readonly input: Json;
  /** Aborted when the node, its run or the hub stops. */
  readonly signal: AbortSignal;
  /** Virtual time, ms since the epoch. */
  now(): number;
  /** Waits in virtual time, `Infinity` for ever. Rejects with CallError `ABORTED` when the call is aborted. */
  sleep(duration: Duration): Promise<void>;
}

/**
 * Stands for an operation: gives its data, or throws. A CallError keeps its code; anything else becomes `EXECUTION_ERROR`.
 * Real work (files, sockets) is waited for up to a second of real time.
 */
// deno-lint-ignore no-explicit-any -- where no types are declared, an input is whatever the author says
export type Mock<Input = any> = (input: Input, call: MockCall) => unknown;

/** Mocks by operation id; `workflow.<name>` stands for a child run. Inputs are typed where `hub types` declares them. */
export type Mocks =
  & { readonly [Name in OperationName]?: Mock<MockInput<Name>> }
  & { readonly [Child in `workflow.${string}`]?: Mock };

// deno-lint-ignore no-explicit-any -- see Mock
type MockInput<Name extends string> = unknown extends InputOf<Name> ? any : InputOf<Name>;

/** Thrown by a mock whose answer is lost on the way: the hub never hears of the call again. */
export class LostAnswer extends Error {}

/** Gives the same data each time. */
export function returns(data: unknown): Mock {
  return () => data;
}

/** Fails with this code each time. */
export function fail(code: string, message: string = `Mocked failure ${code}`, details?: unknown): Mock {
  return () => {
    throw new CallError(code, message, details);
  };
}

/** One after the other, a function or data per call; the last again and again. Counted over all calls of the operation. */
export function sequence(...steps: readonly unknown[]): Mock {
  if (steps.length === 0) throw new TypeError("Cannot make a sequence of nothing: want at least one function or value");
  let next = 0;
  return (input, call) => {
    const step = steps[Math.min(next++, steps.length - 1)];
    return typeof step === "function" ? step(input, call) : step;
  };
}

/** Answers as `mock` does, `latency` of virtual time later. */
export function after(latency: Duration, mock: Mock): Mock {
  return async (input, call) => {
    await call.sleep(latency);
    return await mock(input, call);
  };
}

/** Never answers, as a hung process. */
export function never(): Mock {
  return (_input, call) => call.sleep(Infinity);
}

/** Does what `mock` does, but the answers of the first `times` calls are lost: only a time-out or a crash helps. */
export function lost(mock: Mock, times = 1): Mock {
  let left = times;
  return async (input, call) => {
    const answer = await mock(input, call);
    if (left-- > 0) throw new LostAnswer();
    return answer;
  };
}

/** Each call is delivered twice under the same request id, as one that is sent again; the second answer counts. */
export function twice(mock: Mock): Mock {
  return async (input, call) => {
    await Promise.resolve(mock(input, call)).catch(() => {});
    return await mock(input, call);
  };
}
