import { defineWorkflow, inputRef, Operation, ref, Sleep, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "slow_compute",
  description: "Takes a while.",
  expose: "tool",
  input: Type.Object({ seconds: Type.Number({ minimum: 0 }), label: Type.Optional(Type.String()) }),
  template: (
    <>
      <Operation
        key="ms"
        name="core.eval"
        input={{ expression: "double(seconds) * 1000.0", vars: { seconds: inputRef<{ seconds: number }>().seconds } }}
      />
      <Sleep key="work" ms={ref<{ value: number }>("ms").value} />
      <Operation key="text" name="core.echo" input={{ value: "Computed" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
