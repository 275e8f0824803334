/** One setting that is wrong. */
export interface ConfigIssue {
  /** Dotted path in the file, or the name of the environment variable. */
  readonly field: string;
  /** A sentence that names the field, quotes the value unless it is secret, and says what was wanted. */
  readonly message: string;
}

/** Configuration that cannot be used. Lists everything wrong at once. */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(({ message }) => message).join("\n"));
    this.name = "ConfigError";
    this.issues = issues;
  }
}
