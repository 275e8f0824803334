/** Steps per doubling: a value is known to within a fifth. */
const STEPS = 4;
/** Values from 2^32 on (in ms: seven weeks) share the last bucket. */
const BUCKETS = 1 + 32 * STEPS;

/** Bucket -> count, as pairs in order of bucket. */
export type HistogramJson = readonly (readonly [bucket: number, count: number])[];

/** Counts of values from 0 up, in buckets that grow by a fifth: a fixed size, and two can be added. */
export class LogHistogram {
  /** Made on first use: most histograms of a subject stay empty. */
  #counts: Float64Array | null = null;
  #total = 0;

  static from(json: HistogramJson): LogHistogram {
    const made = new LogHistogram();
    for (const [bucket, count] of json) made.#put(bucket, count);
    return made;
  }

  get total(): number {
    return this.#total;
  }

  add(value: number): void {
    this.#put(bucketOf(value), 1);
  }

  merge(other: LogHistogram): void {
    for (const [bucket, count] of other.toJSON()) this.#put(bucket, count);
  }

  /** The same shape with half the counts, so that what is old weighs less. */
  halved(): LogHistogram {
    return LogHistogram.from(this.toJSON().map(([bucket, count]) => [bucket, Math.floor(count / 2)] as const));
  }

  /** The value below which the share `q` of all values lies; null: there are none. */
  quantile(q: number): number | null {
    if (this.#total === 0) return null;
    let left = q * this.#total;
    let last = 0;
    for (const [bucket, count] of this.toJSON()) {
      last = bucket;
      if (left <= count) return lowerOf(bucket) + (upperOf(bucket) - lowerOf(bucket)) * Math.max(0, left / count);
      left -= count;
    }
    return upperOf(last);
  }

  /** Something that draws values as they came. Null: there are none. */
  sampler(): ((random: () => number) => number) | null {
    if (this.#total === 0) return null;
    const pairs = this.toJSON();
    const ends: number[] = [];
    let sum = 0;
    for (const [, count] of pairs) ends.push(sum += count);
    return (random) => {
      const at = random() * sum;
      const index = ends.findIndex((end) => at < end);
      const bucket = pairs[index < 0 ? pairs.length - 1 : index]![0];
      return lowerOf(bucket) + (upperOf(bucket) - lowerOf(bucket)) * random();
    };
  }

  toJSON(): HistogramJson {
    const pairs: [number, number][] = [];
    this.#counts?.forEach((count, bucket) => {
      if (count > 0) pairs.push([bucket, count]);
    });
    return pairs;
  }

  #put(bucket: number, count: number): void {
    if (!(count > 0) || !(bucket >= 0 && bucket < BUCKETS)) return;
    this.#counts ??= new Float64Array(BUCKETS);
    this.#counts[bucket]! += count;
    this.#total += count;
  }
}

/** Buckets of small whole numbers, which most durations are. */
const SMALL: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => bucketOfAny(value));

function bucketOf(value: number): number {
  return SMALL[value] ?? bucketOfAny(value);
}

function bucketOfAny(value: number): number {
  if (!(value >= 1)) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log2(value) * STEPS));
}

function lowerOf(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** ((bucket - 1) / STEPS);
}

function upperOf(bucket: number): number {
  return bucket === 0 ? 1 : 2 ** (bucket / STEPS);
}
