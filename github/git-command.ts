import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface GitOptions {
  /** The repository's top folder. */
  readonly root: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  /** A child that runs longer is ended; 120 s when not given. */
  readonly timeoutMs?: number;
}

/** git ended with a code other than 0, could not be started, or took too long. The message is its last words. */
class GitFailure extends Error {
  readonly code: number | undefined;

  constructor(message: string, code: number | undefined) {
    super(message);
    this.name = 'GitFailure';
    this.code = code;
  }
}

// Set inside of hooks and `git rebase --exec`; they would point git at another repository than `root`.
const foreignRepository = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_NAMESPACE',
];

function environment(extra: Readonly<Record<string, string>> | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LC_ALL: 'C',
    // Never wait for a password, never hang on a dead line.
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_HTTP_LOW_SPEED_LIMIT: '1000',
    GIT_HTTP_LOW_SPEED_TIME: '30',
    GIT_OPTIONAL_LOCKS: '0',
    ...extra,
  };
  for (const name of foreignRepository) delete env[name];
  return env;
}

/** Runs git without a shell and hands its standard output to `file`, or returns it. Throws a `GitFailure`. */
export async function git(parameters: readonly string[], options: GitOptions): Promise<Buffer>;
export async function git(parameters: readonly string[], options: GitOptions, file: string): Promise<undefined>;
export async function git(
  parameters: readonly string[],
  options: GitOptions,
  file?: string,
): Promise<Buffer | undefined> {
  const child = spawn('git', ['-C', options.root, '--literal-pathspecs', ...parameters], {
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    timeout: options.timeoutMs ?? 120_000,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  // A child that does not read its input closes the pipe; its exit code tells the story.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    if (words.length < 64) words.push(chunk);
  });
  try {
    const [output, code] = await Promise.all([
      file === undefined
        ? collect(child.stdout)
        : pipeline(child.stdout, createWriteStream(file)).then(() => undefined),
      ended,
    ]);
    if (code !== 0) {
      const said = Buffer.concat(words).toString('utf8').trim();
      throw new GitFailure(
        said === '' ? `git ${parameters[0]} ended with ${code ?? child.signalCode}` : said,
        code ?? undefined,
      );
    }
    return output;
  } catch (error) {
    if (error instanceof GitFailure) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new GitFailure(code === 'ENOENT' ? 'git is not installed' : String(error), undefined);
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
