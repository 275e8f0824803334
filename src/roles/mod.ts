/** Who acts, and how: roles with their versions, accounts and their memberships. @module */
export { BUILT_IN_ROLES } from "./built_in_roles.ts";
export { Members, type MembersOptions } from "./members.ts";
export { createMemoryMemberStore } from "./memory_member_store.ts";
export { createMemoryRoleStore } from "./memory_role_store.ts";
export type { Member, MembershipLevel, MemberStatus, MemberStore, RoleSource, RoleStore } from "./ports.ts";
export { AccountId, MemberSchema, roleOperations, type RoleOperationsOptions, RoleViewSchema } from "./operations.ts";
export { parseRoleRef } from "./read_role.ts";
export {
  type NewRole,
  NewRoleSchema,
  type Role,
  type RoleDefinition,
  RoleDefinitionSchema,
  RoleName,
  roleRef,
} from "./role.ts";
export { ALWAYS_TOOLS, coversPattern, mayUseOperation, mayUseWorkflow, needsApproval } from "./role_tools.ts";
export { type MemberView, memberView, type RoleView, roleView } from "./role_view.ts";
export { type PutRole, Roles, type RolesOptions } from "./roles.ts";
