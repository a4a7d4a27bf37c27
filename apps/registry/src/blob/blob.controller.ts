import type { OutgoingHttpHeaders } from 'node:http';
import { relative, sep } from 'node:path';
import type { BlobInRepository, Catalog } from '@haven/catalog';
import { OciError, parseRange, type ByteRange, type Digest } from '@haven/oci';
import type { BlobStorage } from '@haven/storage';
import type { ExpiringCache } from '../cache/expiring-cache.js';
import type { Exchange } from '../server/exchange.js';

type BlobExchange = Exchange<{ kind: 'blob'; repository: string; digest: Digest }>;

/** How long a client may use the storage's own address that it was sent to. */
const REDIRECT_SECONDS = 300;
const SEND_FILE_REQUEST = 'x-haven-send-file';
const SEND_FILE_ANSWER = 'x-haven-file';

/** Serves and unlinks blobs (OCI Distribution 1.1, "Pulling blobs", "Deleting Blobs"). */
export class BlobController {
  readonly #catalog: Catalog;
  readonly #storage: BlobStorage;
  readonly #known: ExpiringCache<BlobInRepository>;
  readonly #storageRoot: string | undefined;

  constructor(parts: { readonly catalog: Catalog; readonly storage: BlobStorage; readonly known: ExpiringCache<BlobInRepository>; readonly storageRoot: string | undefined }) {
    this.#catalog = parts.catalog;
    this.#storage = parts.storage;
    this.#known = parts.known;
    this.#storageRoot = parts.storageRoot;
  }

  async get(exchange: BlobExchange): Promise<void> {
    const { repository, digest } = exchange.route;
    const blob = await this.find(repository, digest);
    if (!blob) throw new OciError('BLOB_UNKNOWN', { message: `${repository} has no blob ${digest}.` });
    const etag = `"${digest}"`;
    const headers: OutgoingHttpHeaders = { 'docker-content-digest': digest, etag, 'accept-ranges': 'bytes', 'cache-control': 'private, max-age=31536000, immutable' };
    if (matches(exchange.header('if-none-match'), etag)) {
      exchange.send(304, headers);
      return;
    }
    headers['content-type'] = 'application/octet-stream';
    const range = usableRange(exchange, blob.size, etag);
    if (range === 'unsatisfiable') throw new OciError('RANGE_INVALID', { message: `The blob has ${blob.size} bytes.`, headers: { 'content-range': `bytes */${blob.size}` } });
    if (range) headers['content-range'] = `bytes ${range.start}-${range.end}/${blob.size}`;
    await this.#answer(exchange, headers, range, blob.size);
  }

  async delete(exchange: BlobExchange): Promise<void> {
    const { repository, digest } = exchange.route;
    await this.#catalog.removeBlob(repository, digest);
    this.#known.forget(blobKey(repository, digest));
    exchange.send(202, {});
  }

  /** Whether the repository may serve the blob, from memory where it was asked a moment ago. */
  find(repository: string, digest: Digest): Promise<BlobInRepository | undefined> {
    return this.#known.load(blobKey(repository, digest), () => this.#catalog.findBlob(repository, digest));
  }

  async #answer(exchange: BlobExchange, headers: OutgoingHttpHeaders, range: ByteRange | undefined, size: number): Promise<void> {
    const { digest } = exchange.route;
    const status = range ? 206 : 200;
    const length = range ? range.end - range.start + 1 : size;
    if (exchange.isHead || length === 0) {
      exchange.send(status, { ...headers, 'content-length': length });
      return;
    }
    const file = exchange.header(SEND_FILE_REQUEST) === '1' ? this.#fileBelowRoot(digest) : undefined;
    if (file !== undefined) {
      exchange.send(status, { ...headers, [SEND_FILE_ANSWER]: `${file};${range?.start ?? 0}-${range?.end ?? size - 1}` });
      return;
    }
    const location = await this.#storage.redirectUrl(digest, { seconds: REDIRECT_SECONDS });
    if (location !== undefined) {
      exchange.send(307, { location, 'docker-content-digest': digest, 'cache-control': 'no-store' });
      return;
    }
    const bytes = await this.#storage.read(digest, range);
    await exchange.stream(status, headers, length, bytes);
  }

  /** The path that the proxy opens below the same storage root; see docs/decisions, "The proxy sends blob files itself". */
  #fileBelowRoot(digest: Digest): string | undefined {
    const file = this.#storage.localFile(digest);
    if (file === undefined || this.#storageRoot === undefined) return undefined;
    const path = relative(this.#storageRoot, file);
    return path.startsWith('..') ? undefined : path.split(sep).join('/');
  }
}

export function blobKey(repository: string, digest: string): string {
  return `${repository}@${digest}`;
}

/** RFC 9110, 13.1.2; unquoted digests are what some clients send. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((entry) => {
    const value = entry.trim().replace(/^W\//, '');
    return value === '*' || value === etag || `"${value}"` === etag;
  });
}

/** RFC 9110, 13.1.5: with an If-Range that names something else the whole is sent. */
function usableRange(exchange: BlobExchange, size: number, etag: string): ByteRange | 'unsatisfiable' | undefined {
  const condition = exchange.header('if-range');
  if (condition !== undefined && condition !== etag) return undefined;
  return parseRange(exchange.header('range'), size);
}
