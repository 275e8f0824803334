import { openAiErrorResponse, speaksOpenAi } from "./openai_error.ts";
import type { ServerLog } from "./ports.ts";
import { problemHeaders, problemResponse, toProblem } from "./problem.ts";
import { requestIdOf } from "./request_id.ts";

/** The answer to a request that no route answers, in the form that whoever asks at such a path reads. */
export function errorResponse(error: unknown, { url, headers }: Request, log: ServerLog): Response {
  const requestId = requestIdOf(headers);
  if (!speaksOpenAi(url)) return problemResponse(error, requestId, log);
  const problem = toProblem(error, requestId, log);
  const response = openAiErrorResponse(error, problem);
  for (const [name, value] of Object.entries(problemHeaders(error, problem))) response.headers.set(name, value);
  return response;
}
