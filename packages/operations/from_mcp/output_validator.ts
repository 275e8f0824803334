// @ts-types="@modelcontextprotocol/sdk/validation"
import type { jsonSchemaValidator } from "@modelcontextprotocol/sdk/validation";
import { collectErrors, formatValueErrors } from "../validation.ts";
import { readSchema } from "./tool_operation.ts";

/**
 * Checks what tools answer against the schemas that their server has given. The SDK's own would make RegExps of the schemas'
 * patterns, which a server can choose to take for ever.
 */
export const outputValidator: jsonSchemaValidator = {
  getValidator<T>(schema: unknown) {
    const read = readSchema(schema);
    return (input: unknown) => {
      const errors = read === undefined ? [] : collectErrors(read, input);
      return errors.length === 0
        // What fits is what the SDK's caller says that it is.
        ? { valid: true, data: input as T, errorMessage: undefined }
        : { valid: false, data: undefined, errorMessage: formatValueErrors(errors) };
    };
  },
};
