import type { OutgoingHttpHeaders } from 'node:http';
import type { Catalog, RepositoryToOpen, Upload } from '@haven/catalog';
import { isRepositoryName, OciError, parseContentRange, parseDigest, type Digest } from '@haven/oci';
import type { Exchange } from '../server/exchange.js';
import { announcedLength, bodyOf, readBody } from '../server/request-body.js';
import { projectFor } from '../token/project-for.js';
import type { UploadService } from './upload.service.js';

type UploadsExchange = Exchange<{ kind: 'uploads'; repository: string }>;
type UploadExchange = Exchange<{ kind: 'upload'; repository: string; id: string }>;

const MAX_LENGTH = Number.MAX_SAFE_INTEGER;
/** Blobs up to this many bytes that come in one request are stored in one go; larger ones are streamed. */
const SMALL_BLOB = 128 * 1024;

/** A body of unknown length turned out to be longer than its project has room for. */
class NoRoom extends Error {}

/** HTTP in and out of blob uploads (OCI Distribution 1.1, "Pushing blobs"). */
export class UploadController {
  readonly #catalog: Catalog;
  readonly #uploads: UploadService;

  constructor(parts: { readonly catalog: Catalog; readonly uploads: UploadService }) {
    this.#catalog = parts.catalog;
    this.#uploads = parts.uploads;
  }

  /** POST: mounts a blob, takes a whole one, or opens a session. */
  async start(exchange: UploadsExchange): Promise<void> {
    const target = targetOf(exchange);
    const mount = exchange.query.get('mount');
    if (mount !== null && (await this.#mount(exchange, target, digestFrom(mount)))) return;
    const digest = exchange.query.get('digest');
    if (digest === null) {
      answerProgress(exchange, 202, await this.#uploads.start(target));
      return;
    }
    const wanted = digestFrom(digest);
    if (isSmall(exchange)) {
      await this.#uploads.store(target, wanted, await readBody(exchange.request, { most: SMALL_BLOB, what: 'The blob' }));
      answerCreated(exchange, wanted);
      return;
    }
    await this.#finish(exchange, await this.#receive(exchange, await this.#uploads.start(target, wanted), wanted), wanted);
  }

  /** PATCH: a chunk, or the whole blob as a stream. */
  async append(exchange: UploadExchange): Promise<void> {
    const upload = await this.#uploads.find(exchange.route.id, exchange.route.repository, exchange.actor);
    answerProgress(exchange, 202, await this.#receive(exchange, upload));
  }

  /** PUT: the last chunk, or nothing more, and the digest of it all. */
  async finish(exchange: UploadExchange): Promise<void> {
    const digest = digestFrom(exchange.query.get('digest') ?? '');
    const upload = await this.#uploads.find(exchange.route.id, exchange.route.repository, exchange.actor);
    if (upload.received === 0 && isSmall(exchange)) {
      await this.#storeWhole(exchange, upload, digest);
      return;
    }
    const whole = announcedLength(exchange.request) === 0 ? upload : await this.#receive(exchange, upload, digest);
    await this.#finish(exchange, whole, digest);
  }

  /** GET: how far the session got. */
  async status(exchange: UploadExchange): Promise<void> {
    answerProgress(exchange, 204, await this.#uploads.find(exchange.route.id, exchange.route.repository, exchange.actor));
  }

  async cancel(exchange: UploadExchange): Promise<void> {
    await this.#uploads.cancel(await this.#uploads.find(exchange.route.id, exchange.route.repository, exchange.actor));
    exchange.send(204, {});
  }

  async #mount(exchange: UploadsExchange, target: RepositoryToOpen, digest: Digest): Promise<boolean> {
    const from = exchange.query.get('from') ?? undefined;
    if (from !== undefined && !isRepositoryName(from)) throw new OciError('NAME_INVALID', { message: 'The repository to mount from is not a valid name.' });
    if (!(await this.#catalog.mountBlob({ ...target, digest, ...(from === undefined ? {} : { from }) }))) return false;
    answerCreated(exchange, digest);
    return true;
  }

  async #receive(exchange: UploadsExchange | UploadExchange, upload: Upload, digest?: Digest): Promise<Upload> {
    const expected = expectedLength(exchange, upload);
    const room = await this.#uploads.roomFor(upload, expected === MAX_LENGTH ? 0 : expected, digest);
    let received = 0;
    const result = await this.#uploads.append(upload, (hash) =>
      bodyOf(exchange.request, (chunk) => {
        received += chunk.length;
        if (received > expected) throw new OciError('SIZE_INVALID');
        if (received > room) throw new NoRoom();
        hash?.add(chunk);
      }),
    );
    if (result.failure instanceof NoRoom) {
      await this.#uploads.cancel(result.upload);
      throw await this.#uploads.refusal(upload, upload.received + received);
    }
    if (result.failure !== undefined) throw result.failure;
    if (expected !== MAX_LENGTH && received !== expected) throw new OciError('SIZE_INVALID');
    return result.upload;
  }

  /** The common push of a small blob, POST and PUT, without a file for the session in between. */
  async #storeWhole(exchange: UploadExchange, upload: Upload, digest: Digest): Promise<void> {
    const expected = expectedLength(exchange, upload);
    const bytes = await readBody(exchange.request, { most: SMALL_BLOB, what: 'The blob' });
    if (bytes.length !== expected) throw new OciError('SIZE_INVALID');
    const target = { repository: upload.repository, projectId: upload.projectId, actor: upload.subject };
    try {
      await this.#uploads.store(target, digest, bytes, upload.id);
    } catch (error) {
      if (error instanceof OciError && error.code === 'DIGEST_INVALID') await this.#uploads.cancel(upload);
      throw error;
    }
    answerCreated(exchange, digest);
  }

  async #finish(exchange: UploadsExchange | UploadExchange, upload: Upload, digest: Digest): Promise<void> {
    await this.#uploads.finish(upload, digest);
    answerCreated(exchange, digest);
  }
}

function isSmall(exchange: Exchange): boolean {
  const announced = announcedLength(exchange.request);
  return announced !== undefined && announced <= SMALL_BLOB;
}

/** Bytes this request must bring, from Content-Range and Content-Length; refuses chunks that do not follow on. */
function expectedLength(exchange: Exchange, upload: Upload): number {
  const announced = announcedLength(exchange.request);
  const header = exchange.header('content-range');
  if (header === undefined) return announced ?? MAX_LENGTH;
  const range = parseContentRange(header);
  if (!range) throw new OciError('BLOB_UPLOAD_INVALID', { message: 'Content-Range must be <first byte>-<last byte>.' });
  const length = range.end - range.start + 1;
  if (announced !== undefined && announced !== length) throw new OciError('SIZE_INVALID', { message: 'Content-Range and Content-Length do not agree.' });
  if (range.start !== upload.received) {
    throw new OciError('RANGE_INVALID', { message: `The next chunk must start at byte ${upload.received}.`, headers: progressHeaders(upload) });
  }
  return length;
}

function targetOf(exchange: UploadsExchange): RepositoryToOpen {
  return { repository: exchange.route.repository, projectId: projectFor(exchange.claims, exchange.route.repository), actor: exchange.actor };
}

function digestFrom(text: string): Digest {
  const digest = parseDigest(text);
  if (digest === undefined) throw new OciError('DIGEST_INVALID', { message: 'The digest must be sha256: or sha512: followed by lower-case hexadecimal digits.' });
  return digest;
}

function progressHeaders(upload: Upload): Record<string, string> {
  return {
    location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    range: `0-${Math.max(0, upload.received - 1)}`,
    'docker-upload-uuid': upload.id,
  };
}

function answerProgress(exchange: Exchange, status: number, upload: Upload): void {
  exchange.send(status, progressHeaders(upload) satisfies OutgoingHttpHeaders);
}

function answerCreated(exchange: UploadsExchange | UploadExchange, digest: Digest): void {
  exchange.send(201, { location: `/v2/${exchange.route.repository}/blobs/${digest}`, 'docker-content-digest': digest });
}
