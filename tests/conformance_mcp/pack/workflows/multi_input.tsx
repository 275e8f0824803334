import { Approval, defineWorkflow, Operation, Parallel, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { form } from "./_ask.ts";

const workflow: WorkflowDefinition = defineWorkflow({
  name: "multi_input",
  description: "Asks for two things at once.",
  expose: "tool",
  template: (
    <>
      <Parallel>
        <Approval key="first" question={form("The first?", { name: { type: "string" } })} />
        <Approval key="second" question={form("The second?", { name: { type: "string" } })} />
      </Parallel>
      <Operation
        key="text"
        name="core.eval"
        input={{ expression: "one.name + two.name", vars: { one: ref("first"), two: ref("second") } }}
      />
    </>
  ),
  result: ref<{ value: string }>("text").value,
});

export default workflow;
