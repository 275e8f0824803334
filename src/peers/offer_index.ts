import { operationId, type OperationSpec, parseOperationReference } from "@alkdev/operations";
import { type CallLabels, compareVersions } from "../spokes/mod.ts";
import type { HubOffer } from "./hub_offer.ts";

/** A hub whose spokes offer one version of an operation. */
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
      for (const { orgId, spec, labels } of offer.operations) {
        this.#add(orgId, operationId(spec), { hubId, spec, isHere, labels });
      }
    }
  }

  /**
   * Of the version that `reference` names, else of the highest; of the same one, of a hub that is here. A hub that is away
   * counts: it may come back. Where no spoke has the labels, of what any spoke offers.
   */
  spec(orgId: string, reference: string, labels: CallLabels): OperationSpec | undefined {
    let best: Provider | undefined;
    for (const provider of this.#offered(orgId, reference)) {
      if (!carries(provider, labels)) continue;
      const order = best === undefined ? 1 : compareVersions(provider.spec.version, best.spec.version);
      if (order > 0 || (order === 0 && provider.isHere && best?.isHere === false)) best = provider;
    }
    return best?.spec ?? (labels === null ? undefined : this.spec(orgId, reference, null));
  }

  versions(orgId: string, id: string): readonly string[] {
    return this.#offered(orgId, id).map(({ spec }) => spec.version);
  }

  specs(orgId: string): readonly OperationSpec[] {
    const ids = this.#organizations.get(orgId)?.keys() ?? [];
    return [...ids].flatMap((id) => this.spec(orgId, id, null) ?? []);
  }

  /** Hubs that are here and offer the version that is named, else the highest, on spokes with these labels. */
  providers(orgId: string, reference: string, labels: CallLabels): readonly Provider[] {
    let best: Provider[] = [];
    for (const provider of this.#offered(orgId, reference)) {
      if (!provider.isHere || !carries(provider, labels)) continue;
      const order = best[0] === undefined ? 1 : compareVersions(provider.spec.version, best[0].spec.version);
      if (order > 0) best = [provider];
      else if (order === 0) best.push(provider);
    }
    return best;
  }

  #offered(orgId: string, reference: string): readonly Provider[] {
    const { id, version } = parseOperationReference(reference);
    const all = this.#organizations.get(orgId)?.get(id) ?? [];
    return version === null ? all : all.filter(({ spec }) => spec.version === version);
  }

  #add(orgId: string, id: string, provider: Provider): void {
    let operations = this.#organizations.get(orgId);
    if (operations === undefined) this.#organizations.set(orgId, operations = new Map());
    const providers = operations.get(id);
    if (providers === undefined) operations.set(id, [provider]);
    else providers.push(provider);
  }
}

function carries(provider: Provider, wanted: CallLabels): boolean {
  if (wanted === null) return true;
  const names = Object.keys(wanted);
  return provider.labels.some((labels) => names.every((name) => labels[name] === wanted[name]));
}
