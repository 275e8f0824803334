import type { Static, TObject, TSchema } from "@alkdev/typebox";
import type { Principal, Scope } from "../auth/mod.ts";
import type { Caller } from "../runs/mod.ts";
import type { ServerLimits } from "./ports.ts";
import type { Problem } from "./problem.ts";
import type { Reply } from "./reply.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One scope, several of which any will do, or null for everyone: said on each route, so that none is open by omission. */
export type ScopeRule = Scope | readonly Scope[] | null;

/** No parameters. */
// deno-lint-ignore ban-types
export type NoFields = TObject<{}>;

/** One response of a route. */
export interface ResponseSpec {
  readonly description: string;
  /** Absent: no body. */
  readonly schema?: TSchema;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Types of text that may be asked for instead. */
  readonly otherTypes?: readonly string[];
}

/** A header that a route reads. */
export interface HeaderSpec {
  readonly name: string;
  readonly description: string;
}

/** What a handler is given: decoded, checked, authorised. */
export interface RouteRequest<S extends ScopeRule, P, Q, B> {
  /** Null on routes for everyone. */
  readonly principal: S extends null ? null : Principal;
  readonly caller: S extends null ? null : Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Length of the body as it came. */
  readonly bodyBytes: number;
  readonly headers: Headers;
  readonly requestId: string;
  readonly request: Request;
}

interface RouteHead {
  readonly method: Method;
  /** Parameters are `:name`. */
  readonly path: string;
  /** Name of the operation in the OpenAPI document. */
  readonly name: string;
  readonly tag: string;
  readonly summary: string;
  readonly headers?: readonly HeaderSpec[];
  /** The query is somebody else's: whatever is in it is no error, and the handler reads it itself. */
  readonly anyQuery?: boolean;
  /** Its answer has a tag: who has it already is told so by 304. */
  readonly isConditional?: boolean;
  /** How long it may read, where that is longer than elsewhere. */
  readonly readMs?: number;
  /** Where a body may be larger or deeper than elsewhere. */
  readonly limits?: Partial<Pick<ServerLimits, "bodyBytes" | "jsonDepth">>;
  /** For routes of somebody else's protocol: turns an error into its form. Default: a problem of RFC 9457. */
  readonly onError?: (error: unknown, problem: Problem) => Response;
  /** What `onError` makes. */
  readonly error?: Required<Pick<ResponseSpec, "description" | "contentType" | "schema">>;
  /** By status; errors need not be listed. */
  readonly responses: Readonly<Record<number, ResponseSpec>>;
}

/** A route's declaration. Its schemas both check requests and describe them. */
export interface RouteSpec<S extends ScopeRule, P extends TObject, Q extends TObject, B extends TSchema>
  extends RouteHead {
  readonly scope: S;
  readonly params?: P;
  /** Unknown query parameters are an error. Properties: strings, integers, booleans, unions of literals, arrays of these. */
  readonly query?: Q;
  readonly body?: B;
  /** What an absent body stands for; without it, an absent body is an error. */
  readonly bodyDefault?: Static<B>;
  handle(request: RouteRequest<S, Static<P>, Static<Q>, Static<B>>): Reply | Response | Promise<Reply | Response>;
}

/** A declared route. */
export interface Route extends RouteHead {
  readonly scope: ScopeRule;
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  readonly bodyDefault?: unknown;
  handle(request: RouteRequest<ScopeRule, unknown, unknown, unknown>): Reply | Response | Promise<Reply | Response>;
}

/** Declares a route; its handler's types follow from its schemas. */
export function defineRoute<
  const S extends ScopeRule,
  P extends TObject = NoFields,
  Q extends TObject = NoFields,
  B extends TSchema = TSchema,
>(spec: RouteSpec<S, P, Q, B>): Route {
  return spec;
}
