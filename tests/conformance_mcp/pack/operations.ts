/** Tools, resources and prompts of the suite that are operations: a spoke offers them to the hub as it would any other. */
import { CallError, type McpContentBlock, mcpEnvelope } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import { JSON_SCHEMA_2020_12 } from "./json_schema_2020_12.ts";

/** One red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** A header without samples. */
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const NO_INPUT = { type: "object", properties: {} };

/** `toggle` changes what the hub offers: it adds a template file or takes it away. */
export function packOperations(toggle: (kind: "tool" | "prompt") => Promise<void>): readonly SpokeOperation[] {
  return [...tools(), ...triggers(toggle), ...resources(), ...prompts()];
}

function tools(): SpokeOperation[] {
  return [
    tool("test_simple_text", "A text", () => "This is a simple text response for testing."),
    tool("test_image_content", "An image", () => content([{ type: "image", data: PNG, mimeType: "image/png" }])),
    tool("test_audio_content", "A sound", () => content([{ type: "audio", data: WAV, mimeType: "audio/wav" }])),
    tool(
      "test_embedded_resource",
      "A resource",
      () => content([embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]),
    ),
    tool("test_multiple_content_types", "A text, an image and a resource", () =>
      content([
        { type: "text", text: "Multiple content types test:" },
        { type: "image", data: PNG, mimeType: "image/png" },
        embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
      ])),
    tool("test_error_handling", "Fails", () => {
      throw new CallError("TEST_FAILED", "This tool intentionally returns an error for testing");
    }),
    {
      ...tool("json_schema_2020_12_tool", "Has a schema with much in it", (input) => ({ input })),
      inputSchema: JSON_SCHEMA_2020_12,
    },
    {
      ...tool("test_custom_header", "Has an argument that stands in a header too", ({ region }) => `Region ${region}`),
      inputSchema: {
        type: "object",
        properties: { region: { type: "string", "x-mcp-header": "Region" } },
        required: ["region"],
      },
    },
  ];
}

function triggers(toggle: (kind: "tool" | "prompt") => Promise<void>): SpokeOperation[] {
  return [
    tool("test_trigger_tool_change", "Changes the list of tools", () => toggle("tool").then(() => "changed")),
    tool("test_trigger_prompt_change", "Changes the list of prompts", () => toggle("prompt").then(() => "changed")),
  ];
}

function resources(): SpokeOperation[] {
  return [
    resource(
      "static_text",
      "A text",
      "test://static-text",
      "text/plain",
      () => "This is the content of the static text resource.",
    ),
    resource("static_binary", "An image", "test://static-binary", "image/png", () => ({ blob: PNG })),
    resource("watched", "Can be watched", "test://watched-resource", "text/plain", () => "Watched"),
    {
      ...resource("template", "Data by id", "test://template/{id}/data", "application/json", ({ id }) => ({
        id,
        templateTest: true,
        data: `Data for ID: ${id}`,
      })),
      inputSchema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
    },
  ];
}

function prompts(): SpokeOperation[] {
  const text = (value: string) => ({ role: "user", content: { type: "text", text: value } });
  return [
    prompt("test_simple_prompt", "A text", {}, () => "This is a simple prompt for testing."),
    prompt("test_prompt_with_arguments", "A text with arguments", {
      arg1: "First test argument",
      arg2: "Second test argument",
    }, ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    prompt("test_prompt_with_embedded_resource", "A resource and a text", {
      resourceUri: "URI of the resource to embed",
    }, ({ resourceUri }) => ({
      messages: [
        {
          role: "user",
          content: embedded(String(resourceUri), "text/plain", "Embedded resource content for testing."),
        },
        text("Please process the embedded resource above."),
      ],
    })),
    prompt("test_prompt_with_image", "An image and a text", {}, () => ({
      messages: [
        { role: "user", content: { type: "image", data: PNG, mimeType: "image/png" } },
        text("Please analyze the image above."),
      ],
    })),
  ];
}

type Input = Readonly<Record<string, unknown>>;
type Handler = (input: Input) => unknown;

function define(name: string, description: string, mcp: unknown, handler: Handler): SpokeOperation {
  return {
    namespace: "test",
    name,
    type: "query",
    description,
    inputSchema: NO_INPUT,
    _meta: { mcp },
    // The hub has checked the input by its schema, which is of an object.
    handler: (input) => handler(input as Input),
  };
}

function tool(name: string, description: string, handler: Handler): SpokeOperation {
  return define(name, description, { tool: name }, handler);
}

function resource(name: string, description: string, uri: string, mimeType: string, handler: Handler): SpokeOperation {
  return define(name, description, { resource: { uri, mimeType } }, handler);
}

function prompt(
  name: string,
  description: string,
  args: Readonly<Record<string, string>>,
  handler: Handler,
): SpokeOperation {
  const properties = Object.fromEntries(
    Object.entries(args).map(([key, text]) => [key, { type: "string", description: text }]),
  );
  return {
    ...define(name, description, { prompt: name }, handler),
    inputSchema: { type: "object", properties, required: Object.keys(args) },
  };
}

function content(blocks: readonly McpContentBlock[]): unknown {
  return mcpEnvelope(null, { isError: false, content: blocks });
}

function embedded(uri: string, mimeType: string, text: string): McpContentBlock {
  return { type: "resource", resource: { uri, mimeType, text } };
}
