import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { rawForm } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_elicitation_sep1330_enums",
  description: "A form with choices.",
  expose: "tool",
  template: (
    <>
      <Approval
        key="answer"
        question={rawForm("Choose", {
          untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
          titledSingle: {
            type: "string",
            oneOf: [{ const: "value1", title: "First Option" }, { const: "value2", title: "Second Option" }, {
              const: "value3",
              title: "Third Option",
            }],
          },
          legacyEnum: {
            type: "string",
            enum: ["opt1", "opt2", "opt3"],
            enumNames: ["Option One", "Option Two", "Option Three"],
          },
          untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
          titledMulti: {
            type: "array",
            items: {
              anyOf: [{ const: "value1", title: "First Choice" }, { const: "value2", title: "Second Choice" }, {
                const: "value3",
                title: "Third Choice",
              }],
            },
          },
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
