/** Schemas of Zod, Valibot and others that speak Standard JSON Schema, as TypeBox. @module */
export { standardAdapter } from "./standard_adapter.ts";
export { valibotAdapter } from "./valibot_adapter.ts";
export { zodAdapter } from "./zod_adapter.ts";
