import type { Clock } from "../../engine/mod.ts";
import type {
  CallGraphPort,
  CoordinationAudit,
  CoordinationStore,
  RolesPort,
  SessionsPort,
  TreeCaps,
  WorktreesPort,
} from "./ports.ts";

/** Most that any lead may set going, whatever its role says. */
export interface TreeLimits extends TreeCaps {
  /** Generations below the lead. */
  readonly depth: number;
}

export const DEFAULT_TREE_LIMITS: TreeLimits = { depth: 8, breadth: 100, sessions: 1_000 };

/** What coordination is built from. */
export interface CoordinationOptions {
  readonly store: CoordinationStore;
  readonly sessions: SessionsPort;
  readonly roles: RolesPort;
  readonly worktrees: WorktreesPort;
  readonly graph: CallGraphPort;
  readonly audit: CoordinationAudit;
  readonly clock: Pick<Clock, "now" | "at">;
  readonly ids: {
    fresh(): string;
    /** The same for the same name. */
    of(name: string): string;
  };
  readonly limits: TreeLimits;
  readonly log: { warn(message: string, properties: Record<string, unknown>): void };
}

/** How often a session that works is looked at. */
export const LOOK_EVERY_MS = 2_000;
/** How long whoever has taken something to be done may take: then somebody else does it. */
export const CLAIM_MS = 30_000;
/** When what did not work is tried again. */
export const RETRY_MS = 5_000;
/** How long a session that cannot be made, as its spoke is away, is tried. */
export const GIVE_UP_MS = 120_000;
