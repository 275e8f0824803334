import type {
  CallToolResult,
  InputRequiredResult,
  ServerContext,
  Tool as ToolView,
} from "@modelcontextprotocol/server";
import type { Principal } from "../../auth/mod.ts";
import type { JsonObject } from "../json.ts";
import type { TaskView } from "../tasks/task_view.ts";

/** What a call of a tool can be answered with. */
export type ToolAnswer = CallToolResult | InputRequiredResult | TaskAnswerView;

/** The call goes on as a task. */
export interface TaskAnswerView extends TaskView {
  readonly resultType: "task";
  readonly taskId: string;
}

export interface ToolCall {
  readonly principal: Principal;
  readonly args: JsonObject;
  /** What the client can do. */
  readonly capabilities: JsonObject;
  readonly context: ServerContext;
}

/** Something that a client can call by name. */
export interface HubTool {
  readonly view: ToolView;
  call(call: ToolCall): Promise<ToolAnswer>;
}
