import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import type { RevisionFolder } from '../traffic/revision-folder.ts';
import type { Traffic } from '../traffic-provider.ts';

const url = z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
  error: 'no http:// or https:// URL',
});
const percent = z.int().min(0).max(100);

const schema = z.strictObject({
  version: z.literal(1),
  /** Where users go. */
  baseline: url,
  /** What is tried. */
  canary: url.optional(),
  traffic: z.strictObject({
    canaryWeight: percent,
    mirrorPercent: percent,
    header: z.strictObject({ name: z.string(), value: z.string() }).optional(),
  }),
  /** The rollout's, kept next to the traffic. */
  record: z.string().optional(),
  /** Whoever opens the traffic has to come back before this, in milliseconds of the epoch, or the proxy closes it. */
  lease: z.strictObject({ expires: z.number(), rolloutId: z.string() }).optional(),
  /** The proxy closed the traffic itself. */
  restored: z.strictObject({ at: z.number(), rolloutId: z.string() }).optional(),
  /** Grows when the record or the traffic changes, and not when the lease does. */
  changes: z.int().min(1),
  /** Where the proxy that follows this answers questions. */
  control: url.optional(),
});

/** What the proxy and those who steer it share, in a `RevisionFolder`. */
export interface ProxyState {
  readonly version: 1;
  readonly baseline: string;
  readonly canary?: string | undefined;
  readonly traffic: Traffic;
  readonly record?: string | undefined;
  readonly lease?: { readonly expires: number; readonly rolloutId: string } | undefined;
  readonly restored?: { readonly at: number; readonly rolloutId: string } | undefined;
  readonly changes: number;
  readonly control?: string | undefined;
}

/** Nothing goes to the canary. */
export const closed: Traffic = { canaryWeight: 0, mirrorPercent: 0 };

export function isOpen({ canaryWeight, mirrorPercent, header }: Traffic): boolean {
  return canaryWeight > 0 || mirrorPercent > 0 || header !== undefined;
}

/** The state that counts, `undefined` if there is none. Throws a PeerError for one that cannot be read. */
export async function readState(folder: RevisionFolder): Promise<ProxyState | undefined> {
  const revision = await folder.read();
  return revision === undefined ? undefined : parsed(revision.text, folder.name);
}

/**
 * Changes the state: `change` gets what counts now and gives what shall count, or throws, or gives back the same object for no change. It
 * is called again when somebody else was quicker.
 */
export async function changeState(
  folder: RevisionFolder,
  change: (state: ProxyState | undefined) => ProxyState,
): Promise<ProxyState> {
  for (;;) {
    const revision = await folder.read();
    const state = revision === undefined ? undefined : parsed(revision.text, folder.name);
    const next = change(state);
    if (next === state) return next;
    const written = await folder.write(`${JSON.stringify(next, null, 2)}\n`, revision?.number ?? 0);
    if (written !== undefined) return next;
  }
}

function parsed(text: string, folder: string): ProxyState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { data, error } = schema.safeParse(value);
  if (error === undefined) {
    const { traffic, ...rest } = data;
    const { header, ...weights } = traffic;
    return { ...rest, traffic: header === undefined ? weights : { ...weights, header } };
  }
  const [issue] = error.issues;
  throw new PeerError({
    code: 'unreadable-state',
    message: 'the state of the traffic cannot be understood',
    place: { file: folder, ...(issue === undefined ? {} : { key: issue.path.join('.') }) },
    ...(issue === undefined ? {} : { found: issue.message }),
    fix: 'Another version of Sluice, or an editor, has written it: remove the newest file of the folder to go back one step.',
  });
}
