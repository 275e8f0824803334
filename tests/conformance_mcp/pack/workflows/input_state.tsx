import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_request_state",
  description: "Asks, and takes its state up again.",
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
