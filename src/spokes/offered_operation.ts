import type { OperationSpec } from "@alkdev/operations";
import type { CallLabels } from "./ports.ts";
import type { RemoteCall } from "./remote_call.ts";
import type { Spoke } from "./spoke.ts";

/** One operation of one organization: who offers it, and the calls that wait for a slot. */
export class OfferedOperation {
  readonly orgId: string;
  readonly id: string;
  readonly spokes: Map<Spoke, OperationSpec> = new Map();
  /** Oldest first. */
  readonly queue: Set<RemoteCall> = new Set();
  /** Of the highest version on offer; null without a spoke. Only spokes with this version are given calls. */
  spec: OperationSpec | null = null;

  constructor(orgId: string, id: string) {
    this.orgId = orgId;
    this.id = id;
  }

  add(spoke: Spoke, spec: OperationSpec): void {
    this.spokes.set(spoke, spec);
    this.#choose();
  }

  remove(spoke: Spoke): void {
    if (this.spokes.delete(spoke)) this.#choose();
  }

  /** The least loaded spoke with a free slot; of equals the one idle longest. */
  pick(labels: Readonly<Record<string, string>> | null): Spoke | null {
    let best: Spoke | null = null;
    let bestLoad = Infinity;
    for (const [spoke, spec] of this.spokes) {
      if (!spoke.hasSlot || spec.version !== this.spec?.version || !spoke.carries(labels)) continue;
      const load = spoke.inFlight.size / spoke.record.maxConcurrency;
      if (load > bestLoad || (load === bestLoad && best !== null && spoke.lastAssigned > best.lastAssigned)) continue;
      best = spoke;
      bestLoad = load;
    }
    return best;
  }

  /** Whether a spoke that is here, or may come back, could take a call with these labels. */
  isOffered(labels: CallLabels): boolean {
    return this.offers(labels) !== null;
  }

  /** `away`: only spokes that may come back could take a call with these labels. Null: none could. */
  offers(labels: CallLabels): "here" | "away" | null {
    let found: "away" | null = null;
    for (const spoke of this.spokes.keys()) {
      if (spoke.status === "gone" || !spoke.carries(labels)) continue;
      if (spoke.status === "connected") return "here";
      found = "away";
    }
    return found;
  }

  /** The oldest waiting call that `spoke` may be given. */
  next(spoke: Spoke): RemoteCall | null {
    if (this.queue.size === 0 || this.spokes.get(spoke)?.version !== this.spec?.version) return null;
    for (const waiting of this.queue) {
      if (spoke.carries(waiting.call.spoke)) return waiting;
    }
    return null;
  }

  #choose(): void {
    let best: OperationSpec | null = null;
    let bestHere = false;
    for (const [spoke, spec] of this.spokes) {
      const order = best === null ? 1 : compareVersions(spec.version, best.version);
      const here = spoke.status !== "disconnected";
      if (order < 0 || (order === 0 && (bestHere || !here))) continue;
      best = spec;
      bestHere = here;
    }
    this.spec = best;
  }
}

/** By semantic version; of the same numbers a pre-release is lower, pre-releases by text. Build metadata counts last. */
export function compareVersions(left: string, right: string): number {
  const [leftNumbers, leftRest] = split(left);
  const [rightNumbers, rightRest] = split(right);
  for (let index = 0; index < 3; index++) {
    const order = (leftNumbers[index] ?? 0) - (rightNumbers[index] ?? 0);
    if (order !== 0) return Math.sign(order);
  }
  if (leftRest === rightRest) return 0;
  const leftPre = leftRest.startsWith("-");
  const rightPre = rightRest.startsWith("-");
  if (leftPre !== rightPre) return leftPre ? -1 : 1;
  return leftRest < rightRest ? -1 : 1;
}

function split(version: string): [number[], string] {
  const end = version.search(/[-+]/);
  const numbers = (end < 0 ? version : version.slice(0, end)).split(".").map(Number);
  return [numbers, end < 0 ? "" : version.slice(end)];
}
