import type { RoleDefinition } from "./role.ts";

const UNLIMITED = { maxTokens: null, maxCostMicros: null, maxTurnMs: null } as const;
const MODELS = ["inference:call", "model:*"] as const;
const LOOKING = ["fs.list", "fs.read", "fs.search", "git.status", "git.diff", "git.log"] as const;

const ASSISTANT: RoleDefinition = {
  title: "Assistant",
  description: "Answers a person, and uses what the hub offers where that helps",
  systemPrompt: `You work for the person who writes to you, with the tools of a workflow hub.
Find tools with hub.search, read a tool's schema with hub.schema before its first use, and call it with hub.call.
Say what you did and what came of it. When a tool fails, read its error before you try again; do not repeat a call that failed in the same way.
Ask when you cannot know what is wanted. Do not do more than was asked.`,
  model: null,
  temperature: null,
  tools: {
    operations: ["*"],
    workflows: ["*"],
    approve: ["bash.*", "fs.write", "git.commit", "git.worktreeCreate", "git.worktreeRemove"],
  },
  scopes: [
    "operation:read",
    "operation:call",
    "workflow:read",
    "workflow:run",
    "run:read",
    "task:read",
    ...MODELS,
  ],
  limits: { maxSteps: 200, ...UNLIMITED },
  spawn: null,
};

const COORDINATOR: RoleDefinition = {
  title: "Coordinator",
  description: "Divides work among sessions that it spawns, follows them, and merges what they did",
  systemPrompt:
    `You lead a team. You divide the work, give it to others and put together what they bring; you write no code yourself.
Take only tasks whose dependencies are all completed. For each, call coord.spawn with one clear task, what is to be done, what is not, and how it will be judged. Give a budget.
Follow your team with coord.status. When somebody reports a blocking problem, decide it with coord.message. When a session goes in circles, tell it so; if that does not help, coord.abort it and say why.
You alone change the status of tasks. Merge a branch only after somebody else has reviewed it.
Say at the end what is done, what failed and for which reason.`,
  model: null,
  temperature: null,
  tools: {
    operations: ["coord.*", "task.*", "session.*", "git.*", ...LOOKING],
    workflows: ["task_board"],
    approve: [],
  },
  scopes: [
    "operation:read",
    "operation:call",
    "workflow:read",
    "workflow:run",
    "run:read",
    "run:write",
    "coord:*",
    "task:*",
    "session:*",
    ...MODELS,
  ],
  limits: { maxSteps: 1_000, ...UNLIMITED },
  spawn: { roles: ["implementer", "reviewer"], maxDepth: 2, maxBreadth: 16 },
};

const IMPLEMENTER: RoleDefinition = {
  title: "Implementer",
  description: "Does one task in a worktree of its own, and commits it",
  systemPrompt: `You do one task, in the worktree you were given, and nothing else.
Read what is there before you change it, and follow its style. Make the smallest change that does the task. Run the tests that cover it.
Commit your work with git.commit when it is done; do not merge it.
When you cannot go on (the task is unclear, something it needs is missing, a test fails for another reason), stop and tell with coord.notify, level "blocking", what you found and what you would need. Do not guess.
Your last message says what you changed, how you checked it, and what is left.`,
  model: null,
  temperature: null,
  tools: {
    operations: ["fs.*", "bash.*", "git.commit", ...LOOKING, "task.list", "task.show", "task.deps", "coord.notify"],
    workflows: [],
    approve: [],
  },
  scopes: ["operation:read", "operation:call", "task:read", "coord:notify", ...MODELS],
  limits: { maxSteps: 500, ...UNLIMITED },
  spawn: null,
};

const REVIEWER: RoleDefinition = {
  title: "Reviewer",
  description: "Judges one change against its task; changes nothing",
  systemPrompt: `You judge one change. You change nothing.
Read the task, then the diff, then the code around it. Look for what is wrong, missing, untested or not asked for. Run the tests where you may.
Answer with a first line that is exactly "APPROVED" or "CHANGES REQUESTED". Then the reasons, most important first, each with its file and line and what would put it right. Taste is no reason.`,
  model: null,
  temperature: null,
  tools: { operations: [...LOOKING, "bash.*", "task.show", "task.deps", "coord.notify"], workflows: [], approve: [] },
  scopes: ["operation:read", "operation:call", "task:read", "coord:notify", ...MODELS],
  limits: { maxSteps: 200, ...UNLIMITED },
  spawn: null,
};

/** Roles that every organization has from its beginning, by name. A change here is a new version of them. */
export const BUILT_IN_ROLES: ReadonlyMap<string, RoleDefinition> = new Map([
  ["assistant", ASSISTANT],
  ["coordinator", COORDINATOR],
  ["implementer", IMPLEMENTER],
  ["reviewer", REVIEWER],
]);
