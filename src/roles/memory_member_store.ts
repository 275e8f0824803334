import type { Member, MemberStore } from "./ports.ts";

/** Memberships of one process: the reference implementation. `keys` counts an account's live keys; default: none. */
export function createMemoryMemberStore(
  keys: (params: { readonly orgId: string; readonly accountId: string }) => number = () => 0,
): MemberStore {
  const organizations = new Map<string, Map<string, Omit<Member, "keys">>>();
  const seen = (member: Omit<Member, "keys">): Member => ({ ...member, keys: keys(member) });
  return {
    get({ orgId, accountId }) {
      const member = organizations.get(orgId)?.get(accountId);
      return Promise.resolve(member === undefined ? null : seen(member));
    },
    list({ orgId, limit, after }) {
      const members = [...organizations.get(orgId)?.values() ?? []]
        .filter(({ accountId }) => after === null || accountId > after)
        .sort((left, right) => left.accountId < right.accountId ? -1 : 1);
      return Promise.resolve(members.slice(0, limit).map(seen));
    },
    add({ orgId, accountId, displayName, now }) {
      const members = organizations.get(orgId) ?? new Map();
      organizations.set(orgId, members);
      if (members.has(accountId)) return Promise.resolve(null);
      const member = { orgId, accountId, displayName, kind: "service", level: "member", status: "active" } as const;
      members.set(accountId, { ...member, createdAt: now });
      return Promise.resolve(seen({ ...member, createdAt: now }));
    },
    set({ orgId, accountId, ...change }) {
      const members = organizations.get(orgId);
      const member = members?.get(accountId);
      if (members === undefined || member === undefined) return Promise.resolve(null);
      const changed = { ...member, ...change };
      members.set(accountId, changed);
      return Promise.resolve(seen(changed));
    },
  };
}
