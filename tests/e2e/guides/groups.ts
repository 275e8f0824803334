/** Which guides are followed together; the files run beside each other. */
export const AUTHORING: readonly string[] = [
  "README.md",
  "docs/guides/first-workflow.md",
  "docs/guides/fan-out.md",
  "docs/guides/typed-templates.md",
];
export const CONTROL: readonly string[] = [
  "docs/guides/approvals.md",
  "docs/guides/rerun-and-fork.md",
  "docs/guides/versions.md",
  "docs/guides/when-things-fail.md",
  "docs/guides/testing-workflows.md",
];
/** Retention first: it counts runs of `hello`, which others start. */
export const OPERATING: readonly string[] = [
  "docs/guides/retention.md",
  "docs/guides/flow-control.md",
  "docs/guides/budgets.md",
  "docs/guides/schedules.md",
  "docs/guides/webhooks.md",
  "docs/guides/clients.md",
  "docs/guides/mcp.md",
  "docs/guides/deploying.md",
  "docs/guides/task-boards.md",
];
/** Not followed: it shows no command. */
export const READ: readonly string[] = ["docs/guides/http-api.md"];
/** Wants a provider. */
export const PROXY: readonly string[] = [
  "docs/guides/openai-proxy.md",
  "docs/guides/chat-page.md",
  "docs/guides/agent-sessions.md",
];
/** Starts hubs of its own. */
export const MANY_HUBS: readonly string[] = ["docs/guides/many-hubs.md"];
/** With a provider that its test scripts. */
export const COORDINATION: readonly string[] = ["docs/guides/coordination.md"];
