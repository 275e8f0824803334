import { allPages } from "../all_pages.ts";
import { type Cli, outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command, CommandGroup, ParsedArgs } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { findWebhook, WEBHOOK, type WebhookBody } from "../find_webhook.ts";
import { recordText } from "../format/record_text.ts";
import { formatTable } from "../format/table.ts";
import { type HubClient, openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";
import { deliveries, receipts, redeliver } from "./webhook_deliveries.ts";

interface IssuedBody {
  readonly webhook: WebhookBody;
  readonly secret: string;
}

const DEFAULT_EVENTS = ["run.completed", "run.failed", "run.aborted"];

function leadsTo({ definition: { target, url } }: WebhookBody): string {
  if (url !== undefined) return url;
  return target?.workflow ?? `signal ${target?.signal ?? ""}`;
}

const list: Command = {
  name: "list",
  summary: "Webhooks of both directions",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const webhooks = await allPages<WebhookBody>(await openHub(args, cli), "/api/webhooks");
    if (args.flag("json")) outJson(cli, webhooks);
    else if (webhooks.length === 0) {
      cli.err("No webhooks. Make one with `hub webhooks add-in` or `hub webhooks add-out`");
    } else {
      const columns = [
        { title: "webhook", min: 8, paint: cli.style.bold },
        { title: "kind" },
        { title: "to", min: 12 },
        { title: "state" },
        { title: "ok", align: "right" },
        { title: "refused", align: "right" },
        { title: "path", min: 12 },
        { title: "last error", min: 10 },
      ] as const;
      const rows = webhooks.map((webhook) => [
        webhook.definition.name,
        webhook.definition.kind,
        leadsTo(webhook),
        webhook.paused ? "paused" : "on",
        String(webhook.accepted),
        String(webhook.rejected),
        webhook.path ?? "",
        webhook.lastError ?? "",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

const show: Command = {
  name: "show",
  summary: "All of a webhook, its secret aside",
  positionals: [WEBHOOK],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const webhook = await findWebhook(await openHub(args, cli), args.required("webhook"));
    if (args.flag("json")) outJson(cli, webhook);
    else cli.out(recordText(webhook, cli.style));
    return ExitCode.OK;
  },
};

/** The secret alone goes to stdout, so that a script can take it. */
function showIssued({ webhook, secret }: IssuedBody, hub: HubClient, args: ParsedArgs, cli: Cli): ExitCode {
  if (args.flag("json")) outJson(cli, { webhook, secret });
  else {
    const where = webhook.path === null ? `sends to ${webhook.definition.url}` : `takes ${hub.url}${webhook.path}`;
    cli.err(`Webhook ${webhook.definition.name} ${where}`);
    cli.err(cli.style.yellow("Its secret is shown this once: keep it now"));
    cli.out(secret);
  }
  return ExitCode.OK;
}

const SECRET = {
  "secret-file": {
    type: "text",
    value: "FILE",
    description: "A secret that the other side has made (default: a new one)",
  },
} as const;

async function secretOf(args: ParsedArgs): Promise<{ readonly secret?: string }> {
  const path = args.text("secret-file");
  if (path === undefined) return {};
  try {
    return { secret: (await Deno.readTextFile(path)).trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw usageError(`There is no file "${path}" to read the secret from`);
    throw error;
  }
}

const addIn: Command = {
  name: "add-in",
  summary: "Take signed deliveries in, which start a workflow or answer a signal",
  positionals: [{ name: "name", required: true, description: "what the webhook is called" }],
  options: {
    workflow: { type: "text", value: "NAME", description: "Workflow to start" },
    signal: { type: "text", value: "NAME", description: "Signal to answer, with --run-from or --label-from" },
    "run-from": { type: "text", value: "REF", description: "Where the run's id is, such as body.runId" },
    "label-from": { type: "text", value: "KEY=REF", description: "Label of the run and where its value is" },
    scheme: { type: "text", value: "hub|github|stripe|slack", description: "How it is signed (default: hub)" },
    tolerance: { type: "text", value: "SECONDS", description: "How old a delivery may be (default: 300)" },
    input: { type: "text", value: "JSON|@file", description: 'Input, with {"$ref": "body.a"} and {"$cel": "…"} in it' },
    filter: { type: "text", value: "CEL", description: 'Only deliveries that it holds for: body.action == "opened"' },
    ...SECRET,
    ...HUB_OPTIONS,
  },
  examples: [
    `hub webhooks add-in issues --workflow triage --scheme github --filter 'body.action == "opened"'`,
    "hub webhooks add-in paid --signal paid --label-from order=body.order",
  ],
  async run(args, cli) {
    const tolerance = args.text("tolerance");
    if (tolerance !== undefined && !/^\d{1,6}$/.test(tolerance)) {
      throw usageError(`--tolerance wants seconds: current value is "${tolerance}"`);
    }
    const body = {
      kind: "inbound",
      name: args.required("name"),
      target: targetOf(args),
      scheme: args.text("scheme"),
      toleranceSeconds: tolerance === undefined ? undefined : Number(tolerance),
      input: await readInput(args.text("input")),
      filter: args.text("filter"),
      ...await secretOf(args),
    };
    const hub = await openHub(args, cli);
    return showIssued(await hub.post<IssuedBody>("/api/webhooks", { body }), hub, args, cli);
  },
};

function targetOf(args: ParsedArgs): unknown {
  const [workflow, signal] = [args.text("workflow"), args.text("signal")];
  if ((workflow === undefined) === (signal === undefined)) {
    throw usageError("`hub webhooks add-in` wants --workflow or --signal");
  }
  if (workflow !== undefined) return { workflow };
  const [runIdFrom, label] = [args.text("run-from"), args.text("label-from")];
  if (runIdFrom !== undefined) return { signal, runIdFrom };
  const at = label?.indexOf("=") ?? -1;
  if (label === undefined || at < 1) throw usageError("--signal wants --run-from REF or --label-from KEY=REF");
  return { signal, label: { key: label.slice(0, at), valueFrom: label.slice(at + 1) } };
}

const addOut: Command = {
  name: "add-out",
  summary: "Send events of runs out, signed",
  positionals: [
    { name: "name", required: true, description: "what the webhook is called" },
    { name: "url", required: true, description: "where it is sent" },
  ],
  options: {
    event: {
      type: "text",
      multiple: true,
      value: "EVENT",
      description: `May be repeated (default: ${DEFAULT_EVENTS.join(", ")})`,
    },
    workflow: { type: "text", value: "NAME", description: "Only runs of this workflow" },
    label: { type: "text", value: "KEY=VALUE", description: "Only runs with this label" },
    ...SECRET,
    ...HUB_OPTIONS,
  },
  examples: ["hub webhooks add-out alerts https://example.com/hook --event run.failed --event signal.awaited"],
  async run(args, cli) {
    const events = args.texts("event");
    const body = {
      kind: "outbound",
      name: args.required("name"),
      url: args.required("url"),
      events: events.length === 0 ? DEFAULT_EVENTS : events,
      workflow: args.text("workflow"),
      label: args.text("label"),
      ...await secretOf(args),
    };
    const hub = await openHub(args, cli);
    return showIssued(await hub.post<IssuedBody>("/api/webhooks", { body }), hub, args, cli);
  },
};

function verb(name: "pause" | "resume", summary: string): Command {
  return {
    name,
    summary,
    positionals: [WEBHOOK],
    options: HUB_OPTIONS,
    async run(args, cli) {
      const hub = await openHub(args, cli);
      const { id } = await findWebhook(hub, args.required("webhook"));
      const webhook = await hub.post<WebhookBody>(`/api/webhooks/${id}/${name}`);
      if (args.flag("json")) outJson(cli, webhook);
      else cli.out(`Webhook ${webhook.definition.name} is ${webhook.paused ? "paused" : "on"}`);
      return ExitCode.OK;
    },
  };
}

const rotate: Command = {
  name: "rotate",
  summary: "Give a webhook a new secret; the one before stays good for a while",
  positionals: [WEBHOOK],
  options: {
    overlap: { type: "text", value: "SECONDS", description: "How long the one before stays good (default: 86400)" },
    ...SECRET,
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const overlap = args.text("overlap") ?? "86400";
    if (!/^\d{1,7}$/.test(overlap)) throw usageError(`--overlap wants seconds: current value is "${overlap}"`);
    const hub = await openHub(args, cli);
    const { id } = await findWebhook(hub, args.required("webhook"));
    const body = { overlapSeconds: Number(overlap), ...await secretOf(args) };
    return showIssued(await hub.post<IssuedBody>(`/api/webhooks/${id}/rotate`, { body }), hub, args, cli);
  },
};

const remove: Command = {
  name: "remove",
  summary: "Remove a webhook with what is still to be sent",
  positionals: [WEBHOOK],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id, definition } = await findWebhook(hub, args.required("webhook"));
    await hub.json("DELETE", `/api/webhooks/${id}`);
    if (args.flag("json")) outJson(cli, { id, name: definition.name });
    else cli.out(`Webhook ${definition.name} is removed`);
    return ExitCode.OK;
  },
};

/** `hub webhooks …` */
export const webhooksCommands: CommandGroup = {
  name: "webhooks",
  summary: "Take signed deliveries in, and send events of runs out",
  commands: [
    list,
    show,
    addIn,
    addOut,
    verb("pause", "Take nothing in, or send nothing out"),
    verb("resume", "Go on; events of the pause are not sent"),
    rotate,
    receipts,
    deliveries,
    redeliver,
    remove,
  ],
};
