import type { Report } from "../report.ts";
import { openPeer, type Peer } from "./peer.ts";

/** Steps a second of Restate as a multiple of DBOS's at a fan-out of 100, measured earlier on one machine (4,142 / 1,153). */
export const RESTATE_OVER_DBOS = 3.59;

/** Restate with its own server. */
export function openRestate(report: Report): Promise<Peer | null> {
  const machine = `${Deno.build.os}-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;
  return openPeer(report, {
    name: "Restate",
    packages: ["@restatedev/restate-sdk@1.17.2", "@restatedev/restate-server@1.7.12"],
    script: "restate_case.mjs",
    env: (folder) => ({
      PEER_SERVER: `${folder}/node_modules/@restatedev/restate-server-${machine}/bin/restate-server`,
    }),
  });
}
