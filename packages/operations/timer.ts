/** The longest delay a timer takes: one of more ms fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Calls back once after `delayMs`, at once for 0 or less, at any distance. Returns its cancellation. */
export function startTimer(delayMs: number, callback: () => void): () => void {
  let left = Math.max(0, delayMs);
  let timer: ReturnType<typeof setTimeout>;
  const arm = () => {
    const delay = Math.min(left, MAX_DELAY_MS);
    left -= delay;
    timer = setTimeout(() => left > 0 ? arm() : callback(), delay);
  };
  arm();
  return () => clearTimeout(timer);
}
