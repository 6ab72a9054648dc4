import type { Command } from 'commander';
import { addDataImportGx, addDataImportPandera } from './data-import.ts';
import { addDataSuggest } from './data-suggest.ts';
import type { Session } from './session.ts';

/** The sub-commands of `sluice data`. */
const subCommands: readonly ((data: Command, session: Session) => void)[] = [
  addDataSuggest,
  addDataImportGx,
  addDataImportPandera,
];

/** `sluice data ...`: writing the policy's data checks from what is there already. */
export function addData(program: Command, session: Session): void {
  const data = program
    .command('data')
    .summary('write data checks from what is there already')
    .description('Writes data checks of a policy (its "data") from data files or from the suites of other tools.');
  for (const add of subCommands) add(data, session);
}
