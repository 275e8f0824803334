import { type Element, flattenTemplate, type Tag, type Template } from "../element.ts";
import type { HostConfig } from "./host_config.ts";

/** A place to render a template into. */
export interface Root<RootCtx> {
  /** What the host made of the last rendering; null before it and after `unmount`. */
  readonly context: RootCtx | null;
  /** Renders afresh: nothing of an earlier rendering is kept. @throws what the host throws */
  render(template: Template): RootCtx;
  unmount(): void;
}

/** A root of a host. */
export function createRoot<Instance, RootCtx, Container>(
  host: HostConfig<Tag, Instance, RootCtx, Container>,
  container: Container,
): Root<RootCtx> {
  let context: RootCtx | null = null;
  return {
    get context() {
      return context;
    },
    render(template) {
      const ctx = host.createRootContext(container);
      for (const element of flattenTemplate(template)) mount(host, element, ctx);
      host.finalizeRoot?.(ctx);
      return context = ctx;
    },
    unmount() {
      context = null;
    },
  };
}

function mount<Instance, RootCtx, Container>(
  host: HostConfig<Tag, Instance, RootCtx, Container>,
  element: Element,
  ctx: RootCtx,
  parent?: Instance,
): void {
  const instance = host.createInstance(element.type, element.props, ctx, parent);
  if (parent !== undefined) host.appendChild(parent, instance, ctx);
  for (const child of element.children) mount(host, child, ctx, instance);
  host.finalizeInstance?.(instance, ctx);
}
