import { type TObject, Type } from "@alkdev/typebox";
import { STATUS_BY_CODE } from "../status_codes.ts";

/** Body of every error. */
export const ProblemSchema: TObject = Type.Object({
  code: Type.String({ description: `Stable. The hub's own: ${[...STATUS_BY_CODE.keys()].join(", ")}` }),
  title: Type.String(),
  detail: Type.String(),
  status: Type.Integer(),
  requestId: Type.String(),
  errors: Type.Optional(Type.Array(Type.Object({
    path: Type.String({
      description: "JSON pointer into the body, `?name` of the query, `:name` of the path, or a header",
    }),
    message: Type.String(),
    code: Type.Optional(Type.String({ description: "Of a template's problem" })),
    node: Type.Optional(Type.String()),
    edge: Type.Optional(Type.String()),
    suggestion: Type.Optional(Type.String()),
  }))),
  details: Type.Optional(Type.Unknown()),
}, { $id: "Problem" });
