import { defineWorkflow, inputRef, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({ name: Type.String({ minLength: 1, default: "world", description: "Who is greeted" }) });
const Output = Type.Object({ text: Type.String() });

/** The first workflow of the guide: two steps, the second of which takes what the first returned. */
const hello: WorkflowDefinition = defineWorkflow({
  name: "hello",
  title: "Hello",
  description: "Greets someone by name, and echoes the greeting.",
  input: Input,
  output: Output,
  template: (
    <>
      <Operation key="greet" name="demo.greet" input={{ name: inputRef<Static<typeof Input>>().name }} />
      <Operation key="echo" name="core.echo" input={{ value: ref<Static<typeof Output>>("greet").text }} />
    </>
  ),
  result: ref("greet"),
});

export default hello;
