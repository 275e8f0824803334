import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { sampling } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_sampling",
  description: "Asks the client's model.",
  expose: "tool",
  template: (
    <>
      <Approval key="capital_question" question={sampling("What is the capital of France?")} />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: "answer.content.text", vars: { answer: ref("capital_question") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
