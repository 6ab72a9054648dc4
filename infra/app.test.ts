import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { retentionConformance, ruleFindings, rulesConformance } from '../constructs/aws/conformance.ts';
import { exemptions } from './fixtures/exemptions.ts';
import { goldenTemplates } from './fixtures/golden-templates.ts';
import { committedConfig, infra, synthesizedApp, templatesOf } from './fixtures/synthesized-app.ts';

const templates = templatesOf(committedConfig());
const golden = join(infra, 'golden');

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
}

function allowed(template: Template): readonly Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap((policy): readonly Statement[] => policy['Properties'].PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === 'Allow');
}

describe('the app of the committed file', () => {
  test('has a stack for every part of the file, and none that it does not name', () => {
    expect(Object.keys(templates)).toEqual([
      'churn-staging-storage',
      'churn-staging-pipeline-access',
      'churn-staging-training',
      'churn-staging-serving',
      'churn-staging-monitoring',
      'churn-production-storage',
      'churn-production-pipeline-access',
      'churn-production-training',
      'churn-production-serving',
      'churn-production-cluster',
      'churn-production-monitoring',
    ]);
  });

  goldenTemplates(golden, templates);

  test('asks nothing of an account or the network while it is synthesized', () => {
    const assembly = synthesizedApp(committedConfig()).app.synth();
    expect(assembly.manifest.missing ?? []).toEqual([]);
  });
});

describe.each(Object.entries(templates))('%s', (name, template) => {
  retentionConformance(template);

  test('has nothing that empties a bucket or a registry when it is deleted', () => {
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toMatch(/Custom::S3AutoDeleteObjects|Custom::ECRAutoDeleteImages|"EmptyOnDelete":true/);
  });

  test('allows no action by a pattern', () => {
    const actions = allowed(template).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  test('tags what it makes with the name, the environment and the tags of the file', () => {
    // The CDK's own helpers of custom resources are bare resources, which take no tags.
    const roles = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) => !id.startsWith('Custom'));
    expect(roles.length > 0 || !/training|serving|cluster|access/.test(name)).toBe(true);
    for (const [, role] of roles) {
      const keys = (role['Properties'].Tags as readonly { Key: string }[]).map(({ Key }) => Key);
      expect(keys).toEqual(expect.arrayContaining(['sluice:environment', 'sluice:name', 'team']));
    }
  });
});

describe('the rules of AWS Solutions', () => {
  rulesConformance(
    ruleFindings((outdir) => synthesizedApp(committedConfig(), outdir).app),
    exemptions,
  );
});

describe('references between stacks', () => {
  test('are strong only to what is kept for ever', () => {
    for (const [name, template] of Object.entries(templates)) {
      const imports = [...JSON.stringify(template.toJSON()).matchAll(/"Fn::ImportValue":"([^":]+):([^"]+)"/g)];
      for (const [, stack = '', output = ''] of imports) {
        expect(stack, name).toMatch(/-storage$/);
        expect(output, name).toMatch(/^ExportsOutput(?:FnGetAtt|Ref)(?:ModelsBucket|ModelsKey|ImagesRepository)/);
      }
    }
  });
});

test('the stack of models cannot be deleted by mistake', () => {
  for (const { storage } of Object.values(synthesizedApp(committedConfig()).stacks)) {
    expect(storage.terminationProtection).toBe(true);
    Template.fromStack(storage).resourceCountIs('AWS::S3::Bucket', 2);
  }
});
