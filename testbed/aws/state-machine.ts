import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { StateMachineDefinition } from '../../constructs/aws/training/state.ts';
import { awsPython } from './python.ts';

/** What happens around an execution. */
export interface Scenario {
  /** Of the state machine, as JSON. */
  readonly definition: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** The name of the execution. @default the scenario's */
  readonly execution?: string;
  /** Buckets that are there. */
  readonly buckets?: readonly string[];
  readonly objects?: readonly { readonly Bucket: string; readonly Key: string; readonly Body: string }[];
  /** What becomes of each training job in turn; the last also of those after it. @default they complete */
  readonly training?: readonly Job[];
  /** The same of the jobs of the gate. @default they complete */
  readonly gate?: readonly Job[];
  /** The same of transform jobs. */
  readonly transform?: readonly Job[];
  /** StopTransformJob is refused by these, in turn. */
  readonly stopRefused?: readonly Refusal[];
  /** How a training job is once it was stopped. */
  readonly stopped?: Look;
}

export interface Job {
  /** The job is not made. */
  readonly refused?: Refusal;
  /** The job is made, and who asked for it hears that it was there already. */
  readonly answerLost?: boolean;
  /** What describing it answers, each time the next; the last also every time after. */
  readonly looks?: readonly Look[];
}

export interface Refusal {
  /** By the name that the API's model has for it: `ResourceLimitExceeded`. */
  readonly code: string;
  readonly message: string;
}

/** Laid over the answer of DescribeTrainingJob and its like. */
export type Look = Readonly<Record<string, unknown>>;

/** What an execution did. */
export interface Execution {
  readonly status: string;
  readonly error: string | null;
  readonly cause: string | null;
  readonly output: Readonly<Record<string, unknown>> | null;
  /** The states it entered, in order. */
  readonly path: readonly string[];
  /** Seconds of each pause. */
  readonly waits: readonly number[];
  /** What CloudWatch was told, by name. */
  readonly metrics: Readonly<
    Record<
      string,
      { readonly namespace: string; readonly dimensions: Readonly<Record<string, string>>; readonly sum: number }
    >
  >;
  /** Inputs of the state machine that follows. */
  readonly followers: readonly Readonly<Record<string, unknown>>[];
  /** What was asked of AWS, in order. */
  readonly requests: readonly { readonly action: string; readonly parameters: Readonly<Record<string, unknown>> }[];
  /** Seconds from the start until its transform job was stopped. */
  readonly stoppedAfter: number | null;
  /** What AWS's own model of the service does not take of them. */
  readonly invalid: readonly string[];
}

/** Every scenario by moto's interpreter, half of them in each of two Pythons: state_machine.py says which parts of it are moto's. */
export async function executions<Name extends string>(
  scenarios: Readonly<Record<Name, Scenario>>,
): Promise<Readonly<Record<Name, Execution>>> {
  const { python } = await awsPython();
  const every = Object.entries<Scenario>(scenarios);
  const half = Math.ceil(every.length / 2);
  const ran = await Promise.all(
    [every.slice(0, half), every.slice(half)].map((some) => executed(python, Object.fromEntries(some))),
  );
  return Object.assign({}, ...ran) as Readonly<Record<Name, Execution>>;
}

async function executed(python: string, scenarios: Readonly<Record<string, Scenario>>): Promise<unknown> {
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      python,
      [join(import.meta.dirname, 'state_machine.py')],
      {
        maxBuffer: 64 * 2 ** 20,
        // A call is one: whether it is made again is the definition's to say.
        env: { ...process.env, AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none', AWS_MAX_ATTEMPTS: '1' },
      },
      (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(stderr.slice(-4000), { cause: error })),
    );
    child.stdin?.end(JSON.stringify(scenarios));
  });
  return JSON.parse(output) as unknown;
}

/** A definition as CloudFormation hands it to Step Functions: what it fills in is made up, but has the form of the real thing. */
export function definitionIn(template: { readonly Resources: Readonly<Record<string, unknown>> }): string {
  const machines = Object.values(template.Resources).filter(
    (resource): resource is { readonly Properties: { readonly DefinitionString: unknown } } =>
      (resource as { readonly Type: string }).Type === 'AWS::StepFunctions::StateMachine',
  );
  const text = machines.map(({ Properties }) => filledIn(Properties.DefinitionString)).join('');
  JSON.parse(text) satisfies StateMachineDefinition;
  return text;
}

function filledIn(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[kind, of] = ['', undefined]] = Object.entries(value as Readonly<Record<string, unknown>>);
  if (kind === 'Fn::Join') {
    const [between, parts] = of as readonly [string, readonly unknown[]];
    return parts.map(filledIn).join(between);
  }
  if (kind === 'Ref') return pseudo[String(of)] ?? `${String(of).toLowerCase()}`;
  if (kind === 'Fn::GetAtt') {
    const [id, attribute] = of as readonly [string, string];
    return attribute === 'Arn' ? `arn:aws:iam::123456789012:role/${id}` : `${id.toLowerCase()}`;
  }
  if (kind === 'Fn::Select' || kind === 'Fn::Split') return '123456789012';
  throw new Error(`${kind} is none that a definition has`);
}

const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
};
