import { describe, expect, test } from 'vitest';
import { exemptions, gallery } from './fixtures/gallery/index.ts';
import { ruleFindings, templateOf } from './fixtures/synthesized.ts';

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

  test('is left behind by its stack where it holds models, their key or their logs', () => {
    const kept = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::ECR::Repository'].flatMap((type) =>
      Object.values(template.findResources(type)),
    );
    for (const resource of kept)
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});
