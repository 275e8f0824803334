import type { Mutant } from "./mutant.ts";

/** Engines broken on purpose. */
export const MUTANTS: readonly Mutant[] = [];
