import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_prompt",
  description: "A prompt that asks for its context.",
  expose: "prompt",
  template: (
    <>
      <Approval
        key="user_context"
        question={form("What context should the prompt use?", { context: { type: "string" } })}
      />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"Use this context: " + it.context', vars: { it: ref("user_context") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
