import { defineWorkflow, inputRef, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "greet",
  description: "Greets.",
  expose: "tool",
  input: Type.Object({ name: Type.String() }),
  template: (
    <>
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"Hello, " + name + "!"', vars: { name: inputRef<{ name: string }>().name } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
