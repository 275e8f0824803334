const HIDDEN = "[redacted]";
const MAX_DEPTH = 6;
const MAX_TEXT = 8192;

/** Names of fields whose value is never logged. Counts such as `totalTokens` are not secrets. */
const SECRET_NAME =
  /^(.*[_-])?(authorization|cookie|set-cookie|password|passwd|passphrase|secret|token|api[_-]?key|x-api-key|private[_-]?key|master[_-]?key|encryption[_-]?keys?|credentials?)$/i;
const SECRET_CAMEL = /(Password|Secret|Token|ApiKey|MasterKey|PrivateKey|EncryptionKeys?|Credentials?)$/;

/** Text that looks like a key, with what must stay for people to know what was there. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)[ .]+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\b(alk|sk|pk|rk|ghp|gho|ghs|glpat|xox[abp])[_-][A-Za-z0-9_-]{12,}/g, `$1_${HIDDEN}`],
  [/\bv\d+:[A-Za-z0-9+/]{43}=/g, HIDDEN],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]+@/gi, `$1:${HIDDEN}@`],
  [/\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/g, HIDDEN],
  [/([?&](?:api_?key|key|token|secret|password)=)[^&\s]+/gi, `$1${HIDDEN}`],
];

/** What a failed query says of its parameters, which are data of users: Drizzle appends them to the message, and so to the stack. */
const PARAMETERS = /\nparams: [\s\S]*?(?=\n {4}at |$)/g;

/** `text` without anything that looks like a key, at most 8,192 characters of it. */
export function redactText(text: string): string {
  let clean = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  clean = clean.replace(PARAMETERS, `\nparams: ${HIDDEN}`);
  for (const [pattern, replacement] of SECRET_TEXTS) clean = clean.replace(pattern, replacement);
  return clean;
}

/** A JSON copy of `value` without secrets: by the names of fields and by the look of texts. Errors keep name, message, stack. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") {
    return redactText(String(value));
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[…]";
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  const clean: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) clean[name] = isSecretName(name) ? HIDDEN : redact(item, depth + 1);
  return clean;
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) || SECRET_CAMEL.test(name);
}

function redactError(error: Error, depth: number): unknown {
  return {
    name: error.name,
    message: redactText(error.message),
    ...("code" in error ? { code: redact(error.code, depth + 1) } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
