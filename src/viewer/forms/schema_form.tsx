import type { JSX, TargetedInputEvent } from "preact";
import { useId } from "preact/hooks";

/** The part of a JSON Schema that a form is made of. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

export interface SchemaFormProps {
  readonly schema: unknown;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

/** What a new form holds: the schema's defaults. */
export function initialOf(schema: unknown): unknown {
  const { default: given, properties } = (schema ?? {}) as Schema;
  if (given !== undefined) return given;
  if (properties === undefined) return undefined;
  const filled = Object.entries(properties).flatMap(([name, property]) => {
    const value = initialOf(property);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(filled);
}

/** Fields for the properties of an object; anything else is edited as JSON. The hub checks what is sent. */
export function SchemaForm({ schema, value, onChange }: SchemaFormProps): JSX.Element {
  const { properties, required = [] } = (schema ?? {}) as Schema;
  if (properties === undefined) return <JsonField label="Input (JSON)" {...{ value, onChange }} />;
  const whole = typeof value === "object" && value !== null ? value as Readonly<Record<string, unknown>> : {};
  return (
    <>
      {Object.entries(properties).map(([name, property]) => (
        <Field
          key={name}
          name={name}
          schema={property}
          isRequired={required.includes(name)}
          value={whole[name]}
          onChange={(next) => {
            const { [name]: _old, ...rest } = whole;
            onChange(next === undefined ? rest : { ...rest, [name]: next });
          }}
        />
      ))}
    </>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
}

function Field({ name, schema, isRequired, value, onChange }: FieldProps): JSX.Element {
  const id = useId();
  const label = `${schema.title ?? name}${isRequired ? " *" : ""}`;
  const choices = schema.enum ?? schema.anyOf?.map((one) => one.const);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  const hint = schema.description;
  const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
  let control: JSX.Element;
  if (choices !== undefined && choices.every((choice) => choice !== undefined)) {
    control = (
      <select
        id={id}
        {...described}
        value={value === undefined ? "" : JSON.stringify(value)}
        onChange={({ currentTarget }) =>
          onChange(currentTarget.value === "" ? undefined : JSON.parse(currentTarget.value))}
      >
        {!isRequired && <option value="">–</option>}
        {choices.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>{String(choice)}</option>
        ))}
      </select>
    );
  } else if (type === "boolean") {
    control = (
      <input
        id={id}
        type="checkbox"
        {...described}
        checked={value === true}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    );
  } else if (type === "number" || type === "integer") {
    control = (
      <input
        id={id}
        type="number"
        step={type === "integer" ? 1 : "any"}
        {...described}
        min={schema.minimum}
        max={schema.maximum}
        required={isRequired}
        value={typeof value === "number" ? value : ""}
        onInput={({ currentTarget }) => onChange(currentTarget.value === "" ? undefined : Number(currentTarget.value))}
      />
    );
  } else if (type === "string") {
    const set = (text: string): void => onChange(text === "" && !isRequired ? undefined : text);
    control = (
      <textarea
        id={id}
        rows={typeof value === "string" && value.includes("\n") ? 5 : 1}
        {...described}
        required={isRequired}
        maxLength={schema.maxLength}
        value={typeof value === "string" ? value : ""}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    );
  } else return <JsonField label={label} {...{ value, onChange, ...(hint !== undefined && { hint }) }} />;
  return (
    <div class={`field${type === "boolean" ? " check" : ""}`}>
      <label for={id}>{label}</label>
      {control}
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

/** Any JSON, as text; what is no JSON is not passed on. */
export function JsonField(
  { label, value, onChange, hint }: {
    readonly label: string;
    readonly value: unknown;
    readonly onChange: (value: unknown) => void;
    readonly hint?: string;
  },
): JSX.Element {
  const id = useId();
  const text = value === undefined ? "" : JSON.stringify(value, null, 2);
  const onInput = ({ currentTarget }: TargetedInputEvent<HTMLTextAreaElement>): void => {
    const { value: typed } = currentTarget;
    try {
      onChange(typed.trim() === "" ? undefined : JSON.parse(typed));
      currentTarget.setCustomValidity("");
    } catch {
      currentTarget.setCustomValidity("This is not JSON yet");
    }
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="code"
        rows={Math.min(14, Math.max(2, text.split("\n").length))}
        spellcheck={false}
        defaultValue={text}
        onInput={onInput}
        {...(hint !== undefined && { "aria-describedby": `${id}-hint` })}
      />
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}
