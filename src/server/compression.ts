/** Shorter texts fit in a packet or two: compressing them costs more than it saves. */
export const COMPRESSED_FROM = 4_096;
/** What is compressed in one go; between two pieces other requests get their turn. */
const PIECE = 65_536;

/** Whether the client takes gzip (RFC 9110, 12.5.3). */
export function takesGzip(headers: Headers): boolean {
  const accepted = headers.get("accept-encoding");
  if (accepted === null) return false;
  let any = false;
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const refused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
    if (name === "gzip" || name === "x-gzip") return !refused;
    if (name === "*" && !refused) any = true;
  }
  return any;
}

/** The text as a gzip stream. */
export function gzipped(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += PIECE));
    },
  });
  return pieces.pipeThrough(new CompressionStream("gzip"));
}
