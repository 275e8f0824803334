import type { ComponentChildren, JSX } from "preact";
import { Problem } from "./problem.tsx";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers: to the right. */
  readonly isNumber?: boolean;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** Null: still loading. */
  readonly rows: readonly Row[] | null;
  readonly keyOf: (row: Row) => string;
  readonly error?: unknown;
  /** What an empty list means. */
  readonly empty: ComponentChildren;
}

/** Rows under columns; on a narrow screen each row is a card. */
export function Table<Row>({ label, columns, rows, keyOf, error, empty }: TableProps<Row>): JSX.Element {
  if (rows === null) return error ? <Problem error={error} /> : <p class="dim" aria-busy="true">Loading…</p>;
  if (rows.length === 0) return <div class="empty">{empty}</div>;
  return (
    <>
      <Problem error={error} />
      <div class="scroll" tabIndex={0} role="region" aria-label={label}>
        <table>
          <thead>
            <tr>
              {columns.map(({ title, isNumber }) => (
                <th key={title} scope="col" class={isNumber ? "number" : undefined}>{title}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map(({ title, cell, isNumber }) => (
                  <td key={title} data-title={title} class={isNumber ? "number" : undefined}>{cell(row)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
