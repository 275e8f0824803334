/** What a tree of elements is rendered into. Mount only: `createRoot` calls the required members and the `finalize` ones. */
export interface HostConfig<TTag extends string, Instance, RootCtx, Container = unknown> {
  readonly name: string;
  createRootContext(container: Container): RootCtx;
  /** All is mounted. */
  finalizeRoot?(ctx: RootCtx): void;
  createInstance(tag: TTag, props: Readonly<Record<string, unknown>>, ctx: RootCtx, parent?: Instance): Instance;
  createTextInstance(text: string, ctx: RootCtx, parent?: Instance): Instance;
  appendChild(parent: Instance, child: Instance, ctx: RootCtx): void;
  /** The instance's children are mounted. */
  finalizeInstance?(instance: Instance, ctx: RootCtx): void;
  insertBefore?(parent: Instance, child: Instance, before: Instance, ctx: RootCtx): void;
  removeChild?(parent: Instance, child: Instance, ctx: RootCtx): void;
  prepareUpdate?(
    instance: Instance,
    tag: TTag,
    previous: Readonly<Record<string, unknown>>,
    next: Readonly<Record<string, unknown>>,
    ctx: RootCtx,
  ): unknown;
  commitUpdate?(
    instance: Instance,
    payload: unknown,
    tag: TTag,
    previous: Readonly<Record<string, unknown>>,
    next: Readonly<Record<string, unknown>>,
    ctx: RootCtx,
  ): void;
  emit?(type: string, id: string, payload: unknown): void;
}
