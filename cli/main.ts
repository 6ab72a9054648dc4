import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addCanary } from './canary.ts';
import { wantsColour } from './colour.ts';
import { addData } from './data.ts';
import { addDetectDrift } from './detect-drift.ts';
import { addGate } from './gate.ts';
import { addInit } from './init.ts';
import { addLint } from './lint.ts';
import { addNative } from './native.ts';
import { addProxy } from './proxy.ts';
import { addQualityGate } from './quality-gate.ts';
import { addSchema } from './schema.ts';
import { addServe } from './serve.ts';
import type { Session } from './session.ts';
import { addSmoke } from './smoke.ts';
import type { Streams } from './streams.ts';
import { addValidateData } from './validate-data.ts';
import { addVerifyBucket } from './verify-bucket.ts';

/** The command `sluice`, from its arguments to its exit code. Never ends the process and never throws for a user's mistake. */
export async function main(argv: readonly string[], streams: Streams): Promise<number> {
  const session: Session = { streams, exitCode: 0 };
  const program = new Command('sluice')
    .description('Decides whether a machine-learning model may be released.')
    .version(manifest.version)
    // `sluice smoke --version 3` is the served model's.
    .enablePositionalOptions()
    .showHelpAfterError('(sluice <command> --help shows what it takes)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      getOutHelpWidth: () => streams.stdout.columns ?? 100,
      getErrHelpWidth: () => streams.stderr.columns ?? 100,
      getOutHasColors: () => wantsColour(streams.stdout, streams.environment, true),
      getErrHasColors: () => wantsColour(streams.stderr, streams.environment, true),
    });
  for (const add of [
    addGate,
    addValidateData,
    addQualityGate,
    addDetectDrift,
    addData,
    addSmoke,
    addVerifyBucket,
    addInit,
    addLint,
    addSchema,
    addNative,
    addServe,
    addProxy,
    addCanary,
  ])
    add(program, session);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 1;
  }
  return session.exitCode;
}
