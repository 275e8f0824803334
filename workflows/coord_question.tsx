import { Approval, defineWorkflow, inputRef, ref, type WorkflowDefinition } from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const OrNull = Type.Union([Type.String(), Type.Null()]);
const Input = Type.Object({
  ask: Type.String({ description: "What the session wants to know" }),
  task: Type.String(),
  branch: OrNull,
  sessionId: OrNull,
  noticeId: Type.String(),
});

const { ask, task, branch, sessionId, noticeId } = inputRef<Static<typeof Input>>();

/** The question of a spawned session that cannot go on: it waits until its parent or a person answers. */
const coordQuestion: WorkflowDefinition = defineWorkflow({
  name: "coord_question",
  title: "Question of a session",
  description:
    "Asks what a spawned session wants to know, of its parent and of people. The hub starts it for coord.notify.",
  input: Input,
  template: (
    <Approval
      key="answer"
      title="Answer the session"
      question={{ ask, task, branch, sessionId, noticeId }}
      schema={{
        type: "object",
        properties: { text: { type: "string", minLength: 1, maxLength: 20_000, description: "What it is told" } },
        required: ["text"],
      }}
    />
  ),
  result: ref("answer"),
});

export default coordQuestion;
