import { FakeProvider } from "../../support/fake_provider/fake_provider.ts";
import type { Said, Turn } from "../../support/fake_provider/turn.ts";
import { followGuides } from "./_guide.ts";
import { COORDINATION } from "./groups.ts";

/** What the guide's sessions do: write a file, ask where they have to, commit, and say so. */
function answer(messages: readonly Said[]): Turn {
  const prompt = messages.find(({ role }) => role === "user")?.text ?? "";
  const task = /^Do this, and commit it: (.*)$/m.exec(prompt)?.[1] ?? "";
  const directory = /worktree "([^"]+)"/.exec(prompt)?.[1] ?? "";
  const steps = [
    ["fs_write", { path: `${directory}/${task.replaceAll(" ", "-")}.md`, text: `# ${task}\n` }],
    ...(task === "Pick a name" ? [["coord_notify", { level: "blocking", message: "Which name shall it have?" }]] : []),
    ["git_commit", { path: directory, message: task }],
  ] as const;
  const [name, input] = steps[messages.filter(({ role }) => role === "assistant").length] ?? [];
  if (typeof name !== "string") return { text: `${task}: done`, toolCalls: [] };
  return { text: "", toolCalls: [{ name, arguments: JSON.stringify(input) }] };
}

Deno.test("the guide to a team of agents works as written", async (t) => {
  const provider = new FakeProvider({ answer });
  try {
    const env = { PROVIDER_URL: provider.url, PROVIDER_KEY: "sk-guide" };
    await followGuides(t, COORDINATION, env, { egress: { allowPrivate: [new URL(provider.url).host] } });
  } finally {
    await provider.stop();
  }
});
