/** The REST API as one account sees it. Every call throws when the answer is not the wanted one, and says what came instead. */
export class RestClient {
  #url;
  #authorization;

  /** @param {string} url the platform's address. @param {{ user: string, password: string }} [account] none: anonymous */
  constructor(url, account) {
    this.#url = url;
    if (account) this.#authorization = `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`;
  }

  /** One request below /api/v2.0; resolves to the response. */
  request(method, path, body) {
    const content = body === undefined ? undefined : JSON.stringify(body);
    return fetch(`${this.#url}/api/v2.0${path}`, {
      method,
      headers: { ...(this.#authorization ? { authorization: this.#authorization } : {}), ...(content === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(content === undefined ? {} : { body: content }),
      signal: AbortSignal.timeout(60_000),
    });
  }

  async #call(wanted, method, path, body) {
    const response = await this.request(method, path, body);
    const text = await response.text();
    if (response.status !== wanted) throw new Error(`${method} ${path}: expected ${wanted}, got ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  createUser(username, password) {
    return this.#call(201, 'POST', '/users', { username, password, realname: username, email: `${username}@example.com` });
  }

  async userId(username) {
    const users = await this.#call(200, 'GET', `/users?q=username=${username}`);
    return users.find((user) => user.username === username)?.user_id;
  }

  deleteUser(id) {
    return this.#call(200, 'DELETE', `/users/${id}`);
  }

  createProject(name, { isPublic = false, metadata = {} } = {}) {
    return this.#call(201, 'POST', '/projects', { project_name: name, metadata: { public: String(isPublic), ...metadata } });
  }

  project(name) {
    return this.#call(200, 'GET', `/projects/${name}`);
  }

  deleteProject(name) {
    return this.#call(200, 'DELETE', `/projects/${name}`);
  }

  addMember(project, username, role) {
    return this.#call(201, 'POST', `/projects/${project}/members`, { role_id: ROLES[role], member_user: { username } });
  }

  members(project) {
    return this.#call(200, 'GET', `/projects/${project}/members?page_size=100`);
  }

  async removeMember(project, username) {
    const member = (await this.members(project)).find((one) => one.entity_name === username);
    return this.#call(200, 'DELETE', `/projects/${project}/members/${member.id}`);
  }

  artifacts(project, repository) {
    return this.#call(200, 'GET', `/projects/${project}/repositories/${encoded(repository)}/artifacts?page_size=100&with_tag=true`);
  }

  deleteArtifact(project, repository, reference) {
    return this.#call(200, 'DELETE', `/projects/${project}/repositories/${encoded(repository)}/artifacts/${reference}`);
  }

  deleteRepository(project, repository) {
    return this.#call(200, 'DELETE', `/projects/${project}/repositories/${encoded(repository)}`);
  }

  async health() {
    const response = await this.request('GET', '/health');
    return { status: response.status, body: await response.json() };
  }
}

/** The role numbers of the API. */
export const ROLES = { projectAdmin: 1, developer: 2, guest: 3, maintainer: 4, limitedGuest: 5 };

/** A repository name in a path is encoded twice, as Harbor's clients do. */
function encoded(repository) {
  return encodeURIComponent(encodeURIComponent(repository));
}
