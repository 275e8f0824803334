import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";

interface RoleBody {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly model: string | null;
  readonly systemPrompt: string;
  readonly builtIn: boolean;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly archivedAt: number | null;
}

const NAME = { name: "name", required: true, description: "name of the role" } as const;
const REF = { name: "name", required: true, description: "name of the role, or name@version" } as const;

function pathOf(args: ParsedArgs, rest = ""): string {
  return `/api/roles/${encodeURIComponent(args.required("name"))}${rest}`;
}

function roleTable(roles: readonly RoleBody[], cli: Cli): string {
  const columns = [
    { title: "name", min: 8, paint: cli.style.bold },
    { title: "version", align: "right" },
    { title: "title", min: 8 },
    { title: "model" },
    { title: "by" },
    { title: "made", align: "right" },
    { title: "" },
  ] as const;
  const rows = roles.map((role) => [
    role.name,
    String(role.version),
    role.title,
    role.model ?? "",
    role.builtIn ? "the hub" : role.createdBy,
    formatAge(role.createdAt, cli.now()),
    role.archivedAt === null ? "" : "archived",
  ]);
  return formatTable(columns, rows, cli);
}

const list: Command = {
  name: "list",
  summary: "Roles by name",
  options: { archived: { type: "flag", description: "Archived ones too" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const query = { archived: args.flag("archived") ? "true" : undefined };
    const roles = await allPages<RoleBody>(await openHub(args, cli), "/api/roles", query);
    if (args.flag("json")) outJson(cli, roles);
    else cli.out(roleTable(roles, cli));
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "What a role says and allows",
  positionals: [REF],
  options: HUB_OPTIONS,
  examples: ["hub roles show implementer", "hub roles show implementer@1"],
  async run(args, cli) {
    const role = await (await openHub(args, cli)).get<RoleBody>(pathOf(args));
    if (args.flag("json")) outJson(cli, role);
    else {
      const { systemPrompt, ...rest } = role;
      cli.out(`${recordText(rest, cli.style)}\n\n${systemPrompt}`);
    }
    return ExitCode.OK;
  },
};

const versions: Command = {
  name: "versions",
  summary: "All versions of a role, newest first",
  positionals: [NAME],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const roles = await allPages<RoleBody>(await openHub(args, cli), pathOf(args, "/versions"));
    if (args.flag("json")) outJson(cli, roles);
    else cli.out(roleTable(roles, cli));
    return ExitCode.OK;
  },
};

const set: Command = {
  name: "set",
  summary: "Make a role, or write a new version of one; it may allow no more than your key",
  positionals: [NAME],
  options: {
    input: { type: "text", value: "JSON|@file", description: "What it says: systemPrompt, tools, scopes, limits …" },
    after: { type: "text", value: "VERSION", description: "The version that it is meant to follow (0: a new role)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub roles set translator --input @translator.json"],
  async run(args, cli) {
    const body = await readInput(args.text("input"));
    if (body === undefined) throw usageError("`hub roles set` wants --input: what the role says, as JSON or @file");
    const hub = await openHub(args, cli);
    const role = await hub.json<RoleBody>("PUT", pathOf(args), { body, query: { after: args.text("after") } });
    if (args.flag("json")) outJson(cli, role);
    else cli.out(roleTable([role], cli));
    return ExitCode.OK;
  },
};

const archive: Command = {
  name: "archive",
  summary: "Take a role from new sessions; a new version takes it out again",
  positionals: [NAME],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const role = await (await openHub(args, cli)).post<RoleBody>(pathOf(args, "/archive"));
    if (args.flag("json")) outJson(cli, role);
    else cli.out(roleTable([role], cli));
    return ExitCode.OK;
  },
};

/** `hub roles …` */
export const rolesCommands: CommandGroup = {
  name: "roles",
  summary: "What sessions are told, and the most that they may do",
  commands: [list, show, versions, set, archive],
};
