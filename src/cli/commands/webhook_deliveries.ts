import { outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { findWebhook, WEBHOOK } from "../find_webhook.ts";
import { formatAge } from "../format/duration.ts";
import { formatTable } from "../format/table.ts";
import { openHub } from "../hub_client.ts";

interface DeliveryBody {
  readonly id: string;
  readonly type: string;
  readonly runId: string;
  readonly status: string;
  readonly attempts: number;
  readonly createdAt: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

interface ReceiptBody {
  readonly deliveryId: string;
  readonly outcome: string;
  readonly runId: string | null;
  readonly at: number;
}

/** `hub webhooks deliveries` */
export const deliveries: Command = {
  name: "deliveries",
  summary: "What an outbound webhook has sent, or is to send, newest first",
  positionals: [WEBHOOK],
  options: {
    status: { type: "text", value: "pending|delivered|dead", description: "Only these" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id } = await findWebhook(hub, args.required("webhook"));
    const path = `/api/webhooks/${id}/deliveries`;
    const query = { status: args.text("status"), limit: "50" };
    const { items } = await hub.get<{ readonly items: readonly DeliveryBody[] }>(path, { query });
    if (args.flag("json")) outJson(cli, items);
    else if (items.length === 0) cli.err("No deliveries: none of the events that it is told of has happened");
    else {
      const columns = [
        { title: "event" },
        { title: "run", min: 12 },
        { title: "status" },
        { title: "tries", align: "right" },
        { title: "made", align: "right" },
        { title: "answer", min: 8 },
        { title: "id", min: 12 },
      ] as const;
      const rows = items.map((delivery) => [
        delivery.type,
        delivery.runId,
        delivery.status,
        String(delivery.attempts),
        formatAge(delivery.createdAt, cli.now()),
        delivery.lastError ?? String(delivery.lastStatus ?? ""),
        delivery.id,
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};

/** `hub webhooks redeliver` */
export const redeliver: Command = {
  name: "redeliver",
  summary: "Send a delivery again, whatever came of it",
  positionals: [WEBHOOK, { name: "delivery", required: true, description: "id of the delivery" }],
  options: HUB_OPTIONS,
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id } = await findWebhook(hub, args.required("webhook"));
    const path = `/api/webhooks/${id}/deliveries/${encodeURIComponent(args.required("delivery"))}/redeliver`;
    const delivery = await hub.post<DeliveryBody>(path);
    if (args.flag("json")) outJson(cli, delivery);
    else cli.out(`Delivery ${delivery.id} is sent again`);
    return ExitCode.OK;
  },
};

/** `hub webhooks receipts` */
export const receipts: Command = {
  name: "receipts",
  summary: "What an inbound webhook took in, newest first",
  positionals: [WEBHOOK],
  options: { limit: { type: "text", value: "N", description: "At most so many (default: 50)" }, ...HUB_OPTIONS },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const { id } = await findWebhook(hub, args.required("webhook"));
    const query = { limit: args.text("limit") };
    const { items } = await hub.get<{ readonly items: readonly ReceiptBody[] }>(`/api/webhooks/${id}/receipts`, {
      query,
    });
    if (args.flag("json")) outJson(cli, items);
    else if (items.length === 0) cli.err("Nothing has come in in the last three days");
    else {
      const columns = [
        { title: "delivery", min: 12 },
        { title: "outcome" },
        { title: "came", align: "right" },
        { title: "run", min: 12 },
      ] as const;
      const rows = items.map(({ deliveryId, outcome, at, runId }) => [
        deliveryId,
        outcome,
        formatAge(at, cli.now()),
        runId ?? "",
      ]);
      cli.out(formatTable(columns, rows, cli));
    }
    return ExitCode.OK;
  },
};
