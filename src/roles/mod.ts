/** Who acts, and how: roles with their versions, accounts and their memberships. @module */
export {
  type NewRole,
  NewRoleSchema,
  type Role,
  type RoleDefinition,
  RoleDefinitionSchema,
  RoleName,
  roleRef,
} from "./role.ts";
export type { Member, MembershipLevel, MemberStatus, MemberStore, RoleSource, RoleStore } from "./ports.ts";
