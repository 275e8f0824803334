import { HubClient, HubError } from "@alkdev/client";
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";

const STORED = "hub.key";

/** The API key; null: nobody has signed in. Kept for as long as the tab is open, and nowhere else. */
export const key: Signal<string | null> = signal(sessionStorage.getItem(STORED));

/** Why the last key was put aside; null: for no reason. */
export const signedOutBecause: Signal<string | null> = signal(null);

/** The hub that served this page, asked with the key. */
export const hub: ReadonlySignal<HubClient> = computed(() =>
  new HubClient({ url: location.origin, retries: 2, ...(key.value !== null && { key: key.value }) })
);

/** Tries the key and keeps it. @throws what the hub says of it */
export async function signIn(candidate: string): Promise<void> {
  const trial = new HubClient({ url: location.origin, key: candidate, retries: 0 });
  try {
    await trial.transport.json("GET", "/api/runs", { query: { limit: 1 } });
  } catch (error) {
    // A key that may not see runs is a key all the same.
    if (!(error instanceof HubError && error.status === 403)) throw error;
  }
  sessionStorage.setItem(STORED, candidate);
  signedOutBecause.value = null;
  key.value = candidate;
}

export function signOut(because: string | null = null): void {
  sessionStorage.removeItem(STORED);
  signedOutBecause.value = because;
  key.value = null;
}
