/** PostgreSQL, on a server or embedded: the event log, ownership and every store. @module */
export type { Connection, Database, Queryable } from "./database.ts";
export { openEmbedded } from "./embedded_database.ts";
export type { EmbeddedDatabase } from "./embedded_database.ts";
export { createEventLog } from "./event_log.ts";
export type { StoredEventLog } from "./event_log.ts";
export { acquireLease } from "./lease.ts";
export { listMigrations, migrate } from "./migrate.ts";
export type { Migration } from "./migrate.ts";
export { openDatabase } from "./open_database.ts";
export { createPlanStore } from "./plan_store.ts";
export { openPostgres } from "./postgres_database.ts";
