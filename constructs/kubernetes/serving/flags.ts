/** A flag and its value as two arguments; none where there is no value. */
export function flag(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [name, String(value)];
}

/** A flag that is there or not. */
export function switchFlag(name: string, on: boolean | undefined): readonly string[] {
  return on === true ? [name] : [];
}
