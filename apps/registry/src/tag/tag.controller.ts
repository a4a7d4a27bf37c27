import type { Catalog } from '@haven/catalog';
import { OciError } from '@haven/oci';
import type { Exchange } from '../server/exchange.js';
import { pageFrom, pageHeaders } from '../server/page.js';

/** Lists tags and repositories (OCI Distribution 1.1, "Listing Tags"; Docker Registry HTTP API V2, "Listing Repositories"). */
export class TagController {
  readonly #catalog: Catalog;

  constructor(parts: { readonly catalog: Catalog }) {
    this.#catalog = parts.catalog;
  }

  async listTags(exchange: Exchange<{ kind: 'tags'; repository: string }>): Promise<void> {
    const page = pageFrom(exchange.query);
    const name = exchange.route.repository;
    const repository = await this.#catalog.findRepository(name);
    if (!repository) throw new OciError('NAME_UNKNOWN', { message: `There is no repository ${name}.` });
    // One more than asked for tells whether there is a next page.
    const found = page.size === 0 ? [] : await this.#catalog.listTags(repository.id, page.last, page.size + 1);
    const tags = found.slice(0, page.size);
    exchange.sendJson(200, pageHeaders(`/v2/${name}/tags/list`, page, found.length > page.size ? tags.at(-1) : undefined), { name, tags });
  }

  async listRepositories(exchange: Exchange<{ kind: 'catalog' }>): Promise<void> {
    const page = pageFrom(exchange.query);
    const found = page.size === 0 ? [] : await this.#catalog.listRepositories(page.last, page.size + 1);
    const repositories = found.slice(0, page.size);
    exchange.sendJson(200, pageHeaders('/v2/_catalog', page, found.length > page.size ? repositories.at(-1) : undefined), { repositories });
  }
}
