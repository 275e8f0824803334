/** The automatic JSX runtime: `"jsxImportSource": "@alkdev/flowgraph"`. @module */
import type { IntrinsicProps } from "./component/props.ts";
import { type Component, createElement, type Element, flattenTemplate, type Tag, type Template } from "./element.ts";

/** `<>…</>`: its children, without an element around them. */
export function Fragment(props: { readonly children?: Template }): Template {
  return flattenTemplate(props.children);
}

/**
 * Makes the element of a tag, or calls a component function. The JSX `key` is put among the props; a component that returns
 * one element without a key of its own gives it that key.
 */
export function jsx<Props extends object>(type: Tag | Component<Props>, props: Props, key?: string): Template {
  const all = key === undefined ? props : { ...props, key: String(key) };
  if (typeof type === "string") {
    return createElement(type, all, "children" in all ? (all as { children: Template }).children : undefined);
  }
  const made = type(all);
  return key === undefined ? made : withKey(made, String(key));
}

/** {@linkcode jsx}, for elements with several children. */
export const jsxs: typeof jsx = jsx;

function withKey(template: Template, key: string): Template {
  if (typeof template !== "object" || template === null) return template;
  if (!("props" in template) || template.props.key !== undefined) return template;
  return createElement(template.type, { ...template.props, key }, template.children);
}

/** What TypeScript looks up to check TSX. */
export declare namespace JSX {
  export type Element = Template;
  // `never`: any function of one props object is a component.
  export type ElementType = Tag | ((props: never) => Template);
  export interface ElementChildrenAttribute {
    readonly children: unknown;
  }
  export interface IntrinsicAttributes {
    readonly key?: string;
  }
  export type IntrinsicElements = IntrinsicProps;
}

export type { Element };
