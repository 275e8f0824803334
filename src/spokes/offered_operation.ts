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
  /**
   * Of the highest version on offer; null without a spoke. Only spokes with this version are given calls, or, for calls that
   * ask for labels, those with the highest version among the ones that carry them.
   */
  spec: OperationSpec | null = null;

  constructor(orgId: string, id: string) {
    this.orgId = orgId;
    this.id = id;
  }

  add(spoke: Spoke, spec: OperationSpec): void {
    this.spokes.set(spoke, spec);
    this.choose();
  }

  remove(spoke: Spoke): void {
    if (this.spokes.delete(spoke)) this.choose();
  }

  /** The least loaded spoke with a free slot; of equals the one idle longest. */
  pick(labels: Readonly<Record<string, string>> | null): Spoke | null {
    let best: Spoke | null = null;
    let bestLoad = Infinity;
    const version = this.#versionFor(labels);
    for (const [spoke, spec] of this.spokes) {
      if (!spoke.hasSlotFor(this.id) || spec.version !== version || !spoke.carries(labels)) continue;
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
    if (this.queue.size === 0 || !spoke.hasSlotFor(this.id)) return null;
    const version = this.spokes.get(spoke)?.version;
    // Without labels it can only be given what goes to anybody: the queue, which may be long, need not be looked through.
    if (version !== this.spec?.version && Object.keys(spoke.record.labels).length === 0) return null;
    for (const waiting of this.queue) {
      const { spoke: labels } = waiting.call;
      if (spoke.carries(labels) && this.#versionFor(labels) === version) return waiting;
    }
    return null;
  }

  /** Finds the version that is served, after a spoke has come, gone or begun to drain. */
  choose(): void {
    this.spec = this.#highest(null);
  }

  #versionFor(labels: CallLabels): string | undefined {
    return (labels === null ? this.spec : this.#highest(labels))?.version;
  }

  /** Of a spoke that is here before one that is away, and of one that drains only if all do. */
  #highest(labels: CallLabels): OperationSpec | null {
    let best: OperationSpec | null = null;
    let bestSpoke: Spoke | null = null;
    for (const [spoke, spec] of this.spokes) {
      if (!spoke.carries(labels)) continue;
      if (best !== null && bestSpoke !== null) {
        const order = Number(spoke.status !== "draining") - Number(bestSpoke.status !== "draining") ||
          compareVersions(spec.version, best.version) ||
          Number(spoke.status !== "disconnected") - Number(bestSpoke.status !== "disconnected");
        if (order <= 0) continue;
      }
      [best, bestSpoke] = [spec, spoke];
    }
    return best;
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
