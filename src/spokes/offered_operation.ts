import type { OperationSpec } from "@alkdev/operations";
import type { CallLabels } from "./ports.ts";
import type { RemoteCall } from "./remote_call.ts";
import type { Spoke } from "./spoke.ts";

/** What a call asks of the spoke that it is given to. */
export interface Wanted {
  readonly labels: CallLabels;
  /** Null: the one that is served. */
  readonly version: string | null;
}

/** One operation of one organization: who offers it, and the calls that wait for a slot. */
export class OfferedOperation {
  readonly orgId: string;
  readonly id: string;
  /** `id` as JSON. */
  readonly idText: string;
  readonly spokes: Map<Spoke, OperationSpec> = new Map();
  /** Oldest first. */
  readonly #queue = new Set<RemoteCall>();
  /** Of those that wait, how many name a version. */
  #pinned = 0;
  /**
   * Of the highest version on offer; null without a spoke. Only spokes with this version are given calls that name none, or, of
   * those that ask for labels, the ones with the highest version among the spokes that carry them.
   */
  spec: OperationSpec | null = null;

  constructor(orgId: string, id: string) {
    this.orgId = orgId;
    this.id = id;
    this.idText = JSON.stringify(id);
  }

  add(spoke: Spoke, spec: OperationSpec): void {
    this.spokes.set(spoke, spec);
    this.choose();
  }

  remove(spoke: Spoke): void {
    if (this.spokes.delete(spoke)) this.choose();
  }

  get queued(): number {
    return this.#queue.size;
  }

  waiting(): readonly RemoteCall[] {
    return [...this.#queue];
  }

  enqueue(remote: RemoteCall): void {
    this.#queue.add(remote);
    if (remote.version !== null) this.#pinned++;
  }

  /** False: it was not waiting. */
  dequeue(remote: RemoteCall): boolean {
    if (!this.#queue.delete(remote)) return false;
    if (remote.version !== null) this.#pinned--;
    return true;
  }

  /** Of what such a call would be given to: of the version that it names, else of the highest. Null: nobody offers that. */
  specFor({ labels, version }: Wanted): OperationSpec | null {
    return labels === null && version === null ? this.spec : this.#highest(labels, version);
  }

  /** Every version on offer, with its spec. */
  versions(): ReadonlyMap<string, OperationSpec> {
    return new Map(Array.from(this.spokes.values(), (spec) => [spec.version, spec]));
  }

  /** The least loaded spoke with a free slot; of equals the one idle longest. */
  pick({ labels, version: wanted }: Wanted): Spoke | null {
    let best: Spoke | null = null;
    let bestLoad = Infinity;
    const version = wanted ?? this.#versionFor(labels);
    for (const [spoke, spec] of this.spokes) {
      if (!spoke.hasSlotFor(this.id) || spec.version !== version || !spoke.carries(labels)) continue;
      const load = spoke.inFlight.size / spoke.record.maxConcurrency;
      if (load > bestLoad || (load === bestLoad && best !== null && spoke.lastAssigned > best.lastAssigned)) continue;
      best = spoke;
      bestLoad = load;
    }
    return best;
  }

  /** Whether a spoke that is here, or may come back, could take such a call. */
  isOffered(wanted: Wanted): boolean {
    return this.offers(wanted) !== null;
  }

  /** `away`: only spokes that may come back could take such a call. Null: none could. */
  offers({ labels, version }: Wanted): "here" | "away" | null {
    let found: "away" | null = null;
    for (const [spoke, spec] of this.spokes) {
      if (spoke.status === "gone" || !spoke.carries(labels)) continue;
      if (version !== null && spec.version !== version) continue;
      if (spoke.status === "connected") return "here";
      found = "away";
    }
    return found;
  }

  /** The oldest waiting call that `spoke` may be given. */
  next(spoke: Spoke): RemoteCall | null {
    if (this.#queue.size === 0 || !spoke.hasSlotFor(this.id)) return null;
    const version = this.spokes.get(spoke)?.version;
    // An older version without labels is only given what names it: the queue, which may be long, need not be looked through.
    const isServed = version === this.spec?.version;
    if (!isServed && this.#pinned === 0 && Object.keys(spoke.record.labels).length === 0) return null;
    for (const waiting of this.#queue) {
      const { labels } = waiting;
      if (spoke.carries(labels) && (waiting.version ?? this.#versionFor(labels)) === version) return waiting;
    }
    return null;
  }

  /** Finds the version that is served, after a spoke has come, gone or begun to drain. */
  choose(): void {
    this.spec = this.#highest(null, null);
  }

  #versionFor(labels: CallLabels): string | undefined {
    return (labels === null ? this.spec : this.#highest(labels, null))?.version;
  }

  /** Of a spoke that is here before one that is away, and of one that drains only if all do. */
  #highest(labels: CallLabels, version: string | null): OperationSpec | null {
    let best: OperationSpec | null = null;
    let bestSpoke: Spoke | null = null;
    for (const [spoke, spec] of this.spokes) {
      if (!spoke.carries(labels) || (version !== null && spec.version !== version)) continue;
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
