import { digestOf, OCI_IMAGE_MANIFEST, type Digest } from '@haven/oci';
import { startTestRegistry, type TestRegistry } from './test-registry.js';

export interface Call {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | ReadableStream | string;
}

/** A registry with a developer of project alpha talking to it over HTTP. */
export class TestClient {
  private constructor(
    readonly registry: TestRegistry,
    /** May do everything in alpha/app and alpha/other. */
    readonly developer: string,
  ) {}

  static async start(): Promise<TestClient> {
    const registry = await startTestRegistry();
    const all = ['pull', 'push', 'delete'] as const;
    return new TestClient(registry, await registry.token({ 'alpha/app': all, 'alpha/other': all }));
  }

  stop(): Promise<void> {
    return this.registry.stop();
  }

  call(method: string, path: string, { token = this.developer, headers = {}, body }: Call = {}): Promise<Response> {
    return fetch(`${this.registry.url}${path}`, {
      method, redirect: 'manual',
      headers: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { body: body as string, duplex: 'half' }),
    } as RequestInit);
  }

  /** The location of a new upload session. */
  async startUpload(repository = 'alpha/app'): Promise<string> {
    const response = await this.call('POST', `/v2/${repository}/blobs/uploads/`);
    return assertStatus(response, 202).headers.get('location') ?? '';
  }

  async pushBlob(content: Uint8Array, repository = 'alpha/app'): Promise<Digest> {
    const digest = digestOf(content);
    assertStatus(await this.call('PUT', `${await this.startUpload(repository)}?digest=${digest}`, { body: content }), 201);
    return digest;
  }

  async pushImage(reference: string, extra: object = {}, repository = 'alpha/app'): Promise<{ digest: Digest; bytes: Buffer }> {
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: await this.pushBlob(Buffer.from('layer'), repository), size: 5 };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_IMAGE_MANIFEST, config: layer, layers: [layer], ...extra }));
    assertStatus(await this.call('PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers: { 'content-type': OCI_IMAGE_MANIFEST } }), 201);
    return { digest: digestOf(bytes), bytes };
  }
}

export async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: { code: string }[] };
  return body.errors[0]?.code ?? '';
}

function assertStatus(response: Response, status: number): Response {
  if (response.status !== status) throw new Error(`${response.url} answered ${response.status} instead of ${status}`);
  return response;
}
