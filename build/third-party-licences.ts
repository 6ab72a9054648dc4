/** What `dist/licenses.txt` says: under which terms the code in the bundle that others wrote may be passed on. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A package, and which of its files are in the bundle. */
interface BundledPackage {
  /** Its folder, relative to the root. */
  readonly folder: string;
  readonly files: readonly string[];
}

/** Every package whose code is in the bundle, by its folder. */
export function bundledPackages(metafile: Metafile): readonly BundledPackage[] {
  const filesOf = new Map<string, Set<string>>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [file = '', folder] = /((?:[^:]*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\/.*$/.exec(input) ?? [];
      if (folder === undefined || bytesInOutput === 0) continue;
      filesOf.set(folder, (filesOf.get(folder) ?? new Set()).add(file));
    }
  }
  return [...filesOf].map(([folder, files]) => ({ folder, files: [...files].sort() })).sort(byFolder);
}

/**
 * The licence and notice files of every package in the bundle, and the notices that stand within the files themselves: the bundle holds no comments.
 * Throws when a package comes without a text and its licence has none here.
 */
export async function thirdPartyLicences(root: string, metafile: Metafile): Promise<string> {
  // Many packages share one text, word for word; it is given once, under all their names.
  const packagesOf = new Map<string, string[]>();
  const noticesOf = new Map<string, Set<string>>();
  for (const { folder, files } of bundledPackages(metafile)) {
    const { title, text } = await licenceOf(root, folder);
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), title]);
    for (const file of files) {
      for (const notice of noticesIn(await readFile(join(root, file), 'utf8'))) {
        if (!words(text).includes(words(notice)))
          noticesOf.set(notice, (noticesOf.get(notice) ?? new Set()).add(title));
      }
    }
  }
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const headed = (titles: Iterable<string>, text: string): string => `${[...new Set(titles)].join('\n')}\n\n${text}\n`;
  return [
    'The files in this folder hold code of these packages.\n',
    ...[...packagesOf].map(([text, titles]) => headed(titles, text)),
    'Single files of these packages say more of where they come from.\n',
    ...[...noticesOf].map(([notice, titles]) => headed(titles, notice)),
  ].join(rule);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly author?: string | { readonly name: string };
}

async function licenceOf(root: string, folder: string): Promise<{ title: string; text: string }> {
  const read = async (name: string): Promise<string> =>
    (await readFile(join(root, folder, name), 'utf8')).replaceAll('\r\n', '\n').trim();
  const manifest = JSON.parse(await read('package.json')) as Manifest;
  const names = (await readdir(join(root, folder))).sort();
  const texts = await Promise.all(
    names.filter((name) => /^(un)?licen[cs]e|^(copying|copyright|notice|third.?party)/i.test(name)).map(read),
  );
  const licence = typeof manifest.license === 'string' ? manifest.license : 'see below';
  const readme = names.find((name) => /^readme/i.test(name));
  return {
    title: `${manifest.name} ${manifest.version} (${licence})`,
    text:
      texts.length > 0
        ? texts.join('\n\n')
        : await textFor(manifest, readme === undefined ? '' : await read(readme), root),
  };
}

/** The text of a package that brings none. */
async function textFor({ name, license, author }: Manifest, readme: string, root: string): Promise<string> {
  if (license === 'MIT') {
    const by = typeof author === 'object' ? author.name : author?.replace(/ *[<(].*$/, '');
    const [claim = by === undefined ? undefined : `Copyright (c) ${by}`] = /^copyright .*$/im.exec(readme) ?? [];
    if (claim !== undefined) return `MIT License\n\n${claim}\n\n${mitTerms}`;
  }
  // Sluice's own licence. What stands beside it in the expression, the package's files say.
  if (typeof license === 'string' && /^\(?Apache-2\.0\b/.test(license)) {
    return (await readFile(join(root, 'LICENSE'), 'utf8')).trim();
  }
  throw new Error(
    `${name} is in the bundle and comes without the text of its licence (${license}): teach build/third-party-licences.ts where it is.`,
  );
}

/** Comments that claim a copyright or tell a licence, without their asterisks and slashes. */
function noticesIn(source: string): readonly string[] {
  return [...source.matchAll(/\/\*[\s\S]*?\*\/|(?:^[ \t]*\/\/.*\n)+/gm)]
    .map(([comment]) =>
      comment
        .replace(/^\/\*+!?|\*+\/$/g, '')
        .split('\n')
        .map((line) => line.replace(/^\s*(?:\/\/+|\*+)? ?/, '').trimEnd())
        .join('\n')
        .trim(),
    )
    .filter((notice) => /copyright|\(c\) ?(?:19|20)\d\d|@license|\blicen[cs]ed under\b|\bMIT licen[cs]e/i.test(notice));
}

/** A text as it reads, however its lines are broken. */
function words(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function byFolder(one: BundledPackage, other: BundledPackage): number {
  return one.folder < other.folder ? -1 : 1;
}

/** Source: https://spdx.org/licenses/MIT.html */
const mitTerms = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.`;
