import {
  Conditional,
  defineWorkflow,
  errorRef,
  type Json,
  Operation,
  ref,
  Sequential,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Given = Type.Unsafe<{ readonly [name: string]: Json } | null>(
  Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
);

const Input = Type.Object({
  board: Type.String(),
  id: Type.String(),
  after: Type.Array(Type.Unknown(), { description: "What it depends on, done" }),
  timeoutMs: Type.Integer(),
  role: Type.String(),
  review: Type.Boolean(),
  reviewRole: Type.String(),
  model: Type.Union([Type.String(), Type.Null()]),
  merge: Type.Boolean(),
  workspace: Given,
  budget: Given,
});

/** Of a call that waits for a session: a little more than the session may take. */
const WAIT = "150h";
/** Two of one repository cannot be merged at the same time: git says so, and the later one comes again. */
const MERGING = { maxAttempts: 20, backoff: { kind: "fixed", initialMs: 500 }, on: ["REPOSITORY_BUSY"] } as const;

/** One attempt at one task of a board: a session does it, another judges it, the branch is merged. */
const boardTask: WorkflowDefinition = defineWorkflow({
  name: "board_task",
  title: "Task of a board",
  description:
    "One attempt at a task: a session in a worktree of its own, a review, a merge. The board says what came of it.",
  input: Input,
  template: (input: Static<typeof Input>) => {
    const { board, id, timeoutMs, role, review, reviewRole, model, merge, workspace, budget } = input;
    const place = { board, id };
    const asked: { readonly [name: string]: Json } = {
      ...(model !== null && { model }),
      ...(budget !== null && { budget }),
    };
    const trees = (prefix: string): { readonly [name: string]: Json } =>
      workspace === null ? {} : { workspace: { ...workspace, prefix } };
    const done = ref("done");
    return (
      <Sequential>
        <Sequential key="work">
          <Operation key="begin" name="task.begin" title="Begin" input={place} />
          <Operation
            key="spawn"
            name="coord.spawn"
            title="Set a session to work"
            input={{
              tasks: [{ task: id, taskId: `${board}/${id}`, prompt: ref("begin").prompt, role }],
              ...asked,
              ...trees("task/"),
            }}
          />
          <Operation
            key="wait"
            name="coord.wait"
            title="Wait for it"
            input={{ ids: [ref("spawn").spawned[0].id], timeoutMs }}
            timeout={WAIT}
          />
          <Operation
            key="done"
            name="task.check"
            title="What it came to"
            input={{ ...place, done: ref("wait").done, session: ref("wait").sessions[0] }}
          />
          {review && (
            <Sequential key="review">
              <Operation
                key="ask"
                name="coord.spawn"
                title="Set a reviewer to it"
                input={{
                  tasks: [{
                    task: `review ${id}`,
                    taskId: `${board}/${id}`,
                    prompt: ref("begin").review,
                    role: reviewRole,
                    ...(workspace !== null && { from: done.branch, spoke: done.spoke }),
                  }],
                  ...asked,
                  ...trees("review/"),
                }}
              />
              <Operation
                key="judge"
                name="coord.wait"
                title="Wait for the review"
                input={{ ids: [ref("ask").spawned[0].id], timeoutMs }}
                timeout={WAIT}
              />
              <Operation
                key="verdict"
                name="task.verdict"
                title="What the reviewer says"
                input={{ ...place, done: ref("judge").done, session: ref("judge").sessions[0] }}
              />
            </Sequential>
          )}
          {merge && (
            <Operation
              key="merge"
              name="task.merge"
              title="Merge its branch"
              input={{
                ...place,
                name: ref("begin").name,
                repository: typeof workspace?.["repository"] === "string" ? workspace["repository"] : null,
                spoke: done.spoke,
                branch: done.branch,
                directory: done.directory,
                reviewed: review
                  ? { spoke: ref("judge").sessions[0].spoke, directory: ref("judge").sessions[0].directory }
                  : null,
              }}
              retry={MERGING}
              timeout="10m"
            />
          )}
          <Operation
            key="finish"
            name="task.finish"
            title="Complete it"
            input={{ ...place, hash: merge ? ref("merge").hash : null, result: done.result }}
          />
        </Sequential>
        <Conditional key="failed" title="Has it failed?" when='status.work == "failed" || status.work == "aborted"'>
          <Operation
            key="end"
            name="coord.abort"
            title="End its sessions"
            input={{ taskIds: [`${board}/${id}`], reason: "The attempt at its task has failed" }}
          />
          <Operation
            key="fail"
            name="task.fail"
            title="Say why"
            input={{
              ...place,
              errors: [
                "begin",
                "spawn",
                "wait",
                "done",
                ...(review ? ["ask", "judge", "verdict"] : []),
                ...(merge ? ["merge"] : []),
                "finish",
              ]
                .map((key) => errorRef(key)),
            }}
          />
        </Conditional>
      </Sequential>
    );
  },
  result: ref("finish"),
});

export default boardTask;
