/** An agent's session, as far as the page shows it. */
export interface AgentSession {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly createdBy: string;
  readonly role: { readonly name: string; readonly version: number } | null;
  readonly model: string;
  readonly status: string;
  readonly parentId: string | null;
  readonly forkOf: { readonly sessionId: string } | null;
  readonly workspace: { readonly spoke: string; readonly directory: string; readonly branch: string | null } | null;
  readonly usage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly costMicros: number;
    readonly steps: number;
    readonly turns: number;
    readonly toolCalls: number;
    readonly toolErrors: number;
  };
  readonly labels: Readonly<Record<string, string>>;
  /** The turn under way. */
  readonly turnId: string | null;
  /** Of the turn under way, or of the last one. */
  readonly runId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly lastActivityAt: number;
  readonly createdAt: number;
}
