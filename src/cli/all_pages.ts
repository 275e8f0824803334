import type { HubClient } from "./hub_client.ts";
import type { PageBody } from "./run_views.ts";

/** All items of a list that comes in pages. */
export async function allPages<T>(
  hub: HubClient,
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await hub.get<PageBody<T>>(path, { query: { ...query, cursor } });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
