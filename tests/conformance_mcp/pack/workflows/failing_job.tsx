import { defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "failing_job",
  description: "Fails at its work.",
  expose: "task",
  template: (
    <>
      <Operation key="text" name="core.fail" input={{ code: "JOB_FAILED", message: "This job always fails" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
