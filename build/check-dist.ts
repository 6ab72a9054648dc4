/**
 * Says whether the committed `dist/` is what the sources give, and whether two builds in two places give the same bytes:
 * `npm run check:dist`. Exit code 1 with the list of differences.
 */
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { bundle } from './bundle.ts';

const root = resolve(import.meta.dirname, '..');

async function contents(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    files
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const executable = ((await stat(path)).mode & 0o100) !== 0 ? ' (executable)' : '';
        return [`${relative(directory, path).replaceAll('\\', '/')}${executable}`, await readFile(path)] as const;
      }),
  );
  return new Map(found);
}

function differences(expected: ReadonlyMap<string, Buffer>, found: ReadonlyMap<string, Buffer>): readonly string[] {
  const names = [...new Set([...expected.keys(), ...found.keys()])].sort();
  return names.flatMap((name) => {
    const [left, right] = [expected.get(name), found.get(name)];
    if (left === undefined) return [`${name} should not be there`];
    if (right === undefined) return [`${name} is missing`];
    return left.equals(right) ? [] : [`${name} differs (${right.length} bytes, should be ${left.length})`];
  });
}

const place = await mkdtemp(join(tmpdir(), 'sluice-dist-'));
try {
  await bundle(root, join(place, 'first'));
  // The same sources somewhere else: a path that gets into the bundle shows up as a difference.
  const elsewhere = join(place, 'another', 'checkout');
  const leftOut = new Set(['node_modules', 'dist', 'lib', 'docs', 'sluice-report']);
  for (const part of await readdir(root)) {
    if (!part.startsWith('.') && !leftOut.has(part))
      await cp(join(root, part), join(elsewhere, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(elsewhere, 'node_modules'), 'junction');
  await bundle(elsewhere, join(place, 'second'));

  const built = await contents(join(place, 'first'));
  const moved = differences(built, await contents(join(place, 'second')));
  const stale = differences(built, await contents(join(root, 'dist')));
  for (const line of moved) console.error(`not reproducible: ${line}`);
  for (const line of stale) console.error(`dist/${line}`);
  if (stale.length > 0) console.error('dist/ is not what the sources give. Run "npm run build" and commit dist/.');
  if (moved.length + stale.length > 0) process.exitCode = 1;
  else console.log(`dist/ is up to date and reproducible: ${built.size} files.`);
} finally {
  await rm(place, { recursive: true, force: true });
}
