import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openEngine } from '../../core/data/index.ts';
import { type Host, silentHost } from '../../core/host/index.ts';
import { type EffectivePolicy, headOnly, parsePolicy, stricterOf } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import type { BaseFiles } from '../../github/index.ts';
import { judgeModel, type ModelJudgement } from './run.ts';

/** For tests: a folder with a policy, models and data, and what the gate says of it. */
export interface Scene {
  readonly policy: string;
  /** By path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Symbolic links by path, and where they lead. */
  readonly links?: Readonly<Record<string, string>>;
  /** The base commit's files; no base when not given. */
  readonly base?: Readonly<Record<string, Uint8Array>>;
  readonly basePolicy?: string;
  readonly host?: Host;
  /** Variables; none when not given. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function judge(scene: Scene): Promise<ModelJudgement> {
  const above = await mkdtemp(join(tmpdir(), 'sluice-scene-'));
  const directory = join(above, 'repository');
  try {
    await mkdir(directory);
    for (const [path, content] of Object.entries(scene.files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
    for (const [path, target] of Object.entries(scene.links ?? {})) await symlink(target, join(directory, path));
    await using engine = await openEngine({ threads: 1 });
    return await judgeModel({
      policy: policyOf(scene),
      directory,
      engine,
      host: scene.host ?? silentHost,
      environment: scene.environment ?? {},
      ...(scene.base === undefined ? {} : { base: baseOf(scene.base) }),
    });
  } finally {
    await rm(above, { recursive: true, force: true });
  }
}

/** The one check of an id. */
export function checkOf(judgement: Pick<ModelJudgement, 'checks'>, id: string): Check {
  const [check, ...others] = judgement.checks.filter((each) => each.id === id);
  if (check !== undefined && others.length === 0) return check;
  throw new RangeError(
    `${others.length === 0 ? 'no' : 'more than one'} check ${id}: ${judgement.checks.map((each) => each.id).join(', ')}`,
  );
}

/** A CSV from rows of cells. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[header, ...rows].map((cells) => cells.join(',')).join('\n')}\n`;
}

function policyOf({ policy, basePolicy }: Scene): EffectivePolicy {
  const head = parsePolicy(policy, 'sluice.yaml');
  return basePolicy === undefined ? headOnly(head) : stricterOf(parsePolicy(basePolicy, 'sluice.yaml'), head);
}

function baseOf(files: Readonly<Record<string, Uint8Array>>): BaseFiles {
  return {
    sha: '0123456789abcdef0123456789abcdef01234567',
    read: async (path) => files[path],
    async sha256(path) {
      const content = files[path];
      return content === undefined ? undefined : createHash('sha256').update(content).digest('hex');
    },
    async fetchTo(path, file) {
      const content = files[path];
      if (content === undefined) return false;
      await writeFile(file, content);
      return true;
    },
  };
}
