/** Codes of the runtime for a server that is not there, and of PostgreSQL for one that cannot serve now. */
const AWAY =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|08...|57P0[1-5]|53[0-9]00)$/;
/** What pg says of a connection that broke under a query: that error has no code. */
const BROKEN = /^Connection terminated|^Client has encountered a connection error/;
const MAX_CAUSES = 5;

/** Whether an error, or one that caused it, says that the database cannot be reached: asking again later may help. */
export function isStorageAway(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if ("code" in cause && typeof cause.code === "string" && AWAY.test(cause.code)) return true;
    if (BROKEN.test(cause.message)) return true;
    cause = cause.cause;
  }
  return false;
}
