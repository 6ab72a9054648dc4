import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, by how long they took beside others on two cores. */
const longest: readonly string[] = [
  'kubernetes/canary-faults',
  'kubernetes/canary-kill',
  'canary/releases',
  'hosts',
  'publishing',
  'ray-serve',
  'kubernetes/simulated-nodes',
  'spark',
  'prometheus/prometheus',
  'kubernetes/guard',
  'model-fetch/verification',
].map((name) => `/testbed/${name}.test.ts`);

/** Starts long files first: one that is begun last runs alone in the end, while the other core has nothing to do. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((one, other) => groupOf(one) - groupOf(other) || rankOf(one) - rankOf(other));
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = longest.findIndex((name) => moduleId.endsWith(name));
  return rank === -1 ? longest.length : rank;
}
