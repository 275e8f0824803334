import {
  Conditional,
  defineWorkflow,
  type Json,
  Operation,
  Parallel,
  ref,
  Sequential,
  Workflow,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Given = Type.Unsafe<{ readonly [name: string]: Json } | null>(
  Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
);

const Input = Type.Object({
  board: Type.String(),
  concurrency: Type.Integer({ minimum: 1, maximum: 50 }),
  attempts: Type.Integer({ minimum: 1, maximum: 10 }),
  timeoutMs: Type.Integer({ minimum: 1_000 }),
  role: Type.String(),
  review: Type.Boolean(),
  reviewRole: Type.String(),
  model: Type.Union([Type.String(), Type.Null()]),
  merge: Type.Boolean(),
  workspace: Given,
  budget: Given,
  tasks: Type.Array(
    Type.Object({
      id: Type.String(),
      key: Type.String(),
      name: Type.String(),
      after: Type.Array(Type.String(), { description: "Keys of the nodes of what it depends on" }),
    }),
    { minItems: 1, maxItems: 2_000 },
  ),
});

/**
 * A board of tasks, worked off: each task is a child run that begins when what it depends on is done, however the others are
 * doing, so many at a time. A task that fails after its attempts stops only what depends on it. The hub makes the input from a
 * board (`task.run`, `POST /api/boards/:name/runs`).
 */
const taskBoard: WorkflowDefinition = defineWorkflow({
  name: "task_board",
  title: "Board of tasks",
  description:
    "Works a board off: each task a session in a worktree of its own, reviewed and merged, in the order of " +
    "what depends on what.",
  input: Input,
  template: (input: Static<typeof Input>) => {
    const { tasks, concurrency, attempts, board, ...given } = input;
    return (
      <Sequential>
        <Parallel key="tasks" maxConcurrency={concurrency}>
          {tasks.map(({ id, key, name, after }) => (
            <Workflow
              key={key}
              title={name}
              name="board_task"
              input={{ ...given, board, id, after: after.map((one) => ref(one).id) }}
              retry={{
                maxAttempts: attempts,
                backoff: { kind: "exponential", initialMs: 1_000, factor: 4, maxMs: 60_000 },
                perCode: { TASK_CHANGED: { maxAttempts: 1 }, BOARD_BUSY: { maxAttempts: 1 } },
              }}
            />
          ))}
        </Parallel>
        <Conditional key="always" title="Whatever came of them" when='status.tasks != ""'>
          <Operation
            key="settle"
            name="task.settle"
            title="What became of the board"
            input={{ board, ids: tasks.map(({ id }) => id) }}
          />
        </Conditional>
      </Sequential>
    );
  },
  result: ref("settle"),
});

export default taskBoard;
