import { readdirSync, readFileSync } from 'node:fs';

export interface Descendant {
  readonly id: number;
  /** Its program and arguments. */
  readonly command: readonly string[];
}

/** The processes that `ancestor` started, and those that they did, as Linux has them in /proc. */
export function descendantsOf(ancestor: number): readonly Descendant[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // After the name in parentheses, which may hold anything: state, parent.
    const parent = Number(read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1] ?? Number.NaN);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (id: number): readonly number[] =>
    (children.get(id) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(ancestor).map((id) => ({
    id,
    command: read(`/proc/${id}/cmdline`)
      .split('\0')
      .filter((part) => part !== ''),
  }));
}

/** '' for a process that has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Kills a process and all that it started: a machine that is switched off. */
export function killTree(ancestor: number): void {
  const all = [ancestor, ...descendantsOf(ancestor).map(({ id }) => id)];
  for (const id of all) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
