import { BlockList, isIP } from 'node:net';

/**
 * Addresses where clouds hand out a machine's credentials, and the link-local ranges around them: AWS, Google and Azure IMDS
 * (169.254.169.254, fd00:ec2::254, fd20:ce::254), ECS (169.254.170.2), Azure's wire server, Alibaba. No model is served there, and a
 * URL that points there is an attack (server-side request forgery) or a mistake.
 */
const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addAddress('168.63.129.16', 'ipv4');
forbidden.addAddress('100.100.100.200', 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');
forbidden.addAddress('fd20:ce::254', 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** `address` is an IP address, without brackets; names are never forbidden, what they resolve to may be. */
export function isForbiddenAddress(address: string): boolean {
  return within(forbidden, address);
}

/** Whether a URL's host is this machine by its name or address. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(.+\.)?localhost$/i.test(hostname) || within(loopback, bareHost(hostname));
}

/** A URL's hostname without the brackets of IPv6. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
