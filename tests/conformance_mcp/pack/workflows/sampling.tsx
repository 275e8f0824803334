import { Approval, defineWorkflow, inputRef, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_sampling",
  description: "Asks the client's model.",
  expose: "tool",
  input: Type.Object({ prompt: Type.String() }),
  template: (
    <>
      <Approval
        key="answer"
        question={{
          method: "sampling/createMessage",
          params: {
            messages: [{ role: "user", content: { type: "text", text: inputRef<{ prompt: string }>().prompt } }],
            maxTokens: 100,
          },
        }}
      />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"LLM response: " + answer.content.text', vars: { answer: ref("answer") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
