/** What a program on Node does with `@alkdev/keypal/drizzle`. Apart from the rest, as drizzle-orm's declarations pass no strict check. */
import { createKeys } from "@alkdev/keypal";
import { DrizzleStorage, KEY_TABLES_SQL } from "@alkdev/keypal/drizzle";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";

const client = new PGlite();
await client.exec(KEY_TABLES_SQL);
const storage = new DrizzleStorage({ db: drizzle({ client }) });
// @ts-expect-error a database is needed
export const wrong = (): DrizzleStorage => new DrizzleStorage({ db: "postgres://" });
const keys = createKeys({ storage, autoTrackUsage: false });
const { key } = await keys.create({ ownerId: "me", tags: ["CI"] });
const found = [(await keys.verify(key)).valid, (await keys.findByTag("ci")).length];
await client.close();
console.log(JSON.stringify(found));
