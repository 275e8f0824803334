/** What a board and its tasks are. Times are ms since the epoch. */
import type {
  TaskImpact,
  TaskInput,
  TaskLevel,
  TaskPriority,
  TaskRisk,
  TaskScope,
  TaskStatus,
} from "@alkdev/taskgraph";

/** Files that a board is kept in step with: markdown in a directory on a spoke. */
export interface BoardSource {
  /** Name of the spoke; null: any that offers `fs.*`. */
  readonly spoke: string | null;
  /** Path on it, relative to a root or absolute inside one. */
  readonly directory: string;
}

/** Tasks that depend on each other, and on no others. */
export interface Board {
  readonly id: string;
  readonly orgId: string;
  /** Unique in its organization. */
  readonly name: string;
  readonly title: string;
  /** Null: its tasks are in the database alone. */
  readonly source: BoardSource | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What people write of a task: the fields of its frontmatter, and the markdown below. Null: not given. */
export interface TaskContent {
  readonly name: string;
  /** Ids of tasks of the same board, in the order of writing, each once. */
  readonly dependsOn: readonly string[];
  readonly status: TaskStatus;
  readonly scope: TaskScope | null;
  readonly risk: TaskRisk | null;
  readonly impact: TaskImpact | null;
  readonly level: TaskLevel | null;
  readonly priority: TaskPriority | null;
  readonly tags: readonly string[];
  readonly assignee: string | null;
  readonly due: string | null;
  readonly created: string | null;
  readonly modified: string | null;
  readonly body: string;
}

/** The file that a task was last the same as. */
export interface TaskFile {
  /** As `fs.read` takes it. */
  readonly path: string;
  /** What both said then: of changes since, one can be told from the other. */
  readonly base: TaskContent;
}

export interface Task extends TaskContent {
  readonly orgId: string;
  readonly boardId: string;
  /** As in the frontmatter; unique in the board. */
  readonly id: string;
  /** Why the status is what it is; null: nobody said. */
  readonly note: string | null;
  /** How often it has been set to work. */
  readonly attempts: number;
  /** The run that last set it to work; null: none has. */
  readonly runId: string | null;
  /** Rises with each change. */
  readonly revision: number;
  /** Null: it is in no file (yet). */
  readonly file: TaskFile | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const CONTENT_FIELDS: readonly (keyof TaskContent)[] = [
  "name",
  "dependsOn",
  "status",
  "scope",
  "risk",
  "impact",
  "level",
  "priority",
  "tags",
  "assignee",
  "due",
  "created",
  "modified",
  "body",
];

/** What a task says, without what the hub knows of it. */
export function contentOf(task: TaskContent): TaskContent {
  const { name, dependsOn, status, scope, risk, impact, level, priority } = task;
  const { tags, assignee, due, created, modified, body } = task;
  return {
    name,
    dependsOn,
    status,
    scope,
    risk,
    impact,
    level,
    priority,
    tags,
    assignee,
    due,
    created,
    modified,
    body,
  };
}

/** From a file's frontmatter and body. */
export function contentFrom(input: TaskInput, body: string): TaskContent {
  return {
    name: input.name,
    dependsOn: [...new Set(input.dependsOn)],
    status: input.status ?? "pending",
    scope: input.scope ?? null,
    risk: input.risk ?? null,
    impact: input.impact ?? null,
    level: input.level ?? null,
    priority: input.priority ?? null,
    tags: input.tags ?? [],
    assignee: input.assignee ?? null,
    due: input.due ?? null,
    created: input.created ?? null,
    modified: input.modified ?? null,
    body,
  };
}

/** As taskgraph takes it: what is not given is absent. */
export function toTaskInput({ id, ...task }: Pick<Task, "id"> & TaskContent): TaskInput {
  const { name, dependsOn, status, scope, risk, impact, level, priority } = task;
  const { tags, assignee, due, created, modified } = task;
  const given = { status, scope, risk, impact, level, priority, assignee, due, created, modified };
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  return { id, name, dependsOn, ...(fields as Partial<TaskInput>), ...(tags.length > 0 && { tags }) };
}

/** Whether two say the same in a field. */
export function isSameField(field: keyof TaskContent, left: TaskContent, right: TaskContent): boolean {
  return JSON.stringify(left[field]) === JSON.stringify(right[field]);
}

export function isSameContent(left: TaskContent, right: TaskContent): boolean {
  return CONTENT_FIELDS.every((field) => isSameField(field, left, right));
}
