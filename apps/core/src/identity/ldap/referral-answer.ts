/** One element of BER (X.690, section 8.1). */
interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

const SEARCH_RESULT_DONE = 0x65;
const REFERRAL_CODE = 10;
const REFERRAL = 0xa3;

/** The addresses of a referral (RFC 4511, section 4.1.10) in what a server sent; ldapts does not read them. Stops at what is no LDAP. */
export function referralIn(bytes: Buffer): string[] {
  return elements(bytes).flatMap(({ body: message }) => {
    const [, answer] = elements(message);
    if (answer?.tag !== SEARCH_RESULT_DONE) return [];
    const [code, , , referral] = elements(answer.body);
    if (code?.body[0] !== REFERRAL_CODE || referral?.tag !== REFERRAL) return [];
    return elements(referral.body).map(({ body }) => body.toString());
  });
}

function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const [tag = 0, first = 0] = bytes.subarray(at);
    const octets = first < 0x80 ? 0 : first - 0x80;
    const start = at + 2 + octets;
    if (octets > 4 || first === 0x80 || start > bytes.length) break;
    const end = start + (octets === 0 ? first : bytes.readUIntBE(at + 2, octets));
    if (end > bytes.length) break;
    found.push({ tag, body: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}
