import assert from "node:assert/strict";
import { wholeOfStream } from "./whole_of_stream.ts";

const sse = (...chunks: readonly unknown[]) =>
  [...chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`), "data: [DONE]\n\n"].join("");
const chunk = (...choices: readonly unknown[]) => ({ id: "c1", object: "chat.completion.chunk", model: "m", choices });

Deno.test("wholeOfStream() puts texts, refusals and tool calls of several choices together", () => {
  const call = (index: number, fn: object, id?: string) => ({
    index,
    ...(id !== undefined && { id, type: "function" }),
    function: fn,
  });
  const whole = wholeOfStream(sse(
    chunk({ index: 0, delta: { role: "assistant", content: "" } }),
    chunk({ index: 0, delta: { content: "Good " } }, { index: 1, delta: { refusal: "no" } }),
    chunk({ index: 0, delta: { content: "day" }, finish_reason: null }),
    chunk({
      index: 1,
      delta: {
        tool_calls: [call(0, { name: "a", arguments: "" }, "t0"), call(1, { name: "b", arguments: "{}" }, "t1")],
      },
    }),
    chunk({ index: 1, delta: { tool_calls: [call(0, { arguments: '{"x"' })] } }),
    chunk({ index: 1, delta: { tool_calls: [call(0, { arguments: ":1}" })] }, finish_reason: "tool_calls" }),
    chunk({ index: 0, delta: {}, finish_reason: "stop" }),
    { ...chunk(), usage: { prompt_tokens: 1, completion_tokens: 2 } },
  ));
  assert.deepEqual(whole, {
    id: "c1",
    object: "chat.completion",
    model: "m",
    usage: { prompt_tokens: 1, completion_tokens: 2 },
    choices: [
      { index: 0, message: { role: "assistant", content: "Good day" }, finish_reason: "stop" },
      {
        index: 1,
        message: {
          refusal: "no",
          tool_calls: [
            { index: 0, id: "t0", type: "function", function: { name: "a", arguments: '{"x":1}' } },
            { index: 1, id: "t1", type: "function", function: { name: "b", arguments: "{}" } },
          ],
        },
        finish_reason: "tool_calls",
      },
    ],
  });
});

Deno.test("wholeOfStream() gives the response of a lifecycle's last event", () => {
  const whole = wholeOfStream(sse(
    { type: "response.created", response: { id: "r", status: "in_progress" } },
    { type: "response.output_text.delta", delta: "x" },
    { type: "response.completed", response: { id: "r", status: "completed", output: [1] } },
  ));
  assert.deepEqual(whole, { id: "r", status: "completed", output: [1] });
});
