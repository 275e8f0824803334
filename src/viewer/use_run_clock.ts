import { useEffect, useState } from "preact/hooks";
import { hub } from "./session.ts";

/** At most so often is a run looked at anew, in ms. */
const TICK_MS = 250;

/** The seq of a run's last event, live: it moves at most a few times a second, however fast the run goes. */
export function useRunClock(runId: string): number {
  const [seq, setSeq] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let latest = 0;
    let timer: number | null = null;
    const tick = (): void => {
      timer = null;
      setSeq(latest);
    };
    const follow = async (): Promise<void> => {
      for await (const event of hub.value.handle(runId).watch({ signal: stop.signal })) {
        latest = event.seq;
        timer ??= setTimeout(tick, TICK_MS);
      }
    };
    setSeq(0);
    follow().catch(() => {}); // what is wrong with the run is told by its own request
    return () => {
      stop.abort();
      if (timer !== null) clearTimeout(timer);
    };
  }, [runId]);
  return seq;
}
