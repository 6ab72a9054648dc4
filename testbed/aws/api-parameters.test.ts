/**
 * What reaches an API without CloudFormation in between, or by CloudFormation in the API's own shape, held to AWS's own model of the service
 * (botocore, offline): a parameter that there is not, a wrong type, a length out of range is refused here as it would be by the API.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsClient, type AwsEmulator, startAwsEmulator, unknownValue } from './aws-emulator.ts';
import { tasksOf } from './state-machine-tasks.ts';
import { appTemplates, galleryTemplates, resourceName, type TemplateResource } from './templates.ts';

let aws: AwsEmulator;
beforeAll(async () => {
  aws = await startAwsEmulator();
});
afterAll(() => aws?.stop());

const resources = [...galleryTemplates(), ...appTemplates()].flatMap(({ from, template }) =>
  Object.entries(template.Resources).map(([id, resource]) => ({
    from,
    name: resourceName(resource.Type, id),
    resource,
  })),
);
const ofType = (type: string) => resources.filter(({ resource }) => resource.Type === type);

describe('tasks of state machines', () => {
  const tasks = ofType('AWS::StepFunctions::StateMachine').flatMap(({ from, resource }) =>
    tasksOf(resource).map((task) => ({ from, ...task })),
  );

  test('start, look at and stop jobs of SageMaker', () => {
    const operations = tasks.filter(({ service }) => service === 'sagemaker').map(({ operation }) => operation);
    expect(new Set(operations)).toContain('CreateTrainingJob');
  });

  test.each(tasks)('$operation of "$state" in $from has no parameter that the API would refuse', async (task) => {
    expect(await aws.refusals(task.service, task.operation, task.parameters)).toBe('');
  });

  test('with a parameter that there is not are refused', async () => {
    const task = tasks.find(({ operation }) => operation === 'CreateTrainingJob');
    const misspelled = { ...task?.parameters, EnableManagedSpotTrainng: true };
    expect(await aws.refusals('sagemaker', 'CreateTrainingJob', misspelled)).toMatch(/EnableManagedSpotTrainng/);
  });
});

describe('a training job with the parameters of a state machine', () => {
  const spot = ofType('AWS::StepFunctions::StateMachine')
    .flatMap(({ from, resource }) => tasksOf(resource).map((task) => ({ from, ...task })))
    .filter(({ operation, parameters }) => operation === 'CreateTrainingJob' && 'CheckpointConfig' in parameters);

  test('is of more than one template', () => expect(spot.length).toBeGreaterThan(1));

  test.each(spot)('of $from is described as it was asked for', async ({ from, parameters }) => {
    const TrainingJobName = `${from}-1`.slice(0, 63);
    const texts = filled(parameters) as Readonly<Record<string, unknown>>;
    // An object of the run's own.
    const asked: Readonly<Record<string, unknown>> = { ...texts, HyperParameters: {}, TrainingJobName };
    await aws.call('sagemaker', 'create_training_job', asked);
    const said = await aws.call('sagemaker', 'describe_training_job', { TrainingJobName });
    for (const name of ['EnableManagedSpotTraining', 'CheckpointConfig', 'StoppingCondition', 'ResourceConfig']) {
      expect({ [name]: said[name] }).toEqual({ [name]: asked[name] });
    }
    expect(said.StoppingCondition.MaxWaitTimeInSeconds).toBeGreaterThanOrEqual(
      said.StoppingCondition.MaxRuntimeInSeconds,
    );
  });
});

/** Types whose properties are the parameters of an operation, but for the properties that only CloudFormation has. */
const shapes = [
  ['AWS::CloudWatch::Alarm', 'cloudwatch', 'PutMetricAlarm', []],
  ['AWS::CloudWatch::CompositeAlarm', 'cloudwatch', 'PutCompositeAlarm', []],
  // Its tags are an object there, and a list in CloudFormation.
  ['AWS::ApplicationAutoScaling::ScalableTarget', 'application-autoscaling', 'RegisterScalableTarget', ['Tags']],
  ['AWS::SageMaker::Model', 'sagemaker', 'CreateModel', []],
  ['AWS::SageMaker::EndpointConfig', 'sagemaker', 'CreateEndpointConfig', []],
  [
    'AWS::SageMaker::Endpoint',
    'sagemaker',
    'UpdateEndpoint',
    // Tags go by CreateEndpoint.
    ['Tags'],
  ],
] as const;

describe.each(shapes)('%s', (type, service, operation, cloudFormationOnly) => {
  test(`has no property that ${operation} would refuse`, async () => {
    const every = ofType(type);
    expect(every.length).toBeGreaterThan(0);
    const refused: string[] = [];
    for (const { from, name, resource } of every) {
      const found = await refusalsOf(aws, resource, service, operation, cloudFormationOnly);
      if (found !== '') refused.push(`${name} of ${from}: ${found}`);
    }
    expect(refused).toEqual([]);
  });
});

async function refusalsOf(
  client: AwsClient,
  { Type, Properties = {} }: TemplateResource,
  service: string,
  operation: string,
  cloudFormationOnly: readonly string[],
): Promise<string> {
  const kept = Object.entries(Properties).filter(([name]) => !cloudFormationOnly.includes(name));
  // CloudFormation chooses a name where none is given.
  const named = { 'AWS::SageMaker::Model': 'ModelName', 'AWS::SageMaker::EndpointConfig': 'EndpointConfigName' }[Type];
  const alarm = Type.startsWith('AWS::CloudWatch::') ? { AlarmName: unknownValue } : {};
  const defaults = named === undefined ? alarm : { [named]: unknownValue };
  return client.refusals(service, operation, { ...defaults, ...(unresolved(Object.fromEntries(kept)) as object) });
}

/** With functions of CloudFormation as what only a deployment knows. */
function unresolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unresolved);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && /^(?:Ref$|Fn::)/.test(entries[0]?.[0] ?? '')) return unknownValue;
  return Object.fromEntries(entries.map(([key, each]) => [key, unresolved(each)]));
}

/** With a text where only the run knows which. */
function filled(value: unknown): unknown {
  if (value === unknownValue) return 's3://models/of/a/run';
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each)]));
}
