import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { median, quantile } from './quantile.ts';
import { bareResourceApp, deployedText, resourceCount, type SynthesizedStack, stacksIn } from './synth/l1-app.ts';

const rounds = 5;
const root = join(import.meta.dirname, '..');
const infra = join(root, 'infra');

/** Runs a command to its end and says how many seconds it took. */
async function secondsOf(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [program = '', ...args] = command;
  const began = performance.now();
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${Buffer.concat(complaints)}`);
  return (performance.now() - began) / 1000;
}

/**
 * How long the app in `infra/` takes to write its templates, from Node's start to the end of the process, beside a program that makes the same templates
 * of bare resources; and `cdk synth -q` around each, as users type it. They run in turn, in the other order every other round. Both sides pay for
 * CloudFormation's rules, which the CDK holds every template against (about two seconds).
 */
export async function synth(): Promise<Measurement> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-synth-'));
  try {
    const { context } = JSON.parse(readFileSync(join(infra, 'cdk.json'), 'utf8')) as { readonly context: object };
    const bare = join(directory, 'bare');
    mkdirSync(bare);
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    copyFileSync(join(infra, 'cdk.json'), join(bare, 'cdk.json'));
    writeFileSync(join(bare, 'package.json'), '{ "type": "module" }');

    const program = (cwd: string, out: string): (() => Promise<number>) => {
      const env = { CDK_OUTDIR: join(directory, out), CDK_CONTEXT_JSON: JSON.stringify(context) };
      return () => secondsOf([process.execPath, 'app.ts'], cwd, env);
    };
    const command = (cwd: string, out: string): (() => Promise<number>) => {
      const cdk = join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');
      return () => secondsOf([process.execPath, cdk, 'synth', '-q', '--output', join(directory, out)], cwd);
    };

    const ours = program(infra, 'ours');
    await ours();
    const stacks = stacksIn(join(directory, 'ours'));
    writeFileSync(join(bare, 'app.ts'), bareResourceApp(stacks));
    const theirs = program(bare, 'theirs');
    await theirs();
    demandEqual(stacks, stacksIn(join(directory, 'theirs')));

    const runs = [
      { what: 'the app', run: ours, seconds: [] as number[] },
      { what: 'bare resources', run: theirs, seconds: [] as number[] },
      { what: 'cdk synth -q of the app', run: command(infra, 'ours-by-cdk'), seconds: [] as number[] },
      { what: 'cdk synth -q of bare resources', run: command(bare, 'theirs-by-cdk'), seconds: [] as number[] },
    ] as const;
    for (let round = 0; round < rounds; round++) {
      for (const { run, seconds } of round % 2 === 0 ? runs : runs.toReversed()) {
        seconds.push(await run());
      }
    }
    const [app, l1, appByCdk, l1ByCdk] = runs.map(({ seconds }) => seconds) as [number[], number[], number[], number[]];
    const ratioToL1 = ratio(app, l1);
    const resources = resourceCount(stacks);
    return {
      json: {
        ratioToL1: rounded(ratioToL1),
        ratioOfCdkSynth: rounded(ratio(appByCdk, l1ByCdk)),
        seconds: rounded(median(app)),
        l1Seconds: rounded(median(l1)),
        cdkSynthSeconds: rounded(median(appByCdk)),
        resources,
        stacks: stacks.length,
      },
      tables: [
        {
          title: `${resources} resources in ${stacks.length} stacks, the whole process`,
          rows: runs.map(({ what, seconds }) => ({
            what,
            'median s': rounded(median(seconds)),
            'p10 s': rounded(quantile(seconds, 0.1)),
            'p90 s': rounded(quantile(seconds, 0.9)),
            runs: seconds.length,
          })),
        },
      ],
      bounds: [
        {
          text: `the whole app in ${rounded(median(appByCdk))} s with the command, under 10 s`,
          holds: median(appByCdk) < 10,
        },
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The two apps are worth comparing only where CloudFormation would make the same of both. */
function demandEqual(ours: readonly SynthesizedStack[], theirs: readonly SynthesizedStack[]): void {
  if (deployedText(ours) !== deployedText(theirs)) throw new Error('The bare resources are not those of the app.');
}

/** The median of the rounds' ratios. */
function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((seconds, round) => seconds / (theirs[round] ?? Number.NaN)));
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
