import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { exemptions, gallery } from './fixtures/gallery/index.ts';
import { ruleFindings, templateOf } from './fixtures/synthesized.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
}

/** Every statement that allows something in a template's policies of roles. */
function allowed(template: Template): readonly Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap((policy): readonly Statement[] => policy['Properties'].PolicyDocument.Statement)
    .filter((one) => one.Effect === 'Allow');
}

describe('the rules of AWS Solutions', () => {
  const found = Object.entries(gallery).flatMap(([name, build]) =>
    ruleFindings(build).map((finding) => ({ name, ...finding })),
  );

  test('find nothing in the gallery that is not explained', () => {
    const unexplained = found.filter(
      ({ rule, construct }) => !exemptions.some((each) => each.rule.test(rule) && each.construct.test(construct)),
    );
    expect(unexplained).toEqual([]);
  });

  test.each(exemptions.map((exemption) => [exemption.why, exemption]))('find what is exempt: %s', (_why, exemption) => {
    expect(found.some(({ rule, construct }) => exemption.rule.test(rule) && exemption.construct.test(construct))).toBe(
      true,
    );
  });
});

describe.each(Object.entries(gallery))('%s', (_name, build) => {
  const template = templateOf(build);

  test('allows no action by a pattern', () => {
    const actions = allowed(template).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  test('allows on every resource only what takes none', () => {
    const everywhere = allowed(template).filter(({ Resource }) => Resource === '*');
    expect(new Set(everywhere.flatMap(({ Action }) => Action))).toEqual(
      new Set(everywhere.length === 0 ? [] : ['ecr:GetAuthorizationToken']),
    );
  });

  test('is left behind by its stack where it holds models, their key or their logs', () => {
    const kept = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::ECR::Repository'].flatMap((type) =>
      Object.values(template.findResources(type)),
    );
    for (const resource of kept)
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});
