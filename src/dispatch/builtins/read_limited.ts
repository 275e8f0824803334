import { CallError } from "@alkdev/operations";

/** The body of a response as text. @throws {CallError} `RESPONSE_TOO_LARGE` past `maxBytes`: the rest is not read */
export async function readLimited(response: Response, maxBytes: number, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new CallError("RESPONSE_TOO_LARGE", `"${url}" answers more than ${maxBytes} bytes`, { maxBytes });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
