/** Something that a spawned session and its parent tell each other. */
import type { Json } from "@alkdev/flowgraph";

export type NoticeLevel = "info" | "warning" | "blocking";

/** `message`: to the child; `notice`: of the child to its parent; `detection`: of the hub about the child, to its parent. */
export type NoticeKind = "message" | "notice" | "detection";

/** Kept until whom it is for has it. Times are ms since the epoch. */
export interface Notice {
  /** The same for one that is sent again. */
  readonly id: string;
  readonly orgId: string;
  readonly mappingId: string;
  readonly kind: NoticeKind;
  readonly level: NoticeLevel;
  /** Session; null: people, who find it in the list. */
  readonly recipient: string | null;
  readonly text: string;
  /** Who said it: an identity's id, or `hub`. */
  readonly sender: string;
  /** The run that waits for the answer to a blocking one; null: there is none. */
  readonly runId: string | null;
  readonly answer: Json;
  /** Null: it is not answered, or needs no answer. */
  readonly answeredAt: number | null;
  /** When its recipient was given it; null: not yet, or it is for people. */
  readonly deliveredAt: number | null;
  /** When it is next tried; null: it is not. */
  readonly dueAt: number | null;
  readonly createdAt: number;
}
