/** One server-sent event. `data` is text; each of its lines is sent as one. */
export interface SseEvent {
  readonly id?: string | number;
  readonly event?: string;
  readonly data: string;
}

/** A line that clients ignore: it keeps proxies from closing an idle stream. */
export const SSE_HEARTBEAT = ": heartbeat\n\n";

/** The event as it is sent. Line ends in `id` and `event` are taken out: they would start another field. */
export function sseFrame({ id, event, data }: SseEvent): string {
  let frame = "";
  if (id !== undefined) frame += `id: ${oneLine(String(id))}\n`;
  if (event !== undefined) frame += `event: ${oneLine(event)}\n`;
  // JSON has no raw line ends, so the common case needs no split.
  frame += /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`).join("") : `data: ${data}\n`;
  return `${frame}\n`;
}

function oneLine(field: string): string {
  return field.replace(/[\r\n\0]/g, "");
}
