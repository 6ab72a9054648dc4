import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackage } from './installed-package.ts';

/** A place in the bundle where a chunk is imported when it is reached. */
export interface DynamicImport {
  /** The source, or the package, that the chunk is of, and the names that are taken of it: `core/report/index.ts { writeReport }`. */
  readonly what: string;
  /** The file it stands in, by its path in `dist`. */
  readonly file: string;
  /** Where in it. */
  readonly offset: number;
  /** The chunk, by its path in `dist`. */
  readonly chunk: string;
}

/** Every `import()` of the bundle, as it is written in its files; held against what the bundler says that they import. */
export function dynamicImports({ dist, outputs }: InstalledPackage): readonly DynamicImport[] {
  return Object.entries(outputs).flatMap(([file, { imports }]) => {
    const text = readFileSync(join(dist, file), 'utf8');
    const found = [...text.matchAll(/\bimport\("(\.[^"]+)"\)/g)].map(({ 0: { length }, 1: to = '', index: offset }) => {
      const chunk = join(file, '..', to);
      const before = /\{([^{}]*)\}=await $/.exec(text.slice(Math.max(0, offset - 600), offset));
      const after = /^(?:\.then\(\(\{([^{}]*)\}|\)\.([\w$]+))/.exec(text.slice(offset + length, offset + length + 600));
      const names = (before?.[1] ?? after?.[1] ?? after?.[2] ?? '')
        .split(',')
        .map((name) => name.split(':')[0] ?? '')
        .toSorted()
        .join(', ');
      return { what: `${sourceOf(outputs[chunk]?.entryPoint)} { ${names} }`, file, offset, chunk };
    });
    const told = imports.flatMap(({ kind, path, external }) =>
      kind === 'dynamic-import' && external !== true ? [path.replace(/^.*\/(?=chunks\/)/, '')] : [],
    );
    if (
      told.toSorted().join() !==
      found
        .map(({ chunk }) => chunk)
        .toSorted()
        .join()
    ) {
      throw new Error(
        `${file} imports other chunks than it seems to: ${told.join(' ')}, but ${found.map(({ chunk }) => chunk).join(' ')}`,
      );
    }
    return found;
  });
}

function sourceOf(entry = ''): string {
  return entry.replace(/^names-of-commonjs:/, '').replace(/^.*node_modules\//, '');
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}

/** The places that no program reached which the package ran until now, or whose chunks did not run. */
export function missedImports(installed: InstalledPackage): readonly DynamicImport[] {
  const places = dynamicImports(installed);
  const ran = new Set<string>();
  const entered = new Set<DynamicImport>();
  for (const name of readdirSync(installed.coverage)) {
    const { result } = JSON.parse(readFileSync(join(installed.coverage, name), 'utf8')) as Coverage;
    for (const { url, functions } of result) {
      const [, file] = /\/sluice\/dist\/(.+)$/.exec(url) ?? [];
      if (file === undefined) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      if (ranges.some(({ count }) => count > 0)) ran.add(file);
      for (const place of places) {
        if (place.file === file && countAt(place.offset, ranges) > 0) entered.add(place);
      }
    }
  }
  return places.filter((place) => !entered.has(place) || !ran.has(place.chunk));
}

/** How often the code there ran: what the smallest range around it says. */
function countAt(offset: number, ranges: readonly Range[]): number {
  let smallest: Range | undefined;
  for (const range of ranges) {
    if (range.startOffset > offset || range.endOffset <= offset) continue;
    const size = range.endOffset - range.startOffset;
    if (smallest === undefined || size <= smallest.endOffset - smallest.startOffset) smallest = range;
  }
  return smallest?.count ?? 0;
}
