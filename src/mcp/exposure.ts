import { operationId, type OperationSpec } from "@alkdev/operations";
import { isObject } from "./json.ts";

/** How an operation is served over MCP beside being callable by its id: what its `_meta.mcp` says. */
export interface Exposure {
  /** Name of the tool that it is. */
  readonly tool?: string;
  /** It is read as a resource; with `{name}` in it, the URI is a template and the names are the operation's input. */
  readonly resource?: { readonly uri: string; readonly mimeType?: string };
  /** Name of the prompt that it is: its answer is messages, or a text. */
  readonly prompt?: string;
}

const NONE: Exposure = {};

/** `_meta: {mcp: {tool: true | name, resource: {uri, mimeType?}, prompt: true | name}}`. What is malformed is left out. */
export function exposureOf(spec: OperationSpec): Exposure {
  const mcp = spec._meta?.["mcp"];
  if (!isObject(mcp)) return NONE;
  const { tool, resource, prompt } = mcp;
  return {
    ...nameOf("tool", tool, spec),
    ...nameOf("prompt", prompt, spec),
    ...(isObject(resource) && typeof resource["uri"] === "string" && {
      resource: {
        uri: resource["uri"],
        ...(typeof resource["mimeType"] === "string" && { mimeType: resource["mimeType"] }),
      },
    }),
  };
}

function nameOf(field: "tool" | "prompt", value: unknown, spec: OperationSpec): Exposure {
  if (value === true) return { [field]: operationId(spec) };
  return typeof value === "string" && /^[A-Za-z0-9_.-]{1,128}$/.test(value) ? { [field]: value } : NONE;
}
