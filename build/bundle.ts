/**
 * Bundles the actions and the command into `dist/`: pure JavaScript, minified, the same bytes wherever it is built.
 * `npm run build`; `build/check-dist.ts` compares.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { thirdPartyLicences } from './third-party-licences.ts';

/** Where each entry of `dist/` starts. */
const entries: Readonly<Record<string, string>> = {
  'pull-request-gate/index': 'actions/pull-request-gate/index.ts',
  'validate-data/index': 'actions/validate-data/index.ts',
  'quality-gate/index': 'actions/quality-gate/index.ts',
  'detect-drift/index': 'actions/detect-drift/index.ts',
  'smoke-test/index': 'actions/smoke-test/index.ts',
  'publish-report/index': 'actions/publish-report/index.ts',
  'canary/index': 'actions/canary/index.ts',
  'canary/post': 'actions/canary/post.ts',
  'cli/index': 'cli/index.ts',
  // The process that `core/onnx/inference-process.ts` starts.
  'onnx/inference-program': 'core/onnx/inference-program.ts',
  // The thread that `server/engine/worker-pool.ts` starts.
  'server/worker': 'server/engine/worker.ts',
};

// CommonJS packages inside call `require`, which an ES module does not have.
const requireForCommonJs =
  "import{createRequire as sluiceRequire}from'node:module';const require=sluiceRequire(import.meta.url);";

/** Of our own package.json the code reads name and version; the rest would change `dist/` with every dependency. */
const ownManifest = (root: string): Plugin => ({
  name: 'own-manifest',
  setup(at) {
    at.onLoad({ filter: /[/\\]package\.json$/ }, async ({ path }) => {
      if (path !== join(root, 'package.json')) return undefined;
      const { name, version } = JSON.parse(await readFile(path, 'utf8')) as { name: string; version: string };
      return { contents: JSON.stringify({ name, version }), loader: 'json' };
    });
  },
});

/**
 * A CommonJS package that is imported when it is reached has a chunk of its own, and of that chunk esbuild exports nothing but `default`. Here it has
 * the names that Node would give it.
 */
const namesOfCommonJs: Plugin = {
  name: 'names-of-commonjs',
  setup(at) {
    at.onResolve({ filter: /^[@a-z]/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === 'resolving' || path.startsWith('node:')) return undefined;
      // Packages know how those they depend on are written.
      if (importer.includes('/node_modules/')) return undefined;
      const options = { kind, resolveDir, importer, pluginData: 'resolving' } as const;
      const found = await at.resolve(path, options);
      if (found.external || found.errors.length > 0 || !(await isCommonJs(found.path))) return found;
      return { path, namespace: 'names-of-commonjs', pluginData: { file: found.path, resolveDir } };
    });
    at.onLoad({ filter: /.*/, namespace: 'names-of-commonjs' }, async ({ path, pluginData }) => {
      const { file, resolveDir } = pluginData as { readonly file: string; readonly resolveDir: string };
      const names = Object.keys((await import(pathToFileURL(file).href)) as object);
      const own = names.filter((name) => /^[\w$]+$/.test(name) && name !== 'default' && name !== '__esModule');
      const contents = `import all from ${JSON.stringify(path)}; export default all; export const { ${own.join(', ')} } = all;`;
      return { contents, resolveDir };
    });
  },
};

/** What Node takes a file for: by its ending, or the nearest package.json. */
async function isCommonJs(file: string): Promise<boolean> {
  if (!file.endsWith('.js')) return file.endsWith('.cjs');
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest !== undefined) return (JSON.parse(manifest) as { readonly type?: string }).type !== 'module';
  }
  return true;
}

/** DuckDB's JavaScript runs on the bindings that `core/native` found, wherever they are. */
const foundBindings = (root: string): Plugin => ({
  name: 'found-bindings',
  setup(at) {
    at.onResolve({ filter: /^@duckdb\/node-bindings$/ }, ({ path }) => ({ path, namespace: 'found-bindings' }));
    at.onLoad({ filter: /.*/, namespace: 'found-bindings' }, () => ({
      contents: "module.exports = require('./core/native/duckdb-bindings.ts').bindingsInUse();",
      resolveDir: root,
    }));
  },
});

/** Builds `root`'s sources into `directory`, which is emptied first. Returns what is in each file, and which it imports. */
export async function bundle(root: string, directory: string): Promise<Metafile> {
  const entryPoints = Object.fromEntries(
    Object.entries(entries).filter(([, source]) => existsSync(join(root, source))),
  );
  const result = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: directory,
    write: false,
    bundle: true,
    // What an entry imports dynamically stays apart and is read when it is reached.
    splitting: true,
    // A chunk's hash covers the paths of what is in it: those inside the repository, wherever node_modules really lies.
    preserveSymlinks: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    // Class names are shown to users and programs: an error's name says its kind.
    keepNames: true,
    charset: 'utf8',
    legalComments: 'none',
    external: ['onnxruntime-node', 'onnxruntime-common', '@duckdb/node-bindings-*'],
    define: { isBundled: 'true' },
    banner: { js: requireForCommonJs },
    plugins: [ownManifest(root), foundBindings(root), namesOfCommonJs],
    metafile: true,
    logLevel: 'warning',
  });
  await rm(directory, { recursive: true, force: true });
  for (const file of result.outputFiles) {
    await mkdir(dirname(file.path), { recursive: true });
    await writeFile(file.path, file.contents);
  }
  await writeFile(join(directory, 'package.json'), '{"type":"module"}\n');
  await writeFile(join(directory, 'licenses.txt'), await thirdPartyLicences(root, result.metafile));
  const command = join(directory, 'cli/index.js');
  if (existsSync(command)) await makeCommand(command);
  return result.metafile;
}

async function makeCommand(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  await bundle(root, join(root, 'dist'));
}
