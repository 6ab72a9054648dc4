import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const lockFile = new URL('../package-lock.json', import.meta.url);
const tableFile = new URL('../core/native/packages.json', import.meta.url);

/** What `core/native` may download: these two and every platform's DuckDB library. */
const wanted = /^(onnxruntime-(node|common)|@duckdb\/node-(api|bindings(-.+)?)|detect-libc)$/;

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
}

/** The text of core/native/packages.json as package-lock.json has it now. */
export async function nativeTable(): Promise<string> {
  const lock: { packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(await readFile(lockFile, 'utf8'));
  const table = Object.entries(lock.packages)
    .map(([path, { version, integrity }]) => ({ name: path.replace(/^node_modules\//, ''), version, integrity }))
    .filter(({ name }) => wanted.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, version, integrity } of table) {
    if (version === undefined || integrity?.startsWith('sha512-') !== true) {
      throw new Error(`package-lock.json pins no version and SHA-512 for ${name}`);
    }
  }
  return `${JSON.stringify(table, undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(tableFile, await nativeTable());
