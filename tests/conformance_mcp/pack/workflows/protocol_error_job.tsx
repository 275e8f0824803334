import { defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "protocol_error_job",
  description: "Cannot be carried out.",
  expose: "task",
  template: (
    <>
      <Operation key="text" name="core.fail" input={{ code: "UNKNOWN_ERROR", message: "The job was lost" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
