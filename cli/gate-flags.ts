import type { Command } from 'commander';
import type { GateInputs } from '../github/index.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';

/** Flags of `gate`, `validate-data` and `quality-gate`. */
export interface GateFlags extends CommonFlags {
  readonly policy: string;
  readonly base?: string;
  readonly report?: string;
  readonly exitZero?: boolean;
}

export function addGateFlags(command: Command): Command {
  return addCommonFlags(
    command
      .option('--policy <file>', "the policy; paths in it are relative to the policy's own folder", 'sluice.yaml')
      .option('--base <ref>', 'a git ref: judge by the stricter of its policy and this one, against its model')
      .option('--report <folder>', 'write report.html, report.json, report.md, report.junit.xml and report.sarif there')
      .option('--exit-zero', 'exit with 0 where the gate failed, for a job whose report is read afterwards'),
  );
}

/** What an action is told by its inputs, from flags. A command never publishes: there is no token and no comment. */
export function gateInputsOf(flags: GateFlags, directory: string): GateInputs {
  return {
    policyFile: flags.policy,
    directory,
    ...(flags.base === undefined ? {} : { base: { kind: 'ref', ref: flags.base } as const }),
    ...(flags.report === undefined ? {} : { reportDirectory: flags.report }),
    comment: 'never',
    checkRun: false,
  };
}
