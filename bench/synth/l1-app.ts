import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Resource {
  readonly Type: string;
  readonly Properties?: unknown;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly [more: string]: unknown;
}

export interface CloudFormationTemplate {
  readonly Description?: string;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Rules?: unknown;
  readonly [more: string]: unknown;
}

/** One stack of a synthesized app. */
export interface SynthesizedStack {
  readonly name: string;
  readonly template: CloudFormationTemplate;
}

/** The stacks in a folder that the CDK wrote. */
export function stacksIn(assembly: string): readonly SynthesizedStack[] {
  if (!existsSync(assembly)) return [];
  return readdirSync(assembly)
    .filter((file) => file.endsWith('.template.json'))
    .toSorted()
    .map((file) => ({
      name: file.slice(0, -'.template.json'.length),
      template: JSON.parse(readFileSync(join(assembly, file), 'utf8')) as CloudFormationTemplate,
    }));
}

export function resourceCount(stacks: readonly SynthesizedStack[]): number {
  return stacks.reduce((sum, { template }) => sum + Object.keys(template.Resources).length, 0);
}

const beginning = `import { App, CfnElement, CfnResource, Stack } from 'aws-cdk-lib';

/** Outputs, parameters and the like, as they stand in the template. */
class Sections extends CfnElement {
  constructor(scope, sections) {
    super(scope, 'Sections');
    this.sections = sections;
  }
  _toCloudFormation() {
    return this.sections;
  }
}

const app = new App();
`;

/**
 * A program that makes the same stacks of bare resources, a statement for each with its properties written out: no construct of anybody's, no grant, no
 * reference that has to be found out. Nothing made with the CDK has less to do.
 */
export function bareResourceApp(stacks: readonly SynthesizedStack[]): string {
  return beginning + stacks.map(stackText).join('');
}

function stackText({ name, template }: SynthesizedStack, index: number): string {
  // The CDK adds the last two to every stack.
  const { Resources, Description: description, Parameters, Rules: _, ...rest } = template;
  const { BootstrapVersion: __, ...parameters } = Parameters ?? {};
  const sections = { ...rest, ...(Object.keys(parameters).length === 0 ? {} : { Parameters: parameters }) };
  const stack = `stack${index}`;
  const lines = [
    `const ${stack} = new Stack(app, ${text(name)}, ${text({ description, analyticsReporting: false })});`,
    ...Object.entries(Resources).flatMap(([id, { Type: type, Properties: properties, ...attributes }]) => [
      `const ${stack}_${id} = new CfnResource(${stack}, ${text(id)}, ${text({ type, properties })});`,
      `${stack}_${id}.overrideLogicalId(${text(id)});`,
      ...Object.entries(attributes)
        .filter(([key]) => key !== 'Metadata')
        .map(([key, value]) => `${stack}_${id}.addOverride(${text(key)}, ${text(value)});`),
    ]),
    ...(Object.keys(sections).length === 0 ? [] : [`new Sections(${stack}, ${text(sections)});`]),
  ];
  return `\n${lines.join('\n')}\n`;
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** What CloudFormation would make of stacks, as one text: without the paths of constructs, which are for people. */
export function deployedText(stacks: readonly SynthesizedStack[]): string {
  return JSON.stringify(
    stacks.map(({ name, template }) => {
      const { Rules: _, Resources, ...rest } = template;
      return { name, resources: sorted(withoutMetadata(Resources)), rest: sorted(rest) };
    }),
  );
}

function withoutMetadata(resources: CloudFormationTemplate['Resources']): unknown {
  return Object.fromEntries(Object.entries(resources).map(([id, { Metadata: _, ...resource }]) => [id, resource]));
}

/** With the keys of every mapping in their order, so that equal ones have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
