import type { Database } from '@haven/database';
import type { ImmutabilityRule, RetentionCandidate } from '@haven/policy';

/** An artifact with what the log of a retention run says about it. */
export interface ListedCandidate extends RetentionCandidate {
  readonly kind: string;
  readonly labels: readonly string[];
}

export interface RetentionRepository {
  /** With its project, as the catalog knows it. */
  readonly fullName: string;
  readonly candidates: readonly ListedCandidate[];
  /** The moment that the times of the candidates are compared with. */
  readonly now: Date;
}

interface ArtifactRow {
  readonly id: string;
  readonly digest: string;
  readonly type: string;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

interface TagRow {
  readonly manifest_id: string;
  readonly name: string;
  readonly pushed_at: Date;
  readonly pulled_at: Date | null;
}

/** Reads what a retention run decides about. */
export class RetentionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The repository with its artifacts but accessories and untagged children of indexes; undefined when it is gone. */
  async repository(projectId: number, repositoryId: number): Promise<RetentionRepository | undefined> {
    const [repository] = await this.#database.query<{ name: string; now: Date }>(
      'SELECT r.name, now() AS now FROM repository r JOIN project p ON p.id = r.project_id WHERE r.id = $1 AND r.project_id = $2 AND r.deleted_at IS NULL AND p.deleted_at IS NULL',
      [repositoryId, projectId],
    );
    if (repository === undefined) return undefined;
    const artifacts = await this.#database.query<ArtifactRow>(
      `SELECT a.id, a.digest, a.type, a.pushed_at, a.pulled_at FROM manifest a
       WHERE a.repository_id = $1 AND a.deleted_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM accessory x WHERE x.repository_id = $1 AND x.manifest_id = a.id)
         AND (EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = $1 AND t.manifest_id = a.id)
              OR NOT EXISTS (SELECT 1 FROM manifest_reference ref JOIN manifest parent ON parent.id = ref.parent_id AND parent.deleted_at IS NULL
                             WHERE ref.repository_id = $1 AND ref.child_digest = a.digest))
       ORDER BY a.pushed_at DESC, a.id DESC`,
      [repositoryId],
    );
    const tags = grouped(await this.#database.query<TagRow>('SELECT manifest_id, name, pushed_at, pulled_at FROM tag WHERE repository_id = $1 ORDER BY name', [repositoryId]));
    const labels = grouped(await this.#database.query<{ manifest_id: string; name: string }>(
      `SELECT al.manifest_id, l.name FROM artifact_label al JOIN label l ON l.id = al.label_id JOIN manifest m ON m.id = al.manifest_id
       WHERE m.repository_id = $1 AND m.deleted_at IS NULL ORDER BY l.name`,
      [repositoryId],
    ));
    return { fullName: repository.name, candidates: artifacts.map((artifact) => candidateOf(artifact, tags.get(artifact.id) ?? [], labels.get(artifact.id) ?? [])), now: repository.now };
  }

  /** Whether the artifact still is what the decision was about: nothing was pushed to it since, and it has these tags. */
  async isUnchanged(repositoryId: number, { digest, pushedAt, tags }: RetentionCandidate): Promise<boolean> {
    const rows = await this.#database.query<{ pushed_at: Date; name: string | null; tagged_at: Date | null }>(
      `SELECT a.pushed_at, t.name, t.pushed_at AS tagged_at FROM manifest a LEFT JOIN tag t ON t.manifest_id = a.id
       WHERE a.repository_id = $1 AND a.digest = $2 AND a.deleted_at IS NULL`,
      [repositoryId, digest],
    );
    const now = new Map(rows.flatMap(({ name, tagged_at: at }) => (name === null || at === null ? [] : [[name, at.getTime()] as const])));
    if (rows[0]?.pushed_at.getTime() !== pushedAt.getTime()) return false;
    return now.size === tags.length && tags.every((tag) => now.get(tag.name) === tag.pushedAt.getTime());
  }

  async immutabilityRules(projectId: number): Promise<ImmutabilityRule[]> {
    const rows = await this.#database.query<{ rule: Omit<ImmutabilityRule, 'disabled'>; disabled: boolean }>(
      'SELECT rule, disabled FROM immutability_rule WHERE project_id = $1',
      [projectId],
    );
    return rows.map(({ rule, disabled }) => ({ ...rule, disabled }));
  }
}

function candidateOf(artifact: ArtifactRow, tags: readonly TagRow[], labels: readonly { readonly name: string }[]): ListedCandidate {
  return {
    digest: artifact.digest, kind: artifact.type, pushedAt: artifact.pushed_at, pulledAt: artifact.pulled_at ?? undefined, labels: labels.map(({ name }) => name),
    tags: tags.map((tag) => ({ name: tag.name, pushedAt: tag.pushed_at, pulledAt: tag.pulled_at ?? undefined })),
  };
}

function grouped<Row extends { readonly manifest_id: string }>(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.manifest_id);
    if (group === undefined) groups.set(row.manifest_id, [row]);
    else group.push(row);
  }
  return groups;
}
