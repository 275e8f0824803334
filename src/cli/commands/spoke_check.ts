import { outJson } from "../cli.ts";
import { ExitCode, usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { type CheckResult, runChecks } from "../spoke_check/mod.ts";

const CONNECT_MS = 60_000;

/** `hub spoke check` */
export const checkCommand: Command = {
  name: "check",
  summary: "Hold a spoke, in any language, to the protocol: plays the hub and reports",
  positionals: [{
    name: "command",
    required: false,
    description: "starts the spoke, with HUB_URL, HUB_KEY and HUB_CHECK=1 set; without it, start one yourself",
  }],
  options: {
    port: { type: "text", value: "PORT", description: "Port to listen on (default: any that is free)" },
    strict: { type: "flag", description: "Take skipped checks for failed ones" },
  },
  examples: ['hub spoke check "python3 examples/spoke-python/check.py"', "hub spoke check --port 9000"],
  async run(args, cli) {
    const json = args.flag("json");
    const strict = args.flag("strict");
    const paint = { ok: cli.style.green, failed: cli.style.red, skipped: cli.style.dim };
    const results = await runChecks({
      command: args.word("command") ?? null,
      port: portOf(args.text("port")),
      connectMs: CONNECT_MS,
      onListen: ({ url, key }) => cli.err(`The spoke connects with HUB_URL=${url} HUB_KEY=${key} HUB_CHECK=1`),
      onLine: (line) => cli.err(`  | ${line}`),
      onResult: (result) => {
        if (!json) cli.out(lineOf(result, paint[result.result]));
      },
    });
    const count = (wanted: CheckResult["result"]): number => results.filter(({ result }) => result === wanted).length;
    const [ok, failed, skipped] = [count("ok"), count("failed"), count("skipped")];
    if (json) outJson(cli, { ok, failed, skipped, checks: results });
    else cli.out(`${ok} ok, ${failed} failed, ${skipped} skipped. The sections are those of docs/protocol.md`);
    return failed > 0 || (strict && skipped > 0) ? ExitCode.FAILED : ExitCode.OK;
  },
};

function lineOf({ section, name, result, wanted, seen }: CheckResult, paint: (text: string) => string): string {
  const head = `${paint(result.padEnd(7))} ${section.padEnd(16)} ${name}`;
  if (result === "failed") return `${head}\n          wanted: ${wanted}\n          seen:   ${seen}`;
  return `${head}: ${seen}`;
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw usageError(`Option "--port" is "${text}": wanted a number from 1 to 65535`);
}
