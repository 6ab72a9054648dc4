import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../core/problem/index.ts';
import { counted, printable } from '../core/text/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';
import { perform, type Session } from './session.ts';
import { secondsText, textTable } from './text-table.ts';

interface ReplayFlags extends CommonFlags {
  readonly all?: boolean;
}

/** Bytes. A day of looks of a large fleet. */
const largest = 256 * 1024 * 1024;

/** `sluice canary replay`: decides recorded looks again. */
export function addCanaryReplay(parent: Command, session: Session): void {
  addCommonFlags(
    parent
      .command('replay')
      .argument('<looks.jsonl>', 'the looks as a rollout recorded them')
      .option('--all', 'show every look, not only where something changed'),
  )
    .summary('decide recorded looks again')
    .description(
      'Decides every look of a rollout again, from its recorded readings, and shows where the decision is another one.',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    every decision is the same
  1    the file cannot be read
  100  a decision differs

Examples:
  $ sluice canary replay looks.jsonl
  $ sluice canary replay looks.jsonl --json`,
    )
    .action((file: string, flags: ReplayFlags) =>
      perform(session, flags, async () => {
        const { parseLooks, replay } = await import('../rollout/index.ts');
        const looks = replay(parseLooks(await textOf(session.streams.directory, file), file));
        const different = looks.filter(({ differences }) => differences.length > 0);
        const { stdout } = session.streams;
        if (flags.json === true) {
          stdout.write(
            `${JSON.stringify({ looks: looks.length, different: different.length, replayed: looks }, null, 2)}\n`,
          );
          return different.length > 0 ? 100 : 0;
        }
        const begin = looks[0]?.at ?? 0;
        const shown = looks.filter(
          ({ verdict, differences, stage }, index) =>
            flags.all === true ||
            differences.length > 0 ||
            index === looks.length - 1 ||
            verdict !== looks[index - 1]?.verdict ||
            stage.index !== looks[index - 1]?.stage.index,
        );
        const rows = shown.map(({ number, at, stage, recorded, verdict, differences }) => [
          String(number),
          secondsText((at - begin) / 1000),
          stage.kind === 'step' ? `${stage.weight} %` : stage.kind,
          recorded,
          verdict,
          differences.length === 0 ? 'same' : 'DIFFERENT',
        ]);
        stdout.write(textTable(['look', 'after', 'stage', 'recorded', 'now', ''], rows));
        for (const { number, differences } of different) {
          for (const difference of differences) stdout.write(`look ${number}: ${printable(difference)}\n`);
        }
        const last = looks.at(-1);
        for (const { metric, says, message } of last?.metrics ?? []) {
          stdout.write(`${printable(metric)} ${says}: ${printable(message)}\n`);
        }
        const { length } = different;
        stdout.write(
          length === 0
            ? `${counted(looks.length, 'look')}, every decision the same\n`
            : `${counted(length, 'look')} of ${looks.length} differ\n`,
        );
        return length > 0 ? 100 : 0;
      }),
    );
}

async function textOf(directory: string, file: string): Promise<string> {
  const path = resolve(directory, file);
  try {
    const { size } = await stat(path);
    if (size > largest) throw new Error(`${size} bytes are more than ${largest}`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new InputError(
      {
        code: 'unreadable-file',
        message: `cannot read the looks (${cause instanceof Error ? cause.message : String(cause)})`,
        place: { file },
        fix: 'Give the file of looks that the rollout wrote.',
      },
      { cause },
    );
  }
}
