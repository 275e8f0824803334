import { ExitCode } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { openHub } from "../hub_client.ts";
import { outJson } from "../cli.ts";

/** `hub types` */
export const typesCommand: Command = {
  name: "types",
  summary: "TypeScript declarations of what templates may call",
  options: {
    out: { type: "text", short: "o", value: "FILE", description: "Where to write them (default: stdout)" },
    ...HUB_OPTIONS,
  },
  examples: ["hub types --out hub_types.d.ts"],
  async run(args, cli) {
    const declared = await (await openHub(args, cli)).text("/api/types");
    const out = args.text("out");
    if (out === undefined) {
      if (args.flag("json")) outJson(cli, { declarations: declared });
      else cli.out(declared.trimEnd());
      return ExitCode.OK;
    }
    await Deno.writeTextFile(out, declared);
    if (args.flag("json")) outJson(cli, { file: out });
    else {cli.err(
        `Wrote ${out}: name it in "compilerOptions": {"types": ["./${out.replace(/^\.\//, "")}"]} of deno.json`,
      );}
    return ExitCode.OK;
  },
};
