/** What kind of content a media type is; parameters such as `charset` do not count. */
export type MediaKind = "json" | "form" | "multipart" | "events" | "text" | "bytes";

/** The media type without its parameters, in lower case. */
export function bareMediaType(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}

export function mediaKind(contentType: string): MediaKind {
  const type = bareMediaType(contentType);
  if (type === "text/event-stream") return "events";
  if (/[/+]json$/.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type === "multipart/form-data") return "multipart";
  return /^text\/|[/+](xml|yaml|javascript|x-ndjson|jsonl)$/.test(type) ? "text" : "bytes";
}
