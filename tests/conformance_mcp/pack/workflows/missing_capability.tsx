import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { sampling } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_missing_capability",
  description: "Needs a client with a model.",
  expose: "tool",
  template: (
    <>
      <Approval key="question" question={sampling("What is the capital of France?")} />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: "answer.content.text", vars: { answer: ref("question") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
