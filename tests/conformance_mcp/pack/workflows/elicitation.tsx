import { Approval, defineWorkflow, inputRef, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import { rawForm } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_elicitation",
  description: "Asks the user of the client.",
  expose: "tool",
  input: Type.Object({ message: Type.String() }),
  template: (
    <>
      <Approval
        key="answer"
        question={rawForm(inputRef<{ message: string }>().message, {
          username: { type: "string", description: "User's response" },
          email: { type: "string", description: "User's email address" },
        }, ["username", "email"])}
      />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"User response: " + answer.action', vars: { answer: ref("answer") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
