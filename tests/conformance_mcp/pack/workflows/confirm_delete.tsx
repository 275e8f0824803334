import { Approval, defineWorkflow, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Type } from "@alkdev/typebox";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "confirm_delete",
  description: "Deletes once it is confirmed.",
  expose: "tool",
  input: Type.Object({ filename: Type.String() }),
  template: (
    <>
      <Approval key="confirm" question={form("Delete the file?", { confirm: { type: "boolean" } })} />
      <Operation key="text" name="core.echo" input={{ value: "Deleted" }} />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
