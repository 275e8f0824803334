import type { Identity, OperationType } from "@alkdev/operations";
import { type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import { type CallStatus, CallStatusEnum, type NodeStatus, NodeStatusEnum, OperationTypeEnum } from "./enums.ts";

/** Attributes of an operation's node. Its key is `namespace.name`. */
export type OperationNodeAttrs = {
  readonly name: string;
  readonly namespace: string;
  readonly type: OperationType;
  readonly inputSchema: TSchema;
  readonly outputSchema: TSchema;
  readonly version?: string;
  readonly description?: string;
};
/** Schema of {@linkcode OperationNodeAttrs}. */
export const OperationNodeAttrs: TUnsafe<OperationNodeAttrs> = Type.Unsafe<OperationNodeAttrs>(Type.Object({
  name: Type.String({ minLength: 1 }),
  namespace: Type.String({ minLength: 1 }),
  type: OperationTypeEnum,
  inputSchema: Type.Unknown(),
  outputSchema: Type.Unknown(),
  version: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
}));

/** Attributes of a node of a template's graph. */
export type TemplateNodeAttrs = OperationNodeAttrs;
/** Schema of {@linkcode TemplateNodeAttrs}. */
export const TemplateNodeAttrs: typeof OperationNodeAttrs = OperationNodeAttrs;

/** Why a call failed. */
export type CallFailure = { readonly code: string; readonly message: string; readonly details?: unknown };
/** Schema of {@linkcode CallFailure}. */
export const CallFailure: TUnsafe<CallFailure> = Type.Unsafe<CallFailure>(Type.Object({
  code: Type.String(),
  message: Type.String(),
  details: Type.Optional(Type.Unknown()),
}));

/** Attributes of a call's node. Its key is the request id. Times are ISO 8601. */
export type CallNodeAttrs = {
  readonly requestId: string;
  readonly operationId: string;
  readonly status: CallStatus;
  readonly parentRequestId?: string;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: CallFailure;
  readonly identity?: Identity;
  readonly startedAt?: string;
  readonly completedAt?: string;
};
/** Schema of {@linkcode CallNodeAttrs}. */
export const CallNodeAttrs: TUnsafe<CallNodeAttrs> = Type.Unsafe<CallNodeAttrs>(Type.Object({
  requestId: Type.String({ minLength: 1 }),
  operationId: Type.String({ minLength: 1 }),
  status: CallStatusEnum,
  parentRequestId: Type.Optional(Type.String()),
  input: Type.Unknown(),
  output: Type.Optional(Type.Unknown()),
  error: Type.Optional(CallFailure),
  identity: Type.Optional(Type.Object({ id: Type.String(), scopes: Type.Array(Type.String()) })),
  startedAt: Type.Optional(Type.String()),
  completedAt: Type.Optional(Type.String()),
}));

/** A mismatch on an edge between operations. */
const Mismatch = Type.Object({ path: Type.String(), expected: Type.String(), actual: Type.String() });

/** Attributes of an edge between operations, beside `edgeType: "typed"`. */
export type OperationEdgeAttrs = {
  readonly compatible: boolean;
  readonly detail?: string;
  readonly mismatches?: readonly { readonly path: string; readonly expected: string; readonly actual: string }[];
};
/** Schema of {@linkcode OperationEdgeAttrs}. */
export const OperationEdgeAttrs: TUnsafe<OperationEdgeAttrs> = Type.Unsafe<OperationEdgeAttrs>(Type.Object({
  compatible: Type.Boolean(),
  detail: Type.Optional(Type.String()),
  mismatches: Type.Optional(Type.Array(Mismatch)),
}));

/** From the calling call to the called one. Nothing beside `edgeType`. */
export type TriggeredEdgeAttrs = Record<never, never>;
/** Schema of {@linkcode TriggeredEdgeAttrs}. */
export const TriggeredEdgeAttrs: TUnsafe<TriggeredEdgeAttrs> = Type.Unsafe<TriggeredEdgeAttrs>(Type.Object({}));

/** To be looked at only, never to be executed by. Nothing beside `edgeType`. */
export type DependencyEdgeAttrs = Record<never, never>;
/** Schema of {@linkcode DependencyEdgeAttrs}. */
export const DependencyEdgeAttrs: TUnsafe<DependencyEdgeAttrs> = Type.Unsafe<DependencyEdgeAttrs>(Type.Object({}));

/** Attributes of an edge between calls, told apart by `edgeType`. */
export type CallEdgeAttrs = TriggeredEdgeAttrs | DependencyEdgeAttrs;
/** Schema of {@linkcode CallEdgeAttrs}. */
export const CallEdgeAttrs: TUnsafe<CallEdgeAttrs> = Type.Unsafe<CallEdgeAttrs>(Type.Object({}));

/** Attributes of an edge of a template's graph. */
export type TemplateEdgeAttrs = {
  readonly edgeType: "sequential" | "conditional";
  /** CEL, an operation's name, or a function. */
  readonly condition?: unknown;
  /** The else-branch. */
  readonly negated?: boolean;
  /** Default false. */
  readonly dataFlow?: boolean;
};
/** Schema of {@linkcode TemplateEdgeAttrs}. */
export const TemplateEdgeAttrs: TUnsafe<TemplateEdgeAttrs> = Type.Unsafe<TemplateEdgeAttrs>(Type.Object({
  edgeType: Type.Union([Type.Literal("sequential"), Type.Literal("conditional")]),
  condition: Type.Optional(Type.Unknown()),
  negated: Type.Optional(Type.Boolean()),
  dataFlow: Type.Optional(Type.Boolean({ default: false })),
}));

/** A node's result as conditions and functions see it. */
export type CallResult = { readonly status: NodeStatus; readonly output: unknown; readonly error?: CallFailure };
/** Schema of {@linkcode CallResult}. */
export const CallResultSchema: TUnsafe<CallResult> = Type.Unsafe<CallResult>(Type.Object({
  status: NodeStatusEnum,
  output: Type.Unknown(),
  error: Type.Optional(CallFailure),
}));
