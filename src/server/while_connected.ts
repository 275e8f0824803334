/**
 * Runs `work` with a signal that aborts when the client goes away before it is done, and never afterwards: the runtime's own
 * also aborts when a response was delivered.
 */
export async function whileConnected<T>(request: Request, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const abort = () => gone.abort(new DOMException("The client has gone", "AbortError"));
  request.signal.addEventListener("abort", abort, { once: true });
  try {
    return await work(gone.signal);
  } finally {
    request.signal.removeEventListener("abort", abort);
  }
}
