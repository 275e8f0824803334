import type { Page } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { initialOf, SchemaForm } from "../forms/schema_form.tsx";
import { shortId } from "../format.ts";
import { Action } from "../parts/action.tsx";
import { Problem } from "../parts/problem.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

/** A question that a run asks. */
export interface Approval {
  readonly runId: string;
  readonly workflow: string;
  readonly key: string;
  readonly name: string;
  readonly question: unknown;
  readonly schema: unknown;
  readonly mayAnswer: boolean;
  readonly since: number;
  readonly due: number | null;
}

export function Approvals(): JSX.Element {
  const { value, error, reload } = useLoad(
    "approvals",
    (signal) => hub.value.transport.json<Page<Approval>>("GET", "/api/approvals", { query: { limit: 100 }, signal }),
    2_000,
  );
  return (
    <section>
      <h1>Approvals</h1>
      <Problem error={error} />
      {value?.items.length === 0 && <div class="empty">Nobody waits for an answer.</div>}
      {value?.items.map((approval) => (
        <AnswerForm key={`${approval.runId}/${approval.key}`} approval={approval} onAnswered={reload} />
      ))}
    </section>
  );
}

/** The question with a form for its answer. */
export function AnswerForm(
  { approval, onAnswered }: { readonly approval: Approval; readonly onAnswered: () => void },
): JSX.Element {
  const { runId, workflow, key, question, schema, mayAnswer, since, due } = approval;
  const [answer, setAnswer] = useState<unknown>(() => initialOf(schema) ?? {});
  const send = async (): Promise<void> => {
    await hub.value.handle(runId).signal(key, answer);
    onAnswered();
  };
  return (
    <form
      class="panel approval"
      aria-label={`Answer ${key} of ${shortId(runId)}`}
      onSubmit={(event) => event.preventDefault()}
    >
      <h2>{typeof question === "string" ? question : question == null ? `Signal ${key}` : JSON.stringify(question)}</h2>
      <p class="dim">
        <a href={to(["runs", runId])}>{workflow} {shortId(runId)}</a> · asked <Time at={since} />
        {due !== null && (
          <>
            · ends <Time at={due} />
          </>
        )}
      </p>
      <SchemaForm {...{ schema, value: answer, onChange: setAnswer }} />
      {mayAnswer ? <Action kind="main" act={send}>Answer</Action> : <p class="dim">This key may not answer it.</p>}
    </form>
  );
}
