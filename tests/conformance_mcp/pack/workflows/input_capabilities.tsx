import { Approval, defineWorkflow, Operation, Parallel, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form, sampling } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_capabilities",
  description: "Asks for what the client can give.",
  expose: "tool",
  template: (
    <>
      <Parallel>
        <Approval key="user_name" question={form("What is your name?", { name: { type: "string" } })} />
        <Approval key="greeting" question={sampling("Generate a greeting", 50)} />
      </Parallel>
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: "greeting.content.text", vars: { greeting: ref("greeting") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
