import { type TSchema, type TUnsafe, Type } from "@alkdev/typebox";
import type { Identity } from "./identity.ts";
import type { OperationContext } from "./operation_context.ts";
import type { AccessControl, ErrorDefinition, OperationSpec } from "./operation_spec.ts";
import type {
  HttpResponseMeta,
  LocalResponseMeta,
  McpContentBlock,
  McpResponseMeta,
  ResponseEnvelope,
  ResponseMeta,
} from "./response_envelope.ts";
import { schemaOf } from "./schema_of.ts";

const strings = Type.Array(Type.String());
const record = Type.Record(Type.String(), Type.Unknown());

/** Of {@linkcode Identity}. */
export const IdentitySchema: TUnsafe<Identity> = schemaOf<Identity>()(Type.Object({
  id: Type.String(),
  scopes: strings,
  resources: Type.Optional(Type.Record(Type.String(), strings)),
}));

/** Of {@linkcode AccessControl}. */
export const AccessControlSchema: TUnsafe<AccessControl> = schemaOf<AccessControl>()(Type.Object({
  requiredScopes: strings,
  requiredScopesAny: Type.Optional(strings),
  resourceType: Type.Optional(Type.String()),
  resourceAction: Type.Optional(Type.String()),
  customAuth: Type.Optional(Type.String()),
}));

/** Of {@linkcode ErrorDefinition}. */
export const ErrorDefinitionSchema: TUnsafe<ErrorDefinition> = schemaOf<ErrorDefinition>()(Type.Object({
  code: Type.String({ minLength: 1 }),
  description: Type.String(),
  schema: Type.Unknown(),
  httpStatus: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
}));

const jsonSchema = Type.Unsafe<TSchema>(Type.Union([Type.Object({}), Type.Boolean()]));

/** Of {@linkcode OperationSpec}; its two schemas are checked by what registers it. A dot would split an id in two ways. */
export const OperationSpecSchema: TUnsafe<OperationSpec> = schemaOf<OperationSpec>()(Type.Object({
  name: Type.String({ minLength: 1 }),
  namespace: Type.String({ minLength: 1 }),
  version: Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+([-+].*)?$", description: "Semantic version." }),
  type: Type.Union([Type.Literal("query"), Type.Literal("mutation"), Type.Literal("subscription")]),
  title: Type.Optional(Type.String()),
  description: Type.String(),
  tags: Type.Optional(strings),
  inputSchema: jsonSchema,
  outputSchema: jsonSchema,
  errorSchemas: Type.Optional(Type.Array(ErrorDefinitionSchema)),
  accessControl: AccessControlSchema,
  _meta: Type.Optional(record),
}));

/** The part of an {@linkcode OperationContext} that can be serialised. */
export type SerializedContext = {
  [TKey in "requestId" | "parentRequestId" | "identity" | "metadata" | "trusted"]?: NonNullable<OperationContext[TKey]>;
};

/** Of {@linkcode SerializedContext}. */
export const OperationContextSchema: TUnsafe<SerializedContext> = schemaOf<SerializedContext>()(Type.Object({
  requestId: Type.Optional(Type.String()),
  parentRequestId: Type.Optional(Type.String()),
  identity: Type.Optional(IdentitySchema),
  metadata: Type.Optional(record),
  trusted: Type.Optional(Type.Boolean()),
}));

const amount = Type.Optional(Type.Integer({ minimum: 0 }));
const used = {
  usage: Type.Optional(Type.Object({
    inputTokens: amount,
    outputTokens: amount,
    costMicros: amount,
    model: Type.Optional(Type.String()),
  })),
};

const localMeta = schemaOf<LocalResponseMeta>()(Type.Object({
  source: Type.Literal("local"),
  operationId: Type.String(),
  timestamp: Type.Number({ description: "Ms since the epoch." }),
  ...used,
}));

const httpMeta = schemaOf<HttpResponseMeta>()(Type.Object({
  source: Type.Literal("http"),
  statusCode: Type.Integer(),
  headers: Type.Record(Type.String(), Type.String()),
  contentType: Type.String(),
  ...used,
}));

const contentBlock = Type.Unsafe<McpContentBlock>(Type.Object({
  type: Type.Union(
    ["text", "image", "audio", "resource", "resource_link"].map((type) => Type.Literal(type)),
  ),
  annotations: Type.Optional(Type.Object({
    audience: Type.Optional(Type.Array(Type.Union([Type.Literal("user"), Type.Literal("assistant")]))),
    priority: Type.Optional(Type.Number()),
    lastModified: Type.Optional(Type.String()),
  })),
}));

const mcpMeta = Type.Unsafe<McpResponseMeta>(Type.Object({
  source: Type.Literal("mcp"),
  isError: Type.Boolean(),
  content: Type.Array(contentBlock),
  structuredContent: Type.Optional(record),
  _meta: Type.Optional(record),
  ...used,
}));

/** Of {@linkcode ResponseMeta}. */
export const ResponseMetaSchema: TUnsafe<ResponseMeta> = schemaOf<ResponseMeta>()(
  Type.Union([localMeta, httpMeta, mcpMeta]),
);

/** Of {@linkcode ResponseEnvelope}. JSON drops undefined data, so that it may be absent. */
export const ResponseEnvelopeSchema: TUnsafe<ResponseEnvelope> = Type.Unsafe<ResponseEnvelope>(Type.Object({
  data: Type.Optional(Type.Unknown()),
  meta: ResponseMetaSchema,
}));
