import { type HistogramJson, LogHistogram } from "./log_histogram.ts";

/** Outcomes beyond which all counts are halved: the last few thousands say what comes next. */
const ROLLING = 20_000;
const MAX_CODES = 16;
const MAX_CHOICES = 4;

/** What an operation, a workflow or a choice has done so far. Sizes are fixed, whatever it did. */
export class SubjectStats {
  ok = 0;
  failed = 0;
  /** Ms, of what succeeded. */
  readonly duration: LogHistogram;
  /** Ms, of what failed. */
  readonly failedDuration: LogHistogram;
  /** Millionths of the currency; only what told its usage. */
  readonly cost: LogHistogram;
  readonly tokens: LogHistogram;
  /** Calls of a run, items of a Map, turns of a Loop. */
  readonly count: LogHistogram;
  /** Failures by code, branches by name. */
  readonly by: Map<string, number>;

  constructor(json: Partial<StatsJson> = {}) {
    this.ok = json.ok ?? 0;
    this.failed = json.failed ?? 0;
    this.duration = LogHistogram.from(json.duration ?? []);
    this.failedDuration = LogHistogram.from(json.failedDuration ?? []);
    this.cost = LogHistogram.from(json.cost ?? []);
    this.tokens = LogHistogram.from(json.tokens ?? []);
    this.count = LogHistogram.from(json.count ?? []);
    this.by = new Map(Object.entries(json.by ?? {}));
  }

  static parse(text: string): SubjectStats {
    return new SubjectStats(JSON.parse(text) as StatsJson); // written by `toJSON` alone
  }

  get total(): number {
    return this.ok + this.failed;
  }

  /** One more of `name`; beyond a few names, of none. */
  note(name: string): void {
    const known = this.by.get(name);
    if (known !== undefined || this.by.size < MAX_CODES) this.by.set(name.slice(0, 100), (known ?? 0) + 1);
  }

  /** Both together, halved where that is a lot. */
  plus(other: SubjectStats): SubjectStats {
    const sum = new SubjectStats(this.toJSON());
    sum.ok += other.ok;
    sum.failed += other.failed;
    for (const name of HISTOGRAMS) sum[name].merge(other[name]);
    for (const [name, count] of other.by) {
      if (sum.by.has(name) || sum.by.size < MAX_CODES + MAX_CHOICES) sum.by.set(name, (sum.by.get(name) ?? 0) + count);
    }
    return Math.max(sum.total, sum.count.total) > ROLLING ? sum.#halved() : sum;
  }

  toJSON(): StatsJson {
    return {
      ok: this.ok,
      failed: this.failed,
      duration: this.duration.toJSON(),
      failedDuration: this.failedDuration.toJSON(),
      cost: this.cost.toJSON(),
      tokens: this.tokens.toJSON(),
      count: this.count.toJSON(),
      by: Object.fromEntries(this.by),
    };
  }

  #halved(): SubjectStats {
    return new SubjectStats({
      ok: this.ok >> 1,
      failed: this.failed >> 1,
      ...Object.fromEntries(HISTOGRAMS.map((name) => [name, this[name].halved().toJSON()])),
      by: Object.fromEntries([...this.by].map(([name, count]) => [name, count >> 1])),
    });
  }
}

export interface StatsJson {
  readonly ok: number;
  readonly failed: number;
  readonly duration: HistogramJson;
  readonly failedDuration: HistogramJson;
  readonly cost: HistogramJson;
  readonly tokens: HistogramJson;
  readonly count: HistogramJson;
  readonly by: Readonly<Record<string, number>>;
}

const HISTOGRAMS = ["duration", "failedDuration", "cost", "tokens", "count"] as const;
