import { FormatRegistry } from "@alkdev/typebox";

const DATE = /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i;
const IPV4 = /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$/;

const isDate = (value: string): boolean => {
  const match = DATE.exec(value);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
};

/** The `format`s that are checked; any other is an annotation, as JSON Schema 2020-12 has it. */
const FORMATS: ReadonlyMap<string, (value: string) => boolean> = new Map<string, (value: string) => boolean>([
  ["date", isDate],
  ["time", (value) => TIME.test(value)],
  ["date-time", (value) => /^.{10}[t ]/i.test(value) && isDate(value.slice(0, 10)) && TIME.test(value.slice(11))],
  ["email", (value) => value.length <= 320 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)*$/.test(value)],
  ["uri", (value) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(value)],
  ["url", (value) => URL.canParse(value)],
  ["uuid", (value) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)],
  ["ipv4", (value) => IPV4.test(value)],
]);

/** TypeBox fails a string whose format it does not know; formats that the host has already set are left alone. */
for (const [name, check] of FORMATS) {
  if (!FormatRegistry.Has(name)) FormatRegistry.Set(name, check);
}

/** Whether strings of this format are checked. */
export function isKnownFormat(name: string): boolean {
  return FORMATS.has(name);
}
