import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { rawForm } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_elicitation_sep1034_defaults",
  description: "A form with defaults.",
  expose: "tool",
  template: (
    <>
      <Approval
        key="answer"
        question={rawForm("Fill in the form", {
          name: { type: "string", default: "John Doe" },
          age: { type: "integer", default: 30 },
          score: { type: "number", default: 95.5 },
          status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
          verified: { type: "boolean", default: true },
        }, [])}
      />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"Elicitation completed: action=" + answer.action', vars: { answer: ref("answer") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
