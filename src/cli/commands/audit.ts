import { outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";

interface AuditBody {
  readonly action: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: number;
}

/** `hub audit` */
export const auditCommand: Command = {
  name: "audit",
  summary: "Who did what, and what was refused, newest first",
  options: {
    action: { type: "text", value: "ACTION", description: "Such as key.created, setLimit or request.refused" },
    owner: { type: "text", value: "ACCOUNT", description: "Of this account" },
    "by-key": { type: "text", value: "ID", description: "By, or to, this key" },
    limit: { type: "text", value: "N", description: "Entries at most, up to 200 (default: 50)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub audit --action request.refused"],
  async run(args, cli) {
    const limit = args.text("limit") ?? "50";
    if (!/^\d{1,3}$/.test(limit)) throw usageError(`--limit wants a number up to 200: current value is "${limit}"`);
    const query = new URLSearchParams({ limit });
    for (const [option, field] of [["action", "action"], ["owner", "owner"], ["by-key", "key"]] as const) {
      const value = args.text(option);
      if (value !== undefined) query.set(field, value);
    }
    const hub = await openHub(args, cli);
    const { items } = await hub.get<{ items: readonly AuditBody[] }>(`/api/audit?${query}`);
    if (args.flag("json")) outJson(cli, items);
    else {
      const columns = [
        { title: "when", align: "right" },
        { title: "action", min: 8, paint: cli.style.bold },
        { title: "by", min: 6 },
        { title: "key", min: 6 },
        { title: "details", min: 8 },
      ] as const;
      const rows = items.map(({ action, ownerId, keyId, details, at }) => [
        formatAge(at, cli.now()),
        action,
        ownerId,
        keyId ?? "",
        textOf(details),
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

function textOf(details: AuditBody["details"]): string {
  return Object.entries(details).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(" ");
}
