/** TypeScript declarations of what a hub's templates may call. @module */
export { declareTypes } from "./declare_types.ts";
export type { DeclaredTypes, DeclaredWorkflow } from "./declare_types.ts";
export { typeOfSchema } from "./type_of_schema.ts";
export type { SchemaTypeOptions } from "./type_of_schema.ts";
