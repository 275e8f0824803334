import { mapError } from "@alkdev/operations";
import type { ActOutcome } from "./dead_letters.ts";

/** Does `act` for every run, so many at once; what it throws becomes that run's outcome. Outcomes in the order of `ids`. */
export async function inBatches(
  ids: readonly string[],
  atOnce: number,
  act: (runId: string) => Promise<ActOutcome>,
): Promise<readonly ActOutcome[]> {
  const outcomes: ActOutcome[] = [];
  for (let from = 0; from < ids.length; from += atOnce) {
    outcomes.push(
      ...await Promise.all(
        ids.slice(from, from + atOnce).map((runId) =>
          act(runId).catch((thrown: unknown): ActOutcome => {
            const { code, message } = mapError(thrown);
            return { runId, done: false, error: { code, message } };
          })
        ),
      ),
    );
  }
  return outcomes;
}
