import { isNotMade } from './not-emulated.ts';
import type { Template, TemplateResource } from './templates.ts';

/** An instance type that moto 5.2.5 knows: its list is of 2021, and refuses what has come since. */
const knownInstanceType = 'ml.m5.large';

const emulatorAccount = '123456789012';
/** Those of the app's own configuration. */
const appAccounts = /\b(?:111122223333|444455556666)\b/g;

/**
 * The template as the emulator takes it, in the emulator's account. It answers no question about a key whose policy it was given as an object: that becomes the same policy
 * as text, and reads tags of a key in the spelling of KMS. It refuses references to what it does not make: those become ARNs of nothing. It knows no newer
 * machines. Rules of security groups stay out: they are of groups that EKS makes, of which it makes none.
 * So do functions and what they make: their programs are not uploaded.
 */
export function asEmulated({ Resources, ...rest }: Template): Template {
  const named = (id: unknown): boolean => isNotMade(Resources[String(id)]?.Type ?? '');
  const change = (value: unknown, key = ''): unknown => {
    if (key === 'InstanceType' && typeof value === 'string' && value.startsWith('ml.')) return knownInstanceType;
    if (typeof value === 'string') return value.replaceAll(appAccounts, emulatorAccount);
    if (Array.isArray(value)) return value.map((each) => change(each));
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute } = value as { readonly Ref?: unknown; readonly 'Fn::GetAtt'?: unknown };
    if (named(Ref)) return arnOfNothing(Ref);
    if (Array.isArray(attribute) && named(attribute[0])) return arnOfNothing(attribute[0]);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each, name)]));
  };
  const taken = Object.entries(Resources).filter(
    ([, { Type }]) => !/^AWS::EC2::SecurityGroup(?:In|E)gress$|^AWS::Lambda::|^Custom::/.test(Type),
  );
  const resources = taken.map(([id, resource]): [string, TemplateResource] => [
    id,
    asEmulatedKey(change(resource) as TemplateResource),
  ]);
  return { ...(change(rest) as object), Resources: Object.fromEntries(resources) };
}

function arnOfNothing(logicalId: unknown): string {
  return `arn:aws:nothing:us-east-1:${emulatorAccount}:${String(logicalId)}`;
}

function asEmulatedKey(resource: TemplateResource): TemplateResource {
  const { KeyPolicy, Tags, ...properties } = resource.Properties ?? {};
  if (resource.Type !== 'AWS::KMS::Key') return resource;
  const tags = (Tags ?? []) as readonly { readonly Key: string; readonly Value: unknown }[];
  return {
    ...resource,
    Properties: {
      ...properties,
      ...(KeyPolicy === undefined ? {} : { KeyPolicy: asJoinedText(KeyPolicy) }),
      ...(tags.length === 0 ? {} : { Tags: tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })) }),
    },
  };
}

/** JSON with functions of CloudFormation in it, as a text that CloudFormation puts together. */
function asJoinedText(value: unknown): { readonly 'Fn::Join': readonly unknown[] } {
  const functions: unknown[] = [];
  const text = JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'object' || each === null || !/^\{"(?:Ref|Fn::\w+)":/.test(JSON.stringify(each))) return each;
    functions.push(each);
    return `\u0001${functions.length - 1}\u0001`;
  });
  const parts = text.split(/\\u0001(\d+)\\u0001/);
  return { 'Fn::Join': ['', parts.map((part, index) => (index % 2 === 0 ? part : functions[Number(part)]))] };
}
