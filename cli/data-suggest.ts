import { dirname, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../core/problem/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { requireNew, writeNew } from './new-policy-file.ts';
import { perform, type Session } from './session.ts';

interface SuggestFlags extends CommonFlags {
  readonly output: string;
  readonly label?: string;
  readonly force?: boolean;
}

/** `sluice data suggest`: writes a commented policy of data checks that hold for a file, with margin. */
export function addDataSuggest(data: Command, session: Session): void {
  addCommonFlags(
    data
      .command('suggest')
      .argument('<source>', 'a data file, a pattern of files (rows/*.parquet) or s3://bucket/key')
      .option('--label <column>', 'the column whose classes are watched; guessed when not given')
      .option('--output <file>', 'where the policy goes', 'sluice.yaml')
      .option('--force', 'overwrite it when it is there'),
  )
    .summary('write a commented policy of checks that hold for a data file')
    .description(
      'Profiles a data file and writes a policy of checks that hold for it with room to spare, also for parts of it, with a comment on every line.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice data suggest data/train.csv
  $ sluice data suggest 'events/**/*.parquet' --label clicked --output events.yaml`,
    )
    .action((source: string, flags: SuggestFlags) =>
      perform(session, flags, async (host) => {
        const { directory, stdout } = session.streams;
        const output = resolve(directory, flags.output);
        requireNew(output, flags.output, flags.force);
        const { openEngine } = await import('../core/data/index.ts');
        const { readTableFacts } = await import('./init/column-facts.ts');
        const { readTextForms } = await import('./init/text-forms.ts');
        const { renderSuggestion } = await import('./init/data-suggestion.ts');
        await using engine = await openEngine({ host });
        const table = await engine.open(resolve(directory, source), { name: source });
        if (table.rows === 0) {
          throw new InputError({
            code: 'no-rows',
            message: 'checks cannot be suggested from a file without rows',
            place: { file: source },
            found: `${table.columns.length} columns and no rows`,
            expected: 'rows like those that are to be checked',
            fix: 'Give it a file that has data, such as an earlier one of the same kind.',
          });
        }
        const facts = await readTableFacts(engine, table);
        const forms = await readTextForms(engine, facts);
        const isAddress = /^s3:\/\//i.test(source);
        const path = isAddress ? source : relative(dirname(output), resolve(directory, source)).replaceAll('\\', '/');
        const text = renderSuggestion({
          path,
          facts,
          forms,
          ...(flags.label === undefined ? {} : { label: flags.label }),
        });
        const { parsePolicy } = await import('../core/policy/index.ts');
        const checks = parsePolicy(text, flags.output).policy.data?.flatMap((each) => each.checks).length ?? 0;
        await writeNew(output, flags.output, flags.force, text);
        if (flags.json === true) {
          stdout.write(`${JSON.stringify({ policy: flags.output, rows: table.rows, checks }, null, 2)}\n`);
        }
        host.info(`Wrote ${flags.output}: ${checks} data checks that hold for ${table.rows} rows, with room.`);
        host.info(`Next: sluice validate-data --policy ${flags.output}`);
        return 0;
      }),
    );
}
