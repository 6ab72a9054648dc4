import { type AwsEmulator, AwsError } from './aws-emulator.ts';
import { type Difference, differences, looks } from './deployed-resource.ts';
import { asEmulated } from './emulated-template.ts';
import { scenery } from './not-emulated.ts';
import { resourceName, type Template, type TemplateFile } from './templates.ts';

/** A resource of a template after its stack was made. */
export interface DeployedResource {
  /** `AWS::S3::Bucket ModelsBucket`. */
  readonly name: string;
  readonly type: string;
  readonly from: string;
  /** What the API of its service says is not there, or not as the template has it; undefined: it said that there is no such thing. */
  readonly differences?: readonly Difference[];
  /** Why it could not be looked at: the emulator made none, or the API does not know it. */
  readonly absent?: string;
}

/** Makes a stack, or changes it; by its physical ids. */
export async function deploy(
  aws: AwsEmulator,
  StackName: string,
  template: Template,
  operation: 'create_stack' | 'update_stack' = 'create_stack',
): Promise<ReadonlyMap<string, string>> {
  await aws.call('cloudformation', operation, {
    StackName,
    TemplateBody: JSON.stringify(template),
    Capabilities: ['CAPABILITY_NAMED_IAM'],
  });
  const { Stacks } = await aws.call('cloudformation', 'describe_stacks', { StackName });
  const expected = operation === 'create_stack' ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE';
  if (Stacks[0].StackStatus !== expected) throw new Error(`${StackName} is ${Stacks[0].StackStatus}`);
  return physicalIds(aws, StackName);
}

/** The physical ids of what the emulator made, by logical id. */
export async function physicalIds(aws: AwsEmulator, StackName: string): Promise<ReadonlyMap<string, string>> {
  const { StackResources } = await aws.call('cloudformation', 'describe_stack_resources', { StackName });
  return new Map(
    (StackResources as readonly { readonly LogicalResourceId?: string; readonly PhysicalResourceId?: string }[])
      .filter(({ PhysicalResourceId }) => PhysicalResourceId !== undefined && PhysicalResourceId !== '')
      .map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]),
  );
}

/**
 * Makes the stacks of an app in an empty account, those that others import from first, and looks at each of their resources by the API of its
 * service.
 */
export async function deployAndLook(
  aws: AwsEmulator,
  app: readonly TemplateFile[],
): Promise<readonly DeployedResource[]> {
  await aws.reset();
  const found: DeployedResource[] = [];
  for (const { from, template } of inOrder(app)) {
    const emulated = asEmulated(template);
    const ids = await deploy(aws, from, emulated);
    for (const [logicalId, { Type: type }] of Object.entries(template.Resources)) {
      if (scenery.includes(type)) continue;
      const { Properties = {} } = emulated.Resources[logicalId] ?? {};
      const resource = { name: resourceName(type, logicalId), type, from };
      const id = ids.get(logicalId);
      const look = looks[type];
      if (id === undefined) found.push({ ...resource, absent: 'the emulator made nothing' });
      else if (look === undefined) found.push({ ...resource, absent: 'nothing here looks at it' });
      else {
        try {
          const said = await look(aws, id, { properties: Properties, physicalIds: ids });
          found.push({ ...resource, differences: differences(Properties, said) });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          found.push({ ...resource, absent: `the API says: ${error.message}` });
        }
      }
    }
  }
  return found;
}

/** Each behind those whose exports it imports. */
function inOrder(app: readonly TemplateFile[]): readonly TemplateFile[] {
  const ordered: TemplateFile[] = [];
  const imports = ({ template }: TemplateFile): readonly string[] =>
    [...JSON.stringify(template).matchAll(/"Fn::ImportValue":"([^:"]+):/g)].map(([, stack = '']) => stack);
  while (ordered.length < app.length) {
    const next = app.find(
      (file) => !ordered.includes(file) && imports(file).every((stack) => ordered.some(({ from }) => from === stack)),
    );
    if (next === undefined) throw new Error(`stacks import from each other: ${app.map(({ from }) => from).join(', ')}`);
    ordered.push(next);
  }
  return ordered;
}
