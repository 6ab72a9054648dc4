type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address by the variables every tool reads (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, small letters first), or undefined
 * for none. NO_PROXY: names separated by commas; a name also covers its subdomains; `host:port` only that port; `*` everything.
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const read = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const direct = (read('NO_PROXY') ?? '')
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .some((name) => {
      if (name === '*') return true;
      const [, host = name, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(name.toLowerCase()) ?? [];
      const domain = host.replace(/^\*?\./, '');
      return (
        (onlyPort === undefined || onlyPort === port) &&
        (url.hostname === domain || url.hostname.endsWith(`.${domain}`))
      );
    });
  return direct ? undefined : read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
}
