import { RESERVED_NAMESPACES } from "../spokes/mod.ts";
import type { HubOperations } from "./operations.ts";

/** Who has operations under a prefix already, beside clients; null: nobody. */
export function namespaceOwner(
  { dispatcher, clients }: Pick<HubOperations, "dispatcher" | "clients">,
): (orgId: string, namespace: string) => string | null {
  return (orgId, namespace) => {
    if (RESERVED_NAMESPACES.includes(namespace)) return "the hub";
    // A client that another hub has just removed is no one else.
    if (clients.pool.get(orgId, namespace) !== null) return null;
    return dispatcher.list(orgId).some((spec) => spec.namespace === namespace) ? "the hub or a spoke" : null;
  };
}
