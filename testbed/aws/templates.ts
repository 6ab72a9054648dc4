import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A resource as CloudFormation reads it. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly [section: string]: unknown;
}

/** A template that is committed: its unit test holds it to what the constructs make. */
export interface TemplateFile {
  /** `model-bucket`. */
  readonly from: string;
  readonly path: string;
  readonly template: Template;
}

const root = join(import.meta.dirname, '..', '..');

/** The template of every entry of the AWS gallery. */
export function galleryTemplates(): readonly TemplateFile[] {
  return filesIn(join(root, 'constructs', 'aws', 'golden'));
}

/** The templates of the app in `infra/`, of all its environments and those of its examples. */
export function appTemplates(): readonly TemplateFile[] {
  return [...filesIn(join(root, 'infra', 'golden')), ...filesIn(join(root, 'infra', 'examples', 'golden'))];
}

/** Every template of a folder. */
export function filesIn(folder: string): readonly TemplateFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => {
      const path = join(folder, file);
      return { from: basename(file, '.json'), path, template: JSON.parse(readFileSync(path, 'utf8')) as Template };
    });
}

/** `AWS::S3::Bucket ModelsAccessLogs`: the CDK's eight digits behind the name of a construct say nothing. */
export function resourceName(type: string, logicalId: string): string {
  return `${type} ${logicalId.replace(/[0-9A-F]{8}$/, '')}`;
}

/** The same of a resource of a file; a file's own name where it has no such resource. */
export function resourceIn({ from, template }: TemplateFile, logicalId: string): string {
  const resource = template.Resources[logicalId];
  return resource === undefined ? `template ${from}` : resourceName(resource.Type, logicalId);
}
