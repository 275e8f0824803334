import { Type } from "@alkdev/typebox";
import { SCOPES } from "../../auth/mod.ts";
import { ok } from "../reply.ts";
import { defineRoute, type Route } from "../route.ts";

/** The OAuth side of the edge: who gives out tokens for this hub, and under which address clients know it. */
export interface OAuthEdge {
  readonly issuer: string;
  /** The origin that the client asked. */
  originOf(request: Request): string;
}

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** Where the metadata of what was asked is (RFC 9728): `/mcp` has its own. */
export function metadataUrl({ originOf }: OAuthEdge, request: Request): string {
  const { pathname } = new URL(request.url);
  return `${originOf(request)}${WELL_KNOWN}${pathname === "/mcp" || pathname.startsWith("/mcp/") ? "/mcp" : ""}`;
}

/** Protected-resource metadata (RFC 9728), for everyone. */
export function oauthRoutes(oauth: OAuthEdge): readonly Route[] {
  return (["", "/mcp"] as const).map((path) =>
    defineRoute({
      tag: "system",
      method: "GET",
      path: `${WELL_KNOWN}${path}`,
      name: path === "" ? "getProtectedResource" : "getProtectedMcp",
      summary: "Whose access tokens are taken here",
      scope: null,
      responses: {
        200: {
          description: "RFC 9728",
          schema: Type.Object({
            resource: Type.String(),
            authorization_servers: Type.Array(Type.String()),
            scopes_supported: Type.Array(Type.String()),
            bearer_methods_supported: Type.Array(Type.String()),
          }),
        },
      },
      handle: ({ request }) =>
        ok({
          resource: `${oauth.originOf(request)}${path}`,
          authorization_servers: [oauth.issuer],
          scopes_supported: Object.keys(SCOPES),
          bearer_methods_supported: ["header"],
        }),
    })
  );
}
