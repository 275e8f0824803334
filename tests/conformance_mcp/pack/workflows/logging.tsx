import { defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_tool_with_logging",
  description: "Steps, each of which is logged.",
  expose: "tool",
  template: (
    <>
      <Operation key="first" name="core.sleep" input={{ ms: 50 }} />
      <Operation key="second" name="core.sleep" input={{ ms: 50 }} />
      <Operation key="text" name="core.echo" input={{ value: "Steps were logged" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
