/** The development JSX runtime; the same as the plain one. @module */
export { Fragment, jsx as jsxDEV, jsxs } from "./jsx_runtime.ts";
export type { JSX } from "./jsx_runtime.ts";
