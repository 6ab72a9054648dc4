import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PartName, type PinnedPackage, parts } from './parts.ts';
import type { Platform } from './platform.ts';

/** What a downloaded directory says about itself, written last: a directory without it, or with a file missing, is not used. */
export const manifestName = 'sluice-native.json';

export interface Manifest {
  readonly packages: readonly PinnedPackage[];
  /** Path (with forward slashes) to size in bytes. */
  readonly files: Readonly<Record<string, number>>;
}

/** Why a folder cannot serve a part: a clause, with what was found and expected. */
export interface Lack {
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
}

/**
 * Whether `folder` (a node_modules) can load a part: every package in its pinned version, and this platform's library. Dependencies
 * are looked for where Node would look, but only in folders that are part of the package's own path.
 */
export function lackOf(
  part: PartName,
  folder: string,
  platform: Platform,
  pinned: readonly PinnedPackage[],
): Lack | undefined {
  const { entry, packagesFor, libraryFor } = parts[part];
  const entryFolder = join(folder, entry);
  if (!existsSync(entryFolder)) return { message: `there is no ${entry} in it` };
  const folders = [join(realpathSync(entryFolder), 'node_modules'), ...modulesAbove(realpathSync(entryFolder)), folder];
  const places = new Map<string, string>();
  for (const name of packagesFor(platform)) {
    const place = (name === entry ? [folder] : folders).find((candidate) =>
      existsSync(join(candidate, name, 'package.json')),
    );
    const expected = pinned.find((candidate) => candidate.name === name)?.version;
    const found = place === undefined ? undefined : versionIn(join(place, name, 'package.json'));
    if (place === undefined) return { message: `there is no ${name} in it` };
    // A platform Sluice pins nothing for: the user built the library, and answers for its version.
    if (expected !== undefined && found !== expected) {
      return { message: `it has another version of ${name}`, found: found ?? 'no version', expected };
    }
    places.set(name, place);
  }
  const library = libraryFor(platform);
  return [...places.values()].some((place) => existsSync(join(place, library)))
    ? undefined
    : { message: `the library for this machine (${library}) is not in it` };
}

/** Whether `directory` holds every file of a finished download in full size. */
export function isComplete(directory: string): boolean {
  try {
    const manifest: Manifest = JSON.parse(readFileSync(join(directory, manifestName), 'utf8'));
    const files = Object.entries(manifest.files);
    return files.length > 0 && files.every(([path, size]) => statSync(join(directory, path)).size === size);
  } catch {
    return false;
  }
}

/**
 * The node_modules folders this program itself was installed with: its own package's, and those it lies in. Never the working
 * directory's, and no other folder on the way up: they can belong to the pull request that is being judged.
 */
export function ownModuleFolders(from: string = fileURLToPath(import.meta.url)): readonly string[] {
  const root = ancestors(from).find((directory) => {
    const manifest = join(directory, 'package.json');
    return existsSync(manifest) && nameIn(manifest) === 'sluice';
  });
  return [...(root === undefined ? [] : [join(root, 'node_modules')]), ...modulesAbove(from)];
}

function modulesAbove(path: string): readonly string[] {
  return ancestors(path).filter((directory) => basename(directory) === 'node_modules');
}

function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}

function nameIn(file: string): unknown {
  return fieldIn(file, 'name');
}

function versionIn(file: string): string | undefined {
  const version = fieldIn(file, 'version');
  return typeof version === 'string' ? version : undefined;
}

function fieldIn(file: string, field: string): unknown {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  } catch {
    return undefined;
  }
}
