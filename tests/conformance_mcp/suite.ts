/** Runs the protocol's own conformance suite, of a pinned version, and reads what it found. */
const SUITE = "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12";

export interface Verdict {
  readonly scenario: string;
  readonly passed: number;
  readonly failed: number;
  readonly warnings: number;
  readonly skipped: number;
  /** What failed or was warned of. */
  readonly problems: readonly string[];
}

interface Check {
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  readonly errorMessage?: string;
}

/** Names of the server scenarios that a list option selects. */
export async function listScenarios(...options: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(["list", "--server", ...options]);
  return [...stdout.matchAll(/^ {2}- (\S+)/gm)].map((match) => match[1] ?? "");
}

/** One scenario at one revision. */
export async function runScenario(url: string, scenario: string, revision: string | null): Promise<Verdict> {
  const directory = await Deno.makeTempDir({ prefix: "mcp-conformance-" });
  try {
    const version = revision === null ? [] : ["--spec-version", revision];
    const { stdout, stderr } = await run(["server", "--url", url, "--scenario", scenario, ...version, "-o", directory]);
    const checks = await readChecks(directory);
    const of = (status: Check["status"]) => checks.filter((check) => check.status === status);
    const problems = [...of("FAILURE"), ...of("WARNING")].map(({ id, status, errorMessage }) =>
      `${status === "WARNING" ? "warning: " : ""}${id}: ${errorMessage ?? ""}`
    );
    return {
      scenario,
      passed: of("SUCCESS").length,
      failed: checks.length === 0 ? 1 : of("FAILURE").length,
      warnings: of("WARNING").length,
      skipped: of("SKIPPED").length,
      problems: checks.length === 0 ? [`no checks: ${(stderr || stdout).slice(-300)}`] : problems,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function readChecks(directory: string): Promise<readonly Check[]> {
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) return await readChecks(path);
    if (entry.name === "checks.json") return JSON.parse(await Deno.readTextFile(path));
  }
  return [];
}

async function run(args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--node-modules-dir=none", SUITE, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
