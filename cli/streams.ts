/** A stream the command writes to: what `process.stdout` is, and what a test puts in its place. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** All that the command sees of the machine it runs on, files apart. */
export interface Streams {
  /** What was asked for: the report, JSON, a schema. */
  readonly stdout: Output;
  /** The log: headings, progress, warnings, errors. Never part of what is piped on. */
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working directory: what paths among the flags are relative to. */
  readonly directory: string;
  /** From now on these signals come to `take` and no longer end the process: a server has to finish what it has. */
  takeSignals?(take: (signal: 'SIGINT' | 'SIGTERM') => void): void;
}

export function processStreams(): Streams {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    takeSignals: (take) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(signal).on(signal, take);
    },
  };
}
