import type { OutgoingHttpHeaders } from 'node:http';
import type { Catalog, RepositoryToOpen, Upload } from '@haven/catalog';
import { isRepositoryName, OciError, parseContentRange, parseDigest, type Digest } from '@haven/oci';
import type { Exchange } from '../server/exchange.js';
import { announcedLength, bodyOf } from '../server/request-body.js';
import { projectFor } from '../token/project-for.js';
import type { UploadService } from './upload.service.js';

type UploadsExchange = Exchange<{ kind: 'uploads'; repository: string }>;
type UploadExchange = Exchange<{ kind: 'upload'; repository: string; id: string }>;

const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

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
    const wanted = digest === null ? undefined : digestFrom(digest);
    const upload = await this.#uploads.start(target);
    if (wanted === undefined) {
      answerProgress(exchange, 202, upload);
      return;
    }
    const whole = await this.#receive(exchange, upload);
    await this.#finish(exchange, whole, wanted);
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
    const whole = announcedLength(exchange.request) === 0 ? upload : await this.#receive(exchange, upload);
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

  async #receive(exchange: UploadsExchange | UploadExchange, upload: Upload): Promise<Upload> {
    const expected = expectedLength(exchange, upload);
    let received = 0;
    const result = await this.#uploads.append(upload, (hash) =>
      bodyOf(exchange.request, (chunk) => {
        received += chunk.length;
        if (received > expected) throw new OciError('SIZE_INVALID');
        hash?.add(chunk);
      }),
    );
    if (result.failure !== undefined) throw result.failure;
    if (expected !== MAX_LENGTH && received !== expected) throw new OciError('SIZE_INVALID');
    return result.upload;
  }

  async #finish(exchange: UploadsExchange | UploadExchange, upload: Upload, digest: Digest): Promise<void> {
    await this.#uploads.finish(upload, digest);
    answerCreated(exchange, digest);
  }
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
