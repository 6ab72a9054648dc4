import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../core/problem/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';

interface SchemaFlags extends CommonFlags {
  readonly output?: string;
}

/** `sluice schema`: the policy's JSON Schema, for editors. */
export function addSchema(program: Command, session: Session): void {
  addCommonFlags(program.command('schema').option('--output <file>', 'write it there instead of to standard output'))
    .summary("print the policy's JSON Schema")
    .description('Prints the JSON Schema (2020-12) of sluice.yaml. Editors complete and check a policy with it.')
    .addHelpText(
      'after',
      `
Examples:
  $ sluice schema --output sluice.schema.json
  then, as the first line of sluice.yaml:
  # yaml-language-server: $schema=sluice.schema.json`,
    )
    .action((flags: SchemaFlags) =>
      perform(session, flags, async (host) => {
        const { policyJsonSchema } = await import('../core/policy/index.ts');
        const text = `${JSON.stringify(policyJsonSchema(), null, 2)}\n`;
        if (flags.output === undefined) session.streams.stdout.write(text);
        else {
          await writeFile(resolve(session.streams.directory, flags.output), text).catch((cause: unknown) => {
            throw new InputError(
              {
                code: 'unwritable-file',
                message: `cannot write the schema (${cause instanceof Error ? cause.message : String(cause)})`,
                place: { file: flags.output ?? '' },
                fix: 'Give --output a file in a folder that exists and can be written.',
              },
              { cause },
            );
          });
          host.info(`Wrote ${flags.output}`);
        }
        return 0;
      }),
    );
}
