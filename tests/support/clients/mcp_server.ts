/**
 * An MCP server over stdio that behaves badly on request, for tests: `deno run -A mcp_server.ts <file>`. It appends its pid to
 * the file when it starts and the name of each tool that is called.
 */
const [file = ""] = Deno.args;
const note = (text: string) => Deno.writeTextFileSync(file, `${text}\n`, { append: true });
const notes = () => Deno.readTextFileSync(file).split("\n");

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: Record<string, unknown>;
    readonly _meta?: { readonly progressToken?: number };
  };
}

const object = { type: "object", properties: {} };
const tools: Record<string, unknown>[] = [
  { name: "echo", inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] } },
  { name: "env", inputSchema: object },
  { name: "wrong", inputSchema: object },
  { name: "hang", inputSchema: object },
  { name: "hang_once", inputSchema: object },
  { name: "die", inputSchema: object },
  { name: "die_once", inputSchema: object, annotations: { idempotentHint: true } },
  { name: "grow", inputSchema: object },
  { name: "odd.näme", inputSchema: object },
];

function send(message: Record<string, unknown>): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n"));
}

function text(value: string, isError = false): Record<string, unknown> {
  return { content: [{ type: "text", text: value }], isError };
}

function call({ name, arguments: input = {}, _meta }: NonNullable<Message["params"]>): Record<string, unknown> | null {
  note(name ?? "");
  switch (name) {
    case "echo":
      return text(String(input["text"]));
    case "env":
      return text(JSON.stringify(Deno.env.toObject()));
    case "wrong":
      return text("it went wrong", true);
    case "grow":
      tools.push({ name: "grown", inputSchema: object });
      send({ method: "notifications/tools/list_changed" });
      return text("grown");
    case "die":
      return Deno.exit(9);
    case "die_once":
      return notes().filter((line) => line === "die_once").length === 1 ? Deno.exit(9) : text("alive");
    case "hang_once":
      return notes().filter((line) => line === name).length === 1 ? null : text("alive");
    case "hang":
      if (_meta?.progressToken !== undefined) {
        send({
          method: "notifications/progress",
          params: { progressToken: _meta.progressToken, progress: 1, total: 2 },
        });
      }
      return null;
    default:
      return text(`called ${name}`);
  }
}

function answer({ id, method, params = {} }: Message): void {
  if (method === "notifications/cancelled") note("cancelled");
  if (id === undefined) return;
  if (method === "initialize") {
    const serverInfo = { name: "test", version: "1.0.0" };
    const capabilities = { tools: { listChanged: true } };
    return send({ id, result: { protocolVersion: "2025-06-18", capabilities, serverInfo } });
  }
  if (method === "tools/list") return send({ id, result: { tools } });
  if (method !== "tools/call") return send({ id, result: {} });
  const result = call(params);
  if (result !== null) send({ id, result });
}

note(`pid ${Deno.pid}`);
let rest = "";
for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) if (line.trim() !== "") answer(JSON.parse(line) as Message);
}
