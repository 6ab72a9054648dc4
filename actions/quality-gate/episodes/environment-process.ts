import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { PeerError, type Place, type Problem } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';

export interface EnvironmentOptions {
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
  /** The folder it runs in. */
  readonly directory: string;
  /** The policy line that names it. */
  readonly place: Place;
  /** For starting, and for each answer. */
  readonly answerMilliseconds: number;
  /** When all must be done, by `performance.now()`. */
  readonly deadline: number;
  /** Of the process and all it starts. */
  readonly memoryBytes: number;
}

/** A line that is longer is no observation. */
const longestLine = 16 * 1024 ** 2;
/** What is kept of what it writes to stderr. */
const longestComplaint = 4000;
/** How often its memory is looked at, in milliseconds. */
const watchEvery = 250;
/** How long it may take to end when it is told to, in milliseconds. */
const grace = 1000;

/**
 * The environment's process: one JSON message a line, asked and answered in turn. It is the repository's own code, so it runs as a test
 * does, and still it gets no secrets in its environment variables, and is ended with all it started when it hangs, grows or is done with.
 *
 * Whatever it does wrong is a `PeerError` with what it wrote to stderr; after one every later question throws it too.
 */
export class EnvironmentProcess {
  readonly #child: ChildProcess;
  readonly #options: EnvironmentOptions;
  readonly #watch: NodeJS.Timeout | undefined;
  readonly #ended: Promise<void>;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #complaint = '';
  #answers: unknown[] = [];
  #pending:
    | { readonly count: number; resolve(answers: readonly unknown[]): void; reject(error: PeerError): void }
    | undefined;
  #gone: PeerError | undefined;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    const [program = '', ...rest] = options.command;
    this.#child = spawn(program, rest, {
      cwd: options.directory,
      env: environmentVariables(),
      stdio: ['pipe', 'pipe', 'pipe'],
      shell: false,
      windowsHide: true,
      // The leader of a process group of its own, which ends as one.
      detached: process.platform !== 'win32',
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
    this.#child.on('error', ({ message }) =>
      this.#fail({
        code: 'environment-not-started',
        message: 'the environment of the episodes does not start',
        found: excerpt(message, 200),
        fix: 'Correct episodes.command, or install its program in an earlier step of the job.',
      }),
    );
    this.#child.on('close', (code, signal) =>
      this.#fail({
        code: 'environment-ended',
        message: 'the environment of the episodes ended before they were played',
        found: signal ?? `exit code ${code}`,
        fix: 'Run the command by hand and type {"command":"open","protocol":1}: it must answer and wait for the next line.',
      }),
    );
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString('utf8')).slice(-longestComplaint);
    });
    // That it is gone is told by `close`, with the reason.
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.on('error', () => {});
    process.on('exit', this.#kill);
    this.#watch = process.platform === 'linux' ? setInterval(() => void this.#weigh(), watchEvery) : undefined;
    this.#watch?.unref();
  }

  /** Sends messages at once and gives their answers in order, parsed. */
  async ask(messages: readonly object[]): Promise<readonly unknown[]> {
    if (messages.length === 0) return [];
    if (this.#gone !== undefined) throw this.#gone;
    const { answerMilliseconds, deadline } = this.#options;
    const left = deadline - performance.now();
    const late = setTimeout(
      () => this.#late(left < answerMilliseconds),
      Math.max(0, Math.min(left, answerMilliseconds)),
    );
    try {
      return await new Promise<readonly unknown[]>((resolve, reject) => {
        this.#pending = { count: messages.length, resolve, reject };
        this.#child.stdin?.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
      });
    } finally {
      clearTimeout(late);
      this.#pending = undefined;
    }
  }

  /** `undefined`, which is no JSON, where the line is none. */
  #parsed(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch {
      this.#fail({
        code: 'environment-no-json',
        message: 'the environment of the episodes wrote a line that is no JSON',
        found: excerpt(line, 120),
        expected: 'one JSON object a line on stdout, and everything else on stderr',
        fix: /\b(NaN|Infinity)\b/.test(line)
          ? 'JSON has no NaN and no infinity: mend what gave it, or leave the value out.'
          : 'Print what is no answer to stderr.',
      });
      return undefined;
    }
  }

  /** What it did wrong, as an error; it is ended. */
  refuse(problem: Omit<Problem, 'place'>): PeerError {
    return this.#fail(problem);
  }

  /** Tells it to end, waits a moment, and ends all it started. */
  async close(): Promise<void> {
    if (this.#gone === undefined) {
      this.#child.stdin?.end('{"command":"close"}\n');
      await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, grace).unref())]);
    }
    this.#fail({ code: 'environment-closed', message: 'the environment was closed', fix: 'Ask before it is closed.' });
    await this.#ended;
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#chunks.push(chunk.subarray(from, at));
      from = at + 1;
      const line = Buffer.concat(this.#chunks).toString('utf8').trim();
      this.#chunks = [];
      this.#bytes = 0;
      if (line === '') continue;
      if (this.#pending === undefined) {
        this.#fail({
          code: 'environment-unasked',
          message: 'the environment of the episodes wrote a line that nobody asked for',
          found: excerpt(line, 120),
          expected: 'exactly one line for each message',
          fix: 'Print what is no answer to stderr.',
        });
        return;
      }
      const answer = this.#parsed(line);
      if (answer === undefined) return;
      this.#answers.push(answer);
      if (this.#answers.length < this.#pending.count) continue;
      const answers = this.#answers;
      this.#answers = [];
      this.#pending.resolve(answers);
      this.#pending = undefined;
    }
    const rest = chunk.subarray(from);
    this.#bytes += rest.length;
    if (this.#bytes <= longestLine) this.#chunks.push(rest);
    else {
      this.#fail({
        code: 'environment-line-too-long',
        message: 'the environment of the episodes wrote a line without an end',
        found: `more than ${longestLine / 1024 ** 2} MiB`,
        fix: 'Write one line an answer; make observations smaller where they are that large.',
      });
    }
  }

  #late(byDeadline: boolean): void {
    const { answerMilliseconds } = this.#options;
    this.#fail(
      byDeadline
        ? {
            code: 'episodes-too-slow',
            message: 'the episodes were not played by their deadline',
            fix: 'Raise episodes.deadline, or lower episodes.count or max_steps.',
          }
        : {
            code: 'environment-hangs',
            message: 'the environment of the episodes does not answer',
            found: `no line within ${answerMilliseconds / 1000} s`,
            fix: 'Flush stdout after every line; raise episodes.timeout where it truly needs longer.',
          },
    );
  }

  #fail(problem: Omit<Problem, 'place'>): PeerError {
    const complaint = this.#complaint.trim();
    const said = complaint === '' ? '' : ` (stderr: ${excerpt(complaint.slice(-600), 600)})`;
    this.#gone ??= new PeerError({
      ...problem,
      place: this.#options.place,
      ...(problem.found === undefined && said === '' ? {} : { found: `${problem.found ?? 'nothing'}${said}` }),
    });
    clearInterval(this.#watch);
    process.off('exit', this.#kill);
    this.#kill();
    this.#pending?.reject(this.#gone);
    this.#pending = undefined;
    return this.#gone;
  }

  readonly #kill = (): void => {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill('SIGKILL');
      else process.kill(-pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  };

  async #weigh(): Promise<void> {
    const { memoryBytes } = this.#options;
    const { pid } = this.#child;
    if (pid === undefined || (await memoryOfGroup(pid)) <= memoryBytes || this.#gone !== undefined) return;
    this.#fail({
      code: 'environment-exhausts-memory',
      message: 'the environment of the episodes needs more memory than it may use',
      found: `more than ${Math.round(memoryBytes / 1e6)} MB`,
      fix: 'Raise episodes.memory_mb, or look for what grows from step to step.',
    });
  }
}

/** What programs and their interpreters need to start. Everything else, tokens above all, stays here. */
const passedOn = [
  ...['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot'],
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'PYTHONPATH', 'pythonLocation'],
];

function environmentVariables(): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(
      passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    // Python holds back what it prints into a pipe, and shuffles its sets; neither helps anybody here.
    PYTHONUNBUFFERED: '1',
    PYTHONHASHSEED: '0',
  };
}

/** Resident bytes of a process group, from `/proc`; 0 where that cannot be read. */
async function memoryOfGroup(group: number): Promise<number> {
  const names = await readdir('/proc').catch(() => []);
  const sizes = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
        // The program's name in parentheses may hold anything; what follows is fixed: state, parent, group, ...
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(fields[2]) === group ? Number(fields[21]) * 4096 : 0;
      }),
  );
  return sizes.reduce((sum, size) => sum + (Number.isFinite(size) ? size : 0), 0);
}
