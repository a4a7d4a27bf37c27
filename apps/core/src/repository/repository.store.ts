import { Injectable } from '@nestjs/common';
import type { Page, QueryTerm } from '@haven/api';
import { Database, type Transaction } from '@haven/database';
import { listedArtifact } from '../artifact/listed-artifact.js';
import { restrictToVisible, type VisibleProjects } from '../authorization/role-sql.js';
import { selectPage, type ListWanted } from '../listing/select-page.js';
import { orderBy, SqlConditions, type QueryColumns } from '../listing/sql-conditions.js';

export interface RepositoryRow {
  readonly id: number;
  readonly projectId: number;
  /** With its project. */
  readonly name: string;
  readonly description: string;
  readonly artifacts: number;
  readonly pulls: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Whose repositories to list: those of one project, or all that the caller may see. */
export type RepositoryRange =
  | { readonly kind: 'project'; readonly id: number }
  | { readonly kind: 'visible'; readonly projects: VisibleProjects };

export interface RepositoryList extends ListWanted {
  readonly range: RepositoryRange;
}

interface Row {
  readonly id: string;
  readonly project_id: number;
  readonly name: string;
  readonly description: string;
  readonly artifacts: number;
  readonly pull_count: string;
  readonly created_at: Date;
  readonly updated_at: Date;
}

const COLUMNS: QueryColumns = new Map([
  ['repository_id', { sql: 'r.id', type: 'number' }],
  ['name', { sql: 'r.name', type: 'text' }],
  ['project_id', { sql: 'r.project_id', type: 'number' }],
  ['description', { sql: 'r.description', type: 'text' }],
  ['pull_count', { sql: 'r.pull_count', type: 'number' }],
  ['creation_time', { sql: 'r.created_at', type: 'time' }],
  ['update_time', { sql: 'r.updated_at', type: 'time' }],
]);

const FIELDS = `r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at, r.updated_at,
  (SELECT count(*)::int FROM manifest a WHERE ${listedArtifact('r.id')}) AS artifacts`;

@Injectable()
export class RepositoryStore {
  constructor(private readonly database: Database) {}

  async list({ range, terms, sort, page, size }: RepositoryList): Promise<Page<RepositoryRow>> {
    const conditions = new SqlConditions();
    conditions.add('r.deleted_at IS NULL AND p.deleted_at IS NULL');
    restrict(conditions, range);
    conditions.query(terms, COLUMNS);
    holdingBlob(conditions, terms);
    const order = orderBy(sort, COLUMNS, 'r.created_at DESC', 'r.id DESC');
    const from = 'repository r JOIN project p ON p.id = r.project_id';
    const chosen = await selectPage<{ id: string }>(this.database, { fields: 'r.id', from, conditions, order, page, size });
    return { items: await this.#rows(chosen.items), total: chosen.total };
  }

  /** The whole rows of these repositories, in their order: artifacts are counted for one page, not for all before it. */
  async #rows(ids: readonly { readonly id: string }[]): Promise<RepositoryRow[]> {
    if (ids.length === 0) return [];
    const rows = await this.database.query<Row>(`SELECT ${FIELDS} FROM repository r WHERE r.id = ANY($1::bigint[]) AND r.deleted_at IS NULL`, [ids.map(({ id }) => id)]);
    const byId = new Map(rows.map((row) => [row.id, repositoryRow(row)]));
    return ids.flatMap(({ id }) => byId.get(id) ?? []);
  }

  async find(name: string): Promise<RepositoryRow | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT ${FIELDS} FROM repository r JOIN project p ON p.id = r.project_id WHERE r.name = $1 AND r.deleted_at IS NULL AND p.deleted_at IS NULL`,
      [name],
    );
    return row && repositoryRow(row);
  }
}

/** Whether there was such a repository to describe. */
export async function describeRepository(transaction: Transaction, name: string, description: string): Promise<boolean> {
  const sql = `UPDATE repository SET description = $2, updated_at = now() WHERE name = $1 AND deleted_at IS NULL`;
  return (await transaction.execute(sql, [name, description])) > 0;
}

function restrict(conditions: SqlConditions, range: RepositoryRange): void {
  if (range.kind === 'project') conditions.add(`r.project_id = ${conditions.value(range.id)}`);
  else restrictToVisible(conditions, range.projects);
}

/** `blob_digest=…`: the repositories that hold this blob. */
function holdingBlob(conditions: SqlConditions, terms: readonly QueryTerm[]): void {
  for (const { key, match } of terms) {
    if (key !== 'blob_digest' || match.kind !== 'exact') continue;
    conditions.add(`EXISTS (SELECT 1 FROM repository_blob rb WHERE rb.repository_id = r.id AND rb.digest = ${conditions.value(match.value)})`);
  }
}

function repositoryRow(row: Row): RepositoryRow {
  return {
    id: Number(row.id), projectId: row.project_id, name: row.name, description: row.description, artifacts: row.artifacts,
    pulls: Number(row.pull_count), createdAt: row.created_at, updatedAt: row.updated_at,
  };
}
