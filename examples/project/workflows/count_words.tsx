import { defineWorkflow, inputRef, itemRef, Map, Operation, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  texts: Type.Array(Type.String(), {
    default: ["Hello, world!", "To be or not to be"],
    maxItems: 1_000,
    description: "What is counted",
  }),
});

const input = inputRef<Static<typeof Input>>();

/** Counts the words of several texts at the same time, on the spoke, and makes one list of it here. */
const countWords: WorkflowDefinition = defineWorkflow({
  name: "count_words",
  title: "Count words",
  description: "Counts the words of each text on a spoke.",
  input: Input,
  template: (
    <>
      <Map key="counts" over={input.texts} as="text" maxConcurrency={4}>
        <Operation
          key="count"
          name="text.count"
          input={{ text: itemRef("text") }}
          timeout="10s"
          retry={{ maxAttempts: 3, backoff: 1_000 }}
        />
      </Map>
      <Operation
        key="words"
        name="core.eval"
        input={{ expression: "counts.map(c, c.words)", vars: { counts: ref("counts") } }}
      />
    </>
  ),
  result: ref("words").value,
});

export default countWords;
