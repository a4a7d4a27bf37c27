import { addAuditLines, addBlobLinks, addMembers, addProjects, addRepositories } from './installation.mjs';
import { addLargeRepository } from './large-repository.mjs';

/** What the lists are long of. */
export const SIZES = { projects: 10_000, repositories: 100_000, artifacts: 10_000, tags: 100_000, users: 2_000, auditLines: 400_000 };
/** A public project, so that everybody may list what it holds. */
export const LARGE_PROJECT = 'lists-large';
export const LARGE_REPOSITORY = 'monorepo';

/**
 * Fills the platform's database with a large installation, in the relations that pushes leave behind. The triggers
 * that charge projects sleep meanwhile (they would take a hundred thousand turns); what they keep is written here and then checked.
 *
 * @param versionKey what the registry sorts versions by
 */
export async function seedLists(client, { member, versionKey }) {
  await client.query('BEGIN');
  await client.query(`SET LOCAL statement_timeout = '300s'`);
  await client.query(`SET LOCAL synchronous_commit = off`);
  await client.query('ALTER TABLE repository_blob DISABLE TRIGGER USER');
  await addProjects(client, SIZES.projects, LARGE_PROJECT);
  await addMembers(client, SIZES.users, member, LARGE_PROJECT);
  await addRepositories(client, SIZES.repositories, versionKey);
  const labels = await addLargeRepository(client, { project: LARGE_PROJECT, repository: LARGE_REPOSITORY, artifacts: SIZES.artifacts, tags: SIZES.tags, versionKey });
  await addBlobLinks(client);
  await client.query('ALTER TABLE repository_blob ENABLE TRIGGER USER');
  await addAuditLines(client, SIZES.auditLines, LARGE_PROJECT);
  await requireConsistentQuotas(client);
  await client.query('COMMIT');
  // What autovacuum does a minute after such a change.
  await client.query('VACUUM ANALYZE');
  return { labels };
}

async function requireConsistentQuotas(client) {
  const { rows } = await client.query(`SELECT p.name FROM project p
    LEFT JOIN (SELECT r.project_id, sum(b.size) AS bytes FROM (SELECT DISTINCT r.project_id, rb.digest FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id) r
      JOIN blob b USING (digest) GROUP BY 1) held ON held.project_id = p.id
    LEFT JOIN (SELECT project_id, sum(bytes) AS bytes FROM quota_change GROUP BY 1) changed ON changed.project_id = p.id
    WHERE p.storage_used + coalesce(changed.bytes, 0) <> coalesce(held.bytes, 0) LIMIT 3`);
  if (rows.length > 0) throw new Error(`the seeded quota of ${rows.map(({ name }) => name).join(', ')} is not what the project holds`);
}
