/**
 * Everything in the AWS gallery, and the app, deployed by CloudFormation to the emulator, and then looked at by the API of each service. What the
 * emulator makes nothing of, or does not keep, is in not-emulated.ts: a list that is wrong in either direction fails.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AwsEmulator, AwsError, startAwsEmulator } from './aws-emulator.ts';
import { type DeployedResource, deploy, deployAndLook } from './deployment.ts';
import { asEmulated } from './emulated-template.ts';
import { isNotMade, type NotKept, notKept, notMade, scenery } from './not-emulated.ts';
import { appTemplates, galleryTemplates } from './templates.ts';

let aws: AwsEmulator;
const found: DeployedResource[] = [];

beforeAll(async () => {
  aws = await startAwsEmulator();
});
afterAll(() => aws?.stop());

describe('on the emulator, by what its services say', () => {
  // `churn-production`: stacks of one environment import from each other.
  const environments = new Set(appTemplates().map(({ from }) => from.split('-').slice(0, 2).join('-')));
  const apps = [
    ...galleryTemplates().map((file) => [file.from, [file]] as const),
    ...[...environments].map(
      (name) => [name, appTemplates().filter(({ from }) => from.startsWith(`${name}-`))] as const,
    ),
  ];

  test.each(apps)('%s is there as its template has it', async (_name, app) => {
    const resources = await deployAndLook(aws, app);
    found.push(...resources);
    expect(resources.length).toBeGreaterThan(0);
    expect(resources.flatMap(complaints)).toEqual([]);
  });

  test.each(notMade)('$type is not there: $reason', ({ type }) => {
    const ofType = found.filter((resource) => resource.type === type);
    expect(ofType.length).toBeGreaterThan(0);
    expect(ofType.filter(({ absent }) => absent === undefined)).toEqual([]);
  });

  test.each(scenery)('%s stands around what is looked at', (type) => {
    const templates = galleryTemplates().flatMap(({ template }) => Object.values(template.Resources));
    expect(templates.some(({ Type }) => Type === type)).toBe(true);
  });

  const properties = notKept.flatMap((each) => each.properties.map((property) => [each.type, property, each] as const));
  test.each(properties)('%s is without %s', (_type, property, { type, reason }) => {
    const only: NotKept = { type, properties: [property], reason };
    const paths = found.filter((one) => one.type === type).flatMap(({ differences = [] }) => differences);
    expect(paths.filter(({ path }) => covers(only, path)).length).toBeGreaterThan(0);
  });
});

describe('a model in the bucket of a stack', () => {
  const [file] = galleryTemplates().filter(({ from }) => from === 'github-deploy-roles');
  if (file === undefined) throw new Error('the gallery has no stack with a bucket, a registry and roles');
  const template = asEmulated(file.template);
  const idOf = (ids: ReadonlyMap<string, string>, type: string, name: RegExp): string => {
    const logicalId = Object.keys(template.Resources).find(
      (id) => template.Resources[id]?.Type === type && name.test(id),
    );
    return ids.get(logicalId ?? '') ?? '';
  };
  let ids: ReadonlyMap<string, string> = new Map();
  let Bucket = '';
  beforeAll(async () => {
    await aws.reset();
    ids = await deploy(aws, file.from, template);
    Bucket = idOf(ids, 'AWS::S3::Bucket', /Bucket/);
    await aws.call('s3', 'put_object', { Bucket, Key: 'churn/7/model.onnx', Body: 'a model' });
  });

  test('is the same after a deployment that changes a role', async () => {
    const Statement = [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/churn/*` }];
    const changed = Object.entries(template.Resources).map(([id, resource]) => {
      if (resource.Type !== 'AWS::IAM::Policy' || !id.startsWith('Release')) return [id, resource];
      const PolicyDocument = { Version: '2012-10-17', Statement };
      return [id, { ...resource, Properties: { ...resource.Properties, PolicyDocument } }];
    });
    const after = await deploy(aws, file.from, { ...template, Resources: Object.fromEntries(changed) }, 'update_stack');
    expect(idOf(after, 'AWS::S3::Bucket', /Bucket/)).toBe(Bucket);
    expect(idOf(after, 'AWS::KMS::Key', /Key/)).toBe(idOf(ids, 'AWS::KMS::Key', /Key/));
    const RoleName = idOf(after, 'AWS::IAM::Role', /Release/);
    const [PolicyName] = (await aws.call('iam', 'list_role_policies', { RoleName })).PolicyNames;
    const { PolicyDocument } = await aws.call('iam', 'get_role_policy', { RoleName, PolicyName });
    expect(PolicyDocument.Statement).toEqual(Statement);
    expect((await aws.call('s3', 'get_object', { Bucket, Key: 'churn/7/model.onnx' })).Body).toBe('a model');
  });

  test('is there when the stack is gone, with its bucket, its key and the registry, and without roles', async () => {
    await aws.call('cloudformation', 'delete_stack', { StackName: file.from });
    await expect(aws.call('cloudformation', 'describe_stacks', { StackName: file.from })).rejects.toThrow(AwsError);
    expect((await aws.call('s3', 'get_object', { Bucket, Key: 'churn/7/model.onnx' })).Body).toBe('a model');
    const { KeyMetadata } = await aws.call('kms', 'describe_key', { KeyId: idOf(ids, 'AWS::KMS::Key', /Key/) });
    expect(KeyMetadata.KeyState).toBe('Enabled');
    const { repositories } = await aws.call('ecr', 'describe_repositories');
    expect(repositories).toHaveLength(1);
    expect((await aws.call('iam', 'list_roles')).Roles).toEqual([]);
  });
});

/** What is not there, or not as its template has it, and is not known of the emulator. */
function complaints({ name, type, absent, differences = [] }: DeployedResource): readonly string[] {
  if (absent !== undefined) return isNotMade(type) ? [] : [`${name}: ${absent}`];
  const unknown = differences.filter(({ path }) => !notKept.some((each) => each.type === type && covers(each, path)));
  return unknown.map(
    ({ path, asked, said }) =>
      `${name} ${path}: ${JSON.stringify(asked)} was asked for, ${JSON.stringify(said)} is there`,
  );
}

function covers({ properties }: NotKept, path: string): boolean {
  return properties.some((property) => {
    const pattern = property.replaceAll('.', '\\.').replaceAll('*', '\\d+');
    return new RegExp(`^${pattern}(?:\\.|$)`).test(path);
  });
}
