import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { wantsColour } from './colour.ts';
import type { Session } from './session.ts';
import type { Streams } from './streams.ts';

/** What adds each sub-command, in the order of the help. Only the one that is called is loaded; all of them where it is the help, or no name of one. */
const subCommands: Readonly<Record<string, () => Promise<(program: Command, session: Session) => void>>> = {
  gate: async () => (await import('./gate.ts')).addGate,
  'validate-data': async () => (await import('./validate-data.ts')).addValidateData,
  'quality-gate': async () => (await import('./quality-gate.ts')).addQualityGate,
  'detect-drift': async () => (await import('./detect-drift.ts')).addDetectDrift,
  data: async () => (await import('./data.ts')).addData,
  smoke: async () => (await import('./smoke.ts')).addSmoke,
  'verify-bucket': async () => (await import('./verify-bucket.ts')).addVerifyBucket,
  init: async () => (await import('./init.ts')).addInit,
  lint: async () => (await import('./lint.ts')).addLint,
  schema: async () => (await import('./schema.ts')).addSchema,
  native: async () => (await import('./native.ts')).addNative,
  serve: async () => (await import('./serve.ts')).addServe,
  proxy: async () => (await import('./proxy.ts')).addProxy,
  canary: async () => (await import('./canary.ts')).addCanary,
};

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
  const [asked = ''] = argv;
  const named = Object.hasOwn(subCommands, asked) ? subCommands[asked] : undefined;
  const all = asked === '--version' ? [] : Object.values(subCommands);
  const wanted = await Promise.all((named === undefined ? all : [named]).map((load) => load()));
  for (const add of wanted) add(program, session);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 1;
  }
  return session.exitCode;
}
