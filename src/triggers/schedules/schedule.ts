import { type TObject, Type } from "@alkdev/typebox";
import type { Owner } from "../owner.ts";

/** What is done about ticks that passed while no hub ran. */
export type CatchUp = "none" | "one" | "all";
/** What is done about a tick whose predecessor's run has not ended. */
export type Overlap = "allow" | "skip" | "queue";

/** What a schedule says. Times are ms since the epoch. */
export interface ScheduleDefinition {
  readonly name: string;
  readonly workflow: string;
  /** Absent: the latest at each tick. */
  readonly version?: string;
  readonly input?: unknown;
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** IANA name; default UTC. */
  readonly timeZone?: string;
  /** Default `one`. */
  readonly catchUp?: CatchUp;
  /** Each tick is late by up to this, always the same for the same tick. Default 0. */
  readonly jitterMs?: number;
  /** Default `allow`. */
  readonly overlap?: Overlap;
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  /** First tick is at or after this. */
  readonly startAt?: number;
  /** Last tick is before this. */
  readonly endAt?: number;
}

/** A schedule as it is kept. */
export interface ScheduleRecord {
  readonly id: string;
  readonly orgId: string;
  readonly definition: ScheduleDefinition;
  readonly owner: Owner;
  readonly paused: boolean;
  /** Rises with each change: who has seen an older one changes nothing. */
  readonly revision: number;
  /** The tick that is fired next; null: there is none. */
  readonly nextTick: number | null;
  /** When it is fired: the tick with its jitter, or later. Null with `nextTick`. */
  readonly dueAt: number | null;
  /** Null: none yet. */
  readonly lastRunId: string | null;
  readonly lastError: string | null;
  readonly lastErrorAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a tick came to, or a run that was asked for by hand. */
export interface Fire {
  readonly id: string;
  readonly scheduleId: string;
  /** Of a run by hand: when it was asked for. */
  readonly tick: number;
  readonly at: number;
  readonly kind: "tick" | "manual";
  readonly outcome: "started" | "skipped" | "failed";
  /** Null unless started. */
  readonly runId: string | null;
  /** Why not; null where it was started. */
  readonly reason: string | null;
}

const text = Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" });
/** Up to the end of the year 9999: cron's search for a tick past the year 10000 does not end. */
const instant = Type.Integer({ minimum: 0, maximum: 253_402_300_799_999, description: "Ms since the epoch" });

/** Checks {@linkcode ScheduleDefinition}. */
export const ScheduleDefinitionSchema: TObject = Type.Object({
  name: text,
  workflow: text,
  version: Type.Optional(text),
  input: Type.Optional(Type.Unknown()),
  cron: Type.String({ minLength: 9, maxLength: 256, description: "Five fields, or six with seconds first" }),
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "IANA name; default UTC" })),
  catchUp: Type.Optional(Type.Union([Type.Literal("none"), Type.Literal("one"), Type.Literal("all")])),
  jitterMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
  overlap: Type.Optional(Type.Union([Type.Literal("allow"), Type.Literal("skip"), Type.Literal("queue")])),
  labels: Type.Optional(Type.Record(
    Type.String({ minLength: 1, maxLength: 63, pattern: "^[^\\x00-\\x1f\\x7f=]{1,63}$" }),
    Type.String({ maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" }),
    { maxProperties: 24, additionalProperties: false },
  )),
  priority: Type.Optional(Type.Integer({ minimum: -1000, maximum: 1000 })),
  startAt: Type.Optional(instant),
  endAt: Type.Optional(instant),
}, { additionalProperties: false });
