import { createHash } from 'node:crypto';

/** A name that changes with what is in it: pods are then replaced when it changes, and a rollback finds what it had. */
export function configMapName(prefix: string, data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${prefix}-${createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 10)}`;
}
