import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { ConstructProblem } from '../../problem/index.ts';
import { sageMakerProblem } from '../accelerators.ts';
import type { BatchTransformProps } from './batch-transform.ts';
import { isSageMakerName } from './sagemaker-name.ts';
import { placeProblems } from './stored-place.ts';

/** Everything that SageMaker would refuse about a transform job, by https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html. */
export function batchTransformProblems(props: BatchTransformProps, scope: IConstruct): readonly ConstructProblem[] {
  const { container, input, output, instanceType, contentType = 'text/csv', split = 'line', strategy, join } = props;
  const { maxPayloadMb = 6, maxConcurrent, timeout, jobName } = props;
  const problems: ConstructProblem[] = [
    ...container.problems('container', scope),
    ...placeProblems(input, 'input'),
    ...placeProblems(output, 'output'),
  ];
  const demand = (holds: boolean, problem: ConstructProblem): void => {
    if (!holds) problems.push(problem);
  };
  const whole = (of: keyof BatchTransformProps, value: number | undefined, least: number, most: number): void => {
    demand(
      value === undefined || Token.isUnresolved(value) || (Number.isInteger(value) && value >= least && value <= most),
      {
        code: 'bad-transform',
        message: `${of} is none that SageMaker takes`,
        found: String(value),
        expected: `a whole number from ${least} to ${most}`,
        fix: 'Correct it, or leave it out.',
      },
    );
  };
  demand(container.props.model?.form !== 'files', {
    code: 'archive-only',
    message: 'container.model is a folder of files, and SageMaker takes archives only for batch transforms',
    found: container.props.model?.key ?? '',
    fix: 'Pack the files (tar -czf model.tar.gz) and use ModelData.archive.',
  });
  const unknown = Token.isUnresolved(instanceType)
    ? undefined
    : sageMakerProblem('instanceType', instanceType, 'transform');
  if (unknown !== undefined) problems.push(unknown);
  demand(jobName === undefined || Token.isUnresolved(jobName) || isSageMakerName(jobName, 26), {
    code: 'bad-job-name',
    message: 'jobName leaves no room for the rest of a job’s name, or is none',
    found: jobName ?? '',
    expected: 'at most 26 letters, digits and hyphens',
    fix: 'Shorten it.',
  });
  whole('instanceCount', props.instanceCount, 1, 100);
  whole('maxPayloadMb', maxPayloadMb, 0, 100);
  whole('maxConcurrent', maxConcurrent, 1, 1000);
  whole('requestRetries', props.requestRetries, 0, 3);
  whole('capacityRetries', props.capacityRetries, 0, 10);
  const seconds = props.requestTimeout?.toSeconds() ?? 600;
  demand(seconds >= 1 && seconds <= 3600, {
    code: 'bad-transform',
    message: 'requestTimeout is none that SageMaker takes',
    found: `${seconds} s`,
    expected: 'from 1 second to 1 hour',
    fix: 'Make requests smaller by maxPayloadMb.',
  });
  const all = timeout?.toSeconds() ?? 86_400;
  demand(all >= 600 && all <= 432_000, {
    code: 'bad-transform',
    message: 'timeout is none that a transform job has',
    found: `${all} s`,
    expected: 'from 10 minutes to 5 days, after which SageMaker stops a job',
    fix: 'Share the files out among several runs by folder.',
  });
  demand(maxConcurrent === undefined || maxConcurrent * maxPayloadMb <= 100, {
    code: 'bad-payload',
    message: 'maxConcurrent requests of maxPayloadMb are more than a container takes',
    found: `${maxConcurrent} × ${maxPayloadMb} MB`,
    expected: 'at most 100 MB together',
    fix: 'Lower one of them.',
  });
  demand(maxPayloadMb > 0 || split === 'none', {
    code: 'bad-payload',
    message: 'maxPayloadMb is 0, no bound, which SageMaker takes for whole files only',
    found: split,
    fix: "Set split: 'none', or a bound.",
  });
  demand(strategy !== 'multi-record' || split !== 'none', {
    code: 'bad-strategy',
    message: "strategy is 'multi-record' and files are not split into records",
    fix: "Set split: 'line', or leave strategy out.",
  });
  demand(join === undefined || /csv|json/i.test(contentType), {
    code: 'bad-join',
    message: 'join is given for data that SageMaker cannot take apart',
    found: contentType,
    expected: 'text/csv, application/json or application/jsonlines',
    fix: 'Leave join out.',
  });
  for (const [of, filter] of Object.entries({ inputFilter: join?.inputFilter, outputFilter: join?.outputFilter })) {
    demand(filter === undefined || (filter.startsWith('$') && filter.length <= 63), {
      code: 'bad-join',
      message: `join.${of} is no JSONPath that SageMaker takes`,
      found: filter ?? '',
      expected: '$, $[1:] or the like, at most 63 characters',
      fix: 'Begin it with $.',
    });
  }
  return problems;
}
