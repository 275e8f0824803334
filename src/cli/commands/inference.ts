import { type Cli, outJson } from "../cli.ts";
import { ExitCode } from "../cli_error.ts";
import type { Command, CommandGroup } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { openHub } from "../hub_client.ts";
import { readInput } from "../read_input.ts";

interface PolicyBody {
  readonly policy: Readonly<Record<string, unknown>>;
  readonly revision: number;
}

const PATH = "/api/inference/policy";

function print({ policy, revision }: PolicyBody, cli: Cli): void {
  cli.out(JSON.stringify(policy, null, 2));
  cli.err(cli.style.dim(revision === 0 ? "None was ever set: what is above is what holds" : `Revision ${revision}`));
}

const show: Command = {
  name: "show",
  summary: "What holds for calls of models: routes, limits, cache, guards, what is stored",
  options: HUB_OPTIONS,
  async run(args, cli) {
    const body = await (await openHub(args, cli)).get<PolicyBody>(PATH);
    if (args.flag("json")) outJson(cli, body);
    else print(body, cli);
    return ExitCode.OK;
  },
};

const set: Command = {
  name: "set",
  summary: "Set it, in place of all that held; on every hub within a second",
  positionals: [{ name: "policy", required: true, description: "JSON, @file.json or @- for stdin" }],
  options: HUB_OPTIONS,
  examples: [
    `hub inference policy set '{"default": {"retries": 1, "store": "redacted"}}'`,
    "hub inference policy set @policy.json",
  ],
  async run(args, cli) {
    const policy = await readInput(args.required("policy"), "policy");
    const body = await (await openHub(args, cli)).json<PolicyBody>("PUT", PATH, { body: policy });
    if (args.flag("json")) outJson(cli, body);
    else print(body, cli);
    return ExitCode.OK;
  },
};

/** `hub inference …` */
export const inferenceCommands: CommandGroup = {
  name: "inference",
  summary: "Decide what holds for calls of models",
  commands: [{ name: "policy", summary: "The organization's policy", commands: [show, set] }],
};
