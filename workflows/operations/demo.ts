import { CallError, type IOperationDefinition } from "@alkdev/operations";
import { Type } from "@alkdev/typebox";
import { operation } from "./operation.ts";

/** Attempt number of the call: the engine puts it in the call's metadata; a direct call is the first. */
function attemptOf(metadata: Readonly<Record<string, unknown>> | undefined): number {
  const attempt = metadata?.["attempt"];
  return typeof attempt === "number" ? attempt : 1;
}

const flaky = operation({
  id: "demo.flaky",
  type: "query",
  title: "Fail a few times",
  description:
    "Fails with DEMO_UNAVAILABLE on its first `failures` attempts, then answers. The same for the same input.",
  input: Type.Object({ failures: Type.Integer({ minimum: 0, maximum: 20 }) }),
  output: Type.Object({ attempts: Type.Integer() }),
  run: ({ failures }, { metadata }) => {
    const attempt = attemptOf(metadata);
    if (attempt <= failures) {
      throw new CallError("DEMO_UNAVAILABLE", `Attempt ${attempt} fails as asked: ${failures} were to fail`);
    }
    return { attempts: attempt };
  },
});

const slow = operation({
  id: "demo.slow",
  type: "query",
  title: "Answer late",
  description: "Answers after `ms` milliseconds, or stops at once when it is aborted.",
  input: Type.Object({ ms: Type.Integer({ minimum: 0, maximum: 600_000 }) }),
  output: Type.Object({ ms: Type.Integer() }),
  run: ({ ms }, { signal }) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(new CallError("ABORTED", `Stopped before ${ms} ms had passed`));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve({ ms });
      }, ms);
      if (signal?.aborted === true) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    }),
});

const fallback = operation({
  id: "demo.fallback",
  type: "query",
  title: "Answer instead",
  description: "Answers the value that stands in for a step that failed, and why it was needed.",
  input: Type.Object({ value: Type.String(), reason: Type.String() }),
  output: Type.Object({ value: Type.String(), reason: Type.String(), fallback: Type.Boolean() }),
  run: ({ value, reason }) => ({ value, reason, fallback: true }),
});

const greet = operation({
  id: "demo.greet",
  type: "query",
  title: "Greet",
  description: "Greets someone by name.",
  input: Type.Object({ name: Type.String({ minLength: 1 }) }),
  output: Type.Object({ text: Type.String() }),
  run: ({ name }) => ({ text: `Hello, ${name}!` }),
});

/** The operations of the workflows that show authoring. */
export const demoOperations: readonly IOperationDefinition[] = [greet, flaky, slow, fallback];
