/** Questions to graphs, and their validation. Analysis and validation return what they find. @module */
export { buildTypeEdges, criticalPath, parallelGroups, reachableFrom, topologicalOrder } from "./graph_analysis.ts";
export { typeCompat } from "./type_compat.ts";
export type { TypeCompatResult, TypeMismatch } from "./type_compat.ts";
export { validate, validateGraph, validateSchema, validateTemplate } from "./validate_graph.ts";
