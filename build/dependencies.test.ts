import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { filesUnder, type Import, importsOf, root } from './source-files.ts';

/** What ships: the rooms, each from its index.ts and (an action's) run.ts on. What only tests import is not reached. */
const starts = filesUnder().filter((path) =>
  /^(?:core|actions|constructs)\/(?:[^/]+\/)?(?:index|run)\.ts$|^(?!bench|build|examples|testbed)[^/]+\/index\.ts$/.test(
    path,
  ),
);

/** Every import of the files that `files` lead to. */
function importsReachedFrom(files: readonly string[]): readonly Import[] {
  const reached = new Set<string>(files);
  const found: Import[] = [];
  for (const file of reached) {
    for (const one of importsOf(file)) {
      if (!one.specifier.startsWith('.')) found.push(one);
      else if (one.specifier.endsWith('.ts')) {
        const target = normalize(join(dirname(file), one.specifier));
        if (existsSync(join(root, target))) reached.add(target);
      }
    }
  }
  return found;
}

/** `@scope/name/part` is of the package `@scope/name`; Node's own modules are of none. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

const imports = importsReachedFrom(starts).flatMap((found) => {
  const name = packageOf(found.specifier);
  return name === undefined ? [] : [{ ...found, name }];
});

describe('the dependencies', () => {
  test('start from every room', () => {
    expect(starts).toEqual(
      expect.arrayContaining(['core/index.ts', 'core/policy/index.ts', 'github/index.ts', 'cli/index.ts']),
    );
    expect(starts).toEqual(expect.arrayContaining(['actions/quality-gate/index.ts', 'actions/quality-gate/run.ts']));
  });

  // By its types at least: core/native loads the engines by their names, wherever they are.
  test.each(Object.keys(manifest.dependencies))('%s is imported by what ships', (name) => {
    expect(imports.map((found) => found.name)).toContain(name);
  });

  test('hold every package that what ships imports', () => {
    // Those of the constructs come with the user's own cdk8s project: two copies of `constructs` do not fit together.
    const offered = { ...manifest.dependencies, ...manifest.peerDependencies };
    const missing = imports.filter(({ name, typeOnly }) => !typeOnly && !(name in offered));
    expect(missing.map(({ from, name }) => `${from} imports ${name}`)).toEqual([]);
  });

  test('are exact versions', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
