import { policyDefaults } from '../../core/policy/index.ts';
import type { AnyProtocol } from '../protocol.ts';
import { realClock } from './clock.ts';
import { millisecondsOf } from './duration.ts';
import type { PlanOptions, SmokeFindings } from './plan-options.ts';
import { waitUntilReady } from './readiness.ts';
import { prepareTensors, smokeTensors } from './tensor-plan.ts';
import { smokeText } from './text-plan.ts';

/**
 * The smoke plan, in order: wait until the server is ready (the only thing that is retried), then what it says it is, what it answers, how
 * it takes nonsense, and how fast it is. A server that is not ready is asked nothing else.
 *
 * Throws a `SluiceError` where the plan itself cannot be carried out: the ONNX file cannot run its own golden inputs, for one. Whatever the
 * server does is a check.
 */
export async function runPlan(protocol: AnyProtocol, options: PlanOptions): Promise<SmokeFindings> {
  const { policy, placeOf, host, clock = realClock } = options;
  // What is wrong with the plan itself is told before anybody waits.
  const tensors = protocol.kind === 'tensor' ? await prepareTensors(options) : undefined;
  const ready = await host.group('Wait until the server is ready', () =>
    waitUntilReady(protocol, {
      deadline: millisecondsOf(policy.ready?.deadline ?? policyDefaults.smoke.deadline),
      place: placeOf(['smoke', 'ready', 'deadline']),
      clock,
      host,
    }),
  );
  if (ready.status !== 'pass') {
    const message = 'The server was not ready, so nothing else was asked of it.';
    return { checks: [ready], figures: [], notices: [{ level: 'warning', message }] };
  }
  const rest =
    protocol.kind === 'tensor'
      ? await smokeTensors(protocol, tensors, { ...options, clock })
      : await smokeText(protocol, { ...options, clock });
  return { ...rest, checks: [ready, ...rest.checks] };
}
