import { OciClient } from '../registry/oci-client.mjs';
import { RestClient } from '../registry/rest-client.mjs';

/** Somebody, or with the name "anonymous" nobody, in front of the real server: every call is a fresh look at their rights. */
export class Actor {
  #url;
  #account;

  constructor(url, name, account) {
    this.#url = url;
    this.#account = account;
    this.name = name;
    this.rest = new RestClient(url, account);
  }

  /** A client of the registry that holds no tokens yet. */
  get oci() {
    return new OciClient(this.#url, this.#account);
  }

  /** Resolves to { status, body } of a call below /api/v2.0. */
  async api(method, path, body) {
    const response = await this.rest.request(method, path, body);
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text, headers: response.headers };
  }

  /** Uploads a blob; resolves to the status that ended it. */
  async uploadBlob(repository, blob) {
    const oci = this.oci;
    const started = await oci.request('POST', `/v2/${repository}/blobs/uploads/`);
    await started.arrayBuffer();
    if (started.status !== 202) return started.status;
    const finished = await oci.finishUpload(repository, started.headers.get('location'), blob.digest, blob.bytes);
    if (finished.status !== 201) await oci.request('DELETE', started.headers.get('location'), { scopes: [`repository:${repository}:pull,push`] }).then((response) => response.arrayBuffer());
    return finished.status;
  }

  /** Mounts a blob; an upload that was opened instead is given up. Resolves to the status. */
  async mountBlob(repository, digest, from) {
    const oci = this.oci;
    const { status, headers } = await oci.mountBlob(repository, digest, from);
    if (status === 202) await oci.request('DELETE', headers.get('location'), { scopes: [`repository:${repository}:pull,push`] }).then((response) => response.arrayBuffer());
    return status;
  }

  async putManifest(repository, reference, item) {
    return (await this.oci.putManifest(repository, reference, item)).status;
  }

  async deleteManifest(repository, reference) {
    return (await this.oci.delete(repository, 'manifests', reference)).status;
  }

  /** What a HEAD answers: { status, digest }. */
  async head(repository, kind, reference) {
    const { status, headers } = await this.oci.head(repository, kind, reference, kind === 'manifests' ? { headers: { accept: '*/*' } } : {});
    return { status, digest: headers.get('docker-content-digest') };
  }
}

/** A repository of a project in a path of the REST API. */
export function repositoryPath(project, repository) {
  return `/projects/${project}/repositories/${encodeURIComponent(encodeURIComponent(repository.slice(project.length + 1)))}`;
}
