import { HubError } from "@alkdev/client";
import type { JSX, TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { Problem } from "../parts/problem.tsx";
import { signedOutBecause, signIn } from "../session.ts";

export function SignIn(): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const onSubmit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const field = event.currentTarget.elements.namedItem("key");
    if (!(field instanceof HTMLInputElement)) return;
    setBusy(true);
    setError(null);
    try {
      await signIn(field.value.trim());
    } catch (thrown) {
      setError(
        thrown instanceof HubError && thrown.status === 401 ? new Error("The hub does not know this key.") : thrown,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in" id="main" tabIndex={-1}>
      <form onSubmit={(event) => void onSubmit(event)}>
        <h1>
          <span class="logo" aria-hidden="true">◈</span> hub
        </h1>
        {signedOutBecause.value !== null && <p>{signedOutBecause.value}</p>}
        <label for="key">API key</label>
        <input id="key" name="key" type="password" autocomplete="off" required autofocus />
        <button type="submit" class="main" disabled={busy} aria-busy={busy}>Sign in</button>
        <Problem error={error} />
        <p class="dim">
          The first start of the hub wrote a key to <code>admin.key</code>{" "}
          in its data directory. It is kept in this tab only.
        </p>
      </form>
    </main>
  );
}
