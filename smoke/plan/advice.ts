/** What to do about a status, where it is the caller's to mend; else nothing. gRPC's codes come by name. */
export function adviceOnStatus(status: number | string | undefined): readonly string[] {
  switch (status) {
    case 401:
    case 'UNAUTHENTICATED':
      return [
        'The server wants to know who asks: put its token into an environment variable and name that in token-env',
      ];
    case 403:
    case 'PERMISSION_DENIED':
      return ['The server does not let this caller in: check the token in token-env and what it may do'];
    case 404:
    case 'NOT_FOUND':
      return ['Check the model name (name), the version and the path in the url'];
    case 413:
      return ['The request is larger than the server allows: send fewer rows at once or raise its limit'];
    case 429:
    case 'RESOURCE_EXHAUSTED':
      return ['The server is over its own limit for requests: it has too little room even for a smoke test'];
    default:
      return [];
  }
}
