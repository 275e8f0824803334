import { HubError } from "@alkdev/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { signOut } from "./session.ts";

/** What was loaded, or why not. */
export interface Loaded<T> {
  readonly value: T | null;
  /** Null: the last try went well. */
  readonly error: unknown;
  readonly reload: () => void;
}

/** Loads what `what` names, again whenever that changes, and every `everyMs` while the page is seen. */
export function useLoad<T>(what: string, load: (signal: AbortSignal) => Promise<T>, everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ readonly what: string; readonly value: T | null; readonly error: unknown }>({
    what,
    value: null,
    error: null,
  });
  const latest = useRef(load);
  latest.current = load;
  const again = useRef(() => {});
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    const run = async (): Promise<void> => {
      clearTimeout(timer);
      try {
        const value = await latest.current(stop.signal);
        if (!stop.signal.aborted) setState({ what, value, error: null });
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof HubError && error.status === 401) return signOut("The hub no longer takes this key.");
        setState((before) => ({ what, value: before.what === what ? before.value : null, error }));
      }
      if (everyMs !== undefined && !stop.signal.aborted) timer = setTimeout(() => void tick(), everyMs);
    };
    const tick = (): Promise<void> | void => document.hidden ? void (timer = setTimeout(tick, everyMs)) : run();
    again.current = () => void run();
    void run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [what, everyMs]);
  const current = state.what === what ? state : { value: null, error: null };
  return { value: current.value, error: current.error, reload: () => again.current() };
}
