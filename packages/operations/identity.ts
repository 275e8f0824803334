/** Who calls. `resources` keys are `"<type>:<id>"`, values are action names. */
export interface Identity {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly resources?: Readonly<Record<string, readonly string[]>>;
}
