import { defineWorkflow, Operation, ref, Sleep, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "test_tool_with_progress",
  description: "Three steps, each of which is progress.",
  expose: "tool",
  template: (
    <>
      <Sleep key="first" ms={50} />
      <Sleep key="second" ms={50} />
      <Operation key="text" name="core.echo" input={{ value: "Progress was reported" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
