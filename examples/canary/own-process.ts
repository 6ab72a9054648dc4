import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { printable } from '../../core/text/index.ts';

const root = join(import.meta.dirname, '..', '..');

/** A program of this repository that serves in a process of its own, until it is disposed of. */
export class OwnProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts `node PROGRAM ARGUMENTS` and waits until it says where it is ready. Throws when it ends before. */
  static async start(program: string, ...args: readonly string[]): Promise<OwnProcess> {
    const child = spawn(process.execPath, [join(root, program), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', () => child.kill('SIGKILL'));
    let told = '';
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (told.length < 10_000) told += chunk.toString();
        const [, found] = /Ready .*?on (http:\S+)/.exec(told) ?? [];
        if (found !== undefined) resolve(found);
      });
      child.once('close', () => reject(new Error(`${program} ended: ${printable(told)}`)));
    });
    return new OwnProcess(url, child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }
}
