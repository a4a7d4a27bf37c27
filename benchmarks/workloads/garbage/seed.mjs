import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PROJECT } from '../../peers/haven.mjs';
import { runCommand } from '../../session/command.mjs';
import { contentSql, digestSql } from './contents.mjs';

const WRITER = fileURLToPath(new URL('../../load/write-blobs.mjs', import.meta.url));
const WRITERS = 2;
const CHUNK = 100_000;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';

/**
 * Fills the catalog by SQL and storage with files, in the places in which pushes put them. The garbage was given up a day
 * ago, everything else has been there for two, and collections have run every hour. Resolves to the bytes of the garbage.
 */
export async function seedGarbage({ session, haven, installation, tell }) {
  const client = new pg.Client({ connectionString: haven.databaseUrl, statement_timeout: 300_000 });
  await client.connect();
  try {
    await client.query('SET synchronous_commit = off');
    tell('writing the files');
    const [written, bytes] = await Promise.all([writeFiles(session, haven, installation), fillCatalog(client, installation, tell)]);
    if (written !== installation.blobs) throw new Error(`${written} files were written instead of ${installation.blobs}`);
    await client.query('VACUUM ANALYZE');
    await runCommand(session, 'sync', [], { seconds: 300 });
    return bytes;
  } finally {
    await client.end();
  }
}

async function writeFiles(session, haven, { kinds }) {
  const parts = await Promise.all(Array.from({ length: WRITERS }, (_, part) => (
    runCommand(session, process.execPath, [WRITER], { seconds: 600, input: JSON.stringify({ root: haven.storageDir, kinds, part, parts: WRITERS }) }))));
  return parts.reduce((sum, output) => sum + JSON.parse(output).blobs, 0);
}

async function fillCatalog(client, { repositories, kinds, garbage }, tell) {
  for (const { text, count } of kinds) await addBlobs(client, text, count, tell);
  for (const repository of repositories) await addRepository(client, repository);
  for (let from = 1; from <= garbage; from += CHUNK) {
    await client.query(`INSERT INTO unlinked_blob (digest, unlinked_at) SELECT ${digestSql('garbage', 'n')}, now() - interval '1 day' + n * interval '10 ms' FROM generate_series($1::int, $2::int) AS n`, [from, Math.min(garbage, from + CHUNK - 1)]);
  }
  await client.query(`UPDATE garbage_progress SET links_checked_until = now() - interval '3 hours'`);
  const { rows: [row] } = await client.query(`SELECT sum(octet_length(${contentSql('garbage', 'n')}))::bigint AS bytes FROM generate_series(1, $1::int) AS n`, [garbage]);
  return Number(row.bytes);
}

async function addBlobs(client, text, count, tell) {
  for (let from = 1; from <= count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK - 1);
    await client.query(`INSERT INTO blob (digest, size, created_at, used_at)
      SELECT ${digestSql(text, 'n')}, octet_length(${contentSql(text, 'n')}), now() - interval '2 days', now() - interval '1 day' FROM generate_series($1::int, $2::int) AS n`, [from, to]);
    if (count > CHUNK) tell(`catalog: ${to} of ${count} blobs of the kind "${text}"`);
  }
}

/** The artifacts without a tag are the older ones, as where tags move on. All share a config and a base layer. */
async function addRepository(client, { name, tags, tagged, untagged }) {
  const { rows: [{ id }] } = await client.query(`INSERT INTO repository (project_id, name) SELECT id, name || '/' || $2 FROM project WHERE name = $1 RETURNING id`, [PROJECT, name]);
  await addArtifacts(client, id, `${name} untagged`, untagged);
  await addArtifacts(client, id, name, tagged);
  await client.query(`INSERT INTO repository_blob (repository_id, digest, created_at)
    SELECT $1, digest, now() - interval '2 days' FROM (
      SELECT digest FROM manifest WHERE repository_id = $1 UNION SELECT digest FROM manifest_blob WHERE repository_id = $1) AS held`, [id]);
  const inserted = await client.query(`INSERT INTO tag (repository_id, name, manifest_id, pushed_at)
    SELECT $1, 'v' || lpad(n::text, 7, '0'), m.id, now() - interval '2 days' FROM generate_series(0, $3::int - 1) AS n
    JOIN manifest m ON m.repository_id = $1 AND m.digest = ${digestSql(`${name} manifest`, `(1 + n % $2::int)`)}`, [id, tagged, tags]);
  if (inserted.rowCount !== tags) throw new Error(`${name} has ${inserted.rowCount} tags instead of ${tags}`);
  await client.query(`INSERT INTO tag_event (repository_id, tag, kind, to_digest, actor, at)
    SELECT t.repository_id, t.name, 'create', m.digest, 'user:1', t.pushed_at FROM tag t JOIN manifest m ON m.id = t.manifest_id WHERE t.repository_id = $1`, [id]);
}

async function addArtifacts(client, repository, text, count) {
  await client.query(`INSERT INTO manifest (repository_id, digest, media_type, kind, artifact_type, config_media_type, type, size, total_size, pushed_at, pushed_by)
    SELECT $1, ${digestSql(`${text} manifest`, 'n')}, '${OCI_MANIFEST}', 'image', '${IMAGE_CONFIG}', '${IMAGE_CONFIG}', 'IMAGE', octet_length(${contentSql(`${text} manifest`, 'n')}), 100, now() - interval '2 days', 'user:1'
    FROM generate_series(1, $2::int) AS n`, [repository, count]);
  await client.query(`INSERT INTO manifest_blob (manifest_id, digest, repository_id)
    SELECT m.id, named.digest, $1 FROM generate_series(1, $2::int) AS n JOIN manifest m ON m.repository_id = $1 AND m.digest = ${digestSql(`${text} manifest`, 'n')}
    CROSS JOIN LATERAL (VALUES (${digestSql('shared', '1')}), (${digestSql('shared', '2')}), (${digestSql(`${text} layer`, 'n')})) AS named (digest)`, [repository, count]);
}
