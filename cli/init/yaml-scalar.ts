// Words that are plainly text: no YAML reader, of version 1.1 either, takes them for a number, a date, a boolean or null.
const plain = /^[A-Za-z_][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*$/;
const reserved = /^(?:true|false|null|yes|no|on|off|y|n|nan|inf)$/i;

/** A value as YAML on one line, that reads back as the same value wherever it stands: in a block, in `[...]`, as a key. */
export function yamlScalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (plain.test(value) && !reserved.test(value)) return value;
  // A JSON string is a YAML string, once what YAML holds unprintable is escaped too.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
