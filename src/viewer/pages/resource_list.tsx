import type { Page } from "@alkdev/client";
import type { ComponentChildren, JSX } from "preact";
import { type Column, Table } from "../parts/table.tsx";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

export interface ResourceListProps<Row> {
  readonly title: string;
  /** Of the list: `/api/spokes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly keyOf: (row: Row) => string;
  /** `reload` shows what an action has changed. */
  readonly columns: (reload: () => void) => readonly Column<Row>[];
  readonly empty: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** The first page of one of the hub's lists, kept up to date. */
export function ResourceList<Row>(props: ResourceListProps<Row>): JSX.Element {
  const { title, path, query = {}, keyOf, columns, empty, children } = props;
  const { value, error, reload } = useLoad(
    `${path} ${JSON.stringify(query)}`,
    (signal) => hub.value.transport.json<Page<Row>>("GET", path, { query: { limit: 100, ...query }, signal }),
    3_000,
  );
  return (
    <section>
      <h1>{title}</h1>
      {children}
      <Table label={title} rows={value?.items ?? null} columns={columns(reload)} {...{ error, keyOf, empty }} />
      {value !== null && value.nextCursor !== null && <p class="dim">These are the first {value.items.length}.</p>}
    </section>
  );
}

/** Sends a request, then shows what has changed. */
export function send(method: string, path: string, reload: () => void, body?: unknown): () => Promise<void> {
  return async () => {
    await hub.value.transport.json(method, path, body === undefined ? {} : { body });
    reload();
  };
}
