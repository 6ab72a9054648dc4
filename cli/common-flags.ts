import type { Command } from 'commander';

/** Flags of every sub-command, as commander hands them over. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

export function addCommonFlags(command: Command): Command {
  return command
    .option('--json', 'only JSON on standard output')
    .option('--quiet', 'no log; of the report only the verdict and what is wrong')
    .option('--no-color', 'no colour; NO_COLOR and FORCE_COLOR are read too')
    .option('--debug', 'with an unexpected error show the stack; so does SLUICE_DEBUG=1');
}
