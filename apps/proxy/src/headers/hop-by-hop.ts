/**
 * Headers that belong to one connection (RFC 9110 section 7.6.1) and are never passed on, in lower case. Content-Length is
 * not among them: whoever calls this handles framing itself.
 */
export function isHopByHop(name: string): boolean {
  switch (name) {
    case 'connection': case 'keep-alive': case 'proxy-connection': case 'proxy-authenticate': case 'proxy-authorization':
    case 'te': case 'trailer': case 'transfer-encoding': case 'upgrade': case 'http2-settings':
      return true;
    default:
      return false;
  }
}

/**
 * The further headers that a Connection value declares to belong to the connection, in lower case; undefined when it
 * names only the usual `close` and `keep-alive`.
 */
export function namedInConnection(value: string): string[] | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return undefined;
  const names = lower.split(',').map((name) => name.trim()).filter((name) => name !== '' && name !== 'close' && name !== 'keep-alive');
  return names.length === 0 ? undefined : names;
}

/** Takes the named headers out of a flat list of names and values. */
export function withoutHeaders(flat: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] as string;
    if (!names.includes(name)) kept.push(name, flat[at + 1] as string);
  }
  return kept;
}
