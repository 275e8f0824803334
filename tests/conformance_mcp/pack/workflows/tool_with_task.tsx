import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_tool_with_task",
  description: "Asks for a name, then works for a while.",
  expose: "task",
  template: (
    <>
      <Approval key="user_name" question={form("What is your name?", { name: { type: "string" } })} />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"Hello, " + who.name + "!"', vars: { who: ref("user_name") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
