import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { PROJECT } from '../peers/haven.mjs';

/** Runs SQL on the platform's database: a hundred thousand pushes in seconds, with the relations a push would have written. */
export async function withDatabase(peer, work) {
  const client = new pg.Client({ connectionString: peer.databaseUrl, statement_timeout: 120_000 });
  await client.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
    await client.query('ANALYZE repository, manifest, tag, tag_event');
  } finally {
    await client.end();
  }
}

/** Gives the repository `count` more tags of the artifact that its tag "latest" names. */
export async function addTags(client, repository, count) {
  const tag = `'v' || lpad(number::text, 7, '0')`;
  const source = `FROM tag, repository, manifest, generate_series(1, $2::integer) AS number
    WHERE repository.name = $1 AND tag.repository_id = repository.id AND tag.name = 'latest' AND manifest.id = tag.manifest_id`;
  const inserted = await client.query(`INSERT INTO tag (repository_id, name, manifest_id) SELECT repository.id, ${tag}, manifest.id ${source}`, [repository, count]);
  if (inserted.rowCount !== count) throw new Error(`${inserted.rowCount} of ${count} tags were inserted into ${repository}`);
  await client.query(`INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor) SELECT repository.id, ${tag}, 'create', manifest.digest, '' ${source}`, [repository, count]);
}

/** Adds `count` repositories, each with one tag of a copy of the artifact that `template`:latest names. */
export async function addRepositories(client, template, count) {
  const inserted = await client.query(`INSERT INTO repository (project_id, name)
    SELECT id, name || '/catalog-' || lpad(number::text, 6, '0') FROM project, generate_series(1, $2::integer) AS number
    WHERE name = $1 AND deleted_at IS NULL`, [PROJECT, count]);
  if (inserted.rowCount !== count) throw new Error(`${inserted.rowCount} of ${count} repositories were inserted`);
  const added = `repository.name LIKE '${PROJECT}/catalog-%'`;
  const original = `JOIN repository origin ON origin.name = $1 JOIN tag latest ON latest.repository_id = origin.id AND latest.name = 'latest'
    JOIN manifest source ON source.id = latest.manifest_id`;
  await client.query(`INSERT INTO repository_blob (repository_id, digest)
    SELECT repository.id, blob.digest FROM repository ${original} JOIN manifest_blob blob ON blob.manifest_id = source.id WHERE ${added}`, [template]);
  await client.query(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size)
    SELECT repository.id, source.digest, source.media_type, source.kind, source.artifact_type, source.config_media_type, source.type, source.size, source.total_size
    FROM repository ${original} WHERE ${added}`, [template]);
  await client.query(`INSERT INTO manifest_blob (manifest_id, digest, repository_id)
    SELECT manifest.id, blob.digest, repository.id FROM repository ${original} JOIN manifest_blob blob ON blob.manifest_id = source.id
    JOIN manifest ON manifest.repository_id = repository.id WHERE ${added}`, [template]);
  await client.query(`INSERT INTO tag (repository_id, name, manifest_id)
    SELECT repository.id, 'latest', manifest.id FROM repository JOIN manifest ON manifest.repository_id = repository.id WHERE ${added}`);
}

const repositoriesDir = (peer) => join(peer.dataDir, 'docker/registry/v2/repositories');

/** The same tags for Distribution: one folder with one link file per tag, as its pushes write them. */
export function addTagFiles(peer, repository, digest, count) {
  const tags = join(repositoriesDir(peer), repository, '_manifests/tags');
  for (let number = 1; number <= count; number++) {
    const folder = join(tags, `v${String(number).padStart(7, '0')}`, 'current');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'link'), digest);
  }
}

/** The same repositories for Distribution: the folders that its catalog walks. */
export function addRepositoryFiles(peer, digest, count) {
  const hex = digest.replace('sha256:', '');
  for (let number = 1; number <= count; number++) {
    const base = join(repositoriesDir(peer), PROJECT, `catalog-${String(number).padStart(6, '0')}`);
    for (const link of [`_layers/sha256/${hex}`, '_manifests/tags/latest/current', `_manifests/revisions/sha256/${hex}`]) {
      mkdirSync(join(base, link), { recursive: true });
      writeFileSync(join(base, link, 'link'), digest);
    }
  }
}
