import type { Duration } from "../duration.ts";
import type { Template } from "../element.ts";
import type { FailurePolicy, PlanFunction, Reference } from "../plan.ts";
import type { ReferenceTo } from "../reference.ts";
import type { InputOf, OperationName, WorkflowInputOf, WorkflowName } from "./registered_types.ts";

/** JSON with references in it, or a function of the results so far (which makes the template not serialisable). */
export type Binding =
  | null
  | undefined
  | boolean
  | number
  | string
  | Reference
  | PlanFunction
  | readonly Binding[]
  | { readonly [key: string]: Binding };

/** A `T` in which a reference (or a function) may stand for any part. What is wanted is not known: any {@linkcode Binding}. */
export type Bound<T> = unknown extends T ? Binding : ReferenceTo<T> | PlanFunction | BoundParts<T>;

type BoundParts<T> = T extends object ? { readonly [Key in keyof T]: Bound<T[Key]> } : T;

/** `input`, which may be left out where nothing in it is required. */
export type InputProp<Input> = Record<never, never> extends Input ? { readonly input?: Bound<Input> }
  : { readonly input: Bound<Input> };

/** Props of every component. */
export interface CommonProps {
  /** Unique in the template: `[A-Za-z_][A-Za-z0-9_-]*`, not starting with `__`. Absent: made from name and place. */
  readonly key?: string;
  /** Label for people. */
  readonly title?: string;
}

/** A budget as authors write it: see `BudgetLimits`. */
export interface BudgetProps {
  readonly calls?: number;
  readonly tokens?: number;
  readonly costMicros?: number;
  /** Milliseconds or a duration such as `"5m"`. */
  readonly wallMs?: Duration;
  readonly depth?: number;
}

/** Props that the template's root takes beside its own. */
export interface RootProps {
  /** What a run and all that descends from it may use. Absent: no limit of its own. */
  readonly budget?: BudgetProps;
  /** For every operation that says nothing of its own; not for child runs. */
  readonly retry?: RetryProps;
  /** For every operation that says nothing of its own; not for child runs, signals and approvals. */
  readonly timeout?: Duration;
  /** The run's output. Absent: the last node's data. */
  readonly output?: Reference;
  /** Default `"continue-running"`. */
  readonly failurePolicy?: FailurePolicy;
}

/** Retry policy as authors write it. */
export interface RetryProps extends RetryStep {
  /** Error codes to retry. */
  readonly on?: readonly string[];
  /** What is different for an error of this code, whatever `on` says; false: it is not retried. */
  readonly perCode?: Readonly<Record<string, Partial<RetryStep> | false>>;
}

/** How often and when. */
export interface RetryStep {
  /** All attempts, the first included. */
  readonly maxAttempts: number;
  /** A number is a fixed delay in ms. Default: exponential from 200 ms, factor 2, at most 30 s. */
  readonly backoff?: number | {
    readonly kind?: "fixed" | "exponential";
    readonly initialMs?: number;
    readonly factor?: number;
    readonly maxMs?: number;
  };
  /** Random share of the delay, 0 to 1. Default 0.2. */
  readonly jitter?: number;
}

/** What every Operation takes, whichever it calls. */
export interface OperationCallProps extends CommonProps, RootProps {
  readonly retry?: RetryProps;
  readonly timeout?: Duration;
  readonly concurrencyKey?: string | Reference | PlanFunction;
  /** Higher goes first. */
  readonly priority?: number;
  /** Labels a spoke must have. */
  readonly spoke?: Readonly<Record<string, string>>;
}

/** Of an Operation that calls `Name`. Name and input are checked where {@linkcode OperationTypes} is filled. */
export type OperationProps<Name extends OperationName = OperationName> =
  & OperationCallProps
  & {
    /** The operation's id, which may name a version: `image.resize@1.2.0` is only given to spokes with exactly that one. */
    readonly name: Name;
  }
  & InputProp<InputOf<Name>>;

export interface SequentialProps extends CommonProps, RootProps {
  readonly children?: Template;
}

export interface ParallelProps extends CommonProps, RootProps {
  /** At most so many children at once. */
  readonly maxConcurrency?: number;
  readonly children?: Template;
}

export interface RaceProps extends CommonProps, RootProps {
  readonly children?: Template;
}

/** The test is `when` (CEL) or `test` (a node's key or operation's id that must have completed, or a function); exactly one. */
export interface ConditionalProps extends CommonProps, RootProps {
  readonly when?: string;
  readonly test?: string | PlanFunction;
  readonly else?: Template;
  /** The then-branch. */
  readonly children?: Template;
}

export interface MapProps extends CommonProps, RootProps {
  readonly over: ReferenceTo<readonly unknown[]> | readonly Binding[] | PlanFunction | {
    readonly value: readonly unknown[];
  };
  /** The name of the item inside the body: `{"$ref": "<as>.path"}`. */
  readonly as: string;
  readonly maxConcurrency?: number;
  readonly children?: Template;
}

export interface LoopProps extends CommonProps, RootProps {
  /** CEL or a function, asked after each turn: again? It may name the nodes of the body. */
  readonly while: string | PlanFunction;
  /** 1 to 100,000. */
  readonly maxIterations: number;
  /** The name of the turn's index, from 0. */
  readonly as?: string;
  readonly children?: Template;
}

export interface SleepProps extends CommonProps, RootProps {
  /** Milliseconds, a duration such as `"5m"`, or a reference to milliseconds. */
  readonly ms: Duration | ReferenceTo<Duration> | PlanFunction;
}

export interface SleepUntilProps extends CommonProps, RootProps {
  /** ISO 8601 string, ms since the epoch, or a reference to one. */
  readonly until: string | number | ReferenceTo<string | number> | PlanFunction;
}

export interface SignalProps extends CommonProps, RootProps {
  /** The signal's name. */
  readonly name: string;
  readonly timeout?: Duration;
  /** JSON schema of the payload. */
  readonly schema?: object;
}

export interface ApprovalProps extends CommonProps, RootProps {
  readonly question: Binding;
  /** The signal's name. Default: the node's key. */
  readonly name?: string;
  readonly timeout?: Duration;
  /** JSON schema of the answer. */
  readonly schema?: object;
  /** Scopes, one of which the answering identity must hold. */
  readonly answerers?: readonly string[];
}

/** What every Workflow element takes. */
export interface WorkflowCallProps extends CommonProps, RootProps {
  readonly version?: string;
  readonly retry?: RetryProps;
  readonly timeout?: Duration;
  readonly children?: Template;
}

/** With `name`, a child run. Without, and at the root only: what holds the steps, `output` and `failurePolicy`. */
export type WorkflowProps<Name extends WorkflowName = WorkflowName> =
  & WorkflowCallProps
  & (
    | ({ readonly name: Name } & InputProp<WorkflowInputOf<Name>>)
    | { readonly name?: undefined; readonly input?: undefined }
  );

/** Of an Operation whichever it calls, each with its own input. */
type AnyOperationProps = { readonly [Name in OperationName]: OperationProps<Name> }[OperationName];
type AnyWorkflowProps = { readonly [Name in WorkflowName]: WorkflowProps<Name> }[WorkflowName];

/** Props by tag. */
export interface IntrinsicProps {
  readonly approval: ApprovalProps;
  readonly conditional: ConditionalProps;
  readonly loop: LoopProps;
  readonly map: MapProps;
  readonly operation: AnyOperationProps;
  readonly parallel: ParallelProps;
  readonly race: RaceProps;
  readonly sequential: SequentialProps;
  readonly signal: SignalProps;
  readonly sleep: SleepProps;
  readonly sleepuntil: SleepUntilProps;
  readonly workflow: AnyWorkflowProps;
}
