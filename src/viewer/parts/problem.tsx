import { HubError } from "@alkdev/client";
import type { JSX } from "preact";
import { messageOf } from "../format.ts";

/** What went wrong, field by field where the hub says so. Nothing for null. */
export function Problem({ error }: { readonly error: unknown }): JSX.Element | null {
  if (error === null || error === undefined) return null;
  const fields = error instanceof HubError ? error.errors : [];
  return (
    <div class="problem" role="alert">
      <strong>{error instanceof HubError ? `${error.title}: ` : ""}</strong>
      {messageOf(error)}
      {fields.length > 0 && (
        <ul>
          {fields.map(({ path, message }) => (
            <li key={path}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
