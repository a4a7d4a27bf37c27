import { projectOf } from '@haven/oci';
import { appendEvents, type Queryable, type Transaction } from '@haven/database';
import { CatalogError } from './catalog-error.js';
import { rulesColumn, type Rules } from './immutability.js';

export interface Repository {
  readonly id: string;
  readonly projectId: number;
  /** With its project: "library/debian". */
  readonly name: string;
}

/** A repository opened for writing, with what its project allows. */
export interface OpenRepository extends Repository {
  /** Whether manifests may name content that is not there (the project's metadata "allow_sparse_manifests"). */
  readonly allowsSparseManifests: boolean;
}

export interface RepositoryToOpen {
  readonly repository: string;
  /** The project that the caller's rights were checked against; a re-created project has another one. */
  readonly projectId: number;
  readonly actor: string;
}

interface RepositoryRow {
  readonly id: string;
  readonly project_id: number;
  readonly name: string;
  readonly sparse: boolean;
}

export async function findRepository(database: Queryable, name: string): Promise<Repository | undefined> {
  const [row] = await database.query<RepositoryRow>(
    `SELECT r.id, r.project_id, r.name FROM repository r JOIN project p ON p.id = r.project_id
     WHERE r.name = $1 AND r.deleted_at IS NULL AND p.deleted_at IS NULL`,
    [name],
  );
  return row && { id: row.id, projectId: row.project_id, name: row.name };
}

/**
 * The repository for writing, made on its first push. Held against deletion until the transaction ends, so that
 * nothing is ever written into a repository that is on its way to the bin: whoever deletes a project, repository,
 * manifest or blob takes its row FOR UPDATE, whoever builds on it FOR KEY SHARE, and counters disturb neither.
 */
export async function openRepository(transaction: Transaction, wanted: RepositoryToOpen): Promise<OpenRepository> {
  return (await lockRepository(transaction, wanted)) ?? (await createRepository(transaction, wanted));
}

/**
 * An existing repository, held against deletion until the transaction ends. Rejects with `otherwise` when there is none.
 */
export async function holdRepository(transaction: Transaction, name: string, otherwise: 'repository-unknown' | 'tag-unknown' = 'repository-unknown'): Promise<Repository> {
  const [row] = await transaction.query<RepositoryRow>(
    'SELECT id, project_id, name FROM repository WHERE name = $1 AND deleted_at IS NULL FOR KEY SHARE', [name]);
  if (!row) throw new CatalogError(otherwise, `there is no repository ${name}`);
  return { id: row.id, projectId: row.project_id, name: row.name };
}

/** A repository in which something is deleted or comes back. */
export interface ChangingRepository extends Repository {
  /** Which of its tags are immutable. */
  readonly rules: Rules;
}

/**
 * An existing repository for deleting in it, restoring or copying into it: there is one such change at a time, while pushes
 * go on beside it. With `alone`, for deleting the repository itself, they wait, too.
 * Resolves to undefined when there is none.
 */
export async function changeRepository(transaction: Transaction, name: string, { alone = false } = {}): Promise<ChangingRepository | undefined> {
  const [row] = await transaction.query<RepositoryRow & { readonly rules: Rules }>(
    `SELECT r.id, r.project_id, r.name, ${rulesColumn('r.project_id')} FROM repository r
     WHERE r.name = $1 AND r.deleted_at IS NULL FOR ${alone ? 'UPDATE' : 'NO KEY UPDATE'} OF r`,
    [name],
  );
  return row && { id: row.id, projectId: row.project_id, name: row.name, rules: row.rules };
}

async function lockRepository(transaction: Transaction, wanted: RepositoryToOpen): Promise<OpenRepository | undefined> {
  const [row] = await transaction.query<RepositoryRow>(
    `SELECT r.id, r.project_id, r.name, coalesce(p.metadata->>'allow_sparse_manifests', 'false') = 'true' AS sparse
     FROM repository r JOIN project p ON p.id = r.project_id
     WHERE r.name = $1 AND r.deleted_at IS NULL AND p.id = $2 AND p.deleted_at IS NULL
     FOR KEY SHARE OF r, p`,
    [wanted.repository, wanted.projectId],
  );
  return row && { id: row.id, projectId: row.project_id, name: row.name, allowsSparseManifests: row.sparse };
}

async function createRepository(transaction: Transaction, wanted: RepositoryToOpen): Promise<OpenRepository> {
  const created = await transaction.query<{ id: string }>(
    `INSERT INTO repository (project_id, name)
     SELECT p.id, $2 FROM project p WHERE p.id = $1 AND p.name = $3 AND p.deleted_at IS NULL FOR KEY SHARE
     ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    [wanted.projectId, wanted.repository, projectOf(wanted.repository)],
  );
  if (created.length > 0) {
    await appendEvents(transaction, [
      { type: 'repository.created', payload: { project: wanted.projectId, repository: wanted.repository }, actor: wanted.actor },
    ]);
  }
  const repository = await lockRepository(transaction, wanted);
  if (!repository) throw new CatalogError('project-unknown', `the project of ${wanted.repository} does not exist any more`);
  return repository;
}
