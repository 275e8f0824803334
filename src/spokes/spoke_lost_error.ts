import { CallError } from "@alkdev/operations";

/** The hub's own finding that a call has no spoke any more; a spoke that answers with the same code makes no such instance. */
export class SpokeLostError extends CallError {
  constructor(message: string, operationId: string) {
    super("SPOKE_LOST", message, { operationId });
  }
}
