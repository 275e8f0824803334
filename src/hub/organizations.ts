import { type ApiKeyManager, isExpired } from "@alkdev/keypal";
import { CallError } from "@alkdev/operations";
import { toKeyView } from "../auth/mod.ts";
import { organizationRoutes, type OrganizationsPort, type Route } from "../server/mod.ts";
import { addOrganization, type Database, listOrganizations } from "../storage/mod.ts";
import { DEFAULT_ORG } from "./keys.ts";

/** Routes about the organizations of the hub. */
export function openOrganizations(db: Database, keys: ApiKeyManager): readonly Route[] {
  const port: OrganizationsPort = {
    list: () => listOrganizations(db),
    async create({ id, name, ownerId }) {
      const organization = await addOrganization(db, { id, name, ownerId });
      if (organization === null) {
        throw new CallError("ORGANIZATION_EXISTS", `Cannot make organization "${id}": there is one of this id or name`);
      }
      const { key, record } = await keys.create({ ownerId, orgId: id, name: "admin", scopes: ["*"] });
      return { organization, key: { key, record: toKeyView(record, Date.now()) } };
    },
    async members(id) {
      if (!(await listOrganizations(db)).some((one) => one.id === id)) return null;
      const counts = new Map<string, number>();
      for (const { metadata } of await keys.listByOrg(id)) {
        const isLive = !metadata.revokedAt && !isExpired(metadata.expiresAt ?? null) && metadata.enabled !== false;
        counts.set(metadata.ownerId, (counts.get(metadata.ownerId) ?? 0) + (isLive ? 1 : 0));
      }
      return [...counts].map(([accountId, live]) => ({ accountId, keys: live }))
        .sort((left, right) => left.accountId < right.accountId ? -1 : 1);
    },
  };
  return organizationRoutes(port, DEFAULT_ORG);
}
