import { defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_logging_tool",
  description: "Logs only where the client asked for logs.",
  expose: "tool",
  template: (
    <>
      <Operation key="text" name="core.echo" input={{ value: "Logged" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
