/** What a call used: whole numbers of 0 or more; an absent one is not known, or nothing. */
export interface CallUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Millionths of a currency unit. */
  readonly costMicros?: number;
  /** The model that was used, as `<provider>/<model>`: usage is summed by it. Of several the last. */
  readonly model?: string;
}

interface UsedMeta {
  /** What the call used, where its handler says. */
  readonly usage?: CallUsage;
}

/** Where an answer came from, and what its transport said about it. */
export type ResponseMeta = LocalResponseMeta | HttpResponseMeta | McpResponseMeta;

/** `timestamp` is ms since the epoch. */
export interface LocalResponseMeta extends UsedMeta {
  readonly source: "local";
  readonly operationId: string;
  readonly timestamp: number;
}

export interface HttpResponseMeta extends UsedMeta {
  readonly source: "http";
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
}

export interface McpResponseMeta extends UsedMeta {
  readonly source: "mcp";
  readonly isError: boolean;
  readonly content: readonly McpContentBlock[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** One MCP content block: text, image, audio, resource or resource_link. */
export interface McpContentBlock {
  readonly type: "text" | "image" | "audio" | "resource" | "resource_link";
  readonly [field: string]: unknown;
}

/** What every call answers, local or remote. Never nested. */
export interface ResponseEnvelope<T = unknown> {
  readonly data: T;
  readonly meta: ResponseMeta;
}
