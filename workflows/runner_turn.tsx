import { defineWorkflow, inputRef, Operation, type WorkflowDefinition } from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  session: Type.String({ description: "Id of the session" }),
  turn: Type.String({ description: "Id of the turn that the hub has opened in it" }),
});

const { session, turn } = inputRef<Static<typeof Input>>();

/** A runner that is away is about to come back: its process was killed, or its connection is. */
const PASSING = ["SPOKE_LOST", "OPERATION_NOT_FOUND", "CONNECTION_LOST", "OVERLOADED"];

/**
 * One turn of an agent session whose loop runs on a spoke. The hub hands the turn to the spoke and waits: what the spoke writes
 * through `session.*` is in the session at once, and the runner that takes the turn up again goes on from there.
 */
const runnerTurn: WorkflowDefinition = defineWorkflow({
  name: "runner_turn",
  title: "Turn of a runner's session",
  description: "Hands a turn to the spoke on which the session's loop runs, and waits for its end.",
  input: Input,
  template: (
    <Operation
      key="runner"
      name="session.run"
      title="The loop on the spoke"
      input={{ session, turn }}
      retry={{ maxAttempts: 60, backoff: { kind: "exponential", initialMs: 500, maxMs: 10_000 }, on: PASSING }}
    />
  ),
});

export default runnerTurn;
