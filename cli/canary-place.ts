import type { Command } from 'commander';
import type { CanaryPlace } from '../actions/canary/run.ts';
import { addCommonFlags, type CommonFlags } from './common-flags.ts';

/** Flags that say which rollout is meant. */
export interface CanaryPlaceFlags extends CommonFlags {
  readonly policy: string;
  readonly id?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function addCanaryPlaceFlags(command: Command, id: string): Command {
  return addCommonFlags(
    command
      .option('--policy <file>', 'the policy with the key "canary"', 'sluice.yaml')
      .option('--id <text>', id)
      .option('--kubeconfig <file>', 'the kubeconfig; KUBECONFIG, else the usual one, when not given')
      .option('--context <name>', "the kubeconfig's context"),
  );
}

export function canaryPlaceOf({ policy, id, kubeconfig, context }: CanaryPlaceFlags, directory: string): CanaryPlace {
  return {
    policyFile: policy,
    directory,
    ...(id === undefined ? {} : { id }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
}
