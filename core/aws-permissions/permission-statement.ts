/** One statement of an IAM policy, as JSON. */
export interface PermissionStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export function allow(
  Sid: string,
  Action: readonly string[],
  Resource: string | readonly string[],
): PermissionStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
}
