/** Hands a value to the consumer. Resolves when it was taken, or when nobody will ever take it. */
export type Push<T> = (value: T) => Promise<void>;

/**
 * Called, ends the repeater after the values pushed so far; with an error, the consumer then sees it thrown. Awaited,
 * resolves when the repeater has ended, by either side: the place to clean up.
 */
export type Stop = ((error?: unknown) => void) & PromiseLike<void>;

/** Produces the values of a {@linkcode Repeater}. Runs when the first value is asked for. */
export type RepeaterExecutor<T> = (push: Push<T>, stop: Stop) => unknown;

export interface RepeaterOptions {
  /** How many values may wait to be taken. Default: any number. */
  readonly maxBuffered?: number;
}

/** More values waited than the repeater allows: its consumer is too slow. */
export class RepeaterOverflowError extends Error {
  constructor(maxBuffered: number) {
    super(`Repeater has ended as its consumer is too slow: ${maxBuffered} values were waiting, the most it keeps`);
    this.name = "RepeaterOverflowError";
  }
}

interface Buffered<T> {
  readonly value: T;
  readonly taken: () => void;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, void>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An async iterable fed by callbacks. Values are kept in order until taken; `next` may be called ahead of them.
 *
 * 1. Either `#buffer` or `#waiting` is empty.
 * 2. After `#end`, nothing is buffered any more; what is buffered is still given out, then the error (once), then done.
 */
export class Repeater<T> implements AsyncIterableIterator<T, void, undefined> {
  #executor: RepeaterExecutor<T> | undefined;
  readonly #maxBuffered: number;
  #buffer: Buffered<T>[] = [];
  #head = 0;
  #waiting: Waiter<T>[] = [];
  #ended = false;
  #error: { readonly thrown: unknown } | undefined;
  readonly #whenEnded: Promise<void>;
  #settleEnded: () => void = () => {};

  constructor(executor: RepeaterExecutor<T>, options: RepeaterOptions = {}) {
    this.#executor = executor;
    this.#maxBuffered = options.maxBuffered ?? Infinity;
    this.#whenEnded = new Promise((resolve) => this.#settleEnded = resolve);
  }

  next(): Promise<IteratorResult<T, void>> {
    this.#start();
    const buffered = this.#take();
    if (buffered !== undefined) {
      buffered.taken();
      return Promise.resolve({ done: false, value: buffered.value });
    }
    if (this.#error !== undefined) {
      const { thrown } = this.#error;
      this.#error = undefined;
      return Promise.reject(thrown);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends at once: values not yet taken are dropped. */
  return(): Promise<IteratorResult<T, void>> {
    this.#executor = undefined;
    this.#end();
    this.#drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends at once, and rejects with `error`. */
  throw(error: unknown): Promise<IteratorResult<T, void>> {
    this.#executor = undefined;
    this.#end();
    this.#drop();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #start(): void {
    const executor = this.#executor;
    if (executor === undefined) return;
    this.#executor = undefined;
    const stop: Stop = Object.assign((...error: unknown[]) => this.#end(...error), {
      then: this.#whenEnded.then.bind(this.#whenEnded),
    });
    try {
      const result = executor((value) => this.#push(value), stop);
      if (result instanceof Promise) result.catch((error) => this.#end(error));
    } catch (error) {
      this.#end(error);
    }
  }

  #push(value: T): Promise<void> {
    if (this.#ended) return Promise.resolve();
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value });
      return Promise.resolve();
    }
    if (this.#buffer.length - this.#head >= this.#maxBuffered) {
      this.#end(new RepeaterOverflowError(this.#maxBuffered));
      return Promise.resolve();
    }
    return new Promise((taken) => this.#buffer.push({ value, taken }));
  }

  /** Takes from the front in constant time: a long backlog must not cost a shift of the whole array each. */
  #take(): Buffered<T> | undefined {
    const buffered = this.#buffer[this.#head];
    if (buffered === undefined) return undefined;
    this.#head++;
    if (this.#head * 2 > this.#buffer.length) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    return buffered;
  }

  #end(...errors: unknown[]): void {
    if (this.#ended) return;
    this.#ended = true;
    const [thrown] = errors;
    const failed = thrown !== undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    const [first] = waiting;
    if (failed && first === undefined) this.#error = { thrown };
    waiting.forEach((waiter, index) => {
      if (failed && index === 0) waiter.reject(thrown);
      else waiter.resolve({ done: true, value: undefined });
    });
    this.#settleEnded();
  }

  #drop(): void {
    this.#error = undefined;
    while (true) {
      const buffered = this.#take();
      if (buffered === undefined) return;
      buffered.taken();
    }
  }
}
