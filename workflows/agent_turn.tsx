import {
  Approval,
  Conditional,
  defineWorkflow,
  inputRef,
  itemRef,
  Loop,
  Map,
  Operation,
  ref,
  Sequential,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  session: Type.String({ description: "Id of the session" }),
  turn: Type.String({ description: "Id of the turn that the hub has opened in it" }),
});

const { session, turn } = inputRef<Static<typeof Input>>();

/** What may pass by itself: a provider that is limited or fails, a hub that was killed in the middle of a call. */
const PASSING = [
  "PROVIDER_FAILED",
  "PROVIDER_LIMITED",
  "PROVIDER_BROKE_OFF",
  "RATE_LIMITED",
  "CALL_LOST",
  "OVERLOADED",
];

/**
 * One turn of an agent session, from a prompt until nothing is left to do. The hub starts a run of it for each turn: every call of
 * the model and of a tool is a node, whose request id is what makes it recorded once.
 */
const agentTurn: WorkflowDefinition = defineWorkflow({
  name: "agent_turn",
  title: "Turn of an agent session",
  description: "Asks the model, carries out the tools that it calls, and so on until it calls none.",
  input: Input,
  template: (
    <Loop key="steps" title="Step by step" while="nodes.advance.again" maxIterations={10_000}>
      <Sequential>
        <Operation
          key="generate"
          name="session.generate"
          title="Ask the model"
          input={{ session, turn }}
          retry={{ maxAttempts: 6, backoff: { kind: "exponential", initialMs: 1_000, maxMs: 30_000 }, on: PASSING }}
        />
        <Map key="tools" title="Carry out what it calls" over={ref("generate").calls} as="call">
          <Conditional key="asks" title="Needs a person's yes?" when="call.approve">
            <Approval
              key="approval"
              question={{
                text: "May the agent do this?",
                operationId: itemRef("call").operationId,
                input: itemRef("call").input,
                session,
                toolCallId: itemRef("call").toolCallId,
              }}
              schema={{
                type: "object",
                properties: { approved: { type: "boolean" }, reason: { type: "string", maxLength: 2_000 } },
                required: ["approved"],
                additionalProperties: false,
              }}
            />
          </Conditional>
          <Operation
            key="tool"
            name="session.tool"
            title="Call the tool"
            input={{
              session,
              turn,
              message: ref("generate").messageId,
              call: itemRef("call"),
              answer: ref("approval"),
            }}
            retry={{ maxAttempts: 1 }}
          />
        </Map>
        <Operation
          key="advance"
          name="session.advance"
          title="Another step?"
          input={{ session, turn, seenSeq: ref("generate").seenSeq, toolCalls: ref("generate").toolCalls }}
          retry={{ maxAttempts: 5 }}
        />
      </Sequential>
    </Loop>
  ),
});

export default agentTurn;
