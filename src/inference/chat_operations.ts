import {
  CallError,
  type OperationContext,
  type OperationRegistration,
  OperationType,
  type SubscriptionHandler,
} from "@alkdev/operations";
import { type Static, Type } from "@alkdev/typebox";
import type { Caller, ParentCall } from "../runs/mod.ts";
import type { Inference } from "./inference.ts";
import { inferenceError, invalidRequest } from "./inference_error.ts";
import type { ProxyAnswer } from "./live_call.ts";
import { dataOf, SseSplitter } from "./sse_splitter.ts";
import { type Body, openAiErrorOf } from "./wire.ts";

const Chat = Type.Object({
  model: Type.String({ minLength: 1, description: "Id or alias of a model: see GET /v1/models" }),
  messages: Type.Array(Type.Object({ role: Type.String() }, { additionalProperties: true }), { minItems: 1 }),
  hub: Type.Optional(Type.Object({
    session: Type.Optional(Type.String({ maxLength: 256, description: "Whose budget of kind session is charged too" })),
    run: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "Run that it belongs to, and whose budgets are charged: where no run calls",
      }),
    ),
  }, { additionalProperties: false, description: "What the hub is to know beside; the provider does not see it" })),
}, {
  additionalProperties: true,
  description: "A body of POST /v1/chat/completions. Fields that the hub does not know pass through untouched",
});

const Completion = Type.Object({}, { additionalProperties: true, description: "OpenAI's chat.completion" });
const CompletionChunk = Type.Object({}, { additionalProperties: true, description: "OpenAI's chat.completion.chunk" });

export interface ChatOperationsOptions {
  readonly inference: Pick<Inference, "call">;
  /** On whose behalf a call is made. */
  readonly callerOf: (context: OperationContext) => Caller;
  /** The call of a run to which it belongs, and whose budgets are charged: the one that asks, else what is named. Null: none. */
  readonly placeOf: (
    context: OperationContext,
    named: { readonly session?: string; readonly run?: string },
  ) => Promise<ParentCall | null>;
}

/** What a call of a model was, beside what OpenAI's answer says of it: the answer, or its first chunk, has it as `hub`. */
interface Told {
  readonly runId: string;
  readonly provider: string;
  readonly cached: boolean;
}

/**
 * `inference.chat` and `inference.chatStream`: calls of models for templates, spokes, MCP clients and whoever else calls operations.
 * They go the way of `/v1/chat/completions`, so that the same limits, budgets, routes and guards hold; the budgets of a run that
 * calls are charged, with those above it.
 */
export function chatOperations(options: ChatOperationsOptions): readonly OperationRegistration[] {
  const common = {
    namespace: "inference",
    version: "1.0.0",
    tags: ["inference", "llm"],
    inputSchema: Chat,
    accessControl: { requiredScopes: ["inference:call"] },
  };
  const stream: SubscriptionHandler = async function* (input, context) {
    const { answer, told } = await ask(options, input as Static<typeof Chat>, context, true); // the registry has checked it
    let isFirst = true;
    for await (const chunk of chunksOf(answer, context.signal)) {
      yield isFirst ? { ...chunk, hub: told } : chunk;
      isFirst = false;
    }
  };
  return [
    {
      ...common,
      name: "chat",
      type: OperationType.MUTATION,
      title: "Have a chat completed",
      description: "Asks a language model, by whichever provider has it, and gives its whole answer as OpenAI has it.",
      outputSchema: Completion,
      handler: async (input, context) => {
        const { answer, told } = await ask(options, input as Static<typeof Chat>, context, false); // as above
        const { body } = answer;
        return { ...JSON.parse(typeof body === "string" ? body : await new Response(body).text()), hub: told };
      },
    },
    {
      ...common,
      name: "chatStream",
      type: OperationType.SUBSCRIPTION,
      title: "Have a chat completed, piece by piece",
      description:
        "Asks a language model, by whichever provider has it, and gives the chunks of its answer as they come.",
      outputSchema: CompletionChunk,
      handler: stream,
    },
  ];
}

async function ask(
  { inference, callerOf, placeOf }: ChatOperationsOptions,
  { hub = {}, ...chat }: Static<typeof Chat>,
  context: OperationContext,
  isStream: boolean,
): Promise<{ readonly answer: ProxyAnswer; readonly told: Told }> {
  const body: Body = chat;
  const { stream } = body;
  if (!isStream && stream !== undefined && stream !== null && stream !== false) {
    throw invalidRequest(
      `Field "stream" is ${JSON.stringify(stream)}: subscribe to "inference.chatStream" instead`,
      "stream",
    );
  }
  context.signal?.throwIfAborted();
  const caller = callerOf(context);
  const parent = await placeOf(context, hub);
  const { signal = new AbortController().signal, traceparent } = context;
  const { runId, answer } = await inference.call({
    asker: {
      caller,
      keyId: caller.keyId ?? null,
      sessionId: hub.session ?? null,
      runId: parent?.runId ?? null,
    },
    endpoint: "chat",
    body: isStream ? { ...body, stream: true } : body,
    signal,
    ...(traceparent !== undefined && { traceparent }),
    ...(parent !== null && { parent }),
  });
  return { answer, told: { runId, provider: answer.provider, cached: answer.isCached } };
}

/** @throws {CallError} PROVIDER_BROKE_OFF, where the answer ends with an error */
async function* chunksOf(
  { body }: ProxyAnswer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Body, void, undefined> {
  const reader = (typeof body === "string" ? new Blob([body]).stream() : body).getReader();
  // A reader that sleeps wakes by it: whoever leaves a subscription does not wait for its next value.
  const leave = (): void => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", leave, { once: true });
  const splitter = new SseSplitter();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const event of splitter.push(decoder.decode(value, { stream: true }))) {
        const data = dataOf(event);
        if (data === null) continue;
        if (data === "[DONE]") return;
        const chunk: Body = JSON.parse(data); // a chunk of an answer is an object
        const error = openAiErrorOf(chunk);
        if (error !== null) throw inferenceError("PROVIDER_BROKE_OFF", { status: 502, error });
        yield chunk;
      }
    }
    throw new CallError("PROVIDER_BROKE_OFF", "The answer ended before it was complete");
  } finally {
    signal?.removeEventListener("abort", leave);
    leave();
  }
}
