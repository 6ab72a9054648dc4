import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { InputError, PeerError } from '../../../core/problem/index.ts';
import { excerpt, printable } from '../../../core/text/index.ts';
import { fileTrouble } from '../file-trouble.ts';

/** What a program made of its run. */
export interface Ended {
  /** Its exit code; 128 and the signal's number when a signal ended it there, as shells have it. */
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export interface RunOptions {
  /** What the program reads from its standard input. Nothing when not given. */
  readonly input?: { readonly text: string } | { readonly file: string };
  /** Milliseconds until it is given up. @default 60000 */
  readonly timeoutMs?: number;
}

/** Runs programs on one machine. */
export interface HostShell {
  /** For people: `deploy@web-1`, `this machine`. Printable. */
  readonly title: string;
  /**
   * Runs a program with these arguments, each as it is, whatever characters it has. Any exit code is an answer. Throws a PeerError when
   * the machine cannot be reached, the program cannot be started, or takes too long: then it may have happened or not.
   */
  run(words: readonly string[], options?: RunOptions): Promise<Ended>;
}

/** This machine. */
export function openLocalShell(): HostShell {
  return {
    title: 'this machine',
    run: (words, options) => runProgram('this machine', words, options),
  };
}

export interface SshPlace {
  /** `deploy@10.0.0.1`, `web-1`, `deploy@web-1:2222`, or a name out of the configuration of ssh. */
  readonly at: string;
  /** ssh's own configuration (`ssh -F`): keys, jump hosts, known hosts. @default the user's */
  readonly config?: string | undefined;
}

/** The forms of an address; never one that ssh takes for an option. */
const sshAddress = /^(?<target>([A-Za-z_][A-Za-z0-9._-]{0,31}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252})(:(?<port>\d{1,5}))?$/;

/**
 * A machine behind the system's `ssh`. It never asks: no password, no unknown host key. The far shell has to be one of the Bourne family
 * (sh, bash, dash, ash, ksh, zsh): it gets one line in which every word is quoted. Throws an InputError for an address that is none.
 */
export function openSshShell({ at, config }: SshPlace): HostShell {
  const { target, port } = sshAddress.exec(at)?.groups ?? {};
  if (target === undefined || Number(port ?? 22) > 65_535) throw badAddress(at);
  const title = printable(at);
  const ssh = [
    'ssh',
    '-T',
    ...(config === undefined ? [] : ['-F', config]),
    ...(port === undefined ? [] : ['-p', port]),
    ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=15'],
    ...[
      '-o',
      'ServerAliveInterval=15',
      '-o',
      'ServerAliveCountMax=4',
      '-o',
      'ForwardAgent=no',
      '-o',
      'ClearAllForwardings=yes',
    ],
    '--',
    target,
  ];
  return {
    title,
    async run(words, options) {
      const ended = await runProgram(title, [...ssh, words.map(quotedWord).join(' ')], options);
      // ssh's own code for "no connection"; what ran over there and ended so looks the same, and is no better.
      if (ended.code !== 255) return ended;
      throw new PeerError({
        code: 'host-unreachable',
        message: `ssh to ${title} failed`,
        found: excerpt(ended.errors.trim().split('\n').at(-1) ?? '', 200),
        fix: `Try \`ssh -o BatchMode=yes ${target} true\` as the user who runs this: its key has to be accepted without a password, and the host's key has to be in known_hosts.`,
      });
    },
  };
}

/** A word as a Bourne shell reads it back unchanged, whatever is in it; no character is special within single quotes but the quote. */
export function quotedWord(word: string): string {
  if (word.includes('\0')) {
    throw new InputError({
      code: 'zero-byte',
      message: 'a word of a command cannot hold a zero byte',
      found: excerpt(word),
      fix: 'Remove it.',
    });
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Characters of what a program writes that are kept; the rest is read and dropped. */
const mostOutput = 2 ** 20;
/** Milliseconds from being asked to end until being ended. */
const graceMs = 2000;

function runProgram(
  title: string,
  [program = '', ...words]: readonly string[],
  { input, timeoutMs = 60_000 }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      env: plainEnvironment(),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    let late = false;
    let grace: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
      // What it started may keep its output open: nobody waits for that.
      grace = setTimeout(() => {
        child.kill('SIGKILL');
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, graceMs);
    }, timeoutMs);
    const stop = (): void => {
      clearTimeout(timer);
      clearTimeout(grace);
    };
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      if (output.length < mostOutput) output += part;
    });
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      if (errors.length < mostOutput) errors += part;
    });
    child.on('error', (cause) => {
      stop();
      reject(notStarted(title, program, cause));
    });
    let unread: unknown;
    child.on('close', (code, signal) => {
      stop();
      if (late) reject(tooSlow(title, program, timeoutMs));
      // A file that could not be read is our trouble; one that the program did not want to read to its end is the program's.
      else if (unread !== undefined && code === 0) reject(unreadable(unread));
      else resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), output, errors });
    });
    if (input === undefined || child.stdin === null) return;
    if ('text' in input) {
      child.stdin.on('error', () => {});
      child.stdin.end(input.text);
    } else {
      pipeline(createReadStream(input.file), child.stdin).catch((cause: unknown) => {
        unread = cause;
        child.stdin?.destroy();
      });
    }
  });
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

/** What commands need of the environment. The rest stays here: in a workflow it holds tokens. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ|TMPDIR|TERM|SSH_AUTH_SOCK|XDG_.*|DBUS_SESSION_BUS_ADDRESS)$/.test(
        name,
      ),
    ),
  );
}

function unreadable(cause: unknown): InputError {
  return new InputError(
    {
      code: 'unreadable-file',
      message: 'a file that was to be copied to a host cannot be read',
      found: fileTrouble(cause),
      fix: 'Leave it where it is until the rollout is over.',
    },
    { cause },
  );
}

function badAddress(at: string): InputError {
  return new InputError({
    code: 'bad-host-address',
    message: 'this is no address for ssh',
    found: excerpt(at),
    expected: 'HOST, USER@HOST or USER@HOST:PORT',
    fix: 'Write it like deploy@web-1.internal; what it cannot say (an IPv6 address, a jump host) gets a name in the configuration of ssh.',
  });
}

function notStarted(title: string, program: string, cause: Error): PeerError {
  const missing = 'code' in cause && cause.code === 'ENOENT';
  return new PeerError({
    code: 'no-program',
    message: `${excerpt(program)} cannot be started${program === 'ssh' ? '' : ` on ${title}`}`,
    found: excerpt(cause.message, 200),
    fix: missing ? `Install it (${excerpt(program)}), or put it on PATH.` : 'See that it may be run.',
  });
}

function tooSlow(title: string, program: string, timeoutMs: number): PeerError {
  return new PeerError({
    code: 'command-timeout',
    message: `${program === 'ssh' ? 'a command' : excerpt(program)} on ${title} took longer than ${timeoutMs / 1000} s and was given up`,
    fix: 'See what it waits for; raise "within" if it may take that long.',
  });
}
