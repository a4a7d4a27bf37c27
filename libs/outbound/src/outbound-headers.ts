const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const LONGEST_VALUE = 16_384;

/** What this client says itself: callers cannot say otherwise. */
const OWN = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'proxy', 'proxy-authorization', 'proxy-connection', 'accept-encoding']);

/** What is wrong with a header (RFC 9110, section 5.5); undefined when nothing is. */
export function headerFault(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'its name is not a header name';
  if (OWN.has(name.toLowerCase())) return `${name} cannot be set`;
  if (value.length > LONGEST_VALUE) return `its value has more than ${LONGEST_VALUE} characters`;
  // Latin-1 is what a header can carry at all; anything else would be sent as something else.
  return /^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(value) ? undefined : 'its value contains line breaks, control characters or characters beyond Latin-1';
}
