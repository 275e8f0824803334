import type { Member } from "./ports.ts";
import type { Role } from "./role.ts";

/** A role as it is shown: its organization is the caller's own. */
export type RoleView = Omit<Role, "orgId">;

export function roleView({ orgId: _orgId, ...view }: Role): RoleView {
  return view;
}

/** An account as it is shown. */
export type MemberView = Omit<Member, "orgId">;

export function memberView({ orgId: _orgId, ...view }: Member): MemberView {
  return view;
}
