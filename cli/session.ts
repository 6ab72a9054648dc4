import type { Host } from '../core/host/index.ts';
import { SluiceError } from '../core/problem/index.ts';
import { wantsColour } from './colour.ts';
import type { CommonFlags } from './common-flags.ts';
import { renderError } from './render-error.ts';
import type { Streams } from './streams.ts';
import { terminalHost } from './terminal-host.ts';

/** One call of the command: where it writes, and the exit code its sub-command came to. */
export interface Session {
  readonly streams: Streams;
  /** 0: done, or the gate passed. 1: Sluice could not do its work. 100: the gate failed. */
  exitCode: number;
}

/** Runs a sub-command's work with a host for this terminal; turns what it throws into one clear message and exit code 1. */
export async function perform(
  session: Session,
  flags: CommonFlags,
  work: (host: Host) => Promise<number>,
): Promise<void> {
  const { stdout, stderr, environment } = session.streams;
  const colour = wantsColour(stderr, environment, flags.color);
  const inCi = (environment['CI'] ?? '') !== '' && environment['CI'] !== 'false';
  const host = terminalHost(stderr, {
    colour,
    quiet: flags.quiet === true,
    animate: stderr.isTTY === true && !inCi && environment['TERM'] !== 'dumb',
  });
  try {
    session.exitCode = await work(host);
  } catch (error) {
    session.exitCode = 1;
    const debug = flags.debug === true || (environment['SLUICE_DEBUG'] ?? '') !== '';
    stderr.write(renderError(error, { colour, debug }));
    if (flags.json === true) {
      const problems =
        error instanceof SluiceError
          ? error.problems
          : [{ code: 'unexpected', message: error instanceof Error ? error.message : String(error) }];
      stdout.write(`${JSON.stringify({ verdict: 'error', problems }, null, 2)}\n`);
    }
  }
}
