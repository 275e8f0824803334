/** Whether a unique constraint refused a row. PostgreSQL's code; Drizzle keeps the driver's error as the cause of its own. */
export function isUniqueViolation(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ("code" in at && at.code === "23505") return true;
  return false;
}
