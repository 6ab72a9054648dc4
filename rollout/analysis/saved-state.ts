import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import { PeerError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

const savedSchema = z.strictObject({ v: z.literal(1), settings: z.string(), gzip: z.base64() });
/** Unpacked, in bytes; a state has some tens of thousands. */
const most = 8 * 1024 * 1024;

/** JSON, packed: it is kept beside the traffic, where room is scarce. `settings`: a digest of what the state was gathered for. */
export function saved(state: unknown, settings: string): z.infer<typeof savedSchema> {
  return { v: 1, settings, gzip: gzipSync(JSON.stringify(state), { level: 9 }).toString('base64') };
}

/** What `saved` packed; gzip's checksum tells a state that is not whole. Throws a `PeerError` for that, and for other settings. */
export function unpacked(state: unknown, settings: string): unknown {
  const parsed = savedSchema.safeParse(state);
  const text = parsed.success ? textOf(parsed.data.gzip) : undefined;
  if (!parsed.success || text === undefined) {
    throw new PeerError({
      code: 'broken-analysis',
      message: 'what was seen of this rollout so far cannot be read',
      found: excerpt(JSON.stringify(state) ?? 'nothing'),
      fix: 'Abort the rollout and start it anew; without its evidence nobody can say what the canary has shown.',
    });
  }
  if (parsed.data.settings !== settings) {
    throw new PeerError({
      code: 'other-analysis',
      message: 'the analysis of the policy is not the one this rollout was started with',
      found: settings,
      expected: parsed.data.settings,
      fix: 'Go on with the policy it was started with, or abort it and start anew.',
    });
  }
  return JSON.parse(text);
}

function textOf(base64: string): string | undefined {
  try {
    return gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: most }).toString('utf8');
  } catch {
    return undefined;
  }
}
