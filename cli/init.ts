import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { requireNew, writeNew } from './new-policy-file.ts';
import { perform, type Session } from './session.ts';

interface InitFlags extends CommonFlags {
  readonly data: string;
  readonly model: string;
  readonly evaluation?: string;
  readonly target?: string;
  readonly ignore?: readonly string[];
  readonly output: string;
  readonly force?: boolean;
}

/** `sluice init`: writes a commented policy that passes on the files as they are. */
export function addInit(program: Command, session: Session): void {
  addCommonFlags(
    program
      .command('init')
      .requiredOption('--data <file>', 'the training data, CSV or Parquet: the data checks are set from it')
      .requiredOption('--model <file>', 'the model, ONNX')
      .option('--evaluation <file>', 'rows to judge the model on; test.csv beside train.csv is found by itself')
      .option('--target <column>', 'the column the model predicts; guessed when not given')
      .option('--ignore <columns...>', 'columns that are neither features nor target')
      .option('--output <file>', 'where the policy goes', 'sluice.yaml')
      .option('--force', 'overwrite it when it is there'),
  )
    .summary('write a commented policy from a data file and a model')
    .description(
      'Writes a policy whose bounds hold for a data file and a model as they are today, with a comment on every line.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice init --data data/train.csv --model models/churn.onnx
  $ sluice init --data data/train.parquet --evaluation data/test.parquet --model m.onnx --target label --ignore id`,
    )
    .action((flags: InitFlags) =>
      perform(session, flags, async (host) => {
        const { directory, stdout } = session.streams;
        const output = resolve(directory, flags.output);
        requireNew(output, flags.output, flags.force);
        const { draftPolicy } = await import('./init/draft-policy.ts');
        const { renderPolicyDraft } = await import('./init/policy-draft.ts');
        const evaluation = flags.evaluation ?? neighbourForTest(flags.data, directory);
        const draft = await draftPolicy(
          {
            directory,
            folder: dirname(output),
            data: flags.data,
            model: flags.model,
            ...(evaluation === undefined ? {} : { evaluation }),
            ...(flags.target === undefined ? {} : { target: flags.target }),
            ignore: flags.ignore ?? [],
          },
          host,
        );
        const text = renderPolicyDraft(draft);
        const { parsePolicy } = await import('../core/policy/index.ts');
        const checks = parsePolicy(text, flags.output).policy.data?.flatMap((source) => source.checks).length ?? 0;
        await writeNew(output, flags.output, flags.force, text);
        const gates = draft.metrics.length + 2;
        if (flags.json === true) stdout.write(`${JSON.stringify({ policy: flags.output, checks, gates }, null, 2)}\n`);
        host.info(`Wrote ${flags.output}: ${checks} data checks and ${gates} gates. Every line says why it is there.`);
        host.info(`Next: sluice gate --policy ${flags.output}`);
        return 0;
      }),
    );
}

/** `test.csv` beside `train.csv`: the way most people cut a data set in two. */
function neighbourForTest(data: string, directory: string): string | undefined {
  const name = basename(data);
  return ['test', 'validation', 'valid', 'val', 'eval', 'holdout']
    .map((word) => join(dirname(data), name.replace(/train(?:ing)?/i, word)))
    .find((file) => basename(file) !== name && existsSync(resolve(directory, file)));
}
