import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { record } from '../cli/recorded-streams.ts';
import { filesUnder, root, textOf } from './source-files.ts';

const files = filesUnder();
/** What people read: not the golden files, which are what programs write, and not the history, which names what was. */
const documents = files.filter((path) => path.endsWith('.md') && !path.includes('/golden/') && path !== 'CHANGELOG.md');

/** Words set as code: `core/policy/schema.ts`. */
function wordsIn(markdown: string): readonly string[] {
  const text = markdown.replace(/^(`{3,})[\s\S]*?^\1/gm, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
}

/** What is set as code, in lines and in blocks of them. */
function codeIn(markdown: string): string {
  const blocks = [...markdown.matchAll(/^(`{3,})[^\n]*\n([\s\S]*?)^\1/gm)].map((match) => match[2] ?? '');
  return [...wordsIn(markdown), ...blocks].join('\n');
}

/** A path with `*` and `**` as an expression for its end: documents name files of a room from within it. */
function endOf(path: string): RegExp {
  const parts = path
    .split('/')
    .map((part) => (part === '**' ? '.*' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')));
  return new RegExp(`(?:^|/)${parts.join('/')}$`);
}

/** Names of the sub-commands, as the command's own help lists them. */
async function commandsOf(...parents: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await record(root, [...parents, '--help']);
  const [, list = ''] = stdout.split('Commands:');
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? '');
}

const commands: ReadonlySet<string> = new Set([
  ...(await commandsOf()),
  ...(await commandsOf('canary')).map((name) => `canary ${name}`),
  ...(await commandsOf('data')).map((name) => `data ${name}`),
]);
const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts);

describe.each(documents)('%s', (document) => {
  const text = textOf(document);

  test('names only sources that are there', () => {
    const sources = wordsIn(text).filter((word) => /^[\w.*@-]+(?:\/[\w.*@-]+)+\.(?:ts|cjs|py)$/.test(word));
    const gone = sources.filter((path) => {
      const end = endOf(posix.normalize(path));
      return !files.some((file) => end.test(file));
    });
    expect(gone).toEqual([]);
  });

  test('names only commands and scripts that are there', () => {
    const code = codeIn(text);
    const asked = [...code.matchAll(/(?:^|[\s$(])sluice ((?:canary |data )?[a-z][a-z-]*)(?=[\s)`]|$)/gm)];
    expect(asked.map((match) => match[1] ?? '').filter((name) => !commands.has(name))).toEqual([]);
    const run = [...code.matchAll(/\bnpm run (?:-s )?([a-z][a-z:-]*)/g)].map((match) => match[1] ?? '');
    expect(run.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

test('the rooms of the map are folders, each named once', () => {
  const rooms = [...textOf('ARCHITECTURE.md').matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((match) =>
    wordsIn(match[1] ?? ''),
  );
  expect(rooms.length).toBeGreaterThan(40);
  expect(rooms.filter((room, at) => rooms.indexOf(room) !== at)).toEqual([]);
  const folders = new Set(files.flatMap((file) => [...file.matchAll(/\//g)].map(({ index }) => file.slice(0, index))));
  // `dist` is built.
  expect(rooms.filter((room) => room !== 'dist' && !folders.has(room))).toEqual([]);
});
