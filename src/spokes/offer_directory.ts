import { type OperationSpec, parseOperationReference } from "@alkdev/operations";
import { conflictError, findConflict } from "./conflict.ts";
import { compareVersions, OfferedOperation, type Wanted } from "./offered_operation.ts";
import type { CallLabels, Offered } from "./ports.ts";
import type { Spoke } from "./spoke.ts";

/** Which operations are on offer, by organization and id. Holds no operation that has neither a spoke nor a waiting call. */
export class OfferDirectory {
  readonly #organizations = new Map<string, Map<string, OfferedOperation>>();

  get(orgId: string, id: string): OfferedOperation | undefined {
    return this.#organizations.get(orgId)?.get(id);
  }

  all(orgId: string): readonly OfferedOperation[] {
    return [...this.#organizations.get(orgId)?.values() ?? []];
  }

  /** By an id that may name a version. Null: nobody has the operation. */
  find(
    orgId: string,
    reference: string,
    labels: CallLabels,
  ): { readonly operation: OfferedOperation; readonly wanted: Wanted } | null {
    const { id, version } = parseOperationReference(reference);
    const operation = this.get(orgId, id);
    return operation === undefined ? null : { operation, wanted: { labels, version } };
  }

  /** Of what such a call would be given to; where nobody has the labels, of what it would be without them. */
  spec(orgId: string, reference: string, labels: CallLabels): OperationSpec | undefined {
    const found = this.find(orgId, reference, labels);
    if (found === null) return undefined;
    const { operation, wanted } = found;
    return operation.specFor(wanted) ?? (labels === null ? undefined : this.spec(orgId, reference, null));
  }

  versions(orgId: string, id: string): string[] {
    return [...this.get(orgId, id)?.versions().keys() ?? []].sort(compareVersions).reverse();
  }

  specs(orgId: string): OperationSpec[] {
    const offered = this.#organizations.get(orgId)?.values() ?? [];
    return Array.from(offered, ({ spec }) => spec).filter((spec) => spec !== null);
  }

  organizations(): string[] {
    return [...this.#organizations.keys()];
  }

  /** Every version of every operation, with the labels of each spoke that is here and offers it. */
  offered(orgId: string): Offered[] {
    const found: Offered[] = [];
    for (const operation of this.all(orgId)) {
      for (const [version, spec] of operation.versions()) {
        const here = [...operation.spokes].filter(([spoke, own]) =>
          own.version === version && spoke.status === "connected"
        );
        if (here.length > 0) found.push({ spec, labels: here.map(([{ record }]) => record.labels) });
      }
    }
    return found;
  }

  offers(orgId: string, reference: string, labels: CallLabels): "here" | "away" | null {
    const found = this.find(orgId, reference, labels);
    return found === null ? null : found.operation.offers(found.wanted);
  }

  /** @throws {CallError} `OPERATION_CONFLICT` with another spoke that is here: nothing has changed */
  checkConflicts(orgId: string, operations: ReadonlyMap<string, OperationSpec>, self: Spoke | null): void {
    for (const [id, spec] of operations) {
      for (const [other, otherSpec] of this.get(orgId, id)?.spokes ?? []) {
        if (other === self || other.status === "disconnected" || otherSpec.version !== spec.version) continue;
        const found = findConflict(spec, otherSpec);
        if (found !== null) throw conflictError(spec, found, other.record.name);
      }
    }
  }

  /** The operation, made known if it is not. */
  open(orgId: string, id: string): OfferedOperation {
    const offered = this.#of(orgId);
    let operation = offered.get(id);
    if (operation === undefined) offered.set(id, operation = new OfferedOperation(orgId, id));
    return operation;
  }

  /** Keeps an operation known for the calls that wait for it. False: it was forgotten, and has been offered anew since. */
  remember(operation: OfferedOperation): boolean {
    const offered = this.#of(operation.orgId);
    if (!offered.has(operation.id)) offered.set(operation.id, operation);
    return offered.get(operation.id) === operation;
  }

  /** Nobody offers it and nobody waits for it. */
  forgetIfEmpty(operation: OfferedOperation): void {
    if (operation.spokes.size > 0 || operation.queued > 0) return;
    const offered = this.#organizations.get(operation.orgId);
    if (offered?.get(operation.id) !== operation) return;
    offered.delete(operation.id);
    if (offered.size === 0) this.#organizations.delete(operation.orgId);
  }

  #of(orgId: string): Map<string, OfferedOperation> {
    let offered = this.#organizations.get(orgId);
    if (offered === undefined) this.#organizations.set(orgId, offered = new Map());
    return offered;
  }
}
