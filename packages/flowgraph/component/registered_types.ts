/**
 * The operations that a template may call, by id: `{ "core.echo": { input: …; output: … } }`. Empty as it stands: any name
 * and input goes. A file written by `hub types` fills it from a hub's registry.
 */
// deno-lint-ignore no-empty-interface
export interface OperationTypes {}

/** The workflows that a template may start as children, by name, as {@linkcode OperationTypes}. */
// deno-lint-ignore no-empty-interface
export interface WorkflowTypes {}

/**
 * An operation's id, or that of one version (`image.resize@1.2.0`), whose types are not known here. Any text where
 * {@linkcode OperationTypes} is empty.
 */
export type OperationName = keyof OperationTypes extends never ? string
  : (keyof OperationTypes & string) | `${keyof OperationTypes & string}@${string}`;

/** A workflow's name. Any text where {@linkcode WorkflowTypes} is empty. */
export type WorkflowName = keyof WorkflowTypes extends never ? string : keyof WorkflowTypes & string;

/** What an operation takes. */
export type InputOf<Name extends string> = TypesOf<OperationTypes, Name> extends { readonly input: infer Input } ? Input
  : unknown;

/** What an operation returns: the data of its node. */
export type OutputOf<Name extends string> = TypesOf<OperationTypes, Name> extends { readonly output: infer Output }
  ? Output
  : unknown;

/** What a workflow takes. */
export type WorkflowInputOf<Name extends string> = TypesOf<WorkflowTypes, Name> extends { readonly input: infer Input }
  ? Input
  : unknown;

/** What a workflow gives: the data of the node that started it as a child. */
export type WorkflowOutputOf<Name extends string> = TypesOf<WorkflowTypes, Name> extends
  { readonly output: infer Output } ? Output : unknown;

type TypesOf<Table, Name extends string> = Name extends keyof Table ? Table[Name] : unknown;
