/** Keys in PostgreSQL or PGlite, through drizzle-orm 0.45. @module */
export { DrizzleStorage } from "./drizzle_storage.ts";
export { apikey, apikeyLog, KEY_TABLES_SQL } from "./tables.ts";
