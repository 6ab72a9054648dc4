import { unknownValue } from './aws-emulator.ts';
import type { TemplateResource } from './templates.ts';

/** A call of an API by a state machine. */
export interface StateMachineTask {
  readonly state: string;
  /** As botocore calls it. */
  readonly service: string;
  /** `CreateTrainingJob`. */
  readonly operation: string;
  /** What only an execution knows is `unknownValue`. */
  readonly parameters: object;
}

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: object;
  readonly Arguments?: object;
  readonly Branches?: readonly { readonly States: States }[];
  readonly ItemProcessor?: { readonly States: States };
}
type States = Readonly<Record<string, State>>;

const services: Readonly<Record<string, string>> = { states: 'stepfunctions', sfn: 'stepfunctions' };

/** Every call of an API in the definition of a state machine. */
export function tasksOf({ Properties = {} }: TemplateResource): readonly StateMachineTask[] {
  const { States } = JSON.parse(textOf(Properties['DefinitionString'])) as { readonly States: States };
  return tasksIn(States);
}

function tasksIn(states: States): readonly StateMachineTask[] {
  return Object.entries(states).flatMap(
    ([state, { Resource, Parameters, Arguments, Branches = [], ItemProcessor }]) => {
      const inner = [...Branches, ...(ItemProcessor === undefined ? [] : [ItemProcessor])].flatMap(({ States }) =>
        tasksIn(States),
      );
      // arn:aws:states:::aws-sdk:sagemaker:createTrainingJob, arn:aws:states:::sns:publish, ...:createTransformJob.sync
      const [, service = '', name = ''] =
        /:states:::(?:aws-sdk:)?([a-z0-9]+):([A-Za-z0-9]+)/.exec(Resource ?? '') ?? [];
      if (service === '') return inner;
      const operation = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      const parameters = withUnknowns(Arguments ?? Parameters ?? {}, operation) as object;
      return [{ state, service: services[service] ?? service, operation, parameters }, ...inner];
    },
  );
}

/**
 * Step Functions names some parameters by its own habit: `stateMachineArn` of an API is `StateMachineArn`, and an input may be an object that it
 * writes as text.
 */
function withUnknowns(value: unknown, operation: string): unknown {
  if (typeof value === 'string') return /\{%|\$\{/.test(value) ? unknownValue : value;
  if (Array.isArray(value)) return value.map((each) => withUnknowns(each, operation));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]): [string, unknown] => {
      if (key.endsWith('.$')) return [key.slice(0, -2), unknownValue];
      if (operation === 'StartExecution') {
        return [
          `${key.charAt(0).toLowerCase()}${key.slice(1)}`,
          key === 'Input' ? unknownValue : withUnknowns(each, ''),
        ];
      }
      return [key, withUnknowns(each, operation)];
    }),
  );
}

/** A definition with `${unknown}` where CloudFormation fills something in. */
function textOf(definition: unknown): string {
  if (typeof definition === 'string') return definition;
  const { 'Fn::Join': joined, 'Fn::Sub': substituted } = definition as {
    readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
    readonly 'Fn::Sub'?: string;
  };
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as Fn::Sub writes it.
  const filledIn = '${unknown}';
  if (joined !== undefined)
    return joined[1].map((part) => (typeof part === 'string' ? part : filledIn)).join(joined[0]);
  if (substituted !== undefined) return substituted;
  throw new Error('a definition is neither a text nor put together of texts');
}
