import { type Static, type TObject, type TOptional, type TString, Type } from "@alkdev/typebox";
import { operationId, type OperationSpec } from "@alkdev/operations";

/** An operation in a list. */
export const OperationSummary: TObject<{
  id: TString;
  type: TString;
  title: TOptional<TString>;
  description: TString;
}> = Type.Object({
  id: Type.String(),
  type: Type.String(),
  title: Type.Optional(Type.String()),
  description: Type.String(),
});

export function summarize(spec: OperationSpec): Static<typeof OperationSummary> {
  const { type, title, description } = spec;
  return { id: operationId(spec), type, ...(title === undefined ? {} : { title }), description };
}
