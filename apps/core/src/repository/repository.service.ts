import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { parseQuery, parseSort, Problem, type ListQuery, type Page, type Repository } from '@haven/api';
import { Catalog } from '@haven/catalog';
import { Database } from '@haven/database';
import { Broadcasts } from '@haven/messages';
import { recordAudit } from '../audit/record-audit.js';
import type { KnownProject } from '../authorization/known-project.js';
import { visibleProjects } from '../authorization/role-sql.js';
import { describeRepository, RepositoryStore, type RepositoryRange, type RepositoryRow } from './repository.store.js';
import { mapPage } from '../listing/select-page.js';

const NO_REPOSITORY = 'there is no such repository';

@Injectable()
export class RepositoryService {
  constructor(
    private readonly store: RepositoryStore,
    private readonly catalog: Catalog,
    private readonly database: Database,
    private readonly broadcasts: Broadcasts,
  ) {}

  listAll(caller: Caller, query: ListQuery): Promise<Page<Repository>> {
    return this.#list({ kind: 'visible', projects: visibleProjects(caller) }, query);
  }

  list(project: KnownProject, query: ListQuery): Promise<Page<Repository>> {
    return this.#list({ kind: 'project', id: project.id }, query);
  }

  /** @param name with its project */
  async get(name: string): Promise<Repository> {
    const row = await this.store.find(name);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_REPOSITORY);
    return repositoryOf(row);
  }

  async describe(project: KnownProject, name: string, description: string, caller: Caller): Promise<void> {
    await this.database.transaction(async (transaction) => {
      if (!(await describeRepository(transaction, name, description))) throw new Problem('NOT_FOUND', NO_REPOSITORY);
      await recordAudit(transaction, caller, { operation: 'update', resourceType: 'repository', resource: name, description: `update repository: ${name}`, project: project.id });
    });
  }

  async delete(name: string, caller: Caller): Promise<void> {
    await this.catalog.deleteRepository({ repository: name, actor: subjectId(caller.subject) });
    this.broadcasts.publish('repository-deleted', { repository: name });
  }

  async #list(range: RepositoryRange, query: ListQuery): Promise<Page<Repository>> {
    return mapPage(await this.store.list({ range, terms: parseQuery(query.q), sort: parseSort(query.sort), page: query.page, size: query.page_size }), repositoryOf);
  }
}

function repositoryOf(row: RepositoryRow): Repository {
  return {
    id: row.id,
    project_id: row.projectId,
    name: row.name,
    description: row.description,
    artifact_count: row.artifacts,
    pull_count: row.pulls,
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
  };
}
