import type { RoleStore } from "./ports.ts";
import type { Role } from "./role.ts";

interface Kept {
  readonly id: string;
  /** Oldest first. */
  readonly versions: Omit<Role, "archivedAt">[];
  archivedAt: number | null;
}

/** Roles of one process: the reference implementation. */
export function createMemoryRoleStore(newId: () => string = () => crypto.randomUUID()): RoleStore {
  const organizations = new Map<string, Map<string, Kept>>();
  const kept = (orgId: string, name: string): Kept | undefined => organizations.get(orgId)?.get(name);
  const role = ({ versions, archivedAt }: Kept, version: number | null): Role | null => {
    const found = version === null ? versions.at(-1) : versions[version - 1];
    return found === undefined ? null : structuredClone({ ...found, archivedAt });
  };
  return {
    get({ orgId, name, version }) {
      const found = kept(orgId, name);
      return Promise.resolve(found === undefined ? null : role(found, version));
    },
    list({ orgId, archived, limit, after }) {
      const rows = [...organizations.get(orgId) ?? []]
        .filter(([name, { archivedAt }]) => (archived || archivedAt === null) && (after === null || name > after))
        .sort(([left], [right]) => left < right ? -1 : 1).slice(0, limit);
      return Promise.resolve(rows.flatMap(([, found]) => role(found, null) ?? []));
    },
    versions({ orgId, name, limit, before }) {
      const found = kept(orgId, name);
      if (found === undefined) return Promise.resolve([]);
      const older = found.versions.filter(({ version }) => before === null || version < before).reverse();
      return Promise.resolve(older.slice(0, limit).flatMap(({ version }) => role(found, version) ?? []));
    },
    put({ orgId, name, before, definition, builtIn, createdBy, now }) {
      const roles = organizations.get(orgId) ?? new Map<string, Kept>();
      const found = roles.get(name) ?? { id: newId(), versions: [], archivedAt: null };
      if (found.versions.length !== before) return Promise.resolve(null);
      const { id } = found;
      const version = { id, orgId, name, version: before + 1, builtIn, createdBy, createdAt: now };
      found.versions.push(structuredClone({ ...version, ...definition }));
      found.archivedAt = null;
      organizations.set(orgId, roles.set(name, found));
      return Promise.resolve(role(found, null));
    },
    archive({ orgId, name, now }) {
      const found = kept(orgId, name);
      if (found === undefined) return Promise.resolve(null);
      found.archivedAt ??= now;
      return Promise.resolve(role(found, null));
    },
  };
}
