import type { Findings } from './problem.ts';

/** The labels that telemetry, the canary and the dashboards select on. Nobody else writes their names. */
export const labelNames = {
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  partOf: 'app.kubernetes.io/part-of',
  managedBy: 'app.kubernetes.io/managed-by',
  model: 'sluice.dev/model',
  modelVersion: 'sluice.dev/model-version',
} as const;

export type Labels = Readonly<Record<string, string>>;

/** Which software runs, as which instance of it, with which model. */
export interface Identity {
  /** The software: `sluice-serve`, `triton`. */
  readonly name: string;
  /** This installation of it: the name of the workload. */
  readonly instance: string;
  /** Its part in the whole: `model-server`. */
  readonly component: string;
  readonly partOf?: string | undefined;
  readonly model?: string | undefined;
  readonly modelVersion?: string | undefined;
}

/** Of software that is there for one model: as `instance` of it, with a part of its own in the whole. */
export function identityFor(
  model: { readonly name: string; readonly version: string },
  software: Pick<Identity, 'name' | 'instance' | 'component'>,
): Identity {
  return { ...software, partOf: model.name, model: model.name, modelVersion: model.version };
}

/** Labels for every object of an installation. */
export function labelsOf(identity: Identity): Labels {
  const entries: readonly (readonly [string, string | undefined])[] = [
    [labelNames.name, identity.name],
    [labelNames.instance, identity.instance],
    [labelNames.component, identity.component],
    [labelNames.partOf, identity.partOf],
    [labelNames.managedBy, 'sluice'],
    [labelNames.model, identity.model],
    [labelNames.modelVersion, identity.modelVersion],
  ];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** What selects an installation's pods. A selector can never be changed, so nothing is in it that ever changes: no version. */
export function selectorOf({ name, instance }: Identity): Labels {
  return { [labelNames.name]: name, [labelNames.instance]: instance };
}

// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const labelValue = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
// RFC 1035: what a Service may be called.
const serviceName = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function isLabelValue(text: string): boolean {
  return labelValue.test(text);
}

/** Adds a problem for each value that Kubernetes would refuse. */
export function checkLabels(labels: Labels, findings: Findings): void {
  for (const [name, value] of Object.entries(labels)) {
    findings.demand(isLabelValue(value), () => ({
      code: 'bad-label',
      message: `the label ${name} cannot have this value`,
      found: value,
      expected: 'at most 63 letters, digits, "-", "_" and ".", starting and ending with a letter or digit',
      fix: 'Shorten it or replace the other characters.',
    }));
  }
}

/** Adds a problem when a Service could not have this name. */
export function checkServiceName(name: string, findings: Findings): void {
  findings.demand(serviceName.test(name), () => ({
    code: 'bad-name',
    message: 'the name is no DNS label',
    found: name,
    expected: 'at most 63 small letters, digits and "-", starting with a letter',
    fix: 'Rename the construct, or set `name`.',
  }));
}
