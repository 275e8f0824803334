import type { ServerContext } from "@modelcontextprotocol/server";
import type { RunEvent } from "../../runs/mod.ts";

/** Tells the client of a call how its run goes: progress where it asked for it, and log lines. */
export class RunReporter {
  readonly #context: ServerContext;
  readonly #after: number;
  #known = 0;
  #done = 0;
  #told = -1;

  /** @param after seq up to which an earlier round has told everything */
  constructor(context: ServerContext, after: number) {
    this.#context = context;
    this.#after = after;
  }

  async tell(event: RunEvent): Promise<void> {
    const line = this.#read(event);
    if (event.seq <= this.#after || line === null) return;
    await this.#progress(line.text);
    await this.#log(line.level, { run: event.runId, ...line });
  }

  /** What an event means to the client; null: nothing. */
  #read(event: RunEvent): { readonly level: "info" | "warning"; readonly text: string } | null {
    switch (event.type) {
      case "run.created":
        return { level: "info", text: `Run of ${event.workflow} started` };
      case "call.requested":
        if (event.attempt > 1) return { level: "info", text: `${event.key}: attempt ${event.attempt}` };
        this.#known++;
        return { level: "info", text: `${event.key}: started` };
      case "timer.set":
      case "signal.awaited":
        this.#known++;
        return { level: "info", text: `${event.key}: waits` };
      case "call.responded":
      case "timer.fired":
      case "signal.received":
        this.#done++;
        return { level: "info", text: `${event.key}: done` };
      case "call.error":
        if (event.retryAt === null) this.#done++;
        return { level: "warning", text: `${event.key}: ${event.error.code}: ${event.error.message}` };
      case "run.completed":
        this.#done = this.#known + 1;
        return { level: "info", text: "Completed" };
      default:
        return null;
    }
  }

  /** Progress rises: it counts steps that are done, of those known so far and the end. */
  async #progress(message: string): Promise<void> {
    const progressToken = this.#context.mcpReq._meta?.progressToken;
    if (progressToken === undefined || this.#done <= this.#told) return;
    this.#told = this.#done;
    await this.#send({
      method: "notifications/progress",
      params: { progressToken, progress: this.#done, total: this.#known + 1, message },
    });
  }

  async #log(level: "info" | "warning", data: unknown): Promise<void> {
    try {
      await this.#context.mcpReq.log(level, data, "hub.run");
    } catch {
      // The client has gone: the run goes on, or is aborted by the signal.
    }
  }

  async #send(notification: { readonly method: string; readonly params: Record<string, unknown> }): Promise<void> {
    try {
      await this.#context.mcpReq.notify(notification);
    } catch {
      // As above.
    }
  }
}
