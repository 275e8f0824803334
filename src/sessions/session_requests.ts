/** What can be asked of sessions. */
import type { Caller } from "../runs/mod.ts";
import type {
  Message,
  Part,
  RunPlace,
  SessionBudget,
  SessionKind,
  SessionLimits,
  SessionWorkspace,
} from "./session.ts";

export interface CreateSession {
  readonly caller: Caller;
  /** `name` or `name@version`; absent: no role. */
  readonly role?: string;
  /** Absent: the role's, else the first that the organization has. */
  readonly model?: string;
  /** Absent: the first words that are said. */
  readonly title?: string;
  /** Begins the first turn. */
  readonly prompt?: string;
  /** Beside the role's: for a session without a role. */
  readonly systemPrompt?: string;
  readonly kind?: SessionKind;
  /** The call in which it is made: its turns are runs below it. */
  readonly parent?: RunPlace;
  readonly parentSessionId?: string;
  readonly limits?: Partial<SessionLimits>;
  readonly budget?: Partial<SessionBudget>;
  readonly workspace?: SessionWorkspace;
  readonly labels?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
}

export interface PromptSession {
  readonly caller: Caller;
  readonly sessionId: string;
  /** One of the two. */
  readonly text?: string;
  readonly parts?: readonly Part[];
  readonly idempotencyKey?: string;
  /**
   * The hub's own word, as when a child session tells its parent something: it need not hold what the session may do. Never what
   * comes over an edge.
   */
  readonly isTrusted?: true;
}

export interface Prompted {
  readonly message: Message;
  readonly turnId: string;
  /** Null: the turn had ended before it was started. */
  readonly runId: string | null;
  /** It reached a turn that was under way. */
  readonly steered: boolean;
}

export interface ForkSession {
  readonly caller: Caller;
  readonly sessionId: string;
  /** The last message that the fork has; absent: all. */
  readonly messageId?: string;
  readonly title?: string;
  readonly idempotencyKey?: string;
}
