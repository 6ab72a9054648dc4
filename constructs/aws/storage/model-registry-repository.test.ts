import { describe, expect, test } from 'vitest';
import { templateOf } from '../fixtures/synthesized.ts';
import { ModelRegistryRepository } from './model-registry-repository.ts';

describe('a registry of models', () => {
  test('takes no second image for a tag, scans what is pushed, and keeps what has a tag', () => {
    const template = templateOf((stack) => {
      new ModelRegistryRepository(stack, 'Images', { repositoryName: 'models/churn' });
    });
    template.hasResourceProperties('AWS::ECR::Repository', {
      RepositoryName: 'models/churn',
      ImageTagMutability: 'IMMUTABLE',
      ImageScanningConfiguration: { ScanOnPush: true },
    });
    const [{ Properties }] = Object.values(template.findResources('AWS::ECR::Repository')) as [
      { readonly Properties: { readonly LifecyclePolicy: { readonly LifecyclePolicyText: string } } },
    ];
    expect(JSON.parse(Properties.LifecyclePolicy.LifecyclePolicyText).rules).toMatchObject([
      { selection: { tagStatus: 'untagged', countNumber: 30 } },
    ]);
  });

  test.each(['Models', 'models//churn', '-x', 'm'])('is not called %s', (repositoryName) => {
    expect(() => templateOf((stack) => void new ModelRegistryRepository(stack, 'Images', { repositoryName }))).toThrow(
      /repositoryName is none that ECR takes/,
    );
  });
});
