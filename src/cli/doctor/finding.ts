import type { Cli } from "../cli.ts";

/** What a check found. `info` is neither good nor bad. */
export interface Finding {
  readonly what: string;
  readonly state: "ok" | "warn" | "fail" | "info";
  readonly message: string;
  /** How to mend it. */
  readonly mend?: string;
}

/** What checks look at. */
export interface Subject {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cli: Cli;
}

/** Looks at one thing. Changes nothing, and never throws for what it finds. */
export type Check = (subject: Subject) => Promise<readonly Finding[]>;
