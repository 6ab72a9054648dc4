import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { NativeError } from '../problem/index.ts';
import { isComplete, lackOf, manifestName } from './installed.ts';
import { type NativeOptions, settle } from './options.ts';
import { type PartName, partNames } from './parts.ts';

export interface FillOptions extends NativeOptions {
  /** @default both */
  readonly parts?: readonly PartName[];
}

/**
 * Fills a directory for SLUICE_NATIVE_DIR, for machines without a network: downloads, checks and unpacks the native parts into
 * `<directory>/node_modules`. For another kind of machine set `platform` and `arch`. Does nothing when they are all there. A directory
 * that holds something else is an error and is not touched.
 */
export async function bringNativeParts(directory: string, options: FillOptions = {}): Promise<void> {
  const settings = settle(options);
  const wanted = options.parts ?? partNames;
  const target = resolve(directory);
  if (existsSync(target)) {
    const entries = await readdir(target).catch((cause: unknown) => {
      throw notOurs(target, cause instanceof Error ? cause.message : String(cause));
    });
    const stranger = entries.find((entry) => entry !== 'node_modules' && entry !== manifestName);
    if (stranger !== undefined || (entries.length > 0 && !entries.includes(manifestName))) {
      throw notOurs(target, stranger ?? 'node_modules');
    }
    if (entries.length === 0) await rmdir(target);
    else if (isComplete(target)) {
      const lacking = wanted.filter(
        (part) => lackOf(part, join(target, 'node_modules'), settings.platform, settings.packages) !== undefined,
      );
      if (lacking.length === 0) return;
      throw notOurs(target, 'native parts of another version or for another machine');
    }
  }
  const { bring } = await import('./bring.ts');
  await bring(wanted, target, settings);
}

function notOurs(directory: string, found: string): NativeError {
  return new NativeError({
    code: 'directory-not-empty',
    message: 'the native parts need a directory of their own',
    place: { file: directory },
    found,
    expected: 'an empty or new directory',
    fix: 'Name another directory, or delete this one first.',
  });
}
