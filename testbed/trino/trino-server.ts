import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
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
 * A Trino on loopback: the whole engine, with the catalogs tpch (made up) and memory (empty).
 * @param properties of the server, such as `http-server.http.port`
 * @throws when Java or Maven is missing, or the jars cannot be had, with what to do
 */
export async function startTrino(properties: Readonly<Record<string, string>>): Promise<TrinoServer> {
  const jars = await trinoJars();
  const child = spawn(
    'java',
    [
      // What is compiled once and runs for half a minute is not worth a second compilation.
      ...['-Xmx1g', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), launcher],
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

/** The folder with Trino's jars (90 MB), brought by Maven once. */
async function trinoJars(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const home = cacheDirectory('trino');
  const directory = join(home, hash);
  if (existsSync(directory)) return directory;
  const partial = `${directory}.partial-${process.pid}`;
  await mkdir(partial);
  try {
    // Maven writes beside the file it is given.
    await copyFile(pom, join(partial, 'pom.xml'));
    await run('mvn', ['--quiet', '--batch-mode', 'dependency:copy-dependencies', '-DoutputDirectory=jars'], {
      cwd: partial,
      maxBuffer: 16 * 1024 * 1024,
    });
    await rename(join(partial, 'jars'), directory);
  } catch (cause) {
    if (existsSync(directory)) return directory;
    const { code, stdout } = cause as { readonly code?: unknown; readonly stdout?: unknown };
    throw new Error(
      code === 'ENOENT' ? missingJava : `Maven cannot bring Trino's jars: ${String(stdout).slice(0, 2000)}`,
    );
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return directory;
}
