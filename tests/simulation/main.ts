/**
 * `deno task simulate --seeds N [--seed S] [--verbose]`: plays N seeds from S on (1 unless told). `--mutants` shows that broken
 * engines are caught. Exit 1 when an invariant does not hold, or a mutant lives.
 */
import { parseArgs } from "node:util";
import { setImmediate } from "node:timers";
import { MUTANTS } from "./mutants.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** Seeds a mutant may live for. */
const MUTANT_SEEDS = 400;

/** A promise nobody handled, during the seed that is being played. */
let unhandled: unknown = null;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  unhandled ??= event.reason ?? "nothing";
});

async function play(seed: number, keepHistory: boolean): Promise<Outcome> {
  unhandled = null;
  const outcome = await simulate(seed, { keepHistory });
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (unhandled === null || outcome.failure !== null) return outcome;
  const message = unhandled instanceof Error ? unhandled.stack ?? unhandled.message : `${unhandled}`;
  return { ...outcome, failure: { invariant: "unhandled rejection", message, runId: null } };
}

function report(outcome: Outcome, verbose: boolean): void {
  const { seed, failure, history } = outcome;
  if (failure === null) return;
  console.error(
    `\nSeed ${seed} breaks ${failure.invariant}${failure.runId === null ? "" : ` in run ${failure.runId}`}`,
  );
  console.error(`  ${failure.message}\n`);
  const lines = history ?? [];
  const about = failure.runId;
  const shown = verbose
    ? lines
    : lines.filter((line, i) =>
      i > lines.length - 12 || (about === null ? i > lines.length - 60 : line.includes(about)) ||
      /\d (fault|crash|freeze|thaw|fenced|start|rival|clock|spoke-restart|profile|workflow) ?/.test(line) &&
        !/ start .*\//.test(line)
    );
  for (const line of shown) console.error(`  ${line}`);
  console.error(`\nReplay: deno task simulate --seeds 1 --seed ${seed} --verbose\n`);
}

async function playAll(
  params: { seeds: number; first: number; verbose: boolean; keepGoing: boolean },
): Promise<number> {
  const { seeds, first, verbose, keepGoing } = params;
  const began = performance.now();
  let [failures, steps, events, stale] = [0, 0, 0, 0];
  const tally = new Map<string, number>();
  let said = began;
  let played = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const outcome = await play(seed, seeds === 1 && verbose);
    played++;
    steps += outcome.steps;
    events += outcome.events;
    stale += outcome.staleStarts;
    for (const [what, count] of outcome.tally) tally.set(what, (tally.get(what) ?? 0) + count);
    if (outcome.failure !== null) {
      failures++;
      if (keepGoing) {
        console.error(
          `seed ${seed}: ${outcome.failure.invariant}: ${outcome.failure.message.split("\n")[0]?.slice(0, 160)}`,
        );
      } else {
        report(await play(seed, true), verbose);
        break;
      }
    }
    const now = performance.now();
    if (now - said > 2_000) {
      said = now;
      const done = seed - first + 1;
      console.error(`${done} of ${seeds} seeds, ${Math.round(done / (now - began) * 1000)} a second`);
    }
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(
    JSON.stringify({
      seeds: played,
      first,
      failures,
      steps,
      events,
      staleStarts: stale,
      seedsPerSecond: Math.round(played / seconds),
    }),
  );
  if (verbose) { for (const [what, count] of [...tally].sort()) console.log(`${what.padEnd(24)} ${count}`); }
  return failures;
}

async function playMutants(): Promise<number> {
  let alive = 0;
  for (const mutant of MUTANTS) {
    let caught: Outcome | null = null;
    for (let seed = 1; seed <= MUTANT_SEEDS && caught === null; seed++) {
      const outcome = await simulate(seed, { mutant });
      if (outcome.failure !== null) caught = outcome;
    }
    if (caught === null) alive++;
    const how = caught === null
      ? `NOT caught in ${MUTANT_SEEDS} seeds`
      : `seed ${caught.seed}: ${caught.failure!.invariant}: ${caught.failure!.message.split("\n")[0]}`;
    console.log(`${mutant.name.padEnd(40)} ${how}`);
  }
  return alive;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
  },
});
const failed = values.mutants ? await playMutants() : await playAll({
  seeds: Number(values.seeds),
  first: Number(values.seed),
  verbose: values.verbose,
  keepGoing: values["keep-going"],
});
Deno.exit(failed > 0 ? 1 : 0);
