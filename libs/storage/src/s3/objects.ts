import type http from 'node:http';
import { Client } from 'minio';
import type { S3Address } from './address.js';
import { isGone, S3Interruption } from './failure.js';
import { retry, RETRY, type RetryPolicy } from './retry.js';
import { s3Transport, TIMEOUTS, type TransportTimeouts } from './transport.js';

/** An object as a listing tells of it. */
export interface S3Object {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: Date;
}

/** A multipart upload that has not been completed. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: Date;
}

/** Limits that tests shorten. */
export interface S3Limits {
  readonly retry: RetryPolicy;
  readonly timeouts: TransportTimeouts;
}

const TYPE = { 'content-type': 'application/octet-stream' };

/**
 * The calls that the adapter makes, each repeated while it fails for a passing reason (all of them are idempotent, or
 * harmless when done twice). Keys are relative to the prefix. Errors are those of `failure.ts`.
 */
export class S3Objects {
  readonly #client: Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly limits: S3Limits;

  constructor(address: S3Address, accessKey: string, secretKey: string, limits: S3Limits = { retry: RETRY, timeouts: TIMEOUTS }) {
    const { transport, agent } = s3Transport(address.secure, address.authorities, limits.timeouts);
    this.#client = new Client({
      endPoint: address.host, ...(address.port === undefined ? {} : { port: address.port }), useSSL: address.secure, region: address.region,
      pathStyle: address.pathStyle, accessKey, secretKey, transport, transportAgent: agent, retryOptions: { disableRetry: true },
    });
    this.#bucket = address.bucket;
    this.#prefix = address.prefix;
    this.limits = limits;
  }

  /** What is stored under a key; undefined when nothing is. `version` changes whenever it is written. */
  async find(key: string): Promise<{ readonly size: number; readonly version: string } | undefined> {
    try {
      const { size, etag, lastModified, versionId } = await this.#call(() => this.#client.statObject(this.#bucket, this.#key(key)));
      return { size, version: `${etag} ${lastModified.toISOString()} ${versionId ?? ''}` };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    // A new object for each try: the library adds to the headers that it is given.
    await this.#call(() => this.#client.makeRequestAsyncOmit({ method: 'PUT', bucketName: this.#bucket, objectName: this.#key(key), headers: { ...TYPE } }, bytes));
  }

  /** Begins to read the bytes from `start` to `end`, both included. The body may break off: see `read.ts`. */
  open(key: string, start: number, end: number): Promise<http.IncomingMessage> {
    return this.#call(async () => {
      const options = { method: 'GET', bucketName: this.#bucket, objectName: this.#key(key), headers: { range: `bytes=${start}-${end}` } };
      const response = await this.#client.makeRequestAsync(options, '', [200, 206]);
      if (response.headers['content-range']?.startsWith(`bytes ${start}-${end}/`) === true) return response;
      response.destroy();
      throw new S3Interruption('it sent another range than it was asked for');
    });
  }

  /** Copies within the store. Up to 5 GiB. */
  async copy(from: string, to: string): Promise<void> {
    await this.#call(() => this.#client.copyObject(this.#bucket, this.#key(to), this.#source(from)));
  }

  async remove(keys: readonly string[]): Promise<void> {
    const names = keys.map((key) => this.#key(key));
    const [only] = names;
    if (only === undefined) return;
    if (names.length === 1) return this.#call(() => this.#client.removeObject(this.#bucket, only));
    await this.#call(async () => {
      const failed = (await this.#client.removeObjects(this.#bucket, names)).filter((entry) => entry !== null && entry !== undefined);
      if (failed.length > 0) throw new S3Interruption(`${failed.length} of ${names.length} objects could not be removed`);
    });
  }

  /** In the order of the keys, from behind the key `after` on. */
  async *list(prefix: string, after?: string): AsyncGenerator<S3Object, void, undefined> {
    for (let marker = after === undefined ? '' : this.#key(after); ;) {
      const page = await this.#call(() => this.#client.listObjectsQuery(this.#bucket, this.#key(prefix), marker, { Delimiter: '', MaxKeys: 1000 }));
      for (const { name, size, lastModified } of page.objects) {
        if (name === undefined || size === undefined || lastModified === undefined) continue;
        yield { key: name.slice(this.#prefix.length), size, modifiedAt: lastModified };
        marker = name;
      }
      if (page.isTruncated !== true || page.objects.length === 0) return;
    }
  }

  async *unfinished(prefix: string): AsyncGenerator<UnfinishedUpload, void, undefined> {
    for (let keyMarker = '', idMarker = ''; ;) {
      const page = await this.#call(() => this.#client.listIncompleteUploadsQuery(this.#bucket, this.#key(prefix), keyMarker, idMarker, ''));
      for (const { key, uploadId, initiated } of page.uploads) yield { key: String(key).slice(this.#prefix.length), uploadId: String(uploadId), initiated: new Date(initiated) };
      if (!page.isTruncated || page.nextKeyMarker === keyMarker) return;
      keyMarker = page.nextKeyMarker;
      idMarker = page.nextUploadIdMarker;
    }
  }

  /** @returns the id of the multipart upload */
  async initiate(key: string): Promise<string> {
    return String(await this.#call(() => this.#client.initiateNewMultipartUpload(this.#bucket, this.#key(key), { ...TYPE })));
  }

  /**
   * Makes a part of another object, all of it. Each part but the last must have 5 MiB or more.
   * @returns the part's etag
   */
  async copyPart(key: string, uploadId: string, part: number, from: string): Promise<string> {
    const { etag } = await this.#call(() => this.#client.uploadPart({
      bucketName: this.#bucket, objectName: this.#key(key), uploadID: encodeURIComponent(uploadId), partNumber: part, headers: { 'x-amz-copy-source': this.#source(from) },
    }, ''));
    return etag;
  }

  async complete(key: string, uploadId: string, etags: readonly string[]): Promise<void> {
    await this.#call(() => this.#client.completeMultipartUpload(this.#bucket, this.#key(key), uploadId, etags.map((etag, index) => ({ part: index + 1, etag }))));
  }

  async abandon(key: string, uploadId: string): Promise<void> {
    try {
      await this.#call(() => this.#client.abortMultipartUpload(this.#bucket, this.#key(key), encodeURIComponent(uploadId)));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** An address that serves the object for so many seconds; `overrides` are S3's `response-…` parameters. */
  presign(key: string, seconds: number, overrides: Record<string, string>): Promise<string> {
    return this.#client.presignedGetObject(this.#bucket, this.#key(key), seconds, overrides);
  }

  #call<T>(work: () => Promise<T>): Promise<T> {
    return retry(this.limits.retry, work);
  }

  #key(key: string): string {
    return `${this.#prefix}${key}`;
  }

  #source(key: string): string {
    return `/${this.#bucket}/${this.#key(key)}`;
  }
}
