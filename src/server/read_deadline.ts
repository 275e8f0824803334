import { CallError } from "@alkdev/operations";

/** How long is waited for what is read. */
export interface ReadTime {
  readonly ms: number;
  /** Told of work that took longer, and goes on. */
  onLate(work: Promise<unknown>): void;
}

/**
 * What `work` gives, or `READ_TIMEOUT` when it takes longer than `ms`. The work goes on, unheard: what it waits for (a database
 * that does not answer) cannot be called back. `onLate` is told of it.
 *
 * @throws {CallError} `READ_TIMEOUT`
 */
export async function withinReadTime<T>(
  work: Promise<T>,
  { ms, onLate }: ReadTime,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      onLate(work);
      reject(new CallError("READ_TIMEOUT", `The hub could not read this within ${ms} ms: try again soon`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
