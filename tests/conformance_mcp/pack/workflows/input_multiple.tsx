import { Approval, defineWorkflow, Operation, Parallel, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form, sampling } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_multiple_inputs",
  description: "Asks for three things at once.",
  expose: "tool",
  template: (
    <>
      <Parallel>
        <Approval key="user_name" question={form("What is your name?", { name: { type: "string" } })} />
        <Approval key="greeting" question={sampling("Generate a greeting", 50)} />
        <Approval key="client_roots" question={{ method: "roots/list", params: {} }} />
      </Parallel>
      <Operation
        key="text"
        name="core.eval"
        input={{
          expression: 'greeting.content.text + " " + who.name',
          vars: { greeting: ref("greeting"), who: ref("user_name") },
        }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
