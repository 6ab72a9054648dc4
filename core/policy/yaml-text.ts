import { isMapping } from './policy-path.ts';

/** Plain YAML 1.2 values as one line of flow YAML: `{ min: 0.9, columns: [age, "no: 1"] }`. Reads back as the same value. */
export function oneLineYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLineYaml).join(', ')}]`;
  if (isMapping(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return entries.length === 0
      ? '{}'
      : `{ ${entries.map(([key, inner]) => `${scalar(key)}: ${oneLineYaml(inner)}`).join(', ')} }`;
  }
  return typeof value === 'string' ? scalar(value) : number(value);
}

// A word that YAML would not read as a number, a boolean, null or an indicator. JSON's quoted strings are YAML's.
function scalar(text: string): string {
  const plain = /^[A-Za-z_][\w./]*([ -][\w./]+)*$/.test(text) && !/^(true|false|null)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}

function number(value: unknown): string {
  if (value === Number.POSITIVE_INFINITY) return '.inf';
  if (value === Number.NEGATIVE_INFINITY) return '-.inf';
  return Number.isNaN(value) ? '.nan' : String(value);
}
