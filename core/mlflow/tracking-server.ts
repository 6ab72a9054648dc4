import { readFile } from 'node:fs/promises';
import type { HttpTarget } from '../http/index.ts';
import { InputError, type Place, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where an MLflow server is, and how to be let in. */
export interface TrackingServer {
  readonly url: URL;
  /** Sent with every request; a secret. */
  readonly headers: HttpTarget['headers'];
  readonly ca?: string;
}

const uriVariable = 'MLFLOW_TRACKING_URI';

/**
 * The server that `named` (a policy's words) or MLFLOW_TRACKING_URI says, with the credentials of MLflow's own variables:
 * MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, and MLFLOW_TRACKING_SERVER_CERT_PATH.
 * Credentials go only to the server that MLFLOW_TRACKING_URI names: a policy may come from a stranger, who would else choose where a
 * token is sent. Throws an `InputError` for an address that is none, holds a password, or is not named at all.
 */
export async function trackingServerOf(
  named: string | undefined,
  environment: Environment,
  place: Place,
): Promise<TrackingServer> {
  const trusted = environment[uriVariable]?.trim() || undefined;
  const written = named ?? trusted;
  if (written === undefined) {
    throw new InputError({
      code: 'no-tracking-uri',
      message: 'the policy names something in MLflow, and where MLflow is nobody says',
      place,
      fix: `Set ${uriVariable} (in a workflow under "env:"), such as https://mlflow.example.com.`,
    });
  }
  const url = addressOf(written, named === undefined ? {} : place);
  const theirs = trusted === undefined ? undefined : addressOf(trusted, {});
  if (theirs?.origin !== url.origin) return { url, headers: {} };
  const ca = await authorityOf(environment);
  return { url, headers: credentialsOf(environment, theirs), ...(ca === undefined ? {} : { ca }) };
}

function addressOf(text: string, place: Place): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const where = place.file === undefined ? uriVariable : 'tracking_uri';
  const refuse = (problem: Pick<Problem, 'message' | 'fix'> & Partial<Problem>) =>
    new InputError({ code: 'tracking-uri', place, ...problem });
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw refuse({
      message: `${where} is not the address of an MLflow server`,
      // What has a user may have a password, too.
      ...(text.includes('@') ? {} : { found: `"${excerpt(text)}"` }),
      expected: 'http:// or https:// and a host',
      fix: 'Start "mlflow server" on the database or folder it names, and give that server\'s address.',
    });
  }
  // The one in the environment may hold them: it is a secret's place.
  if (where === 'tracking_uri' && (url.username !== '' || url.password !== '')) {
    throw refuse({
      message: 'tracking_uri holds a user or a password',
      fix: 'Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD from secrets: a policy is read by everybody.',
    });
  }
  return url;
}

function credentialsOf(environment: Environment, url: URL): HttpTarget['headers'] {
  const read = (name: string) => environment[name]?.trim() || undefined;
  const [user, password] = [read('MLFLOW_TRACKING_USERNAME'), read('MLFLOW_TRACKING_PASSWORD')];
  if (user !== undefined && password !== undefined) {
    return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  }
  if (url.username !== '') {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  const token = read('MLFLOW_TRACKING_TOKEN');
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function authorityOf(environment: Environment): Promise<string | undefined> {
  const file = environment['MLFLOW_TRACKING_SERVER_CERT_PATH']?.trim() || undefined;
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new InputError(
      {
        code: 'missing-file',
        message: 'the certificate authority that MLFLOW_TRACKING_SERVER_CERT_PATH names cannot be read',
        place: { file },
        fix: 'Check the path of the PEM file.',
      },
      { cause },
    );
  }
}
