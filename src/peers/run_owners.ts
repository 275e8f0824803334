import { CallError } from "@alkdev/operations";
import type { RunCommand, RunOwners } from "../runs/mod.ts";
import { type HubBus, PeerUnreachableError } from "./ports.ts";

export interface RunOwnersOptions {
  readonly bus: HubBus;
  /** The hub that a run belongs to; null: it is over. */
  readonly ownerOf: (runId: string) => Promise<string | null>;
  /** Carries a command out here. @throws CallError RUN_NOT_HERE when this hub does not drive the run */
  readonly perform: (params: Command) => Promise<void>;
  /** Default 5,000. */
  readonly timeoutMs?: number;
}

interface Command {
  readonly runId: string;
  readonly by: string;
  readonly command: RunCommand;
}

const METHOD = "run.command";
const DEFAULT_TIMEOUT_MS = 5_000;
/** A run may change hands between the look at its owner and the command. */
const ATTEMPTS = 3;

/** Sends commands to the owners of runs, and carries out those for runs of this hub. */
export function createRunOwners(options: RunOwnersOptions): RunOwners {
  const { bus, ownerOf, perform, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  // Hubs trust each other: the caller's right to the run has been checked by the one that asks.
  bus.serve(METHOD, (params) => perform(params as Command));
  return {
    async command(params) {
      for (let attempt = 1;; attempt++) {
        const owner = await ownerOf(params.runId);
        try {
          if (owner === null || owner === bus.hubId) return await perform(params);
          await bus.request({ hubId: owner, method: METHOD, params, timeoutMs });
          return;
        } catch (error) {
          if (error instanceof PeerUnreachableError) throw unreachable(params.runId, error);
          const isHere = !(error instanceof CallError && error.code === "RUN_NOT_HERE");
          if (isHere || attempt === ATTEMPTS || await ownerOf(params.runId) === owner) throw error;
        }
      }
    },
  };
}

function unreachable(runId: string, error: PeerUnreachableError): CallError {
  const { hubId, reason } = error;
  const unknown = reason === "timeout" ? "; it may have been carried out" : "";
  return new CallError(
    "RUN_NOT_HERE",
    `Run ${runId} is driven by another hub. ${error.message}${unknown}: ask again`,
    { runId, hubId, reason, retryAfterMs: 1000 },
    { cause: error },
  );
}
