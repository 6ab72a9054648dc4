/** Amazon States Language, as much of it as is used here, queried by JSONata: https://states-language.net */
export interface StateMachineDefinition {
  readonly Comment: string;
  readonly QueryLanguage: 'JSONata';
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, State>>;
}

export type State = PassState | TaskState | WaitState | ChoiceState | SucceedState | FailState;

/** Any value of JSON; texts in `{% %}` are expressions. */
export type Template = string | number | boolean | readonly Template[] | { readonly [key: string]: Template };
export type Assignment = Readonly<Record<string, Template>>;

export interface PassState {
  readonly Type: 'Pass';
  readonly Comment?: string;
  readonly Assign: Assignment;
  readonly Next: string;
}

export interface TaskState {
  readonly Type: 'Task';
  readonly Comment?: string;
  readonly Resource: string;
  readonly Arguments: Template;
  readonly TimeoutSeconds?: number | string;
  readonly Assign?: Assignment;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
  readonly Next: string;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Assign?: Assignment;
  readonly Next: string;
}

export interface WaitState {
  readonly Type: 'Wait';
  readonly Comment?: string;
  readonly Seconds: number | string;
  readonly Assign?: Assignment;
  readonly Next: string;
}

export interface ChoiceState {
  readonly Type: 'Choice';
  readonly Comment?: string;
  readonly Choices: readonly ChoiceRule[];
  readonly Default: string;
  /** Of the default. */
  readonly Assign?: Assignment;
}

export interface ChoiceRule {
  readonly Condition: string;
  readonly Assign?: Assignment;
  readonly Next: string;
}

export interface SucceedState {
  readonly Type: 'Succeed';
  readonly Comment?: string;
  readonly Output: Template;
}

export interface FailState {
  readonly Type: 'Fail';
  readonly Comment?: string;
  readonly Error: string;
  readonly Cause: string;
}

/** A JSONata expression as the language wants it. Line breaks and their indentation are only ours. */
export function query(expression: string): string {
  return `{% ${expression.trim().replaceAll(/\s*\n\s*/g, ' ')} %}`;
}
