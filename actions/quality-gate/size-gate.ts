import type { ModelFacts } from '../../core/onnx/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import type { Bound, Check, Unit } from '../../core/report/index.ts';
import { exactInterval } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { boundCheck, type Demand, skipped, unjudged } from './bound-check.ts';
import { changeOf } from './metric-gate.ts';
import { counted, numberText } from './number-text.ts';
import type { NoBaseline } from './subject.ts';

/** A megabyte is 10^6 bytes, as disks and downloads count. */
const megabyte = 1e6;

/** Holds facts of the file against their bounds. No measurement, so no uncertainty: exact in every run. */
export function sizeChecks(
  policy: EffectivePolicy,
  candidate: ModelFacts,
  baseline: ModelFacts | undefined,
  noBaseline: NoBaseline,
): readonly Check[] {
  const size = policy.policy.gates?.size;
  if (size === undefined) return [];
  const megabytes = candidate.bytes / megabyte;
  const of = (key: string, bound: Bound, unit: Unit, title: string): Demand => ({
    id: `gate/size/${key}`,
    title,
    bound,
    unit,
    severity: size.severity,
    reason: size.reason,
    place: policy.placeOf(['gates', 'size', key]),
  });
  const checks: Check[] = [];
  if (size.max_mb !== undefined) {
    checks.push(
      boundCheck(of('max_mb', { kind: 'max', value: size.max_mb }, 'MB', `model size ≤ ${size.max_mb} MB`), {
        observed: megabytes,
        ...(baseline === undefined ? {} : { baseline: baseline.bytes / megabyte }),
        interval: exactInterval(megabytes),
        said: `The model, with external data, has ${candidate.bytes.toLocaleString('en-US')} bytes`,
      }),
    );
  }
  if (size.max_parameters !== undefined) {
    checks.push(
      boundCheck(
        of(
          'max_parameters',
          { kind: 'max', value: size.max_parameters },
          'count',
          `parameters ≤ ${size.max_parameters.toLocaleString('en-US')}`,
        ),
        {
          observed: candidate.parameters,
          ...(baseline === undefined ? {} : { baseline: baseline.parameters }),
          interval: exactInterval(candidate.parameters),
          said: `The model has ${candidate.parameters.toLocaleString('en-US')} parameters`,
        },
      ),
    );
  }
  if (size.max_operators !== undefined) {
    const most = size.max_operators.toLocaleString('en-US');
    checks.push(
      boundCheck(of('max_operators', { kind: 'max', value: size.max_operators }, 'count', `operators ≤ ${most}`), {
        observed: candidate.operators,
        ...(baseline === undefined ? {} : { baseline: baseline.operators }),
        interval: exactInterval(candidate.operators),
        said: `The graph has ${candidate.operators.toLocaleString('en-US')} nodes: ${mostUsed(candidate)}`,
      }),
    );
  }
  if (size.max_macs !== undefined) {
    const title = `operations of a row ≤ ${size.max_macs.toLocaleString('en-US')}`;
    checks.push(
      computationCheck(
        of('max_macs', { kind: 'max', value: size.max_macs }, 'count', title),
        size.max_macs,
        candidate,
        baseline,
      ),
    );
  }
  if (size.min_opset !== undefined) {
    const demand = of('min_opset', { kind: 'min', value: size.min_opset }, 'none', `opset ≥ ${size.min_opset}`);
    const opset = opsetOf(candidate);
    checks.push(
      opset === undefined
        ? unjudged(demand, 'The model imports no version of the operator set ai.onnx')
        : boundCheck(demand, {
            observed: opset,
            interval: exactInterval(opset),
            said: `The model imports version ${opset} of the operator set ai.onnx`,
          }),
    );
  }
  if (size.max_regression !== undefined) {
    const { change, relative } = changeOf(size.max_regression);
    const demand = of(
      'max_regression',
      { kind: 'max_regression', value: change, ...(relative ? { relative } : {}) },
      'MB',
      `model size at most ${size.max_regression}${relative ? '' : ' MB'} larger`,
    );
    checks.push(
      baseline === undefined
        ? (noBaseline.kind === 'absent' ? skipped : unjudged)(demand, noBaseline.why)
        : grown(demand, candidate, baseline, change, relative),
    );
  }
  return checks;
}

/** Where a part of the cost is unknown, what is known can only prove too much. */
function computationCheck(
  demand: Demand,
  most: number,
  candidate: ModelFacts,
  baseline: ModelFacts | undefined,
): Check {
  const { operations, unknown, byOperator } = candidate.computation;
  const [first] = unknown;
  if (first !== undefined && operations <= most) {
    const nodes = unknown.reduce((sum, each) => sum + each.nodes, 0);
    return unjudged(
      demand,
      `What ${counted(nodes, 'node')} of the model ${nodes === 1 ? 'costs' : 'cost'} is not known: ${excerpt(first.operator, 60)}, ${first.why}. Export it with fixed sizes (but the batch), or run symbolic shape inference over it`,
    );
  }
  const parts = Object.entries(byOperator)
    .slice(0, 3)
    .map(([operator, cost]) => `${cost.toLocaleString('en-US')} of ${excerpt(operator, 40)}`);
  return boundCheck(demand, {
    observed: operations,
    ...(baseline === undefined || baseline.computation.unknown.length > 0
      ? {}
      : { baseline: baseline.computation.operations }),
    interval: exactInterval(operations),
    said: `One row takes ${first === undefined ? '' : 'at least '}${operations.toLocaleString('en-US')} multiply-accumulates or visits of tree nodes${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`,
  });
}

/** The operators that the graph has most of: `20 Conv, 17 Relu, 8 others`. */
function mostUsed({ operatorsByType }: ModelFacts): string {
  const uses = Object.entries(operatorsByType).sort(([, one], [, other]) => other - one);
  const shown = uses
    .slice(0, 4)
    .map(([operator, count]) => `${count.toLocaleString('en-US')} ${excerpt(operator, 40)}`);
  const rest = uses.slice(4).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest === 0 ? [] : [`${rest.toLocaleString('en-US')} others`])].join(', ');
}

/** The version of ONNX's own operator set that the model imports. */
export function opsetOf(facts: ModelFacts): number | undefined {
  return facts.opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
}

function grown(demand: Demand, candidate: ModelFacts, baseline: ModelFacts, change: number, relative: boolean): Check {
  const more = (candidate.bytes - baseline.bytes) / (relative ? baseline.bytes : megabyte);
  return boundCheck(demand, {
    observed: candidate.bytes / megabyte,
    baseline: baseline.bytes / megabyte,
    interval: exactInterval(more),
    against: { kind: 'max', value: change },
    ...(relative ? { intervalUnit: 'share' as const } : {}),
    said: `The model has ${candidate.bytes.toLocaleString('en-US')} bytes, the baseline ${baseline.bytes.toLocaleString('en-US')}: ${
      more === 0
        ? 'no change'
        : `${numberText(Math.abs(relative ? more * 100 : more))} ${relative ? '%' : 'MB'} ${more > 0 ? 'larger' : 'smaller'}`
    }`,
  });
}
