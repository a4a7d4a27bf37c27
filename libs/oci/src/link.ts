/** Characters that would end or split the header value. */
const UNSAFE = /[^\x21\x23-\x3b\x3d\x3f-\x7e]/gu;

/**
 * The value of a Link header that names the next page (RFC 8288; OCI Distribution Spec, "Listing Tags").
 * `url` may be relative; whatever could leave the angle brackets is percent-encoded.
 */
export function nextLink(url: string): string {
  return `<${url.replace(UNSAFE, percentEncoded)}>; rel="next"`;
}

/** By way of UTF-8 bytes, because `encodeURIComponent` throws on half a surrogate pair. */
function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
