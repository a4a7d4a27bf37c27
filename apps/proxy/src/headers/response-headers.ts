import { isHopByHop, namedInConnection, withoutHeaders } from './hop-by-hop.js';

/** An upstream's headers, sorted once into what the proxy itself needs and what the client gets. */
export class ResponseHeaders {
  /** Names (lower case) and values in turn, Content-Length included. */
  passed: string[] = [];
  /** Bytes of the body; -1 when the upstream does not say. */
  contentLength = -1;
  contentRange = '';
  /** The value of X-Haven-File: the upstream hands the body over as a file. */
  file = '';
  #connection: string[] | undefined;

  add(name: string, value: string): void {
    switch (name) {
      case 'connection': this.#connection = namedInConnection(value); return;
      case 'content-length': this.contentLength = Number(value); break;
      case 'content-range': this.contentRange = value; break;
      case 'x-haven-file': this.file = value; return;
      case 'x-request-id': case 'server': case 'x-powered-by': case 'strict-transport-security': return;
      default: if (isHopByHop(name) || name.startsWith('x-haven-')) return;
    }
    this.passed.push(name, value);
  }

  /** Call once after the last `add`. */
  finish(): void {
    if (this.#connection !== undefined) this.passed = withoutHeaders(this.passed, this.#connection);
  }

  /** From undici: lower-case names, several values as a list. */
  static fromRecord(record: Readonly<Record<string, string | string[] | undefined>>): ResponseHeaders {
    const headers = new ResponseHeaders();
    for (const name in record) {
      const value = record[name];
      if (typeof value === 'string') headers.add(name, value);
      else if (value !== undefined) for (const item of value) headers.add(name, item);
    }
    headers.finish();
    return headers;
  }

  /** From node's rawHeaders: names as sent and values in turn. */
  static fromRaw(raw: readonly string[]): ResponseHeaders {
    const headers = new ResponseHeaders();
    for (let at = 0; at + 1 < raw.length; at += 2) headers.add((raw[at] as string).toLowerCase(), raw[at + 1] as string);
    headers.finish();
    return headers;
  }
}
