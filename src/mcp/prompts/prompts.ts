import {
  type GetPromptResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { operationId, type OperationSpec } from "@alkdev/operations";
import type { Principal } from "../../auth/mod.ts";
import type { WorkflowVersion } from "../../runs/mod.ts";
import { exposureOf } from "../exposure.ts";
import { isObject } from "../json.ts";
import type { McpDeps, PromptText } from "../ports.ts";
import { may, mayOn } from "../rights.ts";
import type { WorkflowCaller } from "../tools/call_workflow.ts";
import type { ToolCall } from "../tools/tool.ts";

type PromptAnswer = GetPromptResult | InputRequiredResult;

interface HubPrompt {
  readonly view: Prompt;
  get(call: PromptCall): Promise<PromptAnswer>;
}

interface PromptCall extends ToolCall {
  readonly args: Readonly<Record<string, string>>;
}

/** Prompts: the texts of roles, and workflows and operations that are served as prompts. */
export class Prompts {
  readonly #deps: McpDeps;
  readonly #caller: WorkflowCaller;

  constructor(deps: McpDeps, caller: WorkflowCaller) {
    this.#deps = deps;
    this.#caller = caller;
  }

  /** By name; of two with one name the text goes first, then the workflow. */
  async list(principal: Principal): Promise<readonly HubPrompt[]> {
    const found = new Map<string, HubPrompt>();
    for (const prompt of await this.#all(principal)) {
      if (!found.has(prompt.view.name)) found.set(prompt.view.name, prompt);
    }
    return [...found.values()].sort((left, right) => left.view.name < right.view.name ? -1 : 1);
  }

  async get(name: string, call: PromptCall): Promise<PromptAnswer> {
    const { principal, args } = call;
    const prompt = (await this.list(principal)).find(({ view }) => view.name === name);
    if (prompt === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no prompt "${name.slice(0, 100)}"`);
    }
    for (const { name: argument, required } of prompt.view.arguments ?? []) {
      if (required === true && args[argument] === undefined) {
        throw new ProtocolError(
          ProtocolErrorCode.InvalidParams,
          `Argument "${argument}" of prompt "${name}" is missing`,
        );
      }
    }
    return await prompt.get(call);
  }

  async #all(principal: Principal): Promise<HubPrompt[]> {
    const texts = may(principal, "role:read") ? await this.#deps.prompts?.list(principal) ?? [] : [];
    const workflows = may(principal, "workflow:run") ? await this.#deps.workflows.list({ orgId: principal.orgId }) : [];
    const specs = may(principal, "operation:call") ? this.#deps.operations.list(principal) : [];
    return [
      ...texts.map(textPrompt),
      ...workflows.filter(({ name, expose }) => expose === "prompt" && mayOn(principal, name, "workflow:run")).map((
        it,
      ) => this.#workflowPrompt(principal, it)),
      ...specs.flatMap((spec) => {
        const name = exposureOf(spec).prompt;
        const isOpen = name !== undefined && mayOn(principal, operationId(spec), "operation:call");
        return !isOpen ? [] : [this.#operationPrompt(principal, spec, name)];
      }),
    ];
  }

  #workflowPrompt(principal: Principal, { name, title, description, inputSchema }: WorkflowVersion): HubPrompt {
    return {
      view: viewOf(name, title, description, argumentsOf(inputSchema)),
      get: async (call) => {
        const answer = await this.#caller.callTool({ ...call, name, input: call.args, exposure: "prompt" });
        if (isInputRequiredResult(answer)) return answer;
        if (answer["isError"] === true) throw new ProtocolError(ProtocolErrorCode.InternalError, errorText(answer));
        return messagesOf(await this.#caller.outputOf(principal, answer));
      },
    };
  }

  #operationPrompt(principal: Principal, spec: OperationSpec, name: string): HubPrompt {
    return {
      view: viewOf(name, spec.title ?? null, spec.description, argumentsOf(spec.inputSchema)),
      get: async ({ args: input, context }) => {
        const { data } = await this.#deps.operations.call({
          caller: principal,
          operationId: operationId(spec),
          input,
          signal: context.mcpReq.signal,
        });
        return messagesOf(data);
      },
    };
  }
}

function textPrompt({ name, title, description, text }: PromptText): HubPrompt {
  const names = [...new Set([...text.matchAll(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g)].map((match) => match[1] ?? ""))];
  return {
    view: viewOf(name, title, description, names.map((argument) => ({ name: argument, required: true }))),
    get: ({ args }) =>
      Promise.resolve(
        messagesOf(text.replace(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g, (_, argument: string) => args[argument] ?? "")),
      ),
  };
}

function viewOf(
  name: string,
  title: string | null,
  description: string | null,
  args: NonNullable<Prompt["arguments"]>,
): Prompt {
  return {
    name,
    ...(title !== null && { title }),
    description: description ?? title ?? name,
    ...(args.length > 0 && { arguments: args }),
  };
}

/** A prompt's arguments are texts: the properties of its input. */
function argumentsOf(schema: unknown): NonNullable<Prompt["arguments"]> {
  if (!isObject(schema) || !isObject(schema["properties"])) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(schema["properties"]).map(([name, property]) => ({
    name,
    ...(isObject(property) && typeof property["description"] === "string" && { description: property["description"] }),
    required: required.includes(name),
  }));
}

/** `{messages}` is a prompt's answer as it is; a text is one message of the user; other values are shown as JSON. */
function messagesOf(value: unknown): GetPromptResult {
  if (isObject(value) && Array.isArray(value["messages"])) {
    const { messages, description } = value;
    // The SDK checks results against the revision's schema.
    return {
      messages: messages as GetPromptResult["messages"],
      ...(typeof description === "string" && { description }),
    };
  }
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return { messages: [{ role: "user", content: { type: "text", text } }] };
}

function errorText(answer: Readonly<Record<string, unknown>>): string {
  const [first] = Array.isArray(answer["content"]) ? answer["content"] : [];
  return isObject(first) && typeof first["text"] === "string" ? first["text"] : "The prompt's run failed";
}
