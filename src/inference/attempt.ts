import { CallError } from "@alkdev/operations";
import { inferenceError, type OpenAiError } from "./inference_error.ts";
import type { LiveCall } from "./live_call.ts";
import type { Candidate } from "./provider_health.ts";
import { AttemptFailed, brokenOff, ofHub, type Upstream } from "./upstream.ts";
import { wholeOfStream } from "./whole_of_stream.ts";
import type { Asked, StreamReader, Wire } from "./wire.ts";

const encoder = new TextEncoder();
const STREAM = { status: 200, contentType: "text/event-stream; charset=utf-8", isCached: false } as const;

export interface AttemptOptions {
  readonly upstream: Upstream;
  readonly wire: Wire;
  /** Checks an answer before its caller sees any of it; null: it need not be checked. @throws {CallError} */
  readonly check: ((call: LiveCall, answer: unknown) => Promise<void>) | null;
  readonly now: () => number;
  /** A response that the provider keeps. */
  readonly onStored: (call: LiveCall, candidate: Candidate, responseId: string) => Promise<void>;
}

/**
 * One attempt to have a call answered by one provider. Once anything has gone to the caller the attempt has the call's fate in its
 * hands: what fails then ends the stream with an error, and is no failure of the attempt.
 *
 * @throws {AttemptFailed} nothing has gone to the caller
 */
export async function attempt(
  call: LiveCall,
  candidate: Candidate,
  signal: AbortSignal,
  options: AttemptOptions,
): Promise<void> {
  const { upstream, wire } = options;
  const asked: Asked = { body: call.body, isStream: call.isStream, cap: call.cap };
  const response = await upstream.send(
    call.orgId,
    candidate,
    wire,
    (key) => wire.request(candidate, key, asked),
    signal,
  );
  if (call.isStream) await streamed(call, candidate, response, signal, asked, options);
  else await whole(call, candidate, response, asked, options);
}

async function whole(
  call: LiveCall,
  candidate: Candidate,
  response: Response,
  asked: Asked,
  { wire, check, onStored, now }: AttemptOptions,
): Promise<void> {
  const { provider } = candidate;
  call.firstByteMs = now() - call.startedAt;
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw brokenOff(provider.name, error, { mayCost: true });
  }
  let answer: ReturnType<Wire["whole"]>;
  try {
    answer = wire.whole(text, asked);
  } catch (error) {
    throw malformed(provider.name, error);
  }
  call.answeredBy = candidate;
  call.setUsage(answer.usage, answer.said);
  if (check !== null) await check(call, JSON.parse(answer.text));
  const id = call.endpoint === "responses" ? responseIdOf(answer.text) : null;
  if (id !== null) await onStored(call, candidate, id);
  call.kept = answer.text;
  call.answerWith({
    status: 200,
    contentType: "application/json",
    body: answer.text,
    provider: provider.name,
    isCached: false,
  });
}

async function streamed(
  call: LiveCall,
  candidate: Candidate,
  response: Response,
  signal: AbortSignal,
  asked: Asked,
  { wire, check, onStored, now }: AttemptOptions,
): Promise<void> {
  const { provider } = candidate;
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || !type.startsWith("text/event-stream")) {
    await response.body?.cancel();
    throw malformed(provider.name, new Error(`content-type is "${type}"`));
  }
  const source = response.body.getReader();
  const reader = wire.stream(asked);
  const decoder = new TextDecoder();
  /** What the caller gets next; null: the provider's stream has ended. */
  const next = async (): Promise<string | null> => {
    const { done, value } = await source.read();
    return done ? null : reader.read(decoder.decode(value, { stream: true }));
  };
  let held = "";
  try {
    // Where it is to be checked nothing is given on before all of it has come.
    while (check !== null || !reader.hasBegun) {
      const text = await next();
      if (reader.error !== null) throw failedBefore(provider.name, reader.error, { mayCost: reader.hasBegun });
      if (text === null && check !== null && reader.isComplete) break;
      if (text === null) throw malformed(provider.name, new Error("the stream ended before it was complete"));
      held += text;
      if (check === null && reader.isComplete) break;
    }
  } catch (error) {
    await source.cancel().catch(() => {});
    if (signal.aborted) throw signal.reason;
    if (error instanceof AttemptFailed) throw error;
    throw error instanceof CallError
      ? brokenOff(provider.name, error, { mayCost: true })
      : malformed(provider.name, error);
  }
  call.answeredBy = candidate;
  call.firstByteMs = now() - call.startedAt;
  if (check !== null) {
    call.setUsage(reader.usage, () => reader.said());
    await check(call, wholeOfStream(held));
    if (reader.responseId !== null) await onStored(call, candidate, reader.responseId);
    return call.answerWith({ ...STREAM, body: held, provider: provider.name });
  }
  if (reader.responseId !== null) await onStored(call, candidate, reader.responseId);
  await passOn(call, { source, reader, held, next, name: provider.name, signal });
}

interface Passing {
  readonly source: ReadableStreamDefaultReader<Uint8Array>;
  readonly reader: StreamReader;
  readonly held: string;
  readonly next: () => Promise<string | null>;
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Hands the stream on, as fast as it is read; resolves at its end, whoever ends it. */
function passOn(call: LiveCall, { source, reader, held, next, name, signal }: Passing): Promise<void> {
  const ended = Promise.withResolvers<void>();
  let first: string | null = held;
  const end = (error: CallError | null): void => {
    signal.removeEventListener("abort", onAbort);
    if (error !== null) call.error ??= error;
    call.setUsage(reader.usage, () => reader.said());
    source.cancel().catch(() => {});
    ended.resolve();
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const close = (error: OpenAiError | null): void => {
        if (error !== null) controller.enqueue(encoder.encode(reader.failure(error)));
        controller.close();
        end(error === null ? null : inferenceError("PROVIDER_BROKE_OFF", { status: 502, error }));
      };
      try {
        for (;;) {
          const text = first ?? await next();
          first = null;
          if (reader.error !== null) return close(reader.error);
          if (text === null) {
            return close(reader.isComplete ? null : broken(name));
          }
          if (text !== "") return controller.enqueue(encoder.encode(text));
        }
      } catch {
        if (signal.aborted && call.signal.aborted) return end(gone());
        close(broken(name));
      }
    },
    cancel: () => {
      call.leave();
      end(reader.isComplete ? null : gone());
    },
  }, { highWaterMark: 0 });
  const onAbort = (): void => void source.cancel().catch(() => {});
  signal.addEventListener("abort", onAbort, { once: true });
  call.answerWith({ ...STREAM, body, provider: name });
  return ended.promise;
}

function gone(): CallError {
  return new CallError("ABORTED", "The caller went before the answer had ended");
}

function broken(provider: string): OpenAiError {
  return ofHub(502, `Provider "${provider}" broke off in the middle of the answer`, "provider_broke_off").error;
}

function malformed(provider: string, cause: unknown): AttemptFailed {
  return new AttemptFailed(ofHub(502, `Provider "${provider}" gave an answer that cannot be read`), {
    mayRetry: true,
    mayCost: true,
    cause,
  });
}

/** An error in a stream that has said nothing yet. */
function failedBefore(provider: string, error: OpenAiError, { mayCost }: { readonly mayCost: boolean }): AttemptFailed {
  const isLimited = error.code === "rate_limit_exceeded" || error.type === "rate_limit_error";
  const details = { status: isLimited ? 429 : 502, error };
  return new AttemptFailed(details, { mayRetry: true, mayCost, cause: new Error(`provider "${provider}"`) });
}

function responseIdOf(text: string): string | null {
  const { id, store }: { readonly id?: unknown; readonly store?: unknown } = JSON.parse(text);
  return typeof id === "string" && store !== false ? id : null;
}
