import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { CLIENT_OPTIONS, clientBody, secretOf } from "./client_body.ts";

/** A client as the HTTP API gives it. */
interface ClientBody {
  readonly name: string;
  readonly type: string;
  readonly config: {
    readonly url?: string;
    readonly command?: string;
    readonly args?: readonly string[];
    readonly specUrl?: string | null;
    readonly baseUrl?: string;
  };
  readonly secrets: readonly { readonly name: string; readonly last4: string | null }[];
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly operations: number;
  readonly inFlight: number;
}

interface TestBody {
  readonly ok: boolean;
  readonly ms: number;
  readonly offers: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const NAME = { name: "name", required: true, description: "name of the client" } as const;
const pathOf = (name: string) => `/api/clients/${encodeURIComponent(name)}`;

function placeOf({ config: { url, command, args = [], baseUrl, specUrl } }: ClientBody): string {
  return url ?? baseUrl ?? specUrl ?? [command, ...args].join(" ");
}

function show(client: ClientBody, cli: Cli): void {
  const { name, type, status, error, operations, secrets } = client;
  cli.out(`${cli.style.bold(name)}  ${type}  ${status}  ${placeOf(client)}`);
  if (type !== "llm-provider") cli.out(`  ${operations} operations, named ${name}.…`);
  for (const secret of secrets) cli.out(`  secret ${secret.name}${secret.last4 === null ? "" : ` …${secret.last4}`}`);
  if (error !== null) cli.out(`  ${cli.style.red(error.code)} ${error.message}`);
}

const add: Command = {
  name: "add",
  summary: "Add or change an MCP server, an OpenAPI service or an LLM provider",
  positionals: [{ name: "name", required: true, description: "namespace of its operations" }],
  options: { ...CLIENT_OPTIONS, ...HUB_OPTIONS },
  examples: [
    "hub clients add docs --mcp https://mcp.example.com/mcp --secret-file token.txt",
    "hub clients add files --command 'npx -y @modelcontextprotocol/server-filesystem /srv/files'",
    "hub clients add pets --openapi https://pets.example.com/openapi.json --auth apiKey:X-API-Key --secret-file key.txt",
    "hub clients add openai --llm openai --base-url https://api.openai.com/v1 --secret-file keys.txt --model gpt-5-mini",
  ],
  async run(args, cli) {
    const body = await clientBody(args);
    const hub = await openHub(args, cli);
    const client = await hub.json<ClientBody>("PUT", pathOf(args.required("name")), { body });
    if (args.flag("json")) outJson(cli, client);
    else {
      show(client, cli);
      if (client.status === "down") cli.err("It is kept, and tried again. See `hub clients test`");
    }
    return ExitCode.OK;
  },
};

const list: Command = {
  name: "list",
  summary: "Clients, and how they are doing",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const clients = await allPages<ClientBody>(await openHub(args, cli), "/api/clients");
    if (args.flag("json")) outJson(cli, clients);
    else if (clients.length === 0) cli.err("No clients. Add one with `hub clients add`");
    else {
      const columns = [
        { title: "client", min: 8, paint: cli.style.bold },
        { title: "type" },
        { title: "state" },
        { title: "operations", align: "right" },
        { title: "under way", align: "right" },
        { title: "where", min: 12 },
        { title: "error", min: 10 },
      ] as const;
      const rows = clients.map((client) => [
        client.name,
        client.type,
        client.status,
        String(client.operations),
        String(client.inFlight),
        placeOf(client),
        client.error?.message ?? "",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

function single(name: string, summary: string, method: "GET" | "POST", suffix: string): Command {
  return {
    name,
    summary,
    positionals: [NAME],
    options: HUB_OPTIONS,
    async run(args, cli) {
      const hub = await openHub(args, cli);
      const client = await hub.json<ClientBody>(method, `${pathOf(args.required("name"))}${suffix}`);
      if (args.flag("json")) outJson(cli, client);
      else show(client, cli);
      return ExitCode.OK;
    },
  };
}

const test: Command = {
  name: "test",
  summary: "Try to reach a client, now; fails when it cannot be",
  positionals: [NAME],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const name = args.required("name");
    const found = await (await openHub(args, cli)).post<TestBody>(`${pathOf(name)}/test`);
    if (args.flag("json")) outJson(cli, found);
    else if (found.ok) cli.out(`${name} answers and offers ${found.offers ?? "something"} (${found.ms} ms)`);
    else cli.err(`${cli.style.red(found.error?.code ?? "down")} ${found.error?.message ?? `${name} does not answer`}`);
    return found.ok ? ExitCode.OK : ExitCode.FAILED;
  },
};

const rotate: Command = {
  name: "rotate",
  summary: "Put a new secret in the place of an old one",
  positionals: [NAME, { name: "secret", required: true, description: "which one, as `hub clients show` lists it" }],
  options: {
    "secret-file": { ...CLIENT_OPTIONS["secret-file"]!, description: "The new one; - is stdin" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const secret = await secretOf(args);
    if (secret === undefined) throw usageError("`hub clients rotate` wants --secret-file FILE");
    const hub = await openHub(args, cli);
    const body = { secrets: { [args.required("secret")]: secret } };
    const client = await hub.post<ClientBody>(`${pathOf(args.required("name"))}/rotate`, { body });
    if (args.flag("json")) outJson(cli, client);
    else show(client, cli);
    return ExitCode.OK;
  },
};

const remove: Command = {
  name: "remove",
  summary: "Remove a client: new calls are refused, calls under way end",
  positionals: [NAME],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const name = args.required("name");
    await (await openHub(args, cli)).json("DELETE", pathOf(name));
    if (args.flag("json")) outJson(cli, { removed: name });
    else cli.out(`Client ${name} is gone`);
    return ExitCode.OK;
  },
};

/** `hub clients …` */
export const clientsCommands: CommandGroup = {
  name: "clients",
  summary: "MCP servers and OpenAPI services as operations, and LLM providers",
  commands: [
    add,
    list,
    single("show", "A client, and how it is doing", "GET", ""),
    test,
    single("refresh", "Ask a client again what it offers", "POST", "/refresh"),
    rotate,
    remove,
  ],
};
