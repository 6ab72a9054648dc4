import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerInstance } from '../accelerators.ts';
import { deploymentProblems } from './endpoint-deployment.ts';
import { type EndpointKind, hasOwnDisks, variantName, variantProblems } from './endpoint-variant.ts';
import type { AsynchronousServing, DataCapture, ModelEndpointProps, ShadowVariant } from './model-endpoint.ts';
import { alarmCount, alarmProblems, ringsAfter } from './rollback-alarms.ts';
import { isSageMakerName } from './sagemaker-name.ts';
import { placeProblems } from './stored-place.ts';

/** Everything that SageMaker would refuse about an endpoint, or silently do otherwise. */
export function endpointProblems(
  props: ModelEndpointProps,
  kind: EndpointKind,
  scope: IConstruct,
): readonly ConstructProblem[] {
  const { variants, shadow, alarms = {}, deployment, dataCapture, asynchronous } = props;
  const count = variants.length;
  return [
    ...nameProblems(props),
    ...variants.flatMap((variant, index) => variantProblems(variant, `variants[${index}]`, kind, scope)),
    ...togetherProblems(props, kind),
    ...(shadow === undefined ? [] : shadowProblems(shadow, props, kind, scope)),
    ...(asynchronous === undefined ? [] : asynchronousProblems(asynchronous)),
    ...(asynchronous === undefined || alarms.minInvocations === undefined ? [] : [noInvocations]),
    ...(dataCapture === undefined ? [] : captureProblems(dataCapture)),
    ...(kind === 'serverless' ? serverlessProblems(props) : alarmProblems(alarms, count)),
    ...(deployment === undefined
      ? []
      : deploymentProblems(deployment, {
          kind,
          variants,
          shadow: shadow !== undefined,
          alarms: kind === 'serverless' ? 0 : alarmCount(alarms, count),
          ringsAfter: ringsAfter(alarms),
        })),
  ];
}

const noInvocations: ConstructProblem = {
  code: 'bad-alarm',
  message: 'alarms.minInvocations is given for an asynchronous endpoint, which tells no invocations',
  fix: 'Leave it out; metricBacklogPerInstance tells what waits.',
};

/** What is taken, and what a careful reader would change. */
export function endpointWarnings({ variants, shadow }: ModelEndpointProps): readonly ConstructProblem[] {
  const scaled = variants.filter(({ scaling }) => scaling !== undefined).map(variantName);
  const fixed = variants.filter(({ scaling }) => scaling === undefined).map(variantName);
  const all = [...variants, ...(shadow === undefined ? [] : [shadow])].flatMap(
    ({ instanceType }) => instanceType ?? [],
  );
  const withDisks = all.filter(hasOwnDisks);
  return [
    ...(withDisks.length > 0 && withDisks.length < all.length
      ? [
          {
            code: 'volumes-without-key',
            message: `${withDisks.join(', ')} has disks of its own, for which SageMaker takes no key: the volumes of the other instances have none either`,
            fix: 'Use instances of one sort.',
          },
        ]
      : []),
    ...variants.flatMap(({ container }, index) => container.warnings(`variants[${index}].container`)),
    ...(shadow?.container.warnings('shadow.container') ?? []),
    ...(scaled.length > 0 && fixed.length > 0
      ? [
          {
            code: 'instance-count-kept',
            message: `a deployment keeps how many instances there are, since ${scaled.join(', ')} scales: a changed instanceCount of ${fixed.join(', ')} has no effect`,
            fix: 'Give all variants scaling, or none.',
          },
        ]
      : []),
  ];
}

function nameProblems({ endpointName }: ModelEndpointProps): readonly ConstructProblem[] {
  if (endpointName === undefined || Token.isUnresolved(endpointName)) return [];
  if (isSageMakerName(endpointName)) return [];
  return [
    {
      code: 'bad-endpoint-name',
      message: 'endpointName is none that SageMaker takes',
      found: endpointName,
      expected: 'up to 63 letters, digits and hyphens',
      fix: 'Change it, or leave it out.',
    },
  ];
}

function togetherProblems({ variants, weights }: ModelEndpointProps, kind: EndpointKind): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const [...list] = variants;
  if (list.length < 1 || list.length > 10) {
    problems.push({
      code: 'bad-variants',
      message: 'an endpoint of SageMaker has from one to ten variants',
      found: String(list.length),
      fix: 'Make several endpoints.',
    });
  }
  const names = list.map(variantName);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) {
    problems.push({
      code: 'variant-name-twice',
      message: 'two variants have one name',
      found: [...new Set(twice)].join(', '),
      fix: 'Give each a name of its own, and keep it: deployments go by it.',
    });
  }
  const sum = list.reduce((all, { weight = 1 }) => all + weight, 0);
  if (list.length > 0 && !Token.isUnresolved(sum) && sum === 0) {
    problems.push({
      code: 'bad-weights',
      message: 'every variant has weight 0, so none would get a request',
      fix: 'Give one of them weight 1.',
    });
  }
  if (list.length > 1 && kind !== 'real-time') {
    problems.push({
      code: 'one-variant-only',
      message: `${kind === 'asynchronous' ? 'an asynchronous' : 'a serverless'} endpoint has one variant`,
      found: names.join(', '),
      fix: 'Make an endpoint for each, or serve in real time from instances.',
    });
  }
  if (kind === 'serverless' && list.some(({ serverless }) => serverless === undefined)) {
    problems.push({
      code: 'mixed-variants',
      message: 'some variants are serverless and some have instances',
      fix: 'Make an endpoint for each kind.',
    });
  }
  if (kind === 'asynchronous' && list.some(({ serverless }) => serverless !== undefined)) {
    problems.push({
      code: 'mixed-variants',
      message: 'an asynchronous endpoint runs on instances',
      fix: 'Leave serverless out; scaling.min: 0 makes it cost nothing while there is no work.',
    });
  }
  if (weights === 'kept' && list.length < 2) {
    problems.push({
      code: 'bad-weights',
      message: "weights is 'kept' and there is one variant, whose weight says nothing",
      fix: 'Leave weights out.',
    });
  }
  return problems;
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-exclusions.html */
function shadowProblems(
  shadow: ShadowVariant,
  { variants }: ModelEndpointProps,
  kind: EndpointKind,
  scope: IConstruct,
): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [...variantProblems(shadow, 'shadow', kind, scope)];
  if (kind !== 'real-time') {
    problems.push({
      code: 'shadow-excluded',
      message: `SageMaker copies no requests of ${kind} endpoints to a shadow`,
      fix: 'Serve in real time from instances.',
    });
  }
  if (variants.length !== 1) {
    problems.push({
      code: 'shadow-excluded',
      message: 'a shadow stands beside one variant, no more',
      found: variants.map(variantName).join(', '),
      fix: 'Shadow first, and share requests between variants later.',
    });
  }
  if (variants.some((variant) => variantName(variant) === shadow.name)) {
    problems.push({
      code: 'variant-name-twice',
      message: 'the shadow has the name of the variant',
      found: shadow.name,
      fix: 'Give it a name of its own.',
    });
  }
  const inf1 = [...variants, shadow].some(
    ({ instanceType = '' }) => sageMakerInstance(instanceType)?.family === 'inf1',
  );
  if (inf1) {
    problems.push({
      code: 'shadow-excluded',
      message: 'SageMaker has no shadows with Inf1 instances',
      fix: 'Use Inf2.',
    });
  }
  if (!Token.isUnresolved(shadow.share) && !(shadow.share > 0 && shadow.share <= 1)) {
    problems.push({
      code: 'bad-shadow-share',
      message: 'shadow.share is no share of the requests',
      found: String(shadow.share),
      expected: 'more than 0, at most 1',
      fix: 'Write a tenth as 0.1.',
    });
  }
  if ((variants[0]?.weight ?? 1) === 0) {
    problems.push({
      code: 'bad-shadow-share',
      message: 'the variant beside the shadow has weight 0, of which there is no share',
      fix: 'Leave its weight out.',
    });
  }
  return problems;
}

function asynchronousProblems({
  input,
  output,
  failures,
  concurrencyPerInstance,
}: AsynchronousServing): readonly ConstructProblem[] {
  return [
    ...placeProblems(input, 'asynchronous.input'),
    ...placeProblems(output, 'asynchronous.output'),
    ...(failures === undefined ? [] : placeProblems(failures, 'asynchronous.failures')),
    ...(concurrencyPerInstance === undefined ||
    (Number.isInteger(concurrencyPerInstance) && concurrencyPerInstance >= 1 && concurrencyPerInstance <= 1000)
      ? []
      : [
          {
            code: 'bad-asynchronous',
            message: 'asynchronous.concurrencyPerInstance is none that SageMaker takes',
            found: String(concurrencyPerInstance),
            expected: 'from 1 to 1000',
            fix: 'Leave it out, and SageMaker chooses.',
          },
        ]),
  ];
}

function captureProblems({ destination, samplingPercentage, what }: DataCapture): readonly ConstructProblem[] {
  return [
    ...placeProblems(destination, 'dataCapture.destination'),
    ...(Token.isUnresolved(samplingPercentage) ||
    (Number.isInteger(samplingPercentage) && samplingPercentage >= 1 && samplingPercentage <= 100)
      ? []
      : [
          {
            code: 'bad-sampling',
            message: 'dataCapture.samplingPercentage is no percentage',
            found: String(samplingPercentage),
            expected: 'a whole number from 1 to 100',
            fix: 'Write a tenth as 10.',
          },
        ]),
    ...(what === undefined || what.length > 0
      ? []
      : [
          {
            code: 'bad-capture',
            message: 'dataCapture.what is empty, so nothing would be kept',
            fix: 'Leave it out for requests and answers, or leave dataCapture out.',
          },
        ]),
  ];
}

/** https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html: feature exclusions. */
function serverlessProblems(props: ModelEndpointProps): readonly ConstructProblem[] {
  const { vpc, dataCapture, networkIsolation, alarms } = props;
  const given = Object.entries({
    vpc,
    dataCapture,
    networkIsolation: networkIsolation === true ? true : undefined,
    alarms,
  })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  if (given.length === 0) return [];
  return [
    {
      code: 'serverless-excludes',
      message: `a serverless endpoint has no ${given.join(', no ')}`,
      found: given.join(', '),
      fix: 'Leave them out, or serve from instances.',
    },
  ];
}
