/**
 * What every template made of these constructs must keep, as suites of tests: the gallery's test and the app's hand in what they render. For
 * tests only: it loads vitest and cdk-nag, and `index.ts` does not offer it.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';

/** One finding of the rules over a template. */
export interface RuleFinding {
  /** `AwsSolutions-IAM5[Resource::*]`, without the pack. */
  readonly rule: string;
  readonly construct: string;
}

/** A finding of the rules that is meant, and why. One that matches nothing any more fails the test. */
export interface Exemption {
  readonly rule: RegExp;
  readonly construct: RegExp;
  readonly why: string;
}

interface ValidationReport {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** What the rules of AWS Solutions and CloudFormation's own validation say of an app, which `make` makes to be written to `outdir`. */
export function ruleFindings(make: (outdir: string) => App): readonly RuleFinding[] {
  const outdir = mkdtempSync(join(tmpdir(), 'sluice-cdk-'));
  const exitCode = process.exitCode;
  try {
    const app = make(outdir);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    try {
      app.synth();
    } catch {
      // What it throws for is in the report.
    }
    const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as ValidationReport;
    return report.pluginReports.flatMap(({ violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => ({ rule: ruleName, construct: constructPath })),
      ),
    );
  } finally {
    process.exitCode = exitCode;
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Registers the tests of what was found: all of it is exempt, and every exemption exempts something. */
export function rulesConformance(found: readonly RuleFinding[], exemptions: readonly Exemption[]): void {
  const exempts = (exemption: Exemption, { rule, construct }: RuleFinding): boolean =>
    exemption.rule.test(rule) && exemption.construct.test(construct);

  test('find nothing that is not explained', () => {
    expect(found.filter((finding) => !exemptions.some((exemption) => exempts(exemption, finding)))).toEqual([]);
  });

  test.each(exemptions.map((exemption) => [exemption.why, exemption]))('find what is exempt: %s', (_why, exemption) => {
    expect(found.some((finding) => exempts(exemption, finding))).toBe(true);
  });
}

/** Registers the test that the template's stack leaves behind what nobody could make again. */
export function retentionConformance(template: Template): void {
  test('leaves behind what holds models, their keys and their logs, also where CloudFormation would replace it', () => {
    const kept = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::ECR::Repository'].flatMap((type) =>
      Object.values(template.findResources(type)),
    );
    for (const resource of kept)
      expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
}
