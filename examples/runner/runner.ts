/**
 * The loop of agent sessions on a machine of your own: asks the model through the hub, which keeps the providers' keys, calls its own
 * tools, and writes what happens to the session as it happens. Killed at any moment and started again, it goes on where it was.
 *
 *     HUB_URL=http://127.0.0.1:8787 HUB_KEY=… NOTES=notes deno run -A examples/runner/runner.ts
 *
 * Its key needs the scopes `spoke:connect`, `operation:call`, `inference:call`, `model:*` and `session:write`.
 */
import { connectSpoke, type SocketConstructor } from "@alkdev/spoke";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import process from "node:process";

interface Place {
  readonly session: string;
  readonly turn: string;
}

interface ToolCall {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly input: unknown;
}

interface TurnView {
  readonly steps: number;
  readonly model: string;
  readonly messages: readonly unknown[];
  readonly pending: readonly (ToolCall & { readonly messageId: string })[];
  readonly seenSeq: number;
}

interface Chunk {
  readonly hub?: { readonly runId: string };
  readonly choices?: readonly {
    readonly finish_reason?: string | null;
    readonly delta: {
      readonly content?: string | null;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly id?: string;
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    };
  }[];
}

const { HUB_URL = "", HUB_KEY = "", HUB_NAME = "runner", NOTES = "notes" } = process.env;

/** What passes by itself: the hub was restarted, or the connection to it is away. */
const PASSING = ["CONNECTION_LOST", "UNAVAILABLE", "OVERLOADED", "CALL_LOST"];

/** A tool must bear to be called again: what a killed runner had begun is called by the next one. */
const TOOLS: Readonly<
  Record<string, { readonly about: string; readonly run: (text: string, id: string) => Promise<unknown> }>
> = {
  write_note: {
    about: "Keeps a note",
    async run(text, id) {
      await mkdir(NOTES, { recursive: true });
      await writeFile(`${NOTES}/${encodeURIComponent(id)}.txt`, text);
      return { kept: text.length };
    },
  },
  read_note: {
    about: "Reads a note by its id",
    run: (id) => readFile(`${NOTES}/${encodeURIComponent(id)}.txt`, "utf8"),
  },
};

const hub = connectSpoke({
  url: HUB_URL,
  key: HUB_KEY,
  name: HUB_NAME,
  labels: { spoke: HUB_NAME },
  maxBackoffMs: 1_000,
  operations: [{
    namespace: "runner",
    name: "turn",
    description: "Runs a turn of a session",
    handler: (input, { signal }) => run(input as Place, signal),
  }],
  ...(typeof WebSocket === "function" ? {} : { WebSocket: await fromPackage("ws") }),
});

/** Node has a WebSocket of its own from 22 on; before, that of the package `ws` stands for it. */
async function fromPackage(name: string): Promise<SocketConstructor> {
  return (await import(name)).WebSocket;
}

async function run(place: Place, signal: AbortSignal | undefined): Promise<unknown> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      const view = await ask<TurnView>("session.turn", place);
      // What an earlier life of this runner has left undone comes first.
      if (view.pending.length > 0) await Promise.all(view.pending.map((call) => useTool(place, call)));
      else if (await step(place, view)) return { steps: view.steps + 1 };
    } catch (error) {
      if (!PASSING.includes(codeOf(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Asks the model and records what it says; true: the turn is over. */
async function step(place: Place, { steps, model, messages, seenSeq }: TurnView): Promise<boolean> {
  const name = `step-${steps + 1}`;
  const tools = Object.entries(TOOLS).map(([tool, { about }]) => ({
    type: "function",
    function: {
      name: tool,
      description: about,
      parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    },
  }));
  await ask("session.delta", { ...place, name, begins: true });
  const calls: { id: string; name: string; args: string }[] = [];
  let [text, finishReason, callRunId]: [string, string, string | undefined] = ["", "stop", undefined];
  const asked = { model, messages, tools, hub: { session: place.session } };
  for await (const { data } of hub.subscribe("inference.chatStream", asked)) {
    const { hub: told, choices: [choice] = [] } = data as Chunk;
    callRunId ??= told?.runId;
    finishReason = choice?.finish_reason ?? finishReason;
    const { content, tool_calls = [] } = choice?.delta ?? {};
    if (content) {
      text += content;
      await ask("session.delta", { ...place, name, text: content });
    }
    for (const { index, id, function: part } of tool_calls) {
      const call = calls[index] ??= { id: "", name: "", args: "" };
      call.id ||= id ?? "";
      call.name ||= part?.name ?? "";
      call.args += part?.arguments ?? "";
    }
  }
  const made = calls.map(({ id, name: toolName, args }) => ({ toolCallId: id, toolName, input: parsed(args) }));
  await ask("session.step", { ...place, name, text, calls: made, finishReason, seenSeq, callRunId });
  if (made.length > 0) return false;
  return !(await ask<{ again: boolean }>("session.finish", { ...place, seenSeq })).again;
}

async function useTool(
  place: Place,
  { messageId, toolCallId, toolName, input }: TurnView["pending"][number],
): Promise<void> {
  const { text = "" } = (typeof input === "object" ? input ?? {} : {}) as { readonly text?: string };
  const outcome = await (async () => {
    try {
      const tool = TOOLS[toolName];
      if (tool === undefined) return { errorText: `There is no tool "${toolName}"` };
      return { output: await tool.run(text, toolCallId) };
    } catch (error) {
      return { errorText: error instanceof Error ? error.message : String(error) };
    }
  })();
  await ask("session.append", { ...place, messageId, toolCallId, ...outcome });
}

async function ask<T = unknown>(operationId: string, input: unknown): Promise<T> {
  return (await hub.call(operationId, input)).data as T;
}

function parsed(args: string): unknown {
  try {
    return args === "" ? {} : JSON.parse(args);
  } catch {
    return args;
  }
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

process.on("SIGTERM", () => hub.drain());
hub.closed.then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
