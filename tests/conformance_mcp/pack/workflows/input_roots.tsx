import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_input_required_result_list_roots",
  description: "Asks for the roots.",
  expose: "tool",
  template: (
    <>
      <Approval key="client_roots" question={{ method: "roots/list", params: {} }} />
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: '"First root: " + answer.roots[0].uri', vars: { answer: ref("client_roots") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
