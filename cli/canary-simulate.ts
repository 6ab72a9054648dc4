import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { SimulationSummary } from '../rollout/index.ts';
import { addCanaryTrialFlags, analysisOf, type CanaryTrialFlags, paceOf, strategyOf } from './canary-flags.ts';
import { perform, type Session } from './session.ts';
import { countText, secondsText, shareText, textTable } from './text-table.ts';

interface SimulateFlags extends CanaryTrialFlags {
  readonly shape: readonly string[];
  readonly rollouts: number;
  readonly seed: string;
  readonly requestsPerSecond?: number;
}

/** `sluice canary simulate`: the analysis over traffic with known faults. */
export function addCanarySimulate(parent: Command, session: Session): void {
  addCanaryTrialFlags(
    parent
      .command('simulate')
      .option('--shape <name>', 'a shape of faults, as often as needed; all when not given', collected, [])
      .option('--rollouts <number>', 'of each shape', whole, 20)
      .option('--seed <text>', 'another seed, other traffic', 'sluice')
      .option('--requests-per-second <number>', "instead of the shape's", whole),
  )
    .summary('rollouts over simulated traffic with known faults')
    .description(
      'Runs whole rollouts over traffic of known shapes, healthy and not, and says how they end. The same seed gives the same numbers.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice canary simulate
  $ sluice canary simulate --shape healthy --shape errors-2 --rollouts 500 --weights 5,50 --json`,
    )
    .action((flags: SimulateFlags) =>
      perform(session, flags, async (host) => {
        const { analysisSettings, openAnalysis, simulateRollout, summarised, trafficShapes } = await import(
          '../rollout/index.ts'
        );
        const unknown = flags.shape.filter((name) => !trafficShapes.some((shape) => shape.name === name));
        if (unknown.length > 0) {
          throw new InputError({
            code: 'unknown-shape',
            message: `there is no shape ${unknown.map((name) => excerpt(name)).join(', ')}`,
            place: { key: '--shape' },
            expected: trafficShapes.map(({ name }) => name).join(', '),
            fix: 'Name one of these shapes.',
          });
        }
        const wanted = trafficShapes.filter(({ name }) => flags.shape.length === 0 || flags.shape.includes(name));
        const { requestsPerSecond } = flags;
        const progress = host.progress('rollouts');
        const summaries: (SimulationSummary & { readonly says: string; readonly healthy: boolean })[] = [];
        for (const [index, given] of wanted.entries()) {
          const shape = requestsPerSecond === undefined ? given : { ...given, requestsPerSecond };
          // Latency is judged where the shape has it; --slo-ms sets another bound.
          const own = shape.latency === undefined ? withoutSlo(flags) : { ...flags, sloMs: flags.sloMs ?? 100 };
          const policy = {
            analyst: openAnalysis(analysisOf(own, analysisSettings)),
            strategy: strategyOf(flags),
            ...paceOf(flags),
          };
          const rollouts = Array.from({ length: flags.rollouts }, (_, rollout) => {
            progress.update(index * flags.rollouts + rollout, wanted.length * flags.rollouts);
            return simulateRollout(policy, shape, `${flags.seed} ${rollout}`);
          });
          summaries.push({ ...summarised(shape.name, rollouts), says: shape.says, healthy: shape.healthy });
        }
        progress.end();
        const { stdout } = session.streams;
        if (flags.json === true) stdout.write(`${JSON.stringify({ seed: flags.seed, shapes: summaries }, null, 2)}\n`);
        else stdout.write(table(summaries));
        return 0;
      }),
    );
}

function table(summaries: readonly (SimulationSummary & { readonly healthy: boolean })[]): string {
  const head = [
    'shape',
    'right',
    'rolled back',
    'promoted',
    'no end',
    'to rollback',
    'requests',
    'to promote',
    'harmed',
  ];
  const rows = summaries.map((each) => [
    each.shape,
    shareText((each.healthy ? each.rollouts - each.rolledBack : each.rolledBack) / each.rollouts),
    countText(each.rolledBack),
    countText(each.promoted),
    countText(each.expired),
    each.secondsToRollback === undefined ? '-' : secondsText(each.secondsToRollback),
    each.requestsToRollback === undefined ? '-' : countText(each.requestsToRollback),
    each.secondsToPromote === undefined ? '-' : secondsText(each.secondsToPromote),
    countText(each.harmed),
  ]);
  return `${textTable(head, rows)}\n"right": healthy ones that were not rolled back, harmful ones that were. Times and requests are medians, "harmed" is the mean.\n`;
}

function withoutSlo({ sloMs: _, ...flags }: SimulateFlags): SimulateFlags {
  return flags;
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1_000_000) return value;
  throw new InvalidArgumentError('Write a whole number from 1 to 1000000.');
}

function collected(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}
