import { baseTypeOf } from './trino-column-type.ts';

// Integers come as numbers where those are exact, else as bigint, as those of DuckDB do; decimals as text, since no number holds them;
// dates and times as text; bytes as a Buffer.

/** A value of Trino's JSON, by the type of its column. */
export function decodeTrino(value: unknown, sqlType: string): unknown {
  if (value === null || value === undefined) return null;
  switch (baseTypeOf(sqlType)) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'bigint':
      return wholeNumber(value);
    case 'real':
    case 'double':
      // JSON has no word for NaN and the infinities.
      return typeof value === 'number' ? value : Number(value);
    case 'varbinary':
      return Buffer.from(String(value), 'base64');
    case 'array': {
      const element = /^array\((.*)\)$/is.exec(sqlType)?.[1] ?? '';
      return Array.isArray(value) ? value.map((item) => decodeTrino(item, element)) : value;
    }
    default:
      return value;
  }
}

/** A value of Athena's results, which are all text. */
export function decodeAthena(text: string | undefined, sqlType: string): unknown {
  if (text === undefined) return null;
  switch (baseTypeOf(sqlType)) {
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'int':
    case 'bigint':
      return wholeNumber(text);
    case 'real':
    case 'float':
    case 'double':
      return Number(text);
    case 'boolean':
      return text === 'true';
    case 'varbinary':
      return Buffer.from(text.replaceAll(' ', ''), 'hex');
    case 'array':
      // Lists of anything else cannot be taken apart again: texts in them are not quoted.
      return /^\[(-?\d+(, -?\d+)*)?\]$/.test(text)
        ? text
            .slice(1, -1)
            .split(', ')
            .filter((item) => item !== '')
            .map(wholeNumber)
        : text;
    default:
      return text;
  }
}

function wholeNumber(value: unknown): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) || typeof value === 'number' ? number : BigInt(String(value));
}

/**
 * JSON in which integers too long for a number come as text, digit for digit. Texts are left as they are: a match that begins with a
 * quote is one of them, whole.
 */
export function parseExactly(json: string): unknown {
  return JSON.parse(
    json.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (found) =>
      found.startsWith('"') ? found : `"${found}"`,
    ),
  );
}
