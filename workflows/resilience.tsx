import {
  Conditional,
  defineWorkflow,
  errorRef,
  inputRef,
  Operation,
  Parallel,
  Race,
  ref,
  Sequential,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  failures: Type.Integer({
    minimum: 0,
    maximum: 10,
    default: 2,
    description: "How often the flaky step fails before it succeeds; from 4 on its retries are used up",
  }),
  slowMs: Type.Integer({
    minimum: 0,
    maximum: 60_000,
    default: 5_000,
    description: "How long the slow step takes, in ms; it is given 300",
  }),
});
const Answer = Type.Object({ value: Type.String(), reason: Type.String(), fallback: Type.Boolean() });

const input = inputRef<Static<typeof Input>>();

/** What is done about steps that fail: retries with growing pauses, a time limit, an error boundary, a race. */
const resilience: WorkflowDefinition = defineWorkflow({
  name: "resilience",
  title: "Resilience",
  description:
    "Shows retries with backoff, a timeout, an error boundary with a fallback, and a race. Deterministic by input.",
  input: Input,
  output: Type.Object({
    flaky: Type.Unknown({ description: "What the flaky step returned, or its fallback" }),
    slow: Type.Unknown({ description: "What the slow step returned, or its fallback" }),
    first: Type.Unknown({ description: "What the faster of two steps returned" }),
  }),
  template: (
    <Sequential>
      <Parallel>
        <Sequential key="retried">
          <Operation
            key="flaky"
            name="demo.flaky"
            title="Fails a few times"
            input={{ failures: input.failures }}
            retry={{
              maxAttempts: 4,
              backoff: { kind: "exponential", initialMs: 50, factor: 2, maxMs: 1_000 },
              on: ["DEMO_UNAVAILABLE"],
            }}
          />
          <Conditional
            key="flaky_boundary"
            when='status.flaky == "completed"'
            else={
              <Operation
                key="flaky_fallback"
                name="demo.fallback"
                input={{ value: "a cached answer", reason: errorRef("flaky").message }}
              />
            }
          >
            <Operation key="flaky_used" name="core.echo" input={{ value: ref("flaky") }} />
          </Conditional>
        </Sequential>
        <Sequential key="timed">
          <Operation key="slow" name="demo.slow" title="Takes too long" input={{ ms: input.slowMs }} timeout="300ms" />
          <Conditional
            key="slow_boundary"
            when='status.slow == "completed"'
            else={
              <Operation
                key="slow_fallback"
                name="demo.fallback"
                input={{ value: "an estimate", reason: errorRef("slow").message }}
              />
            }
          >
            <Operation key="slow_used" name="core.echo" input={{ value: ref("slow") }} />
          </Conditional>
        </Sequential>
        <Race key="first">
          <Operation key="mirror_a" name="demo.slow" input={{ ms: 20 }} />
          <Operation key="mirror_b" name="demo.slow" input={{ ms: 10_000 }} />
        </Race>
      </Parallel>
      <Operation
        key="answer"
        name="core.echo"
        input={{ value: { flaky: ref("flaky_boundary"), slow: ref("slow_boundary"), first: ref("first") } }}
      />
    </Sequential>
  ),
  result: ref<{ value: Static<typeof Answer> }>("answer").value,
});

export default resilience;
