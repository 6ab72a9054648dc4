import { execFile, type SpawnOptions, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { bundle } from '../../build/bundle.ts';
import nativePackages from '../../core/native/packages.json' with { type: 'json' };
import { root } from '../repository-files.ts';

const execute = promisify(execFile);

const most = availableParallelism() + 1;

/** What a program said until its end. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is started: where, with which variables beside PATH, by which Node. */
export interface Start {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** @default the one that runs this */
  readonly node?: string;
}

/**
 * The npm package, built from what is here, packed and installed by npm into a project of its own: the command and the actions as users run them. Of
 * its dependencies the project has the native parts alone, so what is not in the bundle is missed.
 */
export class InstalledPackage implements Disposable {
  /** The user's project. */
  readonly project: string;
  /** The package's `dist`. */
  readonly dist: string;
  /** By paths in `dist`: what each file is made of, and imports. */
  readonly outputs: Readonly<Record<string, Metafile['outputs'][string]>>;
  /** Where every program that ran says which code it ran. */
  readonly coverage: string;
  readonly #scratch: string;
  #running = 0;

  private constructor(scratch: string, metafile: Metafile) {
    this.#scratch = scratch;
    this.project = join(scratch, 'project');
    this.dist = join(this.project, 'node_modules/sluice/dist');
    this.coverage = join(scratch, 'coverage');
    this.outputs = Object.fromEntries(
      Object.entries(metafile.outputs).map(([path, output]) => [
        relative(join(scratch, 'package/dist'), join(root, path)),
        output,
      ]),
    );
  }

  static async make(): Promise<InstalledPackage> {
    const scratch = mkdtempSync(join(tmpdir(), 'sluice-installed-'));
    const packed = join(scratch, 'package');
    const made = new InstalledPackage(scratch, await bundle(root, join(packed, 'dist')));
    const {
      dependencies: _,
      devDependencies: __,
      ...manifest
    } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Readonly<Record<string, unknown>>;
    writeFileSync(join(packed, 'package.json'), JSON.stringify(manifest));
    // `npm run build:lib` makes what a library is imported from, which build/library.test.ts tries.
    const npm = (args: readonly string[], cwd: string) =>
      execute('npm', [...args, '--ignore-scripts', '--offline', '--no-audit', '--no-fund'], { cwd });
    await npm(['pack', '--pack-destination', scratch], packed);
    mkdirSync(made.project);
    writeFileSync(join(made.project, 'package.json'), '{"private":true}');
    await npm(['install', '--no-package-lock', join(scratch, `sluice-${manifest['version']}.tgz`)], made.project);
    for (const { name } of nativePackages.filter(({ name }) => existsSync(join(root, 'node_modules', name)))) {
      const link = join(made.project, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    }
    return made;
  }

  /** A folder of the project with the files of one of the examples. */
  example(name: string, folder = name): string {
    const directory = join(this.project, folder);
    cpSync(join(root, 'examples', name), directory, { recursive: true });
    return directory;
  }

  /** `npx sluice ...`: the file behind the link that npm made. */
  async command(args: readonly string[], start: Start): Promise<Ended> {
    return await this.#inTurn(() => this.startCommand(args, start));
  }

  startCommand(args: readonly string[], start: Start): Running {
    return this.#start([join(this.project, 'node_modules/.bin/sluice'), ...args], start);
  }

  /** A file of `dist` as GitHub starts it. */
  async entry(path: string, start: Start): Promise<Ended> {
    return await this.#inTurn(() => this.#start([join(this.dist, path)], start));
  }

  [Symbol.dispose](): void {
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 5 });
  }

  /** As many at once as there are processors, and one that waits for others: more only hinder each other. */
  async #inTurn(begin: () => Running): Promise<Ended> {
    while (this.#running >= most) await new Promise((resolve) => setTimeout(resolve, 10));
    this.#running++;
    try {
      return await begin().ended;
    } finally {
      this.#running--;
    }
  }

  #start(args: readonly string[], { cwd, env = {}, node = process.execPath }: Start): Running {
    const options: SpawnOptions = {
      cwd,
      env: {
        PATH: process.env['PATH'],
        HOME: this.#scratch,
        TMPDIR: process.env['TMPDIR'] ?? tmpdir(),
        NODE_V8_COVERAGE: this.coverage,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    };
    return new Running(node, args, options);
  }
}

/** A program that may be told to end. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly #kill: () => void;
  #said = { stdout: '', stderr: '' };

  constructor(program: string, args: readonly string[], options: SpawnOptions) {
    const child = spawn(program, args, options);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream]?.setEncoding('utf8').on('data', (text: string) => {
        this.#said[stream] += text;
      });
    }
    this.#kill = () => child.kill('SIGTERM');
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve({ exitCode, ...this.#said }));
    });
  }

  /** What stands in its output, as soon as it is there. Throws when it ends without. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false;
    void this.ended.finally(() => {
      over = true;
    });
    for (;;) {
      const found = pattern.exec(this.#said.stdout + this.#said.stderr);
      if (found !== null) return found;
      if (over) throw new Error(`it ended: ${this.#said.stdout}${this.#said.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** As a job's end does it. */
  async stop(): Promise<Ended> {
    this.#kill();
    return await this.ended;
  }
}
