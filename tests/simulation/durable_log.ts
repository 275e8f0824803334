/**
 * The adversary between an engine and its log. The reference log stays plain; here a commit is slow, fails before or after it
 * happened, or takes the hub with it. What goes in and out is text, as it is on the way to a database: nothing is shared.
 */
import type { CommitResult, EventLog, Ownership, RunEvent } from "../../engine/mod.ts";
import { Violation } from "./history.ts";
import { type HubProcess, LEASE_MS } from "./hub_process.ts";
import type { World } from "./world.ts";

type Fault = "none" | "refused" | "lost-answer" | "crash-before" | "crash-after" | "freeze" | "slow";

/** One hub's view of the log, through a bad line. */
export function adversaryLog(world: World, hub: HubProcess, inner: EventLog): EventLog {
  const concurrency = world.profile.commitConcurrency;
  let underWay = 0;
  const busy = new Set<string>();
  return {
    concurrency,
    commit(batch) {
      if (hub.dead) return new Promise(() => {});
      if (++underWay > concurrency) world.broken(new Violation("G1", `${hub.name} has ${underWay} commits under way`));
      const runs = new Set(batch.map((event) => event.runId));
      for (const runId of runs) {
        if (busy.has(runId)) {
          world.broken(new Violation("G1", `${hub.name} has two commits of one run under way`, runId));
        }
        busy.add(runId);
      }
      const text = JSON.stringify(batch);
      const fault = pickFault(world);
      if (fault !== "none") world.note(`fault ${hub.name} commit ${fault}`);
      return new Promise<CommitResult>((resolve, reject) => {
        const answer = (settle: () => void) => {
          underWay--;
          for (const runId of runs) busy.delete(runId);
          settle();
        };
        const carry = async () => {
          if (fault === "crash-before") return hub.crash();
          // A statement that a dying hub had sent may still arrive.
          if (hub.dead && world.chance.is(0.5)) return;
          if (fault === "refused") return hub.later(() => answer(() => reject(new Error("connection refused"))));
          const outcome = await apply(world, hub, inner, text);
          if (fault === "crash-after") return hub.crash();
          if (fault === "freeze") hub.freeze();
          hub.later(() =>
            answer(() => {
              if (fault === "lost-answer") reject(new Error("connection reset"));
              else if ("error" in outcome) reject(outcome.error);
              else resolve(outcome.result);
            })
          );
        };
        world.schedule.in(fault === "slow" ? world.chance.int(100, 3_000) : world.delay(world.profile.commitMs), () => {
          void carry().catch((error) => world.broken(error));
        });
      });
    },
    read: ({ runId, after, limit }) =>
      hub.ask(() =>
        inner.read({ runId, ...(after !== undefined && { after }), ...(limit !== undefined && { limit }) })
          .then((events) => JSON.parse(JSON.stringify(events)) as RunEvent[])
      ),
  };
}

/** Applies a batch, and tells the checker what has become durable: all of it or nothing. */
async function apply(
  world: World,
  hub: HubProcess,
  inner: EventLog,
  text: string,
): Promise<{ readonly result: CommitResult } | { readonly error: unknown }> {
  const batch = JSON.parse(text) as RunEvent[];
  const before = new Map<string, number>();
  for (const { runId } of batch) before.set(runId, world.store.runs.get(runId)?.events.length ?? 0);
  let outcome: { readonly result: CommitResult } | { readonly error: unknown };
  try {
    outcome = { result: await inner.commit(batch) };
  } catch (error) {
    outcome = { error };
  }
  const duplicates = "result" in outcome ? outcome.result.duplicates : new Map<string, string>();
  const fresh = batch.filter((event) => event.seq > before.get(event.runId)! && !duplicates.has(event.runId));
  let written = 0;
  for (const event of fresh) {
    const stored = world.store.runs.get(event.runId)?.events[event.seq - 1];
    if (stored === undefined || JSON.stringify(stored) !== JSON.stringify(event)) continue;
    written++;
    world.checker.appended(event, hub);
  }
  if (written !== 0 && written !== fresh.length) {
    throw new Violation("torn", `${written} of ${fresh.length} events of one batch are in the log`);
  }
  if ("result" in outcome && written !== fresh.length) {
    throw new Violation("I1", `A commit of ${fresh.length} events was acknowledged, none is in the log`);
  }
  return outcome;
}

function pickFault(world: World): Fault {
  const { chance, profile } = world;
  if (!world.chaos || world.faultsLeft === 0 || !chance.is(profile.commitFault)) return "none";
  world.faultsLeft--;
  return chance.weighted<Fault>({
    none: 0,
    refused: 3,
    "lost-answer": 4,
    "crash-before": 2,
    "crash-after": 3,
    freeze: 2,
    slow: 3,
  });
}

/** A lease asked for over the same line; the checker sees who was given what. */
export function adversaryLease(world: World, hub: HubProcess, inner: Ownership): Ownership {
  return {
    hubId: inner.hubId,
    epoch: inner.epoch,
    claim: (limit) =>
      hub.ask(async () => {
        const runs = await inner.claim(limit);
        for (const runId of runs) world.note(`claim ${hub.name} ${runId}`);
        world.guard(() => world.checker.claimed(runs, hub));
        return runs;
      }),
    renew: () =>
      hub.ask(async () => {
        await inner.renew();
        world.guard(() => world.checker.renewed(hub, world.schedule.now + LEASE_MS));
      }),
    release: () =>
      hub.ask(async () => {
        await inner.release();
        world.checker.released(hub);
      }),
  };
}
