/** Whether a name is an address, which has a scheme (RFC 3986), as `s3://...`, and not the path of a file. A letter and a colon are a drive of Windows. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
}
