import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's root. */
export const root = join(import.meta.dirname, '..');

const elsewhere = new Set(['node_modules', 'dist', 'lib', 'sluice-report']);

/** Paths, relative to the root and with forward slashes, of what people write here: nothing installed, built or hidden. */
export function filesUnder(directory = ''): readonly string[] {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (elsewhere.has(entry.name) || entry.name.startsWith('.')) return [];
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** One import or re-export. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Only types are taken: nothing of it is there at run time. */
  readonly typeOnly: boolean;
}

const statement = /^[ \t]*(import|export)\s+(type\s)?[^'";]*?\bfrom\s+'([^']+)'/gm;
const bare = /^[ \t]*import\s+'([^']+)'/gm;
const dynamic = /(\btypeof\s+)?\bimport\(\s*'([^']+)'/g;
const required = /\brequire(?:\.resolve)?\(\s*'([^']+)'/g;
const named = /\bimport\.meta\.resolve\(\s*'([^']+)'/g;

/** What a TypeScript file imports, in every form. Comments do not count. */
export function importsOf(path: string): readonly Import[] {
  const text = textOf(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1');
  const found = (specifier = '', typeOnly = false): Import => ({ from: path, specifier, typeOnly });
  return [
    ...[...text.matchAll(statement)].map((match) => found(match[3], match[2] !== undefined)),
    ...[...text.matchAll(bare)].map((match) => found(match[1])),
    ...[...text.matchAll(dynamic)].map((match) => found(match[2], match[1] !== undefined)),
    ...[...text.matchAll(required), ...text.matchAll(named)].map((match) => found(match[1])),
  ];
}
