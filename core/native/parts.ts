import packagesOfLock from './packages.json' with { type: 'json' };
import { type Platform, platformName } from './platform.ts';

/** One npm package, as package-lock.json pins it. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of the tarball: `sha512-` and base64. */
  readonly integrity: string;
}

/** A native library Sluice needs and cannot carry in `dist/`. */
export type PartName = 'onnxruntime' | 'duckdb';

export const partNames: readonly PartName[] = ['onnxruntime', 'duckdb'];

/** Everything `core/native` may ever load: name, version and SHA-512 of each tarball. Made from package-lock.json by build/native-table.ts. */
export const pinnedPackages: readonly PinnedPackage[] = packagesOfLock;

interface Part {
  readonly title: string;
  /** The package a program loads. */
  readonly entry: string;
  /** Every package that must be there for `entry` to load on a platform, `entry` first. */
  packagesFor(platform: Platform): readonly string[];
  /** The native library inside node_modules: when it is missing, the packages were installed for another machine. */
  libraryFor(platform: Platform): string;
  readonly platforms: readonly string[];
  /** What a user of a platform that has no build can do. */
  readonly otherwise: string;
}

export const parts: Readonly<Record<PartName, Part>> = {
  onnxruntime: {
    title: 'ONNX Runtime',
    entry: 'onnxruntime-node',
    packagesFor: () => ['onnxruntime-node', 'onnxruntime-common'],
    libraryFor: ({ os, cpu }) => `onnxruntime-node/bin/napi-v6/${os}/${cpu}/onnxruntime_binding.node`,
    // The folders of onnxruntime-node/bin; its Linux builds need glibc. Intel Macs were dropped by ONNX Runtime itself.
    platforms: ['darwin-arm64', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64'],
    otherwise:
      'Use a runner with one of these (on macOS an Apple-silicon one such as macos-14; instead of Alpine an image with glibc such as Debian), or build ONNX Runtime yourself and set SLUICE_NATIVE_DIR.',
  },
  duckdb: {
    title: 'DuckDB',
    entry: '@duckdb/node-api',
    packagesFor: (platform) => [
      '@duckdb/node-api',
      '@duckdb/node-bindings',
      `@duckdb/node-bindings-${platformName(platform)}`,
      // DuckDB's loader asks it which C library this is, and silently assumes glibc when it is missing.
      ...(platform.os === 'linux' ? ['detect-libc'] : []),
    ],
    libraryFor: (platform) => `@duckdb/node-bindings-${platformName(platform)}/duckdb.node`,
    platforms: pinnedPackages.flatMap(({ name }) => /^@duckdb\/node-bindings-(.+)$/.exec(name)?.[1] ?? []),
    otherwise: 'Use a runner with one of these, or build DuckDB yourself and set SLUICE_NATIVE_DIR.',
  },
};

/** The versions every judgement is made with: other versions may round differently, so no other is loaded. */
export const nativeVersions: { readonly onnxruntime: string; readonly duckdb: string } = {
  onnxruntime: versionOf('onnxruntime-node'),
  duckdb: versionOf('@duckdb/node-api'),
};

function versionOf(name: string): string {
  const pinned = pinnedPackages.find((candidate) => candidate.name === name);
  if (pinned === undefined)
    throw new TypeError(`core/native/packages.json lacks ${name}; run node build/native-table.ts`);
  return pinned.version;
}
