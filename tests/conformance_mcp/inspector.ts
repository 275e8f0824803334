/** Talks to the hub with the MCP Inspector's command line, of a pinned version. */
const INSPECTOR = "npm:@modelcontextprotocol/inspector@2.12.0";

interface Look {
  readonly title: string;
  readonly args: readonly string[];
  /** In what it prints. */
  readonly expected: string;
}

const LOOKS: readonly Look[] = [
  { title: "tools/list", args: ["--method", "tools/list"], expected: '"hub.search"' },
  {
    title: "tools/call",
    args: [
      "--method",
      "tools/call",
      "--tool-name",
      "hub.call",
      "--tool-args-json",
      '{"operationId":"core.echo","input":{"value":"inspected"}}',
    ],
    expected: '"value": "inspected"',
  },
  { title: "resources/list", args: ["--method", "resources/list"], expected: '"workflow://greet"' },
  { title: "prompts/list", args: ["--method", "prompts/list"], expected: '"test_simple_prompt"' },
];

/** Prints what each call came to; gives how many failed. */
export async function runInspector(url: string): Promise<number> {
  let failed = 0;
  for (const { title, args, expected } of LOOKS) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", INSPECTOR, "--cli", url, "--transport", "http", ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const isGood = code === 0 && decoder.decode(stdout).includes(expected);
    if (!isGood) failed++;
    console.log(`Inspector  ${isGood ? "ok  " : "FAIL"}  ${title}`);
    if (!isGood) console.log(`        ${decoder.decode(stderr).slice(-300)}`);
  }
  return failed;
}
