import { type Duration, Token } from 'aws-cdk-lib';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerInstance, sageMakerProblem } from '../accelerators.ts';
import type { SpotTrainingProps } from './spot-training-props.ts';

const day = 24 * 3600;
/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html */
const longestRun = 28 * day;
/** https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html: built-in algorithms that write no checkpoints. */
const longestWaitWithoutCheckpoints = 3600;

/** Everything that is wrong with the props, in the order of the props. */
export function problemsOf(props: SpotTrainingProps): readonly ConstructProblem[] {
  return [
    ...namesProblems(props),
    ...instanceProblems(props),
    ...timeProblems(props),
    ...checkpointProblems(props),
    ...textProblems(props),
    ...gateProblems(props),
  ];
}

function namesProblems({ trainingName, channels = {} }: SpotTrainingProps): readonly ConstructProblem[] {
  const names = Object.keys(channels);
  return [
    ...(trainingName === undefined ||
    Token.isUnresolved(trainingName) ||
    (/^[a-z0-9](-*[a-z0-9])*$/.test(trainingName) && trainingName.length <= 18)
      ? []
      : [
          {
            code: 'bad-training-name',
            message: 'trainingName is none that jobs could begin with',
            found: trainingName,
            expected: 'up to 18 small letters, digits and hyphens between them',
            fix: 'Shorten it, or leave it out.',
          },
        ]),
    ...names
      .filter((name) => !/^[A-Za-z0-9._-]{1,64}$/.test(name))
      .map((name) => ({
        code: 'bad-channel',
        message: 'channels has a name that SageMaker does not take',
        found: name,
        expected: 'up to 64 letters, digits, and ._-',
        fix: 'Rename the channel; the container finds it as /opt/ml/input/data/<name>.',
      })),
    ...(names.length <= 20
      ? []
      : [
          {
            code: 'too-many-channels',
            message: 'channels has more than a job can read',
            found: String(names.length),
            expected: 'at most 20',
            fix: 'Put several folders under one prefix.',
          },
        ]),
  ];
}

function instanceProblems(props: SpotTrainingProps): readonly ConstructProblem[] {
  const { instanceType, instanceCount = 1, volumeSize, volumeKey, pricePerHour, maxAttempts = 1, gate } = props;
  const problems: ConstructProblem[] = [];
  if (!Token.isUnresolved(instanceType)) {
    const unknown = sageMakerProblem('instanceType', instanceType, 'training');
    if (unknown !== undefined) problems.push(unknown);
    const ownDisks = sageMakerInstance(instanceType)?.accelerator?.nvmeGb ?? 0;
    const asked = volumeSize?.toGibibytes();
    if (ownDisks > 0 && asked !== undefined && asked * 1.073_741_824 > ownDisks) {
      problems.push({
        code: 'volume-too-large',
        message: `volumeSize is more than the disks of ${instanceType} hold, and SageMaker adds none to them`,
        found: `${asked} GiB`,
        expected: `at most ${Math.floor(ownDisks / 1.073_741_824)} GiB`,
        fix: 'Lower it, or leave it out: the container has all of the disks anyway.',
      });
    }
    if (ownDisks > 0 && volumeKey !== undefined) {
      problems.push({
        code: 'volume-key-unused',
        message: `volumeKey cannot encrypt the disks of ${instanceType}, which encrypt in hardware by a key of their own`,
        found: volumeKey.node.path,
        fix: 'Leave volumeKey out.',
      });
    }
  }
  if (
    gate !== undefined &&
    'image' in gate &&
    gate.instanceType !== undefined &&
    !Token.isUnresolved(gate.instanceType)
  ) {
    const unknown = sageMakerProblem('gate.instanceType', gate.instanceType, 'processing');
    if (unknown !== undefined) problems.push(unknown);
  }
  for (const [prop, count] of [
    ['instanceCount', instanceCount],
    ['maxAttempts', maxAttempts],
  ] as const) {
    if (
      Token.isUnresolved(count) ||
      (Number.isInteger(count) && count >= 1 && (prop === 'instanceCount' || count <= 99))
    )
      continue;
    problems.push({
      code: 'bad-count',
      message: `${prop} is no number of ${prop === 'instanceCount' ? 'instances' : 'jobs'}`,
      found: String(count),
      expected: prop === 'instanceCount' ? 'a whole number from 1' : 'a whole number from 1 to 99',
      fix: 'Give one, or leave it out.',
    });
  }
  if (pricePerHour !== undefined && !(pricePerHour > 0 && Number.isFinite(pricePerHour))) {
    problems.push({
      code: 'bad-price',
      message: 'pricePerHour is no price',
      found: String(pricePerHour),
      expected: 'dollars above 0',
      fix: 'Look up the on-demand price of the instance type in the region, or leave it out.',
    });
  }
  return problems;
}

function timeProblems(props: SpotTrainingProps): readonly ConstructProblem[] {
  const { spot = true, maxRun, maxWait, deadline, keepAlive } = props;
  const problems: ConstructProblem[] = [];
  const run = maxRun.toSeconds();
  if (run < 1 || run > longestRun) {
    problems.push({
      code: 'bad-max-run',
      message: 'maxRun is no time that SageMaker takes',
      found: maxRun.toHumanString(),
      expected: 'from 1 second to 28 days',
      fix: 'Give the longest time that the training may take.',
    });
  }
  if (!spot && maxWait !== undefined) {
    problems.push({
      code: 'wait-without-spot',
      message: 'maxWait is of spot jobs, and spot is off',
      found: maxWait.toHumanString(),
      fix: 'Leave maxWait out, or spot on.',
    });
  }
  if (spot && maxWait !== undefined && maxWait.toSeconds() < run) {
    problems.push(shorter('maxWait', maxWait, 'maxRun', maxRun, 'the time that the job trains counts into it'));
  }
  const longest = spot ? (maxWait ?? maxRun) : maxRun;
  if (deadline !== undefined && deadline.toSeconds() < longest.toSeconds()) {
    const name = spot && maxWait !== undefined ? 'maxWait' : 'maxRun';
    problems.push(shorter('deadline', deadline, name, longest, 'it would end the first job'));
  }
  if (keepAlive !== undefined && spot) {
    problems.push({
      code: 'warm-pool-with-spot',
      message: 'keepAlive keeps instances for the next job, which SageMaker does not do with spot capacity',
      found: keepAlive.toHumanString(),
      fix: 'Leave keepAlive out, or set spot: false.',
    });
  }
  if (keepAlive !== undefined && (keepAlive.toSeconds() < 1 || keepAlive.toSeconds() > 3600)) {
    problems.push({
      code: 'bad-keep-alive',
      message: 'keepAlive is no time that SageMaker takes',
      found: keepAlive.toHumanString(),
      expected: 'up to 1 hour',
      fix: 'Lower it.',
    });
  }
  return problems;
}

function shorter(name: string, value: Duration, than: string, other: Duration, why: string): ConstructProblem {
  return {
    code: 'time-too-short',
    message: `${name} is shorter than ${than}; ${why}`,
    found: value.toHumanString(),
    expected: `at least ${other.toHumanString()}`,
    fix: `Raise ${name}, or lower ${than}.`,
  };
}

function checkpointProblems(props: SpotTrainingProps): readonly ConstructProblem[] {
  const { spot = true, checkpoints, builtInAlgorithm = false, maxRun, maxWait } = props;
  const problems: ConstructProblem[] = [];
  if (spot && checkpoints === undefined && !builtInAlgorithm) {
    problems.push({
      code: 'no-checkpoints',
      message: 'checkpoints is missing: a spot job that is interrupted would begin anew each time',
      fix: 'Give a folder (checkpoints: { bucket, prefix }) and write to /opt/ml/checkpoints; for an algorithm of SageMaker that writes none, builtInAlgorithm: true.',
    });
  }
  const wait = maxWait?.toSeconds() ?? 2 * maxRun.toSeconds();
  if (spot && checkpoints === undefined && builtInAlgorithm && wait > longestWaitWithoutCheckpoints) {
    problems.push({
      code: 'wait-without-checkpoints',
      message: 'maxWait is more than SageMaker takes for an algorithm that writes no checkpoints',
      found: `${wait} seconds`,
      expected: 'at most 1 hour',
      fix: 'Give maxWait: Duration.hours(1) and a maxRun that is shorter, or checkpoints if the algorithm writes them.',
    });
  }
  const local = checkpoints?.localPath;
  if (local !== undefined && (!/^\/[^\s]*$/.test(local) || local.length > 4096)) {
    problems.push({
      code: 'bad-checkpoint-path',
      message: 'checkpoints.localPath is no folder of the container',
      found: local,
      expected: 'an absolute path',
      fix: 'Leave it out for /opt/ml/checkpoints.',
    });
  }
  return problems;
}

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html */
function textProblems({ hyperParameters = {}, environment = {} }: SpotTrainingProps): readonly ConstructProblem[] {
  const bounds = [
    { prop: 'hyperParameters', texts: hyperParameters, key: /^[\s\S]{1,256}$/, longest: 2500 },
    { prop: 'environment', texts: environment, key: /^[a-zA-Z_][a-zA-Z0-9_]{0,511}$/, longest: 512 },
  ];
  return bounds.flatMap(({ prop, texts, key, longest }) => [
    ...(Object.keys(texts).length <= 100
      ? []
      : [
          {
            code: 'too-many-texts',
            message: `${prop} has more than a job takes`,
            found: String(Object.keys(texts).length),
            expected: 'at most 100',
            fix: 'Put them into a file of a channel.',
          },
        ]),
    ...Object.entries(texts)
      .filter(
        ([name, text]) =>
          !Token.isUnresolved(text) && (!key.test(name) || text.length > longest || text.startsWith('{%')),
      )
      .map(([name, text]) => ({
        code: 'bad-text',
        message: `${prop} has a name or text that SageMaker or Step Functions does not take as it is`,
        found: name,
        expected: `at most ${longest} characters (it has ${text.length}), not beginning with {%`,
        fix: 'Shorten it, or put it into a file of a channel.',
      })),
  ]);
}

function gateProblems({ gate, compression }: SpotTrainingProps): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (gate !== undefined && compression === 'gzip') {
    problems.push({
      code: 'gate-needs-files',
      message: "compression: 'gzip' packs the model and its report, which the gate reads as files",
      fix: 'Leave compression out.',
    });
  }
  const paths =
    gate === undefined
      ? []
      : 'report' in gate
        ? [['gate.report', gate.report]]
        : [['gate.policyFile', gate.policyFile]];
  for (const [prop, path] of paths) {
    if (path === undefined || /^(?!.*(?:^|\/)\.\.?(?:\/|$))[\w.-]+(?:\/[\w.-]+)*$/.test(path)) continue;
    problems.push({
      code: 'bad-path',
      message: `${prop} is no file below its folder`,
      found: path,
      expected: 'report.json, gate/report.json',
      fix: 'Name a file of letters, digits and ._- without a slash at its start.',
    });
  }
  return problems;
}
