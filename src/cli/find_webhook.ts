import { allPages } from "./all_pages.ts";
import { usageError } from "./cli_error.ts";
import type { HubClient } from "./hub_client.ts";

/** A webhook as the HTTP API gives it. Times are ms since the epoch. */
export interface WebhookBody {
  readonly id: string;
  readonly definition: {
    readonly kind: string;
    readonly name: string;
    readonly target?: { readonly workflow?: string; readonly signal?: string };
    readonly url?: string;
  };
  readonly paused: boolean;
  readonly path: string | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly lastError: string | null;
}

/** The argument that names one. */
export const WEBHOOK: { readonly name: string; readonly required: true; readonly description: string } = {
  name: "webhook",
  required: true,
  description: "name or id of the webhook",
};

/** The webhook that people name by its name, or by its id. @throws CliError when there is none */
export async function findWebhook(hub: HubClient, nameOrId: string): Promise<WebhookBody> {
  const all = await allPages<WebhookBody>(hub, "/api/webhooks");
  const found = all.find(({ id }) => id === nameOrId) ?? all.find(({ definition }) => definition.name === nameOrId);
  if (found === undefined) throw usageError(`There is no webhook "${nameOrId}"`, "See `hub webhooks list`");
  return found;
}
