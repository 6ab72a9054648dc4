import { codesOf, deepestMessage, type Problem } from '../problem/index.ts';
import type { Hide } from './secret-words.ts';
import { said } from './secret-words.ts';

/** Where a request went, as messages show it: scheme, host and port, nothing secret. */
export interface Destination {
  readonly url: URL;
  readonly hide: Hide;
  /** The proxy's host and port. */
  readonly proxy?: string | undefined;
  readonly hasCa: boolean;
}

/** Why no whole answer came, and what to do about it. `cause` is what undici, Node's sockets or OpenSSL threw. */
export function connectionProblem(cause: unknown, destination: Destination): Problem {
  const server = destination.url.origin;
  const codes = codesOf(cause);
  const has = (...wanted: readonly string[]): boolean => wanted.some((code) => codes.includes(code));
  const found = said(deepestMessage(cause), destination.hide);
  const tls = tlsProblem(codes, cause, destination);
  if (tls !== undefined) return tls;
  if (has('ECONNREFUSED')) {
    return {
      code: 'connection-refused',
      message: `nothing listens at ${destination.proxy ?? server}`,
      fix:
        destination.proxy === undefined
          ? 'Start the server, or correct the host and port; in a container, the server must listen on 0.0.0.0 and not on 127.0.0.1.'
          : 'Correct HTTPS_PROXY, or name the host in NO_PROXY.',
    };
  }
  if (has('ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME')) {
    return {
      code: 'unknown-host',
      message: `the name ${said(destination.url.hostname, destination.hide)} has no address`,
      found,
      fix: "Correct the host's name; a name inside a cluster only resolves there (use its ingress, or `kubectl port-forward`).",
    };
  }
  if (has('EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENETDOWN', 'EHOSTDOWN')) {
    return {
      code: 'unreachable',
      message: `there is no way to ${server} from here`,
      found,
      fix: 'Check the network, the VPN and the firewall between this machine and the server.',
    };
  }
  if (has('UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT')) {
    return {
      code: 'timeout',
      message: `${server} did not take the connection in time`,
      fix: 'Check that the host and port are right and that no firewall drops the packets, or allow more time.',
    };
  }
  if (/Proxy response|Proxy Authentication/i.test(found)) {
    return {
      code: 'proxy-refused',
      message: `the proxy ${destination.proxy ?? ''} does not connect to ${server}`.replace('  ', ' '),
      found,
      fix: 'Give HTTPS_PROXY the right user and password, have the proxy allow the host, or name the host in NO_PROXY.',
    };
  }
  if (codes.some((code) => code.startsWith('HPE_')) || has('UND_ERR_HEADERS_OVERFLOW')) {
    return {
      code: 'not-http',
      message: `what answers at ${server} does not speak HTTP/1.1`,
      found,
      fix: 'Give the port of the HTTP API: servers listen for gRPC (often 8001 or 9000), HTTPS and metrics on others.',
    };
  }
  return {
    code: 'connection-lost',
    message: `${server} closed the connection before its answer was whole`,
    found,
    fix: "Look into the server's log: it may have crashed or run out of memory; a port that wants https closes http like this, too.",
  };
}

function tlsProblem(codes: readonly string[], cause: unknown, at: Destination): Problem | undefined {
  const server = at.url.origin;
  const has = (...wanted: readonly string[]): boolean => wanted.some((code) => codes.includes(code));
  const trust = at.hasCa
    ? 'The certificate authority that was given did not sign it; give the one that did, in PEM.'
    : 'Give the certificate (or the authority that signed it) as the certificate authority to trust, in PEM.';
  if (has('DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN')) {
    return {
      code: 'tls-self-signed',
      message: `the certificate of ${server} is signed by itself or by an authority this machine does not know`,
      fix: trust,
    };
  }
  if (has('UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')) {
    return {
      code: 'tls-unknown-authority',
      message: `who signed the certificate of ${server} is not known here`,
      fix: `${trust} A public certificate means that the server does not send the intermediate one: add it to the server's chain.`,
    };
  }
  if (has('CERT_HAS_EXPIRED')) {
    return {
      code: 'tls-expired',
      message: `the certificate of ${server} has expired`,
      fix: "Renew the server's certificate; if it is new, check this machine's clock.",
    };
  }
  if (has('CERT_NOT_YET_VALID')) {
    return {
      code: 'tls-not-yet-valid',
      message: `the certificate of ${server} is not valid yet`,
      fix: "Check this machine's clock and the server's.",
    };
  }
  if (has('ERR_TLS_CERT_ALTNAME_INVALID')) {
    const names = namesOf(cause);
    return {
      code: 'tls-wrong-host',
      message: `the certificate of ${server} is for another name`,
      ...(names === undefined ? {} : { found: said(names, at.hide) }),
      expected: said(at.url.hostname, at.hide),
      fix: "Use a URL with a name of the certificate, or have the server's certificate name this host.",
    };
  }
  if (has('CERT_REVOKED')) {
    return {
      code: 'tls-revoked',
      message: `the certificate of ${server} was revoked`,
      fix: 'Give the server a new one.',
    };
  }
  if (has('ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST')) {
    return {
      code: 'not-tls',
      message: `${server} does not speak TLS on this port`,
      fix: 'Use http://, or the https port.',
    };
  }
  const ssl = codes.find((code) => /^ERR_(SSL|TLS)_|^EPROTO$|^CERT_|CERT/.test(code));
  if (ssl === undefined) return undefined;
  return {
    code: 'tls-failed',
    message: `no TLS connection to ${server} came about`,
    found: said(ssl, at.hide),
    fix: /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE/.test(ssl)
      ? 'The server may ask for a certificate of the client, which Sluice does not send: give a route without it.'
      : "Compare the server's TLS versions and certificate with `openssl s_client -connect HOST:PORT`.",
  };
}

function namesOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if (!('cert' in cause)) return namesOf(cause.cause);
  const { cert } = cause;
  if (typeof cert !== 'object' || cert === null || !('subjectaltname' in cert)) return undefined;
  return typeof cert.subjectaltname === 'string' ? cert.subjectaltname : undefined;
}
