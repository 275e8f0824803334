import { operationId, type OperationSpec } from "@alkdev/operations";
import { type CallLabels, compareVersions } from "../spokes/mod.ts";
import type { HubOffer } from "./hub_offer.ts";

/** A hub whose spokes offer an operation. */
export interface Provider {
  readonly hubId: string;
  readonly spec: OperationSpec;
  readonly isHere: boolean;
  /** Labels of each spoke that offers it. */
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** Other hubs' offers, by organization and operation. Made anew with each change. */
export class OfferIndex {
  readonly #organizations = new Map<string, Map<string, Provider[]>>();

  constructor(
    hubs: readonly { readonly hubId: string; readonly isHere: boolean; readonly offer: HubOffer | null }[],
  ) {
    for (const { hubId, isHere, offer } of hubs) {
      if (offer === null) continue;
      const labels = labelsByOperation(offer);
      for (const { orgId, spec } of offer.operations) {
        const id = operationId(spec);
        this.#add(orgId, id, { hubId, spec, isHere, labels: labels.get(`${orgId}\n${id}`) ?? [] });
      }
    }
  }

  /** Of the highest version; of the same one, of a hub that is here. A hub that is away counts: it may come back. */
  spec(orgId: string, id: string): OperationSpec | undefined {
    let best: Provider | undefined;
    for (const provider of this.#organizations.get(orgId)?.get(id) ?? []) {
      const order = best === undefined ? 1 : compareVersions(provider.spec.version, best.spec.version);
      if (order > 0 || (order === 0 && provider.isHere && best?.isHere === false)) best = provider;
    }
    return best?.spec;
  }

  specs(orgId: string): readonly OperationSpec[] {
    const ids = this.#organizations.get(orgId)?.keys() ?? [];
    return [...ids].flatMap((id) => this.spec(orgId, id) ?? []);
  }

  /** Hubs that are here and offer the highest version that spokes with these labels have. */
  providers(orgId: string, id: string, labels: CallLabels): readonly Provider[] {
    const all = this.#organizations.get(orgId)?.get(id);
    if (all === undefined) return [];
    let best: Provider[] = [];
    for (const provider of all) {
      if (!provider.isHere || !carries(provider, labels)) continue;
      const order = best[0] === undefined ? 1 : compareVersions(provider.spec.version, best[0].spec.version);
      if (order > 0) best = [provider];
      else if (order === 0) best.push(provider);
    }
    return best;
  }

  #add(orgId: string, id: string, provider: Provider): void {
    let operations = this.#organizations.get(orgId);
    if (operations === undefined) this.#organizations.set(orgId, operations = new Map());
    const providers = operations.get(id);
    if (providers === undefined) operations.set(id, [provider]);
    else providers.push(provider);
  }
}

function labelsByOperation({ spokes }: HubOffer): ReadonlyMap<string, Readonly<Record<string, string>>[]> {
  const found = new Map<string, Readonly<Record<string, string>>[]>();
  for (const { orgId, spoke } of spokes) {
    for (const id of spoke.operations) {
      const key = `${orgId}\n${id}`;
      const labels = found.get(key);
      if (labels === undefined) found.set(key, [spoke.labels]);
      else labels.push(spoke.labels);
    }
  }
  return found;
}

function carries(provider: Provider, wanted: CallLabels): boolean {
  if (wanted === null) return true;
  const names = Object.keys(wanted);
  return provider.labels.some((labels) => names.every((name) => labels[name] === wanted[name]));
}
