const encoder = new TextEncoder();

/** Writes to standard error at once. A closed pipe must not end the hub. */
export function writeStderr(line: string): void {
  try {
    const bytes = encoder.encode(line);
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch { /* There is nowhere left to say it. */ }
}
