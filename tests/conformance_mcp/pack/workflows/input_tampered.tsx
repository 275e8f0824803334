import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_tampered_state",
  description: "Asks with a state that cannot be forged.",
  expose: "tool",
  template: (
    <>
      <Approval key="confirm" question={form("Please confirm", { ok: { type: "boolean" } })} />
      <Operation key="text" name="core.echo" input={{ value: "state-ok" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
