import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** Files of one source. DuckDB plans a scan of each. */
export const mostFiles = 2000;
/** Folder entries looked at before the search is given up. */
const mostEntries = 200_000;

const wild = /[*?[]/;

/** Whether a text has a character that a pattern has a meaning for. */
export function isPattern(text: string): boolean {
  return wild.test(text);
}

/**
 * One segment of a pattern, as the expression a name must match: `*` any characters, `?` one, `[ab]`, `[a-z]`, `[!a]` one of some.
 * Names that begin with a dot or an underscore (`_SUCCESS`, `_temporary`) match only a segment that does too, as where Spark and Hive read.
 */
export function segmentExpression(segment: string): RegExp {
  const hidden = /^[._]/.test(segment) ? '' : '(?![._])';
  // Runs of stars are one: each of them would make a long name dearer to refuse.
  const body = segment
    .replace(/\*+/g, '*')
    .replace(/\[(!?)([^\]]+)\]|[\s\S]/gu, (token, not?: string, set?: string) => {
      if (set !== undefined) {
        const choice = `[${not === '!' ? '^' : ''}${set.replace(/[\\\]^[]/g, '\\$&')}]`;
        // A range that runs backwards holds nothing, as in a shell.
        return isExpression(choice) ? choice : '(?!)';
      }
      if (token === '*') return '[^/]*';
      if (token === '?') return '[^/]';
      return token.replace(/[.+^${}()|[\]\\/]/g, '\\$&');
    });
  return new RegExp(`^${hidden}${body}$`, 'u');
}

function isExpression(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** Whether a path of segments matches a pattern of segments, where `**` stands for any number of folders. */
export function matchesSegments(path: readonly string[], pattern: readonly string[]): boolean {
  const matchers = pattern.map((segment) => (segment === '**' ? undefined : segmentExpression(segment)));
  // Which prefixes of the pattern the path so far can be: linear in both, whatever the pattern.
  let reached = closure(new Set([0]), matchers);
  for (const name of path) {
    const next = new Set<number>();
    for (const at of reached) {
      const matcher = matchers[at];
      if (at >= matchers.length) continue;
      if (matcher === undefined) {
        if (!/^[._]/.test(name)) next.add(at);
      } else if (matcher.test(name)) next.add(at + 1);
    }
    reached = closure(next, matchers);
  }
  return reached.has(matchers.length);
}

function closure(reached: Set<number>, matchers: readonly (RegExp | undefined)[]): Set<number> {
  for (const at of reached) if (at < matchers.length && matchers[at] === undefined) reached.add(at + 1);
  return reached;
}

/**
 * The files that match a pattern, sorted by code point of their path, as relative to the pattern's fixed folder. A leading part of the path
 * that is there literally is taken literally. Undefined when there are more files, or more to look at, than may be.
 */
export async function expandPattern(pattern: string): Promise<readonly string[] | undefined> {
  const segments = pattern.split(sep === '\\' ? /[\\/]/ : '/');
  let base = segments[0] === '' ? '/' : (segments[0] ?? '.');
  let at = 1;
  for (; at < segments.length - 1; at++) {
    const next = join(base, segments[at] ?? '');
    if (isPattern(segments[at] ?? '') && !(await isFolder(next))) break;
    base = next;
  }
  const rest = segments.slice(at);
  const found: string[] = [];
  let looked = 0;
  const visit = async (folder: string, path: readonly string[]): Promise<boolean> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    looked += entries.length;
    if (looked > mostEntries || found.length > mostFiles) return false;
    for (const entry of entries) {
      const names = [...path, entry.name];
      const where = join(folder, entry.name);
      const linked = entry.isSymbolicLink();
      if (entry.isDirectory() || (linked && (await isFolder(where)))) {
        // `**` goes through no links, which may lead in a circle.
        const deep = names.length < rest.length || rest.includes('**');
        if (deep && !(linked && rest.slice(0, names.length).includes('**')) && couldLead(names, rest)) {
          if (!(await visit(where, names))) return false;
        }
      } else if (matchesSegments(names, rest)) found.push(where);
    }
    return true;
  };
  if (!(await visit(base, [])) || found.length > mostFiles) return undefined;
  return found.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}

/** Whether files below this folder can match at all. */
function couldLead(path: readonly string[], pattern: readonly string[]): boolean {
  for (const [index, name] of path.entries()) {
    const segment = pattern[index];
    if (segment === undefined) return false;
    if (segment === '**') return !/^[._]/.test(path.at(-1) ?? '');
    if (!segmentExpression(segment).test(name)) return false;
  }
  return true;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
