import { usageError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { HUB_OPTIONS } from "../find_hub.ts";
import { openHub } from "../hub_client.ts";
import { type ActBody, showActed } from "./dead_letters.ts";

/** `hub runs act` */
export const actOnRuns: Command = {
  name: "act",
  summary: "Abort, pause, resume, rerun or retry many runs",
  positionals: [{ name: "action", required: true, description: "abort, pause, resume, rerun or retry" }],
  options: {
    run: { type: "text", multiple: true, value: "ID", description: "This run; else those that the filters take" },
    workflow: { type: "text", value: "NAME", description: "Of this workflow" },
    status: { type: "text", multiple: true, value: "STATUS", description: "In this status (default: by the action)" },
    label: { type: "text", multiple: true, value: "KEY[=VALUE]", description: "With this label" },
    reason: { type: "text", value: "TEXT", description: "Of an abort: why, for the record" },
    "from-failed": { type: "flag", description: "Of a rerun: reuse what had completed" },
    limit: { type: "text", value: "N", description: "At most so many (default: 100)" },
    ...HUB_OPTIONS,
  },
  async run(args, cli) {
    const hub = await openHub(args, cli);
    const ids = args.texts("run");
    const filter = Object.fromEntries(
      Object.entries({ workflow: args.text("workflow"), status: args.texts("status"), label: args.texts("label") })
        .filter(([, value]) => value !== undefined && value.length > 0),
    );
    if (ids.length === 0 && Object.keys(filter).length === 0) throw usageError("Say which: --run ID, or a filter");
    const [reason, limit] = [args.text("reason"), args.text("limit")];
    const answer = await hub.post<ActBody>("/api/runs/act", {
      body: {
        action: args.required("action"),
        ...(ids.length > 0 ? { ids } : { filter }),
        ...(reason !== undefined && { reason }),
        ...(args.flag("from-failed") && { fromFailed: true }),
        ...(limit !== undefined && { limit: Number(limit) }),
      },
    });
    return showActed(answer, args, cli);
  },
};
