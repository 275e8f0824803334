import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Problem } from "./problem.tsx";

export interface ActionProps {
  readonly act: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly kind?: "main" | "danger";
  /** Asked before. */
  readonly confirm?: string;
  readonly disabled?: boolean;
}

/** A button that does something at the hub: busy while it does, and it says what went wrong. */
export function Action({ act, children, kind, confirm: question, disabled = false }: ActionProps): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const onClick = async (): Promise<void> => {
    if (question !== undefined && !confirm(question)) return;
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span class="action">
      <button type="button" class={kind} disabled={busy || disabled} aria-busy={busy} onClick={() => void onClick()}>
        {children}
      </button>
      <Problem error={error} />
    </span>
  );
}
