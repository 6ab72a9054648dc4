import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../core/problem/index.ts';
import { counted } from '../core/text/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import type { Draft } from './data-import/drafted-checks.ts';
import { requireNew, writeNew } from './new-policy-file.ts';
import { perform, type Session } from './session.ts';

interface ImportFlags extends CommonFlags {
  readonly source: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** Beyond this a file is no suite. */
const mostBytes = 16 * 1024 * 1024;

/** `sluice data import-gx`: a suite of Great Expectations as a policy. */
export function addDataImportGx(data: Command, session: Session): void {
  addImport(data, session, {
    name: 'import-gx <suite>',
    summary: 'write a policy from a suite of Great Expectations',
    description:
      'Writes a commented policy with the counterpart of every expectation that has one (JSON of version 1 or before), and lists the others.',
    example: 'sluice data import-gx gx/expectations/orders.json --source data/orders.parquet --output sluice.yaml',
    read: async (text, file) =>
      (await import('./data-import/gx-suite.ts')).draftOfGxSuite(await parsed(text, file), file),
  });
}

/** `sluice data import-pandera`: a pandera schema as a policy. */
export function addDataImportPandera(data: Command, session: Session): void {
  addImport(data, session, {
    name: 'import-pandera <schema>',
    summary: 'write a policy from a pandera schema',
    description:
      'Writes a commented policy with the counterpart of every check of a pandera data frame schema (YAML or JSON, as to_yaml and to_json write it), and lists the others.',
    example: 'sluice data import-pandera schema.yaml --source data/orders.parquet',
    read: async (text, file) =>
      (await import('./data-import/pandera-schema.ts')).draftOfPanderaSchema(await parsed(text, file), file),
  });
}

interface Import {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: string;
  read(text: string, file: string): Promise<Draft>;
}

function addImport(data: Command, session: Session, { name, summary, description, example, read }: Import): void {
  addCommonFlags(
    data
      .command(name)
      .option('--source <file>', 'the data the checks are about, relative to the policy', 'data.csv')
      .option('--output <file>', 'write the policy there instead of to standard output')
      .option('--force', 'overwrite it when it is there'),
  )
    .summary(summary)
    .description(description)
    .addHelpText('after', `\nExamples:\n  $ ${example}`)
    .action((file: string, flags: ImportFlags) =>
      perform(session, flags, async (host) => {
        const { directory, stdout } = session.streams;
        const draft = await read(await textOf(resolve(directory, file), file), file);
        if (draft.drafted.length === 0) throw nothingToImport(file, draft);
        const { importedPolicy } = await import('./data-import/imported-policy.ts');
        const { parsePolicy } = await import('../core/policy/index.ts');
        const text = importedPolicy(draft, flags.source);
        const checks = parsePolicy(text, flags.output ?? 'sluice.yaml').policy.data?.[0]?.checks.length ?? 0;
        if (flags.output !== undefined) {
          const output = resolve(directory, flags.output);
          requireNew(output, flags.output, flags.force);
          await writeNew(output, flags.output, flags.force, text);
        }
        if (flags.json === true)
          stdout.write(
            `${JSON.stringify({ ...(flags.output === undefined ? { policy: text } : { file: flags.output }), checks, left: draft.left }, null, 2)}\n`,
          );
        else if (flags.output === undefined) stdout.write(text);
        host.info(
          `${counted(checks, 'check')} from ${counted(draft.drafted.length, 'assertion')}; ${draft.left.length === 0 ? 'none' : counted(draft.left.length, 'assertion')} without a counterpart.`,
        );
        return 0;
      }),
    );
}

async function textOf(path: string, file: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new InputError(
      {
        code: 'unreadable-file',
        message: 'the file cannot be read',
        place: { file },
        found: (cause as NodeJS.ErrnoException).code ?? 'an error',
        fix: 'Check the path.',
      },
      { cause },
    );
  });
  if (bytes.length <= mostBytes) return bytes.toString('utf8');
  throw new InputError({
    code: 'file-too-large',
    message: 'the file is too large',
    place: { file },
    found: `${bytes.length} bytes`,
    expected: `at most ${mostBytes}`,
    fix: 'Is this the right file?',
  });
}

/** YAML, of which JSON is a part. */
async function parsed(text: string, file: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    // A few aliases are common; a billion of them are a bomb.
    return parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    throw new InputError(
      {
        code: 'unreadable-text',
        message: 'the file is neither JSON nor YAML',
        place: { file },
        found: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : '',
        fix: 'Export it again.',
      },
      { cause },
    );
  }
}

function nothingToImport(file: string, draft: Draft): InputError {
  return new InputError({
    code: 'nothing-to-import',
    message: 'none of its assertions has a counterpart',
    place: { file },
    found: `${draft.left.length} assertions${draft.left[0] === undefined ? '' : `, the first: ${draft.left[0].from} (${draft.left[0].why})`}`,
    fix: 'Write checks by hand, or let "sluice data suggest" write a first policy from the data.',
  });
}
