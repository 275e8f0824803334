import { type TObject, type TSchema, Type } from "@alkdev/typebox";
import type { EncryptedData } from "../../crypto/mod.ts";
import type { Owner } from "../owner.ts";

/** How a sender signs: Standard Webhooks, or as one of these services does. */
export type SignatureScheme = "hub" | "github" | "stripe" | "slack";

/** A workflow to start. */
export interface RunTarget {
  readonly workflow: string;
  /** Absent: the latest. */
  readonly version?: string;
}

/** A signal to answer: of the run whose id a reference gives, or of the one live run that has a label. */
export interface SignalTarget {
  readonly signal: string;
  /** A reference such as `body.runId`. */
  readonly runIdFrom?: string;
  /** `valueFrom` is a reference such as `body.order`. */
  readonly label?: { readonly key: string; readonly valueFrom: string };
}

/** What comes in. */
export interface InboundDefinition {
  readonly kind: "inbound";
  readonly name: string;
  readonly target: RunTarget | SignalTarget;
  /** Default `hub`. */
  readonly scheme?: SignatureScheme;
  /** How old a request may be, where the scheme says when it was signed. Default 300. */
  readonly toleranceSeconds?: number;
  /**
   * The run's input or the signal's payload, made of `{body, headers, query}`: any JSON with `{"$ref": "body.a"}` and
   * `{"$cel": "body.a + 1"}` in it. Default: the body.
   */
  readonly input?: unknown;
  /** CEL over the same names; what it does not hold for is accepted and has no effect. */
  readonly filter?: string;
  /** Labels of the runs. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Events that can go out. `node.failed` also stands for the last error of a call, after which there is no attempt. */
export const OUTBOUND_EVENTS = [
  "run.completed",
  "run.failed",
  "run.aborted",
  "run.paused",
  "signal.awaited",
  "node.failed",
] as const;
export type OutboundEvent = typeof OUTBOUND_EVENTS[number];

/** What goes out. */
export interface OutboundDefinition {
  readonly kind: "outbound";
  readonly name: string;
  /** http or https; where it leads is checked whenever something is sent. */
  readonly url: string;
  readonly events: readonly OutboundEvent[];
  /** Only of this workflow's runs. */
  readonly workflow?: string;
  /** Only of runs with this label: `key=value`, or `key`. */
  readonly label?: string;
}

export type WebhookDefinition = InboundDefinition | OutboundDefinition;

/** A secret at rest. */
export interface StoredSecret {
  readonly sealed: EncryptedData;
  readonly createdAt: number;
  /** Null: until it is rotated. */
  readonly expiresAt: number | null;
}

/** A webhook as it is kept. Times are ms since the epoch. */
export interface WebhookRecord {
  readonly id: string;
  readonly orgId: string;
  readonly definition: WebhookDefinition;
  readonly owner: Owner;
  /** Newest first. */
  readonly secrets: readonly StoredSecret[];
  readonly paused: boolean;
  readonly revision: number;
  /** Events before this are not sent. */
  readonly activeSince: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What has come of a webhook so far. */
export interface WebhookStats {
  readonly accepted: number;
  readonly rejected: number;
  readonly lastAcceptedAt: number | null;
  readonly lastRejectedAt: number | null;
  readonly lastError: string | null;
  readonly lastErrorAt: number | null;
}

/** What a delivery that came in did. */
export interface Receipt {
  readonly webhookId: string;
  /** The sender's. */
  readonly deliveryId: string;
  readonly at: number;
  readonly outcome: "started" | "signalled" | "filtered";
  /** Null where it was filtered. */
  readonly runId: string | null;
  readonly expiresAt: number;
}

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1, maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" });
const reference = Type.String({ minLength: 1, maxLength: 1024, description: "Such as body.order.id" });

/** Fields of {@linkcode InboundDefinition}. */
export const InboundSchema: TObject = Type.Object({
  kind: Type.Literal("inbound"),
  name: text,
  target: Type.Union([
    Type.Object({ workflow: text, version: Type.Optional(text) }, strict),
    Type.Object({ signal: text, runIdFrom: reference }, strict),
    Type.Object({ signal: text, label: Type.Object({ key: text, valueFrom: reference }, strict) }, strict),
  ]),
  scheme: Type.Optional(Type.Union([
    Type.Literal("hub"),
    Type.Literal("github"),
    Type.Literal("stripe"),
    Type.Literal("slack"),
  ])),
  toleranceSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 86_400 })),
  input: Type.Optional(Type.Unknown({ description: 'JSON with {"$ref": "body.a"} and {"$cel": "body.a + 1"} in it' })),
  filter: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: "CEL over body, headers, query" })),
  labels: Type.Optional(Type.Record(
    Type.String({ minLength: 1, maxLength: 63, pattern: "^[^\\x00-\\x1f\\x7f=]{1,63}$" }),
    Type.String({ maxLength: 256, pattern: "^[^\\x00-\\x1f\\x7f]*$" }),
    { maxProperties: 24, additionalProperties: false },
  )),
}, strict);

/** Fields of {@linkcode OutboundDefinition}. */
export const OutboundSchema: TObject = Type.Object({
  kind: Type.Literal("outbound"),
  name: text,
  url: Type.String({ minLength: 1, maxLength: 2048, pattern: "^https?://" }),
  events: Type.Array(Type.Union(OUTBOUND_EVENTS.map((event) => Type.Literal(event))), {
    minItems: 1,
    maxItems: OUTBOUND_EVENTS.length,
    uniqueItems: true,
  }),
  workflow: Type.Optional(text),
  label: Type.Optional(text),
}, strict);

/** Checks {@linkcode WebhookDefinition}. */
export const WebhookDefinitionSchema: TSchema = Type.Union([InboundSchema, OutboundSchema]);

/** Checks {@linkcode StoredSecret}s. */
export const StoredSecretsSchema: TSchema = Type.Array(Type.Object({
  sealed: Type.Object({ keyVersion: Type.Integer(), salt: Type.String(), iv: Type.String(), data: Type.String() }),
  createdAt: Type.Integer(),
  expiresAt: Type.Union([Type.Integer(), Type.Null()]),
}));
