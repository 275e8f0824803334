import type { Report } from "../report.ts";
import { openPeer, type Peer } from "./peer.ts";

/** DBOS on a database of its own. */
export function openDbos(report: Report, url: string): Promise<Peer | null> {
  return openPeer(report, {
    name: "DBOS",
    packages: ["@dbos-inc/dbos-sdk@5.3.0"],
    script: "dbos_case.mjs",
    env: () => ({ PEER_DATABASE_URL: url }),
  });
}
