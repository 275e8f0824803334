import { type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type Static, type TObject, Type } from "@alkdev/typebox";
import type { Sessions } from "./sessions.ts";

const Turn = { session: Type.String(), turn: Type.String() } as const;
const Call = Type.Object({
  toolCallId: Type.String(),
  operationId: Type.String(),
  input: Type.Unknown(),
  approve: Type.Boolean(),
});
const Answer = Type.Object({ approved: Type.Boolean(), reason: Type.Optional(Type.String()) });

/** The steps of `workflows/agent_turn.tsx`: for the run of a turn alone, which is what lets it in, and no scope. */
export function stepOperations({ sessions }: { readonly sessions: Sessions }): readonly OperationRegistration[] {
  const step = <S extends TObject>(
    name: string,
    description: string,
    input: S,
    run: (input: Static<S>, context: OperationContext) => Promise<unknown>,
  ): OperationRegistration => ({
    namespace: "session",
    name,
    version: "1.0.0",
    type: OperationType.MUTATION,
    description,
    tags: ["session"],
    inputSchema: input,
    outputSchema: Type.Unknown(),
    accessControl: { requiredScopes: [] },
    handler: (given, context) => run(given as Static<S>, context), // the registry has checked it
  });
  const { steps } = sessions;
  return [
    step(
      "generate",
      "Asks the model for the next step of a turn, and records what it says",
      Type.Object(Turn),
      (input, context) => steps.generate(input, context),
    ),
    step(
      "tool",
      "Carries out a call of a tool in a turn",
      Type.Object({ ...Turn, message: Type.String(), call: Call, answer: Type.Union([Answer, Type.Null()]) }),
      // Inputs of nodes are JSON.
      (input, context) => steps.tool(input as Parameters<typeof steps.tool>[0], context),
    ),
    step(
      "advance",
      "Says whether a turn has another step, and ends it when it has none",
      Type.Object({ ...Turn, seenSeq: Type.Integer(), toolCalls: Type.Integer() }),
      (input, context) => steps.advance(input, context),
    ),
  ];
}
