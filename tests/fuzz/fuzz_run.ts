import fc from "fast-check";

/** Seed of this process's fuzzing: `FUZZ_SEED`, else a fresh one. Printed, so that a failure can be had again. */
export const SEED: number = Number(
  Deno.env.get("FUZZ_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1,
);

/** How often as much as usual is tried: `FUZZ_RUNS`, default 1. */
const SCALE = Number(Deno.env.get("FUZZ_RUNS") ?? 1);

/** Runs a property over values of `arbitrary`, and says on failure how to see it again. Gives how many it tried. */
export async function fuzz<T>(
  what: string,
  arbitrary: fc.Arbitrary<T>,
  runs: number,
  check: (value: T) => Promise<void>,
): Promise<number> {
  const numRuns = Math.ceil(runs * SCALE);
  const result = await fc.check(fc.asyncProperty(arbitrary, check), {
    seed: SEED,
    numRuns,
    endOnFailure: false,
    interruptAfterTimeLimit: 60_000,
  });
  if (result.failed) {
    const cause = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
    const found = JSON.stringify(result.counterexample)?.slice(0, 2_000);
    throw new Error(`${what}: FUZZ_SEED=${SEED} finds\n${found}\n${cause}`, { cause: result.errorInstance });
  }
  return numRuns;
}

/** Resident memory of a process in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}
