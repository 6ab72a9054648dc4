import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';

const run = promisify(execFile);
const pom = join(import.meta.dirname, 'pom.xml');
const launcher = join(import.meta.dirname, 'TrinoLauncher.java');

const missingJava =
  'The testbed runs a real Trino and needs a Java development kit of version 17 and Maven for it, which are not on PATH. ' +
  'Install them ("apt-get install openjdk-17-jdk-headless maven" on Debian 12), then run it again.';

export interface TrinoServer {
  /** `http://127.0.0.1:40111` */
  readonly url: URL;
  /** Ends it without warning, as a crash does. */
  kill(): Promise<void>;
}

/**
 * A Trino on loopback: the whole engine, with the catalogs tpch (made up), memory (empty), and lake: tables over the files of a folder, which
 * Trino's own readers and writers of Parquet read and write.
 * @param lake the folder, absolute: `local:///a` is its file `a`
 * @param properties of the server, such as `http-server.http.port`
 * @throws when Java or Maven is missing, or the jars cannot be had, with what to do
 */
export async function startTrino(lake: string, properties: Readonly<Record<string, string>>): Promise<TrinoServer> {
  const directory = await trinoPrograms();
  const child = spawn(
    'java',
    [
      // What is compiled once and runs for half a minute is not worth a second compilation.
      ...['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...['-cp', classPath(directory), 'TrinoLauncher', lake],
      ...Object.entries(properties).map(([name, value]) => `${name}=${value}`),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let written = '';
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = await new Promise<URL>((resolve, reject) => {
    const read = (bytes: Buffer) => {
      written = (written + bytes.toString('utf8')).slice(-20_000);
      // Its logging takes the standard output over and puts its own words before the line.
      const base = /listening at (http:\S+)/.exec(written)?.[1];
      if (base !== undefined) resolve(new URL(base));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', () => reject(new Error(missingJava)));
    child.once('close', (code) =>
      reject(new Error(`Trino ended with ${code} before it listened: ${written.slice(-2000)}`)),
    );
  });
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const classPath = (directory: string) =>
  [directory, join(directory, 'jars', '*'), join(directory, 'jars', 'trino-hive-435', '*')].join(delimiter);

/** The folder with Trino's jars (270 MB), brought by Maven once, and the launcher, compiled once: each start would take seconds longer. */
async function trinoPrograms(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(pom)).update(readFileSync(launcher)).digest('hex').slice(0, 12);
  const home = cacheDirectory('trino');
  const directory = join(home, hash);
  if (existsSync(directory)) return directory;
  const partial = `${directory}.partial-${process.pid}`;
  await mkdir(partial);
  try {
    // Maven writes beside the file it is given.
    await copyFile(pom, join(partial, 'pom.xml'));
    const bounds = { cwd: partial, maxBuffer: 16 * 1024 * 1024 };
    await run('mvn', ['--quiet', '--batch-mode', 'generate-resources'], bounds);
    await run('javac', ['-cp', classPath(partial), '-d', partial, launcher], bounds);
    await rename(partial, directory);
  } catch (cause) {
    if (existsSync(directory)) return directory;
    const { code, stdout, stderr } = cause as Readonly<Record<string, unknown>>;
    throw new Error(
      code === 'ENOENT' ? missingJava : `Trino's jars cannot be had: ${String(stdout || stderr).slice(0, 2000)}`,
    );
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return directory;
}
