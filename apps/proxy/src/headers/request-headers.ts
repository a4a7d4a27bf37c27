import { LIMITS } from '../limits/limits.js';
import { isHost } from './host.js';
import { isHopByHop, namedInConnection, withoutHeaders } from './hop-by-hop.js';

export type HeaderFault = 'too-many' | 'host' | 'framing' | 'malformed';

/** Never passed on: what could override method or path behind the rules, and httpoxy's `Proxy`. */
const OVERRIDES = new Set(['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url', 'x-original-uri', 'x-rewrite-url', 'proxy']);

/** A request's headers, sorted once into what the proxy itself needs and what is passed on. */
export class RequestHeaders {
  fault: HeaderFault | undefined;
  /** Names (lower case) and values in turn; without Host, Content-Length, the forwarding headers and X-Request-Id. */
  passed: string[] = [];
  host = '';
  requestId = '';
  /** Bytes of the body that Content-Length announces; -1 when it is absent. */
  contentLength = -1;
  chunked = false;
  forwardedFor = '';
  forwardedProto = '';
  forwardedHost = '';
  forwardedPort = '';
  forwarded = '';
  /** `Range` was sent. */
  ranged = false;
  #authorized = false;

  get hasBody(): boolean { return this.chunked || this.contentLength > 0; }

  /** @param raw node's rawHeaders: names as sent and values in turn. */
  constructor(raw: readonly string[]) {
    if (raw.length > LIMITS.headers * 2) {
      this.fault = 'too-many';
      return;
    }
    let connection: string[] | undefined;
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const name = (raw[at] as string).toLowerCase();
      const value = raw[at + 1] as string;
      if (name === 'connection') connection = (connection ?? []).concat(namedInConnection(value) ?? []);
      else this.#sort(name, value);
    }
    if (this.fault === undefined && this.host === '') this.fault = 'host';
    if (this.chunked && this.contentLength >= 0) this.fault ??= 'framing';
    if (connection !== undefined && connection.length > 0) this.passed = withoutHeaders(this.passed, connection);
  }

  #sort(name: string, value: string): void {
    switch (name) {
      case 'host': this.#setHost(value); return;
      case 'content-length': this.#setLength(value); return;
      case 'transfer-encoding': this.#setEncoding(value); return;
      case 'x-request-id': this.requestId = value; return;
      case 'x-forwarded-for': this.forwardedFor = this.forwardedFor === '' ? value : `${this.forwardedFor}, ${value}`; return;
      case 'x-forwarded-proto': this.forwardedProto = value; return;
      case 'x-forwarded-host': this.forwardedHost = value; return;
      case 'x-forwarded-port': this.forwardedPort = value; return;
      case 'forwarded': this.forwarded = this.forwarded === '' ? value : `${this.forwarded}, ${value}`; return;
      case 'expect': return; // Answered by the proxy, and asked anew of the upstream where a body follows.
      case 'range': this.ranged = true; break;
      case 'authorization': this.#countAuthorization(); break;
      default: if (isHopByHop(name) || isOurs(name) || OVERRIDES.has(name)) return;
    }
    if (!isFieldValue(value)) this.fault ??= 'malformed';
    this.passed.push(name, value);
  }

  /** Two of them could be read differently by two programs on the way (RFC 9110 section 11.6.2 has one). */
  #countAuthorization(): void {
    if (this.#authorized) this.fault ??= 'malformed';
    this.#authorized = true;
  }

  #setHost(value: string): void {
    if (this.host !== '' || !isHost(value)) this.fault ??= 'host';
    else this.host = value;
  }

  #setLength(value: string): void {
    if (this.contentLength >= 0 || !/^\d{1,15}$/.test(value)) this.fault ??= 'framing';
    else this.contentLength = Number(value);
  }

  #setEncoding(value: string): void {
    if (this.chunked || value.toLowerCase() !== 'chunked') this.fault ??= 'framing';
    else this.chunked = true;
  }
}

/** Headers between Haven's own processes, and those that name the client's address: nobody outside may send them. */
function isOurs(name: string): boolean {
  if (name.charCodeAt(0) !== 0x78) return false;
  return name.startsWith('x-haven-') || name.startsWith('x-forwarded-') || name === 'x-real-ip' || name === 'x-client-ip';
}

/** What may stand in a header value (RFC 9110 section 5.5): no control characters but the tab. */
function isFieldValue(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}
