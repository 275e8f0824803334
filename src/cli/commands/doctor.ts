import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { CHECKS } from "../doctor/mod.ts";
import type { Finding } from "../doctor/finding.ts";
import { SERVE_OPTIONS } from "./serve.ts";

/** `hub doctor` */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check what the hub needs, and say how to mend what is wrong",
  options: { "data-dir": SERVE_OPTIONS["data-dir"]! },
  async run(args, cli) {
    const dataDir = args.text("data-dir");
    const env = { ...cli.environment(), ...(dataDir !== undefined && { HUB_DATA_DIR: dataDir }) };
    const findings: Finding[] = [];
    for (const check of CHECKS) findings.push(...await check({ env, cli }));
    if (args.flag("json")) outJson(cli, findings);
    else for (const finding of findings) showFinding(finding, cli);
    return findings.some(({ state }) => state === "fail") ? ExitCode.FAILED : ExitCode.OK;
  },
};

function showFinding({ state, what, message, mend }: Finding, { out, style }: Cli): void {
  const mark = { ok: style.green("✓"), warn: style.yellow("!"), fail: style.red("✗"), info: style.dim("·") }[state];
  out(`${mark} ${what.padEnd(10)} ${message}`);
  if (mend !== undefined) out(style.cyan(`             ${mend}`));
}
