import { randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { loopback } from './http.mjs';
import { MANIFEST_TYPE, manifestOf, sha256, withDigest } from './registry.mjs';

/** Pushes whole artifacts of a new 1 KiB layer, in three requests each, over connections that are kept. */
export class ArtifactPusher {
  #base;
  #agent;

  /** `connections`: how many at most. */
  constructor(url, connections) {
    this.#base = loopback(url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Resolves to the manifest's digest; rejects with any answer but the expected one. */
  async push({ name, headers }, tag) {
    const layer = randomBytes(1024);
    const digest = sha256(layer);
    const opened = await this.#expect(202, 'POST', `/v2/${name}/blobs/uploads/`, headers);
    await this.#expect(201, 'PUT', withDigest(new URL(opened.location, this.#base).href, digest), { ...headers, 'content-type': 'application/octet-stream' }, layer);
    const manifest = manifestOf({ digest, size: layer.length });
    await this.#expect(201, 'PUT', `/v2/${name}/manifests/${tag}`, { ...headers, 'content-type': MANIFEST_TYPE }, manifest);
    return sha256(manifest);
  }

  close() {
    this.#agent.destroy();
  }

  async #expect(status, method, path, headers, body) {
    const url = new URL(path, this.#base);
    const result = await this.#send(method, url, headers, body);
    if (result.status !== status) throw new Error(`${method} ${url.pathname}: ${result.status} ${result.answer}`);
    return result;
  }

  #send(method, url, headers, body) {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(url, { method, agent: this.#agent, headers: { ...headers, 'content-length': body?.length ?? 0 } }, (incoming) => {
        let answer = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk) => { answer = (answer + chunk).slice(0, 500); });
        incoming.once('error', reject);
        incoming.once('end', () => resolve({ status: incoming.statusCode, location: incoming.headers.location, answer }));
      });
      outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`${method} ${url}: no answer within 30 s`)));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }
}
