/**
 * One prepared statement that answers one value, over the driver's client and its protocol. What the driver's own queries do
 * beside it is left out: asking for the columns' description each time, mapping values, building rows and results. That is
 * 5 µs of a commit's 150.
 */
import type pg from "pg";
import type { Statement, Value } from "./database.ts";

/** The first column of the first row; null: there is none, or it is null. Rejects with the driver's error. */
export function callPrepared(client: pg.Client, statement: Statement): Promise<Value> {
  return new Promise((resolve, reject) => client.query(new ValueQuery(statement, resolve, reject)));
}

/** What the driver's connection does and remembers that its published types leave out (pg 8.23). */
interface WireConnection {
  readonly stream: { cork(): void; uncork(): void };
  /** By name: known to the server, and sent to it. */
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(portal: { readonly statement: string; readonly values: readonly Value[] }): void;
  execute(): void;
  sync(): void;
}

/** A query of the driver's (`Submittable`): it calls these as the server's messages come in. */
class ValueQuery implements pg.Submittable {
  /** The driver remembers the statement as prepared by these two. */
  readonly name: string;
  readonly text: string;
  readonly #values: readonly Value[];
  readonly #resolve: (value: Value) => void;
  readonly #reject: (error: unknown) => void;
  #value: Value = null;

  constructor(statement: Statement, resolve: (value: Value) => void, reject: (error: unknown) => void) {
    this.name = statement.name;
    this.text = statement.text;
    this.#values = statement.values;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: pg.Connection): void {
    const { name, text } = this;
    // See WireConnection: the class has these, its types do not.
    const wire = connection as unknown as WireConnection;
    wire.stream.cork(); // one write
    try {
      if (wire.parsedStatements[name] === undefined && wire.submittedNamedStatements[name] === undefined) {
        wire.parse({ name, text });
        wire.submittedNamedStatements[name] = text;
      }
      wire.bind({ statement: name, values: this.#values });
      wire.execute();
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  handleDataRow({ fields }: { readonly fields: readonly Value[] }): void {
    this.#value = fields[0] ?? null;
  }

  handleError(error: unknown): void {
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#value);
  }

  handleCommandComplete(): void {}
}
