import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { type HubClient, openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import { messageText, type SessionMessage } from "../format/message_text.ts";

interface SessionBody {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly model: string;
  readonly role: { readonly name: string; readonly version: number } | null;
  readonly usage: { readonly turns: number; readonly costMicros: number };
  readonly turnId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly lastActivityAt: number;
}

interface TurnBody {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const SESSION = { name: "session", required: true, description: "id of the session" } as const;
/** How often a session that is watched is looked at, in ms. */
const LOOK_EVERY_MS = 300;

function pathOf(args: ParsedArgs, rest = ""): string {
  return `/api/sessions/${encodeURIComponent(args.required("session"))}${rest}`;
}

function sessionTable(sessions: readonly SessionBody[], cli: Cli): string {
  const columns = [
    { title: "session" },
    { title: "title", min: 10, paint: cli.style.bold },
    { title: "status" },
    { title: "role" },
    { title: "model", min: 6 },
    { title: "turns", align: "right" },
    { title: "active", align: "right" },
  ] as const;
  const rows = sessions.map((one) => [
    one.id,
    one.title,
    one.status,
    one.role === null ? "" : `${one.role.name}@${one.role.version}`,
    one.model,
    String(one.usage.turns),
    formatAge(one.lastActivityAt, cli.now()),
  ]);
  return formatTable(columns, rows, cli);
}

const list: Command = {
  name: "list",
  summary: "Agent sessions, last active first",
  options: {
    status: { type: "text", value: "STATUS", description: "idle, busy, waiting, stopped, failed" },
    label: { type: "text", value: "KEY[=VALUE]", description: "With this label" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const query = { status: args.text("status"), label: args.text("label") };
    const sessions = await allPages<SessionBody>(await openHub(args, cli), "/api/sessions", query);
    if (args.flag("json")) outJson(cli, sessions);
    else cli.out(sessionTable(sessions, cli));
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "A session and what was said in it",
  positionals: [SESSION],
  options: {
    limit: { type: "text", value: "N", description: "The last so many messages (default: 50)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const session = await hub.get<SessionBody>(pathOf(args));
    const query = { newest: "true", limit: args.text("limit") ?? "50" };
    const { items } = await hub.get<{ items: readonly SessionMessage[] }>(pathOf(args, "/messages"), { query });
    if (args.flag("json")) outJson(cli, { ...session, messages: items });
    else {cli.out([
        recordText({ ...session }, cli.style),
        ...items.map((one) => messageText(one, cli.style)),
      ].join("\n\n"));}
    return ExitCode.OK;
  },
};

const create: Command = {
  name: "create",
  summary: "Make an agent session",
  options: {
    role: { type: "text", value: "NAME[@VERSION]", description: "What it is told and may do" },
    model: { type: "text", value: "MODEL", description: "Default: the role's" },
    title: { type: "text", value: "TEXT", description: "Default: the first words" },
    prompt: { type: "text", short: "p", value: "TEXT", description: "Begins the first turn" },
    input: { type: "text", value: "JSON|@file", description: "More: limits, budget, labels, workspace, systemPrompt" },
    ...HUB_OPTIONS,
  },
  examples: ["hub sessions create --role assistant --prompt 'What is on this machine?'"],
  async run(args, cli) {
    const more = await readInput(args.text("input"));
    if (more !== undefined && (typeof more !== "object" || more === null || Array.isArray(more))) {
      throw usageError("--input wants a JSON object");
    }
    const given = Object.fromEntries(
      ["role", "model", "title", "prompt"].flatMap((name) => {
        const value = args.text(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const session = await (await openHub(args, cli)).post<SessionBody>("/api/sessions", {
      body: { ...more, ...given },
    });
    if (args.flag("json")) outJson(cli, session);
    else cli.out(session.id);
    return ExitCode.OK;
  },
};

const prompt: Command = {
  name: "prompt",
  summary: "Say something in a session, and see what comes of it",
  positionals: [SESSION, { name: "text", required: true, description: "what to say" }],
  options: {
    detach: { type: "flag", description: "Do not wait for the end of its turn" },
    ...HUB_OPTIONS,
  },
  examples: ["hub sessions prompt 01a2… 'And now the tests'"],
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const said = await hub.post<{ message: SessionMessage; turnId: string }>(pathOf(args, "/messages"), {
      body: { text: args.required("text") },
    });
    if (args.flag("detach")) {
      if (args.flag("json")) outJson(cli, said);
      return ExitCode.OK;
    }
    return await follow({ hub, args, cli, after: said.message.seq, turnId: said.turnId });
  },
};

const watch: Command = {
  name: "watch",
  summary: "See what is said in a session until its turn has ended",
  positionals: [SESSION],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { turnId } = await hub.get<SessionBody>(pathOf(args));
    if (turnId === null) {
      cli.err("No turn is under way");
      return ExitCode.OK;
    }
    return await follow({ hub, args, cli, after: 0, turnId });
  },
};

/** Prints the messages of a turn as they are recorded, until it has ended. */
async function follow(
  { hub, args, cli, after, turnId }: {
    readonly hub: HubClient;
    readonly args: ParsedArgs;
    readonly cli: Cli;
    readonly after: number;
    readonly turnId: string;
  },
): Promise<ExitCode> {
  let seen = after;
  for (;;) {
    const { items: turns } = await hub.get<{ items: readonly TurnBody[] }>(pathOf(args, "/turns"), {
      query: { limit: "20" },
    });
    const turn = turns.find(({ id }) => id === turnId);
    const isOver = turn === undefined || turn.status !== "open";
    const { items } = await hub.get<{ items: readonly (SessionMessage & { readonly turnId: string | null })[] }>(
      pathOf(args, "/messages"),
      { query: { after: String(seen), limit: "200" } },
    );
    // A message's calls are shown with what became of them: not before the next message, or the end.
    const ready = isOver ? items : items.filter(({ seq }) => seq < (items.at(-1)?.seq ?? 0));
    for (const message of ready) {
      seen = message.seq;
      if (message.turnId !== turnId) continue;
      if (args.flag("json")) cli.out(JSON.stringify(message));
      else cli.out(messageText(message, cli.style));
    }
    if (isOver) {
      if (turn === undefined || turn.status === "done") return ExitCode.OK;
      cli.err(`The turn was ${turn.status}${turn.error === null ? "" : `: ${turn.error.code}: ${turn.error.message}`}`);
      return ExitCode.FAILED;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    cli.signal.throwIfAborted();
  }
}

const stop: Command = {
  name: "stop",
  summary: "End the turn of a session that is under way",
  positionals: [SESSION],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const session = await (await openHub(args, cli)).post<SessionBody>(pathOf(args, "/stop"), { body: {} });
    if (args.flag("json")) outJson(cli, session);
    else cli.out(`Session ${session.id} is ${session.status}`);
    return ExitCode.OK;
  },
};

const fork: Command = {
  name: "fork",
  summary: "Make a new session with what was said in another",
  positionals: [SESSION],
  options: {
    message: { type: "text", value: "ID", description: "The last message that it has (default: all)" },
    title: { type: "text", value: "TEXT", description: "Default: the other's" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const [messageId, title] = [args.text("message"), args.text("title")];
    const body = { ...(messageId !== undefined && { messageId }), ...(title !== undefined && { title }) };
    const session = await (await openHub(args, cli)).post<SessionBody>(pathOf(args, "/fork"), { body });
    if (args.flag("json")) outJson(cli, session);
    else cli.out(session.id);
    return ExitCode.OK;
  },
};

const search: Command = {
  name: "search",
  summary: "Find sessions by what was said in them",
  positionals: [{ name: "text", required: true, description: "what to look for" }],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const query = { q: args.required("text") };
    const found = await (await openHub(args, cli)).get<
      { items: readonly { session: SessionBody; matches: readonly { seq: number; excerpt: string }[] }[] }
    >("/api/sessions/search", { query });
    if (args.flag("json")) outJson(cli, found.items);
    else {
      const rows = found.items.flatMap(({ session, matches }) =>
        matches.length === 0
          ? [[session.id, session.title, ""]]
          : matches.map(({ seq, excerpt }) => [session.id, String(seq), excerpt.replaceAll("\n", " ")])
      );
      cli.out(formatTable([{ title: "session" }, { title: "message" }, { title: "text", min: 20 }], rows, cli));
    }
    return ExitCode.OK;
  },
};

/** `hub sessions …` */
export const sessionsCommands: CommandGroup = {
  name: "sessions",
  summary: "Agent sessions: conversations with a model that uses tools",
  commands: [list, show, create, prompt, watch, stop, fork, search],
};
