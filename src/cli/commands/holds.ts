import { allPages } from "../all_pages.ts";
import { outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";

interface HoldBody {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAt: number;
}

const list: Command = {
  name: "list",
  summary: "What is held, by whom and since when",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const holds = await allPages<HoldBody>(await openHub(args, cli), "/api/holds");
    if (args.flag("json")) outJson(cli, holds);
    else if (holds.length === 0) cli.err("Nothing is held");
    else {
      const columns = [
        { title: "id", min: 8 },
        { title: "kind" },
        { title: "name", min: 8, paint: cli.style.bold },
        { title: "by", min: 6 },
        { title: "since", align: "right" },
        { title: "reason", min: 6 },
      ] as const;
      const rows = holds.map(({ id, kind, name, createdBy, createdAt, reason }) => [
        id,
        kind,
        name,
        createdBy,
        formatAge(createdAt, cli.now()),
        reason ?? "",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const add: Command = {
  name: "add",
  summary: "Start nothing of a workflow or operation, or on a spoke; what is under way goes on",
  positionals: [
    { name: "kind", required: true, description: "workflow, operation or spoke" },
    { name: "name", required: true, description: "its name; of an operation its id" },
  ],
  options: { reason: { type: "text", value: "TEXT", description: "Why, for others" }, ...HUB_OPTIONS },
  examples: ["hub holds add operation mail.send --reason 'the provider is down'"],
  async run(args, cli) {
    const kind = args.required("kind");
    if (!["workflow", "operation", "spoke"].includes(kind)) {
      throw usageError(`<kind> is workflow, operation or spoke: current value is "${kind}"`);
    }
    const hub = await openHub(args, cli);
    const reason = args.text("reason");
    const body = { kind, name: args.required("name"), ...(reason !== undefined && { reason }) };
    const hold = await hub.post<HoldBody>("/api/holds", { body });
    if (args.flag("json")) outJson(cli, hold);
    else {
      cli.out(hold.id);
      cli.err(cli.style.dim(`Let it go on with \`hub holds remove ${hold.id}\``));
    }
    return ExitCode.OK;
  },
};

const remove: Command = {
  name: "remove",
  summary: "Let what was held go on",
  positionals: [{ name: "hold", required: true, description: "id of the hold, or the name that it holds" }],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const wanted = args.required("hold");
    const all = await allPages<HoldBody>(hub, "/api/holds");
    const found = all.filter(({ id, name }) => id === wanted || name === wanted);
    const [hold] = found;
    if (hold === undefined) throw usageError(`There is no hold "${wanted}"`, "See `hub holds list`");
    if (found.length > 1) throw usageError(`Several holds are of "${wanted}": give the id`, "See `hub holds list`");
    await hub.json("DELETE", `/api/holds/${encodeURIComponent(hold.id)}`);
    if (args.flag("json")) outJson(cli, hold);
    else cli.out(`${hold.kind} ${hold.name} goes on`);
    return ExitCode.OK;
  },
};

/** `hub holds …` */
export const holdsCommands: CommandGroup = {
  name: "holds",
  summary: "Pause a workflow, an operation or a spoke",
  commands: [list, add, remove],
};
