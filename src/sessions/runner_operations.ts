import type { Json } from "@alkdev/flowgraph";
import { type OperationContext, type OperationRegistration, OperationType } from "@alkdev/operations";
import { type Static, type TObject, type TProperties, Type } from "@alkdev/typebox";
import type { CallPlaces } from "./ports.ts";
import type { RunnerPlace, RunnerTurns } from "./runner_turns.ts";

const strict = { additionalProperties: false } as const;
const Place = {
  session: Type.String({ minLength: 1, maxLength: 64 }),
  turn: Type.String({ minLength: 1, maxLength: 64 }),
} as const;
const Name = Type.String({
  pattern: "^[A-Za-z0-9_.:-]{1,128}$",
  description: "Of the step, unique in its turn: what is written again under the same name is written once",
});
const Text = Type.Optional(Type.String({ maxLength: 1_000_000 }));

export interface RunnerOperationsOptions {
  readonly turns: RunnerTurns;
  readonly places: CallPlaces;
}

/** What the runner of a session writes through, and the step of `workflows/runner_turn.tsx` that hands it the turn. */
export function runnerOperations({ turns, places }: RunnerOperationsOptions): readonly OperationRegistration[] {
  const written = <P extends TProperties>(
    name: string,
    description: string,
    fields: P,
    write: (place: RunnerPlace, input: Static<TObject<P>>) => Promise<unknown>,
  ): OperationRegistration => ({
    ...headOf(name, description),
    inputSchema: Type.Object({ ...Place, ...fields }, strict),
    accessControl: { requiredScopes: ["session:write"] },
    handler: async (given, context) => {
      const { session, turn, ...rest } = given as Omit<RunnerPlace, "caller">; // the registry has checked it, and the rest
      const { caller } = await places.place(context);
      return await write({ caller, session, turn }, rest as Static<TObject<P>>);
    },
  });
  return [
    {
      ...headOf("run", "Hands a turn of a session to its runner, and waits for its end"),
      inputSchema: Type.Object(Place, strict),
      // For the run of the turn alone, which is what lets it in.
      accessControl: { requiredScopes: [] },
      handler: (input, context: OperationContext) => turns.run(input as Omit<RunnerPlace, "caller">, context), // as above
    },
    written(
      "turn",
      "Gives a runner its turn as it stands: what to give the model, and what has not ended",
      {},
      (place) => turns.view(place),
    ),
    written(
      "step",
      "Records what the model of a runner has said, once for a name",
      {
        name: Name,
        text: Text,
        reasoning: Text,
        calls: Type.Optional(Type.Array(
          Type.Object({
            toolCallId: Type.String({ minLength: 1, maxLength: 256 }),
            toolName: Type.String({ minLength: 1, maxLength: 256 }),
            input: Type.Unsafe<Json>(Type.Unknown()),
          }, strict),
          { maxItems: 64 },
        )),
        finishReason: Type.Optional(Type.String({ maxLength: 64 })),
        seenSeq: Type.Integer({ minimum: 0, description: "Of the turn as it was when the model was asked" }),
        callRunId: Type.Optional(Type.String({
          maxLength: 64,
          description: "`hub.runId` of the answer of `inference.chat`: what the step has used",
        })),
      },
      (place, said) => turns.step(place, said),
    ),
    written(
      "append",
      "Says what became of a call of a tool that a runner has made",
      {
        messageId: Type.String({ maxLength: 64 }),
        toolCallId: Type.String({ maxLength: 256 }),
        output: Type.Optional(Type.Unsafe<Json>(Type.Unknown())),
        errorText: Text,
      },
      (place, call) => turns.append(place, call),
    ),
    written(
      "delta",
      "Tells those who watch what the model of a runner says, while it says it",
      { name: Name, begins: Type.Optional(Type.Boolean()), text: Text, reasoning: Text },
      (place, said) => turns.delta(place, said),
    ),
    written(
      "finish",
      "Ends the turn of a runner, unless something was said meanwhile",
      {
        seenSeq: Type.Integer({ minimum: 0 }),
        error: Type.Optional(
          Type.Object({ code: Type.String({ maxLength: 64 }), message: Type.String({ maxLength: 4_000 }) }, strict),
        ),
      },
      (place, end) => turns.finish(place, end),
    ),
  ];
}

function headOf(name: string, description: string) {
  return {
    namespace: "session",
    name,
    version: "1.0.0",
    type: OperationType.MUTATION,
    description,
    tags: ["session", "runner"],
    outputSchema: Type.Unknown(),
  };
}
