import type { Command } from 'commander';
import { addCanaryGuard } from './canary-guard.ts';
import { addCanaryOrders } from './canary-orders.ts';
import { addCanaryPermissions } from './canary-permissions.ts';
import { addCanaryPlan } from './canary-plan.ts';
import { addCanaryReplay } from './canary-replay.ts';
import { addCanaryRole } from './canary-role.ts';
import { addCanaryContinue, addCanaryRun } from './canary-run.ts';
import { addCanarySimulate } from './canary-simulate.ts';
import { addCanaryStatus } from './canary-status.ts';
import type { Session } from './session.ts';

/** `sluice canary ...`: rollouts, what is told to them, and what can be tried before. */
export function addCanary(program: Command, session: Session): void {
  const canary = program
    .command('canary')
    .summary('open traffic to a new version by degrees')
    .description(
      'Opens traffic to a new version by degrees, as the policy\'s key "canary" says, watches both versions at every scrape, and goes back when harm is shown.',
    );
  for (const add of [
    addCanaryRun,
    addCanaryContinue,
    addCanaryStatus,
    addCanaryOrders,
    addCanaryPlan,
    addCanarySimulate,
    addCanaryReplay,
    addCanaryGuard,
    addCanaryRole,
    addCanaryPermissions,
  ])
    add(canary, session);
}
