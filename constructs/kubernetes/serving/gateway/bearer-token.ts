/** Where the Secret with the tokens is mounted, one token a line. */
export const tokenFile = '/etc/sluice/tokens/tokens';

/**
 * The gateway's own program, in the JavaScript of NGINX (njs): whether a request has a token of the Secret. The file is read with each request, so
 * a rotated Secret needs no restart. Compared are digests under a key that is another one for every request, so how long a comparison takes tells
 * nothing about a token; and no token is ever written anywhere. njs knows no optional chaining and no `for ... of`.
 * Source: https://nginx.org/en/docs/njs/reference.html
 */
export const bearerTokenProgram = String.raw`import crypto from 'crypto';
import fs from 'fs';

const tokenFile = '${tokenFile}';

function known(r) {
  const presented = /^Bearer +([^\s]+)$/i.exec(r.headersIn.Authorization || '');
  if (presented === null) return '0';
  let tokens;
  try {
    tokens = fs.readFileSync(tokenFile, 'utf8');
  } catch (e) {
    r.error('The file with the tokens cannot be read, so nobody is let in.');
    return '0';
  }
  const digest = (text) => crypto.createHmac('sha256', r.variables.request_id).update(text).digest('hex');
  const wanted = digest(presented[1]);
  let found = '0';
  tokens.split('\n').forEach((line) => {
    const token = line.trim();
    if (token !== '' && digest(token) === wanted) found = '1';
  });
  return found;
}

export default { known };
`;
