import type { Clock } from "../../engine/mod.ts";
import { type ExportPorts, exportRun } from "./export_run.ts";
import type { Archive, ArchiveFile, PruneJob, PruneJobs, RunPruner } from "./ports.ts";

export interface PruneWorkerOptions {
  readonly jobs: PruneJobs;
  readonly pruner: RunPruner;
  readonly archive: Archive;
  readonly exports: ExportPorts;
  readonly clock: Clock;
  /** Unique among all hubs and starts: part of the names of archives. */
  readonly name: string;
  /** True while the hub has better things to do. */
  readonly isBusy: () => boolean;
  readonly log: {
    info(message: string, properties: Record<string, unknown>): void;
    warn(message: string, properties: Record<string, unknown>): void;
  };
}

/** Rows looked at, and rows deleted, in one statement. Each is some ten milliseconds of one connection. */
const EXAMINE = 500;
const DELETE_ROWS = 2_000;
/** The lease is renewed with every step, and no step takes so long. */
const LEASE_MS = 60_000;
/** Share of the time that is spent working: a step is followed by a pause of three times its length. */
const PAUSE_FACTOR = 3;
const MIN_PAUSE_MS = 10;
const BUSY_PAUSE_MS = 250;
/** A busy hub works all the same after so many pauses: what is to go does go. */
const MAX_BUSY_PAUSES = 20;

/**
 * Does away with runs, in small steps with pauses between them, on one hub at a time.
 *
 * - R1 A run is archived, and the archive durable, before it is removed: a crash between the two archives it twice.
 * - R2 A job goes on where it was, on whichever hub works next.
 */
export class PruneWorker {
  readonly #options: PruneWorkerOptions;
  #file: { readonly jobId: string; readonly file: ArchiveFile } | null = null;
  #working: Promise<void> | null = null;
  #stopped = false;
  #opened = 0;

  constructor(options: PruneWorkerOptions) {
    this.#options = options;
  }

  /** Works until nothing is left to do, or another hub does it. Calls while it works are the same work. */
  work(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return this.#working ??= this.#work().finally(() => this.#working = null);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
    await this.#closeFile();
  }

  async #work(): Promise<void> {
    const { pruner, jobs, log } = this.#options;
    try {
      while (!this.#stopped && await pruner.hold(LEASE_MS)) {
        const job = await jobs.next();
        if (job !== null) await this.#step(job);
        else if (!await this.#timed(() => pruner.sweep(DELETE_ROWS))) break;
      }
      if (!this.#stopped && await pruner.hold(LEASE_MS)) {
        const plans = await pruner.sweepPlans();
        if (plans > 0) log.info("Deleted {plans} plans that no run has", { plans });
      }
    } catch (error) {
      log.warn("Pruning broke off, and is tried again: {error}", { error: String(error) });
    }
    await this.#closeFile();
  }

  /** One page of a job, and all that was removed by it. */
  async #step(job: PruneJob): Promise<void> {
    const { jobs, pruner, log } = this.#options;
    let next: PruneJob;
    try {
      next = await this.#timed(() => this.#page(job));
    } catch (error) {
      // The database's failures come again in `save`, and are tried again; those of one job must not stop the others.
      log.warn("Pruning failed: {error}", { job: job.id, error: String(error) });
      next = { ...job, state: "failed", error: String(error).slice(0, 1000) };
    }
    await jobs.save(next);
    while (!this.#stopped && await pruner.hold(LEASE_MS) && await this.#timed(() => pruner.sweep(DELETE_ROWS)));
    if (next.state === "done") {
      await this.#closeFile();
      log.info("Pruned {runs} runs", { job: job.id, runs: next.runs, action: job.action });
    }
  }

  async #page(job: PruneJob): Promise<PruneJob> {
    const { pruner } = this.#options;
    const { orgId, filter, position, files } = job;
    const page = await pruner.page({ orgId, filter, position, examine: EXAMINE });
    let archived = files;
    if (job.action === "archive" && page.roots.length > 0) {
      const file = await this.#openFile(job);
      archived = files.includes(file.name) ? files : [...files, file.name];
      const { exports } = this.#options;
      for (const root of page.roots) {
        const tree = await exportRun(exports, { orgId: root.orgId, runId: root.id, tree: true });
        await file.append([JSON.stringify(tree)]);
      }
    }
    const runs = page.roots.length === 0 ? 0 : await pruner.remove(page.roots.map(({ id }) => id));
    return {
      ...job,
      state: page.position === null ? "done" : "running",
      position: page.position,
      trees: job.trees + (runs === 0 ? 0 : page.roots.length),
      runs: job.runs + runs,
      examined: job.examined + page.examined,
      files: archived,
    };
  }

  async #openFile(job: PruneJob): Promise<ArchiveFile> {
    if (this.#file?.jobId === job.id) return this.#file.file;
    await this.#closeFile();
    const { archive, clock, name } = this.#options;
    const day = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const file = await archive.open(`runs-${day}-${name}-${++this.#opened}.jsonl.gz`);
    this.#file = { jobId: job.id, file };
    return file;
  }

  async #closeFile(): Promise<void> {
    const open = this.#file;
    this.#file = null;
    await open?.file.close();
  }

  /** A step, and the pause that it costs. */
  async #timed<T>(step: () => Promise<T>): Promise<T> {
    const { clock, isBusy } = this.#options;
    for (let i = 0; i < MAX_BUSY_PAUSES && isBusy() && !this.#stopped; i++) await this.#pause(BUSY_PAUSE_MS);
    const began = clock.now();
    const result = await step();
    if (!this.#stopped) await this.#pause(Math.max(MIN_PAUSE_MS, PAUSE_FACTOR * (clock.now() - began)));
    return result;
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => void clock.at(clock.now() + ms, resolve));
  }
}
