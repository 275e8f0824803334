import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_multi_round",
  description: "Asks twice.",
  expose: "tool",
  template: (
    <>
      <Approval key="step1" question={form("Step 1: What is your name?", { name: { type: "string" } })} />
      <Approval key="step2" question={form("Step 2: What is your favorite color?", { color: { type: "string" } })} />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: 'one.name + " likes " + two.color', vars: { one: ref("step1"), two: ref("step2") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
