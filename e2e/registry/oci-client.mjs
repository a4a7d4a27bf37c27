import { MEDIA } from '../image/synthetic.mjs';

/**
 * A plain client of the registry's API, built on fetch. Unlike the real clients it can be told to do anything, and it
 * shows every status and header. A refused request is an answer, not an exception; a broken connection is an exception.
 */
export class OciClient {
  #tokens = new Map();
  #account;

  /** @param {string} url the platform's address. @param {{ user: string, password: string }} [account] none: anonymous */
  constructor(url, account) {
    this.url = url;
    this.#account = account;
  }

  /** Asks the token service. `scopes` like 'repository:library/x:pull,push'. Resolves to the response. */
  requestToken(scopes) {
    const query = new URLSearchParams({ service: 'harbor-registry' });
    for (const scope of scopes) query.append('scope', scope);
    return fetch(`${this.url}/service/token?${query}`, { headers: this.basic() });
  }

  basic() {
    if (!this.#account) return {};
    return { authorization: `Basic ${Buffer.from(`${this.#account.user}:${this.#account.password}`).toString('base64')}` };
  }

  /** A token for the scopes, kept for later calls. Throws when the token service refuses. */
  async token(...scopes) {
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    if (known && known.until > Date.now()) return known.token;
    const response = await this.requestToken(scopes);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`no token for ${key}: ${response.status} ${text}`);
    const { token, expires_in: seconds } = JSON.parse(text);
    this.#tokens.set(key, { token, until: Date.now() + seconds * 500 });
    return token;
  }

  forgetTokens() {
    this.#tokens.clear();
  }

  /**
   * One request below /v2/ with the right token.
   * @param {string} method
   * @param {string} path from the leading slash, or the absolute address a Location header gave
   * @param {{ scopes?: string[], token?: string | null, headers?: Record<string, string>, body?: any, signal?: AbortSignal }} [options]
   *   `token`: use this one; null: none
   */
  async request(method, path, { scopes = scopesFor(method, path), token, headers = {}, body, signal } = {}) {
    const bearer = token === undefined ? await this.token(...scopes) : token;
    return fetch(new URL(path, this.url), {
      method,
      headers: { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...headers },
      body,
      redirect: 'manual',
      signal: signal ?? AbortSignal.timeout(120_000),
      ...(body && typeof body === 'object' && Symbol.asyncIterator in body && !ArrayBuffer.isView(body) ? { duplex: 'half' } : {}),
    });
  }

  /** Opens an upload session. Resolves to its address. */
  async startUpload(repository, { mount, from } = {}) {
    const query = new URLSearchParams({ ...(mount ? { mount } : {}), ...(from ? { from } : {}) });
    const response = await this.request('POST', `/v2/${repository}/blobs/uploads/${query.size > 0 ? `?${query}` : ''}`);
    await response.arrayBuffer();
    return expectStatus(response, 202, 'open an upload').headers.get('location');
  }

  /** Pushes a blob in one piece: POST, then PUT. Resolves to the last response. */
  async pushBlob(repository, blob) {
    const location = await this.startUpload(repository);
    return this.finishUpload(repository, location, blob.digest, blob.bytes);
  }

  /** Pushes a blob with PATCH requests of `chunk` bytes. Resolves to the last response. */
  async pushBlobInChunks(repository, blob, chunk) {
    let location = await this.startUpload(repository);
    for (let start = 0; start < blob.bytes.length; start += chunk) {
      const response = await this.patch(repository, location, blob.bytes.subarray(start, start + chunk), start);
      if (response.status !== 202) return response;
      location = response.headers.get('location');
    }
    return this.finishUpload(repository, location, blob.digest);
  }

  async patch(repository, location, bytes, start) {
    const response = await this.request('PATCH', location, {
      scopes: [`repository:${repository}:pull,push`],
      headers: { 'content-type': 'application/octet-stream', ...(start === undefined ? {} : { 'content-range': `${start}-${start + bytes.length - 1}` }) },
      body: bytes,
    });
    return drained(response);
  }

  async finishUpload(repository, location, digest, bytes) {
    const address = new URL(location, this.url);
    address.searchParams.set('digest', digest);
    return drained(await this.request('PUT', address.href, {
      scopes: [`repository:${repository}:pull,push`],
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes ?? '',
    }));
  }

  async mountBlob(repository, digest, from) {
    const query = new URLSearchParams({ mount: digest, ...(from ? { from } : {}) });
    const scopes = [`repository:${repository}:pull,push`, ...(from ? [`repository:${from}:pull`] : [])];
    return drained(await this.request('POST', `/v2/${repository}/blobs/uploads/?${query}`, { scopes }));
  }

  async putManifest(repository, reference, manifest, { mediaType = manifest.mediaType ?? MEDIA.image, ...options } = {}) {
    return drained(await this.request('PUT', `/v2/${repository}/manifests/${reference}`, { headers: { 'content-type': mediaType }, body: manifest.bytes, ...options }));
  }

  getManifest(repository, reference, options = {}) {
    const accept = [MEDIA.image, MEDIA.index, MEDIA.dockerImage, 'application/vnd.docker.distribution.manifest.list.v2+json'].join(', ');
    return this.request('GET', `/v2/${repository}/manifests/${reference}`, { ...options, headers: { accept, ...options.headers } });
  }

  getBlob(repository, digest, options) {
    return this.request('GET', `/v2/${repository}/blobs/${digest}`, options);
  }

  head(repository, kind, reference, options) {
    return this.request('HEAD', `/v2/${repository}/${kind}/${reference}`, options);
  }

  delete(repository, kind, reference, options) {
    return this.request('DELETE', `/v2/${repository}/${kind}/${reference}`, options).then(drained);
  }

  /** Pushes an image and the tag; throws unless every step was answered 201. */
  async pushImage(repository, tag, image) {
    for (const blob of image.blobs ?? []) expectStatus(await this.pushBlob(repository, blob), 201, `push of ${blob.digest}`);
    expectStatus(await this.putManifest(repository, tag ?? image.digest, image), 201, `push of ${repository}:${tag}`);
  }

  /** All tags, page by page. Resolves to the tags and the number of pages. */
  async tags(repository, pageSize) {
    const tags = [];
    let pages = 0;
    let next = `/v2/${repository}/tags/list${pageSize ? `?n=${pageSize}` : ''}`;
    while (next) {
      const response = expectStatus(await this.request('GET', next, { scopes: [`repository:${repository}:pull`] }), 200, `tags of ${repository}`);
      tags.push(...((await response.json()).tags ?? []));
      pages += 1;
      next = /^<([^>]+)>; *rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1];
    }
    return { tags, pages };
  }
}

/** Reads the body, so that the connection is free again; the text stays readable as `response.bodyText`. */
export async function drained(response) {
  response.bodyText = await response.text();
  return response;
}

/** The codes of an error answer, for example ['BLOB_UNKNOWN']. */
export function errorCodes(response) {
  return JSON.parse(response.bodyText).errors.map((error) => error.code);
}

export function expectStatus(response, status, what) {
  if (response.status !== status) throw new Error(`${what}: expected ${status}, got ${response.status} ${response.bodyText ?? ''}`);
  return response;
}

function scopesFor(method, path) {
  const { pathname } = new URL(path, 'http://any');
  const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)(?:\/|$)/.exec(pathname)?.[1];
  if (!repository) return [];
  const actions = { GET: 'pull', HEAD: 'pull', DELETE: 'delete' }[method] ?? 'pull,push';
  return [`repository:${repository}:${actions}`];
}
