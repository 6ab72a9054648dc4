/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of what should be a JSON object; none where it is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A field that is text and not empty. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A path inside a folder of the artifact store, without the slashes at its ends; nothing for one that leads out of it or is empty. */
export function artifactPath(path: string): string | undefined {
  const inside = path.replace(/^\/+|\/+$/g, '');
  const parts = inside.split('/');
  const safe = parts.every(
    (part) => part !== '' && part !== '.' && part !== '..' && !/[\\\u0000-\u001f\u007f]/.test(part),
  );
  return safe ? inside : undefined;
}
