/**
 * Bundles the actions and the command into `dist/`: pure JavaScript, minified, the same bytes wherever it is built.
 * `npm run build`; `build/check-dist.ts` compares.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

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

/** Builds `root`'s sources into `directory`, which is emptied first. */
export async function bundle(root: string, directory: string): Promise<void> {
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
  await writeFile(join(directory, 'licenses.txt'), await licences(root, result.metafile));
  const command = join(directory, 'cli/index.js');
  if (existsSync(command)) await makeCommand(command);
}

async function makeCommand(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}

/** The licence texts of every package whose code is in the bundle. */
async function licences(root: string, metafile: Metafile): Promise<string> {
  const used = new Set<string>();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const found = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (found !== undefined && bytesInOutput > 0) used.add(found);
    }
  }
  // Many packages share one text, word for word; it is given once, under all their names.
  const packagesOf = new Map<string, string[]>();
  for (const folder of [...used].sort()) {
    const { title, text } = await licenceOf(join(root, folder));
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), title]);
  }
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const parts = [...packagesOf].map(([text, titles]) => `${[...new Set(titles)].join('\n')}\n\n${text}\n`);
  return ['The files in this folder hold code of these packages.\n', ...parts].join(rule);
}

async function licenceOf(folder: string): Promise<{ title: string; text: string }> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: unknown;
  };
  const names = (await readdir(folder)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const licence = typeof manifest.license === 'string' ? manifest.license : 'see below';
  return {
    title: `${manifest.name} ${manifest.version} (${licence})`,
    text: texts.map((text) => text.replaceAll('\r\n', '\n').trim()).join('\n\n'),
  };
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  await bundle(root, join(root, 'dist'));
}
