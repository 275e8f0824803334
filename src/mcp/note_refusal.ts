import type { ServerContext } from "@modelcontextprotocol/server";
import { CallError } from "@alkdev/operations";
import type { McpDeps } from "./ports.ts";
import { principalOf, requestOf } from "./session_context.ts";

/** Tells whoever writes refusals down, where the error of a message is one. `subject`: what the method was about. */
export function noteRefusal(
  { onRefused }: Pick<McpDeps, "onRefused">,
  error: unknown,
  context: ServerContext,
  subject?: string,
): void {
  if (onRefused === undefined || !(error instanceof CallError) || error.code !== "ACCESS_DENIED") return;
  const { mcpReq: { method } } = context;
  onRefused({
    request: requestOf(context),
    principal: principalOf(context),
    asked: subject === undefined ? method : `${method} ${subject}`,
    code: error.code,
  });
}
