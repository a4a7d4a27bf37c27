import { adoptBlob, loseBlob, regainBlob } from '@haven/catalog';
import type { Database, Queryable } from '@haven/database';
import type { ReconciliationCount } from '@haven/execution';
import type { Digest } from '@haven/oci';
import { LACKING_KINDS, type BlobState, type CatalogBlob, type ConfirmedFinding, type Finding, type FindingDetails, type FindingKind, type Outcome } from './finding.js';

const PAGE = 1000;
/** Artifacts and repositories that are named with a blob. */
const NAMED = 10;

interface BlobRow {
  readonly digest: Digest;
  readonly size: string;
  readonly state: BlobState;
  readonly created_at: string;
}

interface FindingRow {
  readonly kind: FindingKind;
  readonly name: string;
  readonly size: string | null;
  readonly details: FindingDetails;
}

/** The catalog as the reconciler sees it, and its findings. */
export class ReconciliationStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  now(): Promise<Date> {
    return this.#database.now();
  }

  /** Every blob of the catalog in the order of the digests, from behind `after` on; a page is read at a time. */
  async *blobs(after: string): AsyncGenerator<CatalogBlob, void, undefined> {
    for (let last = after; ;) {
      const rows = await this.#database.query<BlobRow>('SELECT digest, size, state, created_at::text FROM blob WHERE digest > $1 ORDER BY digest LIMIT $2', [last, PAGE]);
      yield* rows.map(blobOf);
      const end = rows.at(-1);
      if (end === undefined || rows.length < PAGE) return;
      last = end.digest;
    }
  }

  /** What the catalog knows of these digests now. */
  async blobsOf(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, CatalogBlob>> {
    if (digests.length === 0) return new Map();
    const rows = await this.#database.query<BlobRow>('SELECT digest, size, state, created_at::text FROM blob WHERE digest = ANY($1)', [digests]);
    return new Map(rows.map((row) => [row.digest, blobOf(row)]));
  }

  /** Notes suspicions. What was noted before stays as it was, so that a part that is done twice is noted once. */
  async note(execution: number, findings: readonly Finding[]): Promise<void> {
    if (findings.length === 0) return;
    await this.#database.execute(
      `INSERT INTO storage_finding (execution_id, kind, name, size, details)
       SELECT $1, f.kind, f.name, f.size, coalesce(f.details, '{}') FROM jsonb_to_recordset($2::jsonb) AS f (kind text, name text, size bigint, details jsonb) ON CONFLICT DO NOTHING`,
      [execution, JSON.stringify(findings)],
    );
  }

  /** Suspicions that were not looked at again yet, behind that one, at most `limit`. */
  async suspicions(execution: number, after: { readonly kind: string; readonly name: string }, limit: number): Promise<Finding[]> {
    const rows = await this.#database.query<FindingRow>(
      `SELECT kind, name, size, details FROM storage_finding WHERE execution_id = $1 AND NOT confirmed AND (kind, name) > ($2, $3) ORDER BY kind, name LIMIT $4`,
      [execution, after.kind, after.name, limit],
    );
    return rows.map(findingOf);
  }

  /** What was found, behind that one, at most `limit`. */
  async confirmed(execution: number, after: { readonly kind: string; readonly name: string }, limit: number): Promise<ConfirmedFinding[]> {
    const rows = await this.#database.query<FindingRow & { readonly outcome: Outcome }>(
      `SELECT kind, name, size, details, outcome FROM storage_finding WHERE execution_id = $1 AND confirmed AND (kind, name) > ($2, $3) ORDER BY kind, name LIMIT $4`,
      [execution, after.kind, after.name, limit],
    );
    return rows.map((row) => ({ ...findingOf(row), outcome: row.outcome }));
  }

  /** It was nothing, or is nothing any more. */
  async drop(execution: number, { kind, name }: Finding): Promise<void> {
    await this.#database.execute('DELETE FROM storage_finding WHERE execution_id = $1 AND kind = $2 AND name = $3 AND NOT confirmed', [execution, kind, name]);
  }

  confirm(execution: number, finding: Finding, outcome: Outcome): Promise<void> {
    return confirm(this.#database, execution, finding, outcome);
  }

  /** Confirms an orphan and gives it to garbage collection, together; false when the catalog knows it by now. */
  async handOver(execution: number, finding: Finding, digest: Digest, size: number): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      if (!(await adoptBlob(transaction, digest, size))) return false;
      await confirm(transaction, execution, finding, 'handed-over');
      return true;
    });
  }

  /** Confirms what a blob lacks and marks it as lost, together; false when it lacks nothing by now. See loseBlob for `isStillSo`. */
  async lose(execution: number, finding: Finding, blob: CatalogBlob, isStillSo: () => Promise<boolean>): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      if (!(await loseBlob(transaction, blob, isStillSo))) return false;
      await confirm(transaction, execution, finding, 'marked');
      return true;
    });
  }

  /** Confirms that a lost blob has its bytes again and marks it as present, together; false when it is not lost any more. */
  async regain(execution: number, finding: Finding, blob: CatalogBlob): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      if (!(await regainBlob(transaction, blob))) return false;
      await confirm(transaction, execution, finding, 'restored');
      return true;
    });
  }

  /** How many blobs would be marked as lost if everything that is suspected were so. */
  async toMark(execution: number): Promise<number> {
    const [row] = await this.#database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM storage_finding f JOIN blob b ON b.digest = f.name AND b.state = 'present' WHERE f.execution_id = $1 AND f.kind = ANY($2)`,
      [execution, [...LACKING_KINDS]],
    );
    return row?.count ?? 0;
  }

  /** Some blobs of the catalog with which nothing seemed wrong. */
  async unsuspected(execution: number, limit: number): Promise<Digest[]> {
    const rows = await this.#database.query<{ digest: Digest }>(
      `SELECT b.digest FROM blob b
       WHERE b.state = 'present' AND NOT EXISTS (SELECT 1 FROM storage_finding f WHERE f.execution_id = $1 AND f.kind = ANY($2) AND f.name = b.digest) ORDER BY b.digest LIMIT $3`,
      [execution, [...LACKING_KINDS], limit],
    );
    return rows.map(({ digest }) => digest);
  }

  /** Which artifacts name each blob, and which repositories serve it. */
  async needs(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Pick<FindingDetails, 'needed_by' | 'needed_by_count' | 'repositories'>>> {
    if (digests.length === 0) return new Map();
    const rows = await this.#database.query<{ digest: Digest; needed_by: string[]; needed_by_count: number; repositories: string[] }>(
      `SELECT d.digest, coalesce(array_agg(n.artifact ORDER BY n.place) FILTER (WHERE n.place <= ${NAMED}), '{}') AS needed_by, count(n.artifact)::int AS needed_by_count,
         ARRAY(SELECT r.name::text FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id WHERE rb.digest = d.digest ORDER BY r.name LIMIT ${NAMED}) AS repositories
       FROM unnest($1::text[]) AS d (digest)
       LEFT JOIN LATERAL (
         SELECT r.name || '@' || m.digest || CASE WHEN m.deleted_at IS NULL THEN '' ELSE ' (in the bin)' END AS artifact, row_number() OVER (ORDER BY m.deleted_at NULLS FIRST, r.name, m.id) AS place
         FROM (SELECT manifest_id AS id FROM manifest_blob WHERE manifest_blob.digest = d.digest UNION SELECT id FROM manifest WHERE manifest.digest = d.digest) AS named
         JOIN manifest m ON m.id = named.id JOIN repository r ON r.id = m.repository_id) AS n ON true
       GROUP BY d.digest`,
      [digests],
    );
    return new Map(rows.map(({ digest, ...needs }) => [digest, needs]));
  }

  /** How much was found and confirmed, by kind or by outcome. */
  async counts(execution: number, by: 'kind' | 'outcome'): Promise<Record<string, ReconciliationCount>> {
    const rows = await this.#database.query<{ key: string; count: number; bytes: string }>(
      `SELECT ${by} AS key, count(*)::int AS count, coalesce(sum(size), 0) AS bytes FROM storage_finding WHERE execution_id = $1 AND confirmed AND ${by} <> '' GROUP BY ${by} ORDER BY ${by}`,
      [execution],
    );
    return Object.fromEntries(rows.map(({ key, count, bytes }) => [key, { count, bytes: Number(bytes) }]));
  }

  /** Some of what was found of a kind, by name. */
  async names(execution: number, kind: FindingKind, limit: number): Promise<string[]> {
    const rows = await this.#database.query<{ name: string }>('SELECT name FROM storage_finding WHERE execution_id = $1 AND kind = $2 AND confirmed ORDER BY name LIMIT $3', [execution, kind, limit]);
    return rows.map(({ name }) => name);
  }
}

async function confirm(database: Queryable, execution: number, { kind, name, details, size }: Finding, outcome: Outcome): Promise<void> {
  await database.execute(
    'UPDATE storage_finding SET confirmed = true, details = $4, size = $5, outcome = $6 WHERE execution_id = $1 AND kind = $2 AND name = $3',
    [execution, kind, name, JSON.stringify(details), size ?? null, outcome],
  );
}

function findingOf({ kind, name, size, details }: FindingRow): Finding {
  return { kind, name, size: size === null ? undefined : Number(size), details };
}

function blobOf({ digest, size, state, created_at: createdAt }: BlobRow): CatalogBlob {
  return { digest, size: Number(size), state, createdAt };
}
